"""Options of `brainsift train quality` for two domains, and the call that they lead to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from brainsift.cli.exits import Stop

if TYPE_CHECKING:
    from brainsift.learn.trainer import TrainingPlan

Source = Annotated[
    Path | None,
    typer.Option(metavar="TSV", help="Labels of the domain that has many, such as T1w; paths beside the file."),
]
Target = Annotated[
    Path | None, typer.Option(metavar="TSV", help="Labels of the domain to be learnt, such as FLAIR, however few.")
]
Unlabelled = Annotated[Path | None, typer.Option(metavar="DIR", help="Folder of target scans without labels.")]
Heads = Annotated[int, typer.Option(min=1, max=2, help="One head for each domain, or one for both.")]
Align = Annotated[float, typer.Option(min=0, help="Weight of the domain classifier; 0 not to align the domains.")]
Semi = Annotated[
    str, typer.Option(metavar="KIND", help="Scans without labels: `none`, `consistency`, `pseudo` (labels) or `both`.")
]

FiledAs = Annotated[
    str | None,
    typer.Option(
        "--for", metavar="SEQUENCE", help="Simulate scans that are filed as `FLAIR`, and train a model for them alone."
    ),
]
Beside = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR", help="Bank of other scans that is learnt along, such as `bank` of an earlier training."
    ),
]

FOR = ("FLAIR",)
"""Sequences that scans are simulated as filed as."""

ADAPTATION_STEPS = 1000
"""Ten minutes on two cores. The reversal rises with the share of all steps, so it should not be far too many."""


@dataclass(frozen=True)
class AdaptGiven:
    """What the options said."""

    source: Path | None
    target: Path | None
    unlabelled: Path | None
    scans: Path | None
    heads: int
    align: float
    semi: str


@dataclass(frozen=True)
class FiledGiven:
    """What the options said of scans that are filed as one sequence."""

    sequence: str
    label_maps: Path
    validation: tuple[str, ...]
    beside: Path | None


def wants_adaptation(
    source: Path | None, target: Path | None, unlabelled: Path | None, others: Sequence[Path | None]
) -> bool:
    """Whether two domains were given.

    Raises
    ------
    Stop
        if only a part of what is needed was, or other data beside it.
    """
    if source is None and target is None and unlabelled is None:
        return False
    if source is None or (target is None and unlabelled is None):
        raise Stop(
            "There are not two domains to learn from.",
            "Give `--source` with labels, and `--target` with labels, `--unlabelled` scans of it, or both.",
        )
    if any(other is not None for other in others):
        raise Stop(
            "Two domains leave no room for other data.",
            "Leave out `--labels`, `--label-maps` and `--real-scans`: `--source` and `--target` are labels files.",
        )
    return True


def adapt(given: AdaptGiven, output: Path, plan: TrainingPlan, weights: Path | None, resume: bool) -> Path:
    """Train on both domains; returns the path of the ONNX file.

    Raises
    ------
    Stop
        if the option `--semi` is unknown.
    """
    from typing import cast, get_args

    from brainsift.learn.adapt import job
    from brainsift.learn.adapt.lessons import Lessons
    from brainsift.learn.adapt.lessons import Semi as Kind
    from brainsift.learn.adapt.reading import Given

    if given.semi not in get_args(Kind):
        raise Stop(f"'{given.semi}' is no choice of --semi.", f"Choose one of {', '.join(get_args(Kind))}.")
    lessons = Lessons(two_heads=given.heads == 2, domain=given.align, semi=cast("Kind", given.semi))
    files = Given(given.source, given.target, given.unlabelled, target_scans=given.scans)
    return job.adapt(files, output, plan, lessons, start_from=weights, resume=resume)


def train_for(
    given: FiledGiven, output: Path, plan: TrainingPlan, chunks: int, workers: int, weights: Path | None, resume: bool
) -> Path:
    """Train a model for scans that are filed as one sequence; returns the path of the ONNX file.

    Raises
    ------
    Stop
        if the sequence is none that is simulated.
    ValueError
        if nothing can be read of what was given.
    """
    from brainsift.learn.adapt.filed import build_banks, train_filed
    from brainsift.learn.label_maps import split_label_maps
    from brainsift.learn.quality.bank import load_bank

    if given.sequence not in FOR:
        raise Stop(f"Scans filed as {given.sequence} are not simulated.", f"`--for` may be {', '.join(FOR)}.")
    split = split_label_maps(given.label_maps, given.validation)
    beside = None if given.beside is None else load_bank(given.beside)
    banks = build_banks(split, output, chunks, plan.seed, workers)
    return train_filed(banks, output, plan, beside=beside, start_from=weights, resume=resume)
