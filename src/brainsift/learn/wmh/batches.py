"""Batches of crops with their targets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from brainsift.learn.wmh.bank import Bank
from brainsift.learn.wmh.crops import CROP, Shape, cut_input, draw_cut
from brainsift.learn.wmh.geometry import Profile
from brainsift.learn.wmh.losses import Link, Target
from brainsift.learn.wmh.supervise import Supervision, make_target

SELDOM, OFTEN_FROM_ML = 0.5, 5.0
"""Scans without lesions are drawn so often for each one with this load or more; those between, in proportion. Half of
all people have less than 1 mL, whose crops teach mostly what is no lesion; at 0.2 the network found 9 mL in such
people (simulated, median)."""


def drawing_shares(bank: Bank) -> NDArray[np.float64]:
    """How often each example is drawn, (N,), from 0 to 1; always where its load is not known."""
    loads = np.array([float(facts.get("load_ml", OFTEN_FROM_ML)) for facts in bank.facts])
    return SELDOM + (1 - SELDOM) * np.clip(loads / OFTEN_FROM_ML, 0, 1)


@dataclass(frozen=True)
class Lessons:
    """How crops are drawn and what they are held against.

    Attributes
    ----------
    crop : voxels, multiples of 16.
    size : crops in a batch, of different heads.
    supervision, link, profile, even : see `make_target`.
    """

    crop: Shape = CROP
    size: int = 8
    supervision: Supervision = "coarse"
    link: Link = "share"
    profile: Profile = "boxcar"
    even: bool = False


def batches(
    bank: Bank, lessons: Lessons, seed: int, start: int = 0, weights: Sequence[float] | None = None
) -> Iterator[tuple[Tensor, Target]]:
    """Endless (inputs (N, channels, X, Y, Z), target); a resumed training passes on to other crops.

    Parameters
    ----------
    weights : of each label; those of weight 0 are never drawn.

    Raises
    ------
    ValueError
        if no label has a weight.
    """
    told = np.ones(len(bank)) if weights is None else np.asarray(weights, float)
    usable = np.flatnonzero(told > 0)
    if not usable.size:
        raise ValueError("there is no label to learn from: all weights are 0")
    rng = np.random.default_rng([seed, start])
    shares = drawing_shares(bank)[usable]
    shares /= shares.sum()
    while True:
        chosen = rng.choice(usable, lessons.size, replace=usable.size < lessons.size, p=shares).tolist()
        examples = [bank[i] for i in chosen]
        cuts = [draw_cut(rng, one, lessons.crop, dense=lessons.supervision == "fine") for one in examples]
        inputs = np.stack([cut_input(one, cut) for one, cut in zip(examples, cuts, strict=True)])
        target = make_target(
            examples,
            cuts,
            told[chosen].tolist(),
            lessons.supervision,
            link=lessons.link,
            profile=lessons.profile,
            even=lessons.even,
        )
        yield torch.from_numpy(inputs), target
