"""The page of one scan: what was decided and why, the picture, what was measured."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from brainsift.report.defacing_scan import defacing_view
from brainsift.report.defacing_scan import is_shown_here as is_in_defacing
from brainsift.report.microbleeds_scan import is_shown_here as is_in_microbleeds
from brainsift.report.microbleeds_scan import microbleeds_view
from brainsift.report.page import embedded, render
from brainsift.report.quality_scan import is_shown_here, quality_view
from brainsift.report.quality_study import QualityStudy
from brainsift.report.quality_words import WORST_SLICES
from brainsift.report.verdict import WORDS, verdict
from brainsift.report.wmh_scan import is_shown_here as is_in_wmh
from brainsift.report.wmh_scan import wmh_view
from brainsift.report.words import duration, field_name, field_value, file_size
from brainsift.stage_clock import whole_stages
from brainsift.store.files import derived_path, require_inside, write_atomic
from brainsift.store.record import Record

REPORT_SUFFIX = "_report.html"

LEGEND = {
    "brain": "#f0e442",
    "white matter and cortex border": "#e69f00",
    "ventricles": "#56b4e9",
    "deep grey matter": "#cc79a7",
    "hippocampus and amygdala": "#f0f0f0",
    "brainstem": "#eb6e1e",
    "cerebellum": "#00aa7d",
}
"""Colours of the outlines in the mosaic (a test holds them to `anatomy.pictures.OUTLINES`)."""

KEY_MEASURES = ("brain_ml", "icv_ml", "outside_fov", "confidence")
"""Shown large, in this order, where present."""

Rows = list[tuple[str, str]]

SHOWN_ELSEWHERE: dict[str, Callable[[str], bool]] = {
    "quality": is_shown_here,
    "defacing": is_in_defacing,
    "wmh": is_in_wmh,
    "microbleeds": is_in_microbleeds,
}
"""Task → whether a measurement stands in its own section."""


def write_scan_page(record: Record, output: Path, study: QualityStudy | None = None) -> Path:
    """Write the page of one scan and return its path.

    Parameters
    ----------
    record : the scan; `evidence["mosaic"]` and `evidence["mosaic_outline"]` name pictures relative to `output`.
    output : the OUTPUT folder.
    study : image metrics of all scans, to show this one's place among them; None while the study is not complete.
    """
    path = derived_path(output, record.stem, REPORT_SUFFIX)
    write_atomic(path, scan_page(record, output, study), output)
    return path


def scan_page(record: Record, output: Path, study: QualityStudy | None = None) -> str:
    """The page of one scan as HTML."""
    quality = record.finding("quality")
    done = record.status == "done"
    blurred = record.anatomy.get("has_brain") is False
    return render(
        "scan.html.j2",
        record=record,
        verdict=verdict(record),
        words=WORDS,
        home="../" * record.stem.count("/") + "index.html",
        mosaic=_picture(record, output, "mosaic") if done else None,
        outline=_picture(record, output, "mosaic_outline") if done and not blurred else None,
        blurred=blurred,
        legend=LEGEND,
        key_measures=[(field_name(n), field_value(n, record.anatomy[n])) for n in KEY_MEASURES if n in record.anatomy],
        tissues=_tissues(record),
        anatomy=_rows({n: v for n, v in record.anatomy.items() if n not in KEY_MEASURES and not _is_tissue(n, v)}),
        quality=None if quality is None else quality_view(quality.measurements, study),
        quality_picture=None if quality is None else _embed(quality.evidence.get(WORST_SLICES), output),
        defacing=_defacing(record),
        **_wmh(record, output),
        **_microbleeds(record, output),
        findings=[_finding(finding) for finding in record.findings],
        facts=_facts(record),
        header=_rows(record.input.header),
        stages=[(field_name(name), duration(spent)) for name, spent in whole_stages(record.stage_seconds).items()],
    )


def _defacing(record: Record) -> dict[str, Any] | None:
    finding, decision = record.finding("defacing"), record.decision("defacing")
    if finding is None:
        return None
    action = decision.action.value if decision else None
    return defacing_view(finding.label, finding.probabilities, finding.measurements, action)


def _wmh(record: Record, output: Path) -> dict[str, Any]:
    finding = record.finding("wmh")
    if finding is None:
        return {"wmh": None}
    evidence = finding.evidence
    return {
        "wmh": wmh_view(finding.measurements, evidence, output),
        "wmh_picture": _embed(evidence.get("wmh_slices"), output),
        "wmh_outline": _embed(evidence.get("wmh_slices_outline"), output),
    }


def _microbleeds(record: Record, output: Path) -> dict[str, Any]:
    finding = record.finding("microbleeds")
    if finding is None:
        return {"microbleeds": None}
    evidence = finding.evidence
    return {
        "microbleeds": microbleeds_view(finding.measurements, evidence, output),
        "microbleeds_picture": _embed(evidence.get("microbleeds_slices"), output),
        "microbleeds_circles": _embed(evidence.get("microbleeds_slices_outline"), output),
    }


def _picture(record: Record, output: Path, name: str) -> str | None:
    return _embed(record.evidence.get(name), output)


def _embed(relative: str | None, output: Path) -> str | None:
    if relative is None:
        return None
    path = output / relative
    require_inside(path.parent, output)
    return embedded(path)


def _rows(values: dict[str, Any]) -> Rows:
    return [(field_name(name), field_value(name, value)) for name, value in values.items()]


def _is_tissue(name: str, value: Any) -> bool:
    return name.endswith("_ml") and name not in KEY_MEASURES and isinstance(value, int | float)


def _tissues(record: Record) -> list[tuple[str, str, float]]:
    """Name, volume and share of the largest (for the bar, per cent), largest first."""
    volumes = {n: float(v) for n, v in record.anatomy.items() if isinstance(v, int | float) and _is_tissue(n, v)}
    largest = max(volumes.values(), default=0.0) or 1.0
    ordered = sorted(volumes.items(), key=lambda item: -item[1])
    return [(field_name(n), field_value(n, v), round(100 * v / largest, 1)) for n, v in ordered]


def _finding(finding: Any) -> dict[str, Any]:
    shown = SHOWN_ELSEWHERE.get(finding.task)
    measured = {n: v for n, v in finding.measurements.items() if shown is None or not shown(n)}
    return {
        "task": finding.task,
        "label": finding.label,
        "reason": finding.reason,
        "flags": finding.flags,
        "probabilities": [
            (field_name(n), f"{100 * p:.1f} %", round(100 * p, 1)) for n, p in finding.probabilities.items()
        ],
        "measurements": _rows(measured),
        "evidence": list(finding.evidence.items()),
        "model": finding.model_id,
        "seconds": duration(finding.seconds),
    }


def _facts(record: Record) -> Rows:
    facts = record.input
    shape = " x ".join(str(n) for n in facts.stored_shape)
    spacing = " x ".join(f"{s:.3g}" for s in facts.spacing_mm)
    rows = [
        ("Participant", record.participant),
        ("Session", record.session),
        ("Site", record.site),
        ("Name says", record.suffix),
        ("Format", facts.format),
        ("Size on disk", file_size(facts.size)),
        ("Stored as", facts.stored_dtype),
        ("Matrix", f"{shape} voxels" if shape else None),
        ("Voxel size", f"{spacing} mm" if spacing else None),
    ]
    return [(name, value) for name, value in rows if value]
