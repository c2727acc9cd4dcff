"""Convolutions of the small 2D networks that answer about a whole scan."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name that PyTorch users know


class ConvNorm(nn.Sequential):
    """Convolution, batch norm, activation.

    Batch norm scales every scan alike. Instance or group norm would scale each image by its own spread, and take away
    how strong the noise is.
    """

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__(
            nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
        )


class Residual(nn.Module):
    """A stride-2 convolution, then two convolutions with a residual over them (He 2016, CVPR)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.down = ConvNorm(inputs, outputs, stride=2)
        self.first = ConvNorm(outputs, outputs)
        last = nn.BatchNorm2d(outputs)
        nn.init.zeros_(last.weight)
        self.second = nn.Sequential(nn.Conv2d(outputs, outputs, 3, padding=1, bias=False), last)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) → (N, outputs, H / 2, W / 2)."""
        x = self.down(x)
        return F.relu(x + self.second(self.first(x)))
