"""T1w and FLAIR contrasts of scans in which lesions are looked for: those of sequences, and bent ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from brainsift.simulate.contrast import Contrast
from brainsift.simulate.freesurfer import CORTEX, FLUID, LATERAL_VENTRICLES, WHITE
from brainsift.simulate.zoo import draw_good_contrast

T1W_KINDS, T1W_SHARES = ("mprage", "spgr", "t1_se"), (0.6, 0.25, 0.15)

BENT_SHARE = 0.45
"""Of T1w contrasts have levels of no sequence that is simulated here, white brighter than grey brighter than fluid."""

FLAIR_DRAWS = 6

DARK_FLUID = 0.4
"""Of white matter's signal: an inversion that misses the null of fluid by more is a failed FLAIR."""

FLUID_LABELS = (*FLUID, *LATERAL_VENTRICLES, 14, 15)

USUAL_T1W, USUAL_FLAIR = (0.85, 0.6, 0.2), (0.6, 0.75, 0.1)
"""White, grey, fluid where a label map lacks one."""


def draw_t1w_contrast(rng: np.random.Generator, values: NDArray[np.int64]) -> Contrast:
    """Draw a T1w contrast; nearly half are bent (Billot 2023, MedIA 86:102789, draws any levels; these keep order)."""
    contrast = draw_good_contrast(rng, values, str(rng.choice(T1W_KINDS, p=T1W_SHARES)))
    return _bend(rng, contrast) if rng.random() < BENT_SHARE else contrast


def draw_flair_contrast(rng: np.random.Generator, values: NDArray[np.int64]) -> Contrast:
    """Draw a FLAIR contrast with grey matter a little brighter than white, and fluid dark, as it is meant to be."""
    draws = []
    for _ in range(FLAIR_DRAWS):
        contrast = draw_good_contrast(rng, values, "flair")
        white, _, fluid = levels_of(contrast)
        draws.append((fluid / white, contrast))
        if draws[-1][0] <= DARK_FLUID:
            break
    return min(draws, key=lambda pair: pair[0])[1]


def levels_of(contrast: Contrast) -> tuple[float, float, float]:
    """Mean signal of white matter, cortex and fluid; a usual one where the labels lack a tissue."""
    mean = dict(zip(contrast.values, contrast.means, strict=True))
    usual = USUAL_FLAIR if contrast.kind == "flair" else USUAL_T1W
    white, grey, fluid = (
        next((mean[value] for value in labels if value in mean), level)
        for labels, level in zip((WHITE, CORTEX, FLUID_LABELS), usual, strict=True)
    )
    return white, grey, fluid


def _bend(rng: np.random.Generator, contrast: Contrast) -> Contrast:
    """Move the levels of fluid, grey and white matter, and all between them along; no change where they lack order."""
    white, grey, fluid = levels_of(contrast)
    if not 0 < fluid < grey < white:
        return contrast
    new_white = float(rng.uniform(0.5, 0.95))
    new_grey = new_white * float(rng.uniform(0.5, 0.92))
    new_fluid = new_grey * float(rng.uniform(0.08, 0.8))
    means = np.asarray(contrast.means)
    bent = np.interp(means, [0, fluid, grey, white], [0, new_fluid, new_grey, new_white])
    above = means > white
    bent[above] = new_white + (means[above] - white) * rng.uniform(0.3, 1.5)
    top = max(float(bent.max()), 1.0)
    return replace(contrast, means=tuple(float(m) for m in bent / top))
