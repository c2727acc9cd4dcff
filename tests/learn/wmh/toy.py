"""Toy people: a grey ball with bright white matter, and lesions that are dark in the T1w, with labels on slices."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from brainsift.learn.wmh.bank import Bank, load_bank, write_chunk
from brainsift.learn.wmh.coarse import lay_label
from brainsift.learn.wmh.example import Example
from brainsift.learn.wmh.geometry import CoarseLabel, coarse_label

SHAPE = (48, 48, 32)
AFFINE = np.diag([1.0, 1.0, 1.0, 1.0])
AFFINE[:3, 3] = (-24, -24, -16)

TILT = np.array([[0.9962, 0, 0.0872, 0], [0, 1, 0, 0], [-0.0872, 0, 0.9962, 0], [0, 0, 0, 1]])
"""5 degrees about y."""


def slice_affine() -> NDArray[np.float64]:
    """Slices 5 mm apart, turned by 5 degrees, over the toy's box."""
    affine = TILT @ np.diag([1.0, 1.0, 5.0, 1.0])
    affine[:3, 3] = (-25, -23, -16)
    return affine


def toy_truth(rng: np.random.Generator, lesions: int) -> NDArray[np.uint8]:
    """Balls of 3 to 6 voxels across, soft at the rim."""
    truth = np.zeros(SHAPE, np.float32)
    grid = np.stack(np.meshgrid(*(np.arange(n) for n in SHAPE), indexing="ij"))
    for _ in range(lesions):
        centre = np.array([rng.uniform(14, n - 14) if n > 32 else rng.uniform(9, n - 9) for n in SHAPE])
        radius = np.sqrt(((grid - centre.reshape(3, 1, 1, 1)) ** 2).sum(axis=0))
        truth = np.maximum(truth, np.clip(rng.uniform(2.5, 4.5) - radius + 0.5, 0, 1))
    return np.rint(255 * truth).astype(np.uint8)


def draw_label(truth: NDArray[np.uint8]) -> CoarseLabel:
    """What a perfect rater marks on slices of 4 mm with 1 mm gaps."""
    import torch

    empty = coarse_label(np.zeros((50, 46, 6), np.uint8), slice_affine(), 4.0)
    to_fine = np.linalg.inv(AFFINE) @ empty.affine
    coarsen = lay_label(empty, to_fine, SHAPE)
    assert coarsen is not None
    share = coarsen(torch.from_numpy(truth.astype(np.float32) / 255)).numpy()
    mask = np.zeros(empty.mask.shape, np.uint8)
    mask[coarsen.box] = (share > 0.5) & coarsen.seen.numpy()
    return coarse_label(mask, empty.affine, 4.0)


def toy_example(seed: int, person: str = "a", lesions: int = 3, label: CoarseLabel | None = None) -> Example:
    """One person; `label` stands in for the right one."""
    rng = np.random.default_rng(seed)
    truth = toy_truth(rng, lesions)
    ball = np.zeros(SHAPE, np.float32)
    ball[4:-4, 4:-4, 3:-3] = 0.65
    image = ball * (1 - 0.5 * truth.astype(np.float32) / 255) + 0.02 * rng.standard_normal(SHAPE) * (ball > 0)
    image = ndimage.gaussian_filter(image, 0.4) * (ball > 0)
    anatomy = np.zeros((3, *(n // 2 for n in SHAPE)), np.uint8)
    anatomy[0] = 255 * (ball[::2, ::2, ::2] > 0)
    facts = {"source": "simulated", "load_ml": round(float(truth.sum()) / 255_000, 3), "bad_label": ""}
    t1w = np.rint(255 * np.clip(image, 0, 1)).astype(np.uint8)
    return Example(t1w, anatomy, AFFINE, person, truth, label or draw_label(truth), facts)


def toy_bank(folder: Path, people: str, each: int = 2) -> Bank:
    """`each` examples of every person, the last one of them without a lesion."""
    for number, person in enumerate(people):
        seeds = range(100 * ord(person), 100 * ord(person) + each)
        made = [toy_example(seed, person, lesions=3 if i < each - 1 else number % 2) for i, seed in enumerate(seeds)]
        write_chunk(made, folder, person)
    return load_bank(folder)
