"""The defacing section of a scan's page: classes, features, what happens next, and never a picture of the head."""

from __future__ import annotations

from pathlib import Path

import pytest

from brainsift.decide.decision import Action, Decision
from brainsift.report.defacing_scan import NEXT, defacing_view
from brainsift.report.defacing_study import DefacingStudy
from brainsift.report.scan_page import scan_page
from brainsift.store.record import Record
from brainsift.tasks.base import Finding
from tests.store.parts import done_record

PROBABILITIES = {
    "correct": 0.02,
    "insufficient": 0.95,
    "excessive": 0.02,
    "failed": 0.01,
    "eyes_left": 0.1,
    "nose_left": 0.9,
    "ears_left": 0.8,
}
MEASURED = {"nose_in_view": 1.0, "eyes_in_view": 1.0, "ears_in_view": 0.05, "brain_missing_ml": 0.0, "remedy": "ears"}


def record_of(action: Action = Action.REJECT, label: str = "insufficient") -> Record:
    finding = Finding(
        task="defacing",
        label=label,
        probabilities=PROBABILITIES,
        measurements=MEASURED,
        flags=("nose",),
        evidence={"renders": "sub-01/anat/sub-01_T1w_desc-views_qc.webp"},
    )
    decision = Decision(task="defacing", action=action, rule="good_probability", reason="Sure.")
    return done_record(findings=(finding,), decisions=(decision,))


def test_features_are_left_gone_or_out_of_view() -> None:
    view = defacing_view("insufficient", PROBABILITIES, MEASURED, "reject")
    features = dict(view["features"])
    assert features == {"eyes": "gone", "nose": "left", "mouth": "", "ears": "out of view", "brow": ""}


def test_the_label_stands_out_among_the_classes() -> None:
    bars = defacing_view("insufficient", PROBABILITIES, MEASURED, None)["bars"]
    assert [bar.chosen for bar in bars] == [False, True, False, False]
    assert bars[1].text == "95.0 %"


@pytest.mark.parametrize("action", list(Action))
def test_the_page_says_what_happens_next(tmp_path: Path, action: Action) -> None:
    page = scan_page(record_of(action), tmp_path)
    assert NEXT[action.value].split(":")[0].split("`")[0] in page


def test_views_of_the_head_are_never_in_a_page(tmp_path: Path) -> None:
    """The file is there, and its bytes must not be in the page."""
    picture = tmp_path / "sub-01" / "anat" / "sub-01_T1w_desc-views_qc.webp"
    picture.parent.mkdir(parents=True)
    picture.write_bytes(b"RIFF\x24\x00\x00\x00WEBPVP8 face")
    page = scan_page(record_of(), tmp_path)
    assert "data:image" not in page


def test_a_study_counts_classes_by_what_was_decided() -> None:
    study = DefacingStudy()
    for action, label in (
        (Action.ACCEPT, "correct"),
        (Action.ACCEPT, "correct"),
        (Action.REFER, "correct"),
        (Action.REJECT, "failed"),
    ):
        study.add(record_of(action, label))
    study.add(done_record())
    rows = {row["title"]: row for row in study.rows()}
    assert rows["Correct"]["counts"] == (2, 1, 0)
    assert rows["Failed"]["counts"] == (0, 0, 1)
    assert study.automatic_share() == pytest.approx(0.75)


def test_a_study_without_the_task_has_no_rows() -> None:
    study = DefacingStudy()
    study.add(done_record())
    assert study.rows() == []
    assert study.automatic_share() is None
