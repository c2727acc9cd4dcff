"""How strong the finest detail of a slice is and how its grey values spread, as distributions: nothing here is learnt.

Noise is defined by a robust spread of the finest detail (Donoho 1995, IEEE Trans Inf Theory 41:613), loss of contrast
by the distance of two peaks of the grey values. A mean and a standard deviation over a slice show neither, because
edges, fat and air outweigh them.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - the name that PyTorch users know

from brainsift.tasks.quality.slices import BRIGHTEST

TISSUE, BRIGHT = 0.25, 1.6
"""Share of the bright end of the brain between which a block of pixels counts as brain or the like."""

AIR = 0.1
"""Share below which a block that is not empty counts as air."""

DETAIL_STEPS = tuple(0.006 * 1.8**i for i in range(8))
"""Of the bright end: a scan of SNR 40 has its median detail at 0.015, one of SNR 4 at 0.15."""

GREY_STEPS = tuple(0.35 + 0.1 * i for i in range(12))

LEVELS = 2
"""Blocks of 2 x 2 and of 4 x 4 pixels: noise fades from the one to the other, ripples of motion and ringing do not."""

N_DISTRIBUTIONS = LEVELS * (2 * 3 * len(DETAIL_STEPS) + len(GREY_STEPS) + 2)


def distributions(image: Tensor) -> Tensor:
    """Slices (N, 1, H, W) as the network gets them, H and W multiples of 4 → (N, `N_DISTRIBUTIONS`), each 0 to 1.

    At each level: the share of tissue blocks, and of air blocks, whose Haar detail along columns, along rows and across
    both stays below each step; the share of tissue blocks that are darker than each step; how many blocks are tissue or
    air.
    """
    with torch.no_grad():
        grey = BRIGHTEST * image.float() ** 2
        found: list[Tensor] = []
        for _ in range(LEVELS):
            grey, detail, darkest = _haar(grey)
            tissue = (darkest > TISSUE) & (grey < BRIGHT)
            air = (grey > 0) & (grey < AIR)
            found += [*_below(detail, tissue, DETAIL_STEPS), *_below(detail, air, DETAIL_STEPS)]
            found += [*_below(grey, tissue, GREY_STEPS), _mean(tissue), _mean(air)]
        return torch.cat(found, dim=1)


def _haar(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Mean, size of the three details, and darkest pixel of each block of 2 x 2; (N, 1 or 3, H / 2, W / 2)."""
    a, b, c, d = torch.split(F.pixel_unshuffle(x, 2), 1, dim=1)
    detail = torch.cat([a - b + c - d, a + b - c - d, a - b - c + d], dim=1).abs() / 2
    return (a + b + c + d) / 4, detail, torch.minimum(torch.minimum(a, b), torch.minimum(c, d))


def _below(values: Tensor, region: Tensor, steps: Sequence[float]) -> list[Tensor]:
    """Share of the region's blocks whose value is below each step, each (N, channels); 0 where there is no region."""
    inside = torch.where(region, values, torch.inf)
    size = _mean(region).clamp(min=1 / values[0, 0].numel())
    return [_mean(inside < step) / size for step in steps]


def _mean(hit: Tensor) -> Tensor:
    return hit.float().mean(dim=(2, 3))
