"""Heads of any contrast, noise and position come to the same place."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from brainsift.tasks.defacing.frame import CROWN_MM, GRID_SHAPE, standard_head
from brainsift.tasks.defacing.signals import average_front
from brainsift.tasks.defacing.surface import MAX_LEVEL, MIN_LEVEL, head_surface, surface_threshold
from tests.tasks.defacing.scene import average_masks, scan


@pytest.mark.parametrize("noise", [0.0, 0.02, 0.06])
def test_surface_is_found_whatever_the_noise(noise: float) -> None:
    volume, anatomy = scan(noise=noise)
    head = standard_head(volume, anatomy)
    truth = average_masks()[0]
    assert (head.tissue ^ truth).sum() < 0.01 * truth.sum()


def test_grey_values_may_have_any_unit_and_an_offset() -> None:
    volume, anatomy = scan()
    shifted = replace(volume, data=0.003 * volume.data - 7), replace(anatomy, image=0.003 * anatomy.image - 7)
    plain, moved = standard_head(volume, anatomy), standard_head(*shifted)
    assert (plain.tissue ^ moved.tissue).sum() < 0.002 * plain.tissue.sum()


def test_the_fit_to_mni_moves_the_head_to_its_place() -> None:
    volume, anatomy = scan()
    to_mni = np.eye(4)
    to_mni[:3, 3] = 6.0, -8.0, 4.0
    away = np.linalg.inv(to_mni) @ volume.affine
    moved = standard_head(replace(volume, affine=away), replace(anatomy, affine=away, to_mni=to_mni))
    assert (moved.tissue ^ standard_head(volume, anatomy).tissue).sum() < 0.001 * moved.tissue.sum()
    assert moved.posed


def test_without_a_fit_the_head_hangs_from_its_crown() -> None:
    volume, anatomy = scan()
    far = volume.affine.copy()
    far[:3, 3] += 60.0, -50.0, 90.0
    for known in (replace(anatomy, affine=far, to_mni=None), None):
        head = standard_head(replace(volume, affine=far), known)
        assert not head.posed
        crown = np.flatnonzero(head.tissue.any(axis=(0, 1)))[-1]
        wanted = round((CROWN_MM + 128) / 2)
        assert abs(int(crown) - wanted) <= 2


def test_threshold_stays_between_its_limits() -> None:
    rng = np.random.default_rng(3)
    seen = np.ones(GRID_SHAPE, np.bool_)
    for spread, expected in ((0.0, MIN_LEVEL), (1.0, MAX_LEVEL)):
        air = np.abs(rng.normal(0, spread, GRID_SHAPE)).astype(np.float32)
        assert surface_threshold(air, seen) == expected


def test_specks_are_no_head_and_a_cut_off_nose_is() -> None:
    image = np.zeros(GRID_SHAPE, np.float32)
    image[40:60, 40:60, 40:60] = 1
    image[50:52, 90:92, 50:52] = 1
    image[70:76, 90:96, 50:56] = 1
    tissue = head_surface(image, np.ones(GRID_SHAPE, np.bool_), 0.5)
    assert tissue[45, 45, 45]
    assert tissue[72, 92, 52]
    assert not tissue[50, 90, 50]


def test_average_face_has_a_nose() -> None:
    depth = average_front().depth_mm
    middle, side = depth[80:86, 58:62].mean(), depth[80:86, 38:42].mean()
    assert middle < side - 10
