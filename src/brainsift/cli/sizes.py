"""Amounts of memory as people write them."""

from __future__ import annotations

import re

from brainsift.cli.exits import Stop

UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
LEAST = UNITS["M"] * 512
"""As `engine.settings.LEAST_MEMORY_LIMIT`, which is not imported to start fast."""

WRITTEN = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?", re.IGNORECASE)


def parse_memory(text: str | None) -> int | None:
    """Bytes of ``3G``, ``1500M``, ``2.5 GiB`` (powers of 1024, as batch systems count); None for None.

    Raises
    ------
    Stop
        if it is no amount of memory, or less than a worker needs to start.
    """
    if text is None:
        return None
    found = WRITTEN.fullmatch(text.strip())
    if found is None:
        raise Stop(f"'{text}' is no amount of memory.", "Write it as 3G or 1500M.")
    amount = int(float(found[1]) * UNITS[found[2].upper()])
    if amount < LEAST:
        raise Stop(f"{text} is too little memory for a worker.", "Give it at least 512M.")
    return amount
