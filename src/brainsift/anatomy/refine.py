"""Where from the network, edges from the image: a mixture model per class with the network's posterior as its spatial
prior.

The network knows where each tissue lies, its edges are soft. A few rounds of expectation maximisation find how bright
each tissue is in this very scan, and move the edges to where the brightness changes, as SAMSEG does with an atlas
(Puonti 2016, NeuroImage 143:235). Brightness is handled as a histogram, so a round costs milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainsift.anatomy.labels import BRAIN, N_TISSUES, Tissue

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

N_BINS = 128
ROUNDS = 6
MAX_SAMPLES = 40_000
"""Voxels that the mixtures are estimated on; the final posterior is computed on all."""

COMPONENTS: dict[Tissue, int] = {Tissue.HEAD: 3, Tissue.CSF: 2, Tissue.CEREBELLUM: 2, Tissue.BRAINSTEM: 2}
"""Gaussians of a class, 1 where not listed: skin, fat and bone differ, and so do the two layers of the cerebellum."""

MIN_REGION_PROBABILITY = 0.02
"""Voxels with less probability of being inside the skull stay as the network said."""

MIN_CLASS_VOXELS = 50.0
"""A class with less mass (0.4 mL) than this keeps a flat likelihood: its brightness cannot be estimated."""

MIN_SD = 1.5 / N_BINS
"""A Gaussian is never narrower than this: bins and interpolation alone spread a value this much."""

PRIOR_FLOOR = 1e-4
"""The network is never wholly sure: a voxel may still go to a class that it gave no probability."""

MAX_BRAIN_CHANGE = 1.5
"""Edges move, tissue does not appear: if the brain grows or shrinks by more than this factor the mixtures went
astray."""


@dataclass(frozen=True, eq=False)
class Refined:
    """Result of `refine_posterior`.

    Attributes
    ----------
    posterior : float32 (10, X, Y, Z), sums to 1.
    gain : mean log-likelihood of a voxel under the fitted mixtures, above that of a model without tissue classes
        (nats). How much of the image the classes explain.
    """

    posterior: Float32
    gain: float


def refine_posterior(posterior: Float32, image: Float32) -> Refined:
    """Sharpen the network's posterior with the image; where that goes astray, give the network's posterior back.

    Parameters
    ----------
    posterior : float32 (10, X, Y, Z), sums to 1 over the first axis.
    image : float32 (X, Y, Z) in [0, 1], from `normalise`.
    """
    intracranial = 1.0 - posterior[Tissue.BACKGROUND] - posterior[Tissue.HEAD]
    region = np.flatnonzero(intracranial.reshape(-1) > MIN_REGION_PROBABILITY)
    if len(region) < MIN_CLASS_VOXELS:
        return Refined(posterior, 0.0)
    prior = np.maximum(posterior.reshape(N_TISSUES, -1)[:, region], np.float32(PRIOR_FLOOR))
    prior /= prior.sum(axis=0)
    bins = _bins(image.reshape(-1)[region])
    step = max(1, len(region) // MAX_SAMPLES)
    densities = estimate_densities(prior[:, ::step], bins[::step])
    refined, gain = _posterior(prior, densities, bins), _gain(prior, densities, bins)
    if gain <= 0 or not _plausible(prior, refined):
        return Refined(posterior, 0.0)
    result = posterior.copy()
    result.reshape(N_TISSUES, -1)[:, region] = refined
    return Refined(result, gain)


def estimate_densities(prior: Float32, bins: NDArray[np.intp]) -> Float32:
    """Brightness distribution of every class by expectation maximisation, (10, N) and (N,) → (10, N_BINS)."""
    posterior = prior
    for _ in range(ROUNDS):
        histograms = class_histograms(posterior, bins)
        mixtures = [fit_mixture(histograms[tissue], COMPONENTS.get(tissue, 1)) for tissue in Tissue]
        densities = np.stack([mixture.density() for mixture in mixtures])
        posterior = _posterior(prior, densities, bins)
    return densities


def _gain(prior: Float32, densities: Float32, bins: NDArray[np.intp]) -> float:
    """Log-likelihood per voxel above one histogram for all classes, nats."""
    overall = np.bincount(bins, minlength=N_BINS) / len(bins)
    likelihood = (prior * densities[:, bins]).sum(axis=0)
    return float(np.mean(np.log(likelihood + 1e-12) - np.log(overall[bins])))


def _plausible(before: Float32, after: Float32) -> bool:
    brain = [int(tissue) for tissue in BRAIN]
    ratio = (after[brain].sum() + 1.0) / (before[brain].sum() + 1.0)
    return bool(1 / MAX_BRAIN_CHANGE < ratio < MAX_BRAIN_CHANGE)


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
    if total < MIN_CLASS_VOXELS:
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
    """Histogram of every class, each voxel counted by its posterior: (10, N) and (N,) → (10, N_BINS)."""
    return np.stack([np.bincount(bins, row, N_BINS) for row in post])


def _bins(values: Float32) -> NDArray[np.intp]:
    bins: NDArray[np.intp] = np.clip(values * N_BINS, 0, N_BINS - 1).astype(np.intp)
    return bins


def _posterior(prior: Float32, table: Float32, bins: NDArray[np.intp]) -> Float32:
    post = prior * table[:, bins]
    post /= post.sum(axis=0) + np.float32(1e-20)
    return post
