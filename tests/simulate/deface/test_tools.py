from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from brainsift.simulate.deface.draw import find_defacing
from brainsift.simulate.deface.fill import FILLS, Fill, apply_fill, draw_fill, kept_by
from brainsift.simulate.deface.geometry import HeadGeometry, Region
from brainsift.simulate.deface.misfit import Misfit
from brainsift.simulate.deface.plane import Plane, reach_of_plane, supporting_line
from brainsift.simulate.deface.shell import Shell, reach_of_shell
from brainsift.simulate.deface.slip import SLIPS, Slip, apply_slip
from brainsift.simulate.deface.template import MASK_FILES, Template, reach_of_template
from brainsift.simulate.deface.tools import TOOLS, choose_tools, draw_defacing, reach_of
from brainsift.simulate.deface.truth import LABELS, measure_defacing
from brainsift.simulate.deface.zone import Zone

MASKS = Path(__file__).parents[4] / "shared" / "data" / "deface_masks"


@pytest.mark.parametrize("tool", TOOLS)
def test_every_tool_does_what_is_asked_for_on_most_draws(tool: str, geometry: HeadGeometry) -> None:
    rng = np.random.default_rng(3)
    done = []
    for label in LABELS:
        for _ in range(4):
            defacing = find_defacing(rng, geometry, tool, label)
            truth = measure_defacing(geometry, reach_of(defacing, geometry), kept_by(defacing.fill))
            done.append(truth.label == label)
            json.dumps(defacing.to_dict())
    assert np.mean(done) >= 0.75


@pytest.mark.parametrize("tool", TOOLS)
def test_the_same_seed_draws_the_same_mask(tool: str, geometry: HeadGeometry) -> None:
    first, second = (draw_defacing(np.random.default_rng(8), tool, "excessive") for _ in range(2))
    assert first == second
    assert np.array_equal(reach_of(first, geometry), reach_of(second, geometry))


def test_a_plane_keeps_its_buffer_from_the_brain(geometry: HeadGeometry) -> None:
    for buffer in (4.0, 12.0):
        mask = reach_of_plane(Plane(buffer), geometry)
        distance = ndimage.distance_transform_edt(~geometry.brain, sampling=geometry.spacing_mm)
        assert mask.any()
        assert distance[mask].min() >= buffer - 1e-6
    normal, _ = supporting_line(geometry)
    assert normal[0] > 0
    assert normal[1] < 0


def test_a_plane_with_less_buffer_takes_more(geometry: HeadGeometry) -> None:
    masks = [reach_of_plane(Plane(buffer), geometry) for buffer in (-20.0, -5.0, 5.0, 20.0, 40.0)]
    truths = [measure_defacing(geometry, mask) for mask in masks]
    assert all((less & ~more).sum() == 0 for more, less in pairwise(masks))
    assert [t.label for t in truths[:1]] == ["excessive"]
    assert truths[-1].label == "insufficient"
    removed = [t.brain_removed_ml for t in truths]
    assert removed == sorted(removed, reverse=True)


def test_a_plane_needs_a_brain(geometry: HeadGeometry) -> None:
    empty = HeadGeometry(
        np.zeros(geometry.shape, bool), geometry.head, geometry.regions, geometry.to_mni, geometry.spacing_mm
    )
    with pytest.raises(ValueError, match="brain mask"):
        reach_of_plane(Plane(), empty)


def test_depth_below_skin_is_that_of_the_outer_surface(geometry: HeadGeometry) -> None:
    depth = geometry.depth_below_skin
    centre = np.argwhere(geometry.brain).mean(axis=0).astype(int)
    assert 55 < depth[tuple(centre)] < 100
    assert depth[~geometry.head].mean() < 3
    thin, thick = (reach_of_shell(Shell(mm, Zone(), Misfit()), geometry) for mm in (4.0, 12.0))
    assert not (thin & ~thick).any()
    assert np.count_nonzero(thick & geometry.head) > 1.5 * np.count_nonzero(thin & geometry.head)


