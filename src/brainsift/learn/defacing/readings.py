"""What an answer is read from: volumes, shares and depths of the maps that the network has painted."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - the name that PyTorch users know

from brainsift.learn.defacing.places import MAPS
from brainsift.tasks.defacing.network import FEATURES

CELL_ML = 0.064
"""Of a cube of 4 mm."""

AMPLE_ML, LITTLE_ML = 1.0, 0.1
"""Added to volumes of which the logarithm is taken, and to the place of a feature before a share is taken of it; the
second where small chances do not count."""

FROM_SHARE = (0.1, 0.3, 0.5)
"""Of a cell, from which it is counted: small chances in a hundred thousand cells add up to half a mL where nothing was
taken, which hides cuts of several mL."""

BLOCK_CELLS = (2, 4)
"""Sides of blocks, 8 and 16 mm, of which the fullest is told: a cut lies in one place."""

PLACES = slice(MAPS.index(f"{FEATURES[0]}_place"), MAPS.index(f"{FEATURES[-1]}_place") + 1)
LEFTS = slice(MAPS.index(f"{FEATURES[0]}_left"), MAPS.index(f"{FEATURES[-1]}_left") + 1)
REMOVED, BRAIN = MAPS.index("brain_removed"), MAPS.index("brain_place")

N_READINGS = 3 * len(MAPS) + len(FEATURES)
N_CLOSER = 2 * len(FROM_SHARE) * len(MAPS) + len(FEATURES) + len(BLOCK_CELLS) * len(MAPS) + 4


def read_maps(shares: Tensor) -> Tensor:
    """Logarithms of a map's volume on the side that has more of it and on the other, the highest share of any cell, and
    what is left of each feature on the side of which more is left; (N, `N_READINGS`).

    Parameters
    ----------
    shares : (N, maps, X, Y, Z) in [0, 1], the first of the axes from left to right.
    """
    volumes = _volumes(shares)
    logs = torch.log(volumes + AMPLE_ML)
    return torch.cat(
        [logs.amax(dim=2), logs.amin(dim=2), shares.amax(dim=(2, 3, 4)), _most_left(volumes, AMPLE_ML)], dim=1
    )


def read_closer(shares: Tensor) -> Tensor:
    """The same of cells that hold enough to count, the fullest blocks, and how deep in the brain the removed lies;
    (N, `N_CLOSER`).

    Parameters
    ----------
    shares : (N, maps, X, Y, Z) in [0, 1].
    """
    read = []
    for least in FROM_SHARE:
        volumes = volumes_from(shares, least)
        logs = torch.log(volumes + LITTLE_ML)
        read += [logs.amax(dim=2), logs.amin(dim=2)]
    read.append(_most_left(volumes, LITTLE_ML))
    read += [F.avg_pool3d(shares, side).amax(dim=(2, 3, 4)) for side in BLOCK_CELLS]
    removed, inner = shares[:, REMOVED : REMOVED + 1], shares[:, BRAIN : BRAIN + 1]
    for _ in range(2):
        inner, removed = _shrunk(inner), removed[:, :, 1:-1, 1:-1, 1:-1]
        deep = removed * inner
        read += [torch.log(CELL_ML * deep.sum(dim=(2, 3, 4)) + LITTLE_ML), deep.amax(dim=(2, 3, 4))]
    return torch.cat(read, dim=1)


def volumes_from(shares: Tensor, least: float) -> Tensor:
    """mL of each map on either side in cells that hold more than `least` of it, (N, maps, 2)."""
    return _volumes(shares * (shares > least))


def _volumes(shares: Tensor) -> Tensor:
    """mL of each map on either side, (N, maps, 2)."""
    n, maps, x, y, z = shares.shape
    return CELL_ML * shares.reshape(n, maps, 2, x // 2, y, z).sum(dim=(3, 4, 5))


def _shrunk(shares: Tensor) -> Tensor:
    """The least of each cell and all its neighbours, (N, maps, X, Y, Z) → (N, maps, X - 2, Y - 2, Z - 2)."""
    for axis in (2, 3, 4):
        n = shares.shape[axis] - 2
        near = [shares.narrow(axis, first, n) for first in range(3)]
        shares = torch.minimum(torch.minimum(near[0], near[1]), near[2])
    return shares


def _most_left(volumes: Tensor, floor_ml: float) -> Tensor:
    """Share of each feature on the side of which more is left, (N, features)."""
    return (volumes[:, LEFTS] / (volumes[:, PLACES] + floor_ml)).amax(dim=2)
