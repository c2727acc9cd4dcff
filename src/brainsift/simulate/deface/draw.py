"""Draw a defaced scan with its truth: what training and benchmarks use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from brainsift.simulate.deface.fill import Fill, apply_fill, kept_by
from brainsift.simulate.deface.geometry import Float32, Float64, HeadGeometry, Mask
from brainsift.simulate.deface.marked import MarkedHead
from brainsift.simulate.deface.scene import draw_scene, make_scene, paint_other, paint_scene
from brainsift.simulate.deface.tools import Defacing, choose_tools, draw_defacing, reach_of
from brainsift.simulate.deface.truth import LABELS, DefacingLabel, DefacingTruth, measure_defacing

MAX_DRAWS = 20
"""Settings drawn until one does what was asked for; the last is kept with the label that it earned."""


@dataclass(frozen=True, eq=False)
class DefacedExample:
    """A defaced scan with its truth.

    Attributes
    ----------
    image : float32 (X, Y, Z), RAS+, 0 or more.
    affine : 4x4, voxel → mm.
    spacing_mm : (3,).
    original_image : the scan before, on the same grid.
    geometry : brain, head, regions of the face and the way to MNI152, of the original.
    truth : measured.
    tool : a name of `TOOLS`.
    parameters : all that was drawn, plain values for JSON.
    changed : bool (X, Y, Z), voxels that the tool acted on.
    fill : what it put there.
    sequence : BIDS suffix.
    """

    image: Float32
    affine: Float64
    spacing_mm: tuple[float, float, float]
    original_image: Float32
    geometry: HeadGeometry
    truth: DefacingTruth
    tool: str
    parameters: dict[str, Any]
    changed: Mask
    fill: Fill
    sequence: str

    @property
    def brain(self) -> Mask:
        """Brain of the original, ventricles included, bool (X, Y, Z)."""
        return self.geometry.brain

    @property
    def scan_to_mni(self) -> Float64:
        """4x4, mm of the scan → mm of MNI152."""
        return np.asarray(self.geometry.to_mni @ np.linalg.inv(self.affine))


def draw_defaced_example(
    rng: np.random.Generator,
    head: MarkedHead,
    *,
    label: DefacingLabel | None = None,
    tools: tuple[str, ...] | None = None,
    exclude: tuple[str, ...] = (),
    donors: Sequence[MarkedHead] = (),
    masks: Path | None = None,
    spacing_mm: float | None = None,
    kind: str | None = None,
) -> DefacedExample:
    """Draw a scan of a head, deface it, and measure what was done.

    Parameters
    ----------
    label : asked for; evenly drawn if None. What the truth says is measured, and may differ now and then.
    tools, exclude : names of `TOOLS` to draw from; all if None. Exclude one to hold it out of training.
    donors : heads whose faces ``reface`` pastes; without any that tool is not drawn.
    masks : folder with masks of real tools (`template.MASK_FILES`); without it a mask of our own stands in.
    spacing_mm, kind : of the scan (see `draw_scene`).

    Raises
    ------
    ValueError
        if a tool or label is unknown, or ``reface`` alone is asked for and there are no donors.
    """
    names = usable(choose_tools(tools, exclude), donors)
    aim = draw_aim(rng, label)
    scene = make_scene(head, parameters := draw_scene(rng, head, spacing_mm, kind))
    defacing = find_defacing(rng, scene.geometry, str(rng.choice(names)), aim, masks)
    image = paint_scene(scene)
    donor = None
    if defacing.fill.kind == "other_face":
        donor = paint_other(scene, donors[int(rng.integers(len(donors)))])
    done, mask, truth = deface(image, scene.geometry, defacing, donor)
    return DefacedExample(
        image=done,
        affine=scene.affine,
        spacing_mm=scene.geometry.spacing_mm,
        original_image=image,
        geometry=scene.geometry,
        truth=truth,
        tool=defacing.tool,
        parameters={"scene": parameters.to_dict(), "defacing": defacing.to_dict()},
        changed=mask,
        fill=defacing.fill,
        sequence=scene.sequence,
    )


def find_defacing(
    rng: np.random.Generator, geometry: HeadGeometry, tool: str, aim: DefacingLabel, masks: Path | None = None
) -> Defacing:
    """Draw settings of a tool until one does what `aim` says on this head; the last after `MAX_DRAWS`."""
    for _ in range(MAX_DRAWS):
        drawn = draw_defacing(rng, tool, aim, masks)
        mask = reach_of(drawn, geometry.rough)
        if measure_defacing(geometry.rough, mask, kept_by(drawn.fill)).label == aim:
            break
    return drawn


def deface(
    image: Float32, geometry: HeadGeometry, defacing: Defacing, donor: Float32 | None = None
) -> tuple[Float32, Mask, DefacingTruth]:
    """Apply a defacing: the new image, the voxels that it acted on, and what it did."""
    mask = reach_of(defacing, geometry)
    done = apply_fill(image, mask, defacing.fill, geometry.spacing_mm, donor)
    other = defacing.fill.kind == "other_face"
    return done, mask, measure_defacing(geometry, mask, kept_by(defacing.fill), other)


def draw_aim(rng: np.random.Generator, label: DefacingLabel | None) -> DefacingLabel:
    """The label to ask for: the given one, or any.

    Raises
    ------
    ValueError
        if there is no such label.
    """
    if label is None:
        return LABELS[int(rng.integers(len(LABELS)))]
    if label not in LABELS:
        raise ValueError(f"a label is one of {', '.join(LABELS)}, got {label!r}")
    return label


def usable(names: tuple[str, ...], donors: Sequence[MarkedHead]) -> tuple[str, ...]:
    """Tools that can be used with these donors.

    Raises
    ------
    ValueError
        if none can.
    """
    left = names if donors else tuple(name for name in names if name != "reface")
    if not left:
        raise ValueError("the tool 'reface' pastes another head's face; give donors")
    return left
