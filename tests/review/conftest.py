"""Studies under review: in this process for most tests, behind a real server where processes matter."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from queue import Queue
from random import Random
from threading import Thread
from typing import Any

import httpx
import pytest

from brainsift.review.app import create_app
from brainsift.review.desk import Desk
from brainsift.review.login import Door
from brainsift.review.serve import Place, Server, server_config
from brainsift.review.settings import ReviewSettings
from brainsift.store.database import Database
from tests.review.parts import Person, let_in, make_study
from tests.store.conftest import postgres_server, postgres_url, url

__all__ = ["postgres_server", "postgres_url", "url"]


class Page:
    """A server on a port of its own, and people at it."""

    def __init__(self, settings: ReviewSettings, stack: ExitStack, static: Path) -> None:
        self.output, self.database_url = settings.output, settings.db
        self.database = stack.enter_context(Database(settings.output, settings.db, durable=True))
        self.door = Door.open(self.database, "host", faces=True)
        self.desk = Desk(self.database, settings, Random(1))
        app = create_app(self.desk, self.door, {"127.0.0.1"}, static=static)
        self.base = stack.enter_context(serving(app))
        self._stack = stack

    def client(self) -> httpx.Client:
        """A browser that is not logged in."""
        return self._stack.enter_context(httpx.Client(base_url=self.base, timeout=60, verify=False))

    def person(self, name: str, role: str = "reviewer", *, faces: bool = True) -> Person:
        """Somebody new, logged in."""
        return Person(self.client(), let_in(self.output, name, role, faces=faces, url=self.database_url))

    def host(self) -> Person:
        """The person who started the server."""
        return Person(self.client(), self.door.start_token)


ANY_PORT = Place(port=0)


@contextmanager
def serving(app: Any, place: Place = ANY_PORT) -> Iterator[str]:
    """A real server in a thread; yields its address."""
    opened: Queue[int] = Queue()
    server = Server(server_config(app, place), opened.put)
    thread = Thread(target=server.run)
    thread.start()
    try:
        yield f"{'https' if place.secure else 'http'}://127.0.0.1:{opened.get(timeout=60)}"
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture
def kept_at(request: pytest.FixtureRequest) -> str | None:
    """Where studies are kept: the file in OUTPUT, or for tests with `on_both` also a PostgreSQL server."""
    server = getattr(request, "param", "sqlite")
    return None if server == "sqlite" else str(request.getfixturevalue("postgres_url"))


SERVERS = ["sqlite", pytest.param("postgresql", marks=pytest.mark.xdist_group("postgres"))]
on_both = pytest.mark.parametrize("kept_at", SERVERS, indirect=True)


@pytest.fixture
def open_page(tmp_path: Path, kept_at: str | None) -> Iterator[Callable[..., Page]]:
    """Serve a study: decisions of its scans by task, and settings."""
    with ExitStack() as stack:

        def opened(actions: list[dict[str, str]], **settings: object) -> Page:
            output = tmp_path / "results"
            make_study(output, actions, kept_at)
            static = tmp_path / "static"
            static.mkdir()
            (static / "index.html").write_text("<!doctype html><title>page</title>")
            (static / "assets").mkdir()
            (static / "assets" / "page-1a2b.js").write_text("export {};")
            given = {"db": kept_at, "second_share": 0.0, "catch_share": 0.0, **settings}
            return Page(ReviewSettings(output, **given), stack, static)  # type: ignore[arg-type]

        yield opened