@pytest.mark.skipif(not MASKS.is_dir(), reason="shared/data/deface_masks is not there")
@pytest.mark.parametrize("name", MASK_FILES)
def test_masks_of_real_tools_take_the_nose_and_spare_the_brain(name: str, geometry: HeadGeometry) -> None:
    mask = reach_of_template(Template(name, str(MASKS), Zone(0.0, ears=False), Misfit()), geometry)
    truth = measure_defacing(geometry, mask)
    assert truth.nose is not None
    assert truth.nose < 0.1
    assert truth.brain_removed_share < 0.005
    far = Template(name, str(MASKS), Zone(0.0, ears=False), Misfit(shift_mm=(0.0, 60.0, 0.0)))
    assert measure_defacing(geometry, reach_of_template(far, geometry)).brain_removed_share > 0.05


def test_a_mask_that_is_gone_is_named(tmp_path: Path, geometry: HeadGeometry) -> None:
    with pytest.raises(ValueError, match="pydeface_facemask"):
        reach_of_template(Template("pydeface", str(tmp_path), Zone(), Misfit()), geometry)


@pytest.mark.parametrize("kind", SLIPS[1:])
def test_a_slip_leaves_the_nose_or_takes_the_brain(kind: str, geometry: HeadGeometry) -> None:
    good = reach_of(draw_defacing(np.random.default_rng(1), "template", "correct"), geometry)
    mask = apply_slip(good, Slip(kind, (0.0, -70.0, 40.0)), geometry.head, geometry.spacing_mm)
    truth = measure_defacing(geometry, mask)
    assert truth.nose is not None
    assert truth.nose > 0.9 or truth.brain_removed_ml > 5
    assert mask.shape == good.shape


def test_an_unknown_slip_fill_or_tool_is_refused(geometry: HeadGeometry, rng: np.random.Generator) -> None:
    with pytest.raises(ValueError, match="got 'gone'"):
        apply_slip(geometry.brain, Slip("gone"), geometry.head, geometry.spacing_mm)
    with pytest.raises(ValueError, match="got 'glue'"):
        draw_fill(rng, "glue", "correct")
    with pytest.raises(ValueError, match="got 'scissors'"):
        choose_tools(("scissors",))
    with pytest.raises(ValueError, match="every tool is excluded"):
        choose_tools(("plane",), ("plane",))
    assert "shell" not in choose_tools(exclude=("shell",))


@pytest.mark.parametrize("kind", FILLS)
def test_a_filling_changes_the_mask_and_nothing_else(
    kind: str, geometry: HeadGeometry, rng: np.random.Generator
) -> None:
    image = (geometry.head * rng.uniform(0.5, 1.0, geometry.shape)).astype(np.float32)
    mask = geometry.regions == Region.NOSE
    fill = Fill(kind, 3.0 if kind == "blur" else 0.4, 5)
    done = apply_fill(image, mask, fill, geometry.spacing_mm, other=image[::-1].copy())
    assert np.array_equal(done[~mask], image[~mask])
    assert np.abs(done[mask] - image[mask]).mean() > 0.02
    assert np.array_equal(done, apply_fill(image, mask, fill, geometry.spacing_mm, other=image[::-1].copy()))


def test_a_blur_lets_through_what_its_gaussian_does() -> None:
    wave = np.cos(2 * np.pi * np.arange(200) / 20.0).astype(np.float32) + 2
    image = np.broadcast_to(wave[:, None, None], (200, 20, 20)).copy()
    for sd in (2.0, 4.0, 8.0):
        done = apply_fill(image, np.ones(image.shape, bool), Fill("blur", sd, 0), (1.0, 1.0, 1.0))
        inner = done[60:140, 10, 10]
        assert (inner.max() - inner.min()) / 2 == pytest.approx(kept_by(Fill("blur", sd, 0)), abs=0.02)
    assert kept_by(Fill("zero", 0.0, 0)) == 0.0


def test_another_face_needs_a_donor(geometry: HeadGeometry) -> None:
    with pytest.raises(ValueError, match="donor"):
        apply_fill(geometry.head.astype(np.float32), geometry.brain, Fill("other_face", 1.0, 0), geometry.spacing_mm)
