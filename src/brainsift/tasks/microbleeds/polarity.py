"""How a scan's values are to be read: magnitude or susceptibility, which way up, in which unit; or neither.

A name or a header says what a scan should be. The image has the last word: a map of susceptibility that is called SWI
is read as such, an inverted image is turned, and what can be neither is refused with a reason.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainsift.anatomy.anatomy import Anatomy
from brainsift.anatomy.labels import Tissue
from brainsift.anatomy.tissue_stats import inner_voxels
from brainsift.scans.errors import ScanError
from brainsift.scans.signed import SIGNED_SHARE
from brainsift.scans.volume import Volume
from brainsift.tasks.microbleeds.modality import Modality
from brainsift.tasks.microbleeds.phase import looks_like_phase

Float32 = NDArray[np.float32]

PPM_SPREAD = (0.004, 0.16)
"""Robust standard deviation of susceptibility in a brain, ppm: 0.02 to 0.08 in maps at 1.5 to 7 T, and some room."""

PPB = 1000.0

MIN_TAIL_LEAN, MIN_GREY_LEAN = 0.1, 0.05
"""Signs of a map's polarity that count: how far the brightest half per cent lies beyond the darkest, as a share of
both; how far the iron-rich deep nuclei lie above white matter, in units of the map's spread."""

BRIGHT_AIR = 1.15
"""Times the brain: air this bright is that of an inverted image. Noise and ghosts stay far below."""

MIN_AIR_VOXELS = 500
BRIGHT_TAIL = 0.35
"""Lean of the tails in white matter, which has dark veins and hardly anything bright in an upright image."""

DARK_FLUID = 0.42
"""Ventricles against white matter: T1w 0.14 to 0.35 and FLAIR 0.2 to 0.4 (`integrity`); gradient echoes for
susceptibility 0.54 and more in 400 simulated protocols, since what darkens fluid darkens the brain too."""

MIN_FLUID_VOXELS = 20
MIN_CONFIDENCE = 0.3
"""Of the anatomy, for a verdict on the contrast."""


@dataclass(frozen=True)
class Reading:
    """How values of a scan are understood.

    Attributes
    ----------
    modality : by the image.
    gain, offset : upright value = gain * (value - offset); ppm above tissue for susceptibility.
    inverted : whether it was stored upside down.
    flags : doubts, for the finding.
    """

    modality: Modality
    gain: float = 1.0
    offset: float = 0.0
    inverted: bool = False
    flags: tuple[str, ...] = ()

    def upright(self, values: Float32) -> Float32:
        """Values in which bleeds are dark (magnitude, 0 is no signal) or positive (susceptibility, ppm)."""
        turned = (values - np.float32(self.offset)) * np.float32(self.gain)
        return turned if self.modality == "qsm" else np.maximum(turned, 0)


def read_image(volume: Volume, anatomy: Anatomy, modality: Modality) -> Reading:
    """Settle how a scan is to be read.

    Parameters
    ----------
    modality : what name or header say it is.

    Raises
    ------
    ScanError
        for phase, for standardised or unknown signed values, and where fluid is as dark as in T1w or FLAIR.
    """
    values = brain_values(anatomy)
    if not len(values) or not float(values.max()) > float(values.min()):
        raise ScanError("no_signal", "The brain has no signal.", "Give a scan with different grey values in the brain.")
    if looks_like_phase(volume, anatomy):
        raise ScanError(
            "phase", "The values wrap around as those of a phase image.", "Give the magnitude, SWI or QSM of this scan."
        )
    if min(np.mean(values < 0), np.mean(values > 0)) >= SIGNED_SHARE:
        return _susceptibility(anatomy, values, modality)
    return _magnitude(anatomy, values, "gre" if modality == "qsm" else modality, called_map=modality == "qsm")


def brain_values(anatomy: Anatomy) -> Float32:
    """Values in the brain on the 2 mm grid, without exact zeros, which are masked voxels: float32 (N,)."""
    values = anatomy.image[anatomy.brain]
    filled: Float32 = values[values != 0]
    return filled


