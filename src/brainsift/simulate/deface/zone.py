"""The usual place of a face in MNI152, with or without ears, as a mask that needs no template."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from brainsift.simulate.deface.geometry import Float64, HeadGeometry, Mask

LINE_POINT_MM = (85.0, -6.0)
LINE_NORMAL = (0.663, -0.749)
"""The face lies before and below a line (y, z) from the brow to the back of the jaw; its normal points forward and
down, 5 mm clear of the frontal lobes of MNI152."""

BACK_MM = 36.0
"""The face ends here, in the middle of the upper jaw: behind lie the temporal lobes."""

EAR_X_MM, EAR_Y_MM, EAR_Z_MM = 74.0, (-85.0, 5.0), (-105.0, -5.0)
"""Box of an ear: |x| from, y and z from and to. The brain of MNI152 is 70 mm wide at the most, on a higher level."""


@dataclass(frozen=True)
class Zone:
    """A mask of the face.

    Attributes
    ----------
    deeper_mm : the border moved towards the brain (+) or towards the face (-).
    ears : whether the ears are part of it.
    ears_deeper_mm : the same for their inner border.
    only_below_mm : no higher than this in MNI152: a mask that stops below the eyes has it low.
    """

    deeper_mm: float = 0.0
    ears: bool = True
    ears_deeper_mm: float = 0.0
    only_below_mm: float = 40.0


def zone_mask(geometry: HeadGeometry, zone: Zone, frame: Float64 | None = None) -> Mask:
    """The zone on a scan's grid, bool (X, Y, Z); `frame` is a registration's error (`Misfit.matrix`)."""
    x, y, z = geometry.mni(frame)
    ahead = np.float32(LINE_NORMAL[0]) * (y - np.float32(LINE_POINT_MM[0]))
    ahead += np.float32(LINE_NORMAL[1]) * (z - np.float32(LINE_POINT_MM[1]))
    mask: Mask = (ahead > -zone.deeper_mm) & (y > BACK_MM - zone.deeper_mm)
    if zone.ears:
        mask |= ears_mask(x, y, z, zone.ears_deeper_mm)
    mask &= z < zone.only_below_mm
    return mask


def ears_mask(x: np.ndarray, y: np.ndarray, z: np.ndarray, deeper_mm: float) -> Mask:
    """Boxes of both ears at coordinates in MNI152, mm."""
    mask: Mask = np.abs(x) > EAR_X_MM - deeper_mm
    mask &= (y > EAR_Y_MM[0]) & (y < EAR_Y_MM[1])
    mask &= (z > EAR_Z_MM[0]) & (z < EAR_Z_MM[1])
    return mask


def draw_zone(rng: np.random.Generator, aim: str) -> Zone:
    """Draw a mask that should do what `aim` says on a usual head."""
    if aim == "excessive":
        return Zone(float(rng.uniform(8, 32)), bool(rng.random() < 0.8), float(rng.uniform(-2, 14)))
    if aim == "insufficient":
        way = int(rng.integers(4))
        if way == 0:
            return Zone(float(rng.uniform(-4, 3)), ears=False)
        if way == 1:
            return Zone(float(rng.uniform(-4, 3)), True, float(rng.uniform(-1, 5)), float(rng.uniform(-95, -35)))
        if way == 2:
            return Zone(float(rng.uniform(-4, 3)), True, float(rng.uniform(-18, -5)))
        return Zone(float(rng.uniform(-35, -8)), bool(rng.random() < 0.7), float(rng.uniform(-8, 5)))
    return Zone(float(rng.uniform(-4, 3)), True, float(rng.uniform(-1, 5)))
