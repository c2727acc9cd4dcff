"""`brainsift evaluate`: the answers of a study against people's labels, with intervals."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from brainsift.cli.exits import Stop

if TYPE_CHECKING:
    from brainsift.cli.labelled import Study
    from brainsift.evaluate.answered import Answered
    from brainsift.evaluate.intervals import Interval
    from brainsift.evaluate.quality import Measured

app = typer.Typer(help="Measure answers against people's labels.", no_args_is_help=True, rich_markup_mode="markdown")

SHOWN = ("balanced_accuracy", "sensitivity", "specificity", "ppv", "npv", "auc", "mcc", "calibration_error")
"""Columns of the printed table; each cell holds the value and its 95 % interval."""


@app.callback()
def _evaluate() -> None:
    pass


@app.command(epilog="Example: `brainsift evaluate quality results --labels labels.tsv --prevalence improper=0.27`")
def quality(
    output: Annotated[Path, typer.Argument(metavar="OUTPUT", help="The OUTPUT folder of an earlier `brainsift run`.")],
    labels: Annotated[Path, typer.Option(metavar="FILE", help="labels.tsv: what people say of the scans.")],
    prevalence: Annotated[
        list[str] | None,
        typer.Option(
            metavar="QUESTION=SHARE",
            help="Share that is truly yes where you will use it, for PPV and NPV; the labels' own share if not given.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the resampling of people.")] = 0,
) -> None:
    """Print every quality question with its metrics and 95 % intervals, and write `evaluation_quality.tsv`.

    Rows marked `train` or `validation` do not count. Of several raters the consensus is the truth; their agreement with
    each other and with the machine is measured as well. Intervals count people, not scans.
    """
    from brainsift.cli.labelled import read_study
    from brainsift.evaluate.quality import measure_quality
    from brainsift.evaluate.raters import rater_agreement

    shares = _shares(prevalence or [])
    study = read_study("quality", output, labels)
    scans = [_answered(scan, study) for scan in study.agreed]
    try:
        figures = measure_quality(scans, shares, seed)
    except ValueError as error:
        raise Stop(f"{error}.", "Name a question as in the first column of the table.") from error
    raters = rater_agreement(study.labels, {scan: _grades(scan, study) for scan in study.agreed}, seed)
    if not any(figure.question != "decisions" for figure in (*figures, *raters)):
        raise Stop("The labels answer no question.", "Fill in proper, gadolinium, sequence, or a grade.")
    _tell(figures, raters, study)
    typer.echo(_write(output, [*figures, *raters]))


@app.command(
    epilog="Examples: `brainsift evaluate wmh results --labels labels.tsv`; "
    "`brainsift evaluate wmh --masks other_tool --labels labels.tsv --tables figures`"
)
def wmh(
    labels: Annotated[Path, typer.Option(metavar="FILE", help="labels.tsv with people's masks in `wmh_mask`.")],
    output: Annotated[
        Path | None,
        typer.Argument(metavar="OUTPUT", help="The OUTPUT folder of an earlier `brainsift run`, for its masks."),
    ] = None,
    masks: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Score these masks of any program instead; a folder, or a TSV (scan, mask)."),
    ] = None,
    tables: Annotated[
        Path | None,
        typer.Option("--tables", "--output", metavar="DIR", help="Folder for the tables; OUTPUT if given, else none."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the resampling of people.")] = 0,
) -> None:
    """Score lesion masks: Dice, HD95, volume difference, lesion recall, precision and F1, agreement of volumes.

    Masks are matched to scans by name and may be of truth values, whole numbers or fractions; affines may differ by
    rounding, and a mask on another grid is resampled. Every rater's mask counts as a row; intervals count people. Rows
    marked `train` or `validation` do not count.
    """
    from brainsift.cli.evaluate_wmh import compare_masks, labelled_masks, own_masks, tell, write_tables
    from brainsift.cli.exits import Exit
    from brainsift.cli.masks import find_masks
    from brainsift.evaluate.segmentation.group import summarise

    rows, seen = labelled_masks(labels)
    scans = list(dict.fromkeys(label.scan for label in rows))
    if masks is not None:
        found = find_masks(masks, scans)
    elif output is not None:
        found = own_masks(output, scans)
    else:
        raise Stop("There is nothing to score.", "Give the OUTPUT of a run, or `--masks DIR`.")
    compared = compare_masks(rows, labels.parent, found, seen)
    if not compared.rows:
        scan, why = next(iter(compared.failed.items()))
        raise Stop(f"No mask could be compared; {scan}: {why}.", "Name masks like their scans, or list them in a TSV.")
    figures = summarise([row.scores for row in compared.rows], [row.person for row in compared.rows], seed)
    tell(compared, figures)
    folder = tables or output
    if folder is not None:
        for path in write_tables(folder, compared, figures):
            typer.echo(path)
    raise typer.Exit(Exit.SCANS_FAILED if compared.failed else Exit.DONE)


@app.command(
    epilog="Examples: `brainsift evaluate microbleeds results --labels labels.tsv`; "
    "`brainsift evaluate microbleeds --masks other_tool --labels labels.tsv --scans study --tables figures`"
)
def microbleeds(
    labels: Annotated[
        Path, typer.Option(metavar="FILE", help="labels.tsv with people's masks or points in `microbleeds`.")
    ],
    output: Annotated[
        Path | None,
        typer.Argument(metavar="OUTPUT", help="The OUTPUT folder of an earlier `brainsift run`, for its tables."),
    ] = None,
    masks: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Score masks or TSVs of points of any program instead; a folder, or a TSV (scan, mask).",
        ),
    ] = None,
    scans: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder of the scans: where voxels of points lie; labels' folder."),
    ] = None,
    reach: Annotated[float, typer.Option(min=0, help="Centres so many mm apart are one bleed.")] = 3.0,
    threshold: Annotated[
        float | None, typer.Option(help="Least probability of a mark that counts; all count if not given.")
    ] = None,
    candidates: Annotated[
        bool, typer.Option("--candidates", help="Of a run, all places that were looked at, for the whole FROC curve.")
    ] = False,
    possible: Annotated[
        bool, typer.Option("--possible/--definite", help="Whether bleeds whose `certainty` is `possible` count.")
    ] = False,
    folds: Annotated[
        int | None,
        typer.Option(min=2, help="Choose the threshold for F1 on other folds of people, and measure on each."),
    ] = None,
    tables: Annotated[
        Path | None,
        typer.Option("--tables", "--output", metavar="DIR", help="Folder for the tables; OUTPUT if given, else none."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the resampling of people, and of the folds.")] = 0,
) -> None:
    """Score microbleeds one by one: share found, false ones per scan, precision, F1, error of the count, FROC.

    A mark hits a bleed if they share a voxel or their centres are `--reach` mm apart or less, one mark a bleed. Points
    are TSVs with `x y z` (voxels of the scan as stored, from 0) or `x_mm y_mm z_mm`, and `probability` where known.
    Every rater's label counts as a row; intervals count people. Rows marked `train` or `validation` do not count.
    """
    from brainsift.cli.evaluate_microbleeds import (
        MARK_ENDINGS,
        MARK_WORDS,
        compare_marks,
        labelled_bleeds,
        own_marks,
        tell,
        thresholds_of,
        write_tables,
    )
    from brainsift.cli.exits import Exit
    from brainsift.cli.masks import find_masks
    from brainsift.evaluate.detection.group import summarise

    if threshold is not None and folds is not None:
        raise Stop("`--threshold` and `--folds` exclude each other.", "Give one of them.")
    rows, seen = labelled_bleeds(labels)
    named = list(dict.fromkeys(label.scan for label in rows))
    if masks is not None:
        found = find_masks(masks, named, MARK_ENDINGS, MARK_WORDS)
    elif output is not None:
        found = own_marks(output, named, candidates=candidates)
    else:
        raise Stop("There is nothing to score.", "Give the OUTPUT of a run, or `--masks DIR`.")
    compared = compare_marks(rows, labels.parent, found, scans or labels.parent, reach, possible=possible, seen=seen)
    if not compared.rows:
        scan, why = next(iter(compared.failed.items()))
        raise Stop(f"Nothing could be compared; {scan}: {why}.", "Name files like their scans, or list them in a TSV.")
    limits = thresholds_of(compared, threshold, folds, seed)
    figures = summarise(
        [row.match for row in compared.rows], [row.person for row in compared.rows], limits.tolist(), seed
    )
    tell(compared, figures)
    folder = tables or output
    if folder is not None:
        for path in write_tables(folder, compared, figures, limits):
            typer.echo(path)
    raise typer.Exit(Exit.SCANS_FAILED if compared.failed else Exit.DONE)


def _shares(given: list[str]) -> dict[str, float]:
    shares = {}
    for text in given:
        name, _, share = text.partition("=")
        try:
            shares[name] = float(share)
        except ValueError:
            raise Stop(f"'{text}' names no prevalence.", "Write QUESTION=SHARE, such as improper=0.27.") from None
        if not 0 <= shares[name] <= 1:
            raise Stop(f"A prevalence is a share from 0 to 1, got {share}.", "Write improper=0.27 for 27 %.")
    return shares


def _answered(scan: str, study: Study) -> Answered:
    from brainsift.evaluate.answered import Answered

    finding, record = study.findings[scan]
    decision = record.decision("quality")
    return Answered(
        truth=study.agreed[scan],
        person=study.agreed[scan].person,
        label=finding.label,
        probabilities=finding.probabilities,
        measurements=finding.measurements,
        action=None if decision is None else decision.action.value,
    )


def _grades(scan: str, study: Study) -> dict[str, int | None]:
    """What the machine said in the columns of the labels."""
    from brainsift.evaluate.consensus import GRADES
    from brainsift.evaluate.questions import machine_grade

    one = _answered(scan, study)
    gadolinium = one.measurements.get("gadolinium")
    return {
        "proper": int(one.label == "proper"),
        "gadolinium": int(gadolinium) if isinstance(gadolinium, bool) else None,
        **{name: machine_grade(one, name) for name in GRADES},
    }


def _tell(figures: list[Measured], raters: list[Measured], study: Study) -> None:
    from rich.table import Table
    from rich.text import Text

    from brainsift.cli.console import answers

    console = answers()
    people = len({study.agreed[scan].person for scan in study.agreed})
    console.print(f"{len(study.agreed)} labelled scans of {people} people.", markup=False)
    for line in study.left_out:
        console.print(f"Left out: {line}.", markup=False)
    table = Table(box=None, pad_edge=False)
    for column in ("question", "scans", "people", "yes", *SHOWN):
        table.add_column(column.replace("_", " "), justify="left" if column == "question" else "right")
    asked = dict.fromkeys(figure.question for figure in figures if figure.yes is not None)
    for question in asked:
        found = {figure.metric: figure for figure in figures if figure.question == question}
        first = found["balanced_accuracy"]
        counts = (str(first.interval.n), str(first.interval.groups), str(first.yes))
        table.add_row(Text(question), *counts, *(cell(found[name].interval) for name in SHOWN))
    if asked:
        console.print(table)
    rest = [figure for figure in (*figures, *raters) if figure.yes is None]
    for one in rest:
        interval = one.interval
        line = f"{one.question}: {one.metric.replace('_', ' ')} {cell(interval)}, {interval.n} scans"
        console.print(line, markup=False)
    assumed = {figure.question: figure.prevalence for figure in figures if figure.prevalence is not None}
    if assumed:
        told = ", ".join(f"{question} {share:.1%}" for question, share in assumed.items())
        console.print(f"PPV and NPV hold where so many are truly yes: {told}.", markup=False)


def cell(interval: Interval) -> str:
    """A value with its interval, as short as a table allows; a dash where there is none."""
    if interval.value != interval.value:
        return "-"
    bounds = "" if interval.low != interval.low else f" ({interval.low:.2f}-{interval.high:.2f})"
    return f"{interval.value:.2f}{bounds}"


def _write(output: Path, figures: list[Measured]) -> Path:
    from brainsift.store.files import write_atomic
    from brainsift.store.text import tsv_cell

    lines = ["question\tmetric\tvalue\tlow\thigh\tscans\tpeople\tyes\tprevalence\tinterval"]
    for one in figures:
        interval = one.interval
        numbers = (_number(interval.value), _number(interval.low), _number(interval.high))
        counts = (str(interval.n), str(interval.groups), "" if one.yes is None else str(one.yes))
        rest = (_number(one.prevalence), interval.method)
        lines.append("\t".join((one.question, tsv_cell(one.metric), *numbers, *counts, *rest)))
    path = output / "evaluation_quality.tsv"
    write_atomic(path, "\n".join(lines) + "\n", output)
    return path


def _number(value: float | None) -> str:
    return "" if value is None or value != value else f"{value:.6g}"
