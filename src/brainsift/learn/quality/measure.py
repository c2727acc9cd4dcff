"""Measure an exported quality network on the examples of people that it has not seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from brainsift.evaluate.confusion import binary_confusion, confusion
from brainsift.evaluate.measured import accuracy_interval, balanced_accuracy_interval, recall_interval
from brainsift.evaluate.ranking import auc_interval
from brainsift.learn.figure import Figure
from brainsift.learn.quality.bank import LEVELS, Bank
from brainsift.learn.quality.transplant import TRANSPLANTED
from brainsift.learn.quality.truth import COLUMNS
from brainsift.models.session import load_onnx
from brainsift.tasks.quality.network import GRADED, MODEL, SEQUENCES, Answer, decode

Float32 = NDArray[np.float32]
Chooser = Callable[[dict[str, object]], bool]

CUTS = ((1, "moderate or worse"), (2, "severe"))

SUBSETS: tuple[tuple[str, Chooser], ...] = (
    ("simulated scans", lambda facts: facts["source"] == "label map"),
    ("real clean scans, corrupted", lambda facts: facts["source"] == "real scan"),
    ("real brains in painted heads, corrupted", lambda facts: facts["source"] == TRANSPLANTED),
    ("scans that people labelled", lambda facts: facts["source"] == "labelled scan"),
)

SIMULATORS: tuple[tuple[str, Chooser], ...] = (
    ("k-space motion", lambda facts: facts["fault"] in ("none", "motion")),
    ("TorchIO motion", lambda facts: facts["fault"] in ("none", "torchio")),
)


def ask_all(path: Path, bank: Bank, threads: int | None = None) -> list[Answer]:
    """The answers of an exported network for every example of a bank."""
    session = load_onnx(path, MODEL, threads)
    name = session.get_inputs()[0].name
    return [
        decode(session.run(None, {name: bank.pixels(i)[None].astype(np.float32) / LEVELS})[0][0])
        for i in range(len(bank))
    ]


def figures(answers: Sequence[Answer], bank: Bank) -> list[Figure]:
    """All figures of the card, for simulated and real scans apart."""
    found: list[Figure] = []
    for scans, chosen in SUBSETS:
        rows = [i for i, facts in enumerate(bank.facts) if chosen(facts)]
        if rows:
            found += _of_subset(scans, [answers[i] for i in rows], bank.only(rows))
    return found


def _of_subset(scans: str, answers: Sequence[Answer], bank: Bank) -> Iterator[Figure]:
    for name in ("proper", "gadolinium"):
        probability = np.array([getattr(a, name) for a in answers])
        yield from _binary(name, scans, probability, bank.truth[:, COLUMNS.index(name)], 0.5, bank.people)
    for name in GRADED:
        truth = bank.truth[:, COLUMNS.index(name)]
        for cut, word in CUTS:
            reached = np.array([(a.moderate if cut == 1 else a.severe)[name] for a in answers])
            yield from _binary(f"{name}, {word}", scans, reached, truth, cut - 0.5, bank.people)
            if name != "motion":
                continue
            for simulator, chosen in SIMULATORS:
                rows = [i for i, facts in enumerate(bank.facts) if chosen(facts)]
                people = [bank.people[i] for i in rows]
                yield from _binary(f"{name}, {word}, {simulator}", scans, reached[rows], truth[rows], cut - 0.5, people)
    yield from _sequence(scans, answers, bank)
    yield from _clean(scans, answers, bank)


def _binary(
    question: str, scans: str, probability: NDArray[np.float64], truth: Float32, cut: float, people: Sequence[str]
) -> Iterator[Figure]:
    known = np.isfinite(truth)
    yes = truth[known] > cut
    if yes.all() or not yes.any():
        return
    owners = [p for p, k in zip(people, known, strict=True) if k]
    table = binary_confusion(yes.tolist(), (probability[known] > 0.5).tolist(), owners)
    yield Figure(question, scans, "balanced accuracy", balanced_accuracy_interval(table))
    yield Figure(question, scans, "sensitivity", recall_interval(table, 1))
    yield Figure(question, scans, "specificity", recall_interval(table, 0))
    yield Figure(question, scans, "AUC", auc_interval(yes, probability[known], owners))


def _sequence(scans: str, answers: Sequence[Answer], bank: Bank) -> Iterator[Figure]:
    truth = bank.truth[:, COLUMNS.index("sequence")]
    rows = np.flatnonzero(np.isfinite(truth)).tolist()
    if rows:
        true = [SEQUENCES[int(truth[i])] for i in rows]
        said = [answers[i].likeliest_sequence() for i in rows]
        table = confusion(true, said, SEQUENCES, [bank.people[i] for i in rows])
        yield Figure("sequence", scans, "accuracy", accuracy_interval(table))


def _clean(scans: str, answers: Sequence[Answer], bank: Bank) -> Iterator[Figure]:
    """Scans without a fault of any kind: how many get tier 1."""
    grades = bank.truth[:, [COLUMNS.index(name) for name in GRADED]]
    proper = bank.truth[:, COLUMNS.index("proper")] == 1
    clean = np.flatnonzero(proper & (np.nan_to_num(grades) < 0.5 - CLEAN_MARGIN).all(axis=1)).tolist()
    if clean:
        good = [answers[i].tier() == 1 for i in clean]
        table = binary_confusion([True] * len(good), good, [bank.people[i] for i in clean])
        yield Figure("clean scans", scans, "called tier 1", recall_interval(table, 1))


CLEAN_MARGIN = 0.2
"""Scans closer than this to the border of grade 1 are not called clean in that figure."""
