"""Examples of the zoo, seen as a run sees them: written to a file, read again, cut around what passes for a brain.

A map of diffusion or an angiography is a head, and the anatomy pass finds a brain in it, as it may in a phantom.
Boxes drawn at random for such scans taught little: of 140 improper scans of the zoo that were read from files, a
network that had learnt from boxes alone called 51 proper.
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from brainsift.anatomy.compute import compute_anatomy
from brainsift.learn.quality.bank import Example, to_levels
from brainsift.learn.quality.truth import truth_row
from brainsift.scans.read import read_file
from brainsift.scans.volume import Volume
from brainsift.simulate.labelmap import LabelMap
from brainsift.simulate.write import draw_layout, write_array
from brainsift.simulate.zoo import KINDS, draw_zoo, make_zoo
from brainsift.simulate.zoo_study import stored
from brainsift.tasks.quality.slices import slices_of

EXTENT_MM = (180.0, 220.0, 200.0)
SPACING_MM = (1.0, 1.6)


def zoo_examples(rng: np.random.Generator, head: LabelMap, person: str) -> list[Example]:
    """One example of each kind, proper and improper; 3 s each."""
    return [_example(rng, head, person, kind) for kind in KINDS]


def _example(rng: np.random.Generator, head: LabelMap, person: str, kind: str) -> Example:
    spacing = float(rng.uniform(*SPACING_MM))
    x, y, z = (round(mm / spacing) for mm in EXTENT_MM)
    made = make_zoo(draw_zoo(rng, kind), head, (x, y, z), spacing)
    volume = read_again(rng, made.image, made.affine)
    pixels = slices_of(volume, compute_anatomy(volume, threads=1)).pixels
    truth = truth_row({"proper": made.proper, "sequence": made.sequence})
    facts = {"source": "label map", "fault": f"zoo_{kind}", "kind": made.parameters.variant}
    return Example(to_levels(pixels), truth, person, facts)


def read_again(rng: np.random.Generator, image: NDArray[np.float32], affine: NDArray[np.float64]) -> Volume:
    """Write a scan in any of the ways in which scanners and converters store it, and read it."""
    values, slope = stored(image)
    x, y, z = (float(mm) for mm in np.linalg.norm(affine[:3, :3], axis=0))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "scan.nii"
        write_array(values, affine, path, replace(draw_layout(rng, (x, y, z)), slope=slope))
        return read_file(path)
