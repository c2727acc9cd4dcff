"""Chunks of scans that are filed as FLAIR: good and bad ones, with FLAIR's own faults, and much that is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from brainsift.learn.people import take_turns
from brainsift.learn.quality.bank import Example, write_chunk
from brainsift.learn.quality.clean import CleanScan, PlacedHead, draw_painting, paint, place_head
from brainsift.learn.quality.corrupt import OF_FLAIR, apply_fault, draw_fault, draw_low_noise, finish
from brainsift.learn.quality.improper import derived_example, zoo_example
from brainsift.learn.quality.truth import sequence_of, truth_row
from brainsift.simulate.artefacts.intensity import draw_noise
from brainsift.simulate.labelmap import load_label_map

PAINTINGS = 2
"""FLAIR scans of each deformed head."""

MOVEMENTS = ("motion", "motion", "motion", "mixed")
"""Of each painting. Where its grade is hardest to tell is movement, and contrast lost beneath it."""

OTHERS = ("t2_se", "mprage", "stir")
"""Whole heads in 3D that are filed as FLAIR and are none: T2w, T1w, and STIR, whose fluid is bright."""

ZOO = 2
"""Examples of each chunk that show no head at all."""


@dataclass(frozen=True)
class FlairChunk:
    """One deformed head filed as FLAIR in many ways: which file, of whom, and how it is drawn.

    Attributes
    ----------
    spacing_mm : of the head; drawn if None.
    """

    name: str
    path: Path
    person: str
    seed: int
    spacing_mm: float | None = None
    zoo: int = ZOO


def plan_flair(label_maps: Sequence[Path], chunks: int, seed: int) -> list[FlairChunk]:
    """`chunks` jobs that go around the label maps.

    Raises
    ------
    ValueError
        if there is no label map.
    """
    turns = take_turns(label_maps, chunks, seed)
    return [FlairChunk(f"{one.person}_{n:04d}", one.path, one.person, one.seed) for n, one in enumerate(turns)]


def make_chunk(job: FlairChunk, folder: Path) -> Path:
    """Make and write one chunk."""
    return write_chunk(chunk_examples(job), folder, job.name)


def chunk_examples(job: FlairChunk) -> list[Example]:
    """The examples of a chunk: FLAIR scans, other sequences, and what is no head."""
    rng = np.random.default_rng([job.seed, 41])
    label_map = load_label_map(job.path)
    head = place_head(rng, label_map, job.person, job.spacing_mm)
    examples = [example for _ in range(PAINTINGS) for example in flair_examples(rng, head)]
    examples += [filed_as_flair(rng, head, kind) for kind in OTHERS]
    return examples + [_reject(zoo_example(rng, label_map, job.person)) for _ in range(job.zoo)]


def flair_examples(rng: np.random.Generator, head: PlacedHead) -> list[Example]:
    """One FLAIR, still, moved, pale and with an artefact of its own, and one that is no proper scan."""
    scan = paint(head, draw_painting(rng, head.values, "flair"))
    still = apply_fault(scan, draw_fault(rng, "none"))
    moved = [apply_fault(scan, draw_fault(rng, kind)) for kind in MOVEMENTS]
    pale = apply_fault(scan, draw_fault(rng, "contrast"))
    own = apply_fault(scan, draw_fault(rng, str(rng.choice(OF_FLAIR))))
    noises = [draw_low_noise(rng), *(draw_noise(rng, float(rng.uniform(0.5, 3.0))) for _ in range(2))]
    return [
        *(finish(rng, still, noise) for noise in noises),
        *(finish(rng, one, draw_low_noise(rng)) for one in moved),
        *(finish(rng, one, draw_noise(rng, float(rng.uniform(0.3, 2.5)))) for one in moved[::2]),
        finish(rng, pale, draw_low_noise(rng)),
        finish(rng, own, draw_low_noise(rng)),
        derived_example(rng, scan),
    ]


def filed_as_flair(rng: np.random.Generator, head: PlacedHead, kind: str) -> Example:
    """A good scan of another sequence under the name of a FLAIR."""
    scan: CleanScan = paint(head, draw_painting(rng, head.values, kind))
    made = finish(rng, apply_fault(scan, draw_fault(rng, "none")), draw_low_noise(rng))
    return _reject(replace(made, facts=made.facts | {"fault": f"filed_{kind}"}))


def _reject(example: Example) -> Example:
    """What is proper of another sequence is not proper as the one that it is filed as, and has no grades."""
    return replace(example, truth=truth_row({"proper": False, "sequence": sequence_of(example.truth)}))
