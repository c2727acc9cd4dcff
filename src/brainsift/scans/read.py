"""From a reference to a volume, whatever the format."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from brainsift.scans.errors import ScanError
from brainsift.scans.ref import ScanRef
from brainsift.scans.volume import Volume


def read(ref: ScanRef, scratch: Path | None = None, memory_limit_bytes: int | None = None) -> Volume:
    """Read one scan.

    Parameters
    ----------
    ref : from the catalog.
    scratch : folder for DICOM conversion, emptied again afterwards; default the system's.
    memory_limit_bytes : refuse scans that need more while they are read; default 4 GiB.

    Raises
    ------
    ScanError
        with kind, cause and remedy; nothing else is raised for bad input.
    """
    if ref.problem is not None:
        raise ref.problem
    try:
        return _with_sidecar(_dispatch(ref, scratch, memory_limit_bytes), ref.sidecar)
    except MemoryError as error:
        raise ScanError(
            "too_large", "There is not enough memory to read the scan.", "Give the run more memory or fewer processes."
        ) from error


def _dispatch(ref: ScanRef, scratch: Path | None, memory_limit_bytes: int | None) -> Volume:
    if ref.format == "dicom":
        from brainsift.scans.dicom import read_dicom

        return read_dicom(ref.paths, scratch, memory_limit_bytes)
    if ref.format == "mgz":
        from brainsift.scans.mgz import read_mgz

        return read_mgz(ref.paths[0], memory_limit_bytes)
    if ref.format == "nifti":
        from brainsift.scans.nifti import read_nifti

        return read_nifti(ref.paths[0], memory_limit_bytes)
    raise ValueError(f"format must be nifti, mgz or dicom, got {ref.format!r}")


def _with_sidecar(volume: Volume, sidecar: Path | None) -> Volume:
    """Add the allow-listed fields of a BIDS sidecar; a damaged one is a repair, not a failure."""
    if sidecar is None:
        return volume
    from brainsift.scans.sidecar import read_sidecar

    fields = read_sidecar(sidecar)
    if fields is None:
        repairs = (*volume.facts.repairs, "The JSON sidecar could not be read and was ignored.")
        return replace(volume, facts=replace(volume.facts, repairs=repairs))
    return replace(volume, facts=replace(volume.facts, header={**volume.facts.header, **fields}))


def read_file(path: Path | str) -> Volume:
    """Read one image file, its format taken from the name (a DICOM file: from the content).

    Raises
    ------
    ScanError
        as `read` does.
    """
    path = Path(path)
    name = path.name.lower()
    if name.endswith((".mgz", ".mgh", ".mgh.gz")):
        kind = "mgz"
    elif name.endswith((".nii", ".nii.gz", ".hdr", ".img", ".hdr.gz", ".img.gz")):
        kind = "nifti"
    else:
        kind = "dicom"
    return read(ScanRef(scan=path.name, stem=path.stem, format=kind, paths=(path,), size=0, mtime_ns=0))
