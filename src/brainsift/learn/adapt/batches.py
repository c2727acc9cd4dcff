"""Batches of two domains: every part goes round by itself, so that the shortest does not end the others."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from brainsift.learn.adapt.domains import Domains, no_truth
from brainsift.learn.adapt.objective import GROUP, OF_SOURCE, OF_TARGET, SECOND_VIEW, UNLABELLED
from brainsift.learn.quality.bank import Bank
from brainsift.learn.quality.batches import SLICES_PER_AXIS, Pair, change, draw_changes
from brainsift.learn.quality.truth import balancing_weights

PER_PART = 6
"""Examples of each part in a step: as many labelled ones of either domain as without labels."""


def adapt_batches(
    domains: Domains,
    seed: int,
    start: int = 0,
    *,
    per_part: int = PER_PART,
    per_axis: int = SLICES_PER_AXIS,
    two_views: bool = False,
) -> Iterator[Pair]:
    """Endless (images (N, 3 K, H, W), truth (N, 7)), see `objective.GROUP`; a resumed training draws on from `start`.

    Parameters
    ----------
    per_part : examples of each part that is there.
    per_axis : slices of each orientation, drawn anew each time.
    two_views : give every unlabelled example a second time, changed otherwise.

    Raises
    ------
    ValueError
        if there is nothing to draw from.
    """
    if not domains.parts():
        raise ValueError("there is neither a labelled scan of either domain nor an unlabelled one")
    rng = np.random.default_rng([seed, start, 11])
    labelled = [
        (bank, group, _weighted(bank, rng, per_part))
        for bank, group in ((domains.source, OF_SOURCE), (domains.target, OF_TARGET))
        if bank is not None
    ]
    rounds = None if domains.unlabelled is None else _rounds(len(domains.unlabelled), rng, per_part)
    while True:
        images: list[Tensor] = []
        truth: list[Tensor] = []
        for bank, group, draws in labelled:
            chosen = next(draws)
            images.append(_seen(bank, chosen, rng, per_axis))
            truth.append(_rows(torch.from_numpy(bank.truth[chosen]), group))
        if domains.unlabelled is not None and rounds is not None:
            chosen = next(rounds)
            for group in (UNLABELLED, SECOND_VIEW) if two_views else (UNLABELLED,):
                images.append(_seen(domains.unlabelled, chosen, rng, per_axis))
                truth.append(_rows(no_truth(len(chosen), GROUP), group))
        yield torch.cat(images), torch.cat(truth)


def _weighted(bank: Bank, rng: np.random.Generator, count: int) -> Iterator[list[int]]:
    """Rare answers more often, within the domain; with replacement, so never used up."""
    weights = balancing_weights(bank.truth)
    probability = weights / weights.sum()
    while True:
        yield rng.choice(len(bank), count, p=probability).tolist()


def _rounds(n: int, rng: np.random.Generator, count: int) -> Iterator[list[int]]:
    """Every example once, in random order, then again in another."""
    waiting: list[int] = []
    while True:
        while len(waiting) < count:
            waiting += rng.permutation(n).tolist()
        yield waiting[:count]
        waiting = waiting[count:]


def _seen(bank: Bank, chosen: list[int], rng: np.random.Generator, per_axis: int) -> Tensor:
    images = []
    for index in chosen:
        pixels = bank.pixels(index)
        images.append(change(pixels, draw_changes(rng, len(pixels), per_axis)))
    return torch.from_numpy(np.stack(images))


def _rows(truth: Tensor, group: float) -> Tensor:
    return torch.cat([truth, torch.full((len(truth), 1), group)], dim=1)
