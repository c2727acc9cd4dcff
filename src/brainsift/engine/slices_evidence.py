"""Pictures of the slices that a finding names, written beside the mosaic.

A task names them in its measurements and needs no other contract: ``NAME_worst_plane`` (``sagittal``, ``coronal`` or
``axial``) and ``NAME_worst_slice`` (index of the scan's own slice across that plane, as in `Volume.data`) of whatever
it looked for (``motion``, ``noise``, ...). The picture becomes ``evidence["worst_slices"]`` of the finding.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from brainsift.scans.ref import ScanRef
from brainsift.store.files import derived_path, write_atomic
from brainsift.tasks.base import Finding

if TYPE_CHECKING:
    from brainsift.anatomy.anatomy import Anatomy
    from brainsift.scans.volume import Volume

WORST_SLICES = "worst_slices"
"""Name of the picture among the evidence of a finding."""

PLANES = ("sagittal", "coronal", "axial")
"""Names of the planes across the axes of a scan."""

_PLANE, _SLICE = "_worst_plane", "_worst_slice"


def named_slices(finding: Finding) -> dict[tuple[int, int], list[str]]:
    """Axis and index of each slice that a finding names → what shows most in it."""
    named: dict[tuple[int, int], list[str]] = {}
    for key, plane in finding.measurements.items():
        index = finding.measurements.get(key.removesuffix(_PLANE) + _SLICE)
        if key.endswith(_PLANE) and plane in PLANES and isinstance(index, int):
            named.setdefault((PLANES.index(str(plane)), index), []).append(key.removesuffix(_PLANE).replace("_", " "))
    return named


def with_slices(finding: Finding, ref: ScanRef, volume: Volume, anatomy: Anatomy, output: Path) -> Finding:
    """The finding with a picture of the slices that it names; as it is where it names none, or the scan has no brain.

    Raises
    ------
    OSError
        if OUTPUT cannot be written.
    """
    named = named_slices(finding)
    if not named:
        return finding
    from brainsift.anatomy.slice_pictures import ShownSlice, encode_picture, picture_slices

    shown = [ShownSlice(axis, index, ", ".join(names)) for (axis, index), names in named.items()]
    picture = picture_slices(volume, anatomy, shown)
    if picture is None:
        return finding
    path = derived_path(output, ref.stem, f"_desc-{finding.task}slices_qc.webp")
    write_atomic(path, encode_picture(picture), output)
    return finding.model_copy(
        update={"evidence": {**finding.evidence, WORST_SLICES: path.relative_to(output).as_posix()}}
    )
