"""Label maps that chunks of a bank are drawn from, kept in memory: a chunk of every head comes by in turn."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from brainsift.simulate.labelmap import LabelMap, load_label_map

CACHED_HEADS = 24
"""As many as there are label maps to learn from here, and some more."""


@lru_cache(maxsize=CACHED_HEADS)
def kept_head(path: Path) -> LabelMap:
    """A label map, read once in a process as long as no more than `CACHED_HEADS` are in use."""
    return load_label_map(path)
