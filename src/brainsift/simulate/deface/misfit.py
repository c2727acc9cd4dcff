"""A template laid over a head not quite right: what registration leaves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from brainsift.simulate.deface.geometry import Float64

PIVOT_MM = np.array([0.0, -15.0, 0.0])
"""About the brain's centre in MNI152, which registration holds best."""


@dataclass(frozen=True)
class Misfit:
    """Where the template thinks that the head lies.

    Attributes
    ----------
    shift_mm, turn_deg : (3,), along and about x, y, z of MNI152.
    size : of the head that the template takes this one for, relative to the right one.
    """

    shift_mm: tuple[float, float, float] = (0.0, 0.0, 0.0)
    turn_deg: tuple[float, float, float] = (0.0, 0.0, 0.0)
    size: float = 1.0

    def matrix(self) -> Float64:
        """4x4, mm of MNI152 → mm of the template."""
        affine = np.eye(4)
        affine[:3, :3] = Rotation.from_euler("xyz", self.turn_deg, degrees=True).as_matrix() / self.size
        affine[:3, 3] = PIVOT_MM + np.asarray(self.shift_mm) - affine[:3, :3] @ PIVOT_MM
        return affine


def draw_misfit(rng: np.random.Generator, amount: float = 1.0) -> Misfit:
    """Draw the error of a registration; 1 is what good ones leave: about 1 mm, 1 degree, 1 %."""
    x, y, z = rng.normal(0, amount, 3).tolist()
    # A head is held worst against nodding.
    nod, roll, turn = (rng.normal(0, amount, 3) * (1.5, 0.7, 0.7)).tolist()
    return Misfit((x, y, z), (nod, roll, turn), float(np.exp(rng.normal(0, 0.01 * amount))))
