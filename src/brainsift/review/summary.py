"""The study in figures: what the machine decided, what people's time was worth, and how far they agree."""

from __future__ import annotations

import math
from typing import Any

from brainsift.review.desk import Desk
from brainsift.review.progress import Counts, mean_pace
from brainsift.review.questions import QUESTIONS, agrees
from brainsift.store.reviews.numbers import Caught, Pace, automatic, catches, paces
from brainsift.store.reviews.verdicts import pairs, standing_answers

RULE = (
    "Without the model: every scan at the mean seconds of one read by itself. With it: {with_model}. "
    "Seconds are those measured here; second readings and adjudication are left out of both."
)


def summary(desk: Desk) -> dict[str, Any]:
    """What `GET /api/summary` tells."""
    said = list(standing_answers(desk.database))
    return {"tasks": [_task(desk, task, [row for row in said if row["task"] == task]) for task in Counts(desk).tasks()]}


def _task(desk: Desk, task: str, said: list[dict[str, Any]]) -> dict[str, Any]:
    actions = {action: automatic(desk.database, task).get(action, 0) for action in ("accept", "reject", "refer")}
    scans = sum(actions.values())
    pace = paces(desk.database, task)
    caught = catches(desk.database, task, QUESTIONS[task].good_choices)
    one, sheet = ([p for p in pace if p.on_sheet == on_sheet] for on_sheet in (False, True))
    decided = actions["accept"] + actions["reject"]
    return {
        "task": task,
        "scans": scans,
        "automatic": {**actions, "share": round(decided / scans, 4) if scans else None},
        "seconds": {
            name: dict(zip(("n", "mean"), mean_pace(p), strict=True)) for name, p in (("one", one), ("sheet", sheet))
        },
        "hours": _hours(task, actions, mean_pace(one)[1], mean_pace(sheet)[1], any(p.simulated for p in pace)),
        "agreement": _agreement(desk, task),
        "catch": _catch(caught),
        "machine": _machine(task, said),
        "reviewers": _reviewers(pace, caught),
    }


def _hours(
    task: str, actions: dict[str, int], one: float | None, sheet: float | None, simulated: bool
) -> dict[str, Any]:
    """Hours of looking, with and without the model, from measured seconds of a decision (the paper's table 4)."""
    verified = actions["accept"] if task == "defacing" else 0
    words = "referred scans at the same"
    if task == "defacing":
        words += ", likely passes at the mean seconds of one on a sheet"
    told: dict[str, Any] = {"without_model": None, "with_model": None, "saved_share": None, "simulated": simulated}
    told["rule"] = RULE.format(with_model=words)
    if one is None or (verified and sheet is None):
        return told
    without = sum(actions.values()) * one / 3600
    with_model = (actions["refer"] * one + verified * (sheet or 0.0)) / 3600
    saved = round(1 - with_model / without, 4) if without else None
    return {**told, "without_model": round(without, 3), "with_model": round(with_model, 3), "saved_share": saved}


def _agreement(desk: Desk, task: str) -> dict[str, Any]:
    """Unweighted kappa of first and second blinded readings, people resampled."""
    read = list(pairs(desk.database, task))
    told: dict[str, Any] = {"pairs": len(read), "same": 0, "kappa": None, "low": None, "high": None}
    if not read:
        return told
    from brainsift.evaluate.confusion import confusion
    from brainsift.evaluate.measured import kappa_interval

    classes = [choice.id for choice in QUESTIONS[task].choices]
    first, second = [one["choice"] for _, one, _ in read], [other["choice"] for _, _, other in read]
    owners = [_owner(desk, scan) for scan, _, _ in read]
    kappa = kappa_interval(confusion(first, second, classes, owners), "none")
    figures = {"kappa": kappa.value, "low": kappa.low, "high": kappa.high}
    told["same"] = sum(one == other for one, other in zip(first, second, strict=True))
    return told | {name: round(value, 4) if math.isfinite(value) else None for name, value in figures.items()}


def _owner(desk: Desk, scan: str) -> str:
    """Whose scan it is; one without a named participant counts as another person's."""
    found = desk.record(scan)
    return (found[1].participant if found else None) or f"scan:{scan}"


def _catch(caught: list[Caught]) -> dict[str, Any]:
    shown, missed = sum(one.shown for one in caught), sum(one.missed for one in caught)
    told: dict[str, Any] = {"shown": shown, "missed": missed, "low": None, "high": None}
    if shown:
        from brainsift.evaluate.proportions import clopper_pearson

        interval = clopper_pearson(missed, shown)
        told |= {"low": round(interval.low, 4), "high": round(interval.high, 4)}
    return told


def _machine(task: str, said: list[dict[str, Any]]) -> dict[str, int]:
    compared = [agrees(task, row["choice"], row["machine_action"], row["machine_label"]) for row in said]
    known = [one for one in compared if one is not None]
    return {"compared": len(known), "agreed": sum(known)}


def _reviewers(pace: list[Pace], caught: list[Caught]) -> list[dict[str, Any]]:
    trials = {one.reviewer: one for one in caught}
    views = []
    for name in sorted({one.reviewer for one in pace} | set(trials)):
        count, speed = mean_pace([one for one in pace if one.reviewer == name])
        trial = trials.get(name, Caught(name, 0, 0))
        views.append(
            {
                "name": name,
                "decisions": count,
                "seconds_per_scan": speed,
                "catch_shown": trial.shown,
                "catch_missed": trial.missed,
            }
        )
    return views
