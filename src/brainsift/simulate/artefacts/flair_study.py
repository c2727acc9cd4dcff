"""FLAIR scans with the artefacts of FLAIR, in a folder, with what was done to each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from brainsift.scans.noise import noise_sd
from brainsift.simulate.artefacts.flair import (
    FLUID_LABELS,
    apply_csf_flow,
    apply_slab,
    apply_unsuppressed,
    draw_csf_flow,
    draw_slab,
    draw_unsuppressed,
    fluid_level,
)
from brainsift.simulate.artefacts.grades import contrast_grade, motion_grade, noise_grade
from brainsift.simulate.artefacts.intensity import apply_noise, draw_noise
from brainsift.simulate.artefacts.measures import relative_contrast
from brainsift.simulate.artefacts.study import GOOD_SEVERITY, MAX_SEVERITY, Done, write_study
from brainsift.simulate.freesurfer import CORTEX, WHITE
from brainsift.simulate.head import SimulatedHead
from brainsift.simulate.zoo import brain_of

FLAIR_ARTEFACTS = ("csf_flow", "unsuppressed", "slab")
"""Fluid that flows, fluid that keeps signal, and the profile of a 3D slab; in turn."""


def simulate_flair(
    out: Path,
    label_maps: Sequence[Path] | None = None,
    n: int = 10,
    seed: int = 0,
    spacing_mm: float = 1.0,
    progress: Callable[[int], None] | None = None,
) -> Path:
    """Simulate `n` 3D FLAIR scans, each with one of `FLAIR_ARTEFACTS` of any strength, all else being good.

    Files and parameters are those of `simulate_artefact`; `kind` in ``truth.tsv`` says which artefact, `fluid` how
    bright fluid is relative to white matter.

    Raises
    ------
    ValueError
        if a label map cannot be used.
    """
    return write_study("flair", ("flair",), _corrupt, out, label_maps, n, seed, spacing_mm, progress)


def _corrupt(rng: np.random.Generator, number: int, head: SimulatedHead, spacing_mm: float) -> Done:
    kind = FLAIR_ARTEFACTS[(number - 1) % len(FLAIR_ARTEFACTS)]
    severity = float(rng.uniform(0, MAX_SEVERITY))
    noise = draw_noise(rng, float(rng.uniform(0, GOOD_SEVERITY)))
    image, spacing = head.image, (spacing_mm,) * 3
    brain, fluid = brain_of(head.labels), np.isin(head.labels, FLUID_LABELS)
    grey, white = np.isin(head.labels, CORTEX), np.isin(head.labels, WHITE)
    contrast, own_noise = relative_contrast(image, grey, white, spacing), noise_sd(image, white)
    drawn: dict[str, Any] = {"noise": noise.to_dict()}
    ghost, bright = 0.0, fluid_level(image, fluid, white)
    if kind == "slab":
        slab = draw_slab(rng, severity)
        image, drawn[kind] = apply_slab(image, slab, brain).image, slab.to_dict()
    elif kind == "csf_flow":
        flow = draw_csf_flow(rng, severity)
        done, drawn[kind] = apply_csf_flow(image, flow, spacing, fluid, white, brain), flow.to_dict()
        image, ghost, bright = done.image, done.ghost, done.fluid
    else:
        failed = draw_unsuppressed(rng, severity)
        done, drawn[kind] = apply_unsuppressed(image, failed, spacing, fluid, white, brain), failed.to_dict()
        image, ghost, bright = done.image, 0.0, done.fluid
    noised = apply_noise(image, noise, spacing, brain, own_noise)
    measured = {
        "motion": motion_grade(0.0, ghost=ghost),
        "noise": noise_grade(noised.snr),
        "contrast": contrast_grade(contrast, "FLAIR", bright),
        "displacement_mm": 0.0,
        "change": ghost,
        "snr": noised.snr,
        "relative_contrast": contrast,
        "fluid": bright,
        "brain_outside_fov": 0.0,
    }
    return Done(noised.image, kind, drawn, measured)
