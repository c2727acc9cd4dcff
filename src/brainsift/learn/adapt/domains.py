"""Examples of two domains: who is on which side, and how often each is drawn."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from brainsift.learn.quality.bank import Bank
from brainsift.learn.quality.truth import balancing_weights, even_odds

Float32 = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Domains:
    """What is learnt from; None where a part is not used.

    Attributes
    ----------
    source, target : examples with labels.
    unlabelled : examples of the target domain; their truth is not looked at.
    """

    source: Bank | None = None
    target: Bank | None = None
    unlabelled: Bank | None = None

    def parts(self) -> tuple[Bank, ...]:
        """Those that are there."""
        return tuple(bank for bank in (self.source, self.target, self.unlabelled) if bank is not None and len(bank))

    def without_people_of(self, kept_aside: Bank | None) -> Domains:
        """Without the scans of people whose target scans are kept aside: the same person may be in both domains."""
        if kept_aside is None:
            return self
        aside = set(kept_aside.people)
        return replace(
            self,
            source=_without(self.source, aside),
            target=_without(self.target, aside),
            unlabelled=_without(self.unlabelled, aside),
        )


def _without(bank: Bank | None, people: set[str]) -> Bank | None:
    if bank is None:
        return None
    kept = [row for row, person in enumerate(bank.people) if person not in people]
    return bank.only(kept) if kept else None


def class_odds(bank: Bank | None) -> Tensor | None:
    """Weights (8, 2) of no and yes in one domain, from its own shares under the way that it is drawn: tiers and rejects
    have other shares in the other one."""
    return None if bank is None else even_odds(bank.truth, balancing_weights(bank.truth))


def no_truth(count: int, columns: int) -> Tensor:
    """Rows of which nothing is known, (count, columns)."""
    return torch.full((count, columns), torch.nan)
