"""Measure a lesion network on people that it has not seen."""

from __future__ import annotations

import numpy as np

from brainsift.evaluate.segmentation.group import summarise
from brainsift.evaluate.segmentation.lesions import detect_lesions
from brainsift.evaluate.segmentation.overlap import dice
from brainsift.evaluate.segmentation.scan import ScanScores, score_masks
from brainsift.learn.figure import Figure
from brainsift.learn.trainer import Scores
from brainsift.learn.wmh.bank import Bank
from brainsift.learn.wmh.predict import Ask, ask_all, compared
from brainsift.learn.wmh.settings import CLEAR_ML, Settings
from brainsift.learn.wmh.source import SIMULATED

WATCHED = "dice"


def measure(ask: Ask, bank: Bank, settings: Settings) -> tuple[list[ScanScores], list[str]]:
    """Scores of every example whose lesions are known, and whose head each is."""
    scores, people = [], []
    for example, fine in ask_all(ask, bank):
        pair = compared(example, fine)
        if pair is not None:
            reference, probability, spacing = pair
            scores.append(score_masks(reference, settings.mark(probability, spacing), spacing.tolist()))
            people.append(example.person)
    return scores, people


def figures(ask: Ask, bank: Bank, settings: Settings) -> list[Figure]:
    """Figures of the card by load, those of simulated heads before those of other scans."""
    sources = [str(facts.get("source", SIMULATED)) for facts in bank.facts]
    found = []
    for source in sorted(set(sources), key=lambda name: (name != SIMULATED, name)):
        rows = [row for row, one in enumerate(sources) if one == source]
        said = "" if source == SIMULATED else f" ({source})"
        for one in summarise(*measure(ask, bank.only(rows), settings)):
            found.append(Figure(one.metric, one.scans + said, one.statistic, one.interval))
    return found


def curve_scores(ask: Ask, bank: Bank, settings: Settings | None = None) -> Scores:
    """Means for the curve: Dice and lesion F1 at loads from `CLEAR_ML` on, absolute volume error, and the volume found
    where there is nothing to be found, all in mL."""
    settings = settings or Settings()
    overlaps, f1, errors, false = [], [], [], []
    for example, fine in ask_all(ask, bank):
        pair = compared(example, fine)
        if pair is None:
            continue
        reference, probability, spacing = pair
        answer = settings.mark(probability, spacing)
        voxel_ml = float(np.prod(spacing)) / 1000
        truth_ml, answer_ml = float(reference.sum()) * voxel_ml, float(answer.sum()) * voxel_ml
        errors.append(abs(answer_ml - truth_ml))
        if truth_ml >= CLEAR_ML:
            overlaps.append(dice(reference, answer))
            f1.append(detect_lesions(reference, answer).f1)
        elif not reference.any():
            false.append(answer_ml)
    named = {WATCHED: overlaps, "lesion_f1": f1, "error_ml": errors, "false_ml": false}
    return {name: float(np.mean(values)) for name, values in named.items() if values}
