"""How bright each structure is in this very scan: a mixture model with the average head as its spatial prior.

A few rounds of expectation maximisation find the brightness of each structure and move the edges to where it changes,
as SAMSEG does (Puonti 2016, NeuroImage 143:235). Brightness is handled as a histogram, so a round costs milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainsift.anatomy.structures import STRUCTURES, TISSUE_OF

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

N_BINS = 128
ROUNDS = 6
MAX_SAMPLES = 40_000
"""Voxels that the mixtures are estimated on; the final posterior is computed on all."""

MIN_STRUCTURE_VOXELS = 10.0
"""A structure with less mass keeps a flat likelihood: its brightness cannot be estimated."""

SIBLING_VOXELS = 10.0
"""Strength of the pull of a structure's histogram towards that of its whole tissue: holds small ones in noisy scans."""

MIN_SD = 1.5 / N_BINS
"""A Gaussian is never narrower than this: bins and interpolation alone spread a value this much."""

PRIOR_FLOOR = np.float32(1e-4)
"""The average head is never wholly sure: a voxel may still go to a structure that it gave no probability."""

CENTRES = (np.arange(N_BINS) + 0.5) / N_BINS
"""Brightness of the bins, (N_BINS,)."""

_WITH_GAUSSIANS = {
    count: [n for n, s in enumerate(STRUCTURES) if s.gaussians == count] for count in {s.gaussians for s in STRUCTURES}
}
_SAME_TISSUE = (TISSUE_OF[:, None] == TISSUE_OF).astype(np.float64)


def bins_of(image: Float32) -> NDArray[np.intp]:
    """Histogram bin of each voxel of an image in [0, 1], of the same shape."""
    bins: NDArray[np.intp] = np.clip(image * N_BINS, 0, N_BINS - 1).astype(np.intp)
    return bins


def estimate_densities(prior: Float32, bins: NDArray[np.intp], rounds: int = ROUNDS) -> Float32:
    """Brightness distribution of every structure by expectation maximisation.

    Parameters
    ----------
    prior : float32 (17, N), sums to 1 over the first axis.
    bins : (N,), from `bins_of`.

    Returns
    -------
    float32 (17, N_BINS), each row sums to 1.
    """
    samples = BinnedPrior.of(prior, bins)
    posterior = samples.prior
    for _ in range(rounds):
        histograms = samples.histograms(posterior)
        densities = fit_densities(histograms + _siblings(histograms))
        posterior = samples.posterior(densities)
    return densities


@dataclass(frozen=True, eq=False)
class BinnedPrior:
    """Voxels in the order of their bins: a histogram is then a sum over pieces, a look-up a repetition.

    Attributes
    ----------
    prior : float32 (17, N).
    counts : (N_BINS,) voxels in each bin.
    """

    prior: Float32
    counts: NDArray[np.intp]

    @classmethod
    def of(cls, prior: Float32, bins: NDArray[np.intp]) -> BinnedPrior:
        """At most about `MAX_SAMPLES` of the voxels (17, N) and (N,)."""
        step = max(1, len(bins) // MAX_SAMPLES)
        order = np.argsort(bins[::step].astype(np.int16), kind="stable") * step
        return cls(prior[:, order], np.bincount(bins[::step], minlength=N_BINS))

    def histograms(self, posterior: Float32) -> Float64:
        """Histogram of every structure, each voxel counted by its posterior (17, N): (17, N_BINS)."""
        result = np.zeros((len(posterior), N_BINS))
        filled = np.flatnonzero(self.counts)
        if len(filled):
            result[:, filled] = np.add.reduceat(posterior, (np.cumsum(self.counts) - self.counts)[filled], axis=1)
        return result

    def posterior(self, densities: Float32) -> Float32:
        """Probability of each structure, (17, N): prior times likelihood, normalised."""
        post = np.repeat(densities, self.counts, axis=1)
        post *= self.prior
        post /= post.sum(axis=0) + np.float32(1e-20)
        return post


def _siblings(histograms: Float64) -> Float64:
    """The histogram of each structure's tissue, scaled to `SIBLING_VOXELS`."""
    together = _SAME_TISSUE @ histograms
    result: Float64 = SIBLING_VOXELS * together / np.maximum(together.sum(axis=1, keepdims=True), 1e-6)
    return result


def posterior_of(prior: Float32, densities: Float32, bins: NDArray[np.intp]) -> Float32:
    """Probability of each structure, (17, N): prior times likelihood, normalised."""
    post = np.take(densities, bins, axis=1)
    post *= prior
    post /= post.sum(axis=0) + np.float32(1e-20)
    return post


def fit_densities(histograms: Float64) -> Float32:
    """Mixtures of `STRUCTURES` fitted to their histograms (17, N_BINS), as probabilities of the bins."""
    densities = np.empty(histograms.shape, np.float32)
    for count, members in _WITH_GAUSSIANS.items():
        densities[members] = fit_mixtures(histograms[members], count).density()
    return densities


@dataclass(frozen=True, eq=False)
class Mixtures:
    """Gaussians over brightness in [0, 1], `weight`, `mean` and `sd` (S, K) of S structures.

    One without weight stands for "unknown" and is flat.
    """

    weight: Float64
    mean: Float64
    sd: Float64

    def density(self) -> Float32:
        """Probability of each bin, (S, N_BINS), rows sum to 1."""
        total = np.einsum("sk,skb->sb", self.weight, _gaussians(self.mean, self.sd)) + 1e-7
        total /= total.sum(axis=1, keepdims=True)
        density: Float32 = total.astype(np.float32)
        return density


def _gaussians(mean: Float64, sd: Float64) -> Float64:
    """Values at the bin centres up to a common factor, (S, K) → (S, K, N_BINS)."""
    z = (CENTRES - mean[..., None]) / sd[..., None]
    result: Float64 = np.exp(-0.5 * z * z) / sd[..., None]
    return result


def fit_mixtures(histograms: Float64, n_components: int, rounds: int = 10) -> Mixtures:
    """Fit Gaussians to histograms (S, N_BINS) by expectation maximisation, started at their quantiles."""
    total = histograms.sum(axis=1, keepdims=True)
    share = histograms / np.maximum(total, 1e-9)
    centre = share @ CENTRES
    spread = np.sqrt(np.maximum(share @ CENTRES**2 - centre**2, MIN_SD**2))
    known = np.repeat((total >= MIN_STRUCTURE_VOXELS).astype(np.float64), n_components, axis=1)
    if n_components == 1:
        return Mixtures(known, centre[:, None], spread[:, None])
    quantiles = (np.arange(n_components) + 0.5) / n_components
    mean = np.stack([np.interp(quantiles, np.cumsum(row), CENTRES) for row in share])
    sd, weight = np.repeat(spread[:, None], n_components, axis=1), np.full(mean.shape, 1.0 / n_components)
    for _ in range(rounds):
        parts = weight[..., None] * _gaussians(mean, sd) + 1e-12
        parts *= (share / parts.sum(axis=1))[:, None]
        mass = parts.sum(axis=2) + 1e-9
        mean = parts @ CENTRES / mass
        sd = np.sqrt(np.maximum(parts @ CENTRES**2 / mass - mean**2, MIN_SD**2))
        weight = mass / mass.sum(axis=1, keepdims=True)
    return Mixtures(weight * known, mean, sd)
