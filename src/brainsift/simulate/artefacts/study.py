"""Many heads with one artefact of every strength, in a folder, with what was done to each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainsift.scans.noise import noise_sd
from brainsift.simulate.artefacts.gadolinium import apply_gadolinium, draw_gadolinium
from brainsift.simulate.artefacts.grades import contrast_grade, motion_grade, noise_grade
from brainsift.simulate.artefacts.intensity import apply_lost_contrast, apply_noise, draw_lost_contrast, draw_noise
from brainsift.simulate.artefacts.measures import relative_contrast
from brainsift.simulate.artefacts.motion import Moved, apply_motion, draw_motion
from brainsift.simulate.artefacts.truth import ScanTruth, write_tables
from brainsift.simulate.freesurfer import CORTEX, WHITE
from brainsift.simulate.head import SimulatedHead, render_head
from brainsift.simulate.heads import grid_shape
from brainsift.simulate.sources import heads_of
from brainsift.simulate.stored import save_parameters
from brainsift.simulate.write import SUFFIX_OF_KIND, FileLayout, write_scan
from brainsift.simulate.zoo import brain_of, draw_proper_head

Float32 = NDArray[np.float32]

ARTEFACTS = ("motion", "noise", "contrast")

MAX_SEVERITY = 2.4
"""Asked for evenly from 0 on, so that all grades come about."""

GOOD_SEVERITY = 0.5
"""Noise of scans that show another artefact is asked for up to here."""

GADOLINIUM_SHARE = 0.2

SEQUENCES = ("mprage", "mprage", "spgr")


@dataclass(frozen=True, eq=False)
class Done:
    """An image, what was done to it, and what was measured.

    Attributes
    ----------
    kind : which artefact.
    drawn : parameters by name, as JSON can hold them.
    measured : columns of `ScanTruth`.
    """

    image: Float32
    kind: str
    drawn: dict[str, Any]
    measured: dict[str, Any]


Corruption = Callable[[np.random.Generator, int, SimulatedHead, float], Done]
"""From generator, number of the scan, clean head and voxel size."""


def simulate_artefact(
    artefact: str,
    out: Path,
    label_maps: Sequence[Path] | None = None,
    n: int = 10,
    seed: int = 0,
    spacing_mm: float = 1.0,
    progress: Callable[[int], None] | None = None,
) -> Path:
    """Simulate `n` T1w scans with one artefact of any strength, all else being good.

    For each: ``motion_0001.nii.gz`` (or of the other artefact's name), its sidecar, and all that was drawn in
    ``motion_0001_parameters.json``. The same seed gives the same files. About 10 s a scan at 1 mm on one core.

    Parameters
    ----------
    artefact : one of `ARTEFACTS`.
    out : folder, made where it is missing.
    label_maps : files with FreeSurfer's values; heads are drawn from the packaged atlas if None.
    progress : called with the number of scans done.

    Returns
    -------
    path of ``truth.tsv``; ``labels.tsv`` beside it has whole grades.

    Raises
    ------
    ValueError
        if the artefact is unknown, or a label map cannot be used.
    """
    if artefact not in ARTEFACTS:
        raise ValueError(f"the artefact must be one of {', '.join(ARTEFACTS)}, got {artefact}")
    corrupt = partial(_corrupt, artefact)
    return write_study(artefact, SEQUENCES, corrupt, out, label_maps, n, seed, spacing_mm, progress)


def write_study(
    prefix: str,
    sequences: Sequence[str],
    corrupt: Corruption,
    out: Path,
    label_maps: Sequence[Path] | None,
    n: int,
    seed: int,
    spacing_mm: float,
    progress: Callable[[int], None] | None,
) -> Path:
    """Simulate good heads of `sequences`, corrupt each, and write files and tables; see `simulate_artefact`."""
    out.mkdir(parents=True, exist_ok=True)
    sources = heads_of(label_maps, np.random.default_rng(seed))
    rows = []
    for number in range(1, n + 1):
        rng = np.random.default_rng([seed, number])
        source, label_map = next(sources)
        name = f"{prefix}_{number:04d}"
        sequence = str(rng.choice(sequences))
        drawn = draw_proper_head(rng, label_map, sequence)
        # The noise is added last, after the head has moved.
        drawn = replace(drawn, acquisition=replace(drawn.acquisition, noise=0.0))
        head = render_head(label_map, drawn, grid_shape(spacing_mm), spacing_mm)
        done = corrupt(rng, number, head, spacing_mm)
        write_scan(replace(head, image=done.image), out / f"{name}.nii.gz", FileLayout((spacing_mm,) * 3))
        save_parameters(drawn, out / f"{name}_parameters.json", label_map=source, spacing_mm=spacing_mm, **done.drawn)
        participant = f"sim-{number:04d}" if label_maps is None else source.split(".")[0]
        suffix = SUFFIX_OF_KIND[sequence]
        row = ScanTruth(
            f"{name}.nii.gz",
            participant,
            suffix,
            True,
            kind=done.kind,
            proper_t1w=suffix == "T1w",
            proper_flair=suffix == "FLAIR",
            **done.measured,
        )
        rows.append(row)
        if progress is not None:
            progress(number)
    return write_tables(rows, out)


def _corrupt(artefact: str, rng: np.random.Generator, _number: int, head: SimulatedHead, spacing_mm: float) -> Done:
    """Contrast first, then the agent, then motion, then noise: the order in which they come about."""
    severity = float(rng.uniform(0, MAX_SEVERITY))
    noise = draw_noise(rng, severity if artefact == "noise" else float(rng.uniform(0, GOOD_SEVERITY)))
    image, spacing = head.image, (spacing_mm,) * 3
    brain, grey, white = brain_of(head.labels), np.isin(head.labels, CORTEX), np.isin(head.labels, WHITE)
    drawn: dict[str, Any] = {"noise": noise.to_dict()}
    if artefact == "contrast":
        lost = draw_lost_contrast(rng, severity)
        image, drawn["lost_contrast"] = apply_lost_contrast(image, lost, None, grey, white).image, lost.to_dict()
    contrast, own_noise = relative_contrast(image, grey, white, spacing), noise_sd(image, white)
    gadolinium = bool(rng.random() < GADOLINIUM_SHARE)
    if gadolinium:
        agent = draw_gadolinium(rng)
        image, drawn["gadolinium"] = apply_gadolinium(image, head.labels, agent, spacing).image, agent.to_dict()
    moved = Moved(image, 0.0, 0.0)
    if artefact == "motion":
        motion = draw_motion(rng, severity)
        moved, drawn["motion"] = apply_motion(image, motion, spacing, brain), motion.to_dict()
    noised = apply_noise(moved.image, noise, spacing, brain, own_noise)
    measured = {
        "motion": motion_grade(moved.displacement_mm, moved.change),
        "noise": noise_grade(noised.snr),
        "contrast": contrast_grade(contrast),
        "gadolinium": gadolinium,
        "displacement_mm": moved.displacement_mm,
        "change": moved.change,
        "snr": noised.snr,
        "relative_contrast": contrast,
        "brain_outside_fov": 0.0,
    }
    return Done(noised.image, artefact, drawn, measured)
