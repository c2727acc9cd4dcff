"""Scans that are defaced on the standard grid must look as if their files had been defaced."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from brainsift.anatomy.compute import compute_anatomy
from brainsift.evaluate.segmentation.overlap import dice
from brainsift.learn.as_read import as_volume
from brainsift.learn.defacing.again import Shown, brightest, defaced_again, on_standard_grid, redrawn
from brainsift.learn.defacing.places import BRAIN, CHANGED, pack_places
from brainsift.simulate.atlas import load_atlas
from brainsift.simulate.atlas_draw import draw_label_map
from brainsift.simulate.deface.draw import deface
from brainsift.simulate.deface.fill import Fill, kept_by
from brainsift.simulate.deface.geometry import Float32, HeadGeometry
from brainsift.simulate.deface.marked import MarkedHead, mark_head
from brainsift.simulate.deface.scene import Scene, draw_scene, make_scene, paint_scene
from brainsift.simulate.deface.tools import TOOLS, Defacing, draw_defacing, reach_of
from brainsift.simulate.deface.truth import measure_defacing
from brainsift.tasks.defacing.network import (
    INSIDE,
    WINDOW,
    sample_nearest,
    standard_head,
    standard_step,
    window_of,
)

AIMS = ("correct", "insufficient", "excessive")


@pytest.fixture(scope="module")
def head() -> MarkedHead:
    return mark_head(draw_label_map(load_atlas(), np.random.default_rng(2), 1.5))


@pytest.fixture(scope="module")
def scene(head: MarkedHead) -> Scene:
    return make_scene(head, draw_scene(np.random.default_rng(4), head, 1.5, "mprage"))


@pytest.fixture(scope="module")
def image(scene: Scene) -> Float32:
    return paint_scene(scene)


@pytest.fixture(scope="module")
def shown(scene: Scene, image: Float32) -> Shown:
    volume = as_volume(image, scene.affine)
    seen = standard_head(volume, compute_anatomy(volume, threads=1))
    geometry = on_standard_grid(scene, seen)
    return Shown(scene, seen, geometry, brightest(image, scene, seen.image[geometry.brain]))


def plane(fill: str) -> Defacing:
    drawn = draw_defacing(np.random.default_rng(8), "plane", "excessive")
    return replace(drawn, fill=Fill(fill, {"noise": 0.5, "constant": 0.6, "blur": 8.0}.get(fill, 0.0), 3))


@pytest.mark.parametrize("fill", ["zero", "constant", "noise", "blur", "air"])
def test_on_the_grid_a_fill_looks_as_in_the_file(scene: Scene, image: Float32, shown: Shown, fill: str) -> None:
    seen = shown.head
    defacing = plane(fill)
    done, acted_on, _ = deface(image, scene.geometry, defacing)
    # Seen by the pose of the untouched scan, so that voxels may be compared.
    volume = as_volume(done, scene.affine)
    theirs = standard_head(volume, replace(compute_anatomy(volume, threads=1), to_mni=seen.pose))
    changed = sample_nearest(acted_on, standard_step(scene.affine, seen.pose)) & seen.inside
    ours = redrawn(np.random.default_rng(1), shown, changed, defacing.fill)
    levels, wanted = (window_of(one).brightness.astype(float) for one in (ours, theirs))
    inner, outer = inner_of(changed), inner_of(~changed)
    # The anatomy pass of the defaced scan takes a somewhat different brain, whose median is the unit.
    kept = (shown.geometry.brain & outer)[WINDOW]
    assert np.median(levels[kept]) == pytest.approx(np.median(wanted[kept]), rel=0.15)
    levels *= np.median(wanted[kept]) / np.median(levels[kept])
    assert levels[inner[WINDOW]].mean() == pytest.approx(wanted[inner[WINDOW]].mean(), rel=0.1, abs=3)
    assert levels[inner[WINDOW]].std() == pytest.approx(wanted[inner[WINDOW]].std(), rel=0.35, abs=4)
    assert np.abs(levels - wanted)[outer[WINDOW]].mean() < 3
    assert ours.empty[inner].mean() == pytest.approx(theirs.empty[inner].mean(), abs=0.1)


def brain_taken_ml(geometry: HeadGeometry, defacing: Defacing) -> float:
    """Brain that is gone, as far as a grid of 2 mm tells."""
    rough = geometry.rough
    return measure_defacing(rough, reach_of(defacing, rough), kept_by(defacing.fill)).brain_removed_ml


def inner_of(changed: np.ndarray) -> np.ndarray:
    """What is changed and two voxels away from what is not."""
    from scipy import ndimage

    inner: np.ndarray = ndimage.binary_erosion(changed, iterations=2)
    return inner


def test_on_the_grid_as_much_brain_is_gone_as_in_the_file(scene: Scene, image: Float32, shown: Shown) -> None:
    seen, geometry = shown.head, shown.geometry
    deep = (draw_defacing(np.random.default_rng(seed), "plane", "excessive") for seed in range(40))
    defacing = next(one for one in deep if brain_taken_ml(scene.geometry, one) > 3)
    _, acted_on, truth = deface(image, scene.geometry, defacing)
    there = sample_nearest(acted_on, standard_step(scene.affine, seen.pose)) & seen.inside
    changed = reach_of(defacing, geometry) & seen.inside
    assert dice(there, changed) > 0.9
    measured = measure_defacing(geometry, changed, kept_by(defacing.fill))
    assert measured.brain_removed_ml == pytest.approx(truth.brain_removed_ml, rel=0.15)
    assert measured.brain_removed_depth_mm == pytest.approx(truth.brain_removed_depth_mm, rel=0.2, abs=1)
    assert measured.label == truth.label


def test_a_scan_is_defaced_once_for_every_aim_and_nobodys_face_is_pasted(head: MarkedHead) -> None:
    kept = tuple(tool for tool in TOOLS if tool not in ("plane", "blur", "reface"))
    made = defaced_again(np.random.default_rng(3), head, "atlas", AIMS * 2, exclude=kept[1:])
    assert len(made) == 6
    assert {one.facts["tool"] for one in made} <= {"plane", "blur", kept[0]}
    assert {one.person for one in made} == {"atlas"}
    assert len({one.facts["label"] for one in made}) > 1
    assert len({one.window.brightness.tobytes() for one in made}) == 6
    for one in made:
        outside = (one.window.kind & INSIDE) == 0
        assert not (one.places[outside] & CHANGED).any(), "nothing is done where nothing is seen"
        gone = (one.places & (BRAIN + CHANGED)) == BRAIN + CHANGED
        assert gone.any() == (one.facts["brain_removed_ml"] > 0) or one.facts["brain_removed_ml"] < 0.5


def test_what_is_packed_tells_feature_brain_and_change_apart(shown: Shown) -> None:
    geometry = shown.geometry
    changed = geometry.regions > 0
    packed = pack_places(geometry, changed)
    np.testing.assert_array_equal(packed % BRAIN, geometry.regions)
    np.testing.assert_array_equal((packed & BRAIN) > 0, geometry.brain)
    np.testing.assert_array_equal((packed & CHANGED) > 0, changed)
