"""Training images: majority vote, determinism, and truth that fits the image."""

from pathlib import Path

import numpy as np
import pytest

from brainsift.anatomy.labels import N_TISSUES, Tissue
from brainsift.learn.anatomy.data import CROP_SHAPES, HeadStream, deform_head, draw_painting, majority, paint_head
from brainsift.simulate.labelmap import load_label_map


def test_majority_takes_the_commonest_class_of_each_block() -> None:
    rng = np.random.default_rng(0)
    fine = rng.integers(0, N_TISSUES, (8, 6, 4)).astype(np.uint8)
    coarse = majority(fine)
    for i, j, k in np.ndindex(coarse.shape):
        block = fine[2 * i : 2 * i + 2, 2 * j : 2 * j + 2, 2 * k : 2 * k + 2]
        counts = np.bincount(block.ravel(), minlength=N_TISSUES)
        assert counts[coarse[i, j, k]] == counts.max()


def test_the_same_painting_gives_the_same_image(label_maps: Path) -> None:
    head = load_label_map(label_maps / "person_0_labels.nii.gz")
    deformed = deform_head(np.random.default_rng(1), head)
    painting = draw_painting(np.random.default_rng(2), head.values)
    first, second = paint_head(deformed, painting), paint_head(deformed, painting)
    assert np.array_equal(first[0], second[0])
    assert np.array_equal(first[1], second[1])


def test_a_t1w_painting_of_an_uncut_head_shows_white_matter_brighter_than_csf(label_maps: Path) -> None:
    head = load_label_map(label_maps / "person_0_labels.nii.gz")
    rng = np.random.default_rng(3)
    for _ in range(4):
        image, tissue = paint_head(deform_head(rng, head), draw_painting(rng, head.values, "mprage", whole=True))
        assert np.median(image[tissue == Tissue.WHITE]) > np.median(image[tissue == Tissue.CSF])


def test_stream_yields_normalised_images_in_the_sizes_of_the_inference_crop(label_maps: Path) -> None:
    stream = iter(HeadStream(sorted(label_maps.iterdir()), seed=4, spacing_mm=4.0, bank=2, reuse=2))
    for _ in range(6):
        image, tissue = next(stream)
        assert image.shape[0] == 1
        assert tuple(image.shape[1:]) == tuple(tissue.shape)
        assert tuple(tissue.shape) in {tuple(n // 2 for n in shape) for shape in CROP_SHAPES}
        assert 0 <= float(image.min()) <= float(image.max()) <= 1
        assert int(tissue.max()) < N_TISSUES


@pytest.mark.parametrize(
    ("one", "other", "same"), [((1, 0), (1, 0), True), ((1, 0), (2, 0), False), ((1, 0), (1, 9), False)]
)
def test_seed_and_start_fix_the_stream(
    label_maps: Path, one: tuple[int, int], other: tuple[int, int], same: bool
) -> None:
    paths = sorted(label_maps.iterdir())[:1]
    a, b = (next(iter(HeadStream(paths, seed, start, spacing_mm=4.0))) for seed, start in (one, other))
    assert (a[0].shape == b[0].shape and bool((a[0] == b[0]).all())) is same
