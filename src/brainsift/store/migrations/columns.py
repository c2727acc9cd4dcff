"""Columns that tables of all versions have; frozen, as the files of `versions` are."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa


def key() -> Any:
    """Text that sorts by its bytes on both servers."""
    return sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def texts(*names: str, nullable: bool = False) -> list[sa.Column[Any]]:
    """Plain text columns."""
    return [sa.Column(name, sa.Text(), nullable=nullable) for name in names]


def keys(*names: str, nullable: bool = False) -> list[sa.Column[Any]]:
    """Text columns that are searched or sorted by."""
    return [sa.Column(name, key(), nullable=nullable) for name in names]


def number(name: str, kind: Any = sa.Integer, nullable: bool = False) -> sa.Column[Any]:
    """A column of whole numbers, or of another `kind`."""
    return sa.Column(name, kind(), nullable=nullable)
