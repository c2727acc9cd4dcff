"""One study: plan, run, collect, mark duplicates, write the tables."""

from __future__ import annotations

import json
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Any

from brainsift.engine.calibrations import Calibrations, keep_calibrations, load_calibrations
from brainsift.engine.collector import Collector
from brainsift.engine.errors import RunError
from brainsift.engine.executors import Executor, InProcess
from brainsift.engine.folders import check_folders, outside_output, prepare_output, remove_scratch, scratch_root
from brainsift.engine.job import AfterScan, Context, Job, Outcome, finish
from brainsift.engine.limits import share_of_memory
from brainsift.engine.originals import load_originals, with_originals
from brainsift.engine.outlook import Outlook
from brainsift.engine.plan import Identity, Planned, Step, Unknown, plan
from brainsift.engine.pool import ProcessPool
from brainsift.engine.redecide import redecide
from brainsift.engine.resources import available_bytes, suggest_nprocs, usable_cores
from brainsift.engine.scan_unit import SOFTWARE
from brainsift.engine.settings import DEFAULT_TIMEOUT_S, RunOptions, RunSettings
from brainsift.engine.stages import Stages
from brainsift.engine.summary import MAX_LISTED, Counts, ListedFailure, Progress, RunSummary
from brainsift.engine.watch.base import Began, Watcher, Watchers
from brainsift.engine.watch.life import SignOfLife
from brainsift.engine.watch.names import log_key, study_key
from brainsift.scans.ref import ScanRef
from brainsift.store.database import DATABASE_NAME, Database
from brainsift.store.derivatives import write_description
from brainsift.store.duplicates import find_changed_duplicates
from brainsift.store.errors import StoreError, output_error
from brainsift.store.files import FileMark, file_mark
from brainsift.store.methods import Tally, write_methods
from brainsift.store.record import Record
from brainsift.store.record_io import read_record, record_files, record_path
from brainsift.store.run_facts import RunFacts, write_run_toml
from brainsift.store.table import write_tables

Catalog = Callable[[Path, tuple[str, ...]], Iterable[ScanRef]]
OnProgress = Callable[[Progress], None]
MakeWatcher = Callable[[bytes], Watcher]


def list_scans(root: Path, participants: tuple[str, ...]) -> Iterable[ScanRef]:
    """The real catalog."""
    from brainsift.scans.catalog import catalog

    return catalog(root, participants=participants or None)


@dataclass
class _Run:
    """One call of `run_study` under way."""

    input: Path
    output: Path
    settings: RunSettings
    options: RunOptions
    context: Context
    counts: Counts = field(default_factory=Counts)
    failures: list[ListedFailure] = field(default_factory=list)
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    clock: float = field(default_factory=perf_counter)
    under_way: dict[str, tuple[Path, FileMark | None]] = field(default_factory=dict)
    """Scan → its record's path, and the file that lay there before, of what a worker has and has not answered for."""
    outlook: Outlook = field(default_factory=Outlook)
    watchers: Watchers = field(default_factory=lambda: Watchers(()))
    interrupted: bool = False

    def progress(self, scan: str = "") -> Progress:
        """Where the run stands."""
        return self.outlook.complete(self.counts.progress(scan))


