"""Taking scans and deciding: what is stored, once, and what the person is told."""

from __future__ import annotations

import json
from collections.abc import Callable

from sqlalchemy import select

from brainsift.store.reviews.schema import LeaseRow, ReviewRow
from tests.review.conftest import Page, on_both
from tests.review.parts import MODEL, new_key, record

REFERRED = {"quality": "refer"}
PASSED = {"defacing": "accept"}

Open = Callable[..., Page]


def trail(page: Page) -> list[dict[str, object]]:
    """All rows of the trail."""
    with page.database.engine.connect() as connection:
        query = select(ReviewRow.__table__).order_by(ReviewRow.position)
        return [dict(row) for row in connection.execute(query).mappings()]


def test_a_decision_is_stored_with_who_when_what_was_shown_and_by_which_model(open_page: Open) -> None:
    page = open_page([REFERRED])
    person = page.person("ab")
    (item,) = person.hand()
    said = person.decide(
        item, "bad", fields={"motion": 2}, shown={"pictures": ["mosaic"], "viewer": True, "overlay": False}
    )
    (row,) = trail(page)
    assert (row["reviewer"], row["choice"], row["task"], row["stage"]) == ("ab", "bad", "quality", "reading")
    assert json.loads(str(row["fields"])) == {"motion": 2, "noise": 0, "contrast": 0, "gadolinium": False}
    shown = json.loads(str(row["shown"]))
    assert shown["viewer"] is True
    assert f"?v={shown['pictures']['mosaic']}" in item["pictures"][0]["url"]
    assert (row["model_sha256"], row["input_sha256"]) == (MODEL, record(0, REFERRED).input.sha256)
    assert said["event"]["meaning"] == "I looked at this scan and found: Bad."
    assert said["machine"]["action"] == "refer"


def test_the_machine_is_silent_until_the_person_has_spoken(open_page: Open) -> None:
    person = open_page([PASSED]).person("ab")
    (item,) = person.hand("defacing", "verify")
    assert item["machine"] is None
    assert item["name"] is None
    machine = person.decide(item, "excessive")["machine"]
    assert (machine["label"], machine["agrees"]) == ("correct", False)


def test_the_machine_speaks_first_where_that_is_set(open_page: Open) -> None:
    (item,) = open_page([PASSED], blind=False, names=True).person("ab").hand("defacing", "verify")
    assert item["machine"]["label"] == "correct"
    assert item["name"] == record(0, PASSED).scan


def test_the_same_key_is_stored_once_and_answered_alike(open_page: Open) -> None:
    page = open_page([REFERRED] * 2)
    person = page.person("ab")
    item, other = person.hand()
    key = new_key()
    first = person.decide(item, key=key)
    again = person.decide(item, key=key)
    assert (first["repeated"], again["repeated"]) == (False, True)
    assert again["event"] == first["event"]
    assert again["machine"] == first["machine"]
    assert person.decide(other, key=key, status=409)["error"]["kind"] == "key_reused"
    assert person.decide(item, "bad", key=key, fields={"noise": 2}, status=409)["error"]["kind"] == "key_reused"
    assert len(trail(page)) == 1


def test_a_second_key_for_a_decided_scan_is_told_what_is_stored(open_page: Open) -> None:
    page = open_page([REFERRED])
    person = page.person("ab")
    (item,) = person.hand()
    stored = person.decide(item)["event"]
    refusal = person.decide(item, "not_proper", status=409)
    assert refusal["error"]["kind"] == "already_decided"
    assert refusal["event"]["position"] == stored["position"]
    assert len(trail(page)) == 1


def test_a_hand_stays_the_same_until_it_is_decided(open_page: Open) -> None:
    person = open_page([REFERRED] * 10).person("ab")
    before = [item["item"] for item in person.hand(size=4)]
    assert [item["item"] for item in person.hand(size=4)] == before
    person.decide({"item": before[0]})
    after = [item["item"] for item in person.hand(size=4)]
    assert after[:3] == before[1:]
    assert len(set(after)) == 4


def test_what_one_person_holds_nobody_else_is_given(open_page: Open) -> None:
    page = open_page([REFERRED] * 6)
    first, second = page.person("ab").hand(size=4), page.person("cd").hand(size=4)
    assert (len(first), len(second)) == (4, 2)
    assert not {item["scan_id"] for item in first} & {item["scan_id"] for item in second}


def test_scans_given_back_are_free_again(open_page: Open) -> None:
    page = open_page([REFERRED])
    one, other = page.person("ab"), page.person("cd")
    (item,) = one.hand()
    assert other.hand() == []
    one.post(f"/api/items/{item['item']}/release")
    assert [again["scan_id"] for again in other.hand()] == [item["scan_id"]]
    assert one.decide(item, status=404)["error"]["kind"] == "no_item"


def expire(page: Page) -> None:
    """Let all leases run out."""
    with page.database.engine.begin() as connection:
        connection.execute(LeaseRow.__table__.update().values(until_ms=1))


