"""The acquisition fields that are kept, by name. Everything else in a header stays where it is.

Only numbers and terms of closed lists pass: no name, date or free text can come through, even from a wrong field.
Names and units are those of BIDS (https://bids-specification.readthedocs.io, seconds, tesla, degrees), lengths in mm.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from brainsift.scans.sequence_hint import sequence_hint

NUMBERS = {
    "MagneticFieldStrength": 20.0,
    "EchoTime": 5.0,
    "RepetitionTime": 100.0,
    "InversionTime": 20.0,
    "FlipAngle": 360.0,
    "SliceThickness": 100.0,
    "SpacingBetweenSlices": 100.0,
    "EchoTrainLength": 4096.0,
    "PixelBandwidth": 1e6,
    "NumberOfAverages": 1000.0,
}
"""Field → largest value that is physically meaningful; others are left out."""

MILLISECONDS_IN_DICOM = ("EchoTime", "RepetitionTime", "InversionTime")

TERMS = {
    "Modality": "MR CT PT NM US CR DX MG XA RF OT SC SEG",
    "MRAcquisitionType": "1D 2D 3D",
    "ScanningSequence": "SE IR GR EP RM",
    "SequenceVariant": "SK MTC SS TRSS SP MP OSP TOF NONE",
    "ScanOptions": "PER RG CG PPG FC PFF PFP SP FS IR SAT1 SAT2 SAT3 WE PFP MT CS OTHER FAST_GEMS ACC_GEMS",
    "ImageType": "ORIGINAL DERIVED PRIMARY SECONDARY OTHER MIXED M P R I MAGNITUDE PHASE REAL IMAGINARY COMPLEX M_SE "
    "M_IR M_FFE P_FFE P_SE R_IR SE IR FFE MPR ND NORM DIS2D DIS3D FM FIL SWI MINIP MIN_IP MIP MNIP PROJECTION "
    "LOCALIZER AXIAL CORONAL SAGITTAL MOSAIC TRACEW ADC FA MEAN SUB ADD T1 T2 T2_STAR FLAIR WATER FAT IN_PHASE "
    "OUT_PHASE REFORMATTED RESAMPLED VOLUME DIFFUSION PERFUSION FIELD_MAP NONE",
    "BodyPartExamined": "BRAIN HEAD HEADNECK NECK SKULL SPINE CSPINE TSPINE LSPINE CHEST ABDOMEN PELVIS EXTREMITY KNEE "
    "SHOULDER HIP WHOLEBODY ORBIT PITUITARY IAC PHANTOM",
}
"""Field → terms of DICOM PS3.3 and of the common vendors; a value that is not listed is left out."""

MANUFACTURERS = {
    "SIEMENS": "Siemens",
    "GE": "GE",
    "GEMS": "GE",
    "PHILIPS": "Philips",
    "CANON": "Canon",
    "TOSHIBA": "Toshiba",
    "HITACHI": "Hitachi",
    "FUJIFILM": "Fujifilm",
    "UIH": "UIH",
    "UNITED": "UIH",
    "BRUKER": "Bruker",
    "ESAOTE": "Esaote",
    "HYPERFINE": "Hyperfine",
    "PICKER": "Picker",
    "MARCONI": "Marconi",
}

_MODEL_WORDS = """
PrismaFit Prisma Skyra TrioTim Trio Verio Vida Lumina Cima Aera Avanto Avantofit Amira Sola Altea Espree Symphony Sonata
Allegra Spectra Essenza Harmony Terra Magnetom Biograph SIGNA DISCOVERY MR750 MR750w MR450 MR450w Optima HDxt HDx HDe
EXCITE Architect Premier Artist Voyager Pioneer Explorer Achieva Ingenia Intera Elition Ambition Gyroscan Panorama
Multiva Prodiva Titan Vantage Galan Orian Elan Echelon Oasis Aperto AIRIS uMR Swoop PharmaScan BioSpec
"""
MODELS = {model.upper(): model for model in _MODEL_WORDS.split()}
"""Words of scanner names; the kept model is made of these alone."""

NO_CONTRAST = frozenset({"", "NO", "NONE", "N", "WITHOUT", "0", "NO CONTRAST", "N/A", "NA", "FALSE"})


def keep(fields: Mapping[str, Any], texts: tuple[str, ...] = (), dicom_units: bool = False) -> dict[str, Any]:
    """Keep the allow-listed fields and what is derived from the others.

    Parameters
    ----------
    fields : BIDS sidecar, or DICOM keywords with plain values.
    texts : descriptions; used to guess the sequence, never kept.
    dicom_units : times are milliseconds (DICOM) and not seconds (BIDS).

    Returns
    -------
    dict with BIDS names and units; `ContrastAgent` (bool) and `SequenceHint` where they can be told.
    """
    kept: dict[str, Any] = {}
    for name, largest in NUMBERS.items():
        scale = 0.001 if dicom_units and name in MILLISECONDS_IN_DICOM else 1.0
        value = _number(fields.get(name), scale, largest)
        if value is not None:
            kept[name] = value
    for name, terms in TERMS.items():
        found = _terms(fields.get(name), frozenset(terms.split()))
        if found:
            kept[name] = found if name == "ImageType" else "\\".join(found)
    _keep_scanner(fields, kept)
    contrast = fields.get("ContrastBolusAgent", fields.get("ContrastBolusIngredient"))
    if contrast is not None or dicom_units:
        kept["ContrastAgent"] = str(contrast or "").strip().upper() not in NO_CONTRAST
    hint = sequence_hint(kept, texts)
    if hint is not None:
        kept["SequenceHint"] = hint
    return kept


def _number(value: Any, scale: float, largest: float) -> float | None:
    if isinstance(value, (list, tuple)):
        value = value[0] if value else None
    if value is None or isinstance(value, (bool, str)):
        return None
    try:
        number = float(value) * scale
    except (TypeError, ValueError):
        return None
    return round(number, 7) if math.isfinite(number) and 0 <= number <= largest else None


def _terms(value: Any, allowed: frozenset[str]) -> list[str]:
    values = value if isinstance(value, (list, tuple)) else re.split(r"[\\_ ,]+", str(value or ""))
    return [term for item in values if (term := str(item).strip().upper()) in allowed]


def _keep_scanner(fields: Mapping[str, Any], kept: dict[str, Any]) -> None:
    words = str(fields.get("Manufacturer") or "").upper().replace("_", " ").split()
    maker = next((MANUFACTURERS[word] for word in words if word in MANUFACTURERS), None)
    if maker:
        kept["Manufacturer"] = maker
    text = str(fields.get("ManufacturersModelName") or fields.get("ManufacturerModelName") or "")
    models = [MODELS[word] for word in text.upper().replace("_", " ").split() if word in MODELS]
    if models:
        kept["ManufacturersModelName"] = " ".join(models)
