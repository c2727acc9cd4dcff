"""The two domains of the adaptation study: scans filed as T1w with labels, scans filed as FLAIR with another mix.

Examples are small: four slices of each orientation instead of eight, the middle 160 x 144 pixels of 224 x 192, at the
same 1 mm, because noise and ripples vanish at 2 mm.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from brainsift.learn.people import person_of
from brainsift.learn.quality.bank import Bank, Example, chunk_names, load_bank, write_chunk
from brainsift.learn.quality.flair import FlairChunk, chunk_examples
from brainsift.learn.quality.truth import COLUMNS
from brainsift.learn.workers import make_missing
from brainsift.tasks.quality.network import GRADED, SEQUENCES

SOURCE_HEADS = tuple(f"head_{n:02d}" for n in range(1, 9))
TARGET_HEADS = tuple(f"head_{n:02d}" for n in range(9, 17))
TEST_HEADS = tuple(f"head_{n:02d}" for n in range(17, 21))
"""Label maps of either domain; real T1w scans are the source's too."""

KEPT_SLICES = (0, 2, 4, 6)
"""Of the eight of each orientation."""

ROWS, COLUMNS_SEEN = slice(32, 192), slice(24, 168)

SEED = 4_100_000
"""No bank of the product uses these."""


@dataclass(frozen=True)
class Mix:
    """Shares of straight rejects, and of tiers 1, 2 and 3 among the others."""

    rejects: float
    tiers: tuple[float, float, float]

    def shares(self) -> tuple[float, float, float, float]:
        """Of rejects and the tiers, summing to 1."""
        one, two, three = (t * (1 - self.rejects) for t in self.tiers)
        return self.rejects, one, two, three


SOURCE_MIX = Mix(0.15, (0.50, 0.30, 0.20))
TARGET_MIX = Mix(0.30, (0.20, 0.30, 0.50))
"""The clinical FLAIR scans of Loizillon 2025 had other shares of rejects and tiers than their T1w scans; here they
differ on purpose, and much."""


def plan_flair(label_maps: Path, heads: Sequence[str], chunks: int, seed: int) -> list[FlairChunk]:
    """`chunks` jobs that go around the heads; each deformed head counts as a person.

    Raises
    ------
    ValueError
        if a head is not in the folder.
    """
    found = {person_of(path): path for path in sorted(label_maps.glob("*.nii.gz"))}
    missing = [head for head in heads if head not in found]
    if missing or not heads:
        raise ValueError(f"{label_maps} holds no label map of {', '.join(missing) or 'anybody'}")
    names = [f"{heads[n % len(heads)]}_{n:04d}" for n in range(chunks)]
    return [FlairChunk(name, found[heads[n % len(heads)]], name, seed + n) for n, name in enumerate(names)]


def build_flair(
    jobs: Sequence[FlairChunk], folder: Path, workers: int, progress: Callable[[int, int], None] | None = None
) -> int:
    """Make the chunks that are not there yet; returns how many are there."""
    return make_missing(jobs, chunk_names(folder), partial(_make_small, folder=folder), workers, progress)


def _make_small(job: FlairChunk, folder: Path) -> Path:
    return write_chunk([small(example) for example in chunk_examples(job)], folder, job.name)


def small(example: Example) -> Example:
    """Fewer slices, and their middle."""
    per_axis = len(example.pixels) // 3
    kept = [axis * per_axis + i for axis in range(3) for i in KEPT_SLICES if i < per_axis]
    return replace(example, pixels=np.ascontiguousarray(example.pixels[kept][:, ROWS, COLUMNS_SEEN]))


def write_source(bank: Bank, folder: Path, count: int, seed: int, per_chunk: int = 50) -> Bank:
    """Scans filed as T1w from a bank of the quality network, small, in `SOURCE_MIX`; as they are where they lie there.

    FLAIR scans are left out: nothing of the source may know them. Whole heads of other sequences are rejects.
    """
    if not (folder / "done").exists():
        of_t1w = [i for i in range(len(bank)) if _of_source(bank, i)]
        filed = bank.only(of_t1w).with_truth(_as_t1w(bank.truth[of_t1w]))
        chosen = filed.only(pick(filed, count, SOURCE_MIX, seed))
        for first in range(0, len(chosen), per_chunk):
            rows = range(first, min(first + per_chunk, len(chosen)))
            examples = [
                small(Example(chosen.pixels(i), chosen.truth[i], chosen.people[i], chosen.facts[i])) for i in rows
            ]
            write_chunk(examples, folder, f"source_{first:05d}")
        (folder / "done").touch()
    return load_bank(folder)


def _of_source(bank: Bank, row: int) -> bool:
    person = bank.people[row]
    named = bank.truth[row, COLUMNS.index("sequence")]
    known = person in SOURCE_HEADS or person.startswith("t1w_")
    return known and not (np.isfinite(named) and SEQUENCES[int(named)] == "FLAIR")


def _as_t1w(truth: NDArray[np.float32]) -> NDArray[np.float32]:
    filed = truth.copy()
    other = truth[:, COLUMNS.index("sequence")] != SEQUENCES.index("T1w")
    filed[other, COLUMNS.index("proper")] = 0.0
    filed[np.ix_(np.flatnonzero(other), [COLUMNS.index(name) for name in (*GRADED, "gadolinium")])] = np.nan
    return filed


def classes(bank: Bank) -> NDArray[np.int64]:
    """0 for a straight reject, else the tier; (N,)."""
    grades = bank.truth[:, [COLUMNS.index(name) for name in GRADED]]
    worst = np.where(np.isfinite(grades), grades, 0.0).max(axis=1)
    tiers = 1 + np.searchsorted([0.5, 1.5], worst, side="right")
    return np.where(bank.truth[:, COLUMNS.index("proper")] == 0, 0, tiers).astype(np.int64)


def pick(bank: Bank, count: int, mix: Mix, seed: int) -> list[int]:
    """Rows of `count` examples in the shares of a mix, in random order; as many as there are of a class too rare."""
    rng = np.random.default_rng([seed, 43])
    of_class, chosen = classes(bank), []
    for number, share in enumerate(mix.shares()):
        rows = rng.permutation(np.flatnonzero(of_class == number))
        chosen += rows[: round(share * count)].tolist()
    return rng.permutation(chosen).tolist()


@lru_cache(maxsize=8)
def open_bank(folder: Path) -> Bank:
    """A bank, opened once."""
    return load_bank(folder)
