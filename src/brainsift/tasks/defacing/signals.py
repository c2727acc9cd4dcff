"""What can be measured of a defacing without a network and without the original."""

from __future__ import annotations

import functools
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from brainsift.anatomy.anatomy import Anatomy
from brainsift.tasks.defacing.average import BOXES, FEATURES, AverageHead, box_slices, load_average
from brainsift.tasks.defacing.flatness import flattest
from brainsift.tasks.defacing.frame import GRID_MM, GRID_ORIGIN_MM, GRID_SHAPE, StandardHead
from brainsift.tasks.defacing.renders import COLUMNS, ROWS, View, cast_rays, render_views

Float32 = NDArray[np.float32]
Bool = NDArray[np.bool_]
Signals = dict[str, float | None]
Views = Mapping[str, View]

NAMES = (
    *(f"{feature}_left" for feature in FEATURES),
    *(f"{feature}_in_view" for feature in FEATURES),
    "face_sunk_mm", "face_sunk_most_mm", "forehead_sunk_mm",
    "flat_share", "flat_cm2",
    "exposed_brain_cm2", "thin_cover_cm2", "brain_missing_ml", "brain_missing_depth_mm",
    "blank_before_share", "blank_behind_share",
    "face_roughness_mm", "forehead_roughness_mm", "face_grain", "forehead_grain",
    "confidence", "mni_residual_mm", "brain_ml", "outside_fov",
)  # fmt: skip
"""What `measure_signals` answers, in this order."""

SHARE_CAP = 1.5
"""A feature cannot be more than whole; more tissue than average there is a beard, an ear phone or a ghost."""

MIN_IN_VIEW = 0.2
"""Of a feature inside the field of view: with less, nothing is said of it."""

EXPOSED_MM = 2.5
"""Skin, skull and fluid over the brain measure 10 mm and more: with less than a voxel, the brain lies bare."""

THIN_MM = 6.0

FACE_ROWS = (-110.0, -24.0)
"""Height of the face in MNI152, mm: chin to the upper rim of the eyes."""

FOREHEAD_ROWS = (6.0, 60.0)
HALF_FACE_MM = 60.0
"""Half of the width that is looked at; farther out a face turns to the side and depths mean little."""


def measure_signals(head: StandardHead, views: Views, anatomy: Anatomy | None) -> Signals:
    """All signals of `NAMES`; None where a scan does not show what one is taken from. 0.05 s on one core."""
    average = load_average()
    signals: Signals = dict.fromkeys(NAMES)
    signals |= feature_shares(head, average)
    signals |= sunk_depths(views["front"], head)
    signals |= flattest(views)
    signals |= bared_brain(head, views, average)
    signals |= blank_shares(head)
    signals |= surface_texture(views["front"])
    if anatomy is not None:
        signals |= {
            "confidence": anatomy.confidence,
            "mni_residual_mm": anatomy.mni_residual_mm,
            "brain_ml": anatomy.brain_ml,
            "outside_fov": anatomy.outside_fov,
        }
    return {name: None if value is None else round(float(value), 4) for name, value in signals.items()}


def feature_shares(head: StandardHead, average: AverageHead) -> Signals:
    """How much of each feature is left, compared with an average head, and how much of its place was in view."""
    shares: Signals = {}
    for feature in FEATURES:
        expected = seen = found = 0.0
        for box in BOXES[feature]:
            where = box_slices(box)
            share, inside = average.head[where], head.inside[where]
            expected += float(share.sum())
            seen += float(share[inside].sum())
            found += float((head.tissue[where] & inside & (share > 0)).sum())
        shares[f"{feature}_in_view"] = seen / expected
        enough = seen >= MIN_IN_VIEW * expected
        shares[f"{feature}_left"] = min(SHARE_CAP, found / seen) if enough else None
    return shares


def sunk_depths(front: View, head: StandardHead) -> Signals:
    """How far the surface lies behind an average one, in front: mean and 90th percentile over the face, mean over the
    forehead, where the average surface lies in the field of view. Nothing left counts as sunk to the end of the ray."""
    usual = average_front()
    face, forehead = front_window(FACE_ROWS), front_window(FOREHEAD_ROWS)
    place = np.nan_to_num(usual.depth_mm / GRID_MM).astype(np.intp)[None]
    in_view = np.take_along_axis(cast_rays(head.inside, "front"), place, axis=0)[0]
    known = usual.hit & in_view & ~front.edge
    sunk = np.where(front.hit, front.depth_mm, DEEPEST_MM) - usual.depth_mm
    return {
        "face_sunk_mm": _mean(sunk[known & face]),
        "face_sunk_most_mm": _percentile(sunk[known & face], 90),
        "forehead_sunk_mm": _mean(sunk[known & forehead]),
    }


