"""DICOM series made on the fly, full of text that must never come out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, MRImageStorage, generate_uid

SECRETS = (
    "DOE^JANE",
    "19571203",
    "MRN-445566",
    "General Hospital Of Nowhere",
    "Dr House",
    "SECRETDESCRIPTION",
    "SecretStation",
    "headache since the accident",
    "Gadovist",
    "1 Main Street",
)
"""Each is written into at least one tag of every file."""


def slice_dataset(number: int, series_uid: str, series_number: int = 3, size: int = 16, implicit: bool = False) -> Any:
    """One axial MR slice with identity in many tags."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = MRImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=[series_uid, str(number)])
    meta.TransferSyntaxUID = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian
    made = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
    made.SOPClassUID = MRImageStorage
    made.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    made.StudyInstanceUID = generate_uid(entropy_srcs=["study"])
    made.FrameOfReferenceUID = generate_uid(entropy_srcs=["frame"])
    made.SeriesInstanceUID = series_uid
    made.SeriesNumber = series_number
    made.InstanceNumber = number + 1
    _identify(made)
    made.Modality = "MR"
    made.ImageType = ["ORIGINAL", "PRIMARY", "M", "DOE JANE"]
    made.ScanningSequence, made.SequenceVariant, made.MRAcquisitionType = "SE", "SK", "2D"
    made.EchoTime, made.RepetitionTime, made.FlipAngle, made.MagneticFieldStrength = 90.0, 4000.0, 90.0, 1.5
    made.SliceThickness = made.SpacingBetweenSlices = 3.0
    made.ContrastBolusAgent = "Gadovist"
    made.Rows = made.Columns = size
    made.PixelSpacing = [1.0, 1.0]
    made.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    made.ImagePositionPatient = [-8.0, -8.0, 3.0 * number]
    made.SamplesPerPixel, made.PhotometricInterpretation = 1, "MONOCHROME2"
    made.BitsAllocated, made.BitsStored, made.HighBit, made.PixelRepresentation = 16, 12, 11, 0
    made.PixelData = (np.arange(size * size, dtype="<u2") % 700 + 10 * number).tobytes()
    return made


def _identify(made: Any) -> None:
    made.PatientName, made.PatientBirthDate, made.PatientID = "DOE^JANE", "19571203", "MRN-445566"
    made.InstitutionName, made.InstitutionAddress = "General Hospital Of Nowhere", "1 Main Street"
    made.ReferringPhysicianName = made.OperatorsName = "Dr House"
    made.StudyDate = made.SeriesDate = "19571203"
    made.StudyDescription = made.SeriesDescription = "SECRETDESCRIPTION t2 tse"
    made.ProtocolName = "t2 tse SECRETDESCRIPTION"
    made.StationName = "SecretStation"
    made.ImageComments = made.PatientComments = "headache since the accident"
    made.Manufacturer, made.ManufacturerModelName = "SIEMENS Dr House", "Prisma DOE^JANE"
    made.BodyPartExamined = "BRAIN"
    made.ScanOptions = "FS"
    made.PatientAge, made.PatientSex = "066Y", "F"


def write_series(folder: Path, slices: int = 8, prefix: str = "IM", suffix: str = "", **options: Any) -> list[Path]:
    """Write a series of `slices` files; `options` go to `slice_dataset`."""
    folder.mkdir(parents=True, exist_ok=True)
    uid = options.pop("series_uid", None) or generate_uid(entropy_srcs=[str(folder.name), prefix])
    paths = []
    for number in range(slices):
        path = folder / f"{prefix}{number:04d}{suffix}"
        slice_dataset(number, uid, **options).save_as(path, enforce_file_format=True)
        paths.append(path)
    return paths


def edit(path: Path, **values: Any) -> None:
    """Change elements of a file in place; None removes one."""
    from pydicom import dcmread

    made = dcmread(path)
    for name, value in values.items():
        if value is None:
            del made[name]
        else:
            setattr(made, name, value)
    made.save_as(path, enforce_file_format=True)
