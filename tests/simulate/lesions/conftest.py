"""The phantom with lesions in it, and a bank of two lesions."""

from __future__ import annotations

import numpy as np
import pytest

from brainsift.simulate.labelmap import LabelMap
from brainsift.simulate.lesions.draw import draw_lesion_plan, place_lesions
from brainsift.simulate.lesions.look import Look
from brainsift.simulate.lesions.mimics import Mimics, draw_mimics
from brainsift.simulate.lesions.paint import Person, make_person
from brainsift.simulate.lesions.shapes import ShapeBank, make_bank

PLAIN = Look(
    t1_depth=0.6,
    flair_gain=1.4,
    variation=0.0,
    size_gain=0.0,
    haze=0.0,
    hollow_share=0.0,
    hollow_depth=0.0,
    hollow_mm=2.0,
    texture=0.0,
    texture_mm=4.0,
    seed=1,
)
"""Every lesion alike: 60 % of the way to grey on T1w, 40 % brighter than all else on FLAIR."""

REAL_AT_MM = ((32.0, -18.0, 32.0), (-34.0, 10.0, 28.0))
"""Centres of the bank's two lesions in MNI152."""


def mni_affine() -> np.ndarray:
    """Of the grid that lesion masks come on."""
    affine = np.eye(4)
    affine[:3, 3] = -90.0, -126.0, -72.0
    return affine


@pytest.fixture(scope="session")
def bank() -> ShapeBank:
    """Two balls of 5 and 4 mm radius, one person's."""
    at = np.stack(np.meshgrid(*[np.arange(n) for n in (182, 218, 182)], indexing="ij", sparse=False)).astype(np.float32)
    mask = np.zeros((182, 218, 182), bool)
    for centre, radius in zip(REAL_AT_MM, (5.0, 4.0), strict=True):
        middle = np.asarray(centre) - mni_affine()[:3, 3]
        mask |= sum((a - m) ** 2 for a, m in zip(at, middle, strict=True)) <= radius**2
    return make_bank([("p01", mask, mni_affine())])


@pytest.fixture(scope="session")
def person(phantom: LabelMap) -> Person:
    """The phantom with 20 mL of lesions that all look alike, and some mimics."""
    rng = np.random.default_rng(6)
    placed = place_lesions(draw_lesion_plan(rng, phantom, load_ml=20.0), phantom)
    return make_person(phantom, placed, PLAIN, draw_mimics(rng, placed.ground))


@pytest.fixture
def no_mimics(person: Person) -> Mimics:
    """None of them."""
    from dataclasses import replace

    choroid = replace(person.drawn_mimics.choroid, volume_ml=0.0)
    return replace(person.drawn_mimics, tubes=(), lacunes=(), choroid=choroid)
