from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import spearmanr

from brainsift.simulate.artefacts.course import ORDERS, Jerk, Swallow, line_times, positions
from brainsift.simulate.artefacts.motion import (
    MAX_STATES,
    STILL,
    Motion,
    apply_motion,
    draw_motion,
    join_rotations,
    line_weights,
)
from tests.simulate.artefacts.conftest import SPACING_MM, blobs, grid_mm

Float32 = NDArray[np.float32]
Mask = NDArray[np.bool_]

ALL = (-1.0, 2.0)
"""From before the scan to after it."""


def _jerk(at: float, until: float = 1.0, **by: float) -> Jerk:
    names = ("x", "y", "z", "pitch", "roll", "yaw")
    x, y, z, pitch, roll, yaw = (by.get(name, 0.0) for name in names)
    return Jerk(at, until, (x, y, z, pitch, roll, yaw))


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_still_head_gives_the_image_itself(axis: int, head: Float32, brain: Mask) -> None:
    moved = apply_motion(head, replace(STILL, axis=axis), SPACING_MM, brain)
    assert np.abs(moved.image - head).max() < 1e-5
    assert moved.displacement_mm == 0
    assert moved.change < 1e-5


@pytest.mark.parametrize("by", [{"x": 4.0, "y": -3.0}, {"z": 5.0, "pitch": 4.0, "yaw": -3.0}])
def test_another_position_kept_for_the_whole_scan_is_no_motion(
    by: dict[str, float], head: Float32, brain: Mask
) -> None:
    moved = apply_motion(head, replace(STILL, jerks=(_jerk(*ALL, **by),)), SPACING_MM, brain)
    assert np.abs(moved.image - head).max() < 1e-4
    assert moved.displacement_mm < 1e-6


def test_all_lines_but_the_centre_in_another_position_show_the_head_there(head: Float32, brain: Mask) -> None:
    # Taken from the centre outwards, all but the first lines see the head where it went; these few hold the mean and
    # the slowest waves, so compare what is left of both.
    motion = replace(STILL, order="centric", jerks=(_jerk(0.01, x=3.0, y=-2.0, z=2.5, yaw=4.0),))
    moved = apply_motion(head, motion, SPACING_MM, brain)
    turned = np.deg2rad(4.0)
    x, y, z = grid_mm()
    back = np.stack([x - 3.0, y + 2.0, z - 2.5])
    there = blobs(
        np.stack(
            [
                np.cos(turned) * back[0] + np.sin(turned) * back[1],
                -np.sin(turned) * back[0] + np.cos(turned) * back[1],
                back[2],
            ]
        )
    )
    to_there, to_here = (np.corrcoef(moved.image[brain], other[brain])[0, 1] for other in (there, head))
    assert to_there > 0.97
    assert to_there > to_here + 0.1


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_lines_moved_by_a_shift_have_its_phase(axis: int, head: Float32, brain: Mask) -> None:
    motion = replace(STILL, axis=axis, jerks=(_jerk(0.52, x=1.0, y=2.0, z=-1.5),))
    moved = apply_motion(head, motion, SPACING_MM, brain)
    # One half of the outer lines is displaced, so the magnitude changes; but for tails in the margin no energy is lost.
    assert 0.005 < moved.change < 0.5
    before, after = np.sum(head.astype(np.float64) ** 2), np.sum(moved.image.astype(np.float64) ** 2)
    assert after == pytest.approx(before, rel=3e-3)


def test_displacement_grows_with_the_size_of_the_move(head: Float32, brain: Mask) -> None:
    sizes = (0.5, 1.0, 2.0, 4.0)
    moved = [
        apply_motion(head, replace(STILL, jerks=(_jerk(0.55, z=mm, pitch=mm),)), SPACING_MM, brain) for mm in sizes
    ]
    grown = [m.displacement_mm for m in moved]
    assert grown == sorted(grown)
    assert grown[-1] == pytest.approx(8 * grown[0], rel=0.05)
    assert [m.change for m in moved] == sorted(m.change for m in moved)


def test_displacement_grows_the_nearer_the_move_comes_to_the_centre_of_k_space(head: Float32, brain: Mask) -> None:
    found = [
        apply_motion(head, replace(STILL, jerks=(_jerk(at, x=3.0),)), SPACING_MM, brain) for at in (0.9, 0.7, 0.6, 0.52)
    ]
    assert [m.displacement_mm for m in found] == sorted(m.displacement_mm for m in found)
    assert [m.change for m in found] == sorted(m.change for m in found)


def test_a_pure_shift_displaces_by_its_length_times_the_weight_of_its_lines(head: Float32, brain: Mask) -> None:
    # In linear order the second half of the scan takes the positive frequencies: half of the weight.
    moved = apply_motion(head, replace(STILL, axis=0, jerks=(_jerk(0.51, x=3.0, y=4.0),)), SPACING_MM, brain)
    assert moved.displacement_mm == pytest.approx(2.5, rel=0.2)


