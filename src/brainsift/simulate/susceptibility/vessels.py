"""Veins, sinuses and arteries: connected trees of thin tubes, drawn where vessels run."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainsift.simulate.freesurfer import FLUID, WHITE
from brainsift.simulate.head import brain_and_csf
from brainsift.simulate.susceptibility.frame import Frame

Float64 = NDArray[np.float64]

STEP_MM = 1.0
"""Of a walk along a vessel."""

SINUS_DEPTH_MM = 3.0
"""Of the middle of a sinus below the inner table of the skull."""

FARTHEST_MM = 130.0
HEADINGS = 10
"""Directions that a walk chooses among at each step."""


@dataclass(frozen=True, eq=False)
class Tube:
    """A piece of vessel: its axis (n, 3) in head voxels, `STEP_MM` or less apart, and its radius (n,) in mm."""

    axis: Float64
    radius_mm: Float64


@dataclass(frozen=True)
class VesselPlan:
    """How many vessels there are, and how wide.

    Attributes
    ----------
    cortical, branches : veins that leave the sinuses over the cortex, and branches of each.
    medullary : veins of the deep white matter that run to the ventricles.
    short : veins that dip into the cortex.
    arteries : in the sulci, besides the circle of Willis.
    width : by which all radii are multiplied.
    seed : of their courses.
    """

    cortical: int
    branches: float
    medullary: int
    short: int
    arteries: int
    width: float
    seed: int

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def draw_vessel_plan(rng: np.random.Generator) -> VesselPlan:
    """Draw how richly a brain's vessels show."""
    return VesselPlan(
        cortical=int(rng.integers(20, 90)),
        branches=float(rng.uniform(1, 3)),
        medullary=int(rng.integers(20, 200)),
        short=int(rng.integers(0, 300)),
        arteries=int(rng.integers(5, 40)),
        width=float(np.exp(rng.normal(0.05, 0.2))),
        seed=int(rng.integers(2**31)),
    )


@dataclass(frozen=True, eq=False)
class Vessels:
    """All tubes of a head, by what flows in them."""

    sinuses: tuple[Tube, ...]
    veins: tuple[Tube, ...]
    arteries: tuple[Tube, ...]


def lay_vessels(frame: Frame, plan: VesselPlan) -> Vessels:
    """Draw the vessels of a head; 0.1 s."""
    rng = np.random.default_rng(plan.seed)
    sinuses = _sinuses(frame, rng)
    veins = [*_deep_veins(frame, rng), *_cortical_veins(frame, rng, plan, sinuses)]
    veins += [*_medullary_veins(frame, rng, plan), *_short_veins(frame, rng, plan)]
    arteries = [*_large_arteries(frame, rng), *_small_arteries(frame, rng, plan)]
    wider = [Tube(tube.axis, tube.radius_mm * plan.width) for tube in veins]
    return Vessels(tuple(sinuses), tuple(wider), tuple(arteries))


def _skull(frame: Frame, centre_mm: tuple[float, float, float], directions: Float64) -> Float64:
    """Points `SINUS_DEPTH_MM` below the skull along rays (n, 3) of MNI152, in mm; rays that meet none are left out."""
    away = np.arange(20.0, FARTHEST_MM, 1.0)
    points = np.asarray(centre_mm) + away[None, :, None] * directions[:, None]
    is_brain, is_csf = brain_and_csf(frame.head.values)
    inside = frame.lies_in(frame.voxels(points), tuple(frame.head.values[is_brain | is_csf].tolist()))
    # The first place where the inside of the skull ends for 4 mm and more.
    ends = ~inside[:, :-4] & ~inside[:, 1:-3] & ~inside[:, 2:-2] & ~inside[:, 3:-1]
    first = ends.argmax(axis=1)
    met = ends.any(axis=1) & (first > 0)
    at: Float64 = np.asarray(centre_mm) + (away[first] - SINUS_DEPTH_MM)[:, None] * directions
    below: Float64 = at[met]
    return below


def _sinuses(frame: Frame, rng: np.random.Generator) -> list[Tube]:
    turn = np.deg2rad(np.arange(20.0, 200.0, 2.0))
    sagittal = _skull(frame, (0, -20, 5), np.stack([0 * turn, np.cos(turn), np.sin(turn)], axis=1))
    tubes = [_tube(frame, sagittal, rng.uniform(1.5, 2.0), rng.uniform(3.0, 4.5))]
    for side in (-1, 1):
        turn = np.deg2rad(np.arange(0.0, 85.0, 3.0))
        rays = np.stack([side * np.sin(turn), -np.cos(turn), 0 * turn - 0.05], axis=1)
        wide = rng.uniform(1.2, 4.0)
        tubes.append(_tube(frame, _skull(frame, (0, -45, -22), rays), wide, wide))
    tubes.append(_tube(frame, np.array([(0, -40, 4), (0, -58, 2), (0, -75, -6), (0, -92, -16)], float), 1.6, 2.2))
    return [tube for tube in tubes if len(tube.axis) > 1]


