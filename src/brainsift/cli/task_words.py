"""What `--task` says: a task for every scan, or tasks for scans of one sequence."""

from __future__ import annotations

from collections.abc import Iterable

from brainsift.cli.exits import Stop

ALL_SCANS = ""
"""Stands for every sequence."""


def parse_tasks(words: Iterable[str]) -> tuple[tuple[str, ...], tuple[tuple[str, tuple[str, ...]], ...]]:
    """Read ``quality``, ``quality,defacing`` and ``T1w:quality,defacing``.

    Returns
    -------
    tasks, only_for : all tasks that are named, and those asked of some sequences alone, as `RunSettings` takes them.

    Raises
    ------
    Stop
        if a task or a sequence does not exist, or a word says neither.
    """
    asked: dict[str, list[str]] = {}
    for word in words:
        before, colon, after = word.partition(":")
        names = [name.strip() for name in (after if colon else before).split(",")]
        if not all(names) or (colon and not before.strip()):
            raise Stop(f"`--task {word}` names no task.", "Write `--task quality` or `--task T1w:quality,defacing`.")
        sequence = known_sequence(before.strip()) if colon else ALL_SCANS
        for name in names:
            asked.setdefault(known_task(name), []).append(sequence)
    restricted = {name: sequences for name, sequences in asked.items() if ALL_SCANS not in sequences}
    return tuple(asked), tuple((name, tuple(dict.fromkeys(sequences))) for name, sequences in restricted.items())


def known_task(name: str) -> str:
    """The name, if there is such a task; else `Stop`."""
    from brainsift.tasks.registry import REGISTRY

    if name not in REGISTRY:
        raise Stop(f"There is no task '{name}'.", f"Tasks: {', '.join(REGISTRY)}.")
    return name


def known_sequence(word: str) -> str:
    """The sequence that a word stands for, as the column `sequence` of the study table or BIDS has it; else `Stop`."""
    from brainsift.tasks.integrity.sequence import SUFFIX_SEQUENCE

    known = {suffix.lower(): sequence for suffix, sequence in SUFFIX_SEQUENCE.items()} | {"unknown": "unknown"}
    if word.lower() not in known:
        choices = ", ".join(dict.fromkeys(known.values()))
        raise Stop(f"There is no sequence '{word}'.", f"Sequences: {choices} (SWI and GRE count as T2starw).")
    return known[word.lower()]
