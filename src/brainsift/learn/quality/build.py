"""Build the bank of examples: one chunk per head and seed, in several processes; what is done is not done again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from itertools import cycle
from pathlib import Path

import numpy as np

from brainsift.learn.people import person_of
from brainsift.learn.quality.bank import Example, write_chunk
from brainsift.learn.quality.clean import (
    CleanScan,
    draw_painting,
    paint,
    place_head,
    read_clean,
    resample_clean,
)
from brainsift.learn.quality.corrupt import OF_FLAIR, apply_fault, draw_fault, draw_low_noise, finish
from brainsift.learn.quality.improper import derived_example, zoo_example
from brainsift.learn.quality.recolour import recolour
from brainsift.learn.quality.transplant import transplant
from brainsift.learn.quality.zoo import zoo_examples
from brainsift.simulate.artefacts.intensity import draw_noise
from brainsift.simulate.labelmap import LabelMap, load_label_map

PAINTINGS = 2
"""Scans of each deformed head: deforming costs as much as painting."""

RARE_FAULTS = ("ghost", "ringing", "spikes", "blur", "bias", "metal", "mixed")

TORCHIO_SHARE = 0.7 if find_spec("torchio") else 0.0
"""Of the second movements of a scan, the first being of k-space; none where TorchIO is not installed."""

CHIMAP_SHARE = 0.5
"""Of the label maps' chunks hold a map of susceptibility, which is a proper scan of its kind."""

REAL_EVERY = 2
"""One chunk in so many is of a real scan."""

ZOO_EVERY = 8
"""For so many chunks there is one more of the zoo."""

RECOLOURED_SHARE = 0.3
"""Of real scans."""

CACHED_HEADS = 4


@dataclass(frozen=True)
class ChunkJob:
    """One chunk: which file, of whom, and what is made of it.

    Attributes
    ----------
    real : a clean real scan rather than a label map.
    kind : of contrast, such as ``flair``, that a label map is painted in alone.
    around : label map whose head is laid around a real brain.
    zoo : one example of each kind of the zoo, rather than paintings.
    """

    name: str
    path: Path
    person: str
    real: bool
    seed: int
    kind: str | None = None
    around: Path | None = None
    zoo: bool = False


def plan_chunks(
    label_maps: Sequence[Path], scans: Sequence[Path], chunks: int, seed: int, kind: str | None = None
) -> list[ChunkJob]:
    """`chunks` jobs that go around the files; every second one is of a real scan where there are any. More of the zoo.

    Parameters
    ----------
    kind : of contrast that label maps are painted in (`clean.KINDS`); drawn if None. For more examples of one sequence.

    Raises
    ------
    ValueError
        if there is nothing to make examples of.
    """
    if not label_maps and not scans:
        raise ValueError("a bank is made from label maps or clean scans, got neither")
    jobs: list[ChunkJob] = []
    around = {True: cycle(scans), False: cycle(label_maps)}
    heads = cycle(label_maps)
    for number in range(chunks):
        real = bool(scans) and (number % REAL_EVERY == REAL_EVERY - 1 or not label_maps)
        path = next(around[real])
        name = f"{person_of(path)}_{kind or ''}{number:05d}"
        head = next(heads, None) if real else None
        jobs.append(ChunkJob(name, path, person_of(path), real, seed + number, kind, head))
    animals = chunks // ZOO_EVERY if label_maps and kind is None else 0
    return jobs + [_zoo_job(next(heads), number, seed + number) for number in range(animals)]


def _zoo_job(path: Path, number: int, seed: int) -> ChunkJob:
    return ChunkJob(f"{person_of(path)}_zoo{number:05d}", path, person_of(path), False, seed, zoo=True)


def make_chunk(job: ChunkJob, folder: Path) -> Path:
    """Make and write one chunk."""
    rng = np.random.default_rng([job.seed, 79 if job.zoo else 77])
    if job.zoo:
        return write_chunk(zoo_examples(rng, _head(job.path), job.person), folder, job.name)
    if job.real:
        return write_chunk(real_examples(rng, job.path, job.person, job.around), folder, job.name)
    return write_chunk(painted_examples(rng, job.path, job.person, job.kind), folder, job.name)


@lru_cache(maxsize=CACHED_HEADS)
def _head(path: Path) -> LabelMap:
    return load_label_map(path)


@lru_cache(maxsize=CACHED_HEADS)
def _scan(path: Path, person: str) -> CleanScan:
    return read_clean(path, person)


def painted_examples(rng: np.random.Generator, path: Path, person: str, kind: str | None = None) -> list[Example]:
    """Examples of one deformed head: several scans of it, each corrupted in several ways, and improper ones."""
    head = place_head(rng, _head(path), person)
    examples: list[Example] = []
    for _ in range(PAINTINGS):
        scan = paint(head, draw_painting(rng, head.values, kind))
        examples += [*corrupted(rng, scan), derived_example(rng, scan)]
    examples.append(zoo_example(rng, _head(path), person))
    if rng.random() < CHIMAP_SHARE:
        examples.append(zoo_example(rng, _head(path), person, "susceptibility_map"))
    return examples


def real_examples(rng: np.random.Generator, path: Path, person: str, around: Path | None = None) -> list[Example]:
    """Examples of one clean real scan, in its own voxels or others, and of its brain within the head `around`."""
    whole = _scan(path, person)
    scan = resample_clean(rng, whole) if rng.random() < 0.7 else whole
    examples = _of_real(rng, scan)
    if around is not None:
        examples += _of_real(rng, transplant(rng, resample_clean(rng, whole), _head(around)))
    return examples


def _of_real(rng: np.random.Generator, scan: CleanScan) -> list[Example]:
    """Corrupted, some scans in another contrast, and one that is improper."""
    shown = recolour(rng, scan) if rng.random() < RECOLOURED_SHARE else scan
    return [*corrupted(rng, shown), derived_example(rng, scan)]


def corrupted(rng: np.random.Generator, scan: CleanScan) -> list[Example]:
    """Eight examples of one clean scan; three of two movements, which are what costs."""
    still = apply_fault(scan, draw_fault(rng, "none"))
    moved = apply_fault(scan, draw_fault(rng, "motion"))
    again = apply_fault(scan, draw_fault(rng, "torchio" if rng.random() < TORCHIO_SHARE else "motion"))
    faded, paler = (apply_fault(scan, draw_fault(rng, "contrast")) for _ in range(2))
    rare = (*RARE_FAULTS, *OF_FLAIR) if scan.sequence == "FLAIR" and scan.fluid is not None else RARE_FAULTS
    other = apply_fault(scan, draw_fault(rng, str(rng.choice(rare))))
    return [
        finish(rng, still, draw_low_noise(rng)),
        finish(rng, still, draw_noise(rng, float(rng.uniform(0.8, 3.2)))),
        finish(rng, moved, draw_low_noise(rng)),
        finish(rng, moved, draw_noise(rng, float(rng.uniform(0.0, 3.0)))),
        finish(rng, again, draw_low_noise(rng)),
        finish(rng, faded, draw_low_noise(rng)),
        finish(rng, paler, draw_noise(rng, float(rng.uniform(0.0, 1.6)))),
        finish(rng, other, draw_noise(rng, float(rng.uniform(0.0, 1.6)))),
    ]
