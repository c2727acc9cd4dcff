"""Sound little inputs that fuzzing starts from: each kind that the readers tell apart, real ones where at hand."""

from __future__ import annotations

import gzip
import io
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np

from tests.scans.dicom_bytes import write_series
from tests.scans.nifti_bytes import content, header, image

REAL = Path(__file__).parents[3] / "shared" / "data"
"""Beside the checkout; seeds made of it exist while a test runs and are written nowhere in the project."""

REAL_SCANS = ("t1w_head_a.nii.gz", "flair_2d_p01_s1_defaced.nii.gz", "gre7t_crop_a_mag.nii")
REAL_SIZE = 24
"""Voxels along the longest axis of a real scan that was thinned out: some kilobytes, seen in no time."""

REAL_SLICES = 3


@dataclass(frozen=True)
class Seed:
    """A sound input.

    Attributes
    ----------
    name : for messages.
    kind : ``nifti``, ``pair``, ``mgh`` or ``dicom``.
    files : content of each file; of a pair header and image.
    header : bytes at the beginning of each file that are no voxels.
    """

    name: str
    kind: str
    files: tuple[bytes, ...]
    header: int


def seeds(real: Path = REAL) -> list[Seed]:
    """All seeds, always in the same order; real ones are left out where `real` is not there."""
    return [*_nifti(), *_mgh(), *_dicom(), *_real_nifti(real), *_real_dicom(real)]


def _nifti() -> Iterator[Seed]:
    data = image()
    yield Seed("nifti1", "nifti", (content(data),), 352)
    yield Seed("float", "nifti", (content(image(dtype="float32")),), 352)
    yield Seed("double", "nifti", (content(image(dtype="float64"), scl_slope=0.5, scl_inter=3.0),), 352)
    yield Seed("big_endian", "nifti", (content(data, header(data, order=">")),), 352)
    yield Seed("nifti2", "nifti", (content(data, header(data, version=2)),), 544)
    yield Seed("four_d", "nifti", (content(image((12, 14, 10, 3))),), 352)
    yield Seed("mask", "nifti", (content((data > 400).astype(np.uint8)),), 352)
    whole = content(data, vox_offset=0)
    yield Seed("pair", "pair", (whole[:344] + b"ni1\0" + whole[348:352], whole[352:]), 352)


def _mgh() -> Iterator[Seed]:
    for name, dtype in (("mgh", "float32"), ("mgh_bytes", "uint8")):
        made = nib.MGHImage((image() // 4).astype(dtype), np.diag([2.0, 2.0, 2.5, 1.0]))
        stream = io.BytesIO()
        made.to_file_map({"image": nib.FileHolder(fileobj=stream)})  # type: ignore[no-untyped-call]
        yield Seed(name, "mgh", (stream.getvalue(),), 284)


def _dicom() -> Iterator[Seed]:
    with tempfile.TemporaryDirectory() as folder:
        for name, implicit in (("dicom", False), ("dicom_implicit", True)):
            paths = write_series(Path(folder, name), slices=3, implicit=implicit)
            files = tuple(path.read_bytes() for path in paths)
            yield Seed(name, "dicom", files, len(files[0]) - 2 * 16 * 16)
        yield Seed("dicom_deflated", "dicom", tuple(map(deflated, files_of(Path(folder, "dicom")))), 500)


def files_of(folder: Path) -> list[bytes]:
    """Content of the files of a folder, in name order."""
    return [path.read_bytes() for path in sorted(folder.iterdir())]


def deflated(whole: bytes) -> bytes:
    """An explicit little endian file, its data set deflated (PS3.5 A.5)."""
    from pydicom import dcmread
    from pydicom.uid import DeflatedExplicitVRLittleEndian

    made = dcmread(io.BytesIO(whole))
    made.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    stream = io.BytesIO()
    made.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def _real_nifti(real: Path) -> Iterator[Seed]:
    for name in REAL_SCANS:
        path = real / "scans" / name
        if not path.is_file():
            continue
        scan = nib.load(path)
        steps = [max(1, -(-n // REAL_SIZE)) for n in scan.shape[:3]]
        thin = scan.slicer[tuple(slice(None, None, step) for step in steps)]  # type: ignore[attr-defined]
        raw = thin.to_bytes()
        yield Seed(f"real_{name.partition('.')[0]}", "nifti", (raw,), 352)
        yield Seed(f"real_gz_{name.partition('.')[0]}", "nifti", (gzip.compress(raw, 1, mtime=0),), 352)


def _real_dicom(real: Path) -> Iterator[Seed]:
    paths = sorted((real / "dicom" / "series_a").glob("*"))[:REAL_SLICES]
    if paths:
        files = tuple(path.read_bytes() for path in paths)
        yield Seed("real_dicom", "dicom", files, 4000)