@on_both
def test_a_lease_that_ran_out_goes_to_another_person_and_a_late_answer_is_one_more_reading(open_page: Open) -> None:
    page = open_page([REFERRED])
    slow, quick = page.person("ab"), page.person("cd")
    (item,) = slow.hand()
    expire(page)
    (taken,) = quick.hand()
    assert taken["scan_id"] == item["scan_id"]
    assert slow.post("/api/leases/renew", {"items": [item["item"]]})["lost"] == [item["item"]]
    quick.decide(taken)
    slow.decide(item)
    assert [row["reviewer"] for row in trail(page)] == ["cd", "ab"]


def test_a_lease_that_ran_out_unseen_is_kept_by_a_sign_of_life(open_page: Open) -> None:
    page = open_page([REFERRED])
    person, other = page.person("ab"), page.person("cd")
    (item,) = person.hand()
    expire(page)
    assert person.post("/api/leases/renew", {"items": [item["item"]]})["kept"] == [item["item"]]
    assert other.hand() == []


def test_a_scan_that_was_taken_when_the_server_was_killed_is_handed_out_anew(open_page: Open) -> None:
    page = open_page([REFERRED])
    person = page.person("ab")
    (item,) = person.hand()
    with page.database.engine.begin() as connection:
        connection.execute(LeaseRow.__table__.update().values(offered=""))
    (again,) = person.hand()
    assert (again["scan_id"], again["item"] != item["item"]) == (item["scan_id"], True)
    person.decide(again)


def test_nobody_decides_about_what_another_person_holds(open_page: Open) -> None:
    page = open_page([REFERRED])
    (item,) = page.person("ab").hand()
    assert page.person("cd").decide(item, status=403)["error"]["kind"] == "not_yours"


@on_both
def test_a_scan_that_is_put_off_comes_last_for_this_person(open_page: Open) -> None:
    person = open_page([REFERRED] * 3).person("ab")
    first = person.hand(size=1)[0]
    person.decide(first, None, outcome="later")
    order = []
    for _ in range(3):
        (item,) = person.hand(size=1)
        order.append(item["scan_id"])
        person.decide(item)
    assert order[-1] == first["scan_id"]
    assert len(set(order)) == 3


@on_both
def test_undo_brings_the_scan_back_first_under_its_old_item_and_the_trail_keeps_both(open_page: Open) -> None:
    page = open_page([REFERRED] * 6)
    person = page.person("ab")
    item = person.hand()[0]
    decided = person.decide(item)
    back = person.undo()
    assert back["undone"]["position"] == decided["event"]["position"]
    assert back["item"]["item"] == item["item"]
    assert person.hand()[0]["item"] == item["item"]
    person.decide(item, "not_proper")
    assert [(row["kind"], row["choice"]) for row in trail(page)] == [
        ("decision", "good"),
        ("undo", None),
        ("decision", "not_proper"),
    ]


@on_both
def test_a_decision_after_an_undo_is_kept_though_somebody_else_holds_the_scan_by_now(open_page: Open) -> None:
    """An undo and the next decision may both wait in a browser that was offline."""
    page = open_page([REFERRED], second_share=1.0)
    one, other = page.person("ab"), page.person("cd")
    (item,) = one.hand()
    one.decide(item)
    (held,) = other.hand()
    assert one.undo()["item"] is None
    one.decide(item, "not_proper")
    other.decide(held)
    assert [(row["reviewer"], row["choice"]) for row in trail(page)] == [
        ("ab", "good"),
        ("ab", None),
        ("ab", "not_proper"),
        ("cd", "good"),
    ]
    assert len(page.person("ef", "adjudicator").hand("quality", "adjudication")) == 1


def test_undo_is_one_by_one_own_and_once(open_page: Open) -> None:
    page = open_page([REFERRED] * 2)
    person, other = page.person("ab"), page.person("cd")
    first, second = (person.decide(item)["event"]["position"] for item in person.hand())
    assert other.undo(first, 403)["error"]["kind"] == "not_yours"
    assert other.undo(status=404)["error"]["kind"] == "no_event"
    assert person.undo()["undone"]["position"] == second
    assert person.undo()["undone"]["position"] == first
    assert person.undo(first, 409)["error"]["kind"] == "already_undone"
    events = person.get("/api/history")["events"]
    assert [(event["kind"], event["undone_by"]) for event in events] == [
        ("undo", None),
        ("undo", None),
        ("decision", 3),
        ("decision", 4),
    ]


