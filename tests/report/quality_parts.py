"""Records with a quality finding."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from brainsift.decide.decision import Action, Decision
from brainsift.store.record import Record
from brainsift.tasks.base import Finding
from tests.report.parts import done_record

AIR = ("snrd_total", "summary_bg_stdv", "summary_bg_mean", "fber", "qi_1", "summary_bg_k")


def metrics(level: float, air: bool = True) -> dict[str, float | None]:
    """Image metrics of a scan whose artefacts have this strength, 0-2."""
    found: dict[str, float | None] = {
        "cjv": 0.35 + 0.2 * level,
        "cnr": 3.5 - level,
        "snr_total": 10 - 2 * level,
        "snrd_total": 30 - 12 * level,
        "summary_bg_stdv": 20 + 25 * level,
        "summary_bg_mean": 30.0,
        "efc": 0.55 + 0.1 * level,
        "fber": 500.0 / (1 + level),
        "qi_1": 0.002 * level,
        "summary_bg_k": 0.3 + 2 * level,
        "fwhm_avg": 3.6,
        "inu_range": 0.3,
        "wm2max": 0.6,
        "summary_wm_median": 1000.0,
    }
    return {f"metric_{n}": v if air or n not in AIR else None for n, v in found.items()}


def quality_record(
    number: int = 1, level: float = 0.2, sequence: str = "T1w", *, proper: bool = True, air: bool = True, **changes: Any
) -> Record:
    """A scan that was asked for its quality; `level` is the strength of its artefacts."""
    grade = min(2, round(level))
    measured: dict[str, Any] = {"tier": 1 + grade if proper else None, "sequence": sequence, "gadolinium": False}
    for fault in ("motion", "noise", "contrast"):
        measured |= {f"{fault}_score": level, f"{fault}_grade": grade}
        measured |= {f"{fault}_worst_plane": "coronal", f"{fault}_worst_slice": 94}
    finding = Finding(
        task="quality",
        label="proper" if proper else "improper",
        reason="As constructed.",
        probabilities={"proper": 0.93},
        measurements=measured | metrics(level, air),
        evidence=changes.pop("quality_evidence", {}),
    )
    known = done_record(f"sub-{number:04d}/anat/sub-{number:04d}_{sequence}.nii.gz")
    decision = Decision(task="quality", action=Action.ACCEPT, rule="selective", reason="Good enough.", threshold=0.9)
    values = {"findings": (*known.findings, finding), "decisions": (*known.decisions, decision), **changes}
    return known.model_copy(update=values)


def quality_records(n: int, sequence: str = "T1w", seed: int = 0) -> Iterator[Record]:
    """A study: half of the scans are good, artefacts get rarer as they get stronger."""
    levels = 2 * np.random.default_rng(seed).beta(0.7, 1.6, n)
    for number, level in enumerate(levels):
        yield quality_record(number, float(level), sequence, air=number % 5 != 4)
