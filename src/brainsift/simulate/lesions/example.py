"""One simulated person: T1w, FLAIR and the label drawn on it, with the lesions that are truly there."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainsift.scans.conform import separable
from brainsift.simulate.artefacts.motion import Motion, apply_motion, draw_motion
from brainsift.simulate.coverage import Coverage, draw_coverage, keep_mask
from brainsift.simulate.head import brain_and_csf
from brainsift.simulate.labelmap import LabelMap
from brainsift.simulate.lesions.contrasts import draw_flair_contrast, draw_t1w_contrast
from brainsift.simulate.lesions.draw import draw_lesion_plan, draw_load, place_lesions
from brainsift.simulate.lesions.ground import ground_of
from brainsift.simulate.lesions.look import draw_look
from brainsift.simulate.lesions.mimics import draw_mimics
from brainsift.simulate.lesions.paint import (
    Colours,
    Person,
    draw_colours,
    make_person,
    paint_flair_head,
    paint_t1w_head,
)
from brainsift.simulate.lesions.pose import draw_pose, lay_head
from brainsift.simulate.lesions.rated import draw_rating, rate
from brainsift.simulate.lesions.scan import Sampling, draw_sampling, finish, t1w_grid, take
from brainsift.simulate.lesions.shapes import ShapeBank
from brainsift.simulate.lesions.slices import SliceGeometry, Stack, draw_slices, lay_slices, misplace

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Mask = NDArray[np.bool_]

FINE_MM = 1.0
"""Of the grid that heads are painted on: that of the label maps."""

WHOLE_HEAD_SHARE = 0.5
STRIPPED_SHARE, DEFACED_SHARE = 0.35, 0.15

MOTION_SHARE, MAX_MOTION = 0.08, 1.0
"""Some T1w scans are moved, up to a moderate grade: it costs a second."""

THICK_FLAIR_SHARE = 0.5
"""Of FLAIRs on which nothing is outlined are 2D; those with a coarse label all are."""

LEAST_STRENGTH_ML, DECADES = 0.08, 3.0
"""A load's strength for `age` runs from this volume over so many powers of ten."""


@dataclass(frozen=True, eq=False)
class WmhExample:
    """One simulated person.

    Attributes
    ----------
    t1w : float32 (X, Y, Z), brightest tissue about 1.
    t1w_affine : 4x4, voxel → mm, RAS+.
    truth : float32, share of each T1w voxel that is lesion.
    flair, flair_affine : float32 (rows, columns, slices) and 4x4, or None. The affine carries the error of
        registration to the T1w, as real ones do.
    coarse, coarse_affine : uint8 0 or 1 on the FLAIR's grid, or None.
    slice_thickness_mm, slice_gap_mm : of the FLAIR and its label; 0 where neither was made.
    bad_label : ``shifted``, ``other_person``, ``empty`` or ``half_missed`` where the label is grossly wrong, else None.
    load_ml : volume of all lesions, on the fine grid.
    kinds : volume of each `Kind` in mL; they add up to the load.
    parameters : all that was drawn, plain values for JSON, with what was measured.
    """

    t1w: Float32
    t1w_affine: Float64
    truth: Float32
    flair: Float32 | None
    flair_affine: Float64 | None
    coarse: NDArray[np.uint8] | None
    coarse_affine: Float64 | None
    slice_thickness_mm: float
    slice_gap_mm: float
    bad_label: str | None
    load_ml: float
    kinds: dict[str, float]
    parameters: dict[str, Any]


@dataclass(frozen=True)
class _Seen:
    """What of the head a scan shows, on the fine grid: None for all of it."""

    coverage: Coverage
    keep: Mask | None


def draw_wmh_example(
    rng: np.random.Generator,
    head: LabelMap,
    *,
    shapes: ShapeBank | None = None,
    load_ml: float | None = None,
    flair: bool = True,
    coarse: bool = True,
    bad_label_share: float = 0.0,
    whole_head: bool | None = None,
    fine_mm: float = FINE_MM,
) -> WmhExample:
    """Draw a person with lesions and mimics, and scan them.

    The T1w does not depend on whether a FLAIR is made. Processor seconds on one core at 1 mm: see
    ``benchmarks/bench_lesions.py``.

    Parameters
    ----------
    head : label map with FreeSurfer's values; deformed anew in each call.
    shapes : real lesions, see `load_shapes`.
    load_ml : volume of all lesions; drawn from 0 to 80 mL if None.
    flair, coarse : whether to make a FLAIR, and a label on its slices.
    bad_label_share : share of labels that are grossly wrong.
    whole_head : False for a field of view that ends at the brain; drawn if None.
    fine_mm : grid on which the head is painted.

    Raises
    ------
    ValueError
        if the load is negative, the share is not between 0 and 1, or the label map has no brain or no white matter.
    """
    of_head, of_lesions, of_t1w, of_flair, of_rater = (np.random.default_rng(s) for s in rng.integers(2**31, size=5))
    load = draw_load(of_head) if load_ml is None else float(load_ml)
    whole = bool(of_head.random() < WHOLE_HEAD_SHARE) if whole_head is None else whole_head
    pose = draw_pose(of_head, _age(of_head, load), whole)
    laid = lay_head(head, pose, fine_mm)
    plan = draw_lesion_plan(of_lesions, laid, load_ml=load, shapes=shapes)
    look, mimics = draw_look(of_lesions), draw_mimics(of_lesions, ground_of(laid))
    person = make_person(laid, place_lesions(plan, laid), look, mimics)
    parts: dict[str, Any] = {
        "fine_mm": fine_mm,
        "pose": pose.to_dict(),
        "lesions": plan.to_dict(),
        "look": look.to_dict(),
        "mimics": mimics.to_dict(),
    }
    seen = _draw_seen(of_t1w, laid)
    t1w, truth, t1w_affine = _scan_t1w(of_t1w, person, seen, parts)
    image, label, affine, fault = None, None, None, None
    geometry = draw_slices(of_flair, thick=coarse or of_flair.random() < THICK_FLAIR_SHARE)
    if flair or coarse:
        stack = lay_slices(geometry, laid.codes.shape, fine_mm, person.placed.ground.box)
        affine = misplace(_to_mm(laid) @ stack.affine, geometry, _to_mm(laid)[:3] @ [*laid.centre, 1.0])
        parts["slices"] = geometry.to_dict()
        if flair:
            image = _scan_flair(of_flair, person, seen, stack, geometry, parts)
        if coarse:
            rating = draw_rating(of_rater, bad_label_share)
            voxel = (geometry.in_plane_mm, geometry.in_plane_mm, geometry.pitch_mm)
            rated = rate(person, stack, rating, voxel, shapes)
            label, fault = rated.label, rated.fault
            parts["rating"] = rating.to_dict() | {"fault": fault, "dice_with_perfect": rated.dice}
    kinds = person.kinds_ml()
    parts["measured"] = {"load_ml": person.load_ml, "kinds_ml": kinds}
    return WmhExample(
        t1w=t1w,
        t1w_affine=t1w_affine,
        truth=truth,
        flair=image,
        flair_affine=None if image is None else affine,
        coarse=label,
        coarse_affine=None if label is None else affine,
        slice_thickness_mm=geometry.thickness_mm if affine is not None else 0.0,
        slice_gap_mm=geometry.gap_mm if affine is not None else 0.0,
        bad_label=fault,
        load_ml=person.load_ml,
        kinds=kinds,
        parameters=parts,
    )


