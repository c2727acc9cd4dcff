"""`brainsift calibrate` and `brainsift evaluate quality`: labels and records in, thresholds and figures out."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from brainsift.cli.exits import Exit
from brainsift.decide.decision import Action
from brainsift.decide.route import decide_quality
from brainsift.decide.stored import read_calibration
from brainsift.evaluate.labels import Label
from brainsift.store.labels_tsv import write_labels
from brainsift.store.record_io import write_record
from tests.cli.conftest import Call
from tests.decide.parts import draw, quality
from tests.store.parts import done_record

LABELLED = 300


def grade_of(p: float) -> int:
    """0, 1 or 2 from a probability of severe motion."""
    return 2 if p >= 0.5 else 1 if p >= 0.1 else 0


@pytest.fixture
def study(tmp_path: Path) -> tuple[Path, Path]:
    """Records of 400 people, of whom 300 are labelled by two raters who nearly agree; a model that is mostly right."""
    rng = np.random.default_rng(0)
    p, good = draw(400, seed=0, sharpness=10.0)
    motion = np.where(rng.random(400) < 0.2, 0.97, 0.001)
    output, labels = tmp_path / "results", []
    for i in range(400):
        severe = float(motion[i])
        finding = quality(
            proper=float(p[i]),
            motion=severe,
            measurements={"motion_grade": grade_of(severe), "noise_grade": 0, "contrast_grade": 0, "sequence": "T1w"}
            | {"tier": None if p[i] < 0.5 else 1 + grade_of(severe), "gadolinium": False},
        )
        scan = f"sub-{i:03}/anat/sub-{i:03}_T1w.nii.gz"
        decision = decide_quality(finding)
        write_record(done_record(scan, participant=f"{i:03}", findings=(finding,), decisions=(decision,)), output)
        if i < LABELLED:
            grades = {"motion": grade_of(severe), "noise": 0, "contrast": 0} if good[i] else {}
            labels += [Label(scan=scan, proper=bool(good[i]), rater=rater, sequence="T1w", **grades) for rater in "xy"]
    labels[1] = labels[1].model_copy(update={"proper": not labels[1].proper})
    write_labels((label.model_dump() for label in labels), tmp_path / "labels.tsv")
    return output, tmp_path / "labels.tsv"


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t"))


def test_calibrate_writes_thresholds_that_decide(call: Call, study: tuple[Path, Path]) -> None:
    output, labels = study
    answer = call("calibrate", "quality", output, "--labels", labels, "--alpha", "0.1")
    assert answer.code == Exit.DONE, answer.err
    calibration = read_calibration(output / "calibration_quality.json")
    assert calibration.parts == ("proper", "motion", "noise", "contrast")
    assert (calibration.n, calibration.people) == (LABELLED - 1, LABELLED - 1)
    assert not calibration.pooled.accept.provisional
    assert decide_quality(quality(proper=0.9999), calibration).action is Action.ACCEPT
    curve = rows(output / "calibration_quality.tsv")
    assert float(curve[-1]["coverage"]) > 0.9
    assert ElementTree.parse(output / "calibration_quality.svg").getroot().tag.endswith("svg")
    assert "29" in answer.out
    assert "Left out: 1 where raters disagree" in answer.out
    assert all(f"calibration_quality{suffix}" in answer.out for suffix in (".json", ".tsv", ".svg"))


def test_too_few_labels_are_warned_of(call: Call, study: tuple[Path, Path]) -> None:
    output, labels = study
    few = labels.with_name("few.tsv")
    few.write_text("\n".join(labels.read_text(encoding="utf-8").splitlines()[:30]) + "\n", encoding="utf-8")
    answer = call("calibrate", "quality", output, "--labels", few)
    assert answer.code == Exit.DONE
    assert "warning: too few labels to promise anything of accepting scans" in answer.err
    assert "59 are needed" in answer.err
    assert read_calibration(output / "calibration_quality.json").pooled.accept.provisional


def test_without_labels_their_price_is_told_and_nothing_is_written(call: Call, study: tuple[Path, Path]) -> None:
    output, _ = study
    before = sorted(output.iterdir())
    answer = call("calibrate", "quality", output)
    assert answer.code == Exit.DONE
    assert all(str(n) in answer.out for n in (299, 149, 59, 29))
    assert "of 400 scans" in answer.out
    assert sorted(output.iterdir()) == before


@pytest.mark.parametrize(("by", "names"), [("sequence", {"T1w"}), ("site", {"A", "B"})])
def test_strata_are_the_machine_s_sequences_or_the_labels_sites(
    call: Call, study: tuple[Path, Path], by: str, names: set[str]
) -> None:
    output, labels = study
    lines = labels.read_text(encoding="utf-8").splitlines()
    sites = [lines[0] + "\tsite", *(f"{line}\t{'AB'[number >= 400]}" for number, line in enumerate(lines[1:]))]
    labels.write_text("\n".join(sites) + "\n", encoding="utf-8")
    answer = call("calibrate", "quality", output, "--labels", labels, "--by", by, "--method", "none", "--alpha", "0.1")
    assert answer.code == Exit.DONE, answer.err
    calibration = read_calibration(output / "calibration_quality.json")
    assert set(calibration.seen) == names
    assert sum(calibration.seen.values()) == LABELLED - 1
    assert set(calibration.strata) == (names if len(names) > 1 else set())


def test_rows_that_the_model_was_trained_on_do_not_count(call: Call, study: tuple[Path, Path]) -> None:
    output, labels = study
    lines = labels.read_text(encoding="utf-8").splitlines()
    marked = [
        lines[0] + "\tsplit",
        *(f"{line}\ttrain" for line in lines[1:201]),
        *(f"{line}\t" for line in lines[201:]),
    ]
    labels.write_text("\n".join(marked) + "\n", encoding="utf-8")
    answer = call("calibrate", "quality", output, "--labels", labels)
    assert "200 rows marked" in answer.out
    assert read_calibration(output / "calibration_quality.json").people == LABELLED - 100


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["calibrate", "wmh", "OUT", "--labels", "LABELS"], "no task 'wmh'"),
        (["calibrate", "quality", "OUT", "--labels", "LABELS", "--method", "magic"], "no method 'magic'"),
        (["calibrate", "quality", "OUT", "--labels", "LABELS", "--by", "moon"], "no kind 'moon'"),
        (["calibrate", "defacing", "OUT", "--labels", "LABELS"], "none with the task `defacing`"),
        (["calibrate", "quality", "nowhere", "--labels", "LABELS"], "no folder nowhere"),
        (["calibrate", "quality", "OUT", "--labels", "OTHER"], "No row of other.tsv names a scan"),
        (["calibrate", "quality", "OUT", "--labels", "EMPTY"], "The labels say nothing about it"),
        (["calibrate", "quality", "OUT", "--labels", "BROKEN"], "line 2, column motion: got '7'"),
        (["calibrate", "quality", "OUT", "--labels", "absent.tsv"], "absent.tsv"),
        (["evaluate", "quality", "OUT", "--labels", "OTHER"], "No row of other.tsv names a scan"),
        (["evaluate", "quality", "OUT", "--labels", "LABELS", "--prevalence", "improper"], "names no prevalence"),
        (["evaluate", "quality", "OUT", "--labels", "LABELS", "--prevalence", "improper=3"], "share from 0 to 1"),
        (["evaluate", "quality", "OUT", "--labels", "LABELS", "--prevalence", "luck=0.5"], "got luck"),
        (["evaluate", "quality", "OUT", "--labels", "EMPTY"], "answer no question"),
    ],
)
def test_what_the_user_can_mend_is_said_without_a_traceback(
    call: Call, study: tuple[Path, Path], arguments: list[str], told: str
) -> None:
    output, labels = study
    files = {"OTHER": "scan\tproper\nelsewhere.nii\tyes\n", "BROKEN": "scan\tmotion\na\t7\n"}
    files["EMPTY"] = "scan\tsite\nsub-000/anat/sub-000_T1w.nii.gz\tA\n"
    places = {"OUT": str(output), "LABELS": str(labels)}
    for name, text in files.items():
        places[name] = str(labels.with_name(f"{name.lower()}.tsv"))
        Path(places[name]).write_text(text, encoding="utf-8")
    answer = call(*(places.get(word, word) for word in arguments))
    assert answer.code == Exit.USAGE
    assert told in answer.err
    assert "Traceback" not in answer.err


def figure(found: Iterable[dict[str, str]], question: str, metric: str) -> dict[str, str]:
    return next(row for row in found if (row["question"], row["metric"]) == (question, metric))


def test_evaluate_prints_and_writes_each_question_with_its_interval(call: Call, study: tuple[Path, Path]) -> None:
    output, labels = study
    answer = call("evaluate", "quality", output, "--labels", labels, "--prevalence", "improper=0.25")
    assert answer.code == Exit.DONE, answer.err
    found = rows(output / "evaluation_quality.tsv")
    accuracy = figure(found, "improper", "balanced_accuracy")
    assert 0.8 < float(accuracy["low"]) <= float(accuracy["value"]) <= float(accuracy["high"]) < 1
    assert accuracy["scans"] == str(LABELLED - 1)
    assert figure(found, "improper", "ppv")["prevalence"] == "0.25"
    assert figure(found, "improper", "sensitivity")["interval"] == "exact"
    assert float(figure(found, "motion_severe", "balanced_accuracy")["value"]) == 1
    assert float(figure(found, "motion", "kappa x / y")["value"]) == 1
    assert float(figure(found, "proper", "kappa x / y")["value"]) > 0.95
    assert float(figure(found, "motion", "kappa machine / x")["value"]) == 1
    assert float(figure(found, "sequence", "accuracy")["value"]) == 1
    assert 0 < float(figure(found, "decisions", "decided")["value"]) < 1
    assert "improper" in answer.out
    assert "PPV and NPV hold where" in answer.out


def test_windows_paths_and_leading_dots_name_the_same_scans(call: Call, study: tuple[Path, Path]) -> None:
    output, labels = study
    text = labels.read_text(encoding="utf-8").replace("sub-000/anat/", ".\\sub-000\\anat\\")
    labels.write_text(text.replace("\nsub-001/", "\n./sub-001/"), encoding="utf-8")
    answer = call("calibrate", "quality", output, "--labels", labels)
    assert answer.code == Exit.DONE
    assert "without a finding" not in answer.out
