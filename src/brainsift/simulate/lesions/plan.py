"""What was drawn of a head's lesions, before it is placed: plain values, stored with the scan."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainsift.simulate.lesions.ground import Ground
from brainsift.simulate.lesions.kinds import Kind
from brainsift.simulate.lesions.shapes import ShapeBank

Float32 = NDArray[np.float32]
Matrix = tuple[tuple[float, float, float], tuple[float, float, float], tuple[float, float, float]]


@dataclass(frozen=True)
class Halo:
    """White matter near the ventricles' wall: caps and bands, or what has grown from them.

    Attributes
    ----------
    kind : `PERIVENTRICULAR` or `CONFLUENT`.
    volume_ml : asked for.
    reach_mm : nothing lies farther from the wall.
    front, back : thickness at the tip of the frontal and occipital horn, relative to that of a band (1).
    cap_mm : width of the caps, standard deviation.
    roughness : standard deviation of the logarithm of the thickness.
    patch_mm : length over which the thickness changes.
    symmetry : share of that change which is alike on both sides.
    spare_cortex_mm : U-fibres under the cortex are spared.
    least_mm : where the layer would be thinner there is none; it thins out towards such places.
    edge_mm : over which the fraction falls from 1 to 0.
    seed : of the changes.
    """

    kind: Kind
    volume_ml: float
    reach_mm: float
    front: float
    back: float
    cap_mm: float
    roughness: float
    patch_mm: float
    symmetry: float
    spare_cortex_mm: float
    least_mm: float
    edge_mm: float
    seed: int


@dataclass(frozen=True)
class Blob:
    """One discrete lesion.

    Attributes
    ----------
    kind : None where it follows from the place (real shapes at their own place).
    at : (3,), centre in voxels of the box around the brain.
    axes : 3x3, rows are the lesion's axes in the head.
    radii_mm : (3,), along the axes; of a real shape, by how much it is stretched.
    roughness : standard deviation of the logarithm of the radius over the surface.
    edge_mm : over which the fraction falls from 1 to 0.
    shape : number in the bank, None for an ellipsoid.
    seed : of the surface.
    """

    kind: Kind | None
    at: tuple[float, float, float]
    axes: Matrix
    radii_mm: tuple[float, float, float]
    roughness: float
    edge_mm: float
    shape: int | None
    seed: int


@dataclass(frozen=True, eq=False)
class LesionPlan:
    """All that was drawn.

    Attributes
    ----------
    load_ml : asked for.
    pattern : ``none``, ``ageing`` (caps and bands first, then confluent, both sides alike) or ``focal`` (ovoid lesions
        here and there, as in multiple sclerosis).
    halos, blobs : what there is.
    bank : real shapes that blobs refer to, not stored.
    """

    load_ml: float
    pattern: str
    halos: tuple[Halo, ...]
    blobs: tuple[Blob, ...]
    bank: ShapeBank | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "load_ml": self.load_ml,
            "pattern": self.pattern,
            "halos": [asdict(halo) for halo in self.halos],
            "blobs": [asdict(blob) for blob in self.blobs],
            "sources": sorted({self.bank.shapes[b.shape].source for b in self.blobs if b.shape is not None})
            if self.bank is not None
            else [],
        }


@dataclass(frozen=True, eq=False)
class PlacedLesions:
    """Lesions in a head. The first four are on the head's grid, the others on the box around the brain.

    Attributes
    ----------
    fraction : float32 (X, Y, Z), share of each voxel that is lesion, 0 to 1.
    kinds : int8 (X, Y, Z), `Kind` of each voxel with a fraction above 0, else 0.
    lesion : int16 (X, Y, Z), which lesion a voxel belongs to, from 1 on; 0 where the fraction is 0.
    load_ml : sum of the fraction.
    level : float32, share of an edge by which a voxel lies inside (1 and more: wholly; below 0: outside).
    depth_mm : float32, about how far inside its lesion a voxel lies.
    ground : of the head.
    """

    fraction: Float32
    kinds: NDArray[np.int8]
    lesion: NDArray[np.int16]
    load_ml: float
    level: Float32
    depth_mm: Float32
    ground: Ground

    def volumes_ml(self) -> dict[str, float]:
        """Volume of each kind, mL; they add up to the load."""
        sums = np.bincount(self.kinds.ravel(), weights=self.fraction.ravel(), minlength=len(Kind) + 1)
        return {kind.name.lower(): float(sums[kind]) * self.ground.voxel_ml for kind in Kind}
