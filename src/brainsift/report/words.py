"""Names, units and numbers of a record as a person reads them."""

from __future__ import annotations

import math
import re
from typing import Any

NAMES = {
    "brain_ml": "Brain",
    "icv_ml": "Intracranial volume",
    "outside_fov": "Brain outside the field of view",
    "brain_outside_fov": "Brain outside the field of view",
    "mni_residual_mm": "Residual of the fit to MNI152",
    "has_brain": "Brain found",
    "csf_ml": "Other CSF",
    "white_ml": "White matter",
    "p_correct": "Probability of correct",
    "sha256": "SHA-256",
}

TASKS = {
    "integrity": "Integrity",
    "quality": "Quality",
    "defacing": "De-facing",
    "wmh": "White-matter hyperintensity",
    "microbleeds": "Microbleeds",
}

UNITS = {
    "ml": "mL",
    "mm": "mm",
    "mm3": "mm³",
    "cm2": "cm²",
    "s": "s",
    "seconds": "s",
    "deg": "°",
    "bytes": "B",
    "hz": "Hz",
    "percent": "%",
    "bits": "bit",
}
"""Last part of a field name → unit."""

HEADER_UNITS = {
    "RepetitionTime": "s",
    "EchoTime": "s",
    "InversionTime": "s",
    "FlipAngle": "°",
    "MagneticFieldStrength": "T",
    "SliceThickness": "mm",
    "SpacingBetweenSlices": "mm",
    "PixelBandwidth": "Hz",
    "MRAcquisitionType": "",
    "SeriesNumber": "",
    "Manufacturer": "",
}
"""BIDS header field → unit."""

SHARES = ("outside_fov", "share", "fraction", "probability", "confidence")
"""Last parts of names of values in [0, 1] that read better as per cent."""

ACRONYMS = {
    "mni",
    "icv",
    "csf",
    "mr",
    "fov",
    "wmh",
    "sd",
    "snr",
    "cnr",
    "te",
    "tr",
    "ti",
    "3d",
    "2d",
    "id",
    "flair",
    "swi",
    "gre",
    "qsm",
}


def task_name(task: str) -> str:
    """Name of a task as a heading."""
    return TASKS.get(task, _sentence(task))


def field_name(name: str) -> str:
    """Name of a measurement without its unit: ``volume_ml`` → ``Volume``, ``EchoTime`` → ``Echo time``."""
    if name in NAMES:
        return NAMES[name]
    if name in HEADER_UNITS:
        return re.sub(r"(?<=[a-z])([A-Z])", lambda match: " " + match.group().lower(), name)
    stem, _, unit = name.rpartition("_")
    return _sentence(stem if stem and unit in UNITS else name)


def field_value(name: str, value: Any) -> str:
    """A measurement with its unit: ``("volume_ml", 1234.4)`` → ``1,234 mL``."""
    if value is None or value == "":
        return "–"  # noqa: RUF001 (an en dash stands for an empty cell)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(field_value("", item) for item in value) or "none"
    if not isinstance(value, int | float):
        return str(value)
    if name.endswith(SHARES):
        return f"{100 * value:.1f} %"
    unit = HEADER_UNITS.get(name) or UNITS.get(name.rpartition("_")[2], "")
    return f"{number(value)} {unit}".rstrip()


def number(value: float) -> str:
    """Three significant digits at most, whole numbers in full, thousands with a comma."""
    if isinstance(value, int) or abs(value) >= 100:
        return f"{value:,.0f}" if math.isfinite(value) else str(value)
    return f"{value:.3g}"


def duration(seconds: float) -> str:
    """Milliseconds below a second, seconds below two minutes, minutes and hours above."""
    if seconds < 1:
        return f"{1000 * seconds:.0f} ms"
    if seconds < 120:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def file_size(size: int) -> str:
    """Bytes in the decimal unit that leaves one to three digits before the point."""
    value = float(size)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000 or unit == "GB":
            break
        value /= 1000
    return f"{value:.0f} B" if unit == "B" else f"{value:.1f} {unit}"


def _sentence(name: str) -> str:
    words = [word.upper() if word.lower() in ACRONYMS else word for word in name.replace("-", "_").split("_") if word]
    text = " ".join(words)
    return text[:1].upper() + text[1:]
