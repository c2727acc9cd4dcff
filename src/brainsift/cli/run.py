"""`brainsift run`: sift a folder."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from brainsift.cli.cluster import DaskAddress, SlurmJobs, SlurmOption, make_executor
from brainsift.cli.exits import Exit, Stop
from brainsift.cli.options import (
    CalibrationFiles,
    Database,
    First,
    Input,
    LogFile,
    MarsAtlas,
    MemoryLimit,
    MetricsPath,
    Output,
    Shelf,
    Site,
    TaskNames,
    TimeLimit,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from brainsift.engine.executors import Executor
    from brainsift.engine.settings import RunOptions, RunSettings
    from brainsift.engine.study import MakeWatcher
    from brainsift.engine.summary import RunSummary
    from brainsift.store.record import Record

LEVELS = ("participant", "group")

PLACED_SCANS = 2000
"""Records up to which a run makes all pages again at its end (3 ms each on one core), so that each scan's metrics have
their place among all; with more, `brainsift report` does it when asked."""

EXAMPLES = """Examples

`brainsift run scans results` (every scan of a folder, then the pages of the study)

`brainsift run scans results --dry-run` (what would be done, and why)

`brainsift run scans results --first 32` (some scans of all sizes, and how long the others will take)

`brainsift run scans results --task T1w:quality,defacing --task FLAIR:quality` (tasks by sequence)

`brainsift run scans results --log brainsift.jsonl --metrics brainsift.prom` (for those who watch over machines)

`brainsift run scans results --memory-limit 3G --time-limit 120` (a scan that takes more is given up, its row says so)

`brainsift run scans results --dask tcp://head:8786` (on a Dask cluster that runs already; `--dask local` tries it here)

`brainsift run scans results --slurm 20 --slurm-option queue=short --slurm-option walltime=02:00:00` (in jobs of Slurm)

`brainsift run bids results participant --participant-label 01 02` (one job of many)

