"""Draw the lesions of a head: how much, of which kinds, and where."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from brainsift.simulate.labelmap import LabelMap
from brainsift.simulate.lesions.ground import Ground, ground_of
from brainsift.simulate.lesions.kinds import Kind
from brainsift.simulate.lesions.place import place_lesions
from brainsift.simulate.lesions.plan import Blob, Halo, LesionPlan, PlacedLesions
from brainsift.simulate.lesions.shapes import ShapeBank
from brainsift.simulate.lesions.where import candidates, radial

__all__ = ["LesionPlan", "PlacedLesions", "draw_lesion_plan", "draw_load", "place_lesions"]

Float64 = NDArray[np.float64]

NONE_SHARE = 0.25
"""Of heads have no lesion: a model that never sees one finds some in everybody."""

LOAD_ML = (0.08, 80.0)
"""Log-uniform: as many heads between 0.1 and 1 mL as between 1 and 10."""

AGEING_SHARE = 0.65
AT_OWN_PLACE_SHARE = 0.5
"""Of focal patterns with a bank: a real mask as it is, its lesions at their own places."""

REAL_SHAPE_SHARE = 0.5
"""Of discrete lesions have a real one's shape, where there is a bank."""

MOST_BLOBS = 160

EDGE_MM = (0.7, 2.5)

THINNEST_MM = (1.2, 2.5)
"""Of caps and bands. The lateral ventricles' wall has 100 to 200 cm²: some mL spread evenly over it are a line of half
a millimetre, which most people have, no rater outlines and a T1w cannot tell from partial volume."""

BAND_EDGE_MM = (0.5, 1.0)
"""Of caps and bands: with wider edges a thin band is nowhere lesion by half, and the truth mask misses all of it."""


@dataclass(frozen=True)
class _Sort:
    """How lesions of one kind are drawn: volume of one (mL, log-uniform), elongation, roughness."""

    kind: Kind
    volume_ml: tuple[float, float]
    elongation: float
    roughness: tuple[float, float]


PUNCTATE = _Sort(Kind.DEEP, (0.008, 0.35), 1.3, (0.05, 0.25))
PATCH = _Sort(Kind.DEEP, (0.15, 2.5), 1.6, (0.15, 0.35))
FINGER = _Sort(Kind.PERIVENTRICULAR, (0.05, 0.9), 2.2, (0.05, 0.2))
UNDER_CORTEX = _Sort(Kind.JUXTACORTICAL, (0.02, 0.6), 1.8, (0.1, 0.3))
BELOW = _Sort(Kind.INFRATENTORIAL, (0.02, 0.8), 1.4, (0.1, 0.3))
"""Ovoid lesions of multiple sclerosis stand on the ventricle's wall and are longer than wide (Dawson's fingers); those
of 3 mm or more count (Filippi 2019, Brain 142:1858)."""


def draw_load(rng: np.random.Generator) -> float:
    """Draw a load in mL, 0 for a quarter of heads."""
    if rng.random() < NONE_SHARE:
        return 0.0
    return float(np.exp(rng.uniform(*np.log(LOAD_ML))))


def draw_lesion_plan(
    rng: np.random.Generator, head: LabelMap, *, load_ml: float | None = None, shapes: ShapeBank | None = None
) -> LesionPlan:
    """Draw the lesions of a head.

    Parameters
    ----------
    head : any label map with FreeSurfer's values, deformed or not.
    load_ml : volume of all lesions together; drawn if None.
    shapes : real lesions to take shapes and places from; ellipsoids with uneven surfaces alone if None.

    Raises
    ------
    ValueError
        if the load is negative, or the head has no white matter.
    """
    load = draw_load(rng) if load_ml is None else float(load_ml)
    if not 0 <= load < np.inf:
        raise ValueError(f"a lesion load is 0 mL or more, got {load}")
    ground = ground_of(head)
    if load == 0:
        return LesionPlan(0.0, "none", (), (), shapes)
    drawer = _Drawer(rng, ground, shapes)
    if rng.random() < AGEING_SHARE:
        return drawer.ageing(load)
    if shapes is not None and rng.random() < AT_OWN_PLACE_SHARE:
        return drawer.as_real(load, shapes)
    return drawer.focal(load)


