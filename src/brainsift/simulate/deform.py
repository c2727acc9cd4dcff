"""Shape: an affine, a smooth random displacement, and ventricles made larger or smaller."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial.transform import Rotation

from brainsift.simulate.labelmap import COARSE_MM, LabelMap, coarse_step
from brainsift.simulate.separable import along, linear_interpolation, spline_field

Float32 = NDArray[np.float32]


@dataclass(frozen=True)
class DeformRanges:
    """Half-widths of the uniform draws. Rotation in degrees, shift in mm; scale and shear as fractions."""

    rotation_deg: float = 20.0
    scale: float = 0.18
    stretch: float = 0.10
    shear: float = 0.08
    shift_mm: float = 16.0
    elastic_mm: float = 3.5
    elastic_fine_mm: float = 1.2
    ventricle_mm: float = 4.0


@dataclass(frozen=True)
class Deformation:
    """One drawn shape change.

    Attributes
    ----------
    matrix : 3x3, output mm → label-map mm about the two centres, as nested tuples.
    shift_mm : (3,), where the brain's centre lies relative to the grid's centre.
    mirror : left and right exchanged.
    elastic_mm, elastic_fine_mm : standard deviation of the coarse (40 mm) and fine (16 mm) displacement.
    ventricle_mm : growth (+) or shrinkage (-) of the ventricle wall.
    seed : of the displacement fields.
    """

    matrix: tuple[tuple[float, ...], ...]
    shift_mm: tuple[float, ...]
    mirror: bool
    elastic_mm: float
    elastic_fine_mm: float
    ventricle_mm: float
    seed: int


IDENTITY = Deformation(((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)), (0.0, 0.0, 0.0), False, 0.0, 0.0, 0.0, 0)


def draw_deformation(rng: np.random.Generator, ranges: DeformRanges | None = None) -> Deformation:
    """Draw a shape change."""
    r = ranges or DeformRanges()
    turn = Rotation.from_euler("xyz", rng.uniform(-r.rotation_deg, r.rotation_deg, 3), degrees=True).as_matrix()
    size = (1 + rng.uniform(-r.scale, r.scale)) * (1 + rng.uniform(-r.stretch, r.stretch, 3))
    shear = np.eye(3) + np.triu(rng.uniform(-r.shear, r.shear, (3, 3)), 1)
    matrix = turn @ shear @ np.diag(1 / size)
    return Deformation(
        matrix=tuple(map(tuple, matrix.tolist())),
        shift_mm=tuple(rng.uniform(-r.shift_mm, r.shift_mm, 3).tolist()),
        mirror=bool(rng.random() < 0.5),
        elastic_mm=float(rng.uniform(0, r.elastic_mm)),
        elastic_fine_mm=float(rng.uniform(0, r.elastic_fine_mm)),
        ventricle_mm=float(rng.uniform(-0.4 * r.ventricle_mm, r.ventricle_mm)),
        seed=int(rng.integers(2**31)),
    )


def deform(
    head: LabelMap, deformation: Deformation, shape: tuple[int, int, int], spacing_mm: float
) -> NDArray[np.uint8]:
    """Sample the label codes of `head` on a new grid whose centre is the brain's centre, nearest neighbour.

    Parameters
    ----------
    shape : (X, Y, Z) of the new grid.
    spacing_mm : its isotropic voxel size.

    Returns
    -------
    uint8 (X, Y, Z), indices into `head.values`; 0 outside the label map.
    """
    coarse = _coarse_coordinates(head, deformation, shape, spacing_mm)
    step = COARSE_MM / spacing_mm
    ups = [linear_interpolation(np.arange(n) / step, m) for n, m in zip(shape, coarse.shape[1:], strict=True)]
    index = np.zeros(shape, np.int32)
    inside = np.ones(shape, bool)
    for axis, size in enumerate(head.codes.shape):
        c = coarse[axis] + np.float32(0.5)
        for along_axis, up in enumerate(ups):
            c = along(up, c, along_axis)
        voxel = np.floor(c).astype(np.int32)
        inside &= (voxel >= 0) & (voxel < size)
        index *= size
        index += voxel
    index[~inside] = 0
    codes = head.codes.ravel()[index]
    codes[~inside] = 0
    return codes


def _coarse_coordinates(head: LabelMap, d: Deformation, shape: tuple[int, ...], spacing_mm: float) -> Float32:
    """Label-map voxel coordinates of the coarse grid points, (3, x, y, z)."""
    step = COARSE_MM / spacing_mm
    sizes = [int(np.ceil((n - 1) / step)) + 1 for n in shape]
    nx, ny, nz = sizes
    axes = [(np.arange(m) * step - (n - 1) / 2) * spacing_mm for m, n in zip(sizes, shape, strict=True)]
    points = np.stack(np.meshgrid(*axes, indexing="ij")).astype(np.float32)
    rng = np.random.default_rng(d.seed)
    for sd, scale_mm in ((d.elastic_mm, 40.0), (d.elastic_fine_mm, 16.0)):
        if sd > 0:
            points += sd * np.stack([spline_field(rng, (nx, ny, nz), scale_mm / COARSE_MM) for _ in range(3)])
    points -= np.asarray(d.shift_mm, np.float32).reshape(3, 1, 1, 1)
    if d.mirror:
        points[0] *= -1
    matrix = np.asarray(d.matrix, np.float32) / np.float32(head.spacing_mm)
    voxels: Float32 = np.einsum("ij,jxyz->ixyz", matrix, points)
    voxels += head.centre.astype(np.float32).reshape(3, 1, 1, 1)
    if d.ventricle_mm:
        at = voxels / np.float32(coarse_step(head.spacing_mm))
        for axis in range(3):
            voxels[axis] += (d.ventricle_mm / head.spacing_mm) * ndimage.map_coordinates(
                head.pull[axis], at, order=1, mode="nearest"
            )
    return voxels
