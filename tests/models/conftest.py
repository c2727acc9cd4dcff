"""A shelf with a tiny model on it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from brainsift.models.checksums import record_sum
from brainsift.models.session import open_session
from brainsift.models.shelf import find
from tests.models.tiny import write_tiny_anatomy


@pytest.fixture(autouse=True)
def _fresh_caches() -> Iterator[None]:
    """Each test sees the files as they are, not as an earlier test left them."""
    find.cache_clear()
    open_session.cache_clear()
    yield
    find.cache_clear()
    open_session.cache_clear()


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    """Folder with a whole tiny `anatomy` model and its checksum."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    write_tiny_anatomy(folder / "anatomy.onnx")
    record_sum(folder, "anatomy.onnx")
    return folder
