"""Build the bank of examples: one chunk per head and seed, in several processes; what is done is not done again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from brainsift.anatomy.compute import compute_anatomy
from brainsift.learn.as_read import as_volume
from brainsift.learn.defacing.bank import Example, write_chunk
from brainsift.learn.defacing.places import places_of
from brainsift.learn.defacing.truth import truth_row
from brainsift.learn.people import take_turns
from brainsift.simulate.deface.draw import DefacedExample, draw_defaced_example
from brainsift.simulate.deface.fill import kept_by
from brainsift.simulate.deface.marked import MarkedHead, load_marked_head
from brainsift.simulate.deface.truth import DefacingLabel
from brainsift.tasks.defacing.network import FEATURES, standard_head, window_of

AIMS: tuple[DefacingLabel, ...] = (
    "correct", "insufficient", "correct", "failed", "correct", "excessive", "correct", "insufficient", "failed",
    "excessive",
)  # fmt: skip
"""What is asked for in each chunk, all of one head. A correct defacing is harder to draw than a faulty one: three of
eight that were asked for came out, the others are labelled as what they are."""

CACHED_HEADS = 24
"""Some 15 MB each; a chunk of every head comes by in turn, and reading one takes as long as two examples."""


@dataclass(frozen=True)
class ChunkJob:
    """One chunk: which file, of whom, whose faces may be pasted, which tools, and the seed."""

    name: str
    path: Path
    person: str
    donors: tuple[Path, ...]
    exclude: tuple[str, ...]
    masks: Path | None
    seed: int


def plan_chunks(
    label_maps: Sequence[Path], chunks: int, seed: int, *, exclude: tuple[str, ...] = (), masks: Path | None = None
) -> list[ChunkJob]:
    """`chunks` jobs that go around the label maps.

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
    return jobs


def _donors(label_maps: Sequence[Path], number: int) -> tuple[Path, ...]:
    """Whose face may be pasted in a chunk: another one's each round, and never from the other side of the split."""
    n = len(label_maps)
    return (label_maps[(number + 1 + number // n % (n - 1)) % n],) if n > 1 else ()


def make_chunk(job: ChunkJob, folder: Path) -> Path:
    """Make and write one chunk; 2 s an example on one core."""
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
    truth = drawn.truth
    left = {name: getattr(truth, name) for name in FEATURES}
    facts = {
        "tool": drawn.tool,
        "label": truth.label,
        "why": truth.why,
        "other_face": truth.other_face,
        "sequence": drawn.sequence,
        "fill": str(drawn.parameters["defacing"]["fill"]["kind"]),
        "brain_removed_ml": round(truth.brain_removed_ml, 2),
        "brain_removed_share": round(truth.brain_removed_share, 4),
        "brain_removed_depth_mm": round(truth.brain_removed_depth_mm, 1),
        "left": {name: None if share is None else round(share, 3) for name, share in left.items()},
        "spacing_mm": [round(float(s), 2) for s in drawn.spacing_mm],
    }
    row = truth_row(truth.label, left, bool(drawn.changed.any()), kept_by(drawn.fill))
    return Example(window_of(head), places_of(drawn, head), row, person, facts)
