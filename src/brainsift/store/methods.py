"""`methods.md`: a paragraph to paste into a paper, from what was run and nothing else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from brainsift.store.files import write_atomic
from brainsift.store.record import Record
from brainsift.store.run_facts import RunFacts, package_versions

METHODS_NAME = "methods.md"

TASK_SENTENCES = {
    "integrity": "checked for what it is (sequence, 2D or 3D, mask or label map, cut or missing brain, intensities)",
    "quality": "graded for motion, noise, contrast and gadolinium",
    "defacing": "checked for whether the face was removed properly",
    "wmh": "searched for white-matter hyperintensities",
    "microbleeds": "searched for cerebral microbleeds",
}
"""What each task does to a scan, as the end of a sentence that starts with "Each scan was"."""


@dataclass
class Tally:
    """Counts over all records of a study, gathered in one pass."""

    total: int = 0
    status: Counter[str] = field(default_factory=Counter)
    software: Counter[str] = field(default_factory=Counter)
    models: Counter[tuple[str, str]] = field(default_factory=Counter)
    calibrations: Counter[tuple[str, str]] = field(default_factory=Counter)
    actions: dict[str, Counter[str]] = field(default_factory=dict)
    failures: Counter[str] = field(default_factory=Counter)
    provisional: int = 0
    duplicates: int = 0
    participants: set[str] = field(default_factory=set)

    def add(self, record: Record) -> None:
        """Count one record."""
        self.total += 1
        self.status[record.status] += 1
        self.software[record.software] += 1
        self.models.update(record.models.items())
        self.calibrations.update(record.calibrations.items())
        if record.failure is not None:
            self.failures[record.failure.kind] += 1
        if record.participant is not None:
            self.participants.add(record.participant)
        integrity = record.finding("integrity")
        self.duplicates += integrity is not None and "duplicate" in integrity.flags
        for decision in record.decisions:
            self.actions.setdefault(decision.task, Counter())[decision.action.value] += 1
            self.provisional += decision.provisional

    def watch(self, records: Iterable[Record]) -> Iterable[Record]:
        """Pass records through and count them on the way."""
        for record in records:
            self.add(record)
            yield record


def methods_text(tally: Tally, facts: RunFacts) -> str:
    """The paragraph, in Markdown."""
    sentences = [_scans(tally), *_tasks(tally), _models(tally), _decisions(tally), _thresholds(tally), _caveat(tally)]
    packages = ", ".join(f"{name} {number}" for name, number in package_versions().items())
    return (
        "# Methods\n\n"
        + " ".join(filter(None, sentences))
        + f"\n\nRun from {facts.started:%Y-%m-%d} to {facts.ended:%Y-%m-%d} (UTC) with {packages}. "
        + "Resolved settings are in `run.toml`, one record per scan in the `*_desc-brainsift_qc.json` files.\n"
    )


def write_methods(tally: Tally, facts: RunFacts) -> Path:
    """Write `methods.md`."""
    path = facts.output / METHODS_NAME
    write_atomic(path, methods_text(tally, facts), facts.output)
    return path


def _scans(tally: Tally) -> str:
    people = f" of {len(tally.participants)} participants" if tally.participants else ""
    software = " and ".join(f"{name or 'an unknown version'} ({n} scans)" for name, n in sorted(tally.software.items()))
    if len(tally.software) == 1:
        software = next(iter(tally.software)) or "an unknown version"
    text = f"{_many(tally.total, 'brain MRI scan')}{people} were sifted with {software or 'BrainSift'}."
    failed = tally.status["failed"]
    if failed:
        kinds = ", ".join(f"{kind.replace('_', ' ')} {n}" for kind, n in tally.failures.most_common())
        text += f" {_many(failed, 'scan')} could not be read or processed ({kinds})."
    if tally.duplicates:
        text += f" {_many(tally.duplicates, 'scan')} held the same bytes as another scan of the study."
    return text


def _tasks(tally: Tally) -> list[str]:
    asked = [TASK_SENTENCES.get(task, f"examined ({task})") for task in tally.actions]
    return [f"Each scan was {'; '.join(asked)}, as far as the question applied to it."] if asked else []


def _models(tally: Tally) -> str:
    if not tally.models:
        return ""
    named = ", ".join(
        f"{name} (SHA-256 {digest[:12]}, {n} scans)" for (name, digest), n in sorted(tally.models.items())
    )
    return f"Network models: {named}."


def _decisions(tally: Tally) -> str:
    parts = [
        f"{task}: {counts['accept']} accepted, {counts['reject']} rejected, {counts['refer']} referred to a person"
        for task, counts in tally.actions.items()
    ]
    return f"Decisions were {'; '.join(parts)}." if parts else ""


def _thresholds(tally: Tally) -> str:
    if not tally.calibrations:
        return ""
    named = ", ".join(
        f"{task} (SHA-256 {digest[:12]}, {_many(n, 'scan')})"
        for (task, digest), n in sorted(tally.calibrations.items())
    )
    return f"Thresholds were chosen on labelled scans by fixed-sequence testing with exact binomial bounds: {named}."


def _caveat(tally: Tally) -> str:
    total = sum(sum(counts.values()) for counts in tally.actions.values())
    if not tally.provisional:
        return ""
    return (
        f"{tally.provisional} of {total} decisions rest on provisional thresholds, "
        "which were set in advance and not confirmed on labels of this study's site."
    )


def _many(n: int, noun: str) -> str:
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"
