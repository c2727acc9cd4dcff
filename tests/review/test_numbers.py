"""Progress, the summary and the labels: figures that a person could count by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from brainsift.evaluate.labels import read_labels
from brainsift.review import progress
from brainsift.review.summary import summary
from tests.review.conftest import Page, on_both
from tests.review.parts import new_key, record, scan_name

Open = Callable[..., Page]

REFERRED = {"quality": "refer"}


@pytest.fixture(autouse=True)
def _count_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures are remembered for two seconds; here each is counted."""
    monkeypatch.setattr(progress, "REMEMBER_S", 0.0)


def in_the_past(page: Page, seconds: float = 100) -> None:
    """Let what is held have been handed out a while ago, so that seconds may be claimed for it."""
    with page.database.engine.begin() as connection:
        connection.execute(text(f"UPDATE review_leases SET taken_ms = taken_ms - {int(1000 * seconds)}"))


@on_both
def test_progress_counts_what_is_done_due_and_held_and_tells_the_hours_left(open_page: Open) -> None:
    page = open_page([REFERRED] * 10 + [{"quality": "accept"}] * 5)
    one, other = page.person("ab"), page.person("cd")
    items = one.hand(size=4)
    in_the_past(page)
    for item, seconds in zip(items, (4.0, 8.0, 3.0, 5.0), strict=True):
        one.decide(item, seconds=seconds)
    one.undo()
    one.hand(size=3)
    other.hand(size=2)
    told = one.get("/api/progress")
    (task,) = told["tasks"]
    assert task["lists"] == [
        {
            "id": "review",
            "total": 10,
            "done": 3,
            "open": 7,
            "leased": 5,
            "seconds_per_scan": 5.0,
            "measured": 3,
            "hours_left": round(7 * 5 / 3600, 3),
        }
    ]
    assert told["me"] == {"today": 3, "seconds_per_scan": 5.0}
    assert other.get("/api/progress")["me"] == {"today": 0, "seconds_per_scan": None}
    (seen,) = (task["lists"][0] for task in one.get("/api/tasks")["tasks"])
    assert (seen["open"], seen["mine"], seen["done"], seen["total"]) == (5, 3, 3, 10)


@on_both
def test_the_summary_weighs_hours_with_the_model_against_those_without(open_page: Open) -> None:
    """60 scans read by themselves at 8 s are 480 s; 20 referred at 8 s and 30 verified at 2 s are 220 s."""
    actions = ["refer"] * 20 + ["accept"] * 30 + ["reject"] * 10
    page = open_page([{"defacing": action} for action in actions])
    person = page.person("ab")
    items = person.hand("defacing", "review", 2)
    sheet = person.sheet(10)
    in_the_past(page)
    for item in items:
        person.decide(item, "correct", seconds=8.0)
    person.post(f"/api/sheets/{sheet['id']}/sign", {"key": new_key(), "seconds": 20.0})
    (task,) = summary(page.desk)["tasks"]
    assert task["automatic"] == {"accept": 30, "reject": 10, "refer": 20, "share": 0.6667}
    assert task["seconds"] == {"one": {"n": 2, "mean": 8.0}, "sheet": {"n": 10, "mean": 2.0}}
    assert (task["hours"]["without_model"], task["hours"]["with_model"]) == (0.133, 0.061)
    assert task["hours"]["saved_share"] == round(1 - 220 / 480, 4)
    assert task["hours"]["simulated"] is True
    assert task["machine"] == {"compared": 12, "agreed": 10}


def test_hours_are_not_told_before_seconds_were_measured(open_page: Open) -> None:
    (task,) = summary(open_page([{"defacing": "accept"}]).desk)["tasks"]
    assert task["hours"]["without_model"] is None
    assert task["agreement"] == {"pairs": 0, "same": 0, "kappa": None, "low": None, "high": None}


