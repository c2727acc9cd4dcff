from __future__ import annotations

import numpy as np
import pytest

from brainsift.simulate.lesions.paint import Person
from brainsift.simulate.lesions.rated import Rating, draw_rating, rate
from brainsift.simulate.lesions.rater import PERFECT, Rater, outline, spoil
from brainsift.simulate.lesions.slices import PLANES, SliceGeometry, Stack, draw_slices, lay_slices, misplace

SPACING_MM = 2.0
SHAPE = (60, 70, 64)
BRAIN = (slice(12, 50), slice(10, 62), slice(10, 54))
NOWHERE = np.zeros((0, 3))


def _geometry(plane: str = "axial", gap_mm: float = 0.0, thickness_mm: float = 4.0) -> SliceGeometry:
    none = (0.0, 0.0, 0.0)
    return SliceGeometry(plane, (12.0, -5.0, 3.0), 2.0, thickness_mm, gap_mm, 1.0, none, none)


@pytest.mark.parametrize("plane", PLANES)
@pytest.mark.parametrize("gap_mm", [0.0, 2.0])
def test_slices_see_what_lies_at_the_place_that_their_affine_says(plane: str, gap_mm: float) -> None:
    stack = lay_slices(_geometry(plane, gap_mm), SHAPE, SPACING_MM, BRAIN)
    voxels = np.indices(stack.see(np.ones(SHAPE, np.float32)).shape).reshape(3, -1)
    at = stack.affine[:3, :3] @ voxels + stack.affine[:3, 3:]
    # Away from the edges, where half a voxel lies outside; a ramp's average is its value in the middle.
    inner = (at > 6).all(axis=0) & (at < np.array(SHAPE)[:, None] - 7).all(axis=0)
    assert inner.sum() > 1000
    for axis, ramp in enumerate(np.indices(SHAPE).astype(np.float32)):
        np.testing.assert_allclose(stack.see(ramp).ravel()[inner], at[axis, inner], atol=0.02)
    spacing = np.linalg.norm(stack.affine[:3, :3], axis=0) * SPACING_MM
    np.testing.assert_allclose(spacing, [2.0, 2.0, 4.0 + gap_mm])
    assert np.linalg.det(stack.affine[:3, :3]) > 0


def test_what_lies_in_a_gap_is_not_seen() -> None:
    none = (0.0, 0.0, 0.0)
    geometry = SliceGeometry("axial", none, 2.0, 4.0, 4.0, 0.0, none, none)
    stack = lay_slices(geometry, SHAPE, SPACING_MM, BRAIN)
    seen = [float(stack.see(_plate(z)).max()) for z in range(24, 40)]
    assert min(seen) == pytest.approx(0, abs=1e-5)
    assert max(seen) == pytest.approx(0.5, abs=0.01)


def _plate(z: int) -> np.ndarray:
    plate = np.zeros(SHAPE, np.float32)
    plate[:, :, z] = 1
    return plate


def test_stacks_are_drawn_within_the_limits() -> None:
    rng = np.random.default_rng(0)
    drawn = [draw_slices(rng) for _ in range(200)]
    assert {d.plane for d in drawn} == set(PLANES)
    for d in drawn:
        assert 3 <= d.thickness_mm <= 6
        assert 0 <= d.gap_mm <= 2
        assert np.abs(d.tilt_deg).max() <= 20
        assert np.linalg.norm(d.misplaced_mm) <= 2
        assert np.linalg.norm(d.misplaced_deg) <= 2
    exact = draw_slices(rng, misplaced=0.0)
    assert exact.misplaced_mm == exact.misplaced_deg == (0.0, 0.0, 0.0)
    np.testing.assert_array_equal(misplace(np.eye(4), exact, np.ones(3)), np.eye(4))
    assert draw_slices(rng, thick=False).thickness_mm < 1.6


