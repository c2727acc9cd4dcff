"""Making the tables, and bringing those of an older BrainSift up to date."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, text

from brainsift.store.errors import StoreError
from brainsift.store.schema import DATABASE_VERSION
from brainsift.store.schema_version import SchemaState, read_state

SCRIPTS = Path(__file__).parent / "migrations"

LOCK = 0x627261696E
"""Key of PostgreSQL's advisory lock (`brain` in ASCII): one program at a time makes or changes the tables."""


def open_schema(engine: Engine) -> None:
    """Make the tables in an empty database; refuse tables that this program cannot work with.

    Raises
    ------
    StoreError
        ``older_schema``, ``newer_schema`` or ``foreign_schema``.
    """
    with engine.connect() as connection:
        state = read_state(connection)
    if state.version is None and not state.foreign:
        state = upgrade_schema(engine)
    require_current(state)


def upgrade_schema(engine: Engine) -> SchemaState:
    """Bring the tables up to date, all or nothing, one program at a time; return what they are then.

    Raises
    ------
    StoreError
        ``newer_schema`` or ``foreign_schema``; nothing was changed.
    """
    with _alone(engine) as connection:
        state = read_state(connection)
        if state.foreign or (state.version or 0) > DATABASE_VERSION:
            require_current(state)
        if not state.current:
            _run_migrations(connection, state)
        return read_state(connection)


def require_current(state: SchemaState) -> None:
    """Refuse tables of another version, with what to do. Raises as `open_schema`."""
    if state.foreign:
        raise StoreError(
            "foreign_schema",
            "The database has tables of BrainSift's names that no version of it made.",
            "Use another database, or one of its schemas (?options=-csearch_path%3Dname), or restore a backup.",
        )
    if state.version is not None and state.version > DATABASE_VERSION:
        raise StoreError(
            "newer_schema",
            f"The database has schema version {state.version}; this BrainSift knows up to {DATABASE_VERSION}.",
            "Update BrainSift, or use another OUTPUT folder or database.",
        )
    if not state.current:
        raise StoreError(
            "older_schema",
            f"The database has schema version {state.version}; this BrainSift needs {DATABASE_VERSION}.",
            "Stop other programs that use it, then type `brainsift db upgrade OUTPUT` (with --db URL as in the run).",
        )


@contextmanager
def _alone(engine: Engine) -> Iterator[Connection]:
    """A transaction that holds all changes of tables, while others that want to make or change them wait."""
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            # By itself, Python's driver begins a transaction at the first INSERT only: tables made before would stay.
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
        yield connection
        connection.commit()


def _run_migrations(connection: Connection, state: SchemaState) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    if state.version is not None and not state.stamped:
        command.stamp(config, f"{state.version:04}")
    command.upgrade(config, "head")
