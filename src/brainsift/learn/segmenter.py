"""A U-Net for whole heads that two CPU cores can train: no convolution runs at the input's own resolution."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name that PyTorch users know


class ConvNorm(nn.Sequential):
    """Convolution, instance norm, activation. Instance norm because every training image has another contrast."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__(
            nn.Conv3d(inputs, outputs, 3, stride=stride, padding=1, bias=False),
            nn.InstanceNorm3d(outputs, affine=True),
            nn.LeakyReLU(0.01, inplace=True),
        )


class ConvBatchNorm(nn.Sequential):
    """Convolution, batch norm, activation: where statistics of an image are part of what is asked, and must stay."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__(
            nn.Conv3d(inputs, outputs, 3, stride=stride, padding=1, bias=False),
            nn.BatchNorm3d(outputs),
            nn.ReLU(inplace=True),
        )


class Stage(nn.Module):
    """Two convolutions with a residual over the second; `block` makes one from inputs, outputs and stride."""

    def __init__(
        self, inputs: int, outputs: int, stride: int = 1, block: Callable[[int, int, int], nn.Module] = ConvNorm
    ) -> None:
        super().__init__()
        self.first = block(inputs, outputs, stride)
        self.second = block(outputs, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, X, Y, Z) → (N, outputs, X / stride, ...)."""
        x = self.first(x)
        result: Tensor = x + self.second(x)
        return result


def twice(x: Tensor) -> Tensor:
    """Every voxel as 2x2x2 of its kind, (N, C, X, Y, Z) → (N, C, 2X, 2Y, 2Z).

    ONNX Runtime takes 48 ms for its own `Resize` on the edge network's grids, and 19 ms for repeated axes; in PyTorch
    their gradient in bf16 costs a fifth of a training step of the defacing network.
    """
    if not torch.onnx.is_in_onnx_export():
        return F.interpolate(x, scale_factor=2, mode="nearest")
    n, c, i, j, k = x.shape
    repeated = x[:, :, :, None, :, None, :, None].expand(n, c, i, 2, j, 2, k, 2)
    return repeated.reshape(n, c, 2 * i, 2 * j, 2 * k)


def decode(features: list[Tensor], reduce: nn.ModuleList, up: nn.ModuleList) -> Tensor:
    """The way up of a U-Net: from the coarsest of the features, through each finer one, to the finest.

    Parameters
    ----------
    features : of each stage, the finest first; taken from the list as they are used.
    reduce, up : of each step, the finest first: what joins two stages' channels, and what follows.
    """
    y = features.pop()
    for join, then in zip(reversed(reduce), reversed(up), strict=True):
        y = then(join(torch.cat([features.pop(), twice(y)], dim=1)))
    return y


class Segmenter(nn.Module):
    """Voxel-wise classes of a whole head.

    The image is folded 2x2x2 into 8 channels and the answer unfolded again (sub-pixel convolution, Shi 2016, CVPR),
    so that all work is done on a grid twice as coarse; the folded image is given again to the last convolution, which
    brings the edges. A step on 96x112x96 voxels took 0.6 s on two cores in bf16, against 1.3 s with a 16-channel
    block at full resolution.

    Parameters
    ----------
    classes : number of output channels.
    widths : channels at 1/2, 1/4, 1/8 ... of the input resolution; sizes must be multiples of 2 to the power of their
        number.
    last : channels of the last convolution.
    """

    def __init__(self, classes: int, widths: tuple[int, ...] = (64, 96, 128), last: int = 64) -> None:
        super().__init__()
        self.config = {"classes": classes, "widths": list(widths), "last": last}
        steps = list(pairwise(widths))
        self.stem = Stage(8, widths[0])
        self.down = nn.ModuleList(Stage(a, b, stride=2) for a, b in steps)
        self.reduce = nn.ModuleList(nn.Conv3d(a + b, a, 1, bias=False) for a, b in steps)
        self.up = nn.ModuleList(ConvNorm(a, a) for a in widths[:-1])
        self.last = ConvNorm(widths[0] + 8, last)
        self.head = nn.Conv3d(last, 8 * classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 1, X, Y, Z) in [0, 1], → logits (N, classes, X, Y, Z)."""
        folded = fold(x)
        features = [self.stem(folded)]
        for stage in self.down:
            features.append(stage(features[-1]))
        y = decode(features, self.reduce, self.up)
        return unfold(self.head(self.last(torch.cat([y, folded], dim=1))))


def fold(x: Tensor) -> Tensor:
    """(N, C, X, Y, Z) → (N, 8 C, X/2, Y/2, Z/2)."""
    n, c, i, j, k = x.shape
    x = x.reshape(n, c, i // 2, 2, j // 2, 2, k // 2, 2)
    return x.permute(0, 1, 3, 5, 7, 2, 4, 6).reshape(n, 8 * c, i // 2, j // 2, k // 2)


def unfold(x: Tensor) -> Tensor:
    """(N, 8 C, X, Y, Z) → (N, C, 2X, 2Y, 2Z)."""
    n, c, i, j, k = x.shape
    x = x.reshape(n, c // 8, 2, 2, 2, i, j, k)
    return x.permute(0, 1, 5, 2, 6, 3, 7, 4).reshape(n, c // 8, 2 * i, 2 * j, 2 * k)
