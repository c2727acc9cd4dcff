"""A shelf with a tiny model on it."""

from __future__ import annotations

from pathlib import Path

import pytest

from brainsift.models.checksums import record_sum
from tests.models.tiny import write_tiny_anatomy


@pytest.fixture(autouse=True)
def _fresh_caches(fresh_shelves: None) -> None:
    """Each test sees the files as they are."""


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    """Folder with a whole tiny `anatomy` model and its checksum."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    write_tiny_anatomy(folder / "anatomy.onnx")
    record_sum(folder, "anatomy.onnx")
    return folder