def _age(rng: np.random.Generator, load: float) -> float:
    """0 to 1: the more lesions, the older a brain looks, mostly; young ones with many and old ones with none occur."""
    strength = float(np.clip(np.log10(max(load, LEAST_STRENGTH_ML) / LEAST_STRENGTH_ML) / DECADES, 0, 1))
    return 0.5 * strength + 0.5 * float(rng.random())


def _draw_seen(rng: np.random.Generator, head: LabelMap) -> _Seen:
    """Draw whether a scan was stripped or defaced."""
    coverage = draw_coverage(rng, cut=0.0, strip=STRIPPED_SHARE, deface=DEFACED_SHARE)
    if coverage.strip == "none" and not coverage.deface:
        return _Seen(coverage, None)
    is_brain, is_csf = brain_and_csf(head.values)
    endless = ((-999.0,) * 3, (999.0,) * 3)
    # Tools that strip leave the sulci's fluid or a rim; one that ate the gyri would be a matter of quality.
    strip, margin = coverage.strip, coverage.strip_margin_mm
    if strip == "brain":
        margin = max(margin, 0.0)
    coverage = Coverage(*endless, strip, margin, coverage.deface, 8.0)
    keep = keep_mask(is_brain[head.codes], is_csf[head.codes], head.centre, coverage, head.spacing_mm)
    return _Seen(coverage, keep)


def _scan_t1w(
    rng: np.random.Generator, person: Person, seen: _Seen, parts: dict[str, Any]
) -> tuple[Float32, Float32, Float64]:
    """T1w, the lesions' share of its voxels, and its affine; what was drawn goes to `parts`."""
    head = person.head
    colours: Colours = draw_colours(rng, draw_t1w_contrast(rng, head.values))
    sampling: Sampling = draw_sampling(rng)
    motion: Motion | None = draw_motion(rng, float(rng.uniform(0, MAX_MOTION))) if rng.random() < MOTION_SHARE else None
    parts["t1w"] = {
        "colours": colours.to_dict(),
        "sampling": sampling.to_dict(),
        "motion": None if motion is None else motion.to_dict(),
        "coverage": asdict(seen.coverage),
    }
    weights, grid = t1w_grid(head.codes.shape, head.spacing_mm, sampling)
    image = take(paint_t1w_head(person, colours), weights, head.spacing_mm, sampling)
    if motion is not None:
        image = apply_motion(image, motion, sampling.voxel_mm).image
    image = finish(image, sampling)
    truth = np.clip(separable(person.truth, weights), 0, 1)
    if seen.keep is not None:
        shown = separable(seen.keep.astype(np.float32), weights) > 0.5
        image, truth = image * shown, truth * shown
    return np.ascontiguousarray(image), np.ascontiguousarray(truth), _to_mm(head) @ grid


def _scan_flair(
    rng: np.random.Generator,
    person: Person,
    seen: _Seen,
    stack: Stack,
    geometry: SliceGeometry,
    parts: dict[str, Any],
) -> Float32:
    """FLAIR on its slices; what was drawn goes to `parts`."""
    colours = draw_colours(rng, draw_flair_contrast(rng, person.head.values))
    voxel = (geometry.in_plane_mm, geometry.in_plane_mm, geometry.pitch_mm)
    sampling = draw_sampling(rng, voxel)
    parts["flair"] = {"colours": colours.to_dict(), "sampling": sampling.to_dict()}
    image = take(paint_flair_head(person, colours), stack, person.head.spacing_mm, sampling)
    image = finish(image, sampling)
    if seen.keep is not None:
        image *= stack.see(seen.keep.astype(np.float32)) > 0.5
    return image


def _to_mm(head: LabelMap) -> Float64:
    """Voxel of the fine grid → mm; the origin is the grid's centre."""
    affine = np.diag([head.spacing_mm] * 3 + [1.0])
    affine[:3, 3] = -head.spacing_mm * (np.asarray(head.codes.shape) - 1) / 2
    return affine
