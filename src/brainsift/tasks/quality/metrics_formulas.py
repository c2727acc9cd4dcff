"""Image quality metrics as formulas of numbers, with the names that MRIQC gives them (Esteban et al. 2017, PLoS ONE
12:e0184661). None is what has no value: too few voxels, no spread, a division by 0."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]

MAD_TO_SD = 1.4826
"""Median absolute deviation → standard deviation of a normal distribution."""

RAYLEIGH_SD = float(np.sqrt(2 - np.pi / 2))
"""Standard deviation of the magnitude of complex noise of unit standard deviation: 0.655."""

MIN_VOXELS = 100
"""Below, a standard deviation errs by more than 7 %, and percentiles mean nothing."""

ARTEFACT_MADS = 10.0
"""Air brighter than its median by this many scaled MADs is artefact: pure noise never is (Rayleigh: 1e-13)."""

MIN_AIR_MAD = 1.0
"""On the scale where white matter is 1000: below, air is stored too coarsely for its MAD and the standard deviation is
taken, as MRIQC does."""

BRIGHT_PERCENTILE = 99.95


@dataclass(frozen=True)
class Summary:
    """Statistics of the voxels of one tissue; `k` is the excess kurtosis, `mad` scaled to a standard deviation."""

    mean: float
    median: float
    mad: float
    stdv: float
    p05: float
    p95: float
    k: float
    n: float


def summarise(values: Floats, voxels_each: float = 1.0) -> Summary | None:
    """Statistics of `values` (n,), each of which stands for `voxels_each` voxels; None below `MIN_VOXELS`."""
    if values.size < MIN_VOXELS:
        return None
    values = values.astype(np.float64, copy=False)
    low, median, high = (float(q) for q in np.percentile(values, [5, 50, 95]))
    mean = float(values.mean())
    squares = (values - mean) ** 2
    variance = float(squares.mean())
    return Summary(
        mean=mean,
        median=median,
        mad=MAD_TO_SD * float(np.median(np.abs(values - median))),
        stdv=float(np.sqrt(variance)),
        p05=low,
        p95=high,
        k=float(np.dot(squares, squares)) / values.size / variance**2 - 3 if variance > 0 else 0.0,
        n=values.size * voxels_each,
    )


def snr(tissue: Summary | None) -> float | None:
    """Signal to noise inside a tissue: median over standard deviation (Magnotta & Friedman 2006, J Digit Imaging
    19:140)."""
    if tissue is None or tissue.stdv <= 0 or tissue.n <= 1:
        return None
    return tissue.median / (tissue.stdv * float(np.sqrt(tissue.n / (tissue.n - 1))))


def snr_dietrich(tissue: Summary | None, air: Summary | None) -> float | None:
    """Signal to noise against air, the noise there being Rayleigh-distributed (Dietrich et al. 2007, J Magn Reson
    Imaging 26:375). Both on the scale where white matter is 1000."""
    if tissue is None or air is None:
        return None
    noise = air.mad if air.mad > MIN_AIR_MAD else air.stdv
    return RAYLEIGH_SD * tissue.median / noise if noise > 1e-3 else None


def cnr(white: Summary | None, grey: Summary | None, air: Summary | None) -> float | None:
    """Contrast to noise of white and grey matter (Magnotta & Friedman 2006). Without air, its noise counts as 0."""
    if white is None or grey is None:
        return None
    noise = float(np.sqrt(white.stdv**2 + grey.stdv**2 + (0.0 if air is None else air.stdv**2)))
    return abs(white.median - grey.median) / noise if noise > 0 else None


def cjv(white: Summary | None, grey: Summary | None) -> float | None:
    """Coefficient of joint variation (Ganzetti et al. 2016, Front Neuroinform 10:10), of medians and MADs."""
    if white is None or grey is None or white.median == grey.median:
        return None
    return (white.mad + grey.mad) / abs(white.median - grey.median)


def efc(values: Floats, voxels: float | None = None) -> float | None:
    """Entropy focus criterion (Atkinson et al. 1997, IEEE Trans Med Imaging 16:903): 0 with all energy in one voxel,
    1 where all voxels are alike.

    Parameters
    ----------
    values : (n,), all voxels or a regular sample of them.
    voxels : how many voxels the sample stands for; default n.
    """
    count = float(values.size if voxels is None else voxels)
    size = np.abs(values[values != 0])
    if count <= 1 or not size.size:
        return None
    # Relative to the largest, so that squares of any unit stay inside float32.
    size = size / size.max()
    each = count / values.size
    energy = math.sqrt(each * float(np.dot(size, size)))
    entropy = -each * (float(np.dot(size, np.log(size))) - float(size.sum()) * math.log(energy)) / energy
    return entropy / (math.sqrt(count) * math.log(math.sqrt(count)))


def fber(head: Floats, outside: Floats) -> float | None:
    """Energy of the head over that of the air (Shehzad et al. 2015, Front Neurosci abstract 47), of medians as MRIQC
    takes it."""
    if min(head.size, outside.size) < MIN_VOXELS:
        return None
    air = float(np.median(np.abs(outside)))
    return (float(np.median(np.abs(head))) / air) ** 2 if air > 0 else None


def wm2max(white: float, values: Floats) -> float | None:
    """White matter over the brightest voxels of the scan (99.95 %): low with bright fat and vessels."""
    brightest = float(np.percentile(values, BRIGHT_PERCENTILE)) if values.size else 0.0
    return white / brightest if brightest > 0 else None


def is_artefact(air: Floats) -> NDArray[np.bool_]:
    """Air that is too bright to be noise, bool (n,) (Mortamet et al. 2009, Magn Reson Med 62:365)."""
    median = np.median(air) if air.size else 0.0
    spread = MAD_TO_SD * np.median(np.abs(air - median)) if air.size else 0.0
    if spread <= 0:
        spread = air.std() if air.size else 0.0
    bright: NDArray[np.bool_] = air > median + ARTEFACT_MADS * spread
    return bright


def mean_of(values: Iterable[float | None]) -> float | None:
    """Mean of the values that exist."""
    found = [value for value in values if value is not None]
    return sum(found) / len(found) if found else None
