from __future__ import annotations

import numpy as np

from brainsift.anatomy.cleaning import bounding_box, clean_labels, fill_holes, main_pieces
from brainsift.anatomy.labels import Tissue


def one_hot(labels: np.ndarray) -> np.ndarray:
    return np.stack([np.where(labels == t, 0.9, 0.1 / 9) for t in Tissue]).astype(np.float32)


def test_stray_piece_goes_back_to_the_head() -> None:
    labels = np.full((30, 30, 30), Tissue.HEAD, np.uint8)
    labels[5:20, 5:20, 5:20] = Tissue.WHITE
    labels[25:27, 25:27, 25:27] = Tissue.CORTEX
    cleaned, brain = clean_labels(one_hot(labels), np.ones(labels.shape, bool))
    assert (cleaned[25:27, 25:27, 25:27] == Tissue.HEAD).all()
    assert brain.sum() == 15**3


def test_fluid_next_to_the_brain_stays() -> None:
    labels = np.zeros((20, 20, 20), np.uint8)
    labels[5:15, 5:15, 5:15] = Tissue.CSF
    labels[7:13, 7:13, 7:13] = Tissue.CORTEX
    cleaned, _ = clean_labels(one_hot(labels), np.ones(labels.shape, bool))
    np.testing.assert_array_equal(cleaned, labels)


def test_nothing_is_labelled_outside_the_field_of_view() -> None:
    labels = np.full((10, 10, 10), Tissue.WHITE, np.uint8)
    seen = np.zeros(labels.shape, bool)
    seen[:, :, :4] = True
    cleaned, brain = clean_labels(one_hot(labels), seen)
    assert not cleaned[:, :, 4:].any()
    assert not brain[:, :, 4:].any()


def test_large_second_piece_of_a_slab_stays() -> None:
    mask = np.zeros((30, 30, 5), bool)
    mask[2:12], mask[20:26] = True, True
    assert main_pieces(mask, 0.1).sum() == mask.sum()


def test_holes_are_filled_and_open_cavities_are_not() -> None:
    mask = np.zeros((9, 9, 9), bool)
    mask[1:8, 1:8, 1:8] = True
    mask[4, 4, 4] = False
    open_cavity = mask.copy()
    open_cavity[4, 4, 4:] = False
    assert fill_holes(mask)[4, 4, 4]
    assert not fill_holes(open_cavity)[4, 4, 5]


def test_no_brain_gives_an_empty_mask() -> None:
    _, brain = clean_labels(one_hot(np.full((8, 8, 8), Tissue.HEAD, np.uint8)), np.ones((8, 8, 8), bool))
    assert not brain.any()
    assert bounding_box(brain) == (slice(0, 0),) * 3