class _Drawer:
    """Draws one plan, piece by piece."""

    def __init__(self, rng: np.random.Generator, ground: Ground, bank: ShapeBank | None) -> None:
        self.rng, self.ground, self.bank = rng, ground, bank
        self.has_ventricles = bool(ground.ventricle.any())

    def ageing(self, load: float) -> LesionPlan:
        """Caps and bands first, points in the depth beside them; what is more flows together."""
        rng = self.rng
        points = min(load * rng.uniform(0.02, 0.5), rng.uniform(0.5, 6))
        under = min(load * rng.uniform(0, 0.06), 0.6) if rng.random() < 0.4 else 0.0
        below = min(load * rng.uniform(0.01, 0.08), 1.5) if rng.random() < 0.25 else 0.0
        rest = load - points - under - below
        first = min(rest, rng.uniform(1.5, 7))
        confluent = rest - first
        if 0 < confluent < 1.5:
            first, confluent = rest, 0.0
        blobs = [*self._blobs(PUNCTATE, 0.6 * points), *self._blobs(PATCH, 0.4 * points)]
        blobs += [*self._blobs(UNDER_CORTEX, under), *self._blobs(BELOW, below)]
        halos = [self._halo(Kind.PERIVENTRICULAR, first)]
        if confluent:
            # Confluent lesions contain the caps that they have grown from.
            halos.append(self._halo(Kind.CONFLUENT, confluent + 0.8 * first))
        return self._plan(load, "ageing", halos, blobs)

    def focal(self, load: float) -> LesionPlan:
        """Discrete lesions at the ventricles, in the depth, under the cortex and below the tentorium."""
        rng = self.rng
        shares = rng.dirichlet((4, 3, 1.5, 0.6, 1.0)) * load
        fingers, patches, under, below, layer = (float(s) for s in shares)
        blobs = [*self._blobs(FINGER, min(fingers, 12)), *self._blobs(PATCH, 0.7 * patches)]
        blobs += [*self._blobs(PUNCTATE, min(0.3 * patches, 4)), *self._blobs(UNDER_CORTEX, min(under, 4))]
        blobs += [*self._blobs(BELOW, min(below, 3))]
        halos = [self._halo(Kind.PERIVENTRICULAR, min(layer, 5))] if layer > 0.3 else []
        if load > 15:
            halos.append(self._halo(Kind.CONFLUENT, 0.5 * load))
        return self._plan(load, "focal", halos, blobs)

    def as_real(self, load: float, bank: ShapeBank) -> LesionPlan:
        """The lesions of one person at their places in this head, grown or shrunk to about the load."""
        rng = self.rng
        loads = np.array([bank.load_ml(source) for source in bank.sources])
        nearness = np.exp(-(np.log(loads / load) ** 2))
        source = str(rng.choice(bank.sources, p=nearness / nearness.sum()))
        mirror = -1.0 if rng.random() < 0.5 else 1.0
        size = float(np.clip(np.cbrt(load / bank.load_ml(source)), 0.6, 1.6))
        from_mni = np.linalg.inv(self.ground.to_mni)
        linear = from_mni[:3, :3] * self.ground.spacing_mm
        # The head's own proportions stretch the shape; its axes are those of MNI152 as they lie in the head.
        lengths = np.linalg.norm(linear, axis=0)
        axes = np.diag([mirror, 1, 1]) @ (linear / lengths).T
        edge = float(rng.uniform(*EDGE_MM))
        blobs = []
        for number in bank.of(source):
            centre = bank.shapes[number].centre_mm * (mirror, 1, 1) + rng.normal(0, 1.0, 3)
            at = from_mni[:3, :3] @ centre + from_mni[:3, 3]
            blobs.append(self._blob(None, at, axes, lengths * size, 0.0, edge, number))
        room = load - size**3 * bank.load_ml(source)
        halos = [self._halo(Kind.CONFLUENT, 0.6 * load)] if room > 0.3 * load else []
        return self._plan(load, "focal", halos, blobs)

    def _plan(self, load: float, pattern: str, halos: list[Halo], blobs: list[Blob]) -> LesionPlan:
        if not blobs and not (halos and self.has_ventricles):
            blobs = self._blobs(PATCH, load) or self._blobs(UNDER_CORTEX, load)
        return LesionPlan(load, pattern, tuple(halos), tuple(blobs), self.bank)

    def _halo(self, kind: Kind, volume_ml: float) -> Halo:
        rng, confluent = self.rng, kind == Kind.CONFLUENT
        return Halo(
            kind=kind,
            volume_ml=float(volume_ml),
            reach_mm=float(rng.uniform(20, 45) if confluent else rng.uniform(5, 10)),
            front=float(rng.uniform(1.0, 2.5) if confluent else rng.uniform(2.5, 9)),
            back=float(rng.uniform(1.0, 3.0) if confluent else rng.uniform(2.5, 9)),
            cap_mm=float(rng.uniform(8, 18) if confluent else rng.uniform(5, 11)),
            roughness=float(rng.uniform(0.3, 0.65) if confluent else rng.uniform(0.2, 0.6)),
            patch_mm=float(rng.uniform(9, 20) if confluent else rng.uniform(6, 16)),
            symmetry=float(rng.uniform(0.4, 0.9)),
            spare_cortex_mm=float(rng.uniform(1.5, 4.0) if confluent else rng.uniform(1.0, 3.0)),
            least_mm=float(rng.uniform(*THINNEST_MM)),
            edge_mm=float(rng.uniform(*(EDGE_MM if confluent else BAND_EDGE_MM))),
            seed=int(rng.integers(2**31)),
        )

    def _blobs(self, sort: _Sort, volume_ml: float) -> list[Blob]:
        """Lesions of one sort until they have the volume; none where they find no place."""
        places = candidates(self.ground, sort.kind)
        blobs: list[Blob] = []
        left = volume_ml
        least, most = sort.volume_ml
        while left > 0.5 * least and len(places) and len(blobs) < MOST_BLOBS:
            one = float(np.exp(self.rng.uniform(np.log(least), np.log(max(least * 1.01, min(most, 1.5 * left))))))
            blobs.append(self._somewhere(sort, one, places[int(self.rng.integers(len(places)))]))
            left -= one
        return blobs

    def _somewhere(self, sort: _Sort, volume_ml: float, at: Float64) -> Blob:
        rng = self.rng
        at = at + rng.uniform(-0.5, 0.5, 3)
        edge = float(rng.uniform(*EDGE_MM))
        long = Rotation.random(random_state=rng).as_matrix()
        if sort.kind == Kind.PERIVENTRICULAR:
            long = _along(radial(self.ground, at), rng)
        if self.bank is not None and rng.random() < REAL_SHAPE_SHARE:
            fit = np.array([abs(np.log(shape.volume_mm3 / 1000 / volume_ml)) for shape in self.bank.shapes])
            number = int(rng.choice(np.flatnonzero(fit <= max(0.7, float(np.sort(fit)[min(5, len(fit) - 1)])))))
            size = np.cbrt(volume_ml * 1000 / self.bank.shapes[number].volume_mm3) * np.exp(rng.normal(0, 0.1, 3))
            return self._blob(sort.kind, at, long, size, 0.0, edge, number)
        radius = np.cbrt(volume_ml * 1000 * 3 / (4 * np.pi))
        stretch = float(np.exp(rng.uniform(0, np.log(sort.elongation))))
        flat = float(np.exp(rng.uniform(0, 0.5 * np.log(sort.elongation))))
        radii = radius * np.array([stretch * flat, 1 / stretch * flat, 1 / flat**2])
        radii = radii / np.cbrt(np.prod(radii)) * radius
        return self._blob(sort.kind, at, long, radii, float(rng.uniform(*sort.roughness)), edge, None)

    def _blob(
        self,
        kind: Kind | None,
        at: Float64,
        axes: Float64,
        radii: Float64,
        rough: float,
        edge: float,
        shape: int | None,
    ) -> Blob:
        a, b, c = ((float(r[0]), float(r[1]), float(r[2])) for r in axes)
        return Blob(
            kind=kind,
            at=(float(at[0]), float(at[1]), float(at[2])),
            axes=(a, b, c),
            radii_mm=(float(radii[0]), float(radii[1]), float(radii[2])),
            roughness=rough,
            edge_mm=min(edge, max(0.6, float(np.min(radii)))) if shape is None else edge,
            shape=shape,
            seed=int(self.rng.integers(2**31)),
        )


def _along(direction: Float64, rng: np.random.Generator) -> Float64:
    """Axes whose first is about `direction`, 3x3."""
    first = direction + rng.normal(0, 0.25, 3)
    first /= np.linalg.norm(first)
    other = np.cross(first, rng.standard_normal(3))
    other /= np.linalg.norm(other)
    return np.stack([first, other, np.cross(first, other)])
