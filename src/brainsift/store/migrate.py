"""Making the tables, and bringing those of an older BrainSift up to date."""

from __future__ import annotations

from sqlalchemy import Connection, func, insert, inspect, select, text, update

from brainsift.store.reviews.schema import ReviewRow
from brainsift.store.schema import DATABASE_VERSION, Base, SchemaInfo

REVIEWS = ReviewRow.__tablename__


def migrate(connection: Connection) -> int:
    """Make what is missing, within the caller's transaction, and return the version of the tables.

    A version above `DATABASE_VERSION` was made by a newer program: nothing is changed then.
    """
    version = _version(connection)
    if version is not None and version > DATABASE_VERSION:
        return version
    if version == 1:
        _drop_unused_reviews(connection)
    Base.metadata.create_all(connection)
    if version is None:
        connection.execute(insert(SchemaInfo).values(version=DATABASE_VERSION))
    elif version < DATABASE_VERSION:
        connection.execute(update(SchemaInfo).values(version=DATABASE_VERSION))
    return DATABASE_VERSION


def _version(connection: Connection) -> int | None:
    if not inspect(connection).has_table(SchemaInfo.__tablename__):
        return None
    return connection.scalar(select(func.max(SchemaInfo.version)))


def _drop_unused_reviews(connection: Connection) -> None:
    """Version 1 made a table for reviews that no program ever wrote to; it has other columns now."""
    found = inspect(connection)
    if found.has_table(REVIEWS) and "position" not in {column["name"] for column in found.get_columns(REVIEWS)}:
        connection.execute(text(f"DROP TABLE {REVIEWS}"))
