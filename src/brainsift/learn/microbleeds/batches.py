"""Batches of crops with their targets."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from brainsift.learn.microbleeds.bank import KEPT, Bank
from brainsift.learn.microbleeds.crops import CROP, Aim, Shape, draw_crop
from brainsift.learn.microbleeds.losses import BleedTarget

AIMS: dict[Aim, float] = {"bleed": 0.5, "mimic": 0.3, "brain": 0.2}
"""Shares of the crops: a bleed fills a hundred thousandth of a brain, and most that looks like one is a vein."""


AT_HAND = KEPT - 40
"""Scans that crops are drawn from at a time. Memory keeps some more: with as many, it would often keep one that has had
its turn and drop one that is at hand (of 432 scans, 1.0 read in a step instead of the 0.5 that are due)."""

EXCHANGED_EVERY = 2
"""Steps after which one of the scans at hand gives place to another: to read one takes almost as long as a step."""


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
    modality, bleeding = np.array(bank.modalities), np.array([bool(row["lesions"]) for row in bank.rows])
    aims = list(AIMS)
    for at_hand in turns(len(bank), rng):
        of = {name: at_hand[modality[at_hand] == name] for name in np.unique(modality[at_hand]).tolist()}
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


def turns(count: int, rng: np.random.Generator, at_once: int = AT_HAND) -> Iterator[NDArray[np.intp]]:
    """Endless: rows of the scans at hand, `at_once` of `count`; every few steps the one that has been there longest
    gives place to another. What memory does not hold would be read anew for every crop."""
    order = rng.permutation(count)
    here, waiting = deque(order[:at_once].tolist()), deque(order[at_once:].tolist())
    while True:
        rows = np.array(here, np.intp)
        for _ in range(EXCHANGED_EVERY):
            yield rows
        if waiting:
            waiting.append(here.popleft())
            here.append(waiting.popleft())
