"""The second network of the anatomy pass: draws the edges where the first one and the image's histogram disagree."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name that PyTorch users know

from brainsift.learn.segmenter import fold, unfold

PRIOR_FLOOR = 1e-4


class EdgeNet(nn.Module):
    """Corrects the log of a posterior; has no normalisation layers, so that a crop is answered like the whole head.

    Parameters
    ----------
    classes : number of classes.
    width, deep : channels at 1/2 and 1/4 of the input's resolution. Where things are comes with the input, so two
        levels see enough to tell a sulcus from a ventricle.
    """

    def __init__(self, classes: int, width: int = 32, deep: int = 64) -> None:
        super().__init__()
        self.classes = classes
        self.enter = nn.Conv3d(8 * (1 + 2 * classes), width, 1)
        self.near = nn.Conv3d(width, width, 3, padding=1)
        self.down = nn.Conv3d(width, deep, 3, stride=2, padding=1)
        self.far = nn.ModuleList(nn.Conv3d(deep, deep, 3, padding=1) for _ in range(2))
        self.up = nn.Conv3d(deep, width, 1)
        self.last = nn.Conv3d(width, width, 3, padding=1)
        self.leave = nn.Conv3d(width, 8 * classes, 1)
        self.trust = nn.Parameter(torch.tensor([0.3, 0.5]))
        nn.init.zeros_(self.leave.weight)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 1 + 2 classes, X, Y, Z): image, first posterior, refined posterior → logits (N, classes, X, Y, Z)."""
        y = _active(self.enter(fold(x)))
        y = y + _active(self.near(y))
        z = _active(self.down(y))
        for layer in self.far:
            z = z + _active(layer(z))
        y = y + F.interpolate(self.up(z), scale_factor=2, mode="nearest")
        y = y + _active(self.last(y))
        where, refined = x[:, 1 : 1 + self.classes], x[:, 1 + self.classes :]
        prior = self.trust[0] * torch.log(where + PRIOR_FLOOR) + self.trust[1] * torch.log(refined + PRIOR_FLOOR)
        logits: Tensor = unfold(self.leave(y)) + prior
        return logits


def _active(x: Tensor) -> Tensor:
    return F.leaky_relu(x, 0.01)