@pytest.mark.parametrize("gap_mm", [0.0, 1.0])
def test_a_perfect_rater_keeps_the_volume_of_what_is_thicker_than_a_slice(gap_mm: float) -> None:
    at = np.indices(SHAPE).astype(np.float32)
    fine = np.zeros(SHAPE, np.float32)
    for centre, radius in (((20, 24, 22), 6.0), ((38, 45, 40), 8.0)):
        far = np.sqrt(sum((a - c) ** 2 for a, c in zip(at, centre, strict=True)))
        fine = np.maximum(fine, np.clip(radius - far + 0.5, 0, 1))
    voxel = (2.0, 2.0, 4.0 + gap_mm)
    share = lay_slices(_geometry(gap_mm=gap_mm), SHAPE, SPACING_MM, BRAIN).see(fine)
    truth_ml = fine.sum() * SPACING_MM**3 / 1000
    assert share.sum() * np.prod(voxel) / 1000 == pytest.approx(truth_ml, rel=0.03)
    label = outline(share, PERFECT, voxel, NOWHERE)
    assert label.sum() * np.prod(voxel) / 1000 == pytest.approx(truth_ml, rel=0.05)


def test_a_perfect_rater_agrees_with_himself_and_loses_only_what_is_thin(person: Person) -> None:
    head = person.head
    stack = lay_slices(_geometry(), head.codes.shape, head.spacing_mm, person.placed.ground.box)
    rated = rate(person, stack, Rating(PERFECT, None, 0), (2.0, 2.0, 4.0))
    assert rated.dice == 1
    assert rated.fault is None
    assert 0.65 < rated.label.sum() * 16 / 1000 / person.load_ml < 1.05


def test_a_rater_misses_small_lesions_and_keeps_large_ones() -> None:
    share = np.zeros((60, 60, 5), np.float32)
    share[5:25, 5:25, 1:4] = 1
    for i in range(10):
        share[30 + 2 * i, 3 * i, 2] = 1
    rater = Rater(threshold=0.5, jitter=0.0, miss_ml=0.05, miss_share=0.0, false_blobs=0, seed=1)
    label = outline(share, rater, (1.0, 1.0, 4.0), NOWHERE)
    assert label[5:25, 5:25, 1:4].all()
    assert label[30:].sum() < 5
    assert outline(share, PERFECT, (1.0, 1.0, 4.0), NOWHERE).sum() == share.sum()


def test_a_rater_wobbles_at_the_border_alone_and_adds_spots_where_they_may_be() -> None:
    rows, columns = np.mgrid[:60, :60]
    disc = np.clip((20 - np.hypot(rows - 30, columns - 30)) / 6 + 0.5, 0, 1).astype(np.float32)
    share = np.repeat(disc[:, :, None], 4, axis=2)
    label = outline(share, Rater(0.5, 0.15, 0.0, 0.0, 0, 2), (1.0, 1.0, 4.0), NOWHERE)
    perfect = outline(share, PERFECT, (1.0, 1.0, 4.0), NOWHERE)
    assert label[share == 1].all()
    assert not label[share == 0].any()
    assert 0 < np.count_nonzero(label != perfect) < 0.3 * perfect.sum()
    spots = outline(
        np.zeros_like(share), Rater(0.5, 0.1, 0.0, 0.0, 3, 2), (1.0, 1.0, 4.0), np.array([[10.0, 12.0, 1.0]])
    )
    assert spots[10, 12, 1] == 1
    assert not spots[:, :, [0, 2, 3]].any()


@pytest.mark.parametrize("fault", ["shifted", "other_person", "empty", "half_missed"])
def test_bad_labels_are_bad_and_say_so(fault: str, person: Person) -> None:
    head = person.head
    stack: Stack = lay_slices(_geometry(), head.codes.shape, head.spacing_mm, person.placed.ground.box)
    rated = rate(person, stack, Rating(PERFECT, fault, 5), (2.0, 2.0, 4.0))  # type: ignore[arg-type]
    assert rated.fault == fault
    assert rated.dice < 0.75
    assert rated.label.any() == (fault != "empty")


def test_next_to_nothing_can_only_be_replaced_by_another_persons() -> None:
    rng, label = np.random.default_rng(0), np.zeros((5, 5, 5), np.uint8)
    other = np.ones_like(label)
    assert spoil(label, "empty", rng, (1.0, 1.0, 4.0), other)[1] == "other_person"
    with pytest.raises(ValueError, match="another person"):
        spoil(label, "shifted", rng, (1.0, 1.0, 4.0), None)
    with pytest.raises(ValueError, match=r"between 0 and 1, got 1\.5"):
        draw_rating(rng, 1.5)
    assert [draw_rating(rng, share).fault is None for share in (0.0, 1.0)] == [True, False]
