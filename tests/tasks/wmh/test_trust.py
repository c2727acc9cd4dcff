"""What makes a volume doubtful, and the grades that follow from sizes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from brainsift.anatomy.anatomy import TissueStats
from brainsift.decide.wmh import REFERRED_FLAGS
from brainsift.tasks.wmh.grades import grade
from brainsift.tasks.wmh.marked import Marked, mark
from brainsift.tasks.wmh.native import LEVELS, NativeMap
from brainsift.tasks.wmh.places import Places, Region, find_places
from brainsift.tasks.wmh.trust import Trust, assess, flags
from tests.tasks.wmh.scene import anatomy, measured

SURE = Trust(4.0, 3.5, 4.5, 0.1, 0.2, 0.0, 0.3)
MM = (1.0, 1.0, 1.0)


@pytest.mark.parametrize(
    ("flag", "trust", "volume", "spacing", "known"),
    [
        ("brain_cut", {}, 4.0, MM, {"outside_fov": 0.1}),
        ("low_confidence", {}, 4.0, MM, {"confidence": 0.2}),
        ("not_placed", {}, 4.0, MM, {"to_mni": None}),
        ("out_of_distribution", {"contrast": -0.2}, 4.0, MM, {}),
        ("out_of_distribution", {"contrast": 0.7}, 4.0, MM, {}),
        ("outside_training_range", {}, 4.0, (1.0, 1.0, 5.0), {}),
        ("outside_training_range", {"low_ml": 119.0, "high_ml": 121.0}, 120.0, MM, {}),
        ("volume_uncertain", {"low_ml": 1.0, "high_ml": 6.0}, 4.0, MM, {}),
        ("volume_uncertain", {"low_ml": 0.0, "high_ml": 3.0}, 0.0, MM, {}),
        ("mostly_uncertain", {"uncertain_share": 0.8}, 4.0, MM, {}),
        ("marked_outside_brain", {"outside_brain_share": 0.6}, 4.0, MM, {}),
    ],
)
def test_each_doubt_is_told_and_known_to_the_rule(
    flag: str, trust: dict[str, float], volume: float, spacing: tuple[float, ...], known: dict[str, Any]
) -> None:
    told = flags(replace(SURE, **trust), volume, spacing, replace(anatomy(), **known))
    assert told == (flag,)
    assert flag in REFERRED_FLAGS


def test_a_plain_scan_has_no_doubts() -> None:
    assert flags(SURE, 4.0, MM, anatomy()) == ()
    assert flags(replace(SURE, contrast=None), 4.0, MM, anatomy()) == ()
    small = replace(SURE, low_ml=0.1, high_ml=0.9, uncertain_share=0.9)
    assert flags(small, 0.3, MM, anatomy()) == ()  # soft edges of a small lesion are no doubt


def assessed(levels: np.ndarray, threshold: float = 0.5) -> Trust:
    affine = np.eye(4)
    affine[:3, 3] = 20.0
    x, y, z = levels.shape
    native = NativeMap(levels.astype(np.uint8), (slice(0, x), slice(0, y), slice(0, z)), affine, (x, y, z))
    marked = mark(native, threshold)
    return assess(native, marked, find_places(marked, anatomy()), anatomy(), threshold)


def test_what_a_cautious_network_half_sees_counts_as_doubt() -> None:
    levels = np.zeros((20, 20, 20))
    levels[:10, :10, :5] = 255
    levels[:10, :10, 5:12] = 80
    trust = assessed(levels, 0.95)
    assert (trust.low_ml, trust.high_ml) == (0.5, 1.2)


def test_volumes_at_other_thresholds_hold_the_volume_between_them() -> None:
    levels = np.zeros((20, 20, 20))
    levels[:10, :10, :5] = 255
    levels[:10, :10, 5:8] = 150
    levels[:10, :10, 8:12] = 80
    levels[:10, :10, 12:] = 5  # below the floor: adds nothing to the expected volume
    trust = assessed(levels)
    assert (trust.low_ml, trust.high_ml) == (0.5, 1.2)
    assert trust.uncertain_share == pytest.approx(3 / 8)
    assert trust.expected_ml == pytest.approx(0.5 + 0.3 * 150 / LEVELS + 0.4 * 80 / LEVELS, abs=0.001)


def test_even_odds_have_an_entropy_of_one_bit_and_certainty_of_none() -> None:
    even, sure = np.zeros((8, 8, 8)), np.zeros((8, 8, 8))
    even[2:6, 2:6, 2:6], sure[2:6, 2:6, 2:6] = 128, 255
    assert assessed(even).entropy_bits == pytest.approx(1.0, abs=1e-4)
    assert assessed(sure).entropy_bits == pytest.approx(0.0, abs=1e-4)


def test_contrast_is_that_of_cortex_and_white_matter() -> None:
    assert assessed(np.zeros((4, 4, 4))).contrast == pytest.approx(1 - 600 / 850)
    bare = replace(anatomy(), tissue={"white": TissueStats(9, 0.0, 1.0)})
    native = NativeMap(np.zeros((2, 2, 2), np.uint8), (slice(0, 2),) * 3, np.eye(4), (2, 2, 2))
    marked = mark(native)
    assert assess(native, marked, find_places(marked, bare), bare, 0.5).contrast is None


def strip(thickness: int, length: int, region: Region, spike: int = 0) -> tuple[Marked, Places]:
    """A slab of 20 mm beside a ventricle wall at x = 0, with a spike of single voxels beyond it."""
    mask = np.zeros((60, 60, 60), np.bool_)
    mask[:thickness, :20, :length] = True
    mask[: thickness + spike, 0, 0] = True
    native = NativeMap((mask * 255).astype(np.uint8), (slice(0, 60),) * 3, np.eye(4), (60, 60, 60))
    marked = mark(native)
    mm = (marked.mm[:, 0] + 0.5).astype(np.float32)
    places = Places(np.full(len(mm), region, np.uint8), mm, np.ones(len(mm), np.bool_))
    return marked, places


@pytest.mark.parametrize(("thickness", "wanted"), [(3, 1), (7, 2), (14, 3)])
def test_periventricular_grade_follows_the_thickness_of_cap_or_band(thickness: int, wanted: int) -> None:
    found = grade(*strip(thickness, 20, Region.PERIVENTRICULAR))
    assert (found.periventricular, found.deep) == (wanted, 0)
    assert found.thickness_mm == pytest.approx(thickness - 0.5, abs=0.1)


def test_a_streak_into_the_depth_is_no_thickness() -> None:
    assert grade(*strip(3, 20, Region.PERIVENTRICULAR, spike=20)).periventricular == 1


@pytest.mark.parametrize(("size", "wanted"), [(2, 1), (12, 2), (40, 3)])
def test_deep_grade_follows_the_longest_axis(size: int, wanted: int) -> None:
    mask = np.zeros((50, 50, 50), np.bool_)
    mask[: max(2, size // 3), : max(2, size // 3), :size] = True
    native = NativeMap((mask * 255).astype(np.uint8), (slice(0, 50),) * 3, np.eye(4), (50, 50, 50))
    marked = mark(native)
    far = np.full(len(marked.index), 30.0, np.float32)
    places = Places(np.full(len(far), Region.DEEP, np.uint8), far, np.ones(len(far), np.bool_))
    found = grade(marked, places)
    assert (found.periventricular, found.deep) == (0, wanted)


def test_nothing_has_grade_zero_and_no_size() -> None:
    found = measured(())
    assert (found.grades.periventricular, found.grades.deep) == (0, 0)
    assert (found.grades.thickness_mm, found.grades.diameter_mm) == (0.0, 0.0)


def test_infratentorial_lesions_have_no_part_in_the_grades() -> None:
    found = grade(*strip(14, 20, Region.INFRATENTORIAL))
    assert (found.periventricular, found.deep, found.thickness_mm) == (0, 0, 0.0)
