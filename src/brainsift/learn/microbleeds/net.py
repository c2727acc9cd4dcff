"""The networks: a detector for whole brains, and for cubes a teacher and a student."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name that PyTorch users know

from brainsift.learn.segmenter import ConvBatchNorm, Stage, decode
from brainsift.tasks.microbleeds.network import CHANNELS, CUBE_CHANNELS

RARE = -4.0
"""First bias of the detector's answer: one voxel in fifty is bleed, so that it need not unlearn one half first."""

IN_PLANE = 2
"""Voxels are half as wide in plane as slices are thick: folded 2x2 in plane they are cubes of 1.5 mm."""


class DetectorNet(nn.Module):
    """Bleed logits of every voxel.

    The two channels are folded 2x2 in plane into 8 and the answer unfolded again (sub-pixel convolution, Shi 2016,
    CVPR), so that all work is done on cubic voxels of 1.5 mm; the folded input is given again to the last convolution,
    so that bleeds of a voxel or two keep their place. Batch norm: grey values are scaled by tissue already, and a crop
    and a whole brain must give one answer.

    Parameters
    ----------
    widths : channels at 1.5, 3, 6 and 12 mm.
    last : channels of the last convolution.
    frst : whether radial symmetry is looked at; the input has it in any case.
    """

    def __init__(self, widths: Sequence[int] = (16, 32, 48, 64), last: int = 16, *, frst: bool = True) -> None:
        super().__init__()
        self.frst = frst
        folded = len(CHANNELS) * IN_PLANE**2
        self.config = {"widths": list(widths), "last": last}
        steps = list(pairwise(widths))
        self.stem = Stage(folded, widths[0], block=ConvBatchNorm)
        self.down = nn.ModuleList(Stage(a, b, 2, ConvBatchNorm) for a, b in steps)
        self.reduce = nn.ModuleList(nn.Conv3d(a + b, a, 1, bias=False) for a, b in steps)
        self.up = nn.ModuleList(ConvBatchNorm(a, a) for a in widths[:-1])
        self.last = ConvBatchNorm(widths[0] + folded, last)
        self.head = nn.Conv3d(last, IN_PLANE**2, 1)
        nn.init.constant_(self.head.bias, RARE)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        """(N, 2, X, Y, Z), see `CHANNELS` → logits (N, 1, X, Y, Z)."""
        folded = fold_in_plane(x if self.frst else without_frst(x))
        features = [self.stem(folded)]
        for stage in self.down:
            features.append(stage(features[-1]))
        y = decode(features, self.reduce, self.up)
        return unfold_in_plane(self.head(self.last(torch.cat([y, folded], dim=1))))


def without_frst(x: Tensor) -> Tensor:
    """(N, C, ...) with the second channel, radial symmetry, 0."""
    return torch.cat([x[:, :1], torch.zeros_like(x[:, 1:2]), x[:, 2:]], dim=1)


def fold_in_plane(x: Tensor) -> Tensor:
    """(N, C, X, Y, Z) → (N, 4 C, X/2, Y/2, Z)."""
    n, c, i, j, k = x.shape
    x = x.reshape(n, c, i // 2, 2, j // 2, 2, k)
    return x.permute(0, 1, 3, 5, 2, 4, 6).reshape(n, 4 * c, i // 2, j // 2, k)


def unfold_in_plane(x: Tensor) -> Tensor:
    """(N, 4 C, X, Y, Z) → (N, C, 2X, 2Y, Z)."""
    n, c, i, j, k = x.shape
    x = x.reshape(n, c // 4, 2, 2, i, j, k)
    return x.permute(0, 1, 4, 2, 5, 3, 6).reshape(n, c // 4, 2 * i, 2 * j, k)


class Encoder(nn.Module):
    """Stages at 1, 1/2, 1/4 and 1/8 of a cube's resolution; gives the features of each."""

    def __init__(self, widths: Sequence[int], frst: bool) -> None:
        super().__init__()
        self.frst = frst
        self.stem = Stage(len(CUBE_CHANNELS), widths[0], block=ConvBatchNorm)
        self.down = nn.ModuleList(Stage(a, b, 2, ConvBatchNorm) for a, b in pairwise(widths))

    def forward(self, x: Tensor) -> list[Tensor]:
        """(N, 3, 24, 24, 24) → features, the finest first."""
        features = [self.stem(x if self.frst else without_frst(x))]
        for stage in self.down:
            features.append(stage(features[-1]))
        return features


class ClassHead(nn.Module):
    """One logit of a cube: its middle, where the candidate is, beside mean and maximum over all of it."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(3 * width, width), nn.Linear(width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, X, Y, Z) → (N, 1)."""
        size = x.shape[2]
        inner = slice((size - 1) // 2, size // 2 + 1)
        middle = x[:, :, inner, inner, inner].mean(dim=(2, 3, 4))
        pooled = torch.cat([middle, x.mean(dim=(2, 3, 4)), x.amax(dim=(2, 3, 4))], dim=1)
        result: Tensor = self.second(F.relu(self.first(pooled)))
        return result


class TeacherNet(nn.Module):
    """A U-Net on a cube with two answers: which voxels are bleed, and whether the candidate is one (multi-task, as in
    Sundaresan 2023)."""

    def __init__(self, widths: Sequence[int] = (12, 24, 48, 64), *, frst: bool = True) -> None:
        super().__init__()
        self.config = {"widths": list(widths)}
        steps = list(pairwise(widths))
        self.encoder = Encoder(widths, frst)
        self.reduce = nn.ModuleList(nn.Conv3d(a + b, a, 1, bias=False) for a, b in steps)
        self.up = nn.ModuleList(ConvBatchNorm(a, a) for a in widths[:-1])
        self.voxels = nn.Conv3d(widths[0], 1, 1)
        self.head = ClassHead(widths[-1])

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, 24, 24, 24) → (N, 1 + 24³): the logit of the candidate, then those of the voxels."""
        features = self.encoder(x)
        answer: Tensor = self.head(features[-1])
        voxels = self.voxels(decode(features, self.reduce, self.up))
        return torch.cat([answer, voxels.flatten(1)], dim=1)


class StudentNet(nn.Module):
    """What ships: an encoder with a class head, narrower than the teacher's."""

    def __init__(self, widths: Sequence[int] = (8, 16, 32, 48), *, frst: bool = True) -> None:
        super().__init__()
        self.config = {"widths": list(widths)}
        self.encoder = Encoder(widths, frst)
        self.head = ClassHead(widths[-1])

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, 24, 24, 24) → logits (N, 1)."""
        result: Tensor = self.head(self.encoder(x)[-1])
        return result
