"""Measure an exported defacing network on people that it has not seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from brainsift.evaluate.confusion import confusion
from brainsift.evaluate.measured import balanced_accuracy_interval, recall_interval
from brainsift.evaluate.proportions import clopper_pearson
from brainsift.learn.defacing.bank import Bank
from brainsift.learn.defacing.batches import whole
from brainsift.learn.figure import Figure
from brainsift.models.session import load_onnx
from brainsift.tasks.defacing.network import CLASSES, FEATURES, MODEL, Answer, decode

TOLERATED = 0.01
"""Error among automatic answers at which coverage is told, the strictest that the issue asks for."""

PASS = CLASSES[0]

Surety = tuple[NDArray[np.float64], NDArray[np.bool_]]

ALL, OWN_FACE = "all tools", "all but those that paste another face"


def ask_all(path: Path, bank: Bank, threads: int | None = None) -> list[Answer]:
    """The answers of an exported network for every example of a bank."""
    session = load_onnx(path, MODEL, threads)
    name = session.get_inputs()[0].name
    return [decode(session.run(None, {name: whole(bank, i, i + 1).numpy()})[0][0]) for i in range(len(bank))]


def figures(told: Sequence[Answer], bank: Bank) -> list[Figure]:
    """All figures of the card: everything together, without scans that show another's face, then each tool."""
    found = list(_classes(ALL, told, bank))
    rows = [i for i, facts in enumerate(bank.facts) if not facts.get("other_face")]
    if len(rows) < len(bank):
        own, of_own = [told[i] for i in rows], bank.only(rows)
        found += [
            *_classes(OWN_FACE, own, of_own),
            *_features(own, of_own, OWN_FACE),
            *_coverage(own, of_own, OWN_FACE),
        ]
    else:
        found += _features(told, bank, ALL)
    found += _coverage(told, bank, ALL)
    for tool in sorted({str(facts.get("tool")) for facts in bank.facts}):
        rows = [i for i, facts in enumerate(bank.facts) if str(facts.get("tool")) == tool]
        if len(set(bank.truth[rows, 0].tolist())) > 1:
            found += list(_classes(f"tool: {tool}", [told[i] for i in rows], bank.only(rows)))[:1]
    return found


def _classes(scans: str, told: Sequence[Answer], bank: Bank) -> Iterator[Figure]:
    truth = [CLASSES[int(n)] for n in bank.truth[:, 0]]
    table = confusion(truth, [answer.label() for answer in told], CLASSES, bank.people)
    yield Figure("class", scans, "balanced accuracy", balanced_accuracy_interval(table))
    for row, name in enumerate(CLASSES):
        if table.total[row].sum():
            yield Figure(name, scans, "sensitivity", recall_interval(table, row))


def _features(told: Sequence[Answer], bank: Bank, scans: str) -> Iterator[Figure]:
    for column, name in enumerate(FEATURES, start=1):
        truth = bank.truth[:, column]
        rows = np.flatnonzero(np.isfinite(truth)).tolist()
        left = [bool(truth[i] > 0.5) for i in rows]
        if len(set(left)) == 2:
            said = [told[i].features[name] > 0.5 for i in rows]
            table = confusion(left, said, (False, True), [bank.people[i] for i in rows])
            yield Figure(f"{name} left", scans, "balanced accuracy", balanced_accuracy_interval(table))


def _coverage(told: Sequence[Answer], bank: Bank, scans: str) -> Iterator[Figure]:
    """Share that could be answered automatically at 1 % error, with the threshold chosen on the same scans: a curve's
    point, no promise. Of all four classes, and of correct against any failure, which is what lists are made by."""
    for question, judge in SURETY.items():
        sure, right = judge(told, bank)
        answered = largest_coverage(sure, right)
        yield Figure(question, scans, "coverage at 1 % error", clopper_pearson(answered, len(told), 0.95))


def sure_of_class(told: Sequence[Answer], bank: Bank) -> Surety:
    """How sure each answer is of its class, and whether it is right."""
    right = [a.label() == CLASSES[int(n)] for a, n in zip(told, bank.truth[:, 0], strict=True)]
    return np.array([max(answer.classes.values()) for answer in told]), np.array(right)


def sure_of_pass(told: Sequence[Answer], bank: Bank) -> Surety:
    """How sure each answer is that a defacing is correct, or that it is not, and whether that is so."""
    chance = np.array([answer.classes[PASS] for answer in told])
    return np.maximum(chance, 1 - chance), (chance > 0.5) == (bank.truth[:, 0] == CLASSES.index(PASS))


SURETY: Mapping[str, Callable[[Sequence[Answer], Bank], Surety]] = MappingProxyType(
    {"class": sure_of_class, "correct or not": sure_of_pass}
)


def largest_coverage(sure: NDArray[np.float64], right: NDArray[np.bool_]) -> int:
    """How many of the surest answers can be taken before more than `TOLERATED` of them are wrong."""
    order = np.argsort(-sure, kind="stable")
    wrong = np.cumsum(~right[order])
    good = np.flatnonzero(wrong <= TOLERATED * np.arange(1, len(order) + 1))
    return int(good[-1]) + 1 if good.size else 0
