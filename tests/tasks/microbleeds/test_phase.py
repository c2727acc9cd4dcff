"""Phase is told from magnitude and susceptibility by how it wraps, in real crops too."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from numpy.typing import NDArray

from brainsift.tasks.microbleeds.phase import wraps

SCANS = Path(__file__).parents[3].parent / "shared" / "data" / "scans"
SHAPE = (60, 60, 12)
EVERYWHERE = np.ones(SHAPE, np.bool_)


def phase(noise: float = 0.2, seed: int = 0) -> NDArray[np.float32]:
    """Smooth phase over several turns, wrapped into -pi to pi."""
    x, y, z = np.meshgrid(*(np.linspace(-1, 1, n) for n in SHAPE), indexing="ij")
    true = 12 * (x**2 + 0.7 * y) + 4 * z + np.random.default_rng(seed).normal(0, noise, SHAPE)
    return ((true + np.pi) % (2 * np.pi) - np.pi).astype(np.float32)


def tissues(edge: float, seed: int = 0) -> NDArray[np.float32]:
    """Stripes of fluid and white matter, and a little of what lies between."""
    x = np.arange(SHAPE[0])[:, None, None] / 6
    share = 1 / (1 + np.exp(-np.sin(x) / edge)) * np.ones(SHAPE)
    return (0.15 + 0.65 * share + np.random.default_rng(seed).normal(0, 0.03, SHAPE)).astype(np.float32)


@pytest.mark.parametrize("scale", [(1.0, 0.0), (4096 / np.pi, 0.0), (4096 / (2 * np.pi), 2048.0)])
@pytest.mark.parametrize("noise", [0.05, 0.4])
def test_phase_is_told_in_any_units(scale: tuple[float, float], noise: float) -> None:
    gain, offset = scale
    assert wraps((phase(noise) * gain + offset).astype(np.float32), EVERYWHERE)


@pytest.mark.parametrize("edge", [0.02, 0.1, 0.5])
def test_tissues_with_sharp_and_soft_edges_are_no_phase(edge: float) -> None:
    assert not wraps(tissues(edge), EVERYWHERE)


def test_noise_is_no_phase() -> None:
    rng = np.random.default_rng(1)
    assert not wraps(np.abs(rng.normal(0, 1, SHAPE)).astype(np.float32), EVERYWHERE)
    assert not wraps(rng.uniform(0, 1, SHAPE).astype(np.float32), EVERYWHERE)
    assert not wraps(np.ones(SHAPE, np.float32), EVERYWHERE)


def test_what_lies_outside_does_not_count() -> None:
    assert not wraps(phase(), np.zeros(SHAPE, np.bool_))


@pytest.mark.parametrize(
    ("name", "expected"), [("gre7t_crop_a_phase", True), ("gre7t_crop_a_mag", False), ("gre7t_crop_b_mag", False)]
)
def test_real_crops_are_told_apart(name: str, expected: bool) -> None:
    path = SCANS / f"{name}.nii"
    if not path.is_file():
        pytest.skip(f"{path.name} of shared/data is not here")
    data = np.asarray(nib.load(path).dataobj, np.float32)  # type: ignore[attr-defined]
    first = data if data.ndim == 3 else data[..., -1]
    assert wraps(first, np.ones(first.shape, np.bool_)) is expected
