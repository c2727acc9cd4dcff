"""Chunks of a bank from simulated people, and from real brains with painted lesions: one per head and seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from brainsift.learn.as_read import as_volume
from brainsift.learn.heads import kept_head
from brainsift.learn.people import take_turns
from brainsift.learn.wmh.bank import write_chunk
from brainsift.learn.wmh.example import Example, make_example
from brainsift.learn.wmh.geometry import coarse_label
from brainsift.learn.wmh.preparing import Preparer, prepare_with_anatomy
from brainsift.learn.wmh.real_brains import read_real_brain, real_example
from brainsift.learn.wmh.source import SIMULATED
from brainsift.scans.errors import ScanError
from brainsift.simulate.lesions.example import WmhExample, draw_wmh_example
from brainsift.simulate.lesions.shapes import ShapeBank, load_shapes

PER_CHUNK = 4
"""People of one label map in a chunk; each is deformed anew."""

BRAIN_EVERY = 3
"""One chunk in so many is of a real brain, where there are any."""

REAL_SEED = 500_000
"""Added to the seeds of real brains' chunks, so that none is drawn like a label map's."""

TRIES = 3
"""Times as many draws as examples, at the most: the anatomy pass may find no brain in an odd one."""


@dataclass(frozen=True)
class ChunkJob:
    """One chunk: which file, of whom, the shapes of its lesions, and how it is drawn.

    Attributes
    ----------
    path : of a label map, or of a clean T1w brain where `real`.
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
    real: bool = False


def plan_chunks(
    label_maps: Sequence[Path],
    chunks: int,
    seed: int,
    *,
    shapes: Path | None = None,
    brains: Sequence[Path] = (),
    bad_label_share: float = 0.0,
    count: int = PER_CHUNK,
) -> list[ChunkJob]:
    """`chunks` jobs that go around the label maps; every third goes around the real brains, where there are any.

    Raises
    ------
    ValueError
        if there is no label map.
    """
    of_brains = chunks // BRAIN_EVERY if brains else 0
    turns = [(turn, False) for turn in take_turns(label_maps, chunks - of_brains, seed)]
    if brains:
        turns += [(turn, True) for turn in take_turns(brains, of_brains, seed + REAL_SEED)]
    return [
        ChunkJob(name, path, person, shapes, own_seed, count, bad_label_share, real=real)
        for (name, path, person, own_seed), real in turns
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
        try:
            examples.append(_draw_example(rng, job, shapes, prepared))
        except ScanError:
            continue
    if not examples:
        raise ValueError(f"{job.path.name}: no brain was found in {TRIES * job.count} heads drawn from it; remove it")
    return write_chunk(examples, folder, job.name)


def _draw_example(rng: np.random.Generator, job: ChunkJob, shapes: ShapeBank | None, prepared: Preparer) -> Example:
    if job.real:
        return real_example(rng, read_real_brain(job.path), shapes, prepared, job.load_ml)
    drawn = draw_wmh_example(
        rng,
        kept_head(job.path),
        shapes=shapes,
        load_ml=job.load_ml,
        flair=False,
        coarse=True,
        bad_label_share=job.bad_label_share,
    )
    return simulated_example(drawn, job.person, prepared)


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
        "source": SIMULATED,
        "load_ml": round(float(drawn.load_ml), 3),
        "bad_label": drawn.bad_label or "",
        "spacing_mm": [round(float(s), 2) for s in volume.spacing],
        "slice_thickness_mm": round(float(drawn.slice_thickness_mm), 2),
        "slice_gap_mm": round(float(drawn.slice_gap_mm), 2),
    }
    return make_example(seen, person, truth=(drawn.truth, drawn.t1w_affine), coarse=coarse, facts=facts)
