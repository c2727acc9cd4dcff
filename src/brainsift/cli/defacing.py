"""`brainsift defacing`: mend defacings that failed, and release those that people passed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from brainsift.cli.exits import Exit, Stop
from brainsift.cli.options import Database, Shelf

if TYPE_CHECKING:
    from brainsift.engine.defacing.redo import Means, Redone
    from brainsift.engine.defacing.standing import Standing
    from brainsift.engine.job import Context

app = typer.Typer(
    help="Mend defacings that failed, and release those that people passed.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
)

Output = Annotated[Path, typer.Argument(metavar="OUTPUT", help="The OUTPUT folder of an earlier `brainsift run`.")]
Input = Annotated[
    Path | None,
    typer.Option("--input", metavar="DIR", help="INPUT, where it is no longer the one that the last run names."),
]

NOT_ASKED = ("No scan of this study was asked for its defacing.", "Run with `--task defacing`.")

REMEDY_EXAMPLES = (
    "Examples: `brainsift defacing remedy results` (what failed and what to do), "
    "`brainsift defacing remedy results --run` (our own shear), "
    '`brainsift defacing remedy results --run --command "fsl_deface {input} {output} -nud 0 -5 5"`'
)
RELEASE_EXAMPLES = "Example: `brainsift defacing release results public`"


@app.callback()
def _defacing() -> None:
    pass


@app.command(epilog=REMEDY_EXAMPLES)
def remedy(
    output: Output,
    run: Annotated[
        bool, typer.Option("--run", help="Make a new file of each failed scan, sift it, and queue it for review.")
    ] = False,
    command: Annotated[
        str | None,
        typer.Option(
            metavar="TEMPLATE",
            help="With --run: a tool of yours instead of our shear, with `{input}`, `{output}` and perhaps `{mask}` "
            "(a brain mask). No shell is used.",
        ),
    ] = None,
    buffer_mm: Annotated[
        float | None,
        typer.Option("--buffer-mm", min=0, max=50, help="Of our shear; it goes by what failed if not given."),
    ] = None,
    keep_ears: Annotated[bool, typer.Option("--keep-ears", help="Our shear leaves the ears.")] = False,
    only: Annotated[
        str | None, typer.Option(metavar="KIND", help="Only failures of this kind, as the list names them.")
    ] = None,
    input_folder: Input = None,
    db: Database = None,
    shelf: Shelf = None,
) -> None:
    """List failed defacings by what to do about them; with --run, try again.

    A scan is to be remedied if a person said that it failed, or if the machine is sure of it and nobody has looked.
    Each new file stands for its scan from then on, linked to the one before; after two new
    files a scan cannot be defaced. INPUT is never changed.
    """
    from brainsift.cli.extras import need_driver

    if command is not None and not run:
        raise Stop("A command without --run does nothing.", "Add --run.")
    need_driver(db)
    means = _means(command, buffer_mm, not keep_ears)
    chosen = _tell_groups(_failures(output, db), output, only)
    if not run:
        return
    redone = _redo(chosen, means, output, _source(output, input_folder), db, shelf)
    _write_study(output, db)
    typer.echo(
        f"{len(redone.made)} new files were made and queued for review, {len(redone.failed)} attempts failed, "
        f"{len(redone.given_up)} scans cannot be defaced."
    )
    for attempt in redone.failed:
        typer.echo(f"  {attempt.parent}: {attempt.reason}", err=True)
    raise typer.Exit(Exit.SCANS_FAILED if redone.failed else Exit.DONE)


@app.command(epilog=RELEASE_EXAMPLES)
def release(
    output: Output,
    dest: Annotated[Path, typer.Argument(metavar="DEST", help="New or empty folder for the files to be shared.")],
    input_folder: Input = None,
    db: Database = None,
) -> None:
    """Copy the scans that a person passed, byte for byte, with a manifest.

    Only a file whose SHA-256 is the one that was passed is copied. `release.json` bounds the share of wrong passes
    by the second, blinded readings. What is released was checked; it is not thereby anonymous.
    """
    from brainsift.cli.extras import need_driver
    from brainsift.engine.defacing.attempts import read_attempts
    from brainsift.engine.defacing.release import release as copy_out
    from brainsift.engine.defacing.standing import standings
    from brainsift.store.database import Database as Opened

    need_driver(db)
    _require_study(output, db)
    source, chains = _source(output, input_folder), read_attempts(output)
    with Opened(output, db) as database:
        made = copy_out(standings(database, chains), chains, source, output, dest, database)
    if not made.states:
        raise Stop(*NOT_ASKED)
    typer.echo(f"{len(made.copied)} scans were released to {dest}.")
    for one in made.withheld:
        typer.echo(f"  withheld: {one.scan}: {one.cause} {one.remedy}", err=True)
    bound = made.bound
    if bound.bound is None:
        typer.echo("No passed scan was read a second time: nothing bounds the share of wrong passes.")
    else:
        typer.echo(
            f"{bound.missed} misses among {bound.rechecked} passes that were read twice: at most {bound.bound:.2%} of "
            "passes are wrong (95 %)."
        )
    raise typer.Exit(Exit.SCANS_FAILED if made.withheld else Exit.DONE)


def _means(command: str | None, buffer_mm: float | None, ears: bool) -> Means:
    from brainsift.engine.defacing.command import split_template
    from brainsift.engine.defacing.redo import Means

    try:
        words = None if command is None else split_template(command)
    except ValueError as error:
        text = str(error)
        raise Stop(f"{text[:1].upper()}{text[1:]}.", "See `brainsift defacing remedy --help`.") from error
    return Means(words, buffer_mm, ears)


def _require_study(output: Path, db: str | None) -> None:
    from brainsift.store.database import DATABASE_NAME

    if db is None and not (output / DATABASE_NAME).is_file():
        raise Stop(f"{output} holds no study.", "Give the OUTPUT folder of a `brainsift run`.")


def _failures(output: Path, db: str | None) -> list[Standing]:
    """What is to be remedied, and what was given up; the others of a large study would fill the memory."""
    from brainsift.engine.defacing.attempts import read_attempts
    from brainsift.engine.defacing.standing import State, standings
    from brainsift.store.database import Database as Opened

    _require_study(output, db)
    asked, found = 0, []
    with Opened(output, db) as database:
        for asked, one in enumerate(standings(database, read_attempts(output)), start=1):  # noqa: B007 (the count)
            if one.state in (State.REMEDY, State.GIVEN_UP):
                found.append(one)
    if not asked:
        raise Stop(*NOT_ASKED)
    return found


def _tell_groups(standings: list[Standing], output: Path, only: str | None) -> list[Standing]:
    """Print the groups and write the table; returns what is to be tried again."""
    from brainsift.engine.defacing.listing import grouped, suggested_command, write_listing
    from brainsift.tasks.defacing.remedy import REMEDIES, TOOLS

    if only is not None and only not in REMEDIES:
        raise Stop(f"There is no kind of remedy {only!r}.", f"Kinds: {', '.join(REMEDIES)}.")
    groups = {kind: scans for kind, scans in grouped(standings).items() if only in (None, kind)}
    for kind, scans in groups.items():
        typer.echo(f"{kind}: {len(scans)} scans. {scans[0].remedy.words}")
        for tool in TOOLS:
            if command := suggested_command(tool, scans[0].remedy):
                typer.echo(f"  {command}")
    if not groups:
        typer.echo("Nothing is to be remedied.")
    typer.echo(write_listing(standings, output))
    return [one for scans in groups.values() for one in scans]


def _source(output: Path, given: Path | None) -> Path:
    """INPUT: as given, or as the last run names it."""
    from brainsift.engine.defacing.source import named_input

    source = given or named_input(output)
    if source is None or not source.is_dir():
        raise Stop("INPUT was not found.", "Name the folder of the scans with `--input`.")
    return source


def _redo(
    chosen: list[Standing], means: Means, output: Path, source: Path, db: str | None, shelf: Path | None
) -> Redone:
    from brainsift.cli.progress import Display
    from brainsift.engine.defacing.attempts import read_attempts
    from brainsift.engine.defacing.redo import Redone, redo
    from brainsift.engine.folders import remove_scratch
    from brainsift.engine.summary import Progress
    from brainsift.store.database import Database as Opened

    redone, context = Redone(), _context(output, shelf)
    with Opened(output, db) as database, Display() as display:
        for done, one in enumerate(chosen):
            display(Progress(found=len(chosen), done=done, listed=True, scan=one.record.scan))
            for attempt in redo(one, read_attempts(output), source, means, context, database):
                getattr(redone, attempt.kind).append(attempt)
    remove_scratch(output)
    return redone


def _write_study(output: Path, db: str | None) -> None:
    """Bring the new files into the study's table and page."""
    from brainsift.cli.run import make_study_page
    from brainsift.store.database import Database as Opened
    from brainsift.store.table import write_tables

    with Opened(output, db) as database:
        write_tables(database.records(), output)
    make_study_page(output, db)


def _context(output: Path, shelf: Path | None) -> Context:
    """As of a run that asks for the defacing alone, with the calibrations of OUTPUT."""
    from brainsift.cli.run import make_settings, write_page
    from brainsift.engine.calibrations import load_calibrations
    from brainsift.engine.folders import scratch_root
    from brainsift.engine.job import Context
    from brainsift.engine.stages import Stages

    settings = make_settings(["defacing"], shelf)
    return Context(
        output=output,
        scratch=scratch_root(output),
        settings=settings,
        models=Stages().models(settings),
        calibrations=load_calibrations(output=output),
        after_scan=write_page,
    )
