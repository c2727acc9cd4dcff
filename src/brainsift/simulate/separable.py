"""Separable operations on volumes: a matrix along one axis, interpolation, and smooth random fields built from it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]


def along(matrix: Float32, volume: Float32, axis: int) -> Float32:
    """Multiply (m, n) into axis `axis` of (X, Y, Z), whose length there is n.

    The middle axis goes slice by slice: NumPy's broadcast product of a matrix with a stack leaves BLAS and took
    40 times as long.
    """
    x, y, z = volume.shape
    m = matrix.shape[0]
    if axis == 0:
        return (matrix @ volume.reshape(x, y * z)).reshape(m, y, z)
    if axis == 2:
        return (volume.reshape(x * y, z) @ np.ascontiguousarray(matrix.T)).reshape(x, y, m)
    out = np.empty((x, m, z), np.float32)
    for i in range(x):
        np.matmul(matrix, volume[i], out=out[i])
    return out


def linear_interpolation(at: NDArray[np.floating], n: int) -> Float32:
    """Matrix that reads a row of `n` points at the positions `at` (in points), held beyond the ends, (len(at), n)."""
    at = np.clip(at, 0, n - 1)
    low = np.minimum(at.astype(int), n - 2)
    matrix = np.zeros((at.size, n), np.float32)
    rows = np.arange(at.size)
    matrix[rows, low] = 1 - (at - low)
    matrix[rows, low + 1] = at - low
    return matrix


def spline_field(rng: np.random.Generator, shape: tuple[int, int, int], scale: float) -> Float32:
    """A smooth random field of about unit standard deviation: cubic B-splines with knots `scale` voxels apart."""
    bases = [spline_basis(n, scale) for n in shape]
    field = rng.standard_normal([b.shape[1] for b in bases], dtype=np.float32)
    for axis, basis in enumerate(bases):
        field = along(basis, field, axis)
    return field


def spline_basis(n: int, scale: float) -> Float32:
    """Cubic B-spline basis at `n` points with knots `scale` points apart, rows of unit length, (n, knots)."""
    at = np.arange(n)[:, None] / scale + 1
    distance = np.abs(at - np.arange(int(np.ceil(n / scale)) + 3)[None])
    near = 2 / 3 - distance**2 + distance**3 / 2
    basis = np.where(distance < 1, near, np.where(distance < 2, (2 - distance) ** 3 / 6, 0.0))
    rows: Float32 = (basis / np.linalg.norm(basis, axis=1, keepdims=True)).astype(np.float32)
    return rows
