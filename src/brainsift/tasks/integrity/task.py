"""The integrity task: rules without a network of its own."""

from __future__ import annotations

from pathlib import PurePosixPath

from brainsift.anatomy.anatomy import Anatomy
from brainsift.anatomy.skull import is_skull_stripped
from brainsift.scans.dimension import dimension_of
from brainsift.scans.ref import ScanRef
from brainsift.scans.volume import Volume
from brainsift.tasks.base import Finding, Measurement
from brainsift.tasks.integrity.appearance import sequence_look
from brainsift.tasks.integrity.faults import header_faults
from brainsift.tasks.integrity.intensity import MIN_CLIPPED_SHARE, Intensity, inspect_intensity
from brainsift.tasks.integrity.sequence import SequenceAnswer, is_declared_map, settle_sequence
from brainsift.tasks.integrity.words import describe

MIN_FLAGGED_CUT = 0.03
"""Share of the brain outside the field of view that is reported; the estimate's error on whole heads is below it."""

MIN_CUT = 0.10
"""Share from which the scan is called cut: three times the mean error of the estimate (docs/anatomy.md)."""

MIN_CONFIDENCE = 0.3
"""Of the anatomy; below, what was said about the brain is flagged as uncertain."""


class IntegrityTask:
    """What a scan is and whether it is whole."""

    name = "integrity"

    def applies_to(self, ref: ScanRef, anatomy: Anatomy | None) -> bool:
        """Every scan is asked."""
        return True

    def run(self, volume: Volume, anatomy: Anatomy | None, ref: ScanRef) -> Finding:
        """Inspect one scan; `anatomy` is ``None`` where the scan was refused by the anatomy pass."""
        header = volume.facts.header
        intensity = inspect_intensity(volume.data)
        look = sequence_look(anatomy) if anatomy is not None and intensity.kind == "image" else {"unknown": 1.0}
        answer = settle_sequence(header, ref.suffix, look, name=PurePosixPath(ref.stem).name, wraps=intensity.wraps)
        dimension, _ = dimension_of(volume.spacing, header, answer.sequence)
        label = _label(intensity, anatomy, is_declared_map(header, ref.suffix))
        measurements = _measure(volume, anatomy, intensity, answer) | {"dimension": dimension}
        finding = Finding(
            task=self.name,
            label=label,
            probabilities={f"sequence_{name}": round(value, 4) for name, value in look.items()},
            measurements=measurements,
            flags=header_faults(volume) + _flags(label, intensity, anatomy, answer, measurements),
            model_id=None if anatomy is None else anatomy.model_id,
            model_sha256=None if anatomy is None else anatomy.model_sha256,
        )
        return finding.model_copy(update={"reason": describe(finding)})


def _label(intensity: Intensity, anatomy: Anatomy | None, declared_map: bool) -> str:
    if intensity.kind != "image":
        return intensity.kind
    if declared_map:
        return "parameter_map"
    if anatomy is None:
        return "image"
    if not anatomy.has_brain and anatomy.outside_fov < 1.0 - MIN_CUT:
        return "no_brain"
    return "cut" if anatomy.outside_fov >= MIN_CUT else "image"


def _measure(
    volume: Volume, anatomy: Anatomy | None, intensity: Intensity, answer: SequenceAnswer
) -> dict[str, Measurement]:
    x, y, z = (round(float(value), 4) for value in volume.spacing)
    measured: dict[str, Measurement] = {
        "sequence": answer.sequence,
        "sequence_from_header": answer.from_header,
        "sequence_from_name": answer.from_name,
        "sequence_from_image": answer.from_image,
        "spacing_mm_x": x,
        "spacing_mm_y": y,
        "spacing_mm_z": z,
        "distinct_values": intensity.distinct_values,
        "clipped_share": round(intensity.clipped_share, 5),
        "equal_neighbour_share": round(intensity.equal_neighbours, 4),
        "nonfinite_voxels": volume.facts.nonfinite_voxels,
        "volumes": volume_count(volume),
        "outside_fov": None,
        "skull_stripped": None,
        "brain_ml": None,
        "confidence": None,
    }
    if anatomy is not None and intensity.kind in ("image", "parameter_map"):
        measured["outside_fov"] = round(anatomy.outside_fov, 4)
        measured["brain_ml"] = round(anatomy.brain_ml, 1)
        measured["confidence"] = round(anatomy.confidence, 3)
        measured["skull_stripped"] = is_skull_stripped(anatomy) if anatomy.has_brain else None
    return measured


def volume_count(volume: Volume) -> int:
    """Volumes in the file: the product of its dimensions beyond the third."""
    count = 1
    for n in volume.facts.stored_shape[3:]:
        count *= max(1, n)
    return count


def _flags(
    label: str,
    intensity: Intensity,
    anatomy: Anatomy | None,
    answer: SequenceAnswer,
    measurements: dict[str, Measurement],
) -> tuple[str, ...]:
    image = label in ("image", "cut")
    outside = 0.0 if anatomy is None else anatomy.outside_fov
    flags = {
        "four_d": volume_count_flag(measurements),
        "nonfinite": bool(measurements["nonfinite_voxels"]),
        "clipped": image and intensity.clipped_share >= MIN_CLIPPED_SHARE,
        "brain_cut": image and outside >= MIN_FLAGGED_CUT,
        "sequence_conflict": image and answer.conflict,
        "skull_stripped": image and measurements["skull_stripped"] is True,
        "low_confidence": image and anatomy is not None and anatomy.confidence < MIN_CONFIDENCE,
    }
    return tuple(name for name, holds in flags.items() if holds)


def volume_count_flag(measurements: dict[str, Measurement]) -> bool:
    """Whether the file holds more than the one volume that was looked at."""
    volumes = measurements["volumes"]
    return isinstance(volumes, int) and volumes > 1
