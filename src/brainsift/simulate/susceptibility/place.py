"""Where bleeds lie: the places of real ones, on the labels of a head."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from brainsift.simulate.freesurfer import CORTEX, LATERAL_VENTRICLES, WHITE
from brainsift.simulate.labelmap import LabelMap

Float64 = NDArray[np.float64]
Place = Literal["lobar", "deep", "infratentorial"]

BASAL = (11, 12, 13, 26, 50, 51, 52, 58)
THALAMUS, BRAINSTEM, CEREBELLUM = (10, 49), (16,), (7, 46, 8, 47)


@dataclass(frozen=True)
class Region:
    """A kind of place: its MARS group, the labels it lies in, and its share of real bleeds."""

    place: Place
    labels: tuple[int, ...]
    share: float


REGIONS: dict[str, Region] = {
    "cortex": Region("lobar", CORTEX, 71.0),
    "subcortical_white": Region("lobar", WHITE, 14.0),
    "deep_white": Region("deep", WHITE, 7.0),
    "basal_ganglia": Region("deep", BASAL, 13.0),
    "thalamus": Region("deep", THALAMUS, 6.0),
    "brainstem": Region("infratentorial", BRAINSTEM, 10.0),
    "cerebellum": Region("infratentorial", CEREBELLUM, 5.0),
}
"""Of 126 bleeds (../shared/science/microbleeds.md): cortex and its border with white matter 71, white matter 21, basal
ganglia 13, brainstem 10, thalamus 6, cerebellum 5. White matter within `DEEP_MM` of a ventricle is deep (MARS, Gregoire
2009, Neurology 73:1759)."""

DEEP_MM = 9.0
CORTEX_MM = 2.0

MIX_SPREAD = 1.0
"""Standard deviation of the logarithm of a person's share of each group: amyloid angiopathy is lobar, hypertensive
disease deep and infratentorial."""

TRIES = 60


class PlaceFinder:
    """Draws places of bleeds in one head, with the habits of one person."""

    def __init__(self, rng: np.random.Generator, head: LabelMap) -> None:
        """Draw the person's habits."""
        self.head = head
        self.found: dict[tuple[int, ...], NDArray[np.int64]] = {}
        groups = {place: float(np.exp(rng.normal(0, MIX_SPREAD))) for place in ("lobar", "deep", "infratentorial")}
        values = head.values.tolist()
        self.names = [name for name, r in REGIONS.items() if any(label in values for label in r.labels)]
        share = np.array([REGIONS[name].share * groups[REGIONS[name].place] for name in self.names])
        self.share = share / share.sum() if len(share) else share

    def draw(self, rng: np.random.Generator) -> tuple[str, Float64] | None:
        """A region and a centre (3,) in head voxels, or None if `TRIES` draws met no fitting place."""
        for _ in range(TRIES if self.names else 0):
            name = str(rng.choice(self.names, p=self.share))
            at = self._voxels(REGIONS[name].labels)
            if not len(at):
                continue
            voxel = np.asarray(np.unravel_index(int(at[int(rng.integers(len(at)))]), self.head.codes.shape))
            if self._fits(name, voxel):
                return name, voxel + rng.uniform(-0.5, 0.5, 3)
        return None

    def _voxels(self, labels: tuple[int, ...]) -> NDArray[np.int64]:
        if labels not in self.found:
            wanted = np.isin(self.head.values, labels)
            self.found[labels] = np.flatnonzero(wanted[self.head.codes.ravel()])
        return self.found[labels]

    def _fits(self, name: str, voxel: NDArray[np.int64]) -> bool:
        if name == "subcortical_white":
            return not self._near(voxel, CORTEX, CORTEX_MM) and not self._near(voxel, LATERAL_VENTRICLES, DEEP_MM)
        if name == "deep_white":
            return self._near(voxel, LATERAL_VENTRICLES, DEEP_MM) and not self._near(voxel, CORTEX, CORTEX_MM)
        return True

    def _near(self, voxel: NDArray[np.int64], labels: tuple[int, ...], reach_mm: float) -> bool:
        reach = max(1, round(reach_mm / self.head.spacing_mm))
        box = tuple(slice(max(0, v - reach), v + reach + 1) for v in voxel)
        wanted = np.isin(self.head.values, labels)
        return bool(wanted[self.head.codes[box]].any())
