"""A small study, and a way to run it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from brainsift.engine.settings import RunOptions, RunSettings
from brainsift.engine.study import run_study
from brainsift.engine.summary import RunSummary
from brainsift.store.table import TABLE_NAME, read_table
from tests.engine.parts import STAGES, file_catalog, write_ball

Run = Callable[..., RunSummary]
Rows = Callable[[], dict[str, dict[str, str]]]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """INPUT with two sound scans."""
    folder = tmp_path / "in"
    write_ball(folder / "a.nii", seed=1)
    write_ball(folder / "sub" / "b.nii", seed=2)
    return folder


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """OUTPUT, not there yet."""
    return tmp_path / "out"


@pytest.fixture
def run(source: Path, output: Path) -> Run:
    """Run the study in this process; options by name."""

    def call(settings: RunSettings | None = None, more: dict[str, Any] | None = None, **options: Any) -> RunSummary:
        chosen = RunOptions(**{"nprocs": 1, **options})
        return run_study(
            source, output, settings, chosen, **{"stages": STAGES, "catalog": file_catalog, **(more or {})}
        )

    return call


@pytest.fixture
def rows(output: Path) -> Rows:
    """Read the study table: scan → row."""
    return lambda: {row["scan"]: row for row in read_table(output / TABLE_NAME)}


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 500 kB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=500k", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip("mounting a small file system is not allowed here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