@on_both
def test_a_signed_sheet_is_one_decision_for_each_scan(open_page: Open) -> None:
    page = open_page([PASSED] * 5)
    person = page.person("ab")
    sheet = person.sheet()
    assert [item["item"] for item in person.sheet()["items"]] == [item["item"] for item in sheet["items"]]
    marked, looked = sheet["items"][:2]
    body = {
        "key": new_key(),
        "seconds": 10.0,
        "exceptions": [
            {"item": marked["item"], "outcome": "answer", "choice": "insufficient", "fields": {"ears": True}},
            {"item": looked["item"], "outcome": "look"},
        ],
    }
    signed = person.post(f"/api/sheets/{sheet['id']}/sign", body)
    assert [event["choice"] for event in signed["events"]] == ["insufficient", None, "correct", "correct", "correct"]
    assert signed["machine"][marked["item"]]["agrees"] is False
    again = person.post(f"/api/sheets/{sheet['id']}/sign", body)
    assert again == signed | {"repeated": True}
    refusal = person.post(f"/api/sheets/{sheet['id']}/sign", {**body, "key": new_key()}, 409)
    assert refusal["error"]["kind"] == "already_decided"
    assert len(trail(page)) == 5
    assert person.sheet() is None
    assert [item["scan_id"] for item in person.hand("defacing", "review")] == [looked["scan_id"]]


def test_a_sheet_with_one_wrong_mark_stores_nothing(open_page: Open) -> None:
    page = open_page([PASSED] * 3)
    person = page.person("ab")
    sheet = person.sheet()
    wrong = {"item": sheet["items"][0]["item"], "outcome": "answer", "choice": "fine"}
    body = {"key": new_key(), "seconds": 1.0, "exceptions": [wrong]}
    person.post(f"/api/sheets/{sheet['id']}/sign", body, 422)
    person.post(f"/api/sheets/{sheet['id']}/sign", {**body, "exceptions": [{"item": "x", "outcome": "look"}]}, 422)
    assert trail(page) == []


def test_an_answer_that_contradicts_itself_is_refused_and_nothing_stored(open_page: Open) -> None:
    page = open_page([REFERRED])
    person = page.person("ab")
    (item,) = person.hand()
    for choice, fields in (
        ("splendid", {}),
        ("good", {"motion": 0}),
        ("moderate", {}),
        ("moderate", {"motion": 2}),
        ("bad", {"motion": 1}),
        ("bad", {"motion": True}),
        ("bad", {"motion": 3}),
        ("not_proper", {"noise": 1}),
        ("good", {"gadolinium": 1}),
        (None, {}),
    ):
        assert person.decide(item, choice, 422, fields=fields)["error"]["kind"] == "invalid", (choice, fields)
    assert person.decide(item, "good", 422, outcome="later")["error"]["kind"] == "invalid"
    assert person.decide(item, None, 422, outcome="look")["error"]["kind"] == "invalid"
    assert person.decide(item, seconds=-1.0, status=422)["error"]["kind"] == "invalid"
    assert person.decide(item, key="short", status=422)["error"]["kind"] == "invalid"
    assert person.decide(item, reason="x", status=422)["error"]["kind"] == "invalid"
    assert person.decide(item, shown={"pictures": ["none"]}, status=422)["error"]["kind"] == "invalid"
    assert trail(page) == []


def test_seconds_are_never_more_than_have_passed(open_page: Open) -> None:
    person = open_page([REFERRED]).person("ab")
    (item,) = person.hand()
    assert person.decide(item, seconds=86400)["event"]["seconds"] < 3600


def test_a_scan_with_new_content_is_asked_again_and_old_answers_do_not_count(open_page: Open) -> None:
    page = open_page([REFERRED] * 2)
    person = page.person("ab")
    for item in person.hand():
        person.decide(item)
    held = page.person("cd")
    assert held.hand() == []
    changed = record(0, REFERRED)
    new_input = changed.input.model_copy(update={"sha256": "e" * 64})
    page.database.ingest([changed.model_copy(update={"input": new_input})])
    (item,) = held.hand()
    person_decided = held.decide(item)
    assert person_decided["event"]["scan_id"] == item["scan_id"]
    assert held.hand() == []


def test_a_scan_that_changes_while_it_is_held_is_not_decided_about(open_page: Open) -> None:
    page = open_page([REFERRED])
    person = page.person("ab")
    (item,) = person.hand()
    changed = record(0, REFERRED)
    new_input = changed.input.model_copy(update={"sha256": "e" * 64})
    page.database.ingest([changed.model_copy(update={"input": new_input})])
    assert person.decide(item, status=409)["error"]["kind"] == "changed"
    (again,) = person.hand()
    assert again["item"] != item["item"]
    person.decide(again)


def test_tasks_tell_all_that_a_screen_needs(open_page: Open) -> None:
    page = open_page([REFERRED, PASSED, {"integrity": "refer"}, {"wmh": "refer"}, {"microbleeds": "accept"}])
    tasks = {task["task"]: task for task in page.person("ab").get("/api/tasks")["tasks"]}
    assert list(tasks) == ["integrity", "quality", "defacing", "wmh", "microbleeds"]
    assert [one["id"] for one in tasks["defacing"]["lists"]] == ["review", "verify", "remedial", "adjudication"]
    assert [one["blocked"] for one in tasks["quality"]["lists"]] == [None, "role"]
    for task in tasks.values():
        keys = [one["key"] for one in task["choices"] + task["fields"]]
        assert len(set(keys)) == len(keys)
        assert not set(keys) & set("ltzovsx?")
        fields = {one["id"] for one in task["fields"]}
        assert {name for choice in task["choices"] for name in choice["fields"]} == fields
