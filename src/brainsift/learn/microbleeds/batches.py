"""Batches of crops with their targets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from brainsift.learn.microbleeds.bank import Bank
from brainsift.learn.microbleeds.crops import CROP, Aim, Shape, draw_crop
from brainsift.learn.microbleeds.losses import BleedTarget

AIMS: dict[Aim, float] = {"bleed": 0.5, "mimic": 0.3, "brain": 0.2}
"""Shares of the crops: a bleed fills a hundred thousandth of a brain, and most that looks like one is a vein."""


@dataclass(frozen=True)
class Lessons:
    """How crops are drawn.

    Attributes
    ----------
    crop : voxels, multiples of 16, 16 and 8; equal in plane.
    size : crops in a batch, of different scans.
    """

    crop: Shape = CROP
    size: int = 12


def batches(bank: Bank, lessons: Lessons, seed: int, start: int = 0) -> Iterator[tuple[Tensor, BleedTarget]]:
    """Endless (inputs (N, 2, X, Y, Z), target); a resumed training passes on to other crops.

    Modalities come equally often, whatever the bank holds of each.

    Raises
    ------
    ValueError
        if the bank is empty.
    """
    if not len(bank):
        raise ValueError("there is no scan to learn from")
    rng = np.random.default_rng([seed, start])
    of = {modality: np.flatnonzero(np.array(bank.modalities) == modality) for modality in sorted(set(bank.modalities))}
    bleeding = np.array([bool(row["lesions"]) for row in bank.rows])
    aims = list(AIMS)
    while True:
        crops = []
        for _ in range(lessons.size):
            scans = of[str(rng.choice(list(of)))]
            aim = aims[int(rng.choice(len(aims), p=list(AIMS.values())))]
            if aim == "bleed" and bleeding[scans].any():
                scans = scans[bleeding[scans]]
            crops.append(draw_crop(rng, bank[int(rng.choice(scans))], aim, lessons.crop))
        inputs = np.stack([crop.input for crop in crops])
        bleed, weight = (np.stack(parts)[:, None] for parts in zip(*((c.bleed, c.weight) for c in crops), strict=True))
        yield torch.from_numpy(inputs), BleedTarget(torch.from_numpy(bleed), torch.from_numpy(weight))
