"""Where bleeds lie: the places of real ones, on the labels of a head."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from brainsift.simulate.labelmap import LabelMap

Float64 = NDArray[np.float64]
Place = Literal["lobar", "deep", "infratentorial"]

WHITE, CORTEX, VENTRICLES = (2, 41), (3, 42), (4, 43)
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


def draw_places(rng: np.random.Generator, head: LabelMap, count: int) -> list[tuple[str, Float64]]:
    """Draw regions and centres (head voxels) of `count` bleeds; fewer where the head has no such place."""
    values = head.values.tolist()
    groups = {place: float(np.exp(rng.normal(0, MIX_SPREAD))) for place in ("lobar", "deep", "infratentorial")}
    names = [name for name, region in REGIONS.items() if any(label in values for label in region.labels)]
    if not names or not count:
        return []
    share = np.array([REGIONS[name].share * groups[REGIONS[name].place] for name in names])
    finder = _Finder(head)
    drawn = []
    for name in rng.choice(names, size=count, p=share / share.sum()):
        at = finder.draw(rng, str(name))
        if at is not None:
            drawn.append((str(name), at))
    return drawn


class _Finder:
    """Voxels of the regions of one head, found once each."""

    def __init__(self, head: LabelMap) -> None:
        self.head = head
        self.found: dict[tuple[int, ...], NDArray[np.int64]] = {}

    def draw(self, rng: np.random.Generator, name: str) -> Float64 | None:
        """A centre in a region, or None if `TRIES` draws met no fitting place."""
        at = self._voxels(REGIONS[name].labels)
        for _ in range(TRIES if len(at) else 0):
            flat = int(at[int(rng.integers(len(at)))])
            voxel = np.asarray(np.unravel_index(flat, self.head.codes.shape))
            if self._fits(name, voxel):
                return voxel + rng.uniform(-0.5, 0.5, 3)
        return None

    def _voxels(self, labels: tuple[int, ...]) -> NDArray[np.int64]:
        if labels not in self.found:
            wanted = np.isin(self.head.values, labels)
            self.found[labels] = np.flatnonzero(wanted[self.head.codes.ravel()])
        return self.found[labels]

    def _fits(self, name: str, voxel: NDArray[np.int64]) -> bool:
        if name == "subcortical_white":
            return not self._near(voxel, CORTEX, CORTEX_MM) and not self._near(voxel, VENTRICLES, DEEP_MM)
        if name == "deep_white":
            return self._near(voxel, VENTRICLES, DEEP_MM) and not self._near(voxel, CORTEX, CORTEX_MM)
        return True

    def _near(self, voxel: NDArray[np.int64], labels: tuple[int, ...], reach_mm: float) -> bool:
        reach = max(1, round(reach_mm / self.head.spacing_mm))
        box = tuple(slice(max(0, v - reach), v + reach + 1) for v in voxel)
        wanted = np.isin(self.head.values, labels)
        return bool(wanted[self.head.codes[box]].any())
