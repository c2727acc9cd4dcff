"""Chunks of a bank from simulated people: one per head and seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainsift.learn.heads import kept_head
from brainsift.learn.people import take_turns
from brainsift.learn.wmh.bank import write_chunk
from brainsift.learn.wmh.example import Example, make_example
from brainsift.learn.wmh.geometry import coarse_label
from brainsift.learn.wmh.preparing import Preparer, prepare_with_anatomy
from brainsift.scans.errors import ScanError
from brainsift.scans.volume import InputGrid, ReadFacts, Volume
from brainsift.simulate.lesions.example import WmhExample, draw_wmh_example
from brainsift.simulate.lesions.shapes import ShapeBank, load_shapes

PER_CHUNK = 4
"""People of one label map in a chunk; each is deformed anew."""

TRIES = 3
"""Times as many draws as examples, at the most: the anatomy pass may find no brain in an odd one."""

GREY_LEVELS = 1000
"""Scanners store whole numbers, the brightest tissue at about this."""


@dataclass(frozen=True)
class ChunkJob:
    """One chunk: which file, of whom, the shapes of its lesions, and how it is drawn.

    Attributes
    ----------
    shapes : folder of real lesion masks in MNI152, or None for procedural shapes alone.
    bad_label_share : of the labels are grossly wrong; two banks with one seed differ in these alone.
    load_ml : volume of all lesions; drawn from 0 to 80 mL where None.
    """

    name: str
    path: Path
    person: str
    shapes: Path | None
    seed: int
    count: int = PER_CHUNK
    bad_label_share: float = 0.0
    load_ml: float | None = None


def plan_chunks(
    label_maps: Sequence[Path],
    chunks: int,
    seed: int,
    *,
    shapes: Path | None = None,
    bad_label_share: float = 0.0,
    count: int = PER_CHUNK,
) -> list[ChunkJob]:
    """`chunks` jobs that go around the label maps.

    Raises
    ------
    ValueError
        if there is no label map.
    """
    return [
        ChunkJob(name, path, person, shapes, own_seed, count, bad_label_share)
        for name, path, person, own_seed in take_turns(label_maps, chunks, seed)
    ]


def make_chunk(job: ChunkJob, folder: Path, prepared: Preparer = prepare_with_anatomy) -> Path:
    """Make and write one chunk; `prepared` makes the network's input of a scan.

    Raises
    ------
    ValueError
        if the anatomy pass finds a brain in none of the draws.
    """
    rng = np.random.default_rng([job.seed, 59])
    shapes = None if job.shapes is None else _shapes(job.shapes)
    examples: list[Example] = []
    for _ in range(TRIES * job.count):
        if len(examples) == job.count:
            break
        drawn = draw_wmh_example(
            rng,
            kept_head(job.path),
            shapes=shapes,
            load_ml=job.load_ml,
            flair=False,
            coarse=True,
            bad_label_share=job.bad_label_share,
        )
        try:
            examples.append(simulated_example(drawn, job.person, prepared))
        except ScanError:
            continue
    if not examples:
        raise ValueError(f"{job.path.name}: no brain was found in {TRIES * job.count} heads drawn from it; remove it")
    return write_chunk(examples, folder, job.name)


@lru_cache(maxsize=1)
def _shapes(folder: Path) -> ShapeBank:
    return load_shapes(folder)


def simulated_example(drawn: WmhExample, person: str, prepared: Preparer = prepare_with_anatomy) -> Example:
    """What inference sees of a simulated person, by the real anatomy pass, with truth and label.

    Raises
    ------
    ScanError
        if the anatomy pass finds no brain, or no white matter brighter than fluid.
    """
    volume = as_volume(drawn.t1w, drawn.t1w_affine)
    seen = prepared(volume)
    coarse = None
    if drawn.coarse is not None and drawn.coarse_affine is not None:
        coarse = coarse_label(drawn.coarse, drawn.coarse_affine, drawn.slice_thickness_mm)
    facts: dict[str, Any] = {
        "source": "simulated",
        "load_ml": round(float(drawn.load_ml), 3),
        "bad_label": drawn.bad_label or "",
        "spacing_mm": [round(float(s), 2) for s in volume.spacing],
        "slice_thickness_mm": round(float(drawn.slice_thickness_mm), 2),
        "slice_gap_mm": round(float(drawn.slice_gap_mm), 2),
    }
    return make_example(seen, person, truth=(drawn.truth, drawn.t1w_affine), coarse=coarse, facts=facts)


def as_volume(image: NDArray[np.float32], affine: NDArray[np.float64]) -> Volume:
    """A simulated RAS+ scan as the reader would give it, rounded to whole numbers as scanners store them."""
    data = np.rint(image * np.float32(GREY_LEVELS)).astype(np.float32)
    x, y, z = data.shape
    facts = ReadFacts("nifti1", "int16", (x, y, z), "0" * 64)
    return Volume(data, affine, InputGrid((x, y, z), affine, (0, 1, 2), (False, False, False)), facts)
