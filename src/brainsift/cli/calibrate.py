"""`brainsift calibrate`: thresholds with a promise, from people's labels."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from brainsift.cli.exits import Stop

if TYPE_CHECKING:
    from brainsift.cli.labelled import Study
    from brainsift.decide.calibrate import Labelled, Promise, Tested
    from brainsift.decide.calibration import Method
    from brainsift.decide.stored import Calibration

EXAMPLES = (
    "Examples: `brainsift calibrate quality results` (what labels would buy), "
    "`brainsift calibrate quality results --labels labels.tsv --alpha 0.05`"
)

METHODS = ("auto", "temperature", "isotonic", "none")
STRATA = ("sequence", "site")


def calibrate(
    task: Annotated[str, typer.Argument(metavar="TASK", help="`quality` or `defacing`.")],
    output: Annotated[Path, typer.Argument(metavar="OUTPUT", help="The OUTPUT folder of an earlier `brainsift run`.")],
    labels: Annotated[
        Path | None, typer.Option(metavar="FILE", help="labels.tsv; without it you are told what labels would buy.")
    ] = None,
    alpha: Annotated[
        float, typer.Option(min=0.001, max=0.5, help="Share of wrong ones to tolerate among accepted scans.")
    ] = 0.05,
    alpha_reject: Annotated[
        float | None, typer.Option(min=0.001, max=0.5, help="The same among rejected scans; as --alpha if not given.")
    ] = None,
    delta: Annotated[float, typer.Option(min=0.001, max=0.5, help="Chance that a promise does not hold.")] = 0.05,
    by: Annotated[
        str | None, typer.Option(metavar="KIND", help="Thresholds for each `sequence` or `site` with enough labels.")
    ] = None,
    method: Annotated[
        str, typer.Option(metavar="KIND", help="Probabilities by `temperature`, `isotonic`, `none` or `auto`.")
    ] = "auto",
    seed: Annotated[int, typer.Option(help="Of the draws among people and their scans.")] = 0,
) -> None:
    """Choose the loosest thresholds whose error among decided scans stays below a level, with confidence.

    Accepting and rejecting each get a threshold of their own; what lies between is referred to a person. Label scans
    that were drawn at random: those picked because they are difficult spoil the promise. Of a person with several scans
    one is drawn. Writes `calibration_TASK.json`, `.tsv` and `.svg` to OUTPUT.
    """
    from brainsift.cli.calibrate_tell import tell_calibration, tell_price, tell_reach
    from brainsift.decide.calibrate import Promise
    from brainsift.decide.scores import PARTS

    for value, known, name in ((task, tuple(PARTS), "task"), (method, METHODS, "method"), (by, STRATA, "kind")):
        if value is not None and value not in known:
            raise Stop(f"There is no {name} '{value}' to calibrate.", f"Known: {', '.join(known)}.")
    promise = Promise(alpha, alpha if alpha_reject is None else alpha_reject, delta)
    tell_price(promise)
    if labels is None:
        tell_reach(task, output, promise)
        return
    from brainsift.cli.labelled import read_study

    study = read_study(task, output, labels)
    calibration, tested = _calibrate(task, study, promise, by, method, seed)
    tell_calibration(calibration, tested, study, promise)
    for path in _write(output, calibration, tested, promise):
        typer.echo(path)


def _calibrate(
    task: str, study: Study, promise: Promise, by: str | None, method: str, seed: int
) -> tuple[Calibration, Tested]:
    from typing import cast

    from brainsift.decide.calibrate import calibrate as make
    from brainsift.decide.stored import CalibrationError
    from brainsift.evaluate.truth import PARTS, labelled_parts

    parts = labelled_parts(task, study.labels)
    if not parts:
        raise Stop("The labels say nothing about it.", f"Fill in the columns {', '.join(PARTS[task])}.")
    labelled = _labelled(study, parts, by)
    others = [finding for scan, (finding, _) in study.findings.items() if scan not in study.agreed]
    try:
        return make(
            task, labelled, others, parts=parts, promise=promise, method=cast("Method", method), by=by, seed=seed
        )
    except CalibrationError as error:
        raise Stop(error.cause, error.remedy) from error


def _labelled(study: Study, parts: tuple[str, ...], by: str | None) -> list[Labelled]:
    """Scans of which people say whether they are good; a stratum is the sequence that it is filed as or that the
    machine sees, or the labels' site."""
    from brainsift.decide.calibrate import Labelled
    from brainsift.decide.strata import sequence_of
    from brainsift.evaluate.truth import is_good

    made = []
    for scan, label in study.agreed.items():
        good, finding = is_good(label, parts), study.findings[scan][0]
        stratum = {"sequence": sequence_of(finding), "site": label.site, None: None}[by]
        if good is not None:
            made.append(Labelled(finding, good, label.person, stratum))
    return made


def _write(output: Path, calibration: Calibration, tested: Tested, promise: Promise) -> list[Path]:
    from brainsift.decide.coverage import coverage_curve
    from brainsift.decide.coverage_svg import coverage_svg
    from brainsift.decide.stored import dump_calibration
    from brainsift.store.files import write_atomic

    points = coverage_curve(tested, promise.delta)
    lines = ["threshold\tcoverage\terror\tbound\taccepted\taccepted_wrong\trejected\trejected_wrong\tpeople"]
    for point in points:
        error = "" if point.error != point.error else f"{point.error:.6g}"
        counts = (point.accepted, point.accepted_wrong, point.rejected, point.rejected_wrong, point.n)
        cells = (f"{point.threshold:.6g}", f"{point.coverage:.6g}", error, f"{point.bound:.6g}", *map(str, counts))
        lines.append("\t".join(cells))
    title = f"{calibration.task}: {calibration.people} labelled people"
    texts = {
        ".json": dump_calibration(calibration),
        ".tsv": "\n".join(lines) + "\n",
        ".svg": coverage_svg(points, promise.accept, title),
    }
    paths = [output / f"calibration_{calibration.task}{suffix}" for suffix in texts]
    for path, text in zip(paths, texts.values(), strict=True):
        write_atomic(path, text, output)
    return paths
