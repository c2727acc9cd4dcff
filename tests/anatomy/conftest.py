"""Fixtures of the anatomy room."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from brainsift.anatomy.anatomy import Anatomy
from brainsift.anatomy.compute import compute_anatomy
from tests.anatomy.synthetic import T1W, KnownTruth, average_head, render, soft, volume_of

DATA = Path(__file__).parents[3] / "shared" / "data"

Head = tuple[NDArray[np.uint8], NDArray[np.float64]]


@pytest.fixture(scope="session")
def data_folder() -> Path:
    if not DATA.is_dir():
        pytest.skip("the shared test data (../shared/data) are not on this machine")
    return DATA


@pytest.fixture(scope="session")
def head() -> Head:
    return average_head()


@pytest.fixture(scope="session")
def t1w_anatomy(head: Head) -> Anatomy:
    labels, affine = head
    volume = volume_of(render(labels, T1W), affine)
    return compute_anatomy(volume, KnownTruth(volume, soft(labels)))
