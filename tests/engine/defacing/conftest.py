"""A study to act on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from brainsift.store.database import Database
from tests.engine.defacing.study import Study


@pytest.fixture
def study(tmp_path: Path) -> Iterator[Study]:
    """An empty study."""
    source, output = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    output.mkdir()
    with Database(output) as database:
        yield Study(source, output, database)
