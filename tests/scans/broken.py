"""Every kind of broken or odd input that we know of, made on the fly. The engine's tests use it too."""

from __future__ import annotations

import gzip
import os
import zlib
from pathlib import Path

import numpy as np
from pydicom.uid import generate_uid

from tests.scans.dicom_bytes import edit, slice_dataset, write_series
from tests.scans.nifti_bytes import affine, content, header, image, put

OK = "ok"
"""The input is odd but must be read."""


def make_broken_inputs(folder: Path) -> dict[str, str]:
    """Fill `folder` with broken and odd inputs.

    Returns
    -------
    dict
        `ScanRef.scan` → expected `ScanError.kind`, or `OK` where a `Volume` must come out.
    """
    folder.mkdir(parents=True, exist_ok=True)
    expected: dict[str, str] = {}
    for make in (
        _cut_files,
        _false_headers,
        _odd_types,
        _odd_shapes,
        _odd_values,
        _odd_space,
        _containers,
        _names,
        _dicom,
    ):
        expected |= make(folder)
    return expected


def _cut_files(folder: Path) -> dict[str, str]:
    whole = content(image())
    packed = gzip.compress(whole)
    files = {
        "cut_gzip.nii.gz": (packed[: len(packed) // 2], "truncated"),
        "cut_gzip_header.nii.gz": (packed[:7], "truncated"),
        "cut_gzip_footer.nii.gz": (packed[:-4], "truncated"),
        "cut_raw.nii": (whole[:-100], "truncated"),
        "cut_header.nii": (whole[:200], "truncated"),
        "cut_after_header.nii": (whole[:352], "truncated"),
        "cut_inside_gzip.nii.gz": (gzip.compress(whole[:-100]), "truncated"),
        "zero_bytes.nii": (b"", "empty_file"),
        "zero_bytes.nii.gz": (b"", "empty_file"),
        "zero_bytes.mgz": (b"", "empty_file"),
        "empty_gzip.nii.gz": (gzip.compress(b""), "wrong_magic"),
        "bad_crc.nii.gz": (packed[:-8] + b"\xde\xad\xbe\xef" + packed[-4:], "corrupt_gzip"),
        "damaged_middle.nii.gz": (packed[:400] + bytes(200) + packed[600:], "corrupt_gzip"),
        "cut.mgz": (gzip.compress(b"\0\0\0\1" + bytes(50)), "truncated"),
    }
    return _put_all(folder, files)


def _false_headers(folder: Path) -> dict[str, str]:
    data = image()
    whole = content(data)
    files = {
        "wrong_magic.nii": (whole[:344] + b"xyz\0" + whole[348:], "wrong_magic"),
        "text.nii": (b"This is a text file that someone renamed.\n" * 30, "wrong_magic"),
        "web_page.nii.gz": (b"<html><body>404 not found</body></html>" * 20, "wrong_magic"),
        "lfs_pointer.nii.gz": (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n", "wrong_magic"),
        "random.nii": (np.random.default_rng(1).bytes(4000), "wrong_magic"),
        "no_magic_analyze.nii": (whole[:344] + bytes(4) + whole[348:], "analyze"),
        "text.mgz": (b"not a volume" * 100, "wrong_magic"),
        "huge_dims.nii": (content(data, dim=[3, 32767, 32767, 32767, 1, 1, 1, 1]), "truncated"),
        "huge_dims.nii.gz": (gzip.compress(content(data, dim=[3, 32767, 32767, 50, 1, 1, 1, 1])), "truncated"),
        "huge_nifti2.nii": (_huge_nifti2(), "truncated"),
        "negative_dims.nii": (content(data, dim=[3, -12, 14, 10, 1, 1, 1, 1]), "bad_dimensions"),
        "zero_dims.nii": (content(data, dim=[3, 12, 0, 10, 1, 1, 1, 1]), "bad_dimensions"),
        "dim0_zero.nii": (content(data, dim=[0, 12, 14, 10, 1, 1, 1, 1]), "bad_dimensions"),
        "dim0_eight.nii": (content(data, dim=[8, 12, 14, 10, 1, 1, 1, 1]), "bad_dimensions"),
        "offset_beyond.nii": (content(data, vox_offset=1e9), "bad_header"),
        "offset_past_end.nii": (content(data, vox_offset=100_000), "truncated"),
        "offset_nan.nii": (content(data, vox_offset=np.nan), "bad_header"),
        "offset_negative.nii": (content(data, vox_offset=-352), "bad_header"),
        "offset_zero.nii": (content(data, vox_offset=0), OK),
        "trailing_garbage.nii": (whole + b"garbage" * 100, OK),
        "trailing_much.nii": (whole + bytes(2 << 20), "trailing_data"),
        "trailing_after_gzip.nii.gz": (gzip.compress(whole) + b"garbage" * 100, OK),
        "extension.nii": (_with_extension(), OK),
        "bad_type_code.nii": (content(data, datatype=9999), "unsupported_dtype"),
        "binary_type.nii": (content(data, datatype=1), "unsupported_dtype"),
    }
    return _put_all(folder, files)


def _huge_nifti2() -> bytes:
    data = image()
    head = header(data, version=2)
    head["dim"] = [3, 1 << 40, 1 << 40, 1 << 40, 1, 1, 1, 1]
    return bytes(head.binaryblock) + bytes(4) + data.tobytes(order="F")


def _with_extension() -> bytes:
    whole = content(image(), vox_offset=352 + 32)
    return whole[:348] + b"\1\0\0\0" + (32).to_bytes(4, "little") + (6).to_bytes(4, "little") + bytes(24) + whole[352:]


def _odd_types(folder: Path) -> dict[str, str]:
    data = image()
    colour = header(data.astype(np.uint8))
    files = {
        "rgb.nii": (content(np.zeros((12, 14, 30), np.uint8), colour, datatype=128, bitpix=24), "colour"),
        "rgba.nii": (content(np.zeros((12, 14, 40), np.uint8), colour, datatype=2304, bitpix=32), "colour"),
        "complex64.nii": (content(data.astype(np.complex64)), "complex"),
        "complex128.nii": (content(data.astype(np.complex128)), "complex"),
    }
    for name in ("uint8", "int8", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64"):
        files[f"type_{name}.nii"] = (content((data // 8).astype(name)), OK)
    files["type_float128.nii"] = (content(data.astype("f8"), datatype=1536, bitpix=128) * 2, "unsupported_dtype")
    files["big_endian.nii"] = (content(data, header(data, order=">")), OK)
    files["nifti2.nii.gz"] = (gzip.compress(content(data, header(data, version=2))), OK)
    files["nifti2_big_endian.nii"] = (content(data, header(data, version=2, order=">")), OK)
    return _put_all(folder, files)


def _odd_shapes(folder: Path) -> dict[str, str]:
    files = {
        "one_d.nii": (content(image()[:, :1, :1], dim=[1, 12, 1, 1, 1, 1, 1, 1]), "not_3d"),
        "two_d.nii": (content(image((12, 14, 1)), dim=[2, 12, 14, 1, 1, 1, 1, 1]), OK),
        "one_slice.nii": (content(image((12, 14, 1))), OK),
        "one_voxel_thin.nii": (content(image((1, 14, 10))), OK),
        "one_voxel.nii": (content(image((1, 1, 1))), OK),
        "four_d.nii": (content(image((12, 14, 10, 5))), OK),
        "four_d_cut.nii": (content(image((12, 14, 10, 5)))[:-10], "truncated"),
        "four_d_cut.nii.gz": (gzip.compress(content(image((12, 14, 10, 5)))[:-10]), "truncated"),
        "four_d_single.nii": (content(image((12, 14, 10, 1))), OK),
        "five_d.nii": (content(image((12, 14, 10, 1, 3))), "not_3d"),
        "seven_d_single.nii": (content(image((12, 14, 10, 1, 1, 1, 1))), OK),
    }
    return _put_all(folder, files)


def _odd_values(folder: Path) -> dict[str, str]:
    data = image(dtype="float32")
    nan, infinite = data.copy(), data.copy()
    nan[3:5, 2, 1], infinite[0, 0, 0], infinite[1, 1, 1] = np.nan, np.inf, -np.inf
    files = {
        "nan_data.nii": (content(nan), OK),
        "inf_data.nii": (content(infinite), OK),
        "all_nan.nii": (content(np.full_like(data, np.nan)), "no_finite_voxels"),
        "overflow.nii": (content(np.full(data.shape, 1e300)), "no_finite_voxels"),
        "all_zero.nii": (content(np.zeros_like(data)), OK),
        "constant.nii": (content(np.full_like(data, 7.0)), OK),
        "integer_mask.nii.gz": (gzip.compress(content((data > 400).astype(np.uint8))), OK),
        "label_map.nii.gz": (gzip.compress(content((data // 100).astype(np.int32))), OK),
        "slope_nan.nii": (content(image(), scl_slope=np.nan), OK),
        "slope_inf.nii": (content(image(), scl_slope=np.inf), OK),
        "slope_zero.nii": (content(image(), scl_slope=0.0, scl_inter=5.0), OK),
        "inter_nan.nii": (content(image(), scl_slope=2.0, scl_inter=np.nan), OK),
        "slope_two.nii": (content(image(), scl_slope=2.0, scl_inter=-3.0), OK),
    }
    return _put_all(folder, files)


def _odd_space(folder: Path) -> dict[str, str]:
    data = image()
    nan, parallel = affine(), affine()
    nan[0, 0] = np.nan
    parallel[:3, 1] = parallel[:3, 0]
    bare = {"sform_code": 0, "qform_code": 0}
    only_sform = {"qform_code": 0}
    files = {
        "nan_affine.nii": (_with_sform(data, nan, **only_sform), "bad_affine"),
        "zero_affine.nii": (_with_sform(data, np.zeros((4, 4)), **only_sform), "bad_affine"),
        "parallel_axes.nii": (_with_sform(data, parallel, **only_sform), "bad_affine"),
        "nan_sform_good_qform.nii": (_with_sform(data, nan), OK),
        "zero_spacing.nii": (content(data, pixdim=[1, 0, 0, 0, 0, 0, 0, 0], **bare), "bad_spacing"),
        "zero_pixdim_good_sform.nii": (content(data, pixdim=[1, 0, 0, 0, 0, 0, 0, 0], qform_code=0), OK),
        "nan_pixdim.nii": (content(data, pixdim=[1, np.nan, 1, 1, 0, 0, 0, 0], **bare), "bad_spacing"),
        "negative_pixdim.nii": (content(data, pixdim=[1, -2, 2, 2.5, 0, 0, 0, 0]), OK),
        "tiny_spacing.nii": (_with_sform(data, np.diag([1e-5, 1e-5, 1e-5, 1]), **only_sform), "bad_spacing"),
        "giant_spacing.nii": (_with_sform(data, np.diag([900.0, 900, 900, 1]), **only_sform), "bad_spacing"),
        "no_forms.nii": (content(data, **bare), OK),
        "form_conflict.nii": (_with_sform(data, affine((2.0, 2.0, 5.0))), OK),
        "metres.nii": (_metres(data), OK),
        "metres_wrong_label.nii": (content(data, xyzt_units=1), OK),
        "microns_wrong_label.nii": (content(data, xyzt_units=3), OK),
        "unknown_units.nii": (content(data, xyzt_units=0), OK),
        "odd_form_codes.nii": (content(data, sform_code=9, qform_code=7), OK),
        "bad_quaternion.nii": (content(data, quatern_b=3.0, sform_code=0), "bad_affine"),
        "sheared.nii": (_with_sform(data, affine() + 0.4 * np.eye(4, k=1), **only_sform), OK),
    }
    return _put_all(folder, files)


def _with_sform(data: np.ndarray, matrix: np.ndarray, **fields: int) -> bytes:
    return content(data, srow_x=matrix[0], srow_y=matrix[1], srow_z=matrix[2], **fields)


def _metres(data: np.ndarray) -> bytes:
    matrix = affine()
    matrix[:3] /= 1000
    return content(data, header(data, matrix), xyzt_units=1)


def _containers(folder: Path) -> dict[str, str]:
    whole = content(image())
    files = {
        "gzip_called.nii": (gzip.compress(whole), OK),
        "plain_called.nii.gz": (whole, OK),
        "twice.nii.gz": (gzip.compress(gzip.compress(whole)), "wrong_magic"),
        "two_members.nii.gz": (gzip.compress(whole[:900]) + gzip.compress(whole[900:]), OK),
        "bomb.nii.gz": (_bomb(whole, 64 << 20), "trailing_data"),
        "archive.nii": (b"PK\x03\x04" + bytes(400), "wrong_magic"),
        "dicom_called.nii": (bytes(128) + b"DICM" + bytes(400), "wrong_magic"),
        "image.mif": (b"mrtrix image\n", "unsupported_format"),
        "image.nrrd": (b"NRRD0004\n", "unsupported_format"),
        "export.zip": (b"PK\x03\x04", "unsupported_format"),
        "export.tar.gz": (b"\x1f\x8b", "unsupported_format"),
        "lonely.hdr": (_pair(whole)[0], "missing_pair"),
        "pair.hdr": (_pair(whole)[0], OK),
        "pair_cut.hdr": (_pair(whole)[0], "truncated"),
    }
    (folder / "pair.img").write_bytes(_pair(whole)[1])
    (folder / "pair_cut.img").write_bytes(_pair(whole)[1][:-5])
    (folder / "lonely").mkdir()
    (folder / "lonely" / "image.img").write_bytes(_pair(whole)[1])
    return {"lonely/image.img": "missing_pair"} | _put_all(folder, files)


def _pair(whole: bytes) -> tuple[bytes, bytes]:
    head = bytearray(whole[:348])
    head[344:348] = b"ni1\0"
    head[108:112] = bytes(4)
    return bytes(head), whole[352:]


def _bomb(whole: bytes, size: int) -> bytes:
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    pieces = [packer.compress(whole)]
    pieces += [packer.compress(bytes(1 << 20)) for _ in range(size >> 20)]
    return b"".join([*pieces, packer.flush()])


def _names(folder: Path) -> dict[str, str]:
    whole = content(image())
    expected = {}
    for name, scan in (
        ("line\nbreak.nii", "line\\nbreak.nii"),
        ("tab\tbell\a.nii", "tab\\tbell\\x07.nii"),
        ("back\\slash.nii", "back\\\\slash.nii"),
        ("spaces and ünicode 脑.nii", "spaces and ünicode 脑.nii"),
        ("UPPER.NII", "UPPER.NII"),
        ("x" * 200 + ".nii", "x" * 200 + ".nii"),
        ("same.nii", "same.nii"),
        ("same.nii.gz", "same.nii.gz"),
    ):
        put(folder / name, whole)
        expected[scan] = OK
    Path(os.fsdecode(os.fsencode(folder) + b"/latin\xe9.nii")).write_bytes(whole)
    expected["latin\\xe9.nii"] = OK
    (folder / "broken_link.nii.gz").symlink_to("nowhere.nii.gz")
    (folder / "self_link.nii").symlink_to("self_link.nii")
    (folder / "good_link.nii").symlink_to("same.nii")
    (folder / "loop").mkdir()
    (folder / "loop" / "again").symlink_to("..", target_is_directory=True)
    (folder / "folder.nii.gz").mkdir()
    os.mkfifo(folder / "pipe.nii")
    expected |= {
        "broken_link.nii.gz": "missing_file",
        "self_link.nii": "symlink_loop",
        "good_link.nii": OK,
        "loop/again": "symlink_loop",
        "folder.nii.gz": "not_a_file",
        "pipe.nii": "not_a_file",
        "sparse.nii": "trailing_data",
        "sparse_true_header.nii": "too_large",
    }
    (folder / "empty").mkdir()
    (folder / ".hidden.nii").write_bytes(b"never looked at")
    (folder / "._apple.nii").write_bytes(b"never looked at")
    (folder / "notes.txt").write_text("not a scan")
    _sparse(folder / "sparse.nii", whole, 10 << 30)
    big = np.zeros((1, 1, 1), np.float32)
    _sparse(folder / "sparse_true_header.nii", content(big, dim=[3, 2048, 2048, 640, 1, 1, 1, 1]), (10 << 30) + 352)
    return expected


def _sparse(path: Path, start: bytes, size: int) -> None:
    with path.open("wb") as file:
        file.write(start)
        file.truncate(size)


def _dicom(folder: Path) -> dict[str, str]:
    expected = {
        "dicom_good": OK,
        "dicom_dcm": OK,
        "dicom_implicit": OK,
        "dicom_one_slice": OK,
        "dicom_gap": OK,
        "dicom_mixed#0003": OK,
        "dicom_mixed#0004": OK,
        "dicom_no_pixels": "no_pixels",
        "dicom_cut": "truncated",
        "dicom_colour": "colour",
        "not_dicom.dcm": "wrong_magic",
        "zero_bytes.dcm": "empty_file",
        "broken_link.dcm": "missing_file",
    }
    write_series(folder / "dicom_good")
    (folder / "dicom_good" / "DICOMDIR").write_bytes(bytes(128) + b"DICM" + bytes(300))
    write_series(folder / "dicom_dcm", suffix=".dcm")
    write_series(folder / "dicom_implicit", implicit=True)
    write_series(folder / "dicom_one_slice", slices=1)
    for path in write_series(folder / "dicom_gap", slices=12)[5:7]:
        path.unlink()
    write_series(folder / "dicom_mixed", prefix="A", series_number=3)
    write_series(folder / "dicom_mixed", prefix="B", series_number=4)
    for path in write_series(folder / "dicom_no_pixels"):
        edit(path, PixelData=None, Rows=None, Columns=None)
    cut = write_series(folder / "dicom_cut")[2]
    cut.write_bytes(cut.read_bytes()[:-200])
    _colour(folder / "dicom_colour")
    (folder / "not_dicom.dcm").write_bytes(b"something else entirely " * 30)
    (folder / "zero_bytes.dcm").write_bytes(b"")
    (folder / "broken_link.dcm").symlink_to("nowhere.dcm")
    return expected


def _colour(folder: Path) -> None:
    folder.mkdir()
    made = slice_dataset(0, generate_uid(entropy_srcs=["colour"]))
    made.SOPClassUID = made.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    made.SamplesPerPixel, made.PhotometricInterpretation, made.PlanarConfiguration = 3, "RGB", 0
    made.BitsAllocated, made.BitsStored, made.HighBit = 8, 8, 7
    made.PixelData = bytes(16 * 16 * 3)
    made.save_as(folder / "capture", enforce_file_format=True)


def _put_all(folder: Path, files: dict[str, tuple[bytes, str]]) -> dict[str, str]:
    for name, (what, _) in files.items():
        (folder / name).write_bytes(what)
    return {name: kind for name, (_, kind) in files.items()}
