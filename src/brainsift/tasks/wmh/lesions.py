"""The lesions of a scan one by one: where, how large, how sure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainsift.scans.volume import InputGrid
from brainsift.tasks.tables import rounded
from brainsift.tasks.wmh.marked import Marked
from brainsift.tasks.wmh.places import Places, Region

Float64 = NDArray[np.float64]


@dataclass(frozen=True)
class Lesion:
    """One 26-connected lesion; a row of the table.

    Attributes
    ----------
    lesion : number, from 1 in the order of size.
    volume_mm3 : marked voxels times the volume of a voxel.
    region : in which most of it lies.
    i_voxel, j_voxel, k_voxel : centroid in voxels of the file as it is stored, from 0.
    x_mm, y_mm, z_mm : centroid in scanner space, RAS+.
    mni_x_mm, mni_y_mm, mni_z_mm : in MNI152, by the affine of the anatomy pass; None where there is none.
    diameter_mm : longest axis of the ellipsoid with the same second moments.
    ventricle_mm : distance of its nearest voxel from the lateral ventricles.
    mean_probability, max_probability : over its voxels.
    """

    lesion: int
    volume_mm3: float
    region: str
    i_voxel: float
    j_voxel: float
    k_voxel: float
    x_mm: float
    y_mm: float
    z_mm: float
    mni_x_mm: float | None
    mni_y_mm: float | None
    mni_z_mm: float | None
    diameter_mm: float
    ventricle_mm: float
    mean_probability: float
    max_probability: float


def list_lesions(marked: Marked, places: Places, grid: InputGrid, to_mni: Float64 | None) -> list[Lesion]:
    """All lesions, the largest first.

    Parameters
    ----------
    grid : the file's own, for `i_voxel` to `k_voxel`.
    to_mni : 4x4, scan mm → MNI152 mm, or None.
    """
    order = np.argsort(marked.lesion, kind="stable")
    ends = np.cumsum(np.bincount(marked.lesion, minlength=marked.count))[:-1]
    pieces = np.split(order, ends) if marked.count else []
    return [_lesion(number, piece, marked, places, grid, to_mni) for number, piece in enumerate(pieces, start=1)]


def _lesion(
    number: int,
    piece: NDArray[np.intp],
    marked: Marked,
    places: Places,
    grid: InputGrid,
    to_mni: Float64 | None,
) -> Lesion:
    mm = marked.mm[piece].mean(axis=0)
    x, y, z = rounded(mm)
    i, j, k = rounded(grid.stored_voxel(marked.index[piece].mean(axis=0)))
    mni = (None,) * 3 if to_mni is None else rounded(to_mni[:3, :3] @ mm + to_mni[:3, 3])
    probability = marked.probability[piece]
    return Lesion(
        lesion=number,
        volume_mm3=round(len(piece) * marked.voxel_mm3, 3),
        region=Region(int(np.bincount(places.region[piece]).argmax())).word,
        i_voxel=i,
        j_voxel=j,
        k_voxel=k,
        x_mm=x,
        y_mm=y,
        z_mm=z,
        mni_x_mm=mni[0],
        mni_y_mm=mni[1],
        mni_z_mm=mni[2],
        diameter_mm=round(diameter_mm(marked.mm[piece], marked.voxel_mm3), 2),
        ventricle_mm=round(max(0.0, float(places.ventricle_mm[piece].min())), 2),
        mean_probability=round(float(probability.mean()), 3),
        max_probability=round(float(probability.max()), 3),
    )


def diameter_mm(mm: Float64, voxel_mm3: float) -> float:
    """Longest axis of the ellipsoid that has the second moments of these voxels (N, 3): for a ball, its diameter."""
    spread = np.cov(mm.T, bias=True) if len(mm) > 1 else np.zeros((3, 3))
    # Each voxel is spread out itself, as a cube of its volume.
    variance = float(np.linalg.eigvalsh(spread)[-1]) + voxel_mm3 ** (2 / 3) / 12
    return float(2 * np.sqrt(5 * variance))
