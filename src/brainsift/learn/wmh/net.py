"""The lesion network: a U-Net for a whole brain box at 1 mm, all of whose work is done on a grid twice as coarse."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name that PyTorch users know

from brainsift.learn.segmenter import ConvBatchNorm, Stage, decode, fold, unfold
from brainsift.tasks.wmh.network import CHANNELS, MULTIPLE_OF

RARE = -3.0
"""First bias of the answer: a voxel in twenty is lesion, so that training does not begin by unlearning one half."""


class WmhNet(nn.Module):
    """Lesion logits of every voxel.

    The T1w is folded 2x2x2 into 8 channels and the answer unfolded again (sub-pixel convolution, Shi 2016, CVPR); the
    folded image is given again to the last convolution, so that lesions of a voxel or two keep their place. The anatomy
    comes from a 2 mm grid, so averaging it over 2x2x2 voxels loses nothing.

    Batch norm because grey values are scaled by white matter already, so statistics of an image carry how much of it is
    air and how many lesions there are; learnt ones make a crop and a whole brain give one answer.

    Parameters
    ----------
    widths : channels at 1/2, 1/4, 1/8 and 1/16 of the input's resolution.
    last : channels of the last convolution.
    """

    def __init__(self, widths: tuple[int, ...] = (24, 48, 96, 128), last: int = 24) -> None:
        super().__init__()
        if 2 ** len(widths) != MULTIPLE_OF:
            raise ValueError(f"sizes are multiples of {MULTIPLE_OF}, which {len(widths)} widths do not fit")
        self.config = {"widths": list(widths), "last": last}
        steps = list(pairwise(widths))
        self.stem = Stage(8 + len(CHANNELS) - 1, widths[0], block=ConvBatchNorm)
        self.down = nn.ModuleList(Stage(a, b, 2, ConvBatchNorm) for a, b in steps)
        self.reduce = nn.ModuleList(nn.Conv3d(a + b, a, 1, bias=False) for a, b in steps)
        self.up = nn.ModuleList(ConvBatchNorm(a, a) for a in widths[:-1])
        self.last = ConvBatchNorm(widths[0] + 8, last)
        self.head = nn.Conv3d(last, 8, 1)
        nn.init.constant_(self.head.bias, RARE)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, X, Y, Z), see `CHANNELS` → logits (N, 1, X, Y, Z)."""
        folded = fold(x[:, :1])
        features = [self.stem(torch.cat([folded, F.avg_pool3d(x[:, 1:], 2)], dim=1))]
        for stage in self.down:
            features.append(stage(features[-1]))
        y = decode(features, self.reduce, self.up)
        return unfold(self.head(self.last(torch.cat([y, folded], dim=1))))
