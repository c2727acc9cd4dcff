"""A head laid into a scan's field of view: its geometry, how it is painted, and where its face went."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainsift.simulate.acquire import Acquisition, acquire, draw_acquisition
from brainsift.simulate.contrast import Contrast, draw_contrast, tables
from brainsift.simulate.deface.child import FACE_SIZES, as_child
from brainsift.simulate.deface.frame import frame_after
from brainsift.simulate.deface.geometry import Float32, HeadGeometry
from brainsift.simulate.deface.marked import MarkedHead
from brainsift.simulate.deform import Deformation, DeformRanges, deform, draw_deformation
from brainsift.simulate.head import brain_and_csf
from brainsift.simulate.zoo import draw_good_contrast

HEADS = DeformRanges(
    rotation_deg=14, scale=0.10, stretch=0.06, shear=0.04, shift_mm=6, elastic_mm=2.5, elastic_fine_mm=0.8
)
"""Heads of grown people of all sizes, lying as well as they can."""

CHILD_SHARE, CHILD_SIZE = 0.25, (0.82, 1.0)
"""Of heads have a child's proportions; their brains are that large relative to the head's own."""

SPACING_MM = (1.0, 1.5)
THICK_SHARE, THICK_MM = 0.2, (2.0, 5.0)
"""Of scans are taken in slices so thick, along any axis but most often the third."""

CUT_SHARE = 0.25
"""Of fields of view end between eyes and chin."""

CROWN_SHARE, CROWN_MM = 0.1, (45.0, 80.0)
"""Of fields of view end below the crown, so high above the middle of the brain."""

KINDS = ("mprage", "spgr", "t1_se", "t2_se", "pd_se", "flair", "gre")
KIND_SHARES = (0.34, 0.12, 0.06, 0.14, 0.06, 0.17, 0.11)
SEQUENCE_OF_KIND = {
    **dict.fromkeys(("mprage", "spgr", "t1_se"), "T1w"),
    "t2_se": "T2w",
    "pd_se": "PDw",
    "flair": "FLAIR",
    "gre": "T2starw",
}
GOOD_SHARE = 0.8
"""Of contrasts are those of good scans; the others as the sequence's times happen to give them."""


@dataclass(frozen=True)
class SceneParameters:
    """All that was drawn for one scan before it was defaced.

    Attributes
    ----------
    shape, spacing_mm : of the isotropic grid that the head is laid on.
    slice_axis, slice_step : every n-th slice along an axis is kept; 1 for all.
    face_size : of a child beside its brain; 1 for grown people.
    """

    deformation: Deformation
    contrast: Contrast
    acquisition: Acquisition
    shape: tuple[int, int, int]
    spacing_mm: float
    slice_axis: int
    slice_step: int
    face_size: float

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class Scene:
    """A head on its scan's grid, not yet painted.

    Attributes
    ----------
    codes : uint8 (X, Y, Z) into `head.head.values`, on the isotropic grid.
    geometry : on the scan's grid (thick slices where they were drawn).
    affine : 4x4, voxel of the scan's grid → mm, RAS+.
    """

    head: MarkedHead
    parameters: SceneParameters
    codes: NDArray[np.uint8]
    geometry: HeadGeometry
    affine: NDArray[np.float64]

    @property
    def sequence(self) -> str:
        """BIDS suffix."""
        return SEQUENCE_OF_KIND[self.parameters.contrast.kind]


def draw_scene(
    rng: np.random.Generator, head: MarkedHead, spacing_mm: float | None = None, kind: str | None = None
) -> SceneParameters:
    """Draw how a head lies, what is seen of it and how it is taken.

    Parameters
    ----------
    spacing_mm : of the grid; drawn from 1 to 1.5 mm if None.
    kind : one of `KINDS`; drawn if None.
    """
    spacing = float(rng.uniform(*SPACING_MM)) if spacing_mm is None else spacing_mm
    drawn = draw_deformation(rng, HEADS)
    face_size = 1.0
    if rng.random() < CHILD_SHARE:
        face_size = float(rng.uniform(*FACE_SIZES))
        smaller = np.asarray(drawn.matrix) / rng.uniform(*CHILD_SIZE)
        drawn = replace(drawn, matrix=tuple(map(tuple, smaller.tolist())))
    low = rng.uniform(125, 160)
    if rng.random() < CUT_SHARE:
        low = rng.uniform(62, 120)
    high, front, back = rng.uniform(80, 100), rng.uniform(118, 135), rng.uniform(98, 125)
    if rng.random() < CROWN_SHARE:
        high = rng.uniform(*CROWN_MM)
    half = rng.uniform(84, 105)
    extent = np.array([2 * half, front + back, low + high])
    x, y, z = (int(n) for n in np.rint(extent / spacing))
    shift = np.array([0, (back - front) / 2, (low - high) / 2]) + np.asarray(drawn.shift_mm) * (0.5, 0.5, 0.3)
    drawn = replace(drawn, shift_mm=tuple(shift.tolist()))
    chosen = str(rng.choice(KINDS, p=KIND_SHARES)) if kind is None else kind
    contrast = (draw_good_contrast if rng.random() < GOOD_SHARE else draw_contrast)(rng, head.head.values, chosen)
    resolution, axis, step = np.full(3, rng.uniform(0.8, 1.3)), 2, 1
    if rng.random() < THICK_SHARE:
        axis = int(rng.choice(3, p=[0.2, 0.2, 0.6]))
        step = max(1, round(float(rng.uniform(*THICK_MM)) / spacing))
        resolution[axis] = step * spacing
    acquisition = replace(
        draw_acquisition(rng),
        resolution_mm=(float(resolution[0]), float(resolution[1]), float(resolution[2])),
        bias=float(rng.uniform(0, 0.4)),
        noise=float(rng.gamma(1.5, 0.012)),
        ghost=0.0,
        gamma=1.0,
        texture_mm=float(rng.uniform(2, 6)),
    )
    return SceneParameters(drawn, contrast, acquisition, (x, y, z), spacing, axis, step, face_size)


