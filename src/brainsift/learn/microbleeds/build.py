"""Chunks of a bank from simulated heads: each holds one head, seen as GRE, SWI and susceptibility map."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainsift.anatomy.compute import compute_anatomy
from brainsift.learn import as_read
from brainsift.learn.heads import kept_head
from brainsift.learn.microbleeds.bank import write_chunk
from brainsift.learn.microbleeds.example import Example, Lesion, make_example
from brainsift.learn.people import take_turns
from brainsift.scans.errors import ScanError
from brainsift.scans.volume import Volume
from brainsift.simulate.susceptibility.example import BleedExample, Modality, draw_bleed_example
from brainsift.tasks.microbleeds.network import Prepared, prepare

MODALITIES: tuple[Modality, ...] = ("gre", "swi", "qsm")

TRIES = 3
"""Heads drawn for one chunk, at the most: the anatomy pass may find no brain in an odd one."""

Preparer = Callable[[Volume, Modality], Prepared]
"""Makes the networks' input of a scan, or raises `ScanError`."""


def prepare_with_anatomy(volume: Volume, modality: Modality) -> Prepared:
    """As in inference, with the anatomy pass of this very scan.

    Raises
    ------
    ScanError
        if there is no brain, or the image cannot be one of this modality.
    """
    return prepare(volume, compute_anatomy(volume, threads=1), modality)


@dataclass(frozen=True)
class ChunkJob:
    """One chunk: which file, of whom, and how it is drawn.

    Attributes
    ----------
    count : bleeds; drawn if None.
    voxel_mm : of the scan; drawn if None.
    various : share of the bleeds that may have any size and look.
    """

    name: str
    path: Path
    person: str
    seed: int
    count: int | None = None
    voxel_mm: tuple[float, float, float] | None = None
    various: float = 0.0


EMPTY_SHARE = 0.15
VARIOUS_SHARE = 0.5
"""Of the bleeds to learn from may have any size and look."""

FEW, MANY = 2, 30
"""To learn from, bleeds come more often than in people, where half of the heads have none: a head costs seconds however
many it has. Counts are drawn between these two, evenly on a scale of logarithms."""


def draw_many(rng: np.random.Generator) -> int:
    """How many bleeds a head to learn from has."""
    return 0 if rng.random() < EMPTY_SHARE else round(float(np.exp(rng.uniform(np.log(FEW), np.log(MANY)))))


def plan_chunks(
    label_maps: Sequence[Path],
    chunks: int,
    seed: int,
    *,
    first: int = 0,
    many: bool = False,
    voxel_mm: tuple[float, float, float] | None = None,
) -> list[ChunkJob]:
    """`chunks` jobs that go around the label maps.

    Parameters
    ----------
    first : number of the first one.
    many : bleeds as `draw_many` draws them, half of them of any size and look; else as people have them.

    Raises
    ------
    ValueError
        if there is no label map.
    """
    jobs = []
    for turn in take_turns(label_maps, chunks, seed, first):
        count = draw_many(np.random.default_rng([turn.seed, 61])) if many else None
        jobs.append(ChunkJob(*turn, count, voxel_mm, VARIOUS_SHARE if many else 0.0))
    return jobs


def make_chunk(job: ChunkJob, folder: Path, prepared: Preparer = prepare_with_anatomy) -> Path:
    """Make and write one chunk; `prepared` makes the networks' input of a scan.

    Raises
    ------
    ValueError
        if none of the draws can be prepared.
    """
    rng = np.random.default_rng([job.seed, 67])
    reason = ""
    for _ in range(TRIES):
        drawn = draw_bleed_example(
            rng, kept_head(job.path), count=job.count, voxel_mm=job.voxel_mm, various=job.various
        )
        examples: list[Example] = []
        for modality in MODALITIES:
            try:
                examples.append(simulated_example(drawn, modality, job.person, job.name, prepared))
            except ScanError as error:
                reason = error.cause
        if examples:
            return write_chunk(examples, folder, job.name)
    raise ValueError(f"{job.path.name}: no scan of {TRIES} simulated heads could be used; {reason}")


def simulated_example(
    drawn: BleedExample, modality: Modality, person: str, head: str, prepared: Preparer = prepare_with_anatomy
) -> Example:
    """What inference sees of one image of a simulated head, by the real anatomy pass, with the truth.

    Raises
    ------
    ScanError
        if the anatomy pass finds no brain, or the image is taken for one in which bleeds would be dark where they are
        bright: nothing true could be learnt from it.
    """
    volume = as_volume(drawn.images[modality], drawn.affine, modality)
    seen = prepared(volume, modality)
    if (seen.modality == "qsm") != (modality == "qsm"):
        raise ScanError("misread", f"A simulated {modality} was read as {seen.modality}.", "Leave it out.")
    lesions = lesions_of(drawn)
    facts: dict[str, Any] = {
        "source": "simulated",
        "head": head,
        "modality": modality,
        "voxel_mm": [round(float(s), 3) for s in volume.spacing],
        "slice_mm": round(float(volume.spacing.max()), 3),
        "bleeds": len(lesions),
    }
    return make_example(
        seen,
        person,
        lesions,
        pieces=(drawn.truth, drawn.affine),
        mimics=(drawn.mimics, drawn.affine),
        facts=facts,
    )


def lesions_of(drawn: BleedExample) -> tuple[Lesion, ...]:
    """The bleeds of a simulated head, by number."""
    return tuple(
        Lesion(
            mm=(float(one.mm[0]), float(one.mm[1]), float(one.mm[2])),
            diameter_mm=float(one.diameter_mm),
            seen_diameter_mm=float(one.seen_diameter_mm),
            place=str(one.place),
        )
        for one in sorted(drawn.bleeds, key=lambda one: one.number)
    )


def as_volume(image: NDArray[np.float32], affine: NDArray[np.float64], modality: Modality) -> Volume:
    """A simulated RAS+ scan as the reader would give it: magnitudes in whole numbers, susceptibility in ppm."""
    return as_read.as_volume(image, affine, magnitude=modality != "qsm")
