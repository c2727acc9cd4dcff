"""Measure what the quality network must reach, on cases that no training and no choice of weights has seen.

    python benchmarks/bench_quality_musts.py --build --minutes 30          # make cases; goes on where it was stopped
    python benchmarks/bench_quality_musts.py runs/quality/quality.onnx     # measure; some minutes

Cases (`quality_cases.py`) go through the anatomy pass and are cut around the brain that it finds, as in a run; answers
are those of a run too: FLAIR is filed as FLAIR, contrast and noise are measured as well as seen, and stacks of slices
are rejected.
Grades are continuous and cut at 0.5 and 1.5. Severe: grade 2 against 0 and 1. Mild: grade 1 against 0, severe ones left
out. Each figure stands for all scans, and for those farther than 0.25 from the cuts it asks about: nobody can tell 1.49
from 1.51, yet the first counts as an error if it is called severe. Intervals are of 95 %: people resampled, exact where
that shows no spread. Everything here but the real clean scans is simulated; none of the figures is clinical.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from quality_cases import MARGIN, PARTS, Job, build, plan

from brainsift.evaluate.confusion import binary_confusion, confusion
from brainsift.evaluate.intervals import Interval
from brainsift.evaluate.measured import accuracy_interval, balanced_accuracy_interval, recall_interval
from brainsift.learn.quality.bank import LEVELS, Bank, load_bank
from brainsift.learn.quality.truth import COLUMNS, sequence_of
from brainsift.models.checksums import sha256_of
from brainsift.models.joining import can_answer_for, switch_for
from brainsift.models.session import load_onnx
from brainsift.simulate.artefacts.grades import CUTS, whole
from brainsift.simulate.susceptibility.example import MODALITIES
from brainsift.tasks.quality.flair import FLAIR
from brainsift.tasks.quality.measured import Measured, with_measured
from brainsift.tasks.quality.network import GRADED, MODEL, SEQUENCES, Answer, decode
from brainsift.tasks.quality.unlike import LOW_CONFIDENCE, OUT_OF_DISTRIBUTION, OUTSIDE_RANGE, unlike_training

DATA = Path(__file__).parents[2] / "shared" / "data"
CACHE = Path(__file__).parents[1] / "runs" / "quality_musts"

SIMULATED, REAL, ZOO = 20, 6, 200
"""Scans of each head, rounds through the real ones, animals: 780 cases that take half an hour of one core to make."""

SAVED_EVERY = 100
"""Answers between two writings of them: a run that is stopped goes on there."""

FLAGS = (OUT_OF_DISTRIBUTION, LOW_CONFIDENCE, OUTSIDE_RANGE)

GROUPS = {"both simulators": ("motion", "torchio"), "k-space motion": ("motion",), "TorchIO motion": ("torchio",)}


@dataclass(frozen=True)
class Row:
    """One figure. `target` is what the issue asks for, None where it asks for nothing."""

    what: str
    scans: str
    statistic: str
    value: Interval
    beyond_margin: Interval | None = None
    target: float | None = None

    @property
    def met(self) -> str:
        """Whether the target is reached."""
        if self.target is None:
            return ""
        return "not measured" if np.isnan(self.value.value) else "yes" if self.value.value >= self.target else "NO"


@dataclass(frozen=True, eq=False)
class Part:
    """Cases with a network's answers: truth (N, 6) as in a bank, whose heads, what was done, what was said."""

    table: np.ndarray
    people: list[str]
    facts: list[dict[str, Any]]
    answers: list[Answer]

    def where(self, **facts: Any) -> Part:
        """Cases whose facts are among those given."""
        rows = [i for i, f in enumerate(self.facts) if all(f.get(n) in v for n, v in facts.items())]
        return self.only(rows)

    def only(self, rows: Sequence[int]) -> Part:
        """Some of them."""
        chosen = list(rows)
        return Part(self.table[chosen], *([column[i] for i in chosen] for column in self._columns))

    def __add__(self, other: Part) -> Part:
        columns = (a + b for a, b in zip(self._columns, other._columns, strict=True))
        return Part(np.concatenate([self.table, other.table]), *columns)

    @property
    def _columns(self) -> tuple[list[Any], ...]:
        return self.people, self.facts, self.answers

    def truth(self, name: str) -> np.ndarray:
        """A column of the truth, (N,)."""
        column: np.ndarray = self.table[:, COLUMNS.index(name)].astype(float)
        return column

    def said(self, name: str) -> np.ndarray:
        """Grades given, (N,)."""
        return np.array([a.grade(name) for a in self.answers])