def test_agreement_is_kappa_of_first_and_second_readings(open_page: Open) -> None:
    """Of 8 scans 6 alike: 4 good and 2 not; observed 0.75, by chance 0.5, kappa 0.5."""
    page = open_page([REFERRED] * 8, second_share=1.0)
    said = {"ab": "GGGGGBBB", "cd": "GGGGBGBB"}
    people = {name: page.person(name) for name in said}
    for name, choices in said.items():
        while items := people[name].hand(size=1):
            number = int(page.desk.record_by_id(items[0]["scan_id"]).participant or 0)
            people[name].decide(items[0], {"G": "good", "B": "not_proper"}[choices[number]])
    found = summary(page.desk)["tasks"][0]["agreement"]
    # Marginals are 5/8 and 5/8 good: by chance 0.53125, so kappa is (0.75 - 0.53125) / (1 - 0.53125).
    assert (found["pairs"], found["same"]) == (8, 6)
    assert found["kappa"] == pytest.approx((0.75 - 0.53125) / (1 - 0.53125), abs=1e-4)
    assert found["low"] < found["kappa"] < found["high"]


def test_labels_hold_what_each_person_said_and_the_reader_takes_them(open_page: Open, tmp_path: Path) -> None:
    page = open_page([{"quality": "refer", "defacing": "accept"}] * 3)
    person = page.person("ab")
    quality = {item["scan_id"]: item for item in person.hand(size=3)}
    first, second, third = (quality[number] for number in sorted(quality))
    person.decide(first, "bad", fields={"motion": 2, "noise": 1, "gadolinium": True})
    person.decide(second, "not_proper")
    person.decide(third, "good")
    person.undo()
    sheet = person.sheet()
    marked = next(item for item in sheet["items"] if item["scan_id"] == first["scan_id"])
    exception = {"item": marked["item"], "outcome": "answer", "choice": "excessive"}
    person.post(f"/api/sheets/{sheet['id']}/sign", {"key": new_key(), "seconds": 9.0, "exceptions": [exception]})
    path = tmp_path / "labels.tsv"
    path.write_text(page.host().client.get("/api/labels.tsv").text)
    labels = {label.scan: label for label in read_labels(path)}
    bad = labels[scan_name(0)]
    assert (bad.participant, bad.rater, bad.proper) == ("000", "ab", True)
    assert (bad.motion, bad.noise, bad.contrast, bad.gadolinium, bad.defacing) == (2, 1, 0, True, "excessive")
    assert (labels[scan_name(1)].proper, labels[scan_name(1)].motion) == (False, None)
    assert (labels[scan_name(2)].proper, labels[scan_name(2)].defacing) == (None, "correct")


@on_both
def test_a_drawing_that_a_person_called_right_becomes_a_label(open_page: Open) -> None:
    from brainsift.review.labels import label_rows

    page = open_page([{"wmh": "refer"}] * 2)
    for number in range(2):
        one = record(number, {"wmh": "refer"})
        finding = one.findings[0].model_copy(update={"evidence": {"wmh_mask": f"{one.stem}_mask.nii.gz"}})
        page.database.ingest([one.model_copy(update={"findings": (finding,)})])
    person = page.person("ab")
    first, second = person.hand("wmh")
    person.decide(first, "right")
    person.decide(second, "missed")
    (row,) = label_rows(page.database)
    assert row["wmh_mask"].endswith("_mask.nii.gz")


@on_both
def test_an_audit_draws_its_share_of_automatic_decisions_by_content(open_page: Open) -> None:
    page = open_page([{"quality": "accept"}] * 60, audit_share=0.5)
    person = page.person("ab")
    (lists,) = (task["lists"] for task in person.get("/api/tasks")["tasks"])
    total = {one["id"]: one["total"] for one in lists}
    drawn = sum(record(n, {}).input.sha256[:8] < "80000000" for n in range(60))  # type: ignore[index]
    assert total == {"review": 0, "audit": drawn, "adjudication": 0}
    assert len(person.hand("quality", "audit", 20)) == min(20, drawn)
