"""Build the bank of examples: one chunk per head and seed, in several processes; what is done is not done again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from brainsift.anatomy.compute import compute_anatomy
from brainsift.learn.as_read import as_volume
from brainsift.learn.defacing.again import defaced_again
from brainsift.learn.defacing.bank import Example, write_chunk
from brainsift.learn.defacing.places import places_of
from brainsift.learn.defacing.truth import row_and_facts
from brainsift.learn.people import take_turns
from brainsift.simulate.deface.draw import DefacedExample, draw_defaced_example
from brainsift.simulate.deface.marked import MarkedHead, load_marked_head
from brainsift.simulate.deface.truth import DefacingLabel
from brainsift.tasks.defacing.network import standard_head, window_of

AIMS: tuple[DefacingLabel, ...] = (
    "correct", "insufficient", "correct", "failed", "correct", "excessive", "correct", "insufficient", "failed",
    "excessive",
)  # fmt: skip
"""What is asked for in each chunk, all of one head. A correct defacing is harder to draw than a faulty one: three of
eight that were asked for came out, the others are labelled as what they are."""

AGAIN_AIMS: tuple[DefacingLabel, ...] = (*AIMS, "insufficient", "excessive")

AGAIN_CHUNKS = 3
"""For each chunk of training there are so many of one scan that is defaced again and again: seven seconds for twelve
examples instead of twenty for ten. Maps that are learnt from few defacings are learnt by heart (decision 0025)."""

CACHED_HEADS = 24
"""Some 15 MB each; a chunk of every head comes by in turn, and reading one takes as long as two examples."""


@dataclass(frozen=True)
class ChunkJob:
    """One chunk: which file, of whom, whose faces may be pasted, which tools, and the seed.

    Attributes
    ----------
    again : one scan that is defaced many times, rather than as many scans.
    """

    name: str
    path: Path
    person: str
    donors: tuple[Path, ...]
    exclude: tuple[str, ...]
    masks: Path | None
    seed: int
    again: bool = False


def plan_chunks(
    label_maps: Sequence[Path],
    chunks: int,
    seed: int,
    *,
    exclude: tuple[str, ...] = (),
    masks: Path | None = None,
    again: int = 0,
) -> list[ChunkJob]:
    """`chunks` jobs that go around the label maps, then `again` of one scan each that is defaced many times.

    Parameters
    ----------
    exclude : tools that are held out.
    masks : folder with masks of real tools.

    Raises
    ------
    ValueError
        if there is no label map.
    """
    jobs = []
    for number, (name, path, person, own_seed) in enumerate(take_turns(label_maps, chunks, seed)):
        donors = _donors(label_maps, number) if "reface" not in exclude else ()
        jobs.append(ChunkJob(name, path, person, donors, exclude, masks, own_seed))
    for name, path, person, own_seed in take_turns(label_maps, again, seed):
        jobs.append(ChunkJob(f"{name}_again", path, person, (), exclude, masks, own_seed, again=True))
    return jobs


def _donors(label_maps: Sequence[Path], number: int) -> tuple[Path, ...]:
    """Whose face may be pasted in a chunk: another one's each round, and never from the other side of the split."""
    n = len(label_maps)
    return (label_maps[(number + 1 + number // n % (n - 1)) % n],) if n > 1 else ()


def make_chunk(job: ChunkJob, folder: Path) -> Path:
    """Make and write one chunk; 2 s an example on one core, 0.6 s where one scan is defaced again."""
    if job.again:
        rng = np.random.default_rng([job.seed, 43])
        made = defaced_again(rng, _head(job.path), job.person, AGAIN_AIMS, job.exclude, job.masks)
        return write_chunk(made, folder, job.name)
    rng = np.random.default_rng([job.seed, 41])
    donors = [_head(path) for path in job.donors]
    examples = []
    for aim in AIMS:
        drawn = draw_defaced_example(
            rng, _head(job.path), label=aim, exclude=job.exclude, donors=donors, masks=job.masks
        )
        examples.append(simulated_example(drawn, job.person))
    return write_chunk(examples, folder, job.name)


@lru_cache(maxsize=CACHED_HEADS)
def _head(path: Path) -> MarkedHead:
    return load_marked_head(path)


def simulated_example(drawn: DefacedExample, person: str) -> Example:
    """What inference sees of a simulated scan, by the real anatomy pass, with its truth."""
    volume = as_volume(drawn.image, drawn.affine)
    head = standard_head(volume, compute_anatomy(volume, threads=1))
    row, facts = row_and_facts(
        drawn.truth, bool(drawn.changed.any()), drawn.tool, drawn.fill, drawn.sequence, drawn.spacing_mm
    )
    return Example(window_of(head), places_of(drawn, head), row, person, facts)