DEEPEST_MM = 150.0


@functools.cache
def average_front() -> View:
    """The front of the average head."""
    usual = StandardHead.pictured(load_average().head, HALF)
    return render_views(usual, ("front",))["front"]


HALF = 0.5
"""Where half of the people have head, the average surface lies."""


@functools.cache
def front_window(rows_mm: tuple[float, float], half_width_mm: float = HALF_FACE_MM) -> Bool:
    """Pixels of the front view between two heights in MNI152 mm, bool (ROWS, COLUMNS)."""
    heights = GRID_ORIGIN_MM[2] + GRID_MM * (ROWS - 1 - np.arange(ROWS))
    sides = GRID_MM * (np.arange(COLUMNS) - (COLUMNS - 1) / 2)
    window: Bool = ((heights >= rows_mm[0]) & (heights <= rows_mm[1]))[:, None] & (np.abs(sides) <= half_width_mm)
    return window


def bared_brain(head: StandardHead, views: Views, average: AverageHead) -> Signals:
    """Brain that lies bare, and brain that nearly everybody has and this scan has not."""
    looked_at = [views[name] for name in ("front", "left", "right")]
    bare = sum(int((view.hit & ~view.edge & (view.cover_mm < EXPOSED_MM)).sum()) for view in looked_at)
    thin = sum(int((view.hit & ~view.edge & (view.cover_mm < THIN_MM)).sum()) for view in looked_at)
    missing = missing_brain(head, average)
    return {
        "exposed_brain_cm2": bare * GRID_MM**2 / 100,
        "thin_cover_cm2": thin * GRID_MM**2 / 100,
        "brain_missing_ml": int(missing.sum()) * GRID_MM**3 / 1000,
        "brain_missing_depth_mm": _thickness(missing),
    }


def missing_brain(head: StandardHead, average: AverageHead) -> Bool:
    """Voxels inside the field of view where nearly everybody has brain, and air can be reached from outside.

    Without a fit to MNI152 nothing is said to be missing.
    """
    if not head.posed:
        return np.zeros(GRID_SHAPE, np.bool_)
    place = average.sure_brain & head.inside
    open_to_air = np.zeros(GRID_SHAPE, np.bool_)
    for axis in range(3):
        for turned in (head.tissue, np.flip(head.tissue, axis)):
            before = ~np.logical_or.accumulate(turned, axis=axis)
            open_to_air |= before if turned is head.tissue else np.flip(before, axis)
    found: Bool = place & open_to_air
    return found


def _thickness(mask: Bool) -> float:
    """Smallest of the longest runs along the three axes, mm: how deep a cut goes, rather than how wide it is."""
    return GRID_MM * min(int(mask.sum(axis=axis).max()) for axis in range(3))


def blank_shares(head: StandardHead) -> Signals:
    """Share of the air that holds the exact value of padding, before the face and behind the head."""
    air = head.inside & ~head.tissue
    half, height = GRID_SHAPE[1] // 2, GRID_SHAPE[2] // 2
    before, behind = air[:, half:, :height], air[:, : half // 2]
    return {
        "blank_before_share": _share(head.blank[:, half:, :height], before),
        "blank_behind_share": _share(head.blank[:, : half // 2], behind),
    }


def surface_texture(front: View) -> Signals:
    """How rough the surface is, and how much its brightness changes from pixel to pixel, in face and forehead.

    A blurred or painted face is smoother than the forehead above it; cut tissue and noise are rougher.
    """
    found: Signals = {}
    for name, rows in (("face", FACE_ROWS), ("forehead", FOREHEAD_ROWS)):
        window = front_window(rows) & front.hit & ~front.edge
        found[f"{name}_roughness_mm"] = _mean(np.abs(_second_difference(front.depth_mm))[window])
        level = _mean(front.brightness[window])
        change = _mean(np.abs(_second_difference(front.brightness))[window])
        found[f"{name}_grain"] = change / level if change is not None and level else None
    return found


def _second_difference(image: Float32) -> Float32:
    """Across columns; NaN at the border and beside pixels without a value."""
    bent = np.full_like(image, np.nan)
    bent[:, 1:-1] = image[:, 2:] - 2 * image[:, 1:-1] + image[:, :-2]
    return bent


def _mean(values: Float32) -> float | None:
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if finite.size else None


def _percentile(values: Float32, percent: float) -> float | None:
    finite = values[np.isfinite(values)]
    return float(np.percentile(finite, percent)) if finite.size else None


def _share(chosen: Bool, among: Bool) -> float | None:
    count = int(among.sum())
    return float((chosen & among).sum() / count) if count else None
