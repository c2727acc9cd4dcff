"""Children's proportions: a smaller face below and before a brain of nearly full size."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from brainsift.simulate.deface.marked import MarkedHead

FACE_SIZES = (0.68, 0.95)
"""Length of the face relative to a grown person's beside the same brain: at two years to fifteen. The brain has 80 % of
its final volume at two and 95 % at six, when faces have about 70 and 80 % of their final height (Enlow 1990, Facial
Growth; Dekaban 1978, Ann Neurol 4:345; rounded)."""

BASE_MM = ((-120.0, -72.0), (-30.0, -72.0), (15.0, -40.0), (50.0, -26.0), (75.0, -12.0), (160.0, 0.0))
"""Base of the skull in MNI152, y and z: what lies below shrinks towards it."""

FRONT_MM = 74.0
"""What lies before the frontal lobes shrinks towards them."""


def as_child(marked: MarkedHead, face_size: float) -> MarkedHead:
    """The same head with its face shrunk in height and depth; 0.2 s for 1 mm.

    Parameters
    ----------
    face_size : relative to the head's own, 1 for no change.

    Raises
    ------
    ValueError
        if it is not above 0.3 and at most 1.
    """
    if not 0.3 < face_size <= 1:
        raise ValueError(f"a face's size must lie above 0.3 and be at most 1, got {face_size}")
    _, ny, nz = marked.head.codes.shape
    inverse = np.linalg.inv(marked.to_mni)
    x_mid = marked.head.centre[0]
    y, z = (g.astype(float) for g in np.meshgrid(np.arange(ny), np.arange(nz), indexing="ij"))
    at_y, at_z = (
        marked.to_mni[i, 0] * x_mid + marked.to_mni[i, 1] * y + marked.to_mni[i, 2] * z + marked.to_mni[i, 3]
        for i in (1, 2)
    )
    base = np.interp(at_y, *np.asarray(BASE_MM).T)
    low = np.minimum(at_z - base, 0)
    ahead = np.maximum(at_y - FRONT_MM, 0) * (at_z < base + 20)
    grow = 1 / face_size - 1
    # Each voxel takes what lay further from the skull in the grown head.
    from_y = y + grow * (inverse[1, 1] * ahead + inverse[1, 2] * low)
    from_z = z + grow * (inverse[2, 1] * ahead + inverse[2, 2] * low)
    rows, columns = np.rint(from_y).astype(int), np.rint(from_z).astype(int)
    inside = (rows >= 0) & (rows < ny) & (columns >= 0) & (columns < nz)
    codes = marked.head.codes[:, np.where(inside, rows, 0), np.where(inside, columns, 0)]
    codes[:, ~inside] = 0
    return replace(marked, head=replace(marked.head, codes=codes))
