"""Toy scans: grey tissue with bright balls, which are bleeds, and bright tubes, which are not."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from brainsift.learn.microbleeds.bank import Bank, load_bank, write_chunk
from brainsift.learn.microbleeds.example import Example, Lesion, make_example
from brainsift.tasks.microbleeds.network import SPACING_MM, Prepared, symmetry

SHAPE = (48, 48, 24)
AFFINE = np.diag([*SPACING_MM, 1.0])
AFFINE[:3, 3] = (-20, 10, 5)
TISSUE = 1 / 3


def toy_image(rng: np.random.Generator, bleeds: int, tubes: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Grey values (X, Y, Z), centres of the bleeds (N, 3) in voxels, and where the tubes are."""
    mm = np.stack(np.meshgrid(*(np.arange(n) * s for n, s in zip(SHAPE, SPACING_MM, strict=True)), indexing="ij"))
    image = np.full(SHAPE, TISSUE)
    centres = np.zeros((0, 3))
    while len(centres) < bleeds:
        at = np.array([rng.uniform(8, n - 8) if n > 24 else rng.uniform(4, n - 4) for n in SHAPE])
        if len(centres) and np.linalg.norm((centres - at) * SPACING_MM, axis=1).min() < 8:
            continue
        centres = np.vstack([centres, at])
        away = np.sqrt(((mm - (at * SPACING_MM).reshape(3, 1, 1, 1)) ** 2).sum(axis=0))
        image = np.maximum(image, TISSUE + 0.6 * np.clip(2.0 - away + 0.5, 0, 1))
    kinds = np.zeros(SHAPE, np.uint8)
    for _ in range(tubes):
        x, y = rng.uniform(6, 30, 2)
        away = np.hypot(mm[0] - x, mm[1] - y)
        image = np.maximum(image, TISSUE + 0.6 * np.clip(1.5 - away + 0.5, 0, 1))
        kinds[away < 1] = 1
    image = image + 0.02 * rng.standard_normal(SHAPE)
    return np.clip(image, 0, 1).astype(np.float32), centres, kinds


def toy_prepared(image: np.ndarray, modality: str = "gre") -> Prepared:
    """As if inference had prepared it."""
    seen = np.ones(SHAPE, bool)
    seen[:2] = False
    data = np.stack([image, symmetry(image, seen)]).astype(np.float32)
    return Prepared(data, AFFINE, np.ones(SHAPE, bool), seen, modality, None)  # type: ignore[arg-type]


def toy_example(seed: int, person: str = "a", bleeds: int = 3, modality: str = "gre") -> Example:
    """One scan."""
    image, centres, kinds = toy_image(np.random.default_rng(seed), bleeds, 2)
    mm = centres @ AFFINE[:3, :3].T + AFFINE[:3, 3]
    lesions = [Lesion((float(x), float(y), float(z)), 3.0, 4.0, "lobar") for x, y, z in mm]
    facts = {"source": "simulated", "modality": modality, "bleeds": bleeds, "slice_mm": 1.5}
    return make_example(toy_prepared(image, modality), person, lesions, mimics=(kinds, AFFINE), facts=facts)


MODALITIES = ("gre", "swi", "qsm")


def toy_bank(folder: Path, people: str, each: int = 2, modalities: tuple[str, ...] = MODALITIES) -> Bank:
    """`each` heads of every person in these modalities, the last one of them without a bleed."""
    for person in people:
        for number in range(each):
            bleeds = 0 if number == each - 1 else 3
            seed = 1000 * ord(person) + number
            made = [toy_example(seed, person, bleeds, modality) for modality in modalities]
            write_chunk(made, folder, f"{person}_{number}")
    return load_bank(folder)


__all__ = ["AFFINE", "SHAPE", "toy_bank", "toy_example", "toy_image", "toy_prepared"]
