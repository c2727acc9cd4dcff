"""Measure both networks on people that they have not seen, by modality and stage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from brainsift.evaluate.detection.group import summarise
from brainsift.evaluate.detection.match import Match
from brainsift.learn.figure import Figure
from brainsift.learn.microbleeds.bank import Bank
from brainsift.learn.microbleeds.predict import Ask, AskCubes, find, judge, match
from brainsift.learn.microbleeds.settings import Settings

STAGES = ("candidates", "after discrimination")
"""What the two networks leave; the clean-up with anatomy comes after them, in the task."""

SHOWN = ("tpr", "false_per_scan", "precision", "f1", "count_error")


@dataclass(frozen=True, eq=False)
class Measured:
    """One scan: its candidates against its bleeds, by the detector's scores and by the discriminator's."""

    person: str
    modality: str
    candidates: Match
    bleeds: Match


def measure(ask: Ask, ask_cubes: AskCubes, bank: Bank, settings: Settings) -> list[Measured]:
    """Ask both networks about every scan."""
    measured = []
    for number in range(len(bank)):
        example = bank[number]
        found = find(ask, example, settings.candidate, most=None)
        judged = judge(ask_cubes, example, found, settings.share)
        told = Measured(example.person, example.modality, match(example, found), match(example, found, judged))
        measured.append(told)
    return measured


def figures(measured: Sequence[Measured], settings: Settings) -> list[Figure]:
    """Figures of the card: for each stage all scans, then each modality."""
    told = []
    for name in ("all", *sorted({one.modality for one in measured})):
        chosen = [one for one in measured if name in ("all", one.modality)]
        people = [one.person for one in chosen]
        stages = ([one.candidates for one in chosen], [one.bleeds for one in chosen])
        limits = ([settings.candidate] * len(chosen), [settings.bleed_from(one.modality) for one in chosen])
        for stage, matches, thresholds in zip(STAGES, stages, limits, strict=True):
            for one in summarise(matches, people, thresholds):
                if one.metric in SHOWN and (stage == STAGES[1] or "at" not in one.statistic):
                    scans = name if one.scans == "all" else f"{name}, {one.scans}"
                    told.append(Figure(stage, scans, f"{one.metric}, {one.statistic}", one.interval))
    return told
