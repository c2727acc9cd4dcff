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
    step = max(1, prior.shape[1] // MAX_SAMPLES)
    prior, bins = np.ascontiguousarray(prior[:, ::step]), bins[::step]
    posterior = prior
    for _ in range(rounds):
        histograms = class_histograms(posterior, bins)
        pulled = histograms + _siblings(histograms)
        mixtures = [fit_mixture(pulled[n], s.gaussians) for n, s in enumerate(STRUCTURES)]
        densities = np.stack([mixture.density() for mixture in mixtures])
        posterior = posterior_of(prior, densities, bins)
    return densities


def _siblings(histograms: Float64) -> Float64:
    """The histogram of each structure's tissue, scaled to `SIBLING_VOXELS`."""
    together = _SAME_TISSUE @ histograms
    result: Float64 = SIBLING_VOXELS * together / np.maximum(together.sum(axis=1, keepdims=True), 1e-6)
    return result


def posterior_of(prior: Float32, densities: Float32, bins: NDArray[np.intp]) -> Float32:
    """Probability of each structure, (17, N): prior times likelihood, normalised."""
    post = prior * densities[:, bins]
    post /= post.sum(axis=0) + np.float32(1e-20)
    return post


@dataclass(frozen=True, eq=False)
class Mixture:
    """Gaussians over brightness in [0, 1]; an empty one stands for "unknown" and is flat."""

    weight: Float64
    mean: Float64
    sd: Float64

    def density(self) -> Float32:
        """Probability of each bin, (N_BINS,), sums to 1."""
        if not len(self.weight):
            return np.full(N_BINS, 1.0 / N_BINS, dtype=np.float32)
        total = (_gaussians(self.mean, self.sd) * self.weight[:, None]).sum(axis=0) + 1e-7
        density: Float32 = (total / total.sum()).astype(np.float32)
        return density


def _gaussians(mean: Float64, sd: Float64) -> Float64:
    centres = (np.arange(N_BINS) + 0.5) / N_BINS
    z = (centres[None] - mean[:, None]) / sd[:, None]
    result: Float64 = np.exp(-0.5 * z * z) / sd[:, None]
    return result


def fit_mixture(histogram: Float64, n_components: int, rounds: int = 10) -> Mixture:
    """Fit Gaussians to a class histogram (N_BINS,) by expectation maximisation, started at its quantiles."""
    total = histogram.sum()
    if total < MIN_STRUCTURE_VOXELS:
        return Mixture(np.empty(0), np.empty(0), np.empty(0))
    share = histogram / total
    centres = (np.arange(N_BINS) + 0.5) / N_BINS
    quantiles = (np.arange(n_components) + 0.5) / n_components
    mean = np.interp(quantiles, np.cumsum(share), centres)
    spread = np.sqrt(max(share @ (centres - share @ centres) ** 2, MIN_SD**2))
    sd, weight = np.full(n_components, spread), np.full(n_components, 1.0 / n_components)
    for _ in range(rounds if n_components > 1 else 1):
        parts = weight[:, None] * _gaussians(mean, sd) + 1e-12
        parts *= share / parts.sum(axis=0)
        mass = parts.sum(axis=1) + 1e-9
        mean = parts @ centres / mass
        sd = np.sqrt(np.maximum((parts * (centres - mean[:, None]) ** 2).sum(axis=1) / mass, MIN_SD**2))
        weight = mass / mass.sum()
    return Mixture(weight, mean, sd)


def class_histograms(post: Float32, bins: NDArray[np.intp]) -> Float64:
    """Histogram of every class, each voxel counted by its posterior: (17, N) and (N,) → (17, N_BINS)."""
    return np.stack([np.bincount(bins, row, N_BINS) for row in post])