def answered(model: Path, bank: Bank, kept: Path) -> Part:
    """A bank of cases with a network's answers."""
    return Part(bank.truth, list(bank.people), list(bank.facts), ask(model, bank, kept))


def ask(model: Path, bank: Bank, kept: Path) -> list[Answer]:
    """A run's answers for every case; what the network was asked before is read from `kept`."""
    logits = logits_of(model, bank, kept)
    return [
        with_measured(decode(logits[facts["case"]]), _measured(facts), FLAIR if sequence_of(row) == FLAIR else None)[0]
        for facts, row in zip(bank.facts, bank.truth, strict=True)
    ]


def logits_of(model: Path, bank: Bank, kept: Path) -> dict[str, np.ndarray]:
    """What the network says of every case, by name: float32 (25, outputs)."""
    stored: dict[str, np.ndarray] = {}
    if kept.is_file():
        with np.load(kept) as file:
            stored = dict(zip(file["cases"].tolist(), file["logits"], strict=True))
    session = load_onnx(model, MODEL)
    name = session.get_inputs()[0].name
    has_flair = can_answer_for(session, FLAIR)
    fresh = 0
    for i, facts in enumerate(bank.facts):
        if facts["case"] not in stored:
            given = {name: bank.pixels(i)[None].astype(np.float32) / LEVELS}
            if has_flair and sequence_of(bank.truth[i]) == FLAIR:
                given[switch_for(FLAIR)] = np.array(True)
            stored[facts["case"]] = session.run(None, given)[0][0]
            fresh += 1
            if fresh % SAVED_EVERY == 0:
                _keep(kept, stored)
    if fresh:
        _keep(kept, stored)
    return stored


def _measured(facts: dict[str, Any]) -> Measured:
    # Cases of a cache that was made before the share was kept are taken for magnitudes; maps were made again.
    anatomy: Any = SimpleNamespace(**_anatomy(facts))
    share = facts.get("negative_share", 0.0)
    return Measured(np.array(facts["spacing_mm"]), facts["metrics"], anatomy, facts["measured_snr"], share)


