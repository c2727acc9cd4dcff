"""The defacing network: one small 2D network looks at every side of the head, the signals join what it found."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from brainsift.learn.convolutions import ConvNorm, Residual
from brainsift.tasks.defacing.network import (
    CLASSES,
    KNOWN_ROW,
    LAYERS,
    MAX_SCALED,
    N_OUTPUTS,
    SIGNAL_NAMES,
    VALUE_ROW,
    VIEWS,
)

LEFTWARD = tuple(number for number, name in enumerate(VIEWS) if name.startswith("left"))
"""Views in which the nose points to the left: turned over, so that one network reads both sides alike."""


class DefacingNet(nn.Module):
    """Class, features left, and whether anything was touched.

    Every view goes through the same convolutions; mean and maximum over its pixels, from every view in its own place,
    and the signals go through two layers.

    Parameters
    ----------
    widths : channels at 4, 8, 16 and 32 mm.
    hidden : of the two layers.
    """

    def __init__(self, widths: tuple[int, ...] = (16, 32, 64, 96), hidden: int = 128) -> None:
        super().__init__()
        self.stem = ConvNorm(len(LAYERS), widths[0], stride=2)
        self.stages = nn.ModuleList(Residual(a, b) for a, b in pairwise(widths))
        self.signals = nn.Sequential(
            nn.BatchNorm1d(2 * len(SIGNAL_NAMES)), nn.Linear(2 * len(SIGNAL_NAMES), 64), nn.ReLU()
        )
        features = 2 * widths[-1] * len(VIEWS) + 64
        self.together = nn.Sequential(nn.Linear(features, hidden), nn.ReLU(), nn.Dropout(0.3))
        self.answer = nn.Linear(hidden, N_OUTPUTS)
        self.lowest: Tensor
        self.highest: Tensor
        # Signals of real scans lie where simulated ones never did; they are taken for the nearest that was learnt from.
        self.register_buffer("lowest", torch.full((len(SIGNAL_NAMES),), -MAX_SCALED))
        self.register_buffer("highest", torch.full((len(SIGNAL_NAMES),), MAX_SCALED))
        self.temperature: Tensor
        # Divides the logits of the classes; fitted on validation examples after training.
        self.register_buffer("temperature", torch.ones(1))

    def forward(self, image: Tensor) -> Tensor:
        """(N, PLANES, ROWS, COLUMNS) → logits (N, outputs)."""
        n, _, height, width = image.shape
        views = image[:, :-1].reshape(n, len(VIEWS), len(LAYERS), height, width)
        turned = [view.flip(-1) if number in LEFTWARD else view for number, view in enumerate(views.unbind(dim=1))]
        x = self.stem(torch.stack(turned, dim=1).flatten(0, 1))
        for stage in self.stages:
            x = stage(x)
        found = torch.cat([x.mean(dim=(2, 3)), x.amax(dim=(2, 3))], dim=1).reshape(n, -1)
        values, known = (image[:, -1, row, : len(SIGNAL_NAMES)] for row in (VALUE_ROW, KNOWN_ROW))
        rows = torch.cat([torch.clamp(values, self.lowest, self.highest) * known, known], dim=1)
        logits = self.answer(self.together(torch.cat([found, self.signals(rows)], dim=1)))
        classes = logits[:, : len(CLASSES)] / self.temperature
        return torch.cat([classes, logits[:, len(CLASSES) :]], dim=1)
