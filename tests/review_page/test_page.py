"""The page around the work: who comes in, what is shown to whom, on which screens, and what a name can not do."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.review_page.conftest import Server
from tests.review_page.hands import LOOK_MS, decide, log_in, open_list, standing, wait_for_scan, wait_until_saved
from tests.review_page.study import HOSTILE

pytestmark = pytest.mark.xdist_group("browser")

FINGER_PX = 44
"""The smallest target that a finger hits (WCAG 2.2, 2.5.5)."""

LEAST_CONTRAST = 4.5
"""Of text against its ground (WCAG 2.2, 1.4.3)."""

CONTRAST = """() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const luminance = (colour) => {
    canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3)
      .map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (node) => {
    for (; node; node = node.parentElement) {
      const colour = getComputedStyle(node).backgroundColor;
      if (!/^rgba.*, 0\\)$|transparent/.test(colour)) return colour;
    }
    return "white";
  };
  return [...document.querySelectorAll("body *")]
    .filter((node) => [...node.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim()))
    .filter((node) => node.offsetParent && !node.closest(".skip, .unseen, kbd, [aria-disabled=true]"))
    .map((node) => {
      const [a, b] = [getComputedStyle(node).color, ground(node)].map(luminance);
      return [node.textContent.slice(0, 30), (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)];
    });
}"""


def test_a_wrong_token_is_refused_in_words_and_a_right_one_leaves_the_address(page: Page, server: Server) -> None:
    server.start()
    page.goto(server.url)
    page.fill("#token", "wrong")
    page.click("button[type=submit]")
    page.wait_for_selector(".login .note:not([hidden])")
    token = log_in(page, server)
    assert token not in page.url
    assert token not in str(page.evaluate("[document.cookie, JSON.stringify(localStorage), history.state]"))


def test_a_session_that_ends_in_the_middle_costs_no_decision(page: Page, server: Server) -> None:
    token = log_in(page, server)
    open_list(page, "defacing", "review")
    pressed = [decide(page, "1")]
    wait_until_saved(page)
    ended = {"error": {"kind": "not_logged_in", "cause": "The session has ended.", "remedy": "Log in again."}}
    page.route("**/decision", lambda route: route.fulfill(status=401, json=ended), times=1)
    item = wait_for_scan(page)
    page.wait_for_timeout(LOOK_MS)
    page.keyboard.press("2")
    pressed.append((item, "insufficient"))
    page.wait_for_selector("#token")
    page.fill("#token", token)
    page.click("button[type=submit]")
    wait_for_scan(page)
    wait_until_saved(page)
    assert standing(page, server) == pressed


def test_the_name_of_a_file_is_text(page: Page, server: Server) -> None:
    log_in(page, server)
    open_list(page, "defacing", "remedial")
    wait_for_scan(page)
    assert HOSTILE in page.inner_text(".facts")
    assert page.evaluate("window.hacked") is None
    assert page.locator(".facts img, .facts script").count() == 0


def test_the_viewer_opens_on_demand_and_is_noted(page: Page, server: Server) -> None:
    log_in(page, server)
    open_list(page, "defacing", "review")
    loaded = "performance.getEntriesByType('resource').some(entry => entry.name.includes('/assets/viewer-'))"
    assert page.evaluate(loaded) is False
    page.keyboard.press("v")
    page.wait_for_function("() => document.querySelector('.viewer-text')?.textContent.startsWith('Drag')")
    assert page.evaluate(loaded) is True
    with page.expect_request("**/decision") as sent:
        decide(page, "1")
    assert sent.value.post_data_json["shown"]["viewer"] is True


def test_without_webgl_the_pictures_serve(page: Page, server: Server) -> None:
    page.add_init_script(
        "const ask = HTMLCanvasElement.prototype.getContext;"
        "HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {"
        "  return kind === 'webgl2' ? null : ask.call(this, kind, ...rest); };"
    )
    log_in(page, server)
    open_list(page, "defacing", "review")
    page.keyboard.press("v")
    page.wait_for_function("() => document.querySelector('.viewer-text')?.textContent.includes('no WebGL')")
    pressed = decide(page, "1")
    wait_until_saved(page)
    assert standing(page, server) == [pressed]


def test_fingers_suffice_on_a_tablet(tablet: Page, server: Server) -> None:
    log_in(tablet, server)
    tablet.tap('[data-list="review"] .button.primary')
    item = wait_for_scan(tablet)
    sizes = tablet.eval_on_selector_all(
        "button:not([hidden]), a.button",
        "all => all.filter(one => one.offsetParent).map(one => [one.textContent, one.offsetWidth, one.offsetHeight])",
    )
    assert [one for one in sizes if min(one[1:]) < FINGER_PX] == []
    tablet.wait_for_timeout(500)
    tablet.tap('[data-field="ears"]')
    tablet.tap('[data-choice="insufficient"]')
    tablet.wait_for_function("item => (document.querySelector('.one')?.dataset.item ?? item) !== item", arg=item)
    wait_until_saved(tablet)
    assert standing(tablet, server) == [(item, "insufficient")]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_everything_is_legible_named_and_within_the_window(page: Page, server: Server, theme: str) -> None:
    page.emulate_media(color_scheme=theme)
    log_in(page, server, "adjudicator")
    for name in ("overview", "review", "verify"):
        if name != "overview":
            page.goto(f"{server.url}/#/")
            open_list(page, "defacing", name)
        assert [pair for pair in page.evaluate(CONTRAST) if pair[1] < LEAST_CONTRAST] == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        nameless = "all => all.filter(one => !(one.textContent.trim() || one.ariaLabel || one.alt)).length"
        assert page.eval_on_selector_all("button, a, img", nameless) == 0


def test_the_keyboard_map_names_every_key_and_gives_the_focus_back(page: Page, server: Server) -> None:
    log_in(page, server)
    open_list(page, "defacing", "review")
    item = wait_for_scan(page)
    page.focus('[data-choice="correct"]')
    page.keyboard.press("?")
    page.wait_for_selector("dialog[open]")
    keys = page.eval_on_selector_all("dialog kbd", "all => all.map(one => one.textContent)")
    assert {"1", "2", "3", "4", "E", "A", "Z", "L", "T", "?"} <= set(keys)
    page.keyboard.press("1")
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog", state="detached")
    assert page.evaluate("document.activeElement.dataset.choice") == "correct"
    assert page.get_attribute(".one", "data-item") == item


def test_who_may_not_judge_is_told_why(page: Page, server: Server) -> None:
    log_in(page, server)
    row = page.locator('[data-list="adjudication"]')
    assert row.locator(".button").count() == 0
    assert "adjudicators" in row.inner_text()
