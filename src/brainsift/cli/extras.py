"""Optional packages: say which extra to install instead of failing on an import."""

from __future__ import annotations

from importlib.util import find_spec

from brainsift.cli.exits import Stop

EXTRAS = {"train": "torch", "dask": "distributed", "postgres": "psycopg"}
"""Extra → the package whose presence shows that it was installed."""


def has_extra(extra: str) -> bool:
    """Whether an extra was installed; imports nothing of it."""
    return find_spec(EXTRAS[extra]) is not None


def need_extra(extra: str, what: str) -> None:
    """Stop with the command to type where `what` needs an extra that is not installed."""
    if not has_extra(extra):
        raise Stop(
            f"{what} needs the extra '{extra}', which is not installed.", f'Type: pip install "brainsift[{extra}]"'
        )


def need_driver(db: str | None) -> None:
    """Stop where a database URL needs the extra `postgres` and it is not installed."""
    if db is not None and db.startswith("postgres"):
        need_extra("postgres", "A PostgreSQL database")
