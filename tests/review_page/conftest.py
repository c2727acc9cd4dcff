"""A real server in a process of its own, and a real browser that looks at it."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

import brainsift.review
from tests.review.process import port_to_keep
from tests.review_page.study import write_study

PAGE = Path(brainsift.review.__file__).with_name("static") / "index.html"

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
"""Headless, as root, and without Chromium's own calls to its maker, which a closed network refuses."""

REFERRED, ACCEPTED = 300, 400
"""Enough for all tests: what one of them holds is not given to the next."""

START_S = 60.0
WAIT_MS = 30_000
"""Far above what anything here takes on an idle machine: a hang ends, a busy machine does not fail a test."""

SERVER = """
import sys
from pathlib import Path
from brainsift.review.serve import Place, serve
from brainsift.review.settings import ReviewSettings
settings = ReviewSettings(Path(sys.argv[1]), source=Path(sys.argv[2]), names=True, catch_share=0.0, second_share=0.0)
serve(settings, Place(port=int(sys.argv[3])), "starter", True, lambda address: None, None)
"""


class Server:
    """The review server of one study, on a port of its own that it keeps when it is started again."""

    def __init__(self, output: Path, source: Path) -> None:
        self.output, self._source = output, source
        self._port = port_to_keep()
        self.url = f"http://127.0.0.1:{self._port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it unless it runs, and wait until it answers."""
        if self._process is not None and self._process.poll() is None:
            return
        command = [sys.executable, "-c", SERVER, str(self.output), str(self._source), str(self._port)]
        self._process = subprocess.Popen(command)
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline and self._process.poll() is None:
            with suppress(OSError), urllib.request.urlopen(self.url, timeout=START_S) as answer:
                if answer.status == 200:
                    return
            time.sleep(0.05)
        raise RuntimeError("the review server did not start")

    def kill(self) -> None:
        """End it as a power cut would."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, without a window."""
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if program is None:
        pytest.skip("Chromium is not installed: apt-get install chromium")
    if not PAGE.is_file():
        pytest.skip("the review page is not built: python hatch_build.py")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield started
        started.close()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Server]:
    """A server with scans for all tests; each test is a person of its own."""
    folder = tmp_path_factory.mktemp("study")
    write_study(folder / "out", folder / "in", refer=REFERRED, accept=ACCEPTED)
    running = Server(folder / "out", folder / "in")
    running.start()
    yield running
    running.kill()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """An empty page of a browser that knows nothing yet."""
    yield from opened(browser, viewport={"width": 1280, "height": 720})


@pytest.fixture
def tablet(browser: Browser) -> Iterator[Page]:
    """The same on a tablet, held upright."""
    yield from opened(browser, viewport={"width": 820, "height": 1180}, has_touch=True, color_scheme="dark")


def opened(browser: Browser, **facts: Any) -> Iterator[Page]:
    """A page; an error in it, or something that the Content-Security-Policy forbids, fails the test."""
    context = browser.new_context(**facts)
    context.set_default_timeout(WAIT_MS)
    made = context.new_page()
    faults: list[str] = []
    made.on("pageerror", lambda error: faults.append(str(error)))
    made.on("console", lambda line: faults.append(line.text) if "Content Security Policy" in line.text else None)
    yield made
    context.close()
    assert faults == []
