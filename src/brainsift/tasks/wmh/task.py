"""The lesion task: how much white-matter hyperintensity, where, and how sure, from a T1w scan alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from brainsift.anatomy.anatomy import Anatomy
from brainsift.scans.errors import ScanError
from brainsift.scans.ref import ScanRef
from brainsift.scans.volume import Volume
from brainsift.tasks.base import Drawn, DrawnImage, Finding, Measurement, NotApplicableError
from brainsift.tasks.tables import table_text
from brainsift.tasks.wmh.grades import Grades, grade
from brainsift.tasks.wmh.lesions import Lesion, list_lesions
from brainsift.tasks.wmh.marked import Marked, mark
from brainsift.tasks.wmh.model import WmhNetwork, open_wmh_network
from brainsift.tasks.wmh.native import STEP, NativeMap, to_native
from brainsift.tasks.wmh.network import prepare
from brainsift.tasks.wmh.places import Places, Region, find_places
from brainsift.tasks.wmh.trust import Trust, assess, flags
from brainsift.tasks.wmh.volumes import region_volumes_ml
from brainsift.tasks.wmh.words import FOUND, NONE, describe

NOT_ASKED = ("no_brain", "not_t1w")
"""Kinds of `ScanError` that say that the question does not apply, rather than that something went wrong."""


@dataclass(frozen=True, eq=False)
class Measured:
    """All that one probability map gives of one scan."""

    native: NativeMap
    marked: Marked
    places: Places
    trust: Trust
    grades: Grades


class WmhTask:
    """White-matter hyperintensities of a T1w scan.

    Parameters
    ----------
    network : opens the network; the one on the shelf by default.
    """

    name = "wmh"

    def __init__(self, network: Callable[[], WmhNetwork] = open_wmh_network) -> None:
        self._open = network

    def on(self, shelf: Path | None, threads: int | None) -> WmhTask:
        """The task with the network of the user's `shelf`, where one is there; a network that was given stays."""
        given = self._open is not open_wmh_network
        return self if given else WmhTask(partial(open_wmh_network, threads, shelf))

    def applies_to(self, ref: ScanRef, anatomy: Anatomy | None) -> bool:
        """Scans with a brain. That they are T1w without gadolinium, `brainsift.decide.prerequisites` sees to."""
        return anatomy is not None and anatomy.has_brain

    def run(self, volume: Volume, anatomy: Anatomy | None, ref: ScanRef) -> Finding:
        """Measure one scan.

        Raises
        ------
        ModelError
            if the network is missing or damaged.
        NotApplicableError
            if there is no brain, or white matter is not brighter than fluid.
        """
        network, measured, _ = self._measure(volume, anatomy)
        return finding_of(measured, network, volume, _known(anatomy))

    def draw(self, volume: Volume, anatomy: Anatomy | None, ref: ScanRef, *, pictures: bool) -> Drawn:
        """Measure one scan, and keep the mask, the probability map, the table of lesions and a picture. Raises as
        `run`."""
        network, measured, known = self._measure(volume, anatomy)
        finding = finding_of(measured, network, volume, known)
        return drawn_of(finding, measured, network, volume, known, pictures=pictures)

    def _measure(self, volume: Volume, anatomy: Anatomy | None) -> tuple[WmhNetwork, Measured, Anatomy]:
        known = _known(anatomy)
        network = self._open()
        try:
            prepared = prepare(volume, known)
        except ScanError as error:
            if error.kind in NOT_ASKED:
                raise NotApplicableError(error.cause) from error
            raise
        native = to_native(network.ask(prepared), prepared.affine, volume)
        return network, measure(native, known, network.threshold, network.min_lesion_mm3), known


def _known(anatomy: Anatomy | None) -> Anatomy:
    if anatomy is None:
        raise NotApplicableError("There is no anatomy to say where the brain lies.")
    return anatomy


def measure(native: NativeMap, anatomy: Anatomy, threshold: float, min_lesion_mm3: float) -> Measured:
    """All figures of a probability map on the scan's own grid."""
    marked = mark(native, threshold, min_lesion_mm3)
    places = find_places(marked, anatomy)
    return Measured(native, marked, places, assess(native, marked, places, anatomy, threshold), grade(marked, places))


def finding_of(measured: Measured, network: WmhNetwork, volume: Volume, anatomy: Anatomy) -> Finding:
    """The finding of a scan."""
    numbers = measurements(measured, anatomy) | {"threshold": network.threshold}
    total = float(numbers["volume_ml"] or 0)
    finding = Finding(
        task=WmhTask.name,
        label=FOUND if measured.marked.count else NONE,
        measurements=numbers,
        flags=flags(measured.trust, total, volume.spacing.tolist(), anatomy),
        model_id=network.model_id,
        model_sha256=network.model_sha256,
    )
    return finding.model_copy(update={"reason": describe(finding)})


def measurements(measured: Measured, anatomy: Anatomy) -> dict[str, Measurement]:
    """Volumes, counts, grades and what they rest on."""
    volumes = region_volumes_ml(measured.marked, measured.places)
    total, trust, grades = volumes.pop("total"), measured.trust, measured.grades
    return {
        "volume_ml": total,
        "volume_icv_percent": round(100 * total / anatomy.icv_ml, 4) if anatomy.icv_ml > 0 else None,
        "count": measured.marked.count,
        **{f"{region}_ml": volume for region, volume in volumes.items()},
        "fazekas_periventricular_derived": grades.periventricular,
        "fazekas_deep_derived": grades.deep,
        "periventricular_thickness_mm": round(grades.thickness_mm, 1),
        "deep_diameter_mm": round(grades.diameter_mm, 1),
        "volume_low_ml": trust.low_ml,
        "volume_high_ml": trust.high_ml,
        "volume_expected_ml": trust.expected_ml,
        "uncertain_share": round(trust.uncertain_share, 4),
        "entropy_bits": round(trust.entropy_bits, 4),
        "outside_brain_share": round(trust.outside_brain_share, 4),
        "white_grey_contrast": None if trust.contrast is None else round(trust.contrast, 4),
    }


def drawn_of(
    finding: Finding, measured: Measured, network: WmhNetwork, volume: Volume, anatomy: Anatomy, *, pictures: bool
) -> Drawn:
    """What is kept of a scan beside its figures."""
    native, marked = measured.native, measured.marked
    lesions = list_lesions(marked, measured.places, volume.input_grid, anatomy.to_mni)
    told = f"{network.model_id} (SHA-256 {network.model_sha256[:12]})"
    images = {
        "wmh_mask": DrawnImage(
            "mask",
            native.whole(marked.mask),
            1.0,
            f"White-matter hyperintensities by {told}: probability {network.threshold:g} and more, lesions of "
            f"{network.min_lesion_mm3:g} mm3 and more.",
        ),
        "wmh_probability": DrawnImage(
            "probseg", native.whole(native.levels), STEP, f"Probability of white-matter hyperintensity by {told}."
        ),
    }
    shown: dict[str, bytes] = {}
    if pictures:
        from brainsift.tasks.wmh.picture import picture_lesions

        shown = picture_lesions(volume, anatomy, marked)
    return Drawn(finding, "L", images, {"wmh_lesions": table_text(Lesion, lesions)}, shown)


__all__ = ["Measured", "Region", "WmhTask", "drawn_of", "finding_of", "measure", "measurements"]
