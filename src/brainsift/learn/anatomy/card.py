"""The text of the anatomy models' cards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from brainsift.anatomy.atlas_prior import PRIOR_FILE, prior_digest
from brainsift.learn.anatomy.edge_bank import Bank
from brainsift.learn.anatomy.evaluate import ConditionResult
from brainsift.learn.card import curve_table, examples_told, notes_told, software_told, training_told
from brainsift.models.checksums import sha256_of
from brainsift.models.registry import ANATOMY, ANATOMY_EDGES, ModelSpec

CURVE_COLUMNS = ("step", "minutes", "loss", "brain", "mean_tissue")

MEASURED = (
    "## Results on simulated scans of the validation people",
    "",
    "Dice, mean [95 % interval, people resampled]. These are simulated scans: no figure here is clinical.",
    "",
)


def where_card(
    output: Path,
    training: Sequence[Path],
    validation: Sequence[Path],
    results: Mapping[str, Sequence[ConditionResult]],
) -> str:
    """Markdown about the first network: what it saw, how it was trained, what was measured (stage → a result per
    condition)."""
    return "\n".join(
        [
            "# Model card: anatomy",
            "",
            "Says where ten tissue classes are in one scan of any contrast, on a 4 mm grid. An average head is bent "
            "onto its answer, a mixture model draws the edges on a 2 mm grid, and the network "
            f"[{ANATOMY_EDGES.name}]({ANATOMY_EDGES.card}) draws them anew.",
            "",
            f"- `{ANATOMY.file}`, SHA-256 `{sha256_of(output / ANATOMY.file)}`",
            f"- `{PRIOR_FILE}`, the average head, SHA-256 `{prior_digest()}`",
            "",
            *_saw(ANATOMY, training, validation),
            *_training_section("Network (4 mm, where the tissues are)", output / "where"),
            *_tables(results),
        ]
    )


def edges_card(
    output: Path,
    training: Sequence[Path],
    validation: Sequence[Path],
    results: Mapping[str, Sequence[ConditionResult]],
    bank: Bank,
) -> str:
    """Markdown about the network that draws the edges, as `where_card`."""
    where, prior = sha256_of(output / ANATOMY.file), prior_digest()
    return "\n".join(
        [
            "# Model card: anatomy_edges",
            "",
            "Ten tissue classes on a 2 mm grid, from what was said of a scan before: by the network "
            f"[{ANATOMY.name}]({ANATOMY.card}), by the average head that is bent onto it, and by a mixture model.",
            "",
            f"- `{ANATOMY_EDGES.file}`, SHA-256 `{sha256_of(output / ANATOMY_EDGES.file)}`",
            f"- trained on the answers of `{ANATOMY.file}`, SHA-256 `{where}`, and `{PRIOR_FILE}`, `{prior}`",
            "",
            *_saw(ANATOMY_EDGES, training, validation),
            examples_told(bank),
            "",
            *_training_section("Network (2 mm, edges)", output / "edges"),
            *notes_told(output / "edges"),
            *_tables(results),
        ]
    )


def _saw(spec: ModelSpec, training: Sequence[Path], validation: Sequence[Path]) -> list[str]:
    return [
        "## What it saw",
        "",
        f"Simulated images only, drawn from {len(training)} label maps ({', '.join(_names(training))}). "
        f"{len(validation)} others ({', '.join(_names(validation))}) were kept for validation. "
        "No real scan was shown to it.",
        "",
        *(f"{data.name}: {data.source}; licence {data.licence}." for data in spec.trained_on),
        f"The weights are under {spec.licence}.",
        "",
        "## How it was trained",
        "",
        f"{software_told()} AdamW, cosine decay, averaged weights; weights stored as float16. The curve is the mean "
        "Dice of the same simulated heads at every point.",
        "",
    ]


def _tables(results: Mapping[str, Sequence[ConditionResult]]) -> list[str]:
    lines = list(MEASURED)
    for stage, rows in reversed(list(results.items())):
        lines += [f"### {stage[0].upper()}{stage[1:]}", "", *_result_table(rows), ""]
    return lines


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