def _keep(path: Path, stored: dict[str, np.ndarray]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part.npz")
    np.savez(part, cases=np.array(list(stored)), logits=np.stack(list(stored.values())))
    part.replace(path)


def graded_rows(what: str, scans: str, part: Part, name: str, targets: dict[str, float]) -> list[Row]:
    """Balanced accuracy of severe, of mild and of the three grades."""
    truth, said = part.truth(name), part.said(name)
    known = np.isfinite(truth)
    grade = np.array([whole(t) if k else -1 for t, k in zip(truth, known, strict=True)])
    near = [np.abs(truth - cut) <= MARGIN for cut in CUTS]
    rows = []
    for word, use, far in (
        ("severe", known, ~near[1]),
        ("mild", known & (grade < 2), ~near[0] & ~near[1]),
        ("three grades", known, ~near[0] & ~near[1]),
    ):
        values = []
        for chosen in (use, use & far):
            people = [p for p, c in zip(part.people, chosen, strict=True) if c]
            if word == "three grades":
                table = confusion(grade[chosen].tolist(), said[chosen].tolist(), (0, 1, 2), people)
            else:
                cut = 2 if word == "severe" else 1
                table = binary_confusion(grade[chosen] >= cut, said[chosen] >= cut, people)
                if word == "severe" and chosen is use and table.total.sum(axis=1).min() > 0:
                    sides = recall_interval(table, 1), recall_interval(table, 0)
            values.append(balanced_accuracy_interval(table))
        rows.append(Row(f"{what}, {word}", scans, "balanced accuracy", values[0], values[1], targets.get(word)))
        if word == "severe" and np.isfinite(values[0].value):
            for statistic, value in zip(("sensitivity", "specificity"), sides, strict=True):
                rows.append(Row(f"{what}, severe", scans, statistic, value))
    return rows


def motion_rows(part: Part, scans: str, targets: dict[str, float]) -> list[Row]:
    """Motion by simulator, still scans being the others."""
    rows: list[Row] = []
    for name, asked in GROUPS.items():
        chosen = part.where(asked=("still", *asked))
        rows += graded_rows("motion", f"{scans}, {name}", chosen, "motion", targets)
    return rows


def called_proper(part: Part, scans: str) -> Row:
    """Whole heads with a fault are proper scans all the same; one that is called improper is shown no grades."""
    table = binary_confusion([True] * len(part.answers), [a.proper > 0.5 for a in part.answers], part.people)
    return Row("proper", scans, "sensitivity", recall_interval(table, 1))


def clean_rows(part: Part, scans: str, target: float | None) -> list[Row]:
    """Clean scans: called free of motion, and of tier 1. Of people with several scans the people are resampled."""
    still = part.where(asked=("still",))
    rows = []
    for statistic, right in (
        ("called tier 1", [a.tier() == 1 for a in still.answers]),
        ("called free of motion", [a.grade("motion") == 0 for a in still.answers]),
    ):
        table = binary_confusion([True] * len(right), right, still.people)
        rows.append(Row("clean", scans, statistic, recall_interval(table, 1), None, target))
    return rows


def proper_rows(part: Part, scans: str, targets: bool) -> list[Row]:
    """Proper or not, and the sequence."""
    truth = part.truth("proper") > 0.5
    said = [a.proper > 0.5 for a in part.answers]
    table = binary_confusion(truth, said, part.people)
    rows = [
        Row("proper", scans, "balanced accuracy", balanced_accuracy_interval(table), None, 0.95 if targets else None)
    ]
    rows += [
        Row("proper", scans, s, recall_interval(table, side)) for side, s in ((1, "sensitivity"), (0, "specificity"))
    ]
    rows.append(named_row(part, scans, 0.95 if targets else None))
    if truth.any():
        rows.append(named_row(part.only(np.flatnonzero(truth).tolist()), f"{scans}, proper ones"))
    return rows


def named_row(part: Part, scans: str, target: float | None = None) -> Row:
    """Whether the sequence is told, however proper the scan."""
    table = confusion(
        [str(sequence_of(row)) for row in part.table],
        [a.likeliest_sequence() for a in part.answers],
        SEQUENCES,
        part.people,
    )
    return Row("sequence", scans, "accuracy", accuracy_interval(table), None, target)


def errors(part: Part) -> list[str]:
    """Every scan that was called wrongly proper or improper, or by a wrong sequence."""
    lines = []
    for truth, person, facts, a in zip(part.table, part.people, part.facts, part.answers, strict=True):
        proper, sequence, named = bool(truth[0] > 0.5), sequence_of(truth), a.likeliest_sequence()
        wrong = ["proper"] * ((a.proper > 0.5) != proper) + ["sequence"] * (named != sequence)
        if wrong:
            cells = (
                facts["case"].split(":")[0],
                person,
                f"{facts['kind']} {facts.get('variant', '')}",
                f"{'proper' if proper else 'improper'} {sequence}",
                f"{a.proper:.2f} {named} {max(a.sequence.values()):.2f}",
                " and ".join(wrong),
                str(facts["anatomy_confidence"]),
                facts["why"],
            )
            lines.append(f"| {' | '.join(cells)} |")
    return lines


def loud(part: Part) -> list[str]:
    """Every clean scan that was not called tier 1."""
    still = part.where(asked=("still",))
    return [
        f"| {facts['case'].split(':')[0]} | {facts['kind']} | "
        + " ".join(f"{name} {a.score(name):.2f} (true {t:.2f})" for name, t in zip(GRADED, truth[2:5], strict=True))
        + f" | {a.proper:.2f} |"
        for truth, facts, a in zip(still.table, still.facts, still.answers, strict=True)
        if a.tier() > 1
    ]


def flagged(parts: dict[str, Part]) -> list[str]:
    """Of the scans called proper, how many a flag of `tasks.quality.unlike` sends to a person."""
    lines = ["| scans called proper | n | any flag | out of distribution | low confidence | outside the range |"]
    lines.append("|---" * 6 + "|")
    for name, part in parts.items():
        for is_proper in (True, False):
            rows = [
                unlike_training(a, facts["spacing_mm"], SimpleNamespace(**_anatomy(facts)), facts["metrics"])
                for truth, facts, a in zip(part.table, part.facts, part.answers, strict=True)
                if bool(truth[0] > 0.5) == is_proper and a.proper > 0.5
            ]
            if rows:
                counts = [sum(map(bool, rows)), *(sum(flag in row for row in rows) for flag in FLAGS)]
                cells = " | ".join(f"{count} ({count / len(rows):.0%})" for count in counts)
                lines.append(f"| {name}, {'proper' if is_proper else 'improper'} | {len(rows)} | {cells} |")
    return lines


def _anatomy(facts: dict[str, Any]) -> dict[str, Any]:
    return {"has_brain": facts["has_brain"], "confidence": facts["anatomy_confidence"]}


def measure(parts: dict[str, Part]) -> list[Row]:
    """All rows of the issue's list that a network can answer."""
    rows: list[Row] = []
    if "simulated" in parts:
        part = parts["simulated"]
        rows += motion_rows(part, "simulated", {"severe": 0.95, "mild": 0.85})
        for name in ("noise", "contrast"):
            rows += graded_rows(name, "simulated", part, name, {"three grades": 0.90})
        rows += clean_rows(part, "simulated", None)
        rows.append(called_proper(part, "simulated, with any fault"))
    if "real" in parts:
        rows += motion_rows(parts["real"], "real, corrupted", {"severe": 0.92})
        rows += graded_rows("noise", "real, corrupted", parts["real"], "noise", {})
        rows += clean_rows(parts["real"], "real", 0.95)
        rows.append(called_proper(parts["real"], "real, still and moved"))
        own = parts["real"].where(round=(0,))
        rows += clean_rows(own, "real, as they are", None)
    if "gradient_echo" in parts:
        part = parts["gradient_echo"]
        rows += [called_proper(part, "gradient echoes"), named_row(part, "gradient echoes")]
        rows += [called_proper(part.where(kind=(m,)), f"gradient echoes, {m}") for m in MODALITIES]
    scans = [parts[name] for name in ("scans", "zoo") if name in parts]
    if scans:
        rows += proper_rows(sum(scans[1:], scans[0]), "scans, DICOM and zoo", True)
        for name in ("scans", "zoo"):
            rows += proper_rows(parts[name], name, False) if name in parts else []
    return rows


def kept_answers(cache: Path, model: Path, part: str) -> Path:
    """Where a model's answers for a part of the cases lie."""
    return cache / "answers" / f"{sha256_of(model)[:16]}_{part}.npz"


def markdown(rows: Sequence[Row]) -> list[str]:
    """A table."""
    lines = [
        "| question | scans | statistic | all | beyond 0.25 of a cut | n (people) | target | met |",
        "|---" * 8 + "|",
    ]
    for r in rows:
        far = "" if r.beyond_margin is None else f"{_told(r.beyond_margin)} n {r.beyond_margin.n}"
        target = "" if r.target is None else f"{r.target:g}"
        n = f"{r.value.n} ({r.value.groups})"
        lines.append(f"| {' | '.join((r.what, r.scans, r.statistic, _told(r.value), far, n, target, r.met))} |")
    return lines


def _told(value: Interval) -> str:
    return "–" if np.isnan(value.value) else str(value)  # noqa: RUF001 (an en dash stands for no value)


def report(model: Path, parts: dict[str, Part], rows: Sequence[Row]) -> str:
    """The whole page."""
    counts = ", ".join(f"{name} {len(part.answers)}" for name, part in parts.items())
    anatomies = {f["anatomy_sha256"] for p in parts.values() for f in p.facts}
    lines = [
        f"# {model.name}, SHA-256 `{sha256_of(model)}`",
        "",
        f"Cases: {counts}; brain found by anatomy {', '.join(sorted(a[:12] for a in anatomies))}.",
    ]
    if len(anatomies) > 1:
        lines.append("Cases were cut with several anatomy models: delete the cache to cut all with one.")
    lines += ["", "## What must be true", "", *markdown([r for r in rows if r.target is not None])]
    lines += ["", "## All figures", "", *markdown(rows)]
    lines += ["", "## Sent to a person as unlike the training", "", *flagged(parts)]
    scans = [parts[name] for name in ("scans", "zoo") if name in parts]
    scans += [parts["gradient_echo"]] if "gradient_echo" in parts else []
    wrong = [line for part in scans for line in errors(part)]
    lines += ["", f"## Wrongly proper, improper or named ({len(wrong)})", ""]
    lines += ["| scan | person | kind | is | said | wrong | anatomy confidence | note |", "|---" * 8 + "|", *wrong]
    for name in ("real", "simulated"):
        if name in parts:
            called = loud(parts[name])
            lines += ["", f"## Clean, {name}, and not called tier 1 ({len(called)})", ""]
            lines += ["| scan | kind | scores | proper |", "|---" * 4 + "|", *called]
    return "\n".join(lines) + "\n"


def as_json(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Rows as plain values; what is undefined is null."""
    return [_finite(asdict(r) | {"met": r.met}) for r in rows]


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _finite(one) for name, one in value.items()}
    return None if isinstance(value, float) and not np.isfinite(value) else value


def told(job: Job, left: int) -> None:
    """A line for each file made."""
    print(f"{job.part} {job.name}, {left} left", file=sys.stderr, flush=True)


def main() -> None:
    """Parse and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, nargs="?", help="a quality.onnx")
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--cache", type=Path, default=CACHE)
    parser.add_argument("--build", action="store_true", help="make what is missing of the cases")
    parser.add_argument("--minutes", type=float, default=60.0, help="for --build")
    parser.add_argument("--share", type=int, nargs=2, default=(0, 1), metavar=("I", "N"), help="make each N-th alone")
    parser.add_argument("--output", type=Path, help="folder; default: beside the answers in the cache")
    options = parser.parse_args()
    if options.build:
        jobs = plan(options.data, SIMULATED, REAL, ZOO)
        place, among = options.share
        left = build(jobs[place::among], options.cache, 60 * options.minutes, told)
        print(f"{left} files of the cache are still to be made")
    if options.model is None:
        return
    banks = {name: load_bank(options.cache / name) for name in PARTS if list((options.cache / name).glob("*.json"))}
    if not banks:
        parser.error(f"there are no cases in {options.cache}: make some with --build")
    parts = {n: answered(options.model, b, kept_answers(options.cache, options.model, n)) for n, b in banks.items()}
    rows = measure(parts)
    text = report(options.model, parts, rows)
    folder = options.output or options.cache
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"musts_{sha256_of(options.model)[:12]}"
    (folder / f"{stem}.md").write_text(text, encoding="utf-8")
    stored = {"model": sha256_of(options.model), "rows": as_json(rows)}
    (folder / f"{stem}.json").write_text(json.dumps(stored, indent=1) + "\n", encoding="utf-8")
    print(text)
    print(f"written to {folder / stem}.md and .json")


if __name__ == "__main__":
    main()
