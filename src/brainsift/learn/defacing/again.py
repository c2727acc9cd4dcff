"""Many defacings of one scan, on the standard grid: painting, reading and looking at a head cost ten times as much."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy import ndimage

from brainsift.anatomy.compute import compute_anatomy
from brainsift.anatomy.labels import Tissue
from brainsift.learn.as_read import as_volume
from brainsift.learn.defacing.bank import Example
from brainsift.learn.defacing.places import in_window, pack_places
from brainsift.learn.defacing.truth import row_and_facts
from brainsift.simulate.deface.draw import find_defacing
from brainsift.simulate.deface.fill import Fill, kept_by
from brainsift.simulate.deface.geometry import Float32, HeadGeometry, Mask
from brainsift.simulate.deface.marked import MarkedHead
from brainsift.simulate.deface.scene import Scene, draw_scene, make_scene, paint_scene
from brainsift.simulate.deface.tools import choose_tools, reach_of
from brainsift.simulate.deface.truth import DefacingLabel, measure_defacing
from brainsift.tasks.defacing.network import (
    GRID_MM,
    StandardHead,
    sample_nearest,
    standard_head,
    standard_step,
    window_of,
)

SOFT_VOXELS = (0.3, 0.7)
"""Standard deviation of the border of what is acted on: a scan's voxels are interpolated on their way to the grid."""

SEEN_AS_HEAD_SHARE = 0.75
"""Of fillings with grey values, which the anatomy pass takes for skin rather than air: about what it does."""

NOISE_MEAN, NOISE_SD = 0.8, 0.18
"""Of noise of strength 1 on the grid, where voxels are averaged, then interpolated; in a scan's voxels it is 0.6."""


@dataclass(frozen=True, eq=False)
class Shown:
    """A simulated scan on the standard grid, before anything was done to it.

    Attributes
    ----------
    scene : what it shows.
    head : as inference sees it.
    geometry : its truth, on the same grid.
    bright : see `brightest`.
    """

    scene: Scene
    head: StandardHead
    geometry: HeadGeometry
    bright: float


def defaced_again(
    rng: np.random.Generator,
    head: MarkedHead,
    person: str,
    aims: Sequence[DefacingLabel],
    exclude: tuple[str, ...] = (),
    masks: Path | None = None,
) -> list[Example]:
    """One scan of a head, painted and looked at once, defaced for each of `aims`; 3 s and 0.3 s an example on one core.

    What the anatomy pass would say of the defaced scan is not asked: its labels of the whole head stand where nothing
    was done. Nobody's face is pasted.

    Parameters
    ----------
    aims : labels to ask for; what comes out is measured.
    exclude : tools that are held out.
    masks : folder with masks of real tools.
    """
    shown = show(rng, head)
    names = choose_tools(None, (*exclude, "reface"))
    return [_defaced(rng, shown, person, str(rng.choice(names)), aim, masks) for aim in aims]


def show(rng: np.random.Generator, head: MarkedHead) -> Shown:
    """Draw a scan of a head, and look at it as inference does."""
    scene = make_scene(head, draw_scene(rng, head))
    image = paint_scene(scene)
    volume = as_volume(image, scene.affine)
    seen = standard_head(volume, compute_anatomy(volume, threads=1))
    geometry = on_standard_grid(scene, seen)
    return Shown(scene, seen, geometry, brightest(image, scene, seen.image[geometry.brain]))


def brightest(image: Float32, scene: Scene, brain: Float32) -> float:
    """Bright tissue of a scan (X, Y, Z), in units of the grid, on which its `brain` has the values (N,): the measure of
    what tools fill with."""
    unit = np.median(image[scene.geometry.brain]) / (np.median(brain) if brain.size else 1.0)
    return float(np.percentile(image[::3, ::3, ::3], 98) / unit)


def on_standard_grid(scene: Scene, head: StandardHead) -> HeadGeometry:
    """The truth of a scene where its scan lies on the standard grid."""
    step = standard_step(scene.affine, head.pose)
    truth = scene.geometry
    edge = GRID_MM * float(abs(np.linalg.det(head.pose[:3, :3]))) ** (-1 / 3)
    return HeadGeometry(
        brain=sample_nearest(truth.brain, step),
        head=sample_nearest(truth.head, step),
        regions=sample_nearest(truth.regions, step),
        to_mni=np.asarray(truth.to_mni @ step),
        spacing_mm=(edge, edge, edge),
    )


def _defaced(
    rng: np.random.Generator, shown: Shown, person: str, tool: str, aim: DefacingLabel, masks: Path | None
) -> Example:
    geometry = shown.geometry
    defacing = find_defacing(rng, geometry, tool, aim, masks)
    changed = reach_of(defacing, geometry) & shown.head.inside
    truth = measure_defacing(geometry, changed, kept_by(defacing.fill))
    done = redrawn(rng, shown, changed, defacing.fill)
    of_scan = shown.scene.sequence, shown.scene.geometry.spacing_mm
    row, facts = row_and_facts(truth, bool(changed.any()), tool, defacing.fill, *of_scan)
    places = in_window(pack_places(geometry, changed), done)
    return Example(window_of(done), places, row, person, {**facts, "again": True})


def redrawn(rng: np.random.Generator, shown: Shown, changed: Mask, fill: Fill) -> StandardHead:
    """The head as it would lie on the standard grid had its scan been filled where `changed`, bool of its shape."""
    head, emptied = shown.head, fill.kind == "zero"
    labels = head.labels
    if fill.kind != "blur":
        grey = fill.kind in ("noise", "constant") and rng.random() < SEEN_AS_HEAD_SHARE
        labels = np.where(changed, np.uint8(Tissue.HEAD if grey else Tissue.BACKGROUND), labels)
    soft = ndimage.gaussian_filter(changed.astype(np.float32), rng.uniform(*SOFT_VOXELS)) * head.inside
    image: Float32 = head.image + soft * (_filling(rng, shown, fill) - head.image)
    blank = head.blank | changed if emptied else head.blank
    return replace(
        head,
        image=image,
        labels=labels,
        empty=np.maximum(head.empty, soft) if emptied else head.empty,
        blank=blank,
        tissue=(image > head.threshold) & head.inside & ~blank,
        brain=head.brain & (labels == head.labels),
    )


def _filling(rng: np.random.Generator, shown: Shown, fill: Fill) -> Float32:
    """Grey values to fill with, float32 of the head's shape."""
    head, image = shown.head, shown.head.image
    if fill.kind == "blur":
        return np.asarray(ndimage.gaussian_filter(image, fill.amount / GRID_MM), np.float32)
    if fill.kind == "air":
        air = image[head.inside & (head.labels == Tissue.BACKGROUND) & (image < head.threshold)]
        return np.asarray(rng.choice(air if air.size else np.zeros(1), image.shape), np.float32)
    if fill.kind == "noise":
        noise = NOISE_MEAN + NOISE_SD * rng.standard_normal(image.shape, dtype=np.float32)
        return np.asarray(fill.amount * shown.bright * noise, np.float32).clip(0)
    return np.full(image.shape, fill.amount * shown.bright if fill.kind == "constant" else 0.0, np.float32)
