"""Examples of scans that are not proper, and of proper ones that only the zoo makes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from brainsift.learn.quality.bank import Example, to_levels
from brainsift.learn.quality.clean import CleanScan, Float32, Float64, Mask, box_of
from brainsift.learn.quality.corrupt import BOX_JITTER_MM, draw_places, draw_shown, loose_box
from brainsift.learn.quality.truth import truth_row
from brainsift.simulate.artefacts.intensity import apply_noise, draw_noise
from brainsift.simulate.labelmap import LabelMap
from brainsift.simulate.zoo import IMPROPER, ZooParameters, draw_zoo, make_zoo
from brainsift.simulate.zoo_derive import Derived, swap_axes, thick_slices, to_mask, truncate
from brainsift.tasks.quality.shown import Shown
from brainsift.tasks.quality.slices import cut_slices, foreground

DERIVED = ("thick_slices", "truncated", "swapped_axes", "mask")
"""Kinds that are made from any scan; the zoo makes the others from a label map."""

DERIVED_SHARES = (0.35, 0.35, 0.2, 0.1)

FOUND_SHARE = 0.5
"""Of improper scans of a head in which the anatomy pass is taken to find the brain all the same."""

ZOO_MM = 170.0, 210.0, 190.0
ZOO_SPACING_MM = (1.1, 1.7)
"""Nothing in these scans is finer, and they take half the time of 1 mm."""


def derived_example(rng: np.random.Generator, scan: CleanScan) -> Example:
    """An improper scan made from a clean one: thick slices, cut, axes swapped, or its mask."""
    kind = str(rng.choice(DERIVED, p=DERIVED_SHARES))
    noise = draw_noise(rng, float(rng.uniform(0, 1.5)))
    noisy = apply_noise(scan.image, noise, scan.spacing_mm, scan.brain, scan.own_noise).image
    image = noisy if scan.seen is None else noisy * scan.seen
    affine, seed = np.diag([*scan.spacing_mm, 1.0]), int(rng.integers(2**31))
    make: Callable[..., Derived]
    if kind == "thick_slices":
        make = thick_slices
    elif kind == "swapped_axes":
        make = swap_axes
    elif kind == "truncated":
        make = partial(truncate, brain=scan.brain)
    else:
        made = to_mask(rng, scan.brain, affine)
        return _example(rng, made.image, made.affine, None, scan, kind, "other")
    made = make(np.random.default_rng(seed), image, affine)
    brain = make(np.random.default_rng(seed), scan.brain.astype(np.float32), affine).image
    return _example(rng, made.image, made.affine, brain, scan, kind, scan.sequence)


def _example(
    rng: np.random.Generator,
    image: Float32,
    affine: Float64,
    brain: Float32 | None,
    scan: CleanScan,
    kind: str,
    sequence: str | None,
) -> Example:
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    box, shown = loose_box(rng, image), None
    if brain is not None and (brain > 0.5).any() and rng.random() < FOUND_SHARE:
        box = box_of(rng, brain > 0.5, spacing, BOX_JITTER_MM)
        shown = _found(rng, brain > 0.5, image, spacing)
    truth = truth_row({"proper": False, "sequence": sequence})
    return _cut(rng, image, spacing, box, shown, truth, scan.person, scan.facts | {"fault": kind})


def zoo_example(rng: np.random.Generator, head: LabelMap, person: str, kind: str | None = None) -> Example:
    """A scan from the zoo: of `kind`, or improper of any kind that is not made from a clean scan."""
    if kind is None:
        kind = str(rng.choice([name for name in IMPROPER if name not in DERIVED]))
    drawn = draw_zoo(rng, kind)
    spacing = float(rng.uniform(*ZOO_SPACING_MM))
    x, y, z = (round(mm / spacing) for mm in ZOO_MM)
    made = make_zoo(ZooParameters(drawn.kind, drawn.variant, drawn.seed), head, (x, y, z), spacing)
    truth = truth_row({"proper": made.proper, "sequence": made.sequence})
    size = np.linalg.norm(made.affine[:3, :3], axis=0)
    facts = {"source": "label map", "fault": kind, "kind": drawn.variant}
    box = loose_box(rng, made.image)
    found = rng.random() < FOUND_SHARE
    shown = _found(rng, ellipsoid(made.image.shape, box), made.image, size) if found else None
    return _cut(rng, made.image, size, box, shown, truth, person, facts)


def _found(rng: np.random.Generator, brain: Mask, image: Float32, spacing: Float64) -> Shown:
    """What is shown where the anatomy pass takes `brain` for one, and all else that is bright for a head."""
    return draw_shown(rng, brain, foreground(image) & ~brain, spacing)


def ellipsoid(shape: tuple[int, ...], box: Float64) -> Mask:
    """What the anatomy pass may take for a brain where there is none: all within a box but its corners."""
    middle, half = box.mean(axis=0), np.maximum((box[1] - box[0]) / 2, 1.0)
    axes = np.ogrid[tuple(slice(0, n) for n in shape)]
    distance = sum(((axis - m) / h) ** 2 for axis, m, h in zip(axes, middle, half, strict=True))
    inside: Mask = distance <= 1
    return inside


def _cut(
    rng: np.random.Generator,
    image: Float32,
    spacing: Float64,
    box: Float64,
    shown: Shown | None,
    truth: Float32,
    person: str,
    facts: dict[str, Any],
) -> Example:
    pixels = cut_slices(image, spacing, box, draw_places(rng), shown).pixels
    return Example(to_levels(pixels), truth, person, facts)