`brainsift run bids results group` (when all jobs are done)
"""


def run(
    input_folder: Input,
    output: Output,
    level: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[participant|group]",
            help="`participant`: scans only, for jobs side by side. `group`: tables and pages from the records only. "
            "Neither: both, one after the other.",
        ),
    ] = None,
    task: TaskNames = None,
    participant_label: Annotated[
        list[str] | None,
        typer.Option(
            "--participant-label",
            "--participant_label",
            metavar="LABEL",
            help="Only these participants, with or without `sub-`.",
        ),
    ] = None,
    nprocs: Annotated[
        int | None,
        typer.Option("--nprocs", "-j", min=1, help="Processes; as many as cores and memory allow if not given."),
    ] = None,
    dask: DaskAddress = None,
    slurm: SlurmJobs = None,
    slurm_option: SlurmOption = None,
    memory_limit: MemoryLimit = None,
    time_limit: TimeLimit = None,
    first: First = None,
    calibration: CalibrationFiles = None,
    site: Site = None,
    db: Database = None,
    shelf: Shelf = None,
    keep_masks: Annotated[bool, typer.Option("--keep-masks", help="Write the brain mask of each scan.")] = False,
    original: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            help="Originals of defaced scans: a folder laid out alike (or BIDS), or a TSV with `scan` and `original`.",
        ),
    ] = None,
    face_renders: Annotated[
        bool,
        typer.Option("--face-renders", help="Keep renders of heads that nothing was taken from. They show faces."),
    ] = False,
    mars_atlas: MarsAtlas = None,
    log: LogFile = None,
    metrics: MetricsPath = None,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Do failed scans again.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done; write nothing.")] = False,
) -> None:
    """Sift a folder: a record, a decision and a picture per scan, and a page for the study.

    Run it again at any time: scans that have not changed are not done again, and an interrupted run goes on where it
    stopped. Thresholds are those of `--calibration`, else of OUTPUT/calibration_TASK.json, else provisional; other ones
    decide again from the records, and no scan is read for it.
    INPUT is never changed and nothing is written outside OUTPUT but the files that `--log` and `--metrics` name.
    """
    from brainsift.cli.extras import need_driver
    from brainsift.cli.sizes import parse_memory
    from brainsift.engine.settings import RunOptions

    need_driver(db)
    stage, labels = split_level(level or [], participant_label or [])
    settings = make_settings(
        task,
        shelf,
        keep_masks=keep_masks,
        calibrations=calibration,
        site=site,
        originals=original,
        face_renders=face_renders,
        mars_atlas=mars_atlas,
    )
    options = RunOptions(
        participants=tuple(labels),
        nprocs=nprocs,
        memory_limit=parse_memory(memory_limit),
        timeout_s=time_limit,
        first=first,
        retry_failed=retry_failed,
        dry_run=dry_run,
        write_study=stage != "participant",
        db_url=db,
    )
    executor = make_executor(options, dask, slurm, slurm_option)
    watchers = make_watchers(log, metrics)
    group_only = stage == "group"
    raise typer.Exit(
        sift(input_folder, output, settings, options, group_only=group_only, watchers=watchers, executor=executor)
    )


def split_level(words: list[str], labels: list[str]) -> tuple[str | None, list[str]]:
    """Tell the level from labels that follow `--participant-label A B C`, as BIDS-Apps allow.

    Returns
    -------
    the level or None, and all labels without ``sub-``.

    Raises
    ------
    Stop
        if there is a word that is neither.
    """
    levels = [word for word in words if word in LEVELS]
    others = [word for word in words if word not in LEVELS]
    if len(levels) > 1 or (others and not labels):
        word = (others or levels)[-1]
        raise Stop(f"Unexpected argument '{word}'.", "After OUTPUT comes `participant`, `group` or nothing.")
    return (levels[0] if levels else None), [label.removeprefix("sub-") for label in (*labels, *others)]


def make_settings(
    tasks: list[str] | None,
    shelf: Path | None,
    *,
    keep_masks: bool = False,
    calibrations: list[Path] | None = None,
    site: str | None = None,
    originals: Path | None = None,
    face_renders: bool = False,
    mars_atlas: Path | None = None,
) -> RunSettings:
    """Settings of the run.

    Raises
    ------
    Stop
        if a task or a sequence does not exist, or an atlas cannot be used.
    """
    from brainsift.cli.task_words import parse_tasks
    from brainsift.engine.settings import RunSettings
    from brainsift.tasks.registry import REGISTRY

    names, only_for = parse_tasks(tasks or REGISTRY)
    if mars_atlas is not None:
        check_mars_atlas(mars_atlas, names)
    return RunSettings(
        tasks=names,
        only_for=only_for,
        keep_masks=keep_masks,
        shelf=shelf.resolve() if shelf is not None else None,
        calibrations=tuple(calibrations or ()),
        site=site,
        originals=originals.resolve() if originals is not None else None,
        face_renders=face_renders,
        mars_atlas=mars_atlas.resolve() if mars_atlas is not None else None,
    )


def check_mars_atlas(path: Path, tasks: Sequence[str]) -> None:
    """See before the first scan that an atlas is one.

    Raises
    ------
    Stop
        if the run does not look for microbleeds, or the file is no such atlas.
    """
    from brainsift.scans.errors import ScanError
    from brainsift.tasks.microbleeds.mars import load_mars_atlas

    if "microbleeds" not in tasks:
        raise Stop("`--mars-atlas` names regions of microbleeds, and this run does not look for them.", "Leave it out.")
    try:
        load_mars_atlas(path.resolve())
    except (ScanError, OSError) as error:
        cause, remedy = (error.cause, error.remedy) if isinstance(error, ScanError) else (str(error), "Give a file.")
        raise Stop(cause, remedy) from error


def make_watchers(log: Path | None, metrics: Path | None) -> Sequence[MakeWatcher]:
    """Who looks on while a run works: a log and a file of metrics, where they are asked for."""
    from brainsift.engine.watch.log import JsonLog
    from brainsift.engine.watch.metrics import MetricsFile

    made: list[MakeWatcher] = []
    if log is not None:
        made.append(partial(JsonLog, log))
    if metrics is not None:
        made.append(lambda _: MetricsFile(metrics))
    return made


def sift(
    input_folder: Path,
    output: Path,
    settings: RunSettings,
    options: RunOptions,
    *,
    group_only: bool = False,
    watchers: Sequence[MakeWatcher] = (),
    executor: Executor | None = None,
) -> int:
    """Run the study with its pages and tell how it went; return the exit code."""
    from brainsift.cli.console import notes
    from brainsift.cli.progress import Display
    from brainsift.cli.summary import tell_plan, tell_summary
    from brainsift.engine.study import group_study, run_study

    if group_only:
        summary = group_study(input_folder, output, settings, options, after_scan=write_page)
    else:
        with Display() as display:
            summary = run_study(
                input_folder,
                output,
                settings,
                options,
                after_scan=write_page,
                progress=display,
                executor=executor,
                watchers=watchers,
            )
    if options.dry_run:
        tell_plan(summary)
        return Exit.DONE
    page = None
    if options.write_study:
        if should_place(summary, group_only):
            place_scans(output, options.db_url)
        page = make_study_page(output, options.db_url)
    for warning in summary.warnings:
        notes().print(warning, markup=False)
    tell_summary(summary, output, page)
    return summary.exit_code


def write_page(record: Record, output: Path) -> None:
    """Make the page of one scan; called in the workers, which find it by its name."""
    from brainsift.report.scan_page import write_scan_page

    write_scan_page(record, output)


def should_place(summary: RunSummary, group_only: bool) -> bool:
    """Whether the pages of all scans are made again, to show where each scan lies among all of the study."""
    counts = summary.counts
    changed = counts.done or counts.failed or counts.redecided or group_only
    return bool(changed) and counts.in_study <= PLACED_SCANS and not summary.interrupted


def place_scans(output: Path, db: str | None) -> None:
    """Make the pages of all scans again, now that the study is complete."""
    from brainsift.report.study_page import write_scan_pages

    write_scan_pages(output, db)


def make_study_page(output: Path, db: str | None) -> Path:
    """Make the page of the study from the records."""
    from brainsift.report.study_page import write_study_page

    return write_study_page(output, db)
