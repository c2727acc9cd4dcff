"""Finer regions of the Microbleed Anatomical Rating Scale (Gregoire 2009, Neurology 73:1759), from the user's atlas."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from brainsift.scans.errors import ScanError

Float64 = NDArray[np.float64]

REGIONS = MappingProxyType(
    {
        1: "brainstem",
        2: "cerebellum",
        3: "basal_ganglia",
        4: "thalamus",
        5: "internal_capsule",
        6: "external_capsule",
        7: "corpus_callosum",
        8: "deep_periventricular_white_matter",
        9: "frontal",
        10: "parietal",
        11: "temporal",
        12: "occipital",
        13: "insula",
    }
)
"""Label of the atlas → region."""

GROUP = MappingProxyType(
    {label: "infratentorial" if label <= 2 else "deep" if label <= 8 else "lobar" for label in REGIONS}
)

REACH_MM = 10.0
"""A region is sought this far around a bleed: the affine to MNI152 leaves a few mm, more beside large ventricles."""


@dataclass(frozen=True, eq=False)
class MarsAtlas:
    """An atlas in MNI152.

    Attributes
    ----------
    labels : uint8 (X, Y, Z), keys of `REGIONS` or 0.
    affine : 4x4, voxel → MNI152 mm.
    sha256 : of the file.
    """

    labels: NDArray[np.uint8]
    affine: Float64
    sha256: str

    def name_at(self, mni_mm: tuple[float, float, float], group: str) -> str | None:
        """The region of a group that is nearest to a place; None where none is near.

        The group comes from the scan's own anatomy, which follows its shape; the atlas says which part of it.
        """
        to_voxel = np.linalg.inv(self.affine)
        at = to_voxel[:3, :3] @ np.asarray(mni_mm) + to_voxel[:3, 3]
        reach = REACH_MM * np.sqrt((to_voxel[:3, :3] ** 2).sum(axis=1))
        low = np.clip(np.floor(at - reach), 0, self.labels.shape).astype(int)
        high = np.clip(np.ceil(at + reach) + 1, low, self.labels.shape).astype(int)
        part = self.labels[tuple(slice(a, b) for a, b in zip(low, high, strict=True))]
        here = np.argwhere(np.isin(part, [label for label, its in GROUP.items() if its == group]))
        if not len(here):
            return None
        away = (((here + low - at) @ self.affine[:3, :3].T) ** 2).sum(axis=1)
        nearest = int(away.argmin())
        return REGIONS[int(part[tuple(here[nearest])])] if away[nearest] <= REACH_MM**2 else None


@lru_cache(maxsize=1)
def load_mars_atlas(path: Path) -> MarsAtlas:
    """Read an atlas: labels 1 to 13 as in `REGIONS`, or their squares, as the published file has them.

    Raises
    ------
    ScanError
        if the file cannot be read or holds other values.
    """
    from brainsift.scans.read import read_file

    volume = read_file(path)
    values = volume.data
    largest = float(values.max())
    labels = np.rint(np.sqrt(np.maximum(values, 0)) if largest > max(REGIONS) else values)
    exact = labels**2 if largest > max(REGIONS) else labels
    if not (labels > 0).any() or labels.max() > max(REGIONS) or float(np.abs(exact - values).max()) > 0.5:
        raise ScanError(
            "mars_atlas",
            f"The MARS atlas {path.name} does not hold labels 1 to 13, or their squares.",
            "Give the 13-region atlas of the Microbleed Anatomical Rating Scale in MNI152.",
        )
    return MarsAtlas(labels.astype(np.uint8), volume.affine, hashlib.sha256(path.read_bytes()).hexdigest())
