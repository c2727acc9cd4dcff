"""Contact sheets: exceptions are marked, the rest is signed for, and no signature is lost or given blindly."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.review_page.conftest import Server
from tests.review_page.hands import history, log_in, open_list, standing, wait_until_saved

pytestmark = pytest.mark.xdist_group("browser")

SHEET = 20


@pytest.fixture
def sheet(page: Page, server: Server) -> Page:
    """A person before a sheet."""
    log_in(page, server)
    open_list(page, "defacing", "verify")
    page.wait_for_selector('.sign-bar[data-ready="true"]')
    return page


def items(page: Page) -> list[str]:
    """Scans of the sheet, in their order."""
    found: list[str] = page.eval_on_selector_all(".tile-button", "tiles => tiles.map(tile => tile.dataset.item)")
    return found


def sign(page: Page) -> None:
    """Sign, and wait for the next sheet."""
    before = page.get_attribute(".sheet", "data-sheet")
    page.keyboard.press("s")
    page.wait_for_selector("dialog[open] #sign-now")
    page.keyboard.press("s")
    page.wait_for_function("id => (document.querySelector('.sheet')?.dataset.sheet ?? id) !== id", arg=before)


def test_a_signed_sheet_stores_the_exceptions_and_the_default_for_the_rest(sheet: Page, server: Server) -> None:
    shown = items(sheet)
    assert len(shown) == SHEET
    for key in ("ArrowRight", "3", "ArrowRight", "e", "a", "ArrowRight", "x"):
        sheet.keyboard.press(key)
    sign(sheet)
    wait_until_saved(sheet)
    answers = dict(standing(sheet, server))
    wanted = dict.fromkeys(shown, "correct") | {shown[1]: "excessive", shown[2]: "insufficient", shown[3]: "look"}
    assert answers == wanted
    (marked,) = [event["fields"] for event in history(sheet, server) if event["item"] == shown[2]]
    assert (marked["eyes"], marked["ears"], marked["nose"]) == (True, True, False)
    sheet.wait_for_selector('.sheet[data-visible="true"]')
    assert not set(items(sheet)) & set(shown)


def test_marks_outlive_a_reload(sheet: Page, server: Server) -> None:
    shown = items(sheet)
    sheet.keyboard.press("3")
    sheet.reload()
    sheet.wait_for_selector('.sign-bar[data-ready="true"]')
    assert items(sheet) == shown
    sign(sheet)
    wait_until_saved(sheet)
    assert dict(standing(sheet, server))[shown[0]] == "excessive"


def test_a_signature_given_while_the_server_is_down_is_stored_once(sheet: Page, server: Server) -> None:
    shown = items(sheet)
    server.kill()
    sign(sheet)
    assert sheet.get_attribute("#outbox", "data-unsent") == "1"
    server.start()
    wait_until_saved(sheet)
    sheet.wait_for_selector('.sheet[data-visible="true"]')
    assert sorted(standing(sheet, server)) == sorted((item, "correct") for item in shown)


def test_a_sheet_is_taken_back_whole(sheet: Page, server: Server) -> None:
    sign(sheet)
    wait_until_saved(sheet)
    sheet.keyboard.press("z")
    sheet.wait_for_selector(".toast:not([hidden])")
    wait_until_saved(sheet)
    assert standing(sheet, server) == []
    assert [event["kind"] for event in history(sheet, server)].count("undo") == SHEET


def test_what_was_not_on_the_screen_cannot_be_signed_for(page: Page, server: Server) -> None:
    page.set_viewport_size({"width": 1280, "height": 420})
    log_in(page, server)
    open_list(page, "defacing", "verify")
    page.wait_for_selector('.tile[data-seen="true"]')
    page.keyboard.press("s")
    page.wait_for_selector(".toast:not([hidden])")
    assert page.locator("dialog").count() == 0
    for _ in range(SHEET):
        # A tile that is passed before its picture has come was not seen: that is what this is about.
        page.wait_for_function("() => document.activeElement?.closest('.tile')?.dataset.seen === 'true'")
        page.keyboard.press("ArrowRight")
    page.wait_for_selector('.sign-bar[data-ready="true"]')