def _susceptibility(anatomy: Anatomy, values: Float32, modality: Modality) -> Reading:
    middle = float(np.median(values))
    spread = 1.4826 * float(np.median(np.abs(values - middle)))
    flags: tuple[str, ...] = () if modality == "qsm" else ("modality_from_image",)
    unit = next((unit for unit in (1.0, PPB) if PPM_SPREAD[0] <= spread / unit <= PPM_SPREAD[1]), None)
    if unit is None:
        raise ScanError(
            "unknown_units",
            f"Values are of both signs with a spread of {spread:.3g}, which is neither ppm nor ppb of susceptibility.",
            "Give the magnitude as the scanner stored it, or a susceptibility map in ppm; not standardised values.",
        )
    tails = tail_lean(values)
    grey, white = anatomy.tissue.get("deep_grey"), anatomy.tissue.get("white")
    iron = 0.0 if grey is None or white is None else (grey.median - white.median) / max(spread, 1e-12)
    against = (tails < -MIN_TAIL_LEAN) + (iron < -MIN_GREY_LEAN)
    speaking = (abs(tails) > MIN_TAIL_LEAN) + (abs(iron) > MIN_GREY_LEAN)
    inverted = against > 0 and against == speaking
    if speaking == 0 or 0 < against < speaking:
        flags = (*flags, "polarity_uncertain")
    if inverted:
        flags = (*flags, "inverted")
    return Reading("qsm", (-1.0 if inverted else 1.0) / unit, middle, inverted, flags)


def _magnitude(anatomy: Anatomy, values: Float32, modality: Modality, *, called_map: bool) -> Reading:
    flags = ("modality_from_image",) if called_map else ()
    top = _inverted_zero(anatomy, values)
    reading = Reading(modality, flags=flags)
    if top is not None:
        reading = Reading(modality, -1.0, top, True, (*flags, "inverted"))
    ratio = _fluid_ratio(anatomy, reading)
    if ratio is not None and ratio < DARK_FLUID:
        raise ScanError(
            "not_susceptibility",
            f"Fluid has {ratio:.0%} of the brightness of white matter, as in T1w and FLAIR.",
            "Give a GRE, SWI or QSM; the name or the header may call it so wrongly.",
        )
    return reading


def _inverted_zero(anatomy: Anatomy, values: Float32) -> float | None:
    """The value that stands for no signal in an inverted image; None for an upright one."""
    air = anatomy.image[anatomy.labels == Tissue.BACKGROUND]
    air = air[air != 0]
    if len(air) >= MIN_AIR_VOXELS:
        level = float(np.median(air))
        return level if level > BRIGHT_AIR * float(np.median(values)) else None
    white = anatomy.image[inner_voxels(anatomy.labels) & (anatomy.labels == Tissue.WHITE)]
    if len(white) >= MIN_AIR_VOXELS and tail_lean(white) > BRIGHT_TAIL:
        return float(np.quantile(values, 0.999))
    return None


def tail_lean(values: Float32) -> float:
    """How far the upper half per cent lies from the middle beyond the lower one, -1 to 1; 0 for symmetric values."""
    low, middle, high = (float(q) for q in np.quantile(values, (0.005, 0.5, 0.995)))
    return 0.0 if not high > low else (high + low - 2 * middle) / (high - low)


def _fluid_ratio(anatomy: Anatomy, reading: Reading) -> float | None:
    """Brightness of ventricles against white matter; None where either cannot be trusted."""
    white, fluid = anatomy.tissue.get("white"), anatomy.tissue.get("ventricles")
    if white is None or fluid is None or fluid.n < MIN_FLUID_VOXELS or anatomy.confidence < MIN_CONFIDENCE:
        return None
    ends = reading.upright(np.array([fluid.median, white.median], np.float32))
    return float(ends[0] / ends[1]) if ends[1] > 0 else None