def _deep_veins(frame: Frame, rng: np.random.Generator) -> list[Tube]:
    """Internal cerebral, thalamostriate and basal veins."""
    tubes = []
    for side in (-1, 1):
        courses = (
            [(2, -1, 12), (3, -15, 15), (3, -30, 10), (0, -40, 4)],
            [(4, 0, 13), (13, -8, 16), (20, -24, 20), (25, -34, 20)],
            [(5, 2, 14), (12, 12, 17), (15, 22, 16)],
            [(15, 0, -20), (19, -18, -15), (14, -30, -6), (2, -40, 3)],
        )
        for course, radius in zip(courses, (0.9, 0.6, 0.5, 0.8), strict=True):
            points = np.array(course, float) * (side, 1, 1) + rng.normal(0, 0.8, (len(course), 3))
            tubes.append(_tube(frame, points, radius, radius * 0.7))
    return tubes


def _cortical_veins(frame: Frame, rng: np.random.Generator, plan: VesselPlan, sinuses: list[Tube]) -> list[Tube]:
    """From the sinuses over the cortex, and branches of those in two generations."""
    roots = np.concatenate([tube.axis for tube in sinuses[:3]])
    if not len(roots):
        return []
    at = roots[rng.integers(len(roots), size=plan.cortical)]
    heading = rng.standard_normal((len(at), 3)) * (1.0, 0.5, 0.5) - (0, 0, 0.5)
    radius = np.exp(rng.normal(np.log(0.9), 0.3, len(at)))
    tubes: list[Tube] = []
    for generation in range(3):
        walked = _walk(frame, rng, at, heading, radius, (70, 34, 16)[generation], FLUID)
        tubes += walked
        long = [tube for tube in walked if len(tube.axis) > 4]
        if not long:
            break
        parents = [long[i] for i in rng.integers(len(long), size=round(plan.branches * len(long)))]
        starts = [int(rng.integers(1, len(tube.axis) - 1)) for tube in parents]
        at = np.array([tube.axis[i] for tube, i in zip(parents, starts, strict=True)]).reshape(-1, 3)
        heading = rng.standard_normal((len(parents), 3))
        radius = np.array([tube.radius_mm[i] for tube, i in zip(parents, starts, strict=True)])
        radius = radius * rng.uniform(0.4, 0.8, len(parents))
    return tubes


def _medullary_veins(frame: Frame, rng: np.random.Generator, plan: VesselPlan) -> list[Tube]:
    """From the white matter to the roof of the lateral ventricles, several to one point."""
    white = np.flatnonzero(np.isin(frame.head.values, WHITE)[frame.head.codes.ravel()])
    if not white.size:
        return []
    tubes = []
    some = white[rng.integers(white.size, size=4 * plan.medullary)]
    starts = frame.mni(np.stack(np.unravel_index(some, frame.head.codes.shape), axis=1).astype(float))
    above = starts[(starts[:, 2] > 5) & (np.abs(starts[:, 0]) > 12)][: plan.medullary]
    for start in above:
        aim = np.array([np.sign(start[0]) * 17, np.clip(round(start[1] * 0.8 / 9) * 9, -42, 28), 20.0])
        along = aim - start
        length = float(np.linalg.norm(along))
        if not 8 < length < 45:
            continue
        bend = rng.normal(0, 0.07 * length, 3)
        course = np.stack([start, (start + aim) / 2 + bend, aim])
        radius = float(np.exp(rng.normal(np.log(0.34), 0.3)))
        tubes.append(_tube(frame, course, 0.6 * radius, radius))
    return tubes


def _short_veins(frame: Frame, rng: np.random.Generator, plan: VesselPlan) -> list[Tube]:
    """From the surface of the brain into the cortex."""
    tubes = []
    for start in frame.mni(_in_fluid(frame, rng, plan.short)):
        along = np.array([0.0, -18.0, 12.0]) - start + rng.normal(0, 18, 3)
        along /= np.linalg.norm(along)
        radius = float(np.exp(rng.normal(np.log(0.25), 0.3)))
        tubes.append(_tube(frame, np.stack([start, start + along * rng.uniform(4, 12)]), radius, 0.5 * radius))
    return tubes


