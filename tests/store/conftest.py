"""Databases to test on: a SQLite file, and an empty schema on a real PostgreSQL server."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from brainsift.store.database import Database
from tests.store.postgres import WHY_SKIPPED, running_server, server_folder

_numbers = count(1)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """URL of a PostgreSQL server."""
    pytest.importorskip("psycopg", reason="the extra `postgres` is not installed")
    programs = server_folder()
    if programs is None:
        pytest.skip(WHY_SKIPPED)
    with running_server(programs) as url:
        yield url


@pytest.fixture
def postgres_url(postgres_server: str) -> str:
    """URL of an empty schema of its own: made in milliseconds, where a database takes seconds and 7 MB."""
    name = f"test_{next(_numbers)}"
    engine = create_engine(postgres_server)
    with engine.begin() as connection:
        connection.execute(text(f"CREATE SCHEMA {name}"))
    engine.dispose()
    return f"{postgres_server}&options=-csearch_path%3D{name}"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.xdist_group("postgres"))])
def url(request: pytest.FixtureRequest) -> str | None:
    """None for the default SQLite file, or the URL of an empty PostgreSQL schema."""
    return None if request.param == "sqlite" else str(request.getfixturevalue("postgres_url"))


@pytest.fixture
def database(url: str | None, tmp_path: Path) -> Iterator[Database]:
    """An empty study."""
    with Database(tmp_path, url) as opened:
        yield opened
