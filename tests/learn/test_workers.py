"""Making chunks in other processes: what is there is left alone, each process has one thread."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from brainsift.learn.workers import make_missing


@dataclass(frozen=True)
class Job:
    """A chunk that holds which process made it, and with how many threads."""

    name: str


def make(job: Job, folder: Path) -> Path:
    """What a worker imports and calls."""
    import torch

    if job.name == "bad":
        raise ValueError("bad cannot be made")
    path = folder / job.name
    path.write_text(f"{os.getpid()} {os.environ['OMP_NUM_THREADS']} {torch.get_num_threads()}")
    return path


def test_a_process_of_one_thread_makes_what_is_missing(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    jobs = [Job("there"), Job("a"), Job("b")]
    made = make_missing(jobs, ["there"], partial(make, folder=tmp_path), 1, lambda *done: told.append(done))
    assert (made, told) == (3, [(2, 3), (3, 3)])
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "b"]
    process, variable, threads = (tmp_path / "a").read_text().split()
    assert (int(process) != os.getpid(), variable, threads) == (True, "1", "1")


def test_a_chunk_that_fails_says_why(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="bad cannot be made"):
        make_missing([Job("bad")], [], partial(make, folder=tmp_path), 0)
