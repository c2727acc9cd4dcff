"""One scan, one key: what was pressed is what is stored, once, whatever happens in between."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, Route

from tests.review_page.conftest import Server
from tests.review_page.hands import (
    LOOK_MS,
    decide,
    history,
    log_in,
    open_list,
    standing,
    wait_for_scan,
    wait_for_scans_ahead,
    wait_until_saved,
)

pytestmark = pytest.mark.xdist_group("browser")


@pytest.fixture
def working(page: Page, server: Server) -> Page:
    """A person at the list of referred scans."""
    log_in(page, server)
    open_list(page, "defacing", "review")
    return page


def test_fifty_keys_with_a_reload_and_a_killed_server_are_stored_once_each(working: Page, server: Server) -> None:
    page, pressed = working, []
    for number in range(50):
        if number == 15:
            page.reload()
        if number == 30:
            wait_for_scans_ahead(page)
            server.kill()
        if number == 32:
            assert int(page.get_attribute("#outbox", "data-unsent") or 0) >= 2
            server.start()
        pressed.append(decide(page, "1234"[number % 4]))
    wait_until_saved(page)
    assert standing(page, server) == pressed
    assert len({item for item, _ in pressed}) == 50


def test_a_reload_while_nothing_gets_through_loses_nothing(working: Page, server: Server) -> None:
    page = working
    pressed = [decide(page, "1")]
    wait_until_saved(page)
    page.route("**/api/items/**", lambda route: route.abort())
    pressed += [decide(page, key) for key in "23"]
    page.reload()
    pressed.append(decide(page, "4"))
    assert standing(page, server) == pressed[:1]
    page.unroute("**/api/items/**")
    wait_until_saved(page)
    assert standing(page, server) == pressed


def test_an_answer_that_is_lost_on_the_way_back_does_not_double_the_decision(working: Page, server: Server) -> None:
    page = working
    lost = []

    def lose(route: Route) -> None:
        lost.append(route.fetch())
        route.abort()

    page.route("**/api/items/**", lose, times=2)
    pressed = [decide(page, key) for key in "12"]
    wait_until_saved(page)
    assert [answer.status for answer in lost] == [200, 200]
    assert standing(page, server) == pressed


def test_undo_brings_the_scan_back_and_the_second_answer_stands(working: Page, server: Server) -> None:
    page = working
    first, wrong = decide(page, "1"), decide(page, "2")
    page.keyboard.press("z")
    page.wait_for_function("item => document.querySelector('.one')?.dataset.item === item", arg=wrong[0])
    right = decide(page, "3")
    wait_until_saved(page)
    assert right == (wrong[0], "excessive")
    assert standing(page, server) == [first, right]
    assert [event["kind"] for event in history(page, server)] == ["decision", "undo", "decision", "decision"]


def test_undo_without_network_is_kept_in_order(working: Page, server: Server) -> None:
    page = working
    wait_for_scans_ahead(page)
    server.kill()
    wrong = decide(page, "1")
    page.keyboard.press("z")
    page.wait_for_function("item => document.querySelector('.one')?.dataset.item === item", arg=wrong[0])
    right = decide(page, "4")
    server.start()
    wait_until_saved(page)
    assert right[0] == wrong[0]
    assert standing(page, server) == [right]


def test_undo_after_a_reload_takes_back_the_last_decision(working: Page, server: Server) -> None:
    page = working
    wrong = decide(page, "1")
    wait_until_saved(page)
    page.reload()
    wait_for_scan(page)
    page.keyboard.press("z")
    page.wait_for_function("item => document.querySelector('.one')?.dataset.item === item", arg=wrong[0])
    wait_until_saved(page)
    assert standing(page, server) == []


def test_ticked_fields_are_sent_and_contradictions_are_not(working: Page, server: Server) -> None:
    page = working
    item = wait_for_scan(page)
    page.wait_for_timeout(LOOK_MS)
    page.keyboard.press("a")
    page.keyboard.press("1")
    page.wait_for_selector(".panel .note:not([hidden])")
    assert page.get_attribute(".one", "data-item") == item
    decide(page, "2")
    wait_until_saved(page)
    (event,) = history(page, server)
    assert (event["choice"], event["fields"]["ears"], event["fields"]["eyes"]) == ("insufficient", True, False)


def test_a_held_key_and_a_bounce_decide_one_scan(working: Page, server: Server) -> None:
    page = working
    item = wait_for_scan(page)
    page.wait_for_timeout(LOOK_MS)
    page.keyboard.down("1")
    page.keyboard.down("1")
    page.keyboard.down("1")
    page.keyboard.up("1")
    wait_until_saved(page)
    wait_for_scan(page)
    assert standing(page, server) == [(item, "correct")]


def test_later_brings_the_scan_again_behind_the_others(working: Page, server: Server) -> None:
    page = working
    item = wait_for_scan(page)
    page.wait_for_timeout(LOOK_MS)
    page.keyboard.press("l")
    page.wait_for_function("item => (document.querySelector('.one')?.dataset.item ?? item) !== item", arg=item)
    second = decide(page, "1")
    wait_until_saved(page)
    assert standing(page, server) == [(item, "later"), second]


def test_the_machine_is_silent_before_the_answer_and_speaks_after(working: Page) -> None:
    page = working
    wait_for_scan(page)
    assert page.locator(".machine").count() == 0
    decide(page, "1")
    page.wait_for_selector(".last .machine")
    assert "insufficient" in page.inner_text(".last .machine")
