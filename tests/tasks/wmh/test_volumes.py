"""Regions add up, nothing is nothing, and every lesion is where and what it is."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brainsift.anatomy.labels import Tissue
from brainsift.tasks.tables import table_text
from brainsift.tasks.wmh.lesions import Lesion, list_lesions
from brainsift.tasks.wmh.marked import mark
from brainsift.tasks.wmh.native import NativeMap
from brainsift.tasks.wmh.places import Region, find_places
from brainsift.tasks.wmh.task import measure, measurements
from brainsift.tasks.wmh.volumes import apportion, region_volumes_ml
from tests.tasks.wmh.scene import anatomy, labels_at, measured, volume

REGIONS = [region.word for region in Region]


def native_of(levels: np.ndarray, spacing: float) -> NativeMap:
    """A map whose first voxel is 30 mm left, behind and below the middle of the head."""
    affine = np.diag([spacing, spacing, spacing, 1.0])
    affine[:3, 3] = -30.0
    x, y, z = levels.shape
    return NativeMap(levels, (slice(0, x), slice(0, y), slice(0, z)), affine, (x, y, z))


@given(
    seed=st.integers(0, 10**6),
    share=st.floats(0, 0.5),
    spacing=st.floats(0.5, 4.0),
    threshold=st.floats(0.05, 0.95),
    smallest=st.floats(0, 50),
)
@settings(max_examples=12, deadline=None)
def test_regions_add_up_to_the_total_for_any_mask(
    seed: int, share: float, spacing: float, threshold: float, smallest: float
) -> None:
    rng = np.random.default_rng(seed)
    levels = np.where(rng.random((14, 13, 12)) < share, rng.integers(0, 256, (14, 13, 12)), 0).astype(np.uint8)
    marked = mark(native_of(levels, spacing), threshold, smallest)
    places = find_places(marked, anatomy())
    told = region_volumes_ml(marked, places)
    total = told.pop("total")
    assert list(told) == REGIONS
    assert round(sum(told.values()), 3) == total
    assert total == pytest.approx(int(marked.mask.sum()) * spacing**3 / 1000, abs=0.0006)
    lesions = list_lesions(marked, places, volume().input_grid, None)
    assert sum(one.volume_mm3 for one in lesions) == pytest.approx(marked.volume_mm3, abs=0.001 * len(lesions) + 1e-6)


@given(st.lists(st.floats(0, 1e5), max_size=8))
def test_rounded_parts_sum_to_the_rounded_sum(parts: list[float]) -> None:
    whole = apportion(parts)
    assert sum(whole) == round(sum(parts))
    assert all(abs(a - b) < 1 + 1e-6 for a, b in zip(whole, parts, strict=True))


def test_an_empty_mask_gives_zeros_and_no_nan() -> None:
    found = measured(())
    numbers = measurements(found, anatomy())
    assert found.marked.count == 0
    for name, value in numbers.items():
        if name != "white_grey_contrast":
            assert value == 0, name
    table = table_text(Lesion, list_lesions(found.marked, found.places, volume().input_grid, np.eye(4)))
    assert table == "\t".join(field.name for field in fields(Lesion)) + "\n"


@pytest.mark.parametrize(
    ("place", "region"),
    [
        ((-12.0, 36.0, 6.0), "periventricular"),  # before the frontal horn
        ((30.0, -40.0, 34.0), "deep"),
        ((0.0, -28.0, -34.0), "infratentorial"),  # pons
        ((22.0, -62.0, -34.0), "infratentorial"),  # cerebellar white matter
    ],
)
def test_a_small_lesion_lies_in_the_region_of_its_place(place: tuple[float, float, float], region: str) -> None:
    assert labels_at(place) in (Tissue.WHITE, Tissue.BRAINSTEM, Tissue.CEREBELLUM)
    small = small_lesion(place)
    numbers = measurements(small, anatomy())
    assert numbers[f"{region}_ml"] == numbers["volume_ml"] > 0


def small_lesion(place: tuple[float, float, float]):  # type: ignore[no-untyped-def]
    """A lesion of 3 mm at a place, in a box around it."""
    from tests.tasks.wmh.scene import probability

    affine = np.eye(4)
    affine[:3, 3] = np.asarray(place) - 8
    levels = np.rint(255 * probability(((place, 2.0),), (17, 17, 17), affine)).astype(np.uint8)
    native = NativeMap(levels, (slice(0, 17),) * 3, affine, (17, 17, 17))
    return measure(native, anatomy(), 0.5, 3.0)


def test_a_lesion_under_the_cortex_is_juxtacortical_even_where_it_was_taken_for_cortex() -> None:
    known = anatomy()
    under = [p for p in np.argwhere(known.labels == Tissue.WHITE) if 30 < p[2] < 80]
    from brainsift.anatomy.regions import cortex_distance, ventricle_distance

    near, far = cortex_distance(known), ventricle_distance(known)
    rim = next(p for p in under if near[tuple(p)] <= 2.1 and far[tuple(p)] > 14)
    deep = max(under, key=lambda p: min(near[tuple(p)], far[tuple(p)] - 6))
    for voxel, region in ((rim, "juxtacortical"), (deep, "deep")):
        place = known.affine[:3, :3] @ voxel + known.affine[:3, 3]
        numbers = measurements(small_lesion(tuple(place)), known)
        assert numbers[f"{region}_ml"] > 0.5 * numbers["volume_ml"]
    # The anatomy pass takes the deep lesion for grey matter, as it does in T1w: it is no cortex.
    wrong = known.labels.copy()
    i, j, k = deep
    wrong[i - 1 : i + 2, j - 1 : j + 2, k - 1 : k + 2] = Tissue.CORTEX
    place = known.affine[:3, :3] @ deep + known.affine[:3, 3]
    found = small_lesion(tuple(place))
    places = find_places(found.marked, replace(known, labels=wrong))
    assert (places.region == Region.DEEP).all()


def test_without_ventricles_or_cortex_all_is_deep() -> None:
    known = anatomy()
    plain = np.where(known.labels > Tissue.HEAD, np.uint8(Tissue.WHITE), known.labels)
    found = measured()
    places = find_places(found.marked, replace(known, labels=plain, to_mni=None))
    assert (places.region == Region.DEEP).all()


def test_the_table_says_where_each_lesion_is_in_the_file_in_space_and_in_mni() -> None:
    to_mni = np.eye(4)
    to_mni[:3, 3] = 1.0, 2.0, 3.0
    found = measured()
    # The file's first axis runs forwards, its second one up, its third one to the left.
    grid = replace(volume().input_grid, axes=(2, 0, 1), flips=(True, False, False), shape=(108, 100, 96))
    lesions = list_lesions(found.marked, found.places, grid, to_mni)
    assert [one.lesion for one in lesions] == [1, 2, 3, 4, 5, 6]
    volumes = [one.volume_mm3 for one in lesions]
    assert volumes == sorted(volumes, reverse=True)
    first = lesions[0]
    assert (first.x_mm, first.y_mm, first.z_mm) == pytest.approx((-24, 30, 20), abs=0.1)
    assert (first.mni_x_mm, first.mni_y_mm, first.mni_z_mm) == pytest.approx((-23, 32, 23), abs=0.1)
    ras = np.array([-24 + 48, 30 + 56, 20 + 44])
    assert (first.i_voxel, first.j_voxel, first.k_voxel) == pytest.approx((ras[1], ras[2], 95 - ras[0]), abs=0.1)
    assert first.diameter_mm == pytest.approx(16, abs=0.6)
    assert 0.5 < first.mean_probability < first.max_probability <= 1
    header, row, *_ = table_text(Lesion, lesions).splitlines()
    assert dict(zip(header.split("\t"), row.split("\t"), strict=True))["region"] == first.region


def test_without_a_place_in_mni_the_table_says_so() -> None:
    found = measured()
    lesions = list_lesions(found.marked, found.places, volume().input_grid, None)
    assert lesions[0].mni_x_mm is None
    assert "\tn/a\tn/a\tn/a\t" in table_text(Lesion, lesions)
