"""A quality task that answers by the name of the scan, calibrations to decide about it, and a study that asks it."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import pytest

from brainsift.anatomy.anatomy import Anatomy
from brainsift.decide.stored import Calibration, Direction, Stratum, dump_calibration
from brainsift.engine import settings as settings_of
from brainsift.scans.ref import ScanRef
from brainsift.scans.volume import Volume
from brainsift.tasks.base import Finding, Task
from tests.decide.parts import quality
from tests.engine.parts import STAGES, BallTask

TASKS = ("integrity", "quality")


class NamedQuality:
    """The scan ``p80`` is proper with 80 %; the numbers beside it are those of the real task."""

    name = "quality"

    def applies_to(self, ref: ScanRef, anatomy: Anatomy | None) -> bool:
        """Not to what is called shy."""
        return "shy" not in ref.scan

    def run(self, volume: Volume, anatomy: Anatomy | None, ref: ScanRef) -> Finding:
        """Answer by the name, leaving a trace of having been asked."""
        ref.paths[0].with_suffix(".asked").write_text("yes")
        found = re.search(r"p(\d\d)", ref.scan)
        measured = {"tier": 2, "sequence": "T1w", "gadolinium": False}
        for n, fault in enumerate(("motion", "noise", "contrast")):
            measured |= {f"{fault}_score": 0.25 + n / 2, f"{fault}_grade": n % 2}
            measured |= {f"{fault}_worst_plane": ("sagittal", "coronal", "axial")[n], f"{fault}_worst_slice": 8 + n}
        return quality(proper=int(found[1]) / 100 if found else 0.99, measurements=measured, model_id="quality")


def named_task(name: str) -> Task:
    """The ball task for integrity, the named one for quality."""
    return NamedQuality() if name == "quality" else BallTask()


QUALITY_STAGES = replace(STAGES, task=named_task)


def know_quality(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let settings ask for quality, whether or not its network is on the shelf."""
    monkeypatch.setattr(settings_of, "REGISTRY", MappingProxyType(dict.fromkeys(TASKS, "")))


def calibration(accept: float = 0.75, reject: float = 0.9, **changes: object) -> Calibration:
    """Thresholds that keep a promise; of the model of `tests.decide.parts.quality`."""

    def direction(threshold: float) -> Direction:
        return Direction(threshold=threshold, provisional=False, alpha=0.05)

    pooled = Stratum(people=100, good=50, accept=direction(accept), reject=direction(reject))
    values: dict[str, object] = {
        "task": "quality",
        "parts": ("proper", "motion", "noise", "contrast"),
        "model_id": "quality",
        "model_sha256": "a" * 64,
        "n": 100,
        "people": 100,
        "delta": 0.05,
        "pooled": pooled,
    }
    return Calibration(**{**values, **changes})  # type: ignore[arg-type]


def write_calibration(path: Path, made: Calibration) -> Path:
    """The file that `brainsift calibrate` would write."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(dump_calibration(made), encoding="utf-8")
    return path
