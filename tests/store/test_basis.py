"""What decisions rest on: which calibration, how many provisional, and whether the scans still look alike."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from brainsift.decide.decision import Action, Decision
from brainsift.decide.drift import BATCH
from brainsift.decide.stored import Calibration, Direction, Stratum, dump_calibration
from brainsift.store.basis import Bases, Basis, kept_path
from brainsift.store.record import InputFacts, Record
from tests.decide.parts import SHA, quality

PEOPLE = 150


def calibration(**changes: object) -> Calibration:
    """Of the model of `tests.decide.parts`, tested on people whose scores are spread evenly over the upper half."""
    keeps = Direction(threshold=0.9, provisional=False, alpha=0.05, decided=80)
    scores = tuple(np.linspace(0.5, 1, PEOPLE).round(4).tolist())
    values: dict[str, object] = {
        "task": "quality",
        "parts": ("proper",),
        "model_id": "quality",
        "model_sha256": SHA,
        "n": PEOPLE,
        "people": PEOPLE,
        "delta": 0.05,
        "pooled": Stratum(people=PEOPLE, good=100, accept=keeps, reject=keeps, scores=scores),
    }
    return Calibration(**{**values, **changes})  # type: ignore[arg-type]


def keep(output: Path, made: Calibration) -> str:
    """Put a calibration where a run keeps it; its SHA-256."""
    text = dump_calibration(made)
    digest = hashlib.sha256(text.encode()).hexdigest()
    path = kept_path(output, "quality", digest)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return digest


def record(number: int, proper: float, sha256: str | None, scan: str = "a", **finding: object) -> Record:
    """A scan that was decided by probability."""
    name = f"sub-{number:04d}/{scan}.nii.gz"
    decision = Decision(
        task="quality", action=Action.ACCEPT, rule="good_probability", reason="", provisional=sha256 is None
    )
    return Record(
        scan=name,
        stem=name.removesuffix(".nii.gz"),
        participant=f"{number:04d}",
        status="done",
        input=InputFacts(format="nifti1", size=1, fingerprint="1:1"),
        findings=(quality(proper, **finding),),  # type: ignore[arg-type]
        decisions=(decision,),
        calibrations={} if sha256 is None else {"quality": sha256},
    )


def scores(n: int, low: float, sha256: str | None, seed: int = 0) -> Iterator[Record]:
    """`n` people whose scores are spread evenly from `low` to 1."""
    values = np.random.default_rng(seed).uniform(low, 1, n)
    return (record(number, float(p), sha256) for number, p in enumerate(values))


def only(output: Path, records: Iterator[Record]) -> Basis:
    (basis,) = Bases(output).gather(records).found()
    return basis


def test_without_a_calibration_all_decisions_are_provisional_and_nothing_is_watched(tmp_path: Path) -> None:
    basis = only(tmp_path, scores(7, 0.5, None))
    assert (basis.task, basis.sha256, basis.scans, basis.provisional) == ("quality", None, 7, 7)
    assert basis.drift is None


def test_scans_like_those_of_the_calibration_ring_no_alarm(tmp_path: Path) -> None:
    drift = only(tmp_path, scores(3 * BATCH + 20, 0.5, keep(tmp_path, calibration()))).drift
    assert drift is not None
    assert (drift.people, drift.reference, len(drift.looks)) == (3 * BATCH + 20, PEOPLE, 3)
    assert not drift.alarm
    assert drift.distance < 0.25


def test_scans_of_another_kind_do(tmp_path: Path) -> None:
    drift = only(tmp_path, scores(BATCH, 0.0, keep(tmp_path, calibration()))).drift
    assert drift is not None
    assert drift.alarm
    assert drift.distance > 0.3


def test_a_person_with_many_scans_counts_once(tmp_path: Path) -> None:
    digest = keep(tmp_path, calibration())
    many = (record(number // 10, 0.6, digest, scan=str(number)) for number in range(10 * 30))
    basis = only(tmp_path, many)
    assert basis.scans == 300
    assert basis.drift is not None
    assert (basis.drift.people, basis.drift.looks) == (30, ())


def test_findings_that_are_not_believed_or_of_another_model_are_not_compared(tmp_path: Path) -> None:
    digest = keep(tmp_path, calibration(limits={"metric_cjv": (0.2, 0.9)}))
    odd = [
        record(1, 0.6, digest, flags=("out_of_distribution",)),
        record(2, 0.6, digest, measurements={"metric_cjv": 3.0}),
        record(3, 0.6, digest, model_sha256="b" * 64),
        record(4, 0.6, digest, measurements={"metric_cjv": 0.5}),
    ]
    basis = only(tmp_path, iter(odd))
    assert basis.scans == 4
    assert basis.drift is not None
    assert basis.drift.people == 1


def test_a_calibration_whose_file_is_gone_is_told_apart_from_none(tmp_path: Path) -> None:
    first, second = Bases(tmp_path).gather([*scores(2, 0.5, "f" * 64), *scores(1, 0.5, None)]).found()
    assert (first.sha256, first.scans, first.calibration, first.drift) == ("f" * 64, 2, None, None)
    assert (second.sha256, second.scans) == (None, 1)


def test_a_damaged_copy_does_not_end_the_page(tmp_path: Path) -> None:
    digest = keep(tmp_path, calibration())
    kept_path(tmp_path, "quality", digest).write_text("{}")
    assert only(tmp_path, scores(2, 0.5, digest)).calibration is None