def test_weights_are_shares_and_symmetric() -> None:
    rows = np.fft.rfft(np.random.default_rng(0).random((16, 8, 8)), axis=0).astype(np.complex64)
    weight = line_weights(rows, 0, 16)
    assert weight.sum() == pytest.approx(1)
    assert weight[0] == 0
    assert np.allclose(weight[1:8], weight[:-8:-1])


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("n", [64, 75])
def test_every_line_is_taken_once(order: str, n: int) -> None:
    times = line_times(replace(STILL, order=order, shots=4 if order == "interleaved" else 1), n)
    assert sorted(times) == list(range(n))


def test_orders_take_lines_when_they_should() -> None:
    assert line_times(STILL, 8).tolist() == [0, 1, 2, 3, 4, 5, 6, 7]
    assert line_times(replace(STILL, order="centric"), 8)[4] == 0
    # Two shots: even lines first, then odd ones.
    assert line_times(replace(STILL, order="interleaved", shots=2), 8).tolist() == [0, 4, 1, 5, 2, 6, 3, 7]
    # Twice as fast: each line that is not measured has the time of a neighbour that is.
    assert line_times(replace(STILL, acceleration=2), 8).tolist() == [0, 2, 2, 4, 4, 6, 6, 7]


def test_the_course_drifts_jerks_and_swallows() -> None:
    drift = positions(replace(STILL, drift=(2.0, 0.0, 0.0, 0.0, 0.0, 0.0)), 1000)[:, 0]
    assert drift[-1] - drift[0] == pytest.approx(2.0, rel=0.02)
    assert np.abs(np.diff(drift)).max() < 0.02
    jerk = positions(replace(STILL, jerks=(_jerk(0.25, 0.75, z=3.0),)), 1000)[:, 2]
    assert (jerk == 3.0).sum() == 500
    swallow = positions(replace(STILL, swallows=(Swallow(0.5, 0.02, (0.0, 0.0, 1.5, 1.0, 0.0, 0.0)),)), 1001)
    assert swallow[500, 2] == pytest.approx(1.5)
    assert np.abs(swallow[[0, 450, 550, 1000]]).max() < 1e-3


def test_few_rotations_stand_for_many() -> None:
    rng = np.random.default_rng(1)
    angles = np.repeat(rng.normal(0, 3, (4, 3)), 20, axis=0) + rng.normal(0, 0.01, (80, 3))
    angles[:20] = 0
    states, state = join_rotations(angles, np.full(80, 1 / 80))
    assert len(states) == 4
    assert np.abs(states[state] - angles).max() < 0.06
    drifting, _ = join_rotations(np.linspace(0, 5, 90).reshape(30, 3), np.full(30, 1 / 30))
    assert len(drifting) == MAX_STATES
    assert not drifting[0].any()


def test_the_draw_is_seeded_stored_and_grows_with_severity(head: Float32, brain: Mask) -> None:
    assert draw_motion(np.random.default_rng(3), 1.0) == draw_motion(np.random.default_rng(3), 1.0)
    rng = np.random.default_rng(4)
    asked = [0.0, 0.3, 1.0, 2.0] * 6
    drawn = [draw_motion(rng, severity) for severity in asked]
    got = [apply_motion(head, motion, SPACING_MM, brain).displacement_mm for motion in drawn]
    assert spearmanr(asked, got).statistic > 0.6
    assert max(mm for mm, severity in zip(got, asked, strict=True) if severity == 0) == 0
    assert json.loads(json.dumps(drawn[-1].to_dict()))["axis"] == drawn[-1].axis
    assert {motion.axis for motion in drawn} == {0, 1, 2}
    assert {motion.order for motion in drawn} == set(ORDERS)


def test_the_mask_is_found_where_none_is_given(head: Float32, brain: Mask) -> None:
    motion = draw_motion(np.random.default_rng(5), 1.0)
    assert apply_motion(head, motion, SPACING_MM).displacement_mm == pytest.approx(
        apply_motion(head, motion, SPACING_MM, brain).displacement_mm, rel=0.2
    )


def test_wrong_input_is_refused(head: Float32, brain: Mask) -> None:
    with pytest.raises(ValueError, match="brain must be a mask"):
        apply_motion(head, STILL, SPACING_MM, brain[:-1])
    with pytest.raises(ValueError, match="severity"):
        draw_motion(np.random.default_rng(0), -1.0)
    with pytest.raises(ValueError, match="axis 0-2"):
        Motion(3, "linear", 1, 1, (0, 0, 0), (0,) * 6, 0.0, (), ())
