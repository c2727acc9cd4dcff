"""What the network is given of a scan."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from brainsift.anatomy.labels import Tissue
from brainsift.tasks.defacing.frame import GRID_MM, GRID_ORIGIN_MM, standard_head
from brainsift.tasks.defacing.network import CHANNELS, LEVELS, WINDOW, WINDOW_SHAPE, look_at, network_input, window_of
from tests.tasks.defacing.scene import average_masks, face_cut, scan


def shown(name: str, channels: np.ndarray) -> np.ndarray:
    """One channel of an input (1, channels, X, Y, Z)."""
    return channels[0, CHANNELS.index(name)]


def test_the_window_holds_face_ears_and_the_brain_below_the_crown() -> None:
    for axis, (low, high) in enumerate(((-100, 100), (-90, 110), (-126, 60))):
        first = GRID_ORIGIN_MM[axis] + GRID_MM * (WINDOW[axis].start or 0)
        last = GRID_ORIGIN_MM[axis] + GRID_MM * (WINDOW[axis].stop - 1)
        assert first <= low
        assert last >= high


def test_a_cut_is_seen_as_empty_and_tissues_as_the_anatomy_pass_names_them() -> None:
    cut = face_cut()
    volume, anatomy = scan(cut)
    given = network_input(look_at(volume, anatomy).window)
    assert given.shape == (1, len(CHANNELS), *WINDOW_SHAPE)
    assert 0 <= given.min() <= given.max() <= 1
    head, brain = (mask[WINDOW] for mask in average_masks())
    gone = cut[WINDOW]
    np.testing.assert_array_equal(shown("empty", given)[gone], 1)
    assert shown("empty", given)[~gone].mean() < 0.01
    np.testing.assert_array_equal(shown("white", given) == 1, brain & ~gone)
    np.testing.assert_array_equal(shown("head", given) == 1, head & ~brain & ~gone)
    assert abs(np.median(shown("brightness", given)[brain & ~gone]) - 0.5) < 0.02, "the brain is half of the scale"
    assert shown("inside", given).all()


def test_a_voxel_that_a_cut_passes_through_is_partly_empty() -> None:
    volume, anatomy = scan(face_cut())
    filled = np.ones(volume.shape, np.float32)
    filled[40:60] = 0.4
    seen = network_input(look_at(volume, replace(anatomy, filled=filled)).window)
    np.testing.assert_allclose(shown("empty", seen)[41:59], 0.6, atol=0.08)
    assert (shown("empty", seen)[62:] == 0).all()


def test_every_tissue_is_packed_beside_what_else_is_known_of_a_voxel() -> None:
    volume, anatomy = scan()
    labels = np.zeros_like(anatomy.labels)
    for tissue in Tissue:
        labels[10 * tissue : 10 * tissue + 10] = tissue
    window = window_of(standard_head(volume, replace(anatomy, labels=labels)))
    assert window.brightness.max() <= LEVELS
    given = window.channels()[3:]
    assert (given.sum(axis=0) == (labels[WINDOW] != Tissue.BACKGROUND)).all()
