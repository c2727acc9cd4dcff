"""Grades of motion, noise and contrast, from what was measured; 0 good, 1 moderate, 2 severe, continuous between.

The rule, with its reasons, is in docs/simulate.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

CUTS = (0.5, 1.5)
"""A grade is moderate from the first on, severe from the second on."""

# Each table: measured value, and the grade that it has; straight lines between, the last grade beyond.
DISPLACEMENT_MM = ((0.15, 0.0), (0.7, 0.5), (2.5, 1.5), (4.5, 2.0))
"""Of the brain over the lines of k-space: ripples show from half a millimetre on, gyri go at 2 to 3 mm."""

CHANGE = ((0.03, 0.0), (0.09, 0.5), (0.20, 1.5), (0.32, 2.0))
"""Of ghosts, ringing and spikes, relative root mean square in the brain: as much as motion of the same grade makes."""

SNR = ((40.0, 0.0), (15.0, 0.5), (7.0, 1.5), (4.0, 2.0))
"""Of the brain; between, straight in the logarithm. Scans at 1 mm and 3 T have 20 to 50."""

CONTRAST_OF_T1W = ((0.28, 0.0), (0.20, 0.5), (0.10, 1.5), (0.04, 2.0))
"""Relative contrast of grey and white matter; MPRAGE has 0.3 to 0.45."""

USUAL_CONTRAST = {"T1w": 1.0, "T2w": 0.6, "FLAIR": 0.5, "PDw": 0.35, "T2starw": 0.35}
"""How much of T1w's contrast another sequence has when it is good: `CONTRAST_OF_T1W` is scaled by it."""

FLUID_OF_FLAIR = ((0.4, 0.0), (0.6, 0.5), (1.0, 1.5), (1.3, 2.0))
"""Median of fluid over that of white matter: as bright as white matter, what lies beside a ventricle is not seen any
more, which FLAIR is taken for. Good ones have 0.1 to 0.4."""


@dataclass(frozen=True)
class Grades:
    """Continuous grades, each 0 to 2; None where a question makes no sense."""

    motion: float | None
    noise: float | None
    contrast: float | None

    @property
    def tier(self) -> int | None:
        """1 good, 2 moderate, 3 bad: one more than the worst grade."""
        grades = [whole(g) for g in (self.motion, self.noise, self.contrast) if g is not None]
        return 1 + max(grades) if grades else None


def whole(grade: float) -> int:
    """0, 1 or 2 of a continuous grade."""
    return int(np.searchsorted(CUTS, grade, side="right"))


def motion_grade(
    displacement_mm: float, change: float | None = None, ghost: float = 0.0, ringing: float = 0.0
) -> float:
    """Grade of motion and of what a reader cannot tell from it: the worst of its causes.

    Parameters
    ----------
    displacement_mm, change : from `apply_motion`. With both, the grade is the mean of what was done and of what shows:
        a jerk that meets one half of k-space displaces much and shows little.
    ghost, ringing : `change` of `apply_ghost` and `apply_ringing`.
    """
    motion = _read(DISPLACEMENT_MM, displacement_mm)
    if change is not None:
        motion = (motion + _read(CHANGE, change)) / 2
    return max(motion, _read(CHANGE, ghost), _read(CHANGE, ringing))


def noise_grade(snr: float, spikes: float = 0.0) -> float:
    """Grade of noise from the brain SNR that is left; the stripes of spikes (their `change`) count as noise."""
    if snr <= 0:
        return SNR[-1][1]
    table = tuple((-np.log(value), grade) for value, grade in SNR)
    return max(_read(table, -np.log(snr)), _read(CHANGE, spikes))


def contrast_grade(relative: float, sequence: str = "T1w", fluid: float | None = None) -> float:
    """Grade of contrast from the `relative_contrast` that is left.

    Parameters
    ----------
    fluid : of a FLAIR, fluid over white matter (`flair.fluid_level`) where it is known: the worse of both counts.

    Raises
    ------
    ValueError
        if the sequence's usual contrast is not known.
    """
    if sequence not in USUAL_CONTRAST:
        raise ValueError(f"contrast is graded for {', '.join(USUAL_CONTRAST)}, got {sequence}")
    table = tuple((-value * USUAL_CONTRAST[sequence], grade) for value, grade in CONTRAST_OF_T1W)
    grade = _read(table, -relative)
    return grade if fluid is None or sequence != "FLAIR" else max(grade, _read(FLUID_OF_FLAIR, fluid))


def _read(table: tuple[tuple[float, float], ...], value: float) -> float:
    at, grades = zip(*table, strict=True)
    return float(np.interp(value, at, grades))
