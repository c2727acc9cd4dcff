"""Gradient echo, SWI and map of susceptibility of one simulated head, seen as a run sees them.

Painted heads know no veins, no drop-out above the sinuses and no phase mask: of 36 such scans with all of that a
network that had learnt from painted ones alone called 14 proper, and no map of susceptibility by its name.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from brainsift.anatomy.anatomy import Anatomy
from brainsift.anatomy.compute import compute_anatomy
from brainsift.learn.quality.bank import Example, to_levels
from brainsift.learn.quality.clean import CleanScan, clean_by_anatomy
from brainsift.learn.quality.corrupt import add_noise_and_grade, apply_fault, draw_fault, draw_low_noise
from brainsift.learn.quality.improper import derived_example
from brainsift.learn.quality.torchio_motion import INSTALLED
from brainsift.learn.quality.truth import COLUMNS, truth_row
from brainsift.learn.quality.zoo import read_again
from brainsift.scans.volume import Volume
from brainsift.simulate.artefacts.intensity import draw_noise
from brainsift.simulate.labelmap import LabelMap
from brainsift.simulate.susceptibility.example import Modality, draw_bleed_example
from brainsift.tasks.quality.slices import slices_of

IN_PLANE_MM, PITCH_MM = (0.55, 1.1), (0.7, 2.8)
"""Of 3D gradient echoes; thicker slices are stacks, which geometry rejects."""

MOVED = ("motion", "torchio") if INSTALLED else ("motion",)
MAGNITUDES: tuple[Modality, ...] = ("gre", "swi")


def gradient_echo_examples(rng: np.random.Generator, head: LabelMap, person: str) -> list[Example]:
    """The map of susceptibility, and both magnitudes still, noisy, moved and improper; 20 s."""
    in_plane, pitch = rng.uniform(*IN_PLANE_MM), np.exp(rng.uniform(*np.log(PITCH_MM)))
    voxel = (float(in_plane), float(in_plane), float(max(pitch, in_plane)))
    drawn = draw_bleed_example(rng, head, voxel_mm=voxel)
    shaken = drawn.parameters["finish"]["shake"] is not None
    examples = [_of_map(read_again(rng, drawn.images["qsm"], drawn.affine), person)]
    for modality in MAGNITUDES:
        volume = read_again(rng, drawn.images[modality], drawn.affine)
        anatomy = compute_anatomy(volume, threads=1)
        facts = {"source": "label map", "kind": modality, "spacing_mm": [round(float(mm), 3) for mm in volume.spacing]}
        scan = clean_by_anatomy(volume, anatomy, "T2starw", person, facts)
        if scan is None:
            continue
        faults = ["none", "none"] if shaken else ["none", str(rng.choice(MOVED))]
        examples += [_faulty(rng, volume, anatomy, scan, fault, shaken) for fault in faults]
        examples.append(derived_example(rng, scan))
    return examples


def _of_map(volume: Volume, person: str) -> Example:
    pixels = slices_of(volume, compute_anatomy(volume, threads=1)).pixels
    facts = {"source": "label map", "fault": "none", "kind": "qsm"}
    return Example(to_levels(pixels), truth_row({"proper": True, "sequence": "Chimap"}), person, facts)


def _faulty(
    rng: np.random.Generator, volume: Volume, anatomy: Anatomy, scan: CleanScan, fault: str, shaken: bool
) -> Example:
    done = apply_fault(scan, draw_fault(rng, fault))
    noise = draw_low_noise(rng) if rng.random() < 0.5 else draw_noise(rng, float(rng.uniform(0.8, 3.0)))
    graded = add_noise_and_grade(done, noise)
    truth = graded.truth.copy()
    # Contrast of grey and white matter is not what these are taken for; how far the simulator's own shake goes is
    # not known.
    truth[COLUMNS.index("contrast")] = np.nan
    if shaken:
        truth[COLUMNS.index("motion")] = np.nan
    pixels = slices_of(replace(volume, data=graded.image), anatomy).pixels
    return Example(to_levels(pixels), truth, scan.person, graded.facts)