def run_study(
    input_folder: Path,
    output: Path,
    settings: RunSettings | None = None,
    options: RunOptions | None = None,
    *,
    after_scan: AfterScan | None = None,
    progress: OnProgress | None = None,
    executor: Executor | None = None,
    stages: Stages | None = None,
    catalog: Catalog = list_scans,
    watchers: Sequence[MakeWatcher] = (),
) -> RunSummary:
    """Sift a folder: every scan gets a record, a row in the database and one in the table.

    Parameters
    ----------
    input_folder : never written to, but for an OUTPUT inside it.
    output : made if needed. Scans that it has a valid record of are not done again.
    settings : what is asked; options : how the work is done.
    after_scan : makes the page of a scan; called in the worker, so it must be importable by name.
    progress : called in this process whenever the counts move.
    executor : who does the jobs; None for this process or a pool, after `options.nprocs`.
    stages, catalog : None for the real ones.
    watchers : make those who look on, from the key that names scans in logs.

    Returns
    -------
    the summary; after Ctrl-C (or SIGTERM) too, with `interrupted` set and all that was finished kept.

    Raises
    ------
    StoreError
        (`RunError` among them) if the folders, the models, the database or the disk do not allow the run.
    """
    settings, options, stages = settings or RunSettings(), options or RunOptions(), stages or Stages()
    clock = perf_counter()
    check_folders(input_folder, output)
    calibrations = _calibrations(input_folder, output, settings)
    identity = Identity(stages.models(settings), settings.sha256())
    listed = outside_output(catalog(input_folder, options.participants), input_folder, output)
    refs = with_originals(listed, load_originals(settings.originals))
    if options.dry_run:
        return _dry_run(refs, output, identity, options, clock)
    prepare_output(output)
    executor = executor or _choose_executor(options)
    context = Context(
        output=output,
        scratch=scratch_root(output),
        settings=settings,
        models=identity.models,
        threads=max(1, usable_cores() // executor.workers) if executor.workers > 1 else None,
        stages=stages,
        calibrations=calibrations,
        after_scan=after_scan,
    )
    run = _Run(input_folder, output, settings, options, context, clock=clock)
    run.outlook = Outlook(executor.workers, options.first)
    with (
        _output_faults(output),
        Database(output, options.db_url) as database,
        _watched(run, watchers, executor.workers),
    ):
        keep_calibrations(calibrations, settings.calibrations, output)
        write_description(input_folder, output)
        interrupted = run.interrupted = _work(run, refs, identity, database, executor, progress or (lambda _: None))
        if options.write_study:
            _write_study(run, database, interrupted)
        _note_run(run, database, interrupted)
    warnings = (*calibrations.warnings(settings.tasks, identity.models), *run.watchers.lost)
    seconds = perf_counter() - clock
    forecast = run.outlook.forecast() if options.first is not None else None
    return RunSummary(
        run.counts, tuple(run.failures), interrupted, seconds, executor.workers, warnings=warnings, forecast=forecast
    )


def group_study(
    input_folder: Path,
    output: Path,
    settings: RunSettings,
    options: RunOptions,
    *,
    after_scan: AfterScan | None = None,
) -> RunSummary:
    """Make the study's tables from the records that lie in OUTPUT, decided again where the calibration is another one;
    no scan is read.

    Raises
    ------
    StoreError
        if OUTPUT holds no record or cannot be written.
    """
    calibrations = _calibrations(input_folder, output, settings)
    context = Context(output, scratch_root(output), settings, calibrations=calibrations, after_scan=after_scan)
    run = _Run(input_folder, output, settings, options, context)
    paths = list(record_files(output))
    if not paths:
        raise RunError("no_records", f"OUTPUT {output} holds no record.", "Run the participant level first.")
    prepare_output(output)
    with _output_faults(output), Database(output, options.db_url) as database:
        keep_calibrations(calibrations, settings.calibrations, output)
        collector = Collector(database)
        for path in paths:
            record = read_record(path)
            run.counts.found += 1
            _count_old(run, record)
            collector.add(record)
        collector.flush()
        run.counts.listed = True
        _write_study(run, database, interrupted=False)
        _note_run(run, database, interrupted=False)
    return RunSummary(run.counts, tuple(run.failures), seconds=perf_counter() - run.clock)


def _calibrations(input_folder: Path, output: Path, settings: RunSettings) -> Calibrations:
    return load_calibrations(settings.calibrations, output=output, input_folder=input_folder, site=settings.site)


def _count_old(run: _Run, record: Record) -> None:
    if record.failure is None:
        run.counts.skipped += 1
    else:
        run.counts.still_failed += 1
        _list_failure(run, record)


def _choose_executor(options: RunOptions) -> Executor:
    available = available_bytes()
    fitting = suggest_nprocs(available, options.memory_limit or options.memory_per_worker, usable_cores())
    if options.nprocs == 1 and not options.limited:
        return InProcess()
    workers = options.nprocs or fitting
    limit = options.memory_limit or share_of_memory(available, workers, options.memory_per_worker)
    return ProcessPool(workers, options.timeout_s or DEFAULT_TIMEOUT_S, limit)


def _dry_run(
    refs: Iterable[ScanRef], output: Path, identity: Identity, options: RunOptions, clock: float
) -> RunSummary:
    counts, plans = Counts(listed=True), Counter[str]()

    def count(lookup: Database | Unknown) -> None:
        for planned in plan(refs, output, identity, lookup, options.retry_failed):
            counts.found += 1
            counts.skipped += planned.step is Step.SKIP and not planned.failed
            counts.still_failed += planned.step is Step.SKIP and planned.failed
            plans[f"{planned.step}: {planned.why}"] += 1

    if options.db_url or (output / DATABASE_NAME).exists():
        with Database(output, options.db_url) as database:
            count(database)
    else:
        count(Unknown())
    return RunSummary(counts, seconds=perf_counter() - clock, plan=dict(plans))


def _work(
    run: _Run,
    refs: Iterable[ScanRef],
    identity: Identity,
    database: Database,
    executor: Executor,
    progress: OnProgress,
) -> bool:
    """Do what is to do; True if the user stopped it. Whatever happens, what is finished is kept."""
    collector = Collector(database)
    planned = plan(refs, run.output, identity, database, run.options.retry_failed)
    jobs = _jobs(run.outlook.look(planned), run, collector, progress)
    try:
        with _sigterm_as_interrupt(), closing(_generator(executor.run(jobs, run.context))) as outcomes:
            for outcome in outcomes:
                _take(outcome, run, collector)
                run.outlook.note_workers(executor.workers)
                _tell(outcome, run, progress)
    except KeyboardInterrupt:
        _gather(run, collector)
        return True
    finally:
        remove_scratch(run.output)
        collector.flush()
    return False


def _generator(outcomes: Iterator[Outcome]) -> Any:
    """An iterator that can be closed, so that an interrupted run stops its workers at once."""
    return outcomes if hasattr(outcomes, "close") else (outcome for outcome in outcomes)


def _jobs(planned: Iterable[Planned], run: _Run, collector: Collector, progress: OnProgress) -> Iterator[Job]:
    """Jobs of the plan; what needs no work is counted on the way."""
    handed_out = 0
    for item in planned:
        run.counts.found += 1
        if item.found is not None:
            collector.add(item.found)
        if item.step is Step.SKIP:
            run.counts.skipped += not item.failed
            run.counts.still_failed += item.failed
        elif run.options.first is not None and handed_out >= run.options.first:
            run.counts.left += 1
        else:
            handed_out += item.step is Step.RUN
            path = record_path(run.output, item.ref.stem)
            run.under_way[item.ref.scan] = (path, file_mark(path))
            yield Job(item.ref, item.known_sha256)
    run.counts.listed = True
    progress(run.progress())


def _take(outcome: Outcome, run: _Run, collector: Collector) -> None:
    if outcome.fatal is not None:
        raise outcome.fatal
    if outcome.record is None:
        return
    run.under_way.pop(outcome.record.scan, None)
    collector.add(outcome.record)
    run.counts.page_errors += outcome.page_error is not None
    if outcome.refreshed:
        run.counts.refreshed += 1
    elif outcome.record.failure is None:
        run.counts.done += 1
    else:
        run.counts.failed += 1
        _list_failure(run, outcome.record)


def _tell(outcome: Outcome, run: _Run, progress: OnProgress) -> None:
    """Learn from a finished scan, and tell those who look on."""
    run.outlook.learn(outcome)
    state = run.progress("" if outcome.record is None else outcome.record.scan)
    run.watchers.took(outcome, state)
    progress(state)


@contextmanager
def _watched(run: _Run, watchers: Sequence[MakeWatcher], workers: int) -> Iterator[None]:
    """Tell those who look on that the run begins, and how it ended."""
    key = log_key(run.output) if watchers else None
    run.watchers = Watchers([SignOfLife(run.output), *(make(key) for make in watchers if key is not None)])
    run.watchers.began(Began(run.settings.tasks, workers, "" if key is None else study_key(key), SOFTWARE))
    ended = "stopped"
    try:
        yield
        ended = "interrupted" if run.interrupted else "done"
    finally:
        run.watchers.ended(run.progress(), perf_counter() - run.clock, ended)


def _gather(run: _Run, collector: Collector) -> None:
    """Take the scans that workers finished and were stopped before they could say so.

    A record is new if it is another file than before: clocks of this machine and of the file system may differ or jump.
    """
    for path, before in list(run.under_way.values()):
        if file_mark(path) not in (None, before):
            _take(Outcome(read_record(path)), run, collector)


def _list_failure(run: _Run, record: Record) -> None:
    failure = record.failure
    if failure is not None and len(run.failures) < MAX_LISTED:
        run.failures.append(ListedFailure(record.scan, failure.kind, failure.cause, failure.remedy))


def _write_study(run: _Run, database: Database, interrupted: bool) -> None:
    """Mark duplicates, decide again where the calibration is another one, write tables, methods and run identity."""
    changed = find_changed_duplicates(database)
    for record in changed:
        finish(record, run.context)
    database.ingest(changed)
    tally, redecided = Tally(), list[str]()
    write_tables(tally.watch(_up_to_date(database.records(), run, redecided)), run.output)
    # After the pass: where SQLite cannot keep a log, a reader keeps writers out.
    collector = Collector(database)
    for stem in redecided:
        collector.add(read_record(record_path(run.output, stem)))
    collector.flush()
    run.counts.redecided = len(redecided)
    run.counts.duplicates, run.counts.in_study = tally.duplicates, tally.total
    facts = _facts(run, interrupted)
    write_methods(tally, facts)
    write_run_toml(facts)


def _up_to_date(records: Iterable[Record], run: _Run, redecided: list[str]) -> Iterator[Record]:
    """Pass records on, decided as the calibrations of this run say. Files and pages of those that change are written
    on the way and their stems noted; one that a crash leaves out of the database is found again by the next run."""
    for record in records:
        fresh = redecide(record, run.context.calibrations)
        if fresh is not None:
            finish(fresh, run.context)
            redecided.append(fresh.stem)
        yield record if fresh is None else fresh


def _facts(run: _Run, interrupted: bool) -> RunFacts:
    options = asdict(run.options)
    options.pop("db_url")  # It may hold a password.
    counts = {name: value for name, value in asdict(run.counts).items() if not isinstance(value, bool)}
    return RunFacts(
        input=run.input,
        output=run.output,
        started=run.started,
        ended=datetime.now(UTC),
        settings={**run.settings.resolved(), "calibrations": dict(run.context.calibrations.sha256)},
        options=options,
        models=run.context.models,
        counts=counts,
        interrupted=interrupted,
    )


def _note_run(run: _Run, database: Database, interrupted: bool) -> None:
    facts = _facts(run, interrupted)
    database.add_run(
        started=facts.started,
        ended=facts.ended,
        software=SOFTWARE,
        settings=json.dumps({**facts.settings, **facts.options}),
        counts=json.dumps(facts.counts),
        interrupted=interrupted,
    )


@contextmanager
def _output_faults(output: Path) -> Iterator[None]:
    try:
        yield
    except StoreError:
        raise
    except OSError as error:
        fault = output_error(error, f"OUTPUT {output}")
        if fault is None:
            raise
        raise fault from error


@contextmanager
def _sigterm_as_interrupt() -> Iterator[None]:
    """Batch systems and containers stop a run with SIGTERM: leave as clean a state as after Ctrl-C."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
