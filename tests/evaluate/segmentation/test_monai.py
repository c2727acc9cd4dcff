"""Dice and HD95 equal MONAI's on random masks."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from brainsift.evaluate.segmentation.overlap import dice
from brainsift.evaluate.segmentation.surface import hausdorff_mm

torch = pytest.importorskip("torch")
pytest.importorskip("monai", reason="MONAI (extra `dev`) is not installed")

SPACING = (0.9, 1.1, 3.0)


def blobs(rng: np.random.Generator, shape: tuple[int, int, int], share: float) -> np.ndarray:
    field = ndimage.gaussian_filter(rng.standard_normal(shape), 1.5)
    return np.asarray(field > np.quantile(field, 1 - share))


@pytest.mark.parametrize("seed", range(6))
def test_dice_and_hd95_equal_monais(seed: int) -> None:
    from monai.metrics import compute_dice, compute_hausdorff_distance

    rng = np.random.default_rng(seed)
    shape = (18, 22, 14)
    reference, result = blobs(rng, shape, 0.12), blobs(rng, shape, 0.08)
    result |= reference & (rng.random(shape) < 0.7)
    y, y_pred = (torch.from_numpy(mask[None, None].astype(np.float32)) for mask in (reference, result))
    assert dice(reference, result) == pytest.approx(float(compute_dice(y_pred, y)[0, 0]), abs=1e-6)
    theirs = compute_hausdorff_distance(y_pred, y, include_background=True, percentile=95, spacing=SPACING)
    assert hausdorff_mm(reference, result, SPACING) == pytest.approx(float(theirs[0, 0]), abs=1e-5)
