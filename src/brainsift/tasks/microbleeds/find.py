"""From a prepared scan to its bleeds: the two networks, then anatomy and shape, with the count of each step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainsift.anatomy.anatomy import Anatomy
from brainsift.scans.volume import Volume
from brainsift.tasks.microbleeds.bleeds import Bleed, Looked
from brainsift.tasks.microbleeds.calcified import TELLING, calcify
from brainsift.tasks.microbleeds.cleanup import Judged, judge
from brainsift.tasks.microbleeds.extent import Extent, extent_of
from brainsift.tasks.microbleeds.mars import MarsAtlas
from brainsift.tasks.microbleeds.model import BleedNetworks
from brainsift.tasks.microbleeds.network import Candidate, Prepared
from brainsift.tasks.microbleeds.places import Place, find_places
from brainsift.tasks.tables import rounded

Float64 = NDArray[np.float64]

MIN_CONFIDENCE = 0.3
"""Of the anatomy, as in the other tasks: below, nothing is dropped for where it lies."""

VERDICTS = ("definite", "possible", "dropped")


@dataclass(frozen=True, eq=False)
class Found:
    """What was found in a scan.

    Attributes
    ----------
    prepared : what the networks saw.
    bleeds : definite ones first.
    extents : the voxels of each bleed.
    looked : all candidates of the first step.
    after_discrimination : candidates that the second network takes for bleeds or possible ones.
    threshold : probability of a bleed.
    """

    prepared: Prepared
    bleeds: tuple[Bleed, ...]
    extents: tuple[Extent, ...]
    looked: tuple[Looked, ...]
    after_discrimination: int
    threshold: float

    def certain(self, certainty: str) -> list[Bleed]:
        """Definite or possible ones."""
        return [bleed for bleed in self.bleeds if bleed.certainty == certainty]


@dataclass(frozen=True, eq=False)
class _Case:
    """A candidate that the second network did not rule out."""

    number: int
    probability: float
    mm: Float64
    place: Place
    extent: Extent
    judged: Judged


def find_bleeds(
    volume: Volume,
    anatomy: Anatomy,
    prepared: Prepared,
    networks: BleedNetworks,
    atlas: MarsAtlas | None = None,
) -> Found:
    """Run all three steps.

    Raises
    ------
    ModelError
        if a network gives answers of the wrong shape.
    """
    places = networks.find(prepared)
    probability = networks.judge(prepared, places)
    likely = np.flatnonzero(probability >= networks.possible_from(prepared.modality))
    mm = centres_mm(places, prepared)
    cases = _cases(volume, anatomy, prepared, networks, mm, probability, likely, atlas)
    kept = sorted(
        (case for case in cases if case.judged.verdict != "dropped"),
        key=lambda case: (VERDICTS.index(case.judged.verdict), -case.probability),
    )
    numbers = {case.number: number for number, case in enumerate(kept, start=1)}
    bleeds = tuple(_bleed(number, case, volume) for number, case in enumerate(kept, start=1))
    judged = {case.number: case.judged for case in cases}
    looked = tuple(
        _looked(number, places[number], float(probability[number]), mm[number], judged.get(number), numbers.get(number))
        for number in range(len(places))
    )
    extents = tuple(case.extent for case in kept)
    return Found(prepared, bleeds, extents, looked, len(likely), networks.bleed_from(prepared.modality))


def centres_mm(places: Sequence[Candidate], prepared: Prepared) -> Float64:
    """Candidates in scan mm, (N, 3)."""
    voxels = np.array([place.voxel for place in places], np.float64).reshape(-1, 3)
    return np.asarray(voxels @ prepared.affine[:3, :3].T + prepared.affine[:3, 3])


def _cases(
    volume: Volume,
    anatomy: Anatomy,
    prepared: Prepared,
    networks: BleedNetworks,
    mm: Float64,
    probability: NDArray[np.float32],
    likely: NDArray[np.intp],
    atlas: MarsAtlas | None,
) -> list[_Case]:
    """Candidates that may be bleeds, the most probable first; of those that share a darkest voxel, one."""
    order = likely[np.argsort(-probability[likely], kind="stable")]
    trusted = anatomy.confidence >= MIN_CONFIDENCE
    cases: list[_Case] = []
    taken = np.zeros(volume.shape, np.bool_)
    places = find_places(mm[order], anatomy, atlas)
    calcified = _calcified(prepared, places, probability[order])
    threshold = networks.bleed_from(prepared.modality)
    for number, place, calcifies in zip(order.tolist(), places, calcified.tolist(), strict=True):
        extent = extent_of(volume, anatomy, prepared.reading, mm[number])
        sure = float(probability[number]) >= threshold
        very_sure = float(probability[number]) >= (1 + threshold) / 2
        judged = judge(place, extent, sure=sure, very_sure=very_sure, anatomy_trusted=trusted, calcifies=calcifies)
        where = tuple(extent.index.T)
        if taken[where].mean() > 0.5:
            judged = Judged("dropped", ("same_as_another",))
        elif judged.verdict != "dropped":
            taken[where] = True
        cases.append(_Case(number, float(probability[number]), mm[number], place, extent, judged))
    return cases


def _calcified(prepared: Prepared, places: Sequence[Place], probability: NDArray[np.float32]) -> NDArray[np.bool_]:
    """(N,) which places may as well be calcium."""
    if prepared.modality == "qsm":
        return np.zeros(len(places), np.bool_)
    return calcify(places, [prepared.modality == "swi" and bool(of >= TELLING) for of in probability])


def _bleed(number: int, case: _Case, volume: Volume) -> Bleed:
    to_voxel = np.linalg.inv(volume.affine)
    at = to_voxel[:3, :3] @ case.mm + to_voxel[:3, 3]
    voxel_mm3 = float(abs(np.linalg.det(volume.affine[:3, :3])))
    i, j, k = rounded(volume.input_grid.stored_voxel(at))
    x, y, z = rounded(case.mm)
    mni = (None, None, None) if case.place.mni_mm is None else rounded(case.place.mni_mm)
    return Bleed(
        bleed=number,
        certainty=case.judged.verdict,
        reasons="+".join(case.judged.reasons) or None,
        probability=round(case.probability, 4),
        region=case.place.group,
        mars_region=case.place.mars,
        side=case.place.side,
        i_voxel=i,
        j_voxel=j,
        k_voxel=k,
        x_mm=x,
        y_mm=y,
        z_mm=z,
        mni_x_mm=mni[0],
        mni_y_mm=mni[1],
        mni_z_mm=mni[2],
        diameter_mm=round(case.extent.diameter_mm, 2),
        volume_mm3=round(len(case.extent.index) * voxel_mm3, 3),
        elongation=round(case.extent.elongation, 2),
        contrast=round(case.extent.contrast, 3),
        brain_edge_mm=round(-case.place.outside_mm, 2),
    )


def _looked(
    number: int, place: Candidate, probability: float, mm: Float64, judged: Judged | None, bleed: int | None
) -> Looked:
    judged = judged or Judged("dropped", ("not_a_bleed",))
    reasons = "+".join(judged.reasons) or None
    score, likely = round(place.score, 4), round(probability, 4)
    return Looked(number + 1, score, likely, judged.verdict, reasons, bleed, *rounded(mm))
