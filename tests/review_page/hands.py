"""What a person does at the page, and what the server then knows."""

from __future__ import annotations

from itertools import count
from typing import Any

from playwright.sync_api import Page

from brainsift.store.reviews.people import Role
from tests.review_page.conftest import WAIT_MS, Server
from tests.review_page.study import add_person

LOOK_MS = 120
"""A pace that no person keeps up: the page takes no key for a scan that was visible for less than 100 ms."""

_names = (f"person-{number}" for number in count())

CHOICES = {"1": "correct", "2": "insufficient", "3": "excessive", "4": "failed"}


def log_in(page: Page, server: Server, role: Role = "reviewer") -> str:
    """Open the address with the token of a new person, and return the token."""
    token = add_person(server.output, next(_names), role)
    server.start()
    page.goto(f"{server.url}/#token={token}")
    page.wait_for_selector(".overview .card")
    return token


def open_list(page: Page, task: str, name: str) -> None:
    """Press the button of a list on the overview, and wait for its first scans."""
    page.click(f'[data-task="{task}"] [data-list="{name}"] .button.primary')
    page.wait_for_selector('[data-visible="true"]')


def wait_for_scan(page: Page) -> str:
    """Wait until a scan is on the screen, and return its item."""
    page.wait_for_selector('.one[data-visible="true"]')
    item = page.get_attribute(".one", "data-item")
    assert item
    return item


def wait_for_scans_ahead(page: Page) -> None:
    """Wait until the next three scans are loaded; there may be more, where the server was asked while an act was on its
    way."""
    page.wait_for_function("() => document.querySelector('.one[data-visible=\"true\"]')?.dataset.ahead >= 3")


def decide(page: Page, key: str) -> tuple[str, str]:
    """Look at the scan, press a key, and return what was decided: its item and the choice."""
    item = wait_for_scan(page)
    page.wait_for_timeout(LOOK_MS)
    page.keyboard.press(key)
    page.wait_for_function("item => (document.querySelector('.one')?.dataset.item ?? item) !== item", arg=item)
    return item, CHOICES[key]


def wait_until_saved(page: Page) -> None:
    """Wait until the page says that the server has everything."""
    page.wait_for_selector('#outbox[data-unsent="0"][data-state="saved"]')


def standing(page: Page, server: Server) -> list[tuple[str, str]]:
    """Decisions that the server holds and that were not taken back, oldest first: item and choice or outcome."""
    events = history(page, server)
    kept = [event for event in reversed(events) if event["kind"] == "decision" and event["undone_by"] is None]
    return [(event["item"], event["choice"] or event["outcome"]) for event in kept]


def history(page: Page, server: Server) -> list[dict[str, Any]]:
    """All events of the person who is logged in, newest first."""
    answer = page.request.get(f"{server.url}/api/history?limit=500", timeout=WAIT_MS)
    assert answer.ok, answer.text()
    events: list[dict[str, Any]] = answer.json()["events"]
    return events
