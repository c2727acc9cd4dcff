"""The defacing network: it paints where the face was and what was taken, and answers from its own painting."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name that PyTorch users know

from brainsift.learn.defacing.places import CELL_VOXELS, MAPS
from brainsift.learn.defacing.readings import N_CLOSER, N_READINGS, REMOVED, read_closer, read_maps, volumes_from
from brainsift.learn.segmenter import ConvBatchNorm, Stage, decode
from brainsift.tasks.defacing.network import (
    CHANNELS,
    CLASSES,
    N_OUTPUTS,
    WINDOW,
    WINDOW_SHAPE,
    load_average,
)

COARSE = 4
"""Voxels along each side of the cells, of 8 mm, at which the network learns where it is."""

RARE = -5.0
"""Logit of a map before training: most cells hold nothing of it."""

READERS = 4

DROPPED = 0.1
"""Of what the answer is read from, in training."""

SEEN_SHARE = 0.1
"""Of a cell, from which brain is told as removed: small chances in a hundred thousand cells add up to half a mL, where
nothing was taken; from here on to nothing."""


class DefacingNet(nn.Module):
    """Shares of every cell (`MAPS`), then class, features left, whether anything was touched, and mL of brain removed.

    A U-Net (Ronneberger 2015, MICCAI) from 4 mm down to 16 mm. At 8 mm it is told where in MNI152 it is, and what an
    average head has there. The answer is read from volumes of the maps, side by side, and from the coarsest level.

    Parameters
    ----------
    widths : channels at 4, 8 and 16 mm.
    hidden : of the answer's two layers.
    """

    position: Tensor
    temperature: Tensor

    def __init__(self, widths: tuple[int, int, int] = (16, 32, 64), hidden: int = 96) -> None:
        super().__init__()
        fine, middle, coarse = widths
        self.register_buffer("position", position_planes())
        self.register_buffer("temperature", torch.ones(1))
        self.stem = nn.Conv3d(len(CHANNELS), fine, CELL_VOXELS, stride=CELL_VOXELS)
        self.fine = ConvBatchNorm(fine, fine)
        self.down = ConvBatchNorm(fine, middle, 2)
        self.middle = ConvBatchNorm(middle + self.position.shape[1], middle)
        self.coarse = nn.Sequential(Stage(middle, coarse, 2, ConvBatchNorm), ConvBatchNorm(coarse, coarse))
        self.whole = nn.Linear(coarse, coarse)
        self.reduce = nn.ModuleList(nn.Conv3d(a + b, a, 1, bias=False) for a, b in pairwise(widths))
        self.up = nn.ModuleList(ConvBatchNorm(a, a) for a in widths[:-1])
        self.maps = nn.Conv3d(fine, len(MAPS), 1)
        nn.init.constant_(self.maps.bias, RARE)  # type: ignore[arg-type]
        self.answer = Readers(N_READINGS + N_CLOSER + 2 * coarse, hidden, N_OUTPUTS - 1)
        self.to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]

    def forward(self, image: Tensor) -> Tensor:
        """(N, channels, *WINDOW_SHAPE) → (N, N_OUTPUTS + maps x cells): the answer, then logits of all maps."""
        maps, read = self.look(image)
        logits = self.answer(read)
        classes = logits[:, : len(CLASSES)] / self.temperature
        with torch.no_grad():
            taken = torch.sigmoid(maps[:, REMOVED : REMOVED + 1])
            removed = volumes_from(taken, SEEN_SHARE).sum(dim=2)
        return torch.cat([classes, logits[:, len(CLASSES) :], removed, maps.flatten(1)], dim=1)

    def look(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Logits of all maps (N, maps, cells), and what the answer is read from (N, readings)."""
        at_4_mm = self.fine(F.relu(self.stem(image)))
        halved = self.down(at_4_mm)
        position = self.position.expand(image.shape[0], -1, -1, -1, -1).to(halved.dtype)
        at_8_mm = self.middle(torch.cat([halved, position], dim=1))
        at_16_mm = self.coarse(at_8_mm)
        at_16_mm = at_16_mm + self.whole(at_16_mm.mean(dim=(2, 3, 4)))[:, :, None, None, None]
        pooled = torch.cat([at_16_mm.mean(dim=(2, 3, 4)), at_16_mm.amax(dim=(2, 3, 4))], dim=1).float()
        maps = self.maps(decode([at_4_mm, at_8_mm, at_16_mm], self.reduce, self.up)).float().contiguous()
        shares = torch.sigmoid(maps)
        with torch.no_grad():
            closer = read_closer(shares)
        return maps, torch.cat([read_maps(shares), closer, pooled], dim=1)


class Readers(nn.Module):
    """From readings to logits: the mean of a few small networks, which agree better than one where they are right.

    Logarithms of mL and shares differ in scale, so that readings are standardised (`fit_readers` sets how).
    """

    centre: Tensor
    scale: Tensor

    def __init__(self, readings: int, hidden: int, outputs: int) -> None:
        super().__init__()
        self.register_buffer("centre", torch.zeros(readings))
        self.register_buffer("scale", torch.ones(readings))
        self.members = nn.ModuleList(_reader(readings, hidden, outputs) for _ in range(READERS))

    def standard(self, readings: Tensor) -> Tensor:
        """What each member is given."""
        return (readings - self.centre) / self.scale

    def forward(self, readings: Tensor) -> Tensor:
        """(N, readings) → (N, outputs)."""
        given = self.standard(readings)
        return torch.stack([member(given) for member in self.members]).mean(dim=0)


def _reader(readings: int, hidden: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Dropout(DROPPED),
        nn.Linear(readings, hidden),
        nn.ReLU(),
        nn.Dropout(2 * DROPPED),
        nn.Linear(hidden, hidden),
        nn.ReLU(),
        nn.Linear(hidden, outputs),
    )


class AnswerAlone(nn.Module):
    """What ships: the answer without the maps."""

    def __init__(self, net: DefacingNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, image: Tensor) -> Tensor:
        """(N, channels, *WINDOW_SHAPE) → (N, N_OUTPUTS)."""
        answered: Tensor = self.net(image)[:, :N_OUTPUTS]
        return answered


def position_planes() -> Tensor:
    """Where a cell of 8 mm lies, from -1 to 1 along each axis, and how many people have head, and brain, there.

    float32 (1, 5, X / 4, Y / 4, Z / 4).
    """
    average = load_average()
    shape = tuple(n // COARSE for n in WINDOW_SHAPE)
    axes = np.meshgrid(*(np.linspace(-1, 1, n, dtype=np.float32) for n in shape), indexing="ij")
    shares = torch.from_numpy(np.stack([average.head[WINDOW], average.brain[WINDOW]]))
    return torch.cat([torch.from_numpy(np.stack(axes)), F.avg_pool3d(shares, COARSE)])[None]
