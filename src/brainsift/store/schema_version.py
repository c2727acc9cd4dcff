"""Which version of the tables a database has, told without loading Alembic."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, inspect, text

from brainsift.store.schema import DATABASE_VERSION, Base

VERSION_TABLE = "brainsift_version"
"""Where Alembic notes the version; of our own name, since other programs may use Alembic in the same database."""

_FIRST_TABLES = ("scans", "findings", "decisions", "reviews", "runs", "schema_info")

_SHAPES = {
    1: dict.fromkeys(_FIRST_TABLES, frozenset({"id"})) | {"schema_info": frozenset({"version"})},
    2: {
        "scans": frozenset({"study", "scan", "record", "duplicate_of"}),
        "decisions": frozenset({"scan_id", "task", "action", "provisional"}),
        "reviews": frozenset({"position", "previous_sha256", "undo_of"}),
        "review_chains": frozenset({"ident", "length"}),
        "review_cases": frozenset({"basis", "state", "first_reader"}),
        "review_leases": frozenset({"slot", "decided", "until_ms"}),
        "reviewers": frozenset({"token_sha256", "simulated"}),
    },
}
"""Version → tables and some columns of each, by which a database is recognised that Alembic has not seen yet."""


@dataclass(frozen=True)
class SchemaState:
    """What was found in a database.

    Attributes
    ----------
    version : of the tables; None where there are none of ours.
    stamped : whether Alembic knows it.
    foreign : tables of our names are there that no version of BrainSift made.
    """

    version: int | None
    stamped: bool = False
    foreign: bool = False

    @property
    def current(self) -> bool:
        """Whether this program can work with it as it is."""
        return self.stamped and self.version == DATABASE_VERSION


def read_state(connection: Connection) -> SchemaState:
    """Look at a database; nothing is changed."""
    found = inspect(connection)
    if found.has_table(VERSION_TABLE):
        stamped = connection.scalar(text(f"SELECT max(version_num) FROM {VERSION_TABLE}"))
        if stamped is not None:
            return SchemaState(max(int(stamped), _noted(connection) or 0), stamped=True)
    if not found.has_table("schema_info"):
        ours = set(Base.metadata.tables) & set(found.get_table_names())
        return SchemaState(None, foreign=bool(ours))
    version = _noted(connection)
    if version is None or version > DATABASE_VERSION:
        return SchemaState(version, foreign=version is None)
    shape = _SHAPES.get(version, {})
    tables = set(found.get_table_names())
    fits = all(
        name in tables and columns <= {column["name"] for column in found.get_columns(name)}
        for name, columns in shape.items()
    )
    return SchemaState(version, foreign=not fits)


def _noted(connection: Connection) -> int | None:
    version = connection.scalar(text("SELECT max(version) FROM schema_info"))
    return None if version is None else int(version)
