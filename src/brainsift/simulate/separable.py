"""A matrix applied along one axis of a volume, through BLAS."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]


def along(matrix: Float32, volume: Float32, axis: int) -> Float32:
    """Multiply (m, n) into axis `axis` of (X, Y, Z), whose length there is n.

    The middle axis goes slice by slice: NumPy's broadcast product of a matrix with a stack leaves BLAS and took 40 times as long.
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
