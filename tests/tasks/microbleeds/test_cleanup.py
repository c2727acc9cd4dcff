"""Extent, place and verdict of a bleed: in millimetres, on any grid, and never dropped without a reason."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from brainsift.anatomy.anatomy import Anatomy
from brainsift.scans.volume import Volume
from brainsift.tasks.microbleeds.cleanup import LARGEST_MM, WORDS, judge
from brainsift.tasks.microbleeds.extent import Extent, extent_of
from brainsift.tasks.microbleeds.places import Place, find_places
from brainsift.tasks.microbleeds.polarity import Reading
from tests.tasks.microbleeds import scene
from tests.tasks.microbleeds.scene import BALLS, DEEP, LOBAR, Ball

GRE, QSM = Reading("gre"), Reading("qsm")

BALL = Extent(np.zeros((9, 3), np.intp), 3.0, 1.2, 4.0, 0.6)
INSIDE = Place("lobar", "left", None, (-30.0, -20.0, 40.0), -5.0, 20.0)


@cache
def drawn(spacing: tuple[float, float, float] = (1.0, 1.0, 2.0), kind: str = "gre") -> tuple[Volume, Anatomy]:
    volume = scene.qsm(spacing=spacing) if kind == "qsm" else scene.gre(spacing=spacing, vein=True)
    return volume, scene.anatomy_of(volume)


@pytest.mark.parametrize("spacing", [(0.8, 0.8, 1.2), (1.0, 1.0, 2.0)])
@pytest.mark.parametrize("ball", BALLS)
def test_the_diameter_is_that_of_what_is_dark(ball: Ball, spacing: tuple[float, float, float]) -> None:
    found = extent_of(*drawn(spacing), GRE, np.array(ball.mm))
    assert found.diameter_mm == pytest.approx(ball.diameter_mm, rel=0.2)
    assert found.elongation < 1.5
    assert found.contrast > 0.8


def test_in_a_map_of_susceptibility_what_is_bright_is_measured() -> None:
    found = extent_of(*drawn(kind="qsm"), QSM, np.array(DEEP.mm))
    assert found.diameter_mm == pytest.approx(DEEP.diameter_mm, rel=0.2)
    assert found.contrast == pytest.approx(0.6, abs=0.15)


def test_a_vein_is_long_and_a_bleed_does_not_flow_out_into_what_touches_it() -> None:
    volume, anatomy = drawn((0.8, 0.8, 1.2))
    start, end, _ = scene.VEIN
    vein = extent_of(volume, anatomy, GRE, (np.array(start) + end) / 2)
    assert vein.elongation > 4
    assert vein.long_voxels > 3
    near = volume.data.copy()
    beside = LOBAR.mm[0] + 4.5, LOBAR.mm[1], LOBAR.mm[2]
    near[scene.distance(volume, beside) < 2.6] = 0.01  # as dark as blood, and touching it
    found = extent_of(scene.with_data(volume, near), anatomy, GRE, np.array(LOBAR.mm))
    assert 3.0 < found.diameter_mm < 6.0


def test_where_nothing_stands_out_one_voxel_is_marked() -> None:
    volume, anatomy = drawn()
    flat = scene.with_data(volume, np.ones(volume.shape))
    assert len(extent_of(flat, anatomy, GRE, np.array(LOBAR.mm)).index) == 1


def test_places_are_named_by_group_and_side() -> None:
    _, anatomy = drawn()
    lobar, deep, low = find_places(np.array([ball.mm for ball in BALLS]), anatomy)
    assert (lobar.group, lobar.side) == ("lobar", "right")
    assert (deep.group, deep.side) == ("deep", "left")
    assert (low.group, low.side) == ("infratentorial", "right")
    assert lobar.mni_mm == pytest.approx(LOBAR.mm)
    assert lobar.outside_mm < -2
    assert find_places(np.zeros((0, 3)), anatomy) == []


def test_without_mni_the_side_is_that_of_the_brain_s_middle() -> None:
    anatomy = replace(drawn()[1], to_mni=None)
    found = find_places(np.array([LOBAR.mm, DEEP.mm, (0.5, -30.0, 50.0)]), anatomy)
    assert [place.side for place in found] == ["right", "left", "midline"]
    assert found[0].mni_mm is None
    assert found[0].mars is None


def test_distances_are_negative_inside_and_positive_outside_in_mm() -> None:
    _, anatomy = drawn()
    top = np.argwhere(anatomy.brain[:, :, :])
    highest = top[top[:, 2].argmax()]
    edge = anatomy.affine[:3, :3] @ highest + anatomy.affine[:3, 3]
    steps = np.array([-6.0, -2.0, 0.0, 3.0, 7.0])
    found = [place.outside_mm for place in find_places(edge + steps[:, None] * np.array([0.0, 0.0, 1.0]), anatomy)]
    assert found == sorted(found)
    assert found[0] < -2
    assert found[3] == pytest.approx(2.0, abs=0.7)
    assert found[4] == pytest.approx(6.0, abs=0.7)


def verdict(place: Place = INSIDE, extent: Extent = BALL, **how: bool) -> tuple[str, tuple[str, ...]]:
    found = judge(place, extent, **{"sure": True, "very_sure": False, "anatomy_trusted": True, **how})
    return found.verdict, found.reasons


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        (INSIDE, ("definite", ())),
        (replace(INSIDE, outside_mm=-0.3), ("definite", ())),  # in the cortex, at the very border
        (replace(INSIDE, outside_mm=1.5), ("definite", ())),  # the border errs by a voxel of 2 mm
        (replace(INSIDE, outside_mm=3.0), ("possible", ("brain_edge",))),
        (replace(INSIDE, outside_mm=6.0), ("dropped", ("outside_brain",))),
        (replace(INSIDE, ventricle_mm=0.5), ("definite", ())),
        (replace(INSIDE, ventricle_mm=-2.0), ("possible", ("ventricle_edge",))),
        (replace(INSIDE, ventricle_mm=-4.0), ("dropped", ("in_ventricle",))),
    ],
)
def test_where_a_place_lies_decides(place: Place, expected: tuple[str, tuple[str, ...]]) -> None:
    assert verdict(place) == expected


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"elongation": 2.0}, ("definite", ())),
        ({"elongation": 3.0}, ("possible", ("elongated",))),
        ({"elongation": 5.0}, ("dropped", ("vessel",))),
        ({"elongation": 5.0, "long_voxels": 2.0}, ("definite", ())),  # two thick slices share it
        ({"diameter_mm": LARGEST_MM + 1}, ("possible", ("too_large",))),
    ],
)
def test_its_shape_decides(change: dict[str, float], expected: tuple[str, tuple[str, ...]]) -> None:
    assert verdict(extent=replace(BALL, **change)) == expected  # type: ignore[arg-type]


def test_a_sure_bleed_on_a_vein_is_doubted_and_not_dropped() -> None:
    assert verdict(extent=replace(BALL, elongation=5.0), very_sure=True) == ("possible", ("vessel",))


def test_a_sure_bleed_may_be_a_little_long_and_a_little_outside() -> None:
    assert verdict(extent=replace(BALL, elongation=2.8), very_sure=True) == ("definite", ())
    assert verdict(extent=replace(BALL, elongation=3.2), very_sure=True) == ("possible", ("elongated",))
    assert verdict(replace(INSIDE, outside_mm=3.0), very_sure=True) == ("definite", ())
    assert verdict(replace(INSIDE, outside_mm=4.5), very_sure=True) == ("possible", ("brain_edge",))
    assert verdict(replace(INSIDE, outside_mm=6.0), very_sure=True) == ("dropped", ("outside_brain",))


def test_what_the_network_is_not_sure_of_is_possible() -> None:
    assert verdict(sure=False) == ("possible", ("unsure",))


def test_what_may_be_calcium_is_possible() -> None:
    assert verdict(calcifies=True) == ("possible", ("calcifies",))


def test_an_uncertain_anatomy_drops_nothing() -> None:
    found = verdict(replace(INSIDE, outside_mm=9.0), anatomy_trusted=False)
    assert found == ("possible", ("outside_brain", "anatomy_uncertain"))


def test_every_reason_has_its_words() -> None:
    worst = replace(BALL, elongation=9.0, diameter_mm=12.0)
    reasons = set()
    for outside, ventricle in ((3.0, 9.0), (9.0, 9.0), (-9.0, -2.0), (-9.0, -9.0)):
        for trusted in (True, False):
            place = replace(INSIDE, outside_mm=outside, ventricle_mm=ventricle)
            reasons |= set(verdict(place, worst, sure=False, anatomy_trusted=trusted)[1])
    reasons |= set(verdict(extent=replace(BALL, elongation=3.0))[1]) | set(verdict(calcifies=True)[1])
    assert reasons == set(WORDS) - {"not_a_bleed", "same_as_another"}
