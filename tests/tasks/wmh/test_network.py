"""What the lesion network sees: where it is, on which scale, and what must not change it."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from scipy.ndimage import distance_transform_edt

from brainsift.anatomy.anatomy import Anatomy
from brainsift.anatomy.labels import Tissue
from brainsift.anatomy.tissue_stats import inner_voxels, tissue_statistics
from brainsift.scans.conform import resample_linear
from brainsift.scans.errors import ScanError
from brainsift.tasks.wmh.box import MARGIN_MM, brain_box
from brainsift.tasks.wmh.network import BRIGHTEST, CHANNELS, MULTIPLE_OF, Prepared, prepare, probability
from brainsift.tasks.wmh.scaling import grey_scale, white_field
from tests.anatomy.synthetic import FLAIR, T1W, T2W, render, volume_of
from tests.tasks.wmh.scene import anatomy

SIZE = 0.6
"""Of the average head: everything takes a fifth of the time."""

SMALL = np.diag([SIZE, SIZE, SIZE, 1.0])


def known(image: np.ndarray) -> Anatomy:
    """The anatomy of the small head over an image of it."""
    labels = anatomy().labels
    return replace(anatomy(), affine=SMALL @ anatomy().affine, image=image, tissue=tissue_statistics(labels, image))


def seen(image: np.ndarray) -> Prepared:
    one = known(image)
    return prepare(volume_of(image, one.affine), one)


@cache
def plain() -> np.ndarray:
    return render(anatomy().labels, T1W, noise=0.01)


@cache
def at_tissue(tissue: Tissue) -> np.ndarray:
    """Inner voxels of a class on the network's grid, as its own channel of the share would have them."""
    one = known(np.where(anatomy().labels == tissue, np.float32(1), np.float32(0)))
    prepared = seen(plain())
    share = resample_linear(one.image, one.affine, prepared.input.shape[1:], prepared.affine)  # type: ignore[arg-type]
    return share > 0.99


def test_the_box_holds_the_whole_brain_at_one_millimetre() -> None:
    prepared, one = seen(plain()), known(plain())
    assert prepared.input.shape[0] == len(CHANNELS)
    assert all(n % MULTIPLE_OF == 0 for n in prepared.input.shape[1:])
    np.testing.assert_allclose(np.sqrt((prepared.affine[:3, :3] ** 2).sum(axis=0)), 1.0)
    assert prepared.input.min() >= 0
    assert prepared.input.max() <= 1
    brain = np.argwhere(one.brain) @ one.affine[:3, :3].T + one.affine[:3, 3]
    back = np.linalg.inv(prepared.affine)
    voxels = brain @ back[:3, :3].T + back[:3, 3]
    assert (voxels.min(axis=0) >= MARGIN_MM - 1).all()
    assert (voxels.max(axis=0) <= np.array(prepared.input.shape[1:]) - MARGIN_MM).all()


def test_grey_values_are_shares_of_white_matter_above_fluid() -> None:
    image = seen(plain()).input[0] * BRIGHTEST
    white, grey = np.median(image[at_tissue(Tissue.WHITE)]), np.median(image[at_tissue(Tissue.DEEP_GREY)])
    assert white == pytest.approx(1, abs=0.02)
    assert grey == pytest.approx((0.68 - 0.15) / (0.85 - 0.15), abs=0.05)
    assert np.median(image[at_tissue(Tissue.VENTRICLES)]) < 0.05


def test_units_and_offset_of_a_scan_change_nothing() -> None:
    first, second = seen(plain()), seen(plain() * np.float32(0.02) - np.float32(7))
    np.testing.assert_allclose(first.input, second.input, atol=2e-3)


