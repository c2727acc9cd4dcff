"""Gradient reversal: what helps to tell domains apart is unlearnt by all that comes before (Ganin 2016, JMLR 17:59)."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

STEEPNESS = 10.0
"""Of the rise of the reversal: at a tenth of the training it has 0.46 of its full strength, at a half 0.99."""


class _Reversal(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, strength: float) -> Tensor:
        ctx.strength = strength
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return -ctx.strength * gradients[0], None


def reverse_gradient(x: Tensor, strength: float) -> Tensor:
    """`x` as it is; on the way back its gradient is multiplied by ``-strength``."""
    reversed_: Tensor = _Reversal.apply(x, strength)  # type: ignore[no-untyped-call]
    return reversed_


def reversal_strength(progress: float) -> float:
    """From 0 at the start to 1: 2 / (1 + exp(-10 p)) - 1.

    Parameters
    ----------
    progress : share p of the whole training that is done. Public code computed it from the epoch over ten, so that the
        reversal was at its full strength from the first epochs on, before there was anything to align.
    """
    return 2.0 / (1.0 + math.exp(-STEEPNESS * min(1.0, max(0.0, progress)))) - 1.0
