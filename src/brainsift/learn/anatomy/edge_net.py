"""The network that draws the edges: a U-Net on the 4 mm grid whose answer is unfolded to 2 mm."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn

from brainsift.anatomy.labels import N_TISSUES
from brainsift.anatomy.witnesses import CHANNELS, FINE_CHANNELS, IMAGE_CHANNELS, LEAST
from brainsift.learn.segmenter import ConvNorm, Stage, decode, unfold

JOINED = 48
"""Channels that the witnesses are joined to."""


class EdgeNet(nn.Module):
    """Adds to the logarithm of the mixture model's posterior; an untrained one leaves it as it is.

    All convolutions run on the 4 mm grid, as in `Segmenter`: a step on 80x96x88 voxels of 2 mm takes 0.4 s of one core
    in bf16.

    Parameters
    ----------
    widths : channels at 4, 8, 16 mm ...
    """

    def __init__(self, widths: tuple[int, ...] = (32, 64, 96)) -> None:
        super().__init__()
        steps = list(pairwise(widths))
        self.join = nn.Conv3d(CHANNELS, JOINED, 1)
        self.stem = Stage(JOINED, widths[0])
        self.down = nn.ModuleList(Stage(a, b, stride=2) for a, b in steps)
        self.reduce = nn.ModuleList(nn.Conv3d(a + b, a, 1, bias=False) for a, b in steps)
        self.up = nn.ModuleList(ConvNorm(a, a) for a in widths[:-1])
        self.merge = nn.Conv3d(widths[0] + JOINED, JOINED, 1, bias=False)
        self.last = ConvNorm(JOINED, JOINED)
        self.head = nn.Conv3d(JOINED, 8 * N_TISSUES, 1)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)  # type: ignore[arg-type]
        self.unit = float(-np.log(LEAST))

    def forward(self, witnesses: Tensor) -> Tensor:
        """(N, CHANNELS, x, y, z) from `witnesses` → logits (N, 10, 2x, 2y, 2z)."""
        joined = self.join(witnesses)
        features = [self.stem(joined)]
        for stage in self.down:
            features.append(stage(features[-1]))
        y = decode(features, self.reduce, self.up)
        y = self.last(self.merge(torch.cat([y, joined], dim=1)))
        mixture = witnesses[:, IMAGE_CHANNELS:FINE_CHANNELS].float() * self.unit
        return unfold(mixture + self.head(y).float())
