"""INPUT as the last run named it."""

from __future__ import annotations

import tomllib
from pathlib import Path

from brainsift.store.run_facts import RUN_NAME


def named_input(output: Path) -> Path | None:
    """The folder of the scans by `run.toml`; None where there is none or it says nothing."""
    try:
        with (output / RUN_NAME).open("rb") as file:
            named = tomllib.load(file).get("input")
    except (OSError, tomllib.TOMLDecodeError):
        return None
    return Path(named) if isinstance(named, str) else None
