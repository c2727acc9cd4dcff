"""A database looked at and brought up to date from outside, whatever version its tables have."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine, func, inspect, select

from brainsift.store.database import DATABASE_NAME, open_engine, translated_errors
from brainsift.store.errors import StoreError
from brainsift.store.migrate import upgrade_schema
from brainsift.store.reviews.schema import ReviewRow
from brainsift.store.schema import DATABASE_VERSION, ScanRow
from brainsift.store.schema_version import SchemaState, read_state


@dataclass(frozen=True)
class DatabaseState:
    """What `brainsift db status` tells.

    Attributes
    ----------
    server : ``SQLite 3.45.1`` or ``PostgreSQL 15.4``.
    schema : version of the tables; `needed` is that of this program.
    studies, scans, reviews : rows; None where their tables are missing.
    """

    server: str
    schema: SchemaState
    needed: int = DATABASE_VERSION
    studies: int | None = None
    scans: int | None = None
    reviews: int | None = None


def database_state(output: Path, url: str | None = None) -> DatabaseState:
    """Look at the database of a study; nothing is changed.

    Raises
    ------
    StoreError
        if there is none or it cannot be reached.
    """
    with _opened(output, url) as engine, engine.connect() as connection:
        version = ".".join(str(part) for part in engine.dialect.server_version_info or ())
        name = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}.get(engine.dialect.name, engine.dialect.name)
        schema = read_state(connection)
        tables = set() if schema.foreign else set(inspect(connection).get_table_names())
        scans = ScanRow.__tablename__ in tables
        return DatabaseState(
            server=f"{name} {version}".strip(),
            schema=schema,
            studies=connection.scalar(select(func.count(ScanRow.study.distinct()))) if scans else None,
            scans=connection.scalar(select(func.count(ScanRow.id))) if scans else None,
            reviews=connection.scalar(select(func.count(ReviewRow.id))) if ReviewRow.__tablename__ in tables else None,
        )


def upgrade_database(output: Path, url: str | None = None) -> tuple[int | None, int | None]:
    """Bring the tables up to date, all or nothing, and return their version before and after.

    An empty database gets all tables: for servers on which only an administrator may make them.

    Raises
    ------
    StoreError
        if there is no database, it cannot be reached, a newer BrainSift made it, or none did.
    """
    with _opened(output, url) as engine:
        with engine.connect() as connection:
            before = read_state(connection)
        return before.version, upgrade_schema(engine).version


@contextmanager
def _opened(output: Path, url: str | None) -> Iterator[Engine]:
    if url is None and not (output / DATABASE_NAME).is_file():
        raise StoreError(
            "no_database",
            f"OUTPUT {output} holds no {DATABASE_NAME}.",
            "Give the OUTPUT folder of a `brainsift run`, or the --db URL that it was run with.",
        )
    engine = open_engine(url or f"sqlite:///{output / DATABASE_NAME}", durable=True)
    try:
        with translated_errors():
            yield engine
    finally:
        engine.dispose()