def make_scene(head: MarkedHead, parameters: SceneParameters) -> Scene:
    """Lay the head into the field of view; 0.3 s at 1.25 mm."""
    p = parameters
    grown = as_child(head, p.face_size) if p.face_size < 1 else head
    codes = deform(grown.head, p.deformation, p.shape, p.spacing_mm)
    to_mni = frame_after(head.to_mni, head.head, p.deformation, p.shape, p.spacing_mm)
    is_brain, _ = brain_and_csf(head.head.values)
    whole = HeadGeometry(
        brain=is_brain[codes],
        head=(head.head.values > 0)[codes],
        regions=head.region_of_code[codes],
        to_mni=to_mni,
        spacing_mm=(p.spacing_mm,) * 3,
    )
    steps, starts, affine = _slices(p)
    geometry = whole if p.slice_step == 1 else whole.every(steps, starts)
    return Scene(head, p, codes, geometry, affine)


def paint_scene(scene: Scene) -> Float32:
    """The scan before defacing, float32 (X, Y, Z) on the scan's grid, brightest tissue about 1; 0.5 s at 1.25 mm."""
    p = scene.parameters
    return _acquired(scene, tables(p.contrast), scene.codes, p.acquisition)


def paint_other(scene: Scene, donor: MarkedHead) -> Float32:
    """Another head in the place of this one, brain on brain, painted alike; float32 (X, Y, Z) on the scan's grid."""
    from scipy import ndimage

    p = scene.parameters
    fine = np.eye(4)
    steps, starts, _ = _slices(p)
    fine[:3, :3] = np.diag(1 / np.asarray(steps, float))
    fine[:3, 3] = -np.asarray(starts) / np.asarray(steps, float)
    there = np.linalg.inv(donor.to_mni) @ scene.geometry.to_mni @ fine
    codes = ndimage.affine_transform(donor.head.codes, there[:3, :3], there[:3, 3], p.shape, order=0)
    mean_of = dict(zip(p.contrast.values, p.contrast.means, strict=True))
    usual = float(np.median(p.contrast.means))
    mean = np.asarray([mean_of.get(int(v), usual) for v in donor.head.values], np.float32)
    return _acquired(scene, (mean, np.zeros_like(mean)), codes, replace(p.acquisition, noise=p.acquisition.noise / 2))


def _acquired(
    scene: Scene, table: tuple[Float32, Float32], codes: NDArray[np.uint8], acquisition: Acquisition
) -> Float32:
    p = scene.parameters
    image = acquire(table[0][codes], table[1][codes], acquisition, p.spacing_mm)
    steps, starts, _ = _slices(p)
    part = tuple(slice(start, None, step) for start, step in zip(starts, steps, strict=True))
    return np.ascontiguousarray(image[part])


def _slices(p: SceneParameters) -> tuple[tuple[int, int, int], tuple[int, int, int], NDArray[np.float64]]:
    """Steps and first voxels along the three axes, and the affine of what is kept."""
    steps, starts = [1, 1, 1], [0, 0, 0]
    steps[p.slice_axis] = p.slice_step
    starts[p.slice_axis] = p.slice_step // 2
    affine = np.diag([*(p.spacing_mm * s for s in steps), 1.0])
    affine[:3, 3] = p.spacing_mm * (np.asarray(starts) - (np.asarray(p.shape) - 1) / 2)
    return (steps[0], steps[1], steps[2]), (starts[0], starts[1], starts[2]), affine
