"""NIfTI-1 and NIfTI-2, single files and pairs, plain or gzip."""

from __future__ import annotations

import hashlib
from pathlib import Path

from brainsift.scans.errors import ScanError
from brainsift.scans.nifti_header import FIRST_VOXEL, parse
from brainsift.scans.stored import TRAILING_TOLERANCE_BYTES, Stored, read_voxels, refuse_too_large, to_volume
from brainsift.scans.stream import ByteSource
from brainsift.scans.volume import Volume

HEADER_BYTES = 544
"""The larger of the two headers, with its extension flag."""


def read_nifti(path: Path, memory_limit_bytes: int | None = None) -> Volume:
    """Read the first volume of a NIfTI file in one pass.

    Parameters
    ----------
    path : ``.nii``, ``.nii.gz``, or either half of a ``.hdr``/``.img`` pair.
    memory_limit_bytes : refuse what needs more; default 4 GiB.

    Raises
    ------
    ScanError
        see docs/input.md for all kinds.
    """
    pair = _pair(path)
    if pair is not None:
        return _read_pair(*pair, memory_limit_bytes)
    with ByteSource(path) as source:
        head = source.read_up_to(HEADER_BYTES)
        stored = parse(head, paired=False)
        _note_name(path, source, stored)
        refuse_too_large(stored, source, memory_limit_bytes)
        # A NIfTI-1 volume may begin inside the bytes already read.
        source.push_back(head[FIRST_VOXEL["nifti1"] :] if stored.format == "nifti1" else b"")
        source.skip(stored.offset - FIRST_VOXEL[stored.format])
        raw = read_voxels(source, stored)
        sha256, surplus = source.finish(TRAILING_TOLERANCE_BYTES)
    if surplus:
        stored.repairs.append(f"{surplus} bytes after the voxels were ignored.")
    return to_volume(stored, raw, sha256)


def _read_pair(header_path: Path, image_path: Path, memory_limit_bytes: int | None) -> Volume:
    with _half(header_path) as source:
        stored = parse(source.read_up_to(HEADER_BYTES), paired=True)
        header_sha256, _ = source.finish(TRAILING_TOLERANCE_BYTES)
    with _half(image_path) as source:
        refuse_too_large(stored, source, memory_limit_bytes)
        source.skip(stored.offset)
        raw = read_voxels(source, stored)
        image_sha256, _ = source.finish(TRAILING_TOLERANCE_BYTES)
    return to_volume(stored, raw, digest_of([header_sha256, image_sha256]))


def _half(path: Path) -> ByteSource:
    try:
        return ByteSource(path)
    except ScanError as error:
        if error.kind != "missing_file":
            raise
        raise ScanError(
            "missing_pair", "One file of the .hdr/.img pair is not there.", "Copy both files of the pair."
        ) from error


def digest_of(digests: list[str]) -> str:
    """SHA-256 of several files' digests, the same whatever their order."""
    return hashlib.sha256("".join(sorted(digests)).encode("ascii")).hexdigest()


def _pair(path: Path) -> tuple[Path, Path] | None:
    """Header and image path, if the name is one of a pair."""
    name = path.name
    for ending, other in ((".hdr", ".img"), (".hdr.gz", ".img.gz"), (".img", ".hdr"), (".img.gz", ".hdr.gz")):
        if name.lower().endswith(ending):
            stem = name[: -len(ending)]
            twin = path.with_name(stem + (other.upper() if name[-len(ending) :].isupper() else other))
            return (path, twin) if ".hdr" in ending else (twin, path)
    return None


def _note_name(path: Path, source: ByteSource, stored: Stored) -> None:
    says_gzip = path.name.lower().endswith(".gz")
    if says_gzip != source.compressed:
        content = "compressed" if source.compressed else "not compressed"
        stored.repairs.append(f"The content is {content}, whatever the name says.")
