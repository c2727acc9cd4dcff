"""How long the review page takes from a key to the next scan, in Chromium against the real server on loopback.

    python benchmarks/bench_review_page.py [DECISIONS]

Simulated pictures (four of 700 x 700 and an outline a scan, as large as those of a run). A key is pressed a given time
after the scan was visible; the page itself notes when the key came and when the next scan's main picture was painted.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from statistics import median

from playwright.sync_api import Page, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.review_page.conftest import FLAGS, Server
from tests.review_page.hands import log_in, open_list, wait_for_scan
from tests.review_page.study import write_study

DECISIONS = 50
PACES_S = (2.0, 0.5)
"""Seconds a scan: faster than the 5-17 s that reviewers take, and faster than anyone looks."""

PICTURE_PX = 700
LIMIT_MS = 200.0
"""Promised: the next scan is visible within this time."""

CHROMIUM = "/usr/bin/chromium"
WAIT_MS = 120_000

SPANS = """() => {
  const marks = performance.getEntriesByType("mark");
  const visible = marks.filter((mark) => mark.name === "scan-visible");
  return marks.filter((mark) => mark.name === "scan-decided")
    .map((mark) => [mark.startTime, visible.find((next) => next.startTime > mark.startTime)?.startTime])
    .map(([from, to]) => to - from);
}"""


def measure(page: Page, decisions: int, pace_s: float) -> list[float]:
    """Milliseconds from key to next scan, of each decision."""
    before = len(page.evaluate(SPANS))
    for _ in range(decisions):
        item = wait_for_scan(page)
        page.wait_for_timeout(pace_s * 1000)
        page.keyboard.press("1")
        page.wait_for_function("item => (document.querySelector('.one')?.dataset.item ?? item) !== item", arg=item)
    wait_for_scan(page)
    spans: list[float] = page.evaluate(SPANS)
    return spans[before:]


def main() -> int:
    """Measure each pace; 1 if one scan in twenty came later than promised at the pace of a reviewer."""
    decisions = int(sys.argv[1]) if len(sys.argv) > 1 else DECISIONS
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        output, source = Path(folder) / "out", Path(folder) / "in"
        write_study(output, source, refer=decisions * len(PACES_S) + 10, accept=0, pixels=PICTURE_PX)
        server = Server(output, source)
        server.start()
        try:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            page = browser.new_page(viewport={"width": 1280, "height": 720})
            page.set_default_timeout(WAIT_MS)
            log_in(page, server)
            open_list(page, "defacing", "review")
            late = [report(pace_s, sorted(measure(page, decisions, pace_s))) for pace_s in PACES_S]
            browser.close()
        finally:
            server.kill()
    return int(late[0] > 0.05)


def report(pace_s: float, spans: list[float]) -> float:
    """Print one line, and return the share that came later than promised."""
    late = sum(span > LIMIT_MS for span in spans) / len(spans)
    p95 = spans[min(len(spans) - 1, int(0.95 * len(spans)))]
    print(
        f"{pace_s} s a scan, n = {len(spans)}: key to next scan {median(spans):.0f} ms (median), {p95:.0f} ms (95 %), "
        f"{spans[-1]:.0f} ms (worst); later than {LIMIT_MS:.0f} ms: {late:.0%}"
    )
    return late


if __name__ == "__main__":
    sys.exit(main())
