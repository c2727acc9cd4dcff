"""Second readings, disagreement, adjudication and catch trials."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from brainsift.review.catch import set_catches
from brainsift.store.reviews.cases import replay
from brainsift.store.reviews.verdicts import verdicts
from tests.review.conftest import Page, on_both
from tests.review.parts import Person, scan_name

REFERRED = {"quality": "refer"}

Open = Callable[..., Page]


def act(position: int, reviewer: str, choice: str | None = "good", **changes: object) -> dict[str, object]:
    """A row of the trail, as far as `replay` looks at it."""
    row: dict[str, object] = {
        "position": position,
        "kind": "decision",
        "stage": "reading",
        "outcome": "answer" if choice else "cannot_tell",
        "task": "quality",
        "list_name": "review",
        "reviewer": reviewer,
        "choice": choice,
        "fields": "{}",
        "second_wanted": False,
        "input_sha256": "a",
        "model_sha256": None,
        "undo_of": None,
    }
    return {**row, **changes}


def undone(position: int, of: int) -> dict[str, object]:
    """A row that takes another one back."""
    return act(position, "ab", kind="undo", outcome="undo", undo_of=of)


WANTED = {"second_wanted": True}


@pytest.mark.parametrize(
    ("acts", "state", "choice"),
    [
        ([act(1, "ab")], "done", "good"),
        ([act(1, "ab", **WANTED)], "second", None),
        ([act(1, "ab", **WANTED), act(2, "cd")], "done", "good"),
        ([act(1, "ab", **WANTED), act(2, "cd", "bad")], "adjudication", None),
        ([act(1, "ab", None)], "adjudication", None),
        ([act(1, "ab"), act(2, "cd", "bad", stage="adjudication")], "done", "bad"),
        ([act(1, "ab", None), act(2, "cd", None, stage="adjudication")], "undecided", None),
        ([act(1, "ab", None, outcome="look", list_name="verify")], "first", None),
        # Taking back the first reading makes the second one the first.
        ([act(1, "ab", **WANTED), act(2, "cd", "bad"), undone(3, 1)], "done", "bad"),
        ([act(1, "ab", "bad"), act(2, "ef", stage="adjudication"), undone(3, 2)], "done", "bad"),
        # A late answer of somebody whose lease ran out counts as a reading.
        ([act(1, "ab"), act(2, "cd", "bad")], "adjudication", None),
        ([act(1, "ab", "bad", input_sha256="old"), act(2, "cd")], "done", "good"),
    ],
)
def test_what_follows_from_the_acts_on_a_scan(acts: list[dict[str, object]], state: str, choice: str | None) -> None:
    case = replay(acts)
    assert case is not None
    assert (case.state, case.choice) == (state, choice)


@pytest.mark.parametrize(
    "acts",
    [[], [act(1, "ab"), undone(2, 1)], [act(1, "ab", stage="catch")], [act(1, "ab", None, outcome="later")]],
    ids=["none", "undone", "catch", "later"],
)
def test_nothing_follows_from_acts_that_do_not_count(acts: list[dict[str, object]]) -> None:
    assert replay(acts) is None


def test_a_new_model_asks_again_where_its_drawing_is_judged_and_only_there() -> None:
    old = {"model_sha256": "m1"}
    assert replay([act(1, "ab", **old)], basis="a") is not None
    assert replay([act(1, "ab", task="wmh", **old)], basis="a:m2") is None


def read_all(person: Person, choice: str, **fields: object) -> int:
    """Read a list to its end."""
    count = 0
    while items := person.hand(size=1):
        person.decide(items[0], choice, **fields)
        count += 1
    return count


@on_both
def test_a_second_person_reads_the_drawn_scans_blind_and_disagreement_goes_to_an_adjudicator(open_page: Open) -> None:
    page = open_page([REFERRED] * 4, second_share=1.0)
    one, other = page.person("ab"), page.person("cd")
    judge = page.person("ef", "adjudicator")
    assert read_all(one, "good") == 4
    (first, *_) = items = other.hand()
    assert len(items) == 4
    assert first["readings"] is None
    assert {name: type(value) for name, value in first.items()} == {
        name: type(value) for name, value in items[-1].items()
    }
    other.decide(first, "not_proper")
    assert read_all(other, "good") == 3
    assert one.hand() == []
    (dispute,) = judge.hand("quality", "adjudication")
    assert sorted(reading["choice"] for reading in dispute["readings"]) == ["good", "not_proper"]
    assert not {"ab", "cd"} & set(str(dispute["readings"]).replace("'", " ").split())
    said = judge.decide(dispute, "not_proper")
    assert said["event"]["meaning"].startswith("I compared the readings")
    states = {scan: (case.state, case.choice) for scan, case in verdicts(page.database, "quality").items()}
    assert sorted(states.values()) == [("done", "good")] * 3 + [("done", "not_proper")]


def test_adjudication_is_for_adjudicators_who_have_not_read_the_scan(open_page: Open) -> None:
    page = open_page([REFERRED])
    one, judge = page.person("ab"), page.person("cd", "adjudicator")
    refusal = one.post("/api/tasks/quality/lists/adjudication/hand", {"size": 1}, 403)
    assert refusal["error"]["kind"] == "role"
    (item,) = judge.hand()
    judge.decide(item, None, outcome="cannot_tell")
    assert judge.hand("quality", "adjudication") == []
    (dispute,) = page.person("ef", "adjudicator").hand("quality", "adjudication")
    assert dispute["readings"] == [{"outcome": "cannot_tell", "choice": None, "fields": {}}]


def test_one_person_alone_is_not_kept_waiting_for_a_second(open_page: Open) -> None:
    page = open_page([REFERRED], second_share=1.0)
    read_all(page.host(), "good")
    assert verdicts(page.database, "quality")[scan_name(0)].state == "done"


@on_both
def test_catch_trials_look_like_any_scan_count_for_nothing_and_are_told_in_the_summary(
    open_page: Open, tmp_path: Path
) -> None:
    page = open_page([REFERRED] * 6, catch_share=1.0)
    known = tmp_path / "known.tsv"
    known.write_text(f"scan\tproper\tmotion\n{scan_name(0)}\tyes\t2\n{scan_name(1)}\tno\t\n{scan_name(2)}\tyes\t0\n")
    assert set_catches(page.database, known) == {"quality": 3, "defacing": 0}
    person = page.person("ab")
    items = person.hand(size=6)
    assert len(items) == 6
    assert len({tuple(sorted(item)) for item in items}) == 1
    for item in items:
        person.decide(item, "good")
    assert person.hand() == []
    assert set(verdicts(page.database, "quality")) == {scan_name(n) for n in (3, 4, 5)}
    (task,) = page.host().get("/api/summary")["tasks"]
    assert (task["catch"]["shown"], task["catch"]["missed"]) == (2, 2)
    assert [(one["name"], one["decisions"], one["catch_missed"]) for one in task["reviewers"]] == [("ab", 3, 2)]
    assert len(page.person("cd").hand(size=6)) == 3
