"""Views: where the surface is, which way a viewer sees it, and what is no surface."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from brainsift.tasks.defacing.frame import GRID_MM, GRID_SHAPE, StandardHead, standard_head
from brainsift.tasks.defacing.renders import COLUMNS, NO_BRAIN_MM, ROWS, VIEWS, cast_rays, render_view, render_views
from tests.tasks.defacing.scene import mm, scan


def blocks(*boxes: tuple[slice, slice, slice], **changes: object) -> StandardHead:
    """A head of boxes on the standard grid, of grey value 1."""
    tissue = np.zeros(GRID_SHAPE, np.bool_)
    for box in boxes:
        tissue[box] = True
    made = StandardHead.pictured(tissue.astype(np.float32), 0.5)
    return replace(made, **changes)  # type: ignore[arg-type]


NOSE = (slice(54, 58), slice(90, 100), slice(40, 44))
"""To the patient's right of the middle, 20 voxels from the front end of the grid."""


def test_depth_of_a_block_is_its_way_from_the_front() -> None:
    front = render_view(blocks(NOSE), "front")
    assert front.hit.sum() == 4 * 4
    # The threshold is passed half a voxel before the centre of the first one.
    np.testing.assert_allclose(front.depth_mm[front.hit], (20 - 0.5) * GRID_MM)


@pytest.mark.parametrize(
    ("view", "left_of_middle"),
    [
        ("front", True),  # the patient's right is on the viewer's left
        ("right", False),  # the nose points right
        ("left", True),  # the nose points left
    ],
)
def test_viewer_sees_the_block_on_the_side_where_it_is(view: str, left_of_middle: bool) -> None:
    columns = np.flatnonzero(render_view(blocks(NOSE), view).hit.any(axis=0))
    assert len(columns) in (4, 10)
    assert (columns.mean() < (COLUMNS - 1) / 2) == left_of_middle


def test_rows_run_from_the_crown_down() -> None:
    rows = np.flatnonzero(render_view(blocks(NOSE), "front").hit.any(axis=1))
    assert rows.tolist() == [ROWS - 1 - z for z in (43, 42, 41, 40)]


def test_oblique_views_of_a_symmetric_head_mirror_each_other() -> None:
    volume, anatomy = scan(noise=0.0)
    views = render_views(standard_head(volume, anatomy), ("left_45", "right_45"))
    left, right = views["left_45"].depth_mm, views["right_45"].depth_mm[:, ::-1]
    both = np.isfinite(left) & np.isfinite(right)
    assert both.sum() > 2000
    assert np.percentile(np.abs(left - right)[both], 95) < GRID_MM


def test_an_oblique_plane_looks_flat_from_its_own_side() -> None:
    """Turning by copying columns must not leave a staircase."""
    x, y, _ = mm()
    tissue = np.broadcast_to(x + y < 60, GRID_SHAPE)
    head = blocks(tissue=tissue, image=tissue.astype(np.float32))
    depth = render_view(head, "right_45").depth_mm[40:80, 50:70]
    assert np.isfinite(depth).all()
    assert depth.std() < 0.5 * GRID_MM


def test_a_cut_field_of_view_is_told_from_a_surface() -> None:
    inside = np.zeros(GRID_SHAPE, np.bool_)
    inside[:, :96] = True
    cut = blocks((slice(40, 60), slice(60, 96), slice(30, 60)), inside=inside)
    whole = blocks((slice(40, 60), slice(60, 80), slice(30, 60)), inside=inside)
    assert render_view(cut, "front").edge[render_view(cut, "front").hit].all()
    assert not render_view(whole, "front").edge.any()


def test_cover_is_the_way_from_skin_to_brain() -> None:
    brain = np.zeros(GRID_SHAPE, np.bool_)
    brain[45:55, 60:70, 35:55] = True
    view = render_view(blocks((slice(40, 60), slice(60, 80), slice(30, 60)), brain=brain), "front")
    assert set(np.unique(view.cover_mm[view.hit])) == {10 * GRID_MM, NO_BRAIN_MM}


def test_blanked_air_is_counted_before_the_surface_only() -> None:
    blank = np.zeros(GRID_SHAPE, np.bool_)
    blank[:, 100:] = True
    blank[:, :50] = True
    view = render_view(blocks(NOSE, blank=blank), "front")
    assert view.blanked[view.hit] == pytest.approx(1.0)
    assert cast_rays(blank, "front")[:20, :, 8:-8].all()


def test_there_is_no_view_from_behind() -> None:
    with pytest.raises(ValueError, match="front"):
        render_view(blocks(NOSE), "back")


def test_all_views_have_one_size() -> None:
    assert {view.depth_mm.shape for view in render_views(blocks(NOSE)).values()} == {(ROWS, COLUMNS)}
    assert tuple(render_views(blocks(NOSE))) == VIEWS
