"""The text of the anatomy model's card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from brainsift.anatomy.atlas_prior import PRIOR_FILE, prior_digest
from brainsift.learn.anatomy_evaluate import ConditionResult
from brainsift.learn.card import curve_table, software_told, training_told
from brainsift.models.checksums import sha256_of
from brainsift.models.registry import ANATOMY

CURVE_COLUMNS = ("step", "minutes", "loss", "brain", "mean_tissue")


def card_text(
    output: Path,
    training: Sequence[Path],
    validation: Sequence[Path],
    results: Mapping[str, Sequence[ConditionResult]],
) -> str:
    """Markdown: what the network saw, how it was trained, what was measured (stage → a result per condition)."""
    lines = [
        "# Model card: anatomy",
        "",
        "Ten tissue classes on a 2 mm grid from one scan of any contrast: a network finds the tissues, an average head "
        "is bent onto them, a mixture model draws the edges.",
        "",
        f"- `{ANATOMY.file}`, SHA-256 `{sha256_of(output / ANATOMY.file)}`",
        f"- `{PRIOR_FILE}`, the average head, SHA-256 `{prior_digest()}`",
        "",
        "## What it saw",
        "",
        f"Simulated images only, drawn from {len(training)} label maps ({', '.join(_names(training))}). "
        f"{len(validation)} others ({', '.join(_names(validation))}) were kept for validation. "
        "No real scan was shown to it.",
        "",
        *(f"{data.name}: {data.source}; licence {data.licence}." for data in ANATOMY.trained_on),
        f"The weights are under {ANATOMY.licence}.",
        "",
        "## How it was trained",
        "",
        f"{software_told()} AdamW, cosine decay, averaged weights; weights stored as float16. The curve is the mean "
        "Dice of the same simulated heads at every point.",
        "",
        *_training_section("Network (4 mm, where the tissues are)", output / "where"),
        "## Results on simulated scans of the validation people",
        "",
        "Dice, mean [95 % interval, people resampled]. These are simulated scans: no figure here is clinical.",
        "",
    ]
    for stage, rows in reversed(list(results.items())):
        lines += [f"### {stage[0].upper()}{stage[1:]}", "", *_result_table(rows), ""]
    return "\n".join(lines)


def _names(paths: Sequence[Path]) -> list[str]:
    return [p.name.split("_labels")[0].split(".")[0] for p in paths]


def _training_section(title: str, folder: Path) -> list[str]:
    told = training_told(folder, ", shared with other work")
    return [f"### {title}", "", told, "", *curve_table(folder, CURVE_COLUMNS), ""]


def _result_table(results: Sequence[ConditionResult]) -> list[str]:
    shown = ["brain", "mean_tissue", *(n for n in results[0].dice if n not in ("brain", "mean_tissue", "head"))]
    lines = [f"| scans | n (people) | {' | '.join(n.replace('_', ' ') for n in shown)} |"]
    lines.append("|---" * (len(shown) + 2) + "|")
    for r in results:
        lines.append(f"| {r.condition} | {r.images} ({r.people}) | {' | '.join(str(r.dice[n]) for n in shown)} |")
    return lines