def _large_arteries(frame: Frame, rng: np.random.Generator) -> list[Tube]:
    """Basilar artery and the circle of Willis with its large branches."""
    courses: list[tuple[list[tuple[float, float, float]], float]] = [
        ([(0, -30, -52), (1, -24, -36), (0, -18, -20)], 1.6)
    ]
    for side in (-1.0, 1.0):
        courses += [
            ([(0, -18, -20), (side * 12, -20, -17), (side * 19, -30, -12), (side * 17, -45, -4)], 1.1),
            ([(side * 9, 0, -28), (side * 9, 1, -20), (side * 24, 4, -17), (side * 40, 4, -12)], 1.4),
            ([(side * 40, 4, -12), (side * 46, -8, 2), (side * 48, -26, 12)], 0.9),
            ([(side * 40, 4, -12), (side * 42, 14, 0), (side * 40, 10, 12)], 0.8),
            (
                [(side * 9, 1, -20), (side * 2, 12, -16), (side * 2, 34, -6), (side * 2, 42, 10), (side * 2, 28, 26)],
                1.0,
            ),
        ]
    tubes = []
    for course, radius in courses:
        points = np.array(course) + rng.normal(0, 0.8, (len(course), 3))
        tubes.append(_tube(frame, points, radius, 0.8 * radius))
    return tubes


def _small_arteries(frame: Frame, rng: np.random.Generator, plan: VesselPlan) -> list[Tube]:
    at = _in_fluid(frame, rng, plan.arteries)
    heading = rng.standard_normal((len(at), 3))
    radius = np.exp(rng.normal(np.log(0.5), 0.3, len(at)))
    return _walk(frame, rng, at, heading, radius, 40, FLUID)


def _in_fluid(frame: Frame, rng: np.random.Generator, count: int) -> Float64:
    """Points (count, 3) in voxels, drawn from the fluid of the sulci; none where there is no fluid."""
    fluid = np.flatnonzero(np.isin(frame.head.values, FLUID)[frame.head.codes.ravel()])
    drawn = fluid[rng.integers(fluid.size, size=count)] if fluid.size and count else fluid[:0]
    at: Float64 = np.stack(np.unravel_index(drawn, frame.head.codes.shape), axis=1).astype(float)
    return at


def _tube(frame: Frame, course_mm: Float64, first_mm: float, last_mm: float) -> Tube:
    """A tube through points (n, 3) of MNI152, its radius going from `first_mm` to `last_mm`."""
    at = frame.voxels(course_mm).reshape(-1, 3)
    if len(at) < 2:
        return Tube(np.zeros((0, 3)), np.zeros(0))
    gaps = np.linalg.norm(np.diff(at, axis=0), axis=1) * frame.head.spacing_mm
    along = np.concatenate([[0.0], np.cumsum(gaps)])
    places = np.linspace(0, along[-1], max(2, int(np.ceil(along[-1] / STEP_MM)) + 1))
    axis = np.stack([np.interp(places, along, at[:, i]) for i in range(3)], axis=1)
    # Corners of the course are rounded; the ends stay, so that what is joined stays joined.
    for _ in range(4):
        axis[1:-1] = (axis[:-2] + 2 * axis[1:-1] + axis[2:]) / 4
    return Tube(axis, np.linspace(first_mm, last_mm, len(axis)))


def _walk(
    frame: Frame,
    rng: np.random.Generator,
    at: Float64,
    heading: Float64,
    radius: Float64,
    steps: int,
    labels: tuple[int, ...],
) -> list[Tube]:
    """Walk from points (n, 3) through some labels, all at once; a walk ends where it cannot go on.

    Each step takes the straightest of some random headings that stay within.
    """
    if not len(at):
        return []
    heading = heading / np.linalg.norm(heading, axis=1, keepdims=True)
    paths, lengths, alive = [at], np.zeros(len(at), int), np.ones(len(at), bool)
    step = STEP_MM / frame.head.spacing_mm
    limit = rng.integers(steps // 3, steps + 1, len(at))
    for number in range(steps):
        tried = heading[:, None] + rng.normal(0, 0.45, (len(at), HEADINGS, 3))
        tried /= np.linalg.norm(tried, axis=2, keepdims=True)
        # Two steps ahead, so that a walk does not run up against a wall.
        free = frame.lies_in(at[:, None] + 2 * step * tried, labels) + 0.5 * frame.lies_in(
            at[:, None] + step * tried, labels
        )
        score = (tried * heading[:, None]).sum(axis=2) + 2.0 * free
        best = score.argmax(axis=1)
        rows = np.arange(len(at))
        # The first steps leave a sinus or a parent, which need not lie in the labels.
        alive = alive & ((free[rows, best] > 0) | (number < 4)) & (number < limit)
        if not alive.any():
            break
        heading = 0.5 * heading + 0.5 * tried[rows, best]
        heading /= np.linalg.norm(heading, axis=1, keepdims=True)
        at = np.where(alive[:, None], at + step * heading, at)
        lengths += alive
        paths.append(at)
    path = np.stack(paths, axis=1)
    return [
        Tube(path[i, : n + 1], radius[i] * np.linspace(1, 0.6, n + 1)) for i, n in enumerate(lengths.tolist()) if n > 1
    ]
