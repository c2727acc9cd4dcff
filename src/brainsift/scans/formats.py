"""What a file claims to be by its name."""

from __future__ import annotations

NIFTI = (".nii", ".nii.gz", ".hdr", ".img", ".hdr.gz", ".img.gz")
MGZ = (".mgz", ".mgh", ".mgh.gz")
DICOM = (".dcm", ".ima", ".dicom")

CONVERT = "Convert it to NIfTI first."
UNPACK = "Unpack it first."
UNSUPPORTED = {
    ".mif": "Convert it to NIfTI (mrconvert).",
    ".mif.gz": "Convert it to NIfTI (mrconvert).",
    ".mih": "Convert it to NIfTI (mrconvert).",
    ".nrrd": CONVERT,
    ".nhdr": CONVERT,
    ".mha": CONVERT,
    ".mhd": CONVERT,
    ".mnc": "Convert it to NIfTI (mnc2nii).",
    ".mnc.gz": "Convert it to NIfTI (mnc2nii).",
    ".par": "Convert it to NIfTI (dcm2niix reads PAR/REC).",
    ".nii.bz2": UNPACK,
    ".nii.xz": UNPACK,
    ".nii.zst": UNPACK,
    ".nii.zip": UNPACK,
    ".dcm.gz": UNPACK,
    ".zip": UNPACK,
    ".tar": UNPACK,
    ".tar.gz": UNPACK,
    ".tgz": UNPACK,
    ".tar.bz2": UNPACK,
    ".tar.xz": UNPACK,
    ".7z": UNPACK,
    ".rar": UNPACK,
}
"""Images and archives that are not read, and what to do with them."""

MAX_EXTENSION = 5
"""Longer endings are parts of a name, as in DICOM files named by their UID."""

_ALL = {
    **dict.fromkeys(NIFTI, "nifti"),
    **dict.fromkeys(MGZ, "mgz"),
    **dict.fromkeys(DICOM, "dicom"),
    **dict.fromkeys(UNSUPPORTED, "unsupported"),
}


def claim(name: str) -> tuple[str, str]:
    """Split off what a name claims: (``nifti mgz dicom unsupported maybe_dicom other``, the extension in lower case).

    ``maybe_dicom`` is a name without an extension, or with a number for one: only the content can tell.
    """
    lower = name.lower()
    dot = lower.rfind(".")
    if dot < 0:
        return "maybe_dicom", ""
    second = lower.rfind(".", 0, dot)
    if second >= 0 and (double := lower[second:]) in _ALL:
        return _ALL[double], double
    single = lower[dot:]
    if single in _ALL:
        return _ALL[single], single
    if single[1:].isdigit() or len(single) > MAX_EXTENSION + 1 or single == ".":
        return "maybe_dicom", ""
    return "other", single
