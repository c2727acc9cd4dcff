"""Which sequence a scan looks like, from how bright its tissues are relative to each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from brainsift.anatomy.anatomy import Anatomy

UNKNOWN = "unknown"


@dataclass(frozen=True)
class Look:
    """Where a sequence lies in the plane of the two contrasts, as a normal distribution.

    Attributes
    ----------
    grey_white, grey_white_sd : (cortex - white) / (cortex + white).
    fluid_white, fluid_white_sd : natural logarithm of ventricles / white.
    """

    grey_white: float
    grey_white_sd: float
    fluid_white: float
    fluid_white_sd: float


LOOKS: dict[str, Look] = {
    "T1w": Look(-0.19, 0.08, -1.3, 0.5),
    "FLAIR": Look(0.08, 0.06, -1.2, 0.5),
    "T2w": Look(0.16, 0.09, 0.9, 0.4),
    "PDw": Look(0.09, 0.05, 0.05, 0.2),
    "T2starw": Look(0.05, 0.06, 0.25, 0.25),
}
"""Centres and spreads from the usual clinical protocols at 1.5 and 3 T: fluid is dark in T1w and FLAIR and bright in
T2w, and white matter is the brighter tissue in T1w only (at 3 T inversion recovery gives grey 0.55-0.75 and fluid
0.14-0.35 of white, spin echo less contrast). Set by hand from tissue constants, not fitted to any data
set."""

UNKNOWN_DENSITY = 0.05
"""Density of "none of these" over the plane: about that of a sequence two and a half deviations from its centre."""

MIN_VOXELS = {"white": 200, "cortex": 200, "ventricles": 20}
"""Working-grid voxels (8 mm³ each) below which a class tells nothing."""

MIN_CONFIDENCE = 0.3
"""Of the anatomy: below, its classes are no basis for a verdict on the contrast."""


def sequence_look(anatomy: Anatomy) -> dict[str, float]:
    """Probabilities of ``T1w FLAIR T2w PDw T2starw unknown``; all on unknown where the tissues cannot be measured."""
    contrast = tissue_contrast(anatomy)
    if contrast is None or not anatomy.has_brain or anatomy.confidence < MIN_CONFIDENCE:
        return {**dict.fromkeys(LOOKS, 0.0), UNKNOWN: 1.0}
    density = {name: _density(look, *contrast) for name, look in LOOKS.items()}
    density[UNKNOWN] = UNKNOWN_DENSITY
    total = sum(density.values())
    return {name: value / total for name, value in density.items()}


def tissue_contrast(anatomy: Anatomy) -> tuple[float, float] | None:
    """Grey-white contrast and log fluid-white ratio, as in `Look`; ``None`` where a tissue is missing or not
    positive."""
    for name, needed in MIN_VOXELS.items():
        stats = anatomy.tissue.get(name)
        if stats is None or stats.n < needed:
            return None
    white, grey = anatomy.tissue["white"].median, anatomy.tissue["cortex"].median
    if white <= 0 or grey <= 0:
        return None
    fluid = max(anatomy.tissue["ventricles"].median, 0.02 * white)
    return (grey - white) / (grey + white), float(np.log(fluid / white))


def _density(look: Look, grey_white: float, fluid_white: float) -> float:
    a = (grey_white - look.grey_white) / look.grey_white_sd
    b = (fluid_white - look.fluid_white) / look.fluid_white_sd
    return float(np.exp(-0.5 * (a * a + b * b)) / (2 * np.pi * look.grey_white_sd * look.fluid_white_sd))
