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


TWO = "Two models in one file"
"""Begins the line that tells of it."""


def joined_card(card: str, other: str, sequence: str, sha256: str) -> str:
    """The cards of two models of one file, the second with its headings one level deeper.

    Parameters
    ----------
    card : of the model that answers for all other scans; what it tells of an earlier second one is left out.
    other : of the model for one sequence.
    sha256 : of the file that holds both.
    """
    heading = f"## For scans filed as {sequence}"
    title, _, rest = card.partition("\n")
    kept = [line for line in rest.partition(f"\n{heading}\n")[0].splitlines() if not line.startswith(TWO)]
    told = (
        f"{TWO}, SHA-256 `{sha256}`: one for scans that are filed as {sequence}, told last, and one for all others. "
        "Digests below are those of each alone."
    )
    deeper = [f"#{line}" if line.startswith("#") else line for line in other.splitlines()[1:]]
    while kept and not kept[0].strip():
        kept.pop(0)
    return "\n".join([title, "", told, "", *kept, "", heading, *deeper]).rstrip() + "\n"
