"""Heads to test on: ellipsoids, and an atlas built from a few of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from brainsift.simulate.atlas import Atlas, load_atlas, save_atlas
from brainsift.simulate.atlas_build import Grid, build_atlas
from brainsift.simulate.labelmap import LabelMap, make_label_map
from tests.simulate.phantom import SPACING_MM, phantom_labels, write_phantom


@pytest.fixture(scope="session")
def phantom() -> LabelMap:
    """A head of ellipsoids at 2 mm."""
    return make_label_map(phantom_labels(), SPACING_MM)


@pytest.fixture(scope="session")
def phantom_files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Three heads of different size as files."""
    folder = tmp_path_factory.mktemp("label_maps")
    return [write_phantom(folder / f"head_{i}.nii.gz", size) for i, size in enumerate((0.94, 1.0, 1.06))]


@pytest.fixture(scope="session")
def phantom_atlas(phantom_files: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Atlas:
    """An atlas of those heads at 6 mm, written and read again."""
    path = tmp_path_factory.mktemp("atlas") / "atlas.npz"
    grid = Grid(shape=(30, 42, 39), spacing_mm=6.0, first_mm=(-110.0, -120.0))
    save_atlas(build_atlas(phantom_files, report=lambda _: None, grid=grid), path)
    return load_atlas(path)


@pytest.fixture
def rng() -> np.random.Generator:
    """Seeded."""
    return np.random.default_rng(20)
