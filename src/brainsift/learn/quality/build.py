"""Build the bank of examples: one chunk per head and seed, in several processes; what is done is not done again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import cycle
from pathlib import Path
from types import MappingProxyType
from typing import Literal

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
from brainsift.learn.quality.gradient_echo import gradient_echo_examples
from brainsift.learn.quality.improper import derived_example, zoo_example
from brainsift.learn.quality.recolour import recolour
from brainsift.learn.quality.torchio_motion import INSTALLED
from brainsift.learn.quality.transplant import transplant
from brainsift.learn.quality.zoo import zoo_examples
from brainsift.simulate.artefacts.intensity import draw_noise
from brainsift.simulate.labelmap import LabelMap, load_label_map

PAINTINGS = 2
"""Scans of each deformed head: deforming costs as much as painting."""

RARE_FAULTS = ("ghost", "ringing", "spikes", "blur", "bias", "metal", "mixed")

TORCHIO_SHARE = 0.7 if INSTALLED else 0.0
"""Of the second movements of a scan, the first being of k-space; none where TorchIO is not installed."""

CHIMAP_SHARE = 0.5
"""Of the label maps' chunks hold a map of susceptibility, which is a proper scan of its kind."""

REAL_EVERY = 2
"""One chunk in so many is of a real scan."""

Instead = Literal["zoo", "gradient_echo"]

MORE_EVERY: Mapping[Instead, int] = MappingProxyType({"zoo": 8, "gradient_echo": 3})
"""For so many chunks there is one more of these."""

SEEDS: Mapping[Instead | None, int] = MappingProxyType({None: 77, "zoo": 79, "gradient_echo": 83})

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
    instead : of paintings, one example of each kind of the ``zoo``, or a ``gradient_echo`` in all its images.
    """

    name: str
    path: Path
    person: str
    real: bool
    seed: int
    kind: str | None = None
    around: Path | None = None
    instead: Instead | None = None


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
    if label_maps and kind is None:
        for instead, every in MORE_EVERY.items():
            jobs += [_more(next(heads), instead, number, seed + number) for number in range(chunks // every)]
    return jobs


def _more(path: Path, instead: Instead, number: int, seed: int) -> ChunkJob:
    person = person_of(path)
    return ChunkJob(f"{person}_{instead}{number:05d}", path, person, False, seed, instead=instead)


def make_chunk(job: ChunkJob, folder: Path) -> Path:
    """Make and write one chunk."""
    rng = np.random.default_rng([job.seed, SEEDS[job.instead]])
    if job.instead is not None:
        make = zoo_examples if job.instead == "zoo" else gradient_echo_examples
        return write_chunk(make(rng, _head(job.path), job.person), folder, job.name)
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
