"""Model cards (Mitchell et al. 2019, FAT*, 220-229): what a model saw, what was measured, what it is not for."""

from __future__ import annotations

from pathlib import Path

from brainsift.models.errors import ModelError
from brainsift.models.shelf import inspect


def read_card(name: str, shelf: Path | None = None) -> str:
    """Text of a model's card, Markdown.

    Raises
    ------
    ModelError
        if the model is unknown or has no card.
    """
    card = inspect(name, shelf).card
    if not card.is_file():
        raise ModelError(
            name, f"there is no model card at {card}.", "Write one, or import the model again with `--card`."
        )
    return card.read_text(encoding="utf-8")
