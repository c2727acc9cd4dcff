"""The average head over a scan: where it lies, how it is bent, and what it then says of each voxel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainsift.anatomy.atlas_prior import load_prior, sample, table_coordinates
from brainsift.anatomy.grids import COARSE_AFFINE, Box
from brainsift.anatomy.labels import Tissue
from brainsift.anatomy.refine import PRIOR_FLOOR, bins_of, estimate_densities
from brainsift.anatomy.structures import TISSUE_OF, to_tissues
from brainsift.anatomy.voxels import Voxels

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

INTRACRANIAL_LEVEL = 0.02
"""Voxels with less probability of lying inside the skull are left to the network."""

PROBABILITY_FLOOR = np.float32(1e-6)


@dataclass(frozen=True, eq=False)
class Laid:
    """The average head over a scan, on the box of the 4 mm grid around all that may lie inside the skull.

    Attributes
    ----------
    where : float32 (10, X, Y, Z), the network's posterior of the whole grid, or what is left of it without a head.
    box : of that grid.
    voxels : those of the box that may lie inside the skull.
    coarse : float32 (x, y, z), the image in the box, evened out.
    field : float32 (x, y, z), the smooth brightness that was taken out of it.
    to_mni : 4x4, mm of the 4 mm grid → MNI152 mm, from the network's labels and then from the mixture model's.
    displacement : float32 (3, x, y, z), voxels of the table of the average head, beside that affine.
    stripped : the scan shows nothing outside the skull; what is not empty is then brain or fluid.
    """

    where: Float32
    box: Box
    voxels: Voxels
    coarse: Float32
    field: Float32
    to_mni: Float64
    displacement: Float32
    stripped: bool

    @property
    def affine(self) -> Float64:
        """Voxels of the box → mm of the 4 mm grid, 4x4."""
        affine = COARSE_AFFINE.copy()
        affine[:3, 3] = [COARSE_AFFINE[0, 0] * s.start for s in self.box]
        return affine

    def coordinates(self) -> Float32:
        """Voxels of the table at each voxel of the box without the displacement, (3, x, y, z)."""
        x, y, z = self.coarse.shape
        return table_coordinates(self.to_mni, (x, y, z), self.affine)

    def network(self) -> Float32:
        """The network's posterior, (10, N)."""
        return self.voxels.take(self.where[:, *self.box])

    def prior(self) -> Float32:
        """Share of each structure, float32 (17, N)."""
        at = self.voxels.take(self.coordinates() + self.displacement)
        return self.settle(sample(load_prior(), at))

    def settle(self, shares: Float32) -> Float32:
        """Let the scan say what the average head cannot know, air or head: (N, 17) → (17, N)."""
        air, head = self.voxels.take(self.where[: Tissue.HEAD + 1, *self.box])
        settled = np.ascontiguousarray(shares.T)
        outside = settled[0] + settled[1]
        if self.stripped:
            settled *= (1 - air) / (1 - outside + PRIOR_FLOOR)
            settled[0], settled[1] = air, 0
            return settled
        outside /= air + head + PROBABILITY_FLOOR
        settled[0], settled[1] = outside * air, outside * head
        return settled

    def densities(self, prior: Float32) -> Float32:
        """Brightness distribution of every structure, (17, N_BINS), under a prior (17, N).

        It is estimated under the geometric mean of that prior and the network.
        """
        agreed = np.sqrt((self.network() + PRIOR_FLOOR) / (to_tissues(prior) + PRIOR_FLOOR))
        both = prior * agreed[TISSUE_OF]
        chosen = may_be_brain(both)
        return estimate_densities(floored(both[:, chosen]), self.bins()[chosen])

    def bins(self) -> NDArray[np.intp]:
        """Histogram bin of each voxel, (N,)."""
        return bins_of(self.voxels.take(self.coarse))

    def posterior(self) -> Float32:
        """Posterior of the structures, (17, N)."""
        shares = self.prior()
        shares *= self.densities(shares)[:, self.bins()]
        shares /= shares.sum(axis=0) + PROBABILITY_FLOOR
        return shares


def may_be_brain(shares: Float32) -> NDArray[np.intp]:
    """Numbers of the voxels of shares (17, N) that may lie inside the skull."""
    chosen: NDArray[np.intp] = np.flatnonzero(shares[0] + shares[1] < 1 - INTRACRANIAL_LEVEL)
    return chosen


def floored(shares: Float32) -> Float32:
    """Probabilities (17, N) of which none is zero, summing to 1."""
    result = np.maximum(shares, PRIOR_FLOOR)
    result /= result.sum(axis=0)
    return result