def test_a_coils_field_is_taken_out_and_a_lesion_is_not() -> None:
    """At full size: the smoothing is in mm."""
    labels, white = anatomy().labels, anatomy().labels == Tissue.WHITE
    deepest = np.array(np.unravel_index(distance_transform_edt(white).argmax(), labels.shape))
    grid = np.stack(np.meshgrid(*(np.arange(n) for n in labels.shape), indexing="ij"))
    ball = (((grid - deepest.reshape(3, 1, 1, 1)) ** 2).sum(axis=0) < 5**2) & white
    slope = 1 + 0.3 * np.linspace(-1, 1, labels.shape[0])[:, None, None]
    image = (np.where(ball, np.float32(640), plain()) * slope).astype(np.float32)
    one = replace(known(image), affine=anatomy().affine)
    scale = grey_scale(one)
    assert scale is not None
    field, _ = white_field(one, scale)
    share = (image - scale.fluid) / (scale.white - scale.fluid) / field.repeat(2, 0).repeat(2, 1).repeat(2, 2)
    inner = inner_voxels(labels) & white & ~ball
    assert np.std(image[inner]) / np.mean(image[inner]) > 0.07
    assert np.std(share[inner]) < 0.03
    assert np.median(share[ball]) == pytest.approx((640 - 150) / (850 - 150), abs=0.06)


def test_a_stripped_head_looks_like_a_whole_one() -> None:
    inside = np.isin(anatomy().labels, (Tissue.BACKGROUND, Tissue.HEAD), invert=True)
    whole, stripped = seen(plain()), seen(np.where(inside, plain(), np.float32(0)))
    brain = at_tissue(Tissue.WHITE) | at_tissue(Tissue.CORTEX)
    np.testing.assert_allclose(stripped.input[0][brain], whole.input[0][brain], atol=0.02)
    assert (whole.input[0] == 0).mean() > 0.2  # scalp and air are blanked


def test_the_anatomy_lies_over_the_image() -> None:
    prepared = seen(plain())
    t1w, white, deep, ventricles = prepared.input
    assert t1w[white > 0.9].mean() > t1w[deep > 0.9].mean() > t1w[ventricles > 0.99].mean()
    assert ventricles[white > 0.9].min() < 0.3 < 0.8 < ventricles[white > 0.9].max()  # far and near white matter


def test_beyond_the_field_of_view_there_is_nothing() -> None:
    """The lower third of the scan is missing: the anatomy knows no brain there, the box still has whole sizes."""
    one = known(plain())
    cut = one.labels.shape[2] // 3
    moved = one.affine.copy()
    moved[:3, 3] += moved[:3, 2] * cut
    part = replace(
        one, labels=one.labels[..., cut:], brain=one.brain[..., cut:], image=one.image[..., cut:], affine=moved
    )
    prepared = prepare(volume_of(np.ascontiguousarray(one.image[..., cut:]), moved), part)
    assert all(n % MULTIPLE_OF == 0 for n in prepared.input.shape[1:])
    assert not prepared.input[0][~prepared.inside].any()


@pytest.mark.parametrize(
    ("change", "kind"),
    [({"has_brain": False}, "no_brain"), ({"brain": np.zeros_like(anatomy().brain)}, "no_brain")],
)
def test_without_a_brain_nothing_is_prepared(change: dict[str, object], kind: str) -> None:
    one = replace(known(plain()), **change)
    with pytest.raises(ScanError) as error:
        prepare(volume_of(plain(), one.affine), one)
    assert error.value.kind == kind


@pytest.mark.parametrize("contrast", [T2W, FLAIR], ids=["T2w", "FLAIR"])
def test_another_contrast_is_refused(contrast: dict[Tissue, float]) -> None:
    image = render(anatomy().labels, contrast)
    assert grey_scale(known(image)) is None
    with pytest.raises(ScanError, match="not brighter than grey matter"):
        seen(image)


def test_a_box_may_reach_over_a_small_grid() -> None:
    one = known(plain())
    frame = brain_box(one, one.affine, (20, 90, 30), 16)
    assert all(n % 16 == 0 for n in frame.shape)
    with pytest.raises(ValueError, match="no brain"):
        brain_box(replace(one, brain=np.zeros_like(one.brain)), one.affine, (20, 90, 30), 16)


def test_answers_become_probabilities() -> None:
    logits = np.array([-100.0, 0.0, np.log(3), 100.0], np.float32).reshape(1, 1, 1, 1, 4)
    np.testing.assert_allclose(probability(logits)[0, 0], [0, 0.5, 0.75, 1], atol=1e-6)
    with pytest.raises(ValueError, match="import another"):
        probability(np.zeros((1, 2, 4, 4, 4), np.float32))
