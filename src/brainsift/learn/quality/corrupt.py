"""From a clean scan to an example: artefacts drawn, applied and graded, then cut into slices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainsift.learn.quality.bank import Example, to_levels
from brainsift.learn.quality.clean import CleanScan, Float32, Float64, Mask, box_of
from brainsift.learn.quality.torchio_motion import TorchioMotion, apply_torchio_motion, draw_torchio_motion
from brainsift.learn.quality.truth import truth_row
from brainsift.simulate.artefacts.flair import (
    CsfFlow,
    Slab,
    Unsuppressed,
    apply_csf_flow,
    apply_slab,
    apply_unsuppressed,
    draw_csf_flow,
    draw_slab,
    draw_unsuppressed,
    fluid_level,
)
from brainsift.simulate.artefacts.geometry import Metal, apply_metal, draw_metal
from brainsift.simulate.artefacts.grades import USUAL_CONTRAST, contrast_grade, motion_grade, noise_grade
from brainsift.simulate.artefacts.intensity import (
    Bias,
    LostContrast,
    Noise,
    apply_bias,
    apply_lost_contrast,
    apply_noise,
    draw_bias,
    draw_lost_contrast,
    draw_noise,
)
from brainsift.simulate.artefacts.kspace import (
    Blur,
    Ghost,
    Ringing,
    Spikes,
    apply_blur,
    apply_ghost,
    apply_ringing,
    apply_spikes,
    draw_blur,
    draw_ghost,
    draw_ringing,
    draw_spikes,
)
from brainsift.simulate.artefacts.measures import relative_contrast
from brainsift.simulate.artefacts.motion import Motion, Moved, apply_motion, draw_motion
from brainsift.tasks.quality.shown import Shown, shown_by
from brainsift.tasks.quality.slices import PER_AXIS, cut_slices, foreground_box

Movement = Motion | TorchioMotion
Other = Ghost | Spikes | Ringing | Blur | Bias | Metal | CsfFlow | Unsuppressed | Slab

OF_FLAIR = ("csf_flow", "unsuppressed", "slab")
"""Faults that FLAIR alone has."""

UNNAMED = "unnamed"
"""In place of a sequence where a scan has none: its contrast has no grade."""

BOX_JITTER_MM = 4.0

MARGINS, RIMS, SHOWN_JITTER = (1, 4), (1, 4), 0.8
"""Voxels of 2 mm: shown around the brain, not shown around the rest of the head, and how far both are off."""

AIRLESS_SHARE = 0.25
"""Of examples are shown as scanners and archives store many scans, with nothing in the air."""

NO_BRAIN_SHARE = 0.15
"""Of examples are cut around what is bright, as happens where the anatomy pass finds no brain: else a picture off its
centre would betray an improper scan."""


@dataclass(frozen=True)
class Fault:
    """All that is done to one clean scan; None where nothing is.

    Attributes
    ----------
    kind : the word for tables.
    motion : a movement in k-space, or TorchIO's.
    other : an artefact of another kind.
    """

    kind: str
    motion: Movement | None = None
    contrast: LostContrast | None = None
    other: Other | None = None


@dataclass(frozen=True, eq=False)
class Faulty:
    """A scan after its fault, before the noise.

    Attributes
    ----------
    scan : with the changed image.
    displacement_mm, change : of motion.
    ghost, spikes : change in the brain by what looks like motion, and by stripes.
    contrast : relative, grey to white.
    fluid : of a FLAIR, relative to white matter; None where it is not known.
    """

    scan: CleanScan
    fault: Fault
    displacement_mm: float = 0.0
    change: float = 0.0
    ghost: float = 0.0
    spikes: float = 0.0
    contrast: float = 0.0
    fluid: float | None = None


def draw_fault(rng: np.random.Generator, kind: str) -> Fault:
    """Draw a fault of a kind: ``none``, ``motion``, ``torchio``, ``contrast``, ``mixed`` or the name of another one.

    Severities are drawn so that the measured grades spread over 0-2: most movements do little, because few lines
    matter.

    Raises
    ------
    ValueError
        if the kind is unknown.
    """
    severity, loss = (float(rng.uniform(*ends)) for ends in ((0.3, 2.2), (0.5, 2.4)))
    others = {
        "ghost": draw_ghost,
        "spikes": draw_spikes,
        "ringing": draw_ringing,
        "blur": draw_blur,
        "bias": draw_bias,
        "metal": draw_metal,
        "csf_flow": draw_csf_flow,
        "unsuppressed": draw_unsuppressed,
        "slab": draw_slab,
    }
    if kind == "none":
        return Fault(kind)
    if kind == "motion":
        return Fault(kind, motion=draw_motion(rng, float(rng.uniform(0.4, 4.0))))
    if kind == "torchio":
        return Fault(kind, motion=draw_torchio_motion(rng, float(rng.uniform(0.2, 2.5))))
    if kind == "contrast":
        return Fault(kind, contrast=draw_lost_contrast(rng, loss))
    if kind == "mixed":
        return Fault(kind, draw_motion(rng, float(rng.uniform(0.4, 4.0))), draw_lost_contrast(rng, loss))
    if kind in others:
        draw: Any = others[kind]
        return Fault(kind, other=draw(rng, severity))
    known = ", ".join(("none", "motion", "torchio", "contrast", "mixed", *others))
    raise ValueError(f"a fault is one of {known}, got {kind!r}")


def apply_fault(scan: CleanScan, fault: Fault) -> Faulty:
    """Do to the scan what was drawn: contrast first, then what happens in k-space.

    Raises
    ------
    ValueError
        if a fault of FLAIR is to be done to a scan whose fluid is not known.
    """
    image, h = scan.image, scan.spacing_mm
    if fault.contrast is not None:
        image = apply_lost_contrast(image, fault.contrast, scan.brain, scan.cortex, scan.white).image
    contrast, fluid = relative_contrast(image, scan.cortex, scan.white, scan.spacing_mm), _fluid(image, scan)
    moved = change = 0.0
    if fault.motion is not None:
        done = _move(image, fault.motion, scan)
        image, moved, change = done.image, done.displacement_mm, done.change
    ghost = spikes = 0.0
    other = fault.other
    if isinstance(other, CsfFlow | Unsuppressed):
        image, ghost, fluid = _of_fluid(image, other, scan)
    elif isinstance(other, Slab):
        image = apply_slab(image, other, scan.brain).image
    elif isinstance(other, Ghost):
        image, ghost = _both(apply_ghost(image, other, scan.brain))
    elif isinstance(other, Ringing):
        image, ghost = _both(apply_ringing(image, other, scan.brain))
    elif isinstance(other, Spikes):
        image, spikes = _both(apply_spikes(image, other, scan.brain))
    elif isinstance(other, Blur):
        image = apply_blur(image, other, h, scan.brain).image
    elif isinstance(other, Bias):
        image = apply_bias(image, other, h, scan.brain).image
    elif isinstance(other, Metal):
        image = apply_metal(image, other, h, scan.brain).image
    return Faulty(replace(scan, image=image), fault, moved, change, ghost, spikes, contrast, fluid)


def _fluid(image: Float32, scan: CleanScan) -> float | None:
    known = scan.sequence == "FLAIR" and scan.fluid is not None and scan.fluid.any() and scan.white.any()
    return fluid_level(image, scan.fluid, scan.white) if known and scan.fluid is not None else None


def _of_fluid(image: Float32, fault: CsfFlow | Unsuppressed, scan: CleanScan) -> tuple[Float32, float, float]:
    """The image, the change that looks like motion, and how bright fluid is."""
    if scan.fluid is None:
        raise ValueError(f"where fluid lies in the scan of {scan.person} is not known, so nothing can be done to it")
    masks = (scan.spacing_mm, scan.fluid, scan.white, scan.brain)
    if isinstance(fault, CsfFlow):
        done = apply_csf_flow(image, fault, *masks)
        return done.image, done.ghost, done.fluid
    done = apply_unsuppressed(image, fault, *masks)
    return done.image, 0.0, done.fluid


def _move(image: Float32, motion: Movement, scan: CleanScan) -> Moved:
    if isinstance(motion, TorchioMotion):
        return apply_torchio_motion(image, motion, scan.spacing_mm, scan.brain)
    return apply_motion(image, motion, scan.spacing_mm, scan.brain)


def _both(done: Any) -> tuple[Float32, float]:
    return done.image, done.change


def draw_low_noise(rng: np.random.Generator) -> Noise:
    """Noise as good scans have it."""
    return draw_noise(rng, float(rng.uniform(0, 0.8)))


@dataclass(frozen=True, eq=False)
class Graded:
    """A scan as it is stored, with what is true of it; see `Example`."""

    image: Float32
    truth: Float32
    facts: dict[str, Any]


def add_noise_and_grade(faulty: Faulty, noise: Noise | None) -> Graded:
    """Add noise (none where it is None), mask what the scan does not show, and grade."""
    scan = faulty.scan
    if noise is None:
        image, snr = scan.image, float(scan.image[scan.brain].mean()) / max(scan.own_noise, 1e-6)
    else:
        noisy = apply_noise(scan.image, noise, scan.spacing_mm, scan.brain, scan.own_noise)
        image, snr = noisy.image, noisy.snr
    sequence = scan.sequence or UNNAMED
    grades = {
        "motion": motion_grade(faulty.displacement_mm, faulty.change, ghost=faulty.ghost),
        "noise": noise_grade(snr, spikes=faulty.spikes),
        "contrast": contrast_grade(faulty.contrast, sequence, faulty.fluid) if sequence in USUAL_CONTRAST else None,
    }
    facts = scan.facts | {
        "fault": faulty.fault.kind,
        "displacement_mm": round(faulty.displacement_mm, 4),
        "change": round(faulty.change, 4),
        "ghost": round(faulty.ghost, 4),
        "snr": round(snr, 2),
        "relative_contrast": round(faulty.contrast, 4),
    }
    proper = None if scan.sequence is None else True
    known = {"proper": proper, "sequence": scan.sequence, "gadolinium": scan.gadolinium, **grades}
    return Graded(image if scan.seen is None else image * scan.seen, truth_row(known), facts)


def finish(rng: np.random.Generator, faulty: Faulty, noise: Noise) -> Example:
    """Add noise, grade, and cut the slices; 0.7 s for 192x224x192."""
    done = add_noise_and_grade(faulty, noise)
    return Example(pixels_of(rng, done.image, faulty.scan), done.truth, faulty.scan.person, done.facts)


def pixels_of(rng: np.random.Generator, image: Float32, scan: CleanScan) -> NDArray[np.uint8]:
    """Slices around the brain, its box and its border as uncertain as the anatomy pass leaves them."""
    shown: Shown | None = None
    if rng.random() < NO_BRAIN_SHARE:
        box = loose_box(rng, image)
    else:
        box = box_of(rng, scan.brain, scan.spacing_mm, BOX_JITTER_MM)
        shown = draw_shown(rng, scan.brain, scan.outside, scan.spacing_mm)
    return to_levels(cut_slices(image, scan.spacing_mm, box, draw_places(rng), shown).pixels)


def draw_shown(
    rng: np.random.Generator, brain: Mask, outside: Mask | None, spacing_mm: Sequence[float] | Float64
) -> Shown:
    """What slices show of a head, with borders drawn too wide or too narrow."""
    margin, rim = (int(rng.integers(*ends, endpoint=True)) for ends in (MARGINS, RIMS))
    shown = shown_by(brain, outside, spacing_mm, margin, rim)
    moved = shown.to_mask.copy()
    moved[:3, 3] += rng.uniform(-SHOWN_JITTER, SHOWN_JITTER, 3)
    around = shown.brain if rng.random() < AIRLESS_SHARE else shown.around
    return Shown(shown.brain, around, moved)


def loose_box(rng: np.random.Generator, image: Float32) -> Float64:
    """Where no brain was found, or a wrong one: around all that is bright, or around a part of it."""
    box = foreground_box(image)
    if rng.random() < 0.5:
        size = box[1] - box[0]
        box[0] += size * rng.uniform(0, 0.3, 3)
        box[1] -= size * rng.uniform(0, 0.2, 3)
    return box


def draw_places(rng: np.random.Generator) -> list[float]:
    """Where slices are cut, one in each eighth of the box."""
    places: list[float] = ((np.arange(PER_AXIS) + rng.uniform(0.1, 0.9, PER_AXIS)) / PER_AXIS).tolist()
    return places
