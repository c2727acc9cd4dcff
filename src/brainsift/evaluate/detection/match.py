"""Which mark hits which lesion of the reference."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from brainsift.evaluate.detection.marks import Marks

Float64 = NDArray[np.float64]

REACH_MM = 3.0
"""Centres this near are one lesion: half of a 5 mm slice, by which a point set on a slice may be off, and the rounding
of a voxel. Bleeds lie 10 mm and more apart, mostly."""

SAME_GRID_MM = 1e-2
"""Two masks whose affines differ by less than this are on one grid."""


@dataclass(frozen=True, eq=False)
class Match:
    """One scan: what became of each lesion of the reference, and what is false.

    Attributes
    ----------
    found : (R,) score of the mark that hits each lesion; -inf of a lesion that none hits.
    false : (F,) scores of the marks that hit none, or one that a surer mark has hit already.
    diameter_mm : (R,) of the reference's lesions; NaN where unknown.
    hit_by : (R,) row of the mark; -1 where there is none.
    """

    found: Float64
    false: Float64
    diameter_mm: Float64
    hit_by: NDArray[np.intp]

    def counts(self, threshold: float = -np.inf) -> tuple[int, int, int]:
        """Lesions of the reference, those hit and false marks, of marks with at least this score."""
        hit = np.isfinite(self.found) & (self.found >= threshold)
        return len(self.found), int(hit.sum()), int((self.false >= threshold).sum())


def match_marks(reference: Marks, result: Marks, reach_mm: float = REACH_MM) -> Match:
    """Match marks one to one: the surest first, each with the nearest lesion that is still free.

    A mark can hit a lesion if they share a voxel (a point is the voxel that it lies in) or if their centres are at most
    `reach_mm` apart. What is found at a threshold is then what is left of it when lower scores are dropped, so that one
    matching serves a whole FROC curve. A second mark on one lesion is false: it would be counted.

    Raises
    ------
    ValueError
        if the reach is negative.
    """
    if reach_mm < 0:
        raise ValueError(f"a reach is 0 mm or more, got {reach_mm}")
    apart = (
        cdist(reference.mm, result.mm) if len(reference) and len(result) else np.zeros((len(reference), len(result)))
    )
    near = (apart <= reach_mm) | _shared(reference, result)
    apart = np.where(near, apart, np.inf)
    hit_by = np.full(len(reference), -1, np.intp)
    nearest = apart.min(axis=0, initial=np.inf)
    false = []
    for row in np.lexsort((nearest, -result.score)).tolist():
        free = np.where(hit_by < 0, apart[:, row], np.inf)
        chosen = int(free.argmin()) if free.size else -1
        if chosen >= 0 and np.isfinite(free[chosen]):
            hit_by[chosen] = row
        else:
            false.append(row)
    scores = np.append(result.score, -np.inf)
    return Match(scores[hit_by], result.score[false], reference.diameter_mm, hit_by)


def _shared(reference: Marks, result: Marks) -> NDArray[np.bool_]:
    """(R, M) whether a lesion and a mark share a voxel."""
    shared = np.zeros((len(reference), len(result)), bool)
    if reference.pieces is not None and result.pieces is not None:
        if _one_grid(reference, result):
            both = (reference.pieces > 0) & (result.pieces > 0)
            shared[reference.pieces[both] - 1, result.pieces[both] - 1] = True
    elif reference.pieces is not None:
        rows = _piece_at(reference, result.mm)
        shared[rows[rows >= 0], np.flatnonzero(rows >= 0)] = True
    elif result.pieces is not None:
        rows = _piece_at(result, reference.mm)
        shared[np.flatnonzero(rows >= 0), rows[rows >= 0]] = True
    return shared


def _one_grid(one: Marks, other: Marks) -> bool:
    if one.pieces is None or other.pieces is None or one.affine is None or other.affine is None:
        return False
    return one.pieces.shape == other.pieces.shape and bool(np.abs(one.affine - other.affine).max() <= SAME_GRID_MM)


def _piece_at(marks: Marks, mm: Float64) -> NDArray[np.intp]:
    """(N,) row of the lesion whose voxel a place lies in; -1 for none."""
    rows = np.full(len(mm), -1, np.intp)
    if marks.pieces is None or marks.affine is None or not len(mm):
        return rows
    inverse = np.linalg.inv(marks.affine)
    voxel = np.rint(mm @ inverse[:3, :3].T + inverse[:3, 3]).astype(int)
    inside = ((voxel >= 0) & (voxel < marks.pieces.shape)).all(axis=1)
    rows[inside] = marks.pieces[tuple(voxel[inside].T)] - 1
    return rows
