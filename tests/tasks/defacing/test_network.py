"""What the network is given, and what it is not to be misled by."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from brainsift.tasks.defacing.network import (
    BLANK_SIGNALS,
    KNOWN_ROW,
    LAYERS,
    SIGNAL_NAMES,
    VIEWS,
    look_at,
    network_input,
)
from tests.tasks.defacing.scene import average_masks, face_cut, scan

BLANKED = LAYERS.index("blanked")


def planes(of_input: np.ndarray) -> np.ndarray:
    """The layers of emptied air of all views, (views, rows, columns)."""
    return of_input[:-1].reshape(len(VIEWS), len(LAYERS), *of_input.shape[1:])[:, BLANKED]


def known(of_input: np.ndarray) -> list[bool]:
    """Whether the signals of emptied air are known."""
    return [bool(of_input[-1, KNOWN_ROW, SIGNAL_NAMES.index(name)]) for name in BLANK_SIGNALS]


def test_emptied_air_before_the_face_is_told_where_other_air_is_noisy() -> None:
    made = network_input(look_at(*scan(face_cut())))
    assert planes(made).max() > 0.5
    assert known(made) == [True, True]


def test_emptied_air_says_nothing_where_all_air_is_masked() -> None:
    head, brain = average_masks()
    volume, anatomy = scan(face_cut())
    data = np.where(head | brain, volume.data, np.float32(0))
    seen = look_at(replace(volume, data=data), replace(anatomy, image=data))
    assert seen.signals["blank_behind_share"] is not None
    assert seen.signals["blank_behind_share"] > 0.9
    made = network_input(seen)
    assert planes(made).max() == 0
    assert known(made) == [False, False]
