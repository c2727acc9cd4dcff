"""The microbleed task: how many cerebral microbleeds, and where, from one GRE, SWI or QSM."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from brainsift.anatomy.anatomy import Anatomy
from brainsift.scans.errors import ScanError
from brainsift.scans.ref import ScanRef
from brainsift.scans.volume import Volume
from brainsift.tasks.base import Drawn, DrawnImage, Finding, Measurement, NotApplicableError
from brainsift.tasks.microbleeds.bleeds import Bleed, Looked
from brainsift.tasks.microbleeds.find import Found, find_bleeds
from brainsift.tasks.microbleeds.mars import GROUP, REGIONS, load_mars_atlas
from brainsift.tasks.microbleeds.modality import modality_of
from brainsift.tasks.microbleeds.model import BleedNetworks, open_bleed_networks
from brainsift.tasks.microbleeds.network import prepare
from brainsift.tasks.microbleeds.trust import flags
from brainsift.tasks.microbleeds.words import FOUND, GROUPS, NONE, POSSIBLE, bin_of, describe
from brainsift.tasks.tables import table_text

NOT_ASKED = ("no_brain", "no_signal", "phase", "unknown_units", "not_susceptibility")
"""Kinds of `ScanError` that say that the question does not apply, rather than that something went wrong."""


class MicrobleedTask:
    """Microbleeds of a GRE, SWI or QSM.

    Parameters
    ----------
    networks : opens the networks; those on the shelf by default.
    mars_atlas : file of an atlas in MNI152 for finer regions.
    """

    name = "microbleeds"

    def __init__(
        self, networks: Callable[[], BleedNetworks] = open_bleed_networks, mars_atlas: Path | None = None
    ) -> None:
        self._open = networks
        self._atlas = mars_atlas

    def on(self, shelf: Path | None, threads: int | None) -> MicrobleedTask:
        """The task with the networks of the user's `shelf`, where they are there; networks that were given stay."""
        given = self._open is not open_bleed_networks
        return self if given else MicrobleedTask(partial(open_bleed_networks, threads, shelf), self._atlas)

    def with_atlas(self, mars_atlas: Path | None) -> MicrobleedTask:
        """The task with the user's atlas."""
        return MicrobleedTask(self._open, mars_atlas)

    def applies_to(self, ref: ScanRef, anatomy: Anatomy | None) -> bool:
        """Scans with a brain. That they are GRE, SWI or QSM, `brainsift.decide.prerequisites` sees to."""
        return anatomy is not None and anatomy.has_brain

    def run(self, volume: Volume, anatomy: Anatomy | None, ref: ScanRef) -> Finding:
        """Look for bleeds in one scan.

        Raises
        ------
        ModelError
            if a network is missing or damaged.
        NotApplicableError
            if there is no brain, or the image is none in which bleeds could be seen; with the reason.
        ScanError
            if the atlas cannot be read.
        """
        networks, found, known = self._find(volume, anatomy, ref)
        return finding_of(found, networks, volume, known, fine=self._atlas is not None)

    def draw(self, volume: Volume, anatomy: Anatomy | None, ref: ScanRef, *, pictures: bool) -> Drawn:
        """Look for bleeds, and keep the mask, the tables and a picture. Raises as `run`."""
        networks, found, known = self._find(volume, anatomy, ref)
        finding = finding_of(found, networks, volume, known, fine=self._atlas is not None)
        return drawn_of(finding, found, networks, volume, known, pictures=pictures)

    def _find(self, volume: Volume, anatomy: Anatomy | None, ref: ScanRef) -> tuple[BleedNetworks, Found, Anatomy]:
        if anatomy is None:
            raise NotApplicableError("There is no anatomy to say where the brain lies.")
        networks = self._open()
        atlas = None if self._atlas is None else load_mars_atlas(self._atlas)
        modality = modality_of(volume.facts.header, ref.suffix, PurePosixPath(ref.stem).name)
        try:
            prepared = prepare(volume, anatomy, modality)
        except ScanError as error:
            if error.kind in NOT_ASKED:
                raise NotApplicableError(f"{error.cause} {error.remedy}") from error
            raise
        return networks, find_bleeds(volume, anatomy, prepared, networks, atlas), anatomy


def finding_of(
    found: Found, networks: BleedNetworks, volume: Volume, anatomy: Anatomy, *, fine: bool = False
) -> Finding:
    """The finding of a scan; `fine` adds the counts of the atlas's regions."""
    numbers = measurements(found, networks) | (fine_counts(found) if fine else {})
    definite, possible = (found.certain(certainty) for certainty in ("definite", "possible"))
    finding = Finding(
        task=MicrobleedTask.name,
        label=FOUND if definite else POSSIBLE if possible else NONE,
        measurements=numbers,
        flags=flags(found, volume, anatomy),
        model_id=networks.model_id,
        model_sha256=networks.model_sha256,
    )
    return finding.model_copy(update={"reason": describe(finding)})


def measurements(found: Found, networks: BleedNetworks) -> dict[str, Measurement]:
    """Counts by certainty and region, of each step, and what they rest on."""
    definite, possible = (found.certain(certainty) for certainty in ("definite", "possible"))
    reading = found.prepared.reading
    return {
        "count": len(definite),
        "possible_count": len(possible),
        "count_bin": bin_of(len(definite)),
        **{f"{group}_count": sum(bleed.region == group for bleed in definite) for group in GROUPS},
        **{f"{group}_possible_count": sum(bleed.region == group for bleed in possible) for group in GROUPS},
        "largest_diameter_mm": max((bleed.diameter_mm for bleed in definite), default=None),
        "candidates": len(found.looked),
        "after_discrimination": found.after_discrimination,
        "after_cleanup": len(found.bleeds),
        "modality": reading.modality,
        "inverted": reading.inverted,
        "candidate_threshold": networks.candidate_threshold,
        "threshold": found.threshold,
        "possible_threshold": networks.possible_from(reading.modality),
        "candidates_model_sha256": networks.detector_sha256,
    }


def fine_counts(found: Found) -> dict[str, Measurement]:
    """Definite bleeds in each region of the atlas, in its order."""
    definite = found.certain("definite")
    names = (REGIONS[label] for label in GROUP)
    return {f"mars_{name}_count": sum(bleed.mars_region == name for bleed in definite) for name in names}


def drawn_of(
    finding: Finding, found: Found, networks: BleedNetworks, volume: Volume, anatomy: Anatomy, *, pictures: bool
) -> Drawn:
    """What is kept of a scan beside its figures."""
    told = f"{networks.model_id} (SHA-256 {networks.model_sha256[:12]})"
    mask = DrawnImage(
        "mask",
        numbered_mask(found, volume.shape),
        1.0,
        f"Cerebral microbleeds by {told}, numbered as in the table: definite ones first, possible ones after them.",
    )
    tables = {
        "microbleeds_table": table_text(Bleed, found.bleeds),
        "microbleeds_candidates": table_text(Looked, found.looked),
    }
    shown: dict[str, bytes] = {}
    if pictures:
        from brainsift.tasks.microbleeds.picture import picture_bleeds

        shown = picture_bleeds(volume, anatomy, found.bleeds)
    return Drawn(finding, "L", {"microbleeds_mask": mask}, tables, shown)


def numbered_mask(found: Found, shape: tuple[int, int, int]) -> NDArray[np.uint8]:
    """Number of the bleed at each voxel, 0 elsewhere; a voxel of two belongs to the first."""
    mask = np.zeros(shape, np.uint8)
    for number, extent in reversed(list(enumerate(found.extents, start=1))):
        mask[tuple(extent.index.T)] = number
    return mask
