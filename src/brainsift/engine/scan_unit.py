"""One scan from reference to record: the unit of work, isolated, never raising for a bad scan."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from brainsift import __version__
from brainsift.decide.decision import Action, Decision
from brainsift.decide.prerequisites import why_not_asked
from brainsift.engine.calibrations import Calibrations
from brainsift.engine.drawn_evidence import with_drawn
from brainsift.engine.evidence import write_evidence
from brainsift.engine.limits import out_of_memory
from brainsift.engine.redecide import reason_of
from brainsift.engine.settings import RunSettings
from brainsift.engine.slices_evidence import with_slices
from brainsift.engine.stages import Stages
from brainsift.engine.views_evidence import with_views
from brainsift.scans.errors import ScanError
from brainsift.scans.quiet import quiet
from brainsift.scans.ref import ScanRef
from brainsift.stage_clock import StageClock, listening, stage
from brainsift.store.errors import FULL, StoreError, output_error
from brainsift.store.files import derived_path, write_atomic
from brainsift.store.record import Failure, InputFacts, Record
from brainsift.tasks.base import Atlased, Drawn, Draws, Finding, Measurement, Networked, NotApplicableError, Task

if TYPE_CHECKING:
    from brainsift.anatomy.anatomy import Anatomy
    from brainsift.scans.volume import Volume

SOFTWARE = f"brainsift {__version__}"
LOG_SUFFIX = "_desc-traceback_log.txt"
NOT_APPLICABLE = "The question does not apply to this scan."


def fingerprint(ref: ScanRef) -> str:
    """Size and modification time: compared before any byte is read."""
    return f"{ref.size}:{ref.mtime_ns}"


@dataclass
class _Course:
    """How far one scan has come."""

    site: str | None = None
    stage: str = "catalog"
    clock: StageClock = field(default_factory=StageClock)
    volume: Volume | None = None
    anatomy: Anatomy | None = None
    findings: list[Finding] = field(default_factory=list)
    drawn: dict[str, Drawn] = field(default_factory=dict)
    decisions: list[Decision] = field(default_factory=list)
    not_asked: dict[str, str] = field(default_factory=dict)
    evidence: dict[str, str] = field(default_factory=dict)

    @contextmanager
    def at(self, stage: str) -> Iterator[None]:
        self.stage = stage
        with self.clock.at(stage):
            yield


def run_scan(
    ref: ScanRef,
    settings: RunSettings,
    *,
    output: Path | None = None,
    scratch: Path | None = None,
    models: dict[str, str] | None = None,
    threads: int | None = None,
    stages: Stages | None = None,
    calibrations: Calibrations | None = None,
    clock: StageClock | None = None,
) -> Record:
    """Read a scan, look at it, decide about it.

    Parameters
    ----------
    ref : from the catalog.
    settings : what is asked.
    output : where pictures, masks and the log of an unforeseen error go; None to write nothing.
    scratch : folder for intermediate files; the caller removes it.
    models : model id → SHA-256 of the run; None to look them up.
    threads : of the network; None for all cores.
    stages : the steps; None for the real ones.
    calibrations : thresholds; None for provisional ones.
    clock : counts the seconds of the stages; None for one of its own.

    Returns
    -------
    the record, ``failed`` with stage, cause and remedy where anything was wrong with the scan.

    Raises
    ------
    StoreError
        if `output` cannot be written; this concerns the run, not the scan.
    """
    stages = stages or Stages()
    calibrations = calibrations or Calibrations()
    course, start = _Course(calibrations.site_of(ref.participant), clock=clock or StageClock()), time.perf_counter()
    models = stages.models(settings) if models is None else models
    failure = None
    with quiet(), listening(course.clock):
        try:
            _take(ref, settings, stages, calibrations, course, output, scratch, threads)
        except StoreError:
            raise
        except Exception as error:
            if output is not None and isinstance(error, OSError) and error.errno in FULL:
                # Faults of reading are ScanErrors: what has no room is an intermediate file in OUTPUT.
                raise output_error(error, output) or error from error
            failure = _failure(error, ref, course, output)
    used = calibrations.used_for(course.findings)
    return _record(ref, settings, models, course, failure, used, time.perf_counter() - start)


def lost_record(ref: ScanRef, settings: RunSettings, models: dict[str, str], failure: Failure) -> Record:
    """The record of a scan that a worker took and gave nothing back of."""
    return _record(ref, settings, models, _Course(), failure, {}, 0.0)


def _take(
    ref: ScanRef,
    settings: RunSettings,
    stages: Stages,
    calibrations: Calibrations,
    course: _Course,
    output: Path | None,
    scratch: Path | None,
    threads: int | None,
) -> None:
    if ref.problem is not None:
        raise ref.problem
    with course.at("read"):
        volume = course.volume = stages.read(ref, scratch)
    no_anatomy = _see(volume, course, stages, settings, threads)
    for name in settings.tasks:
        left_out = settings.why_left_out(name, _sequence(course))
        if (why := _stopped(course) or left_out or why_not_asked(name, course.findings)) is None:
            pictures = None if output is None else settings.pictures
            _ask(name, ref, volume, course, partial(_task, name, stages, settings, threads), calibrations, pictures)
        else:
            course.not_asked[name] = why
    if no_anatomy is not None and course.findings[0].label == "image":
        course.stage = "anatomy"
        raise no_anatomy
    if output is not None and course.anatomy is not None:
        with course.at("evidence"), _output_faults(output):
            masks = settings.keep_masks and _stopped(course) is None
            course.evidence = write_evidence(
                ref, volume, course.anatomy, output, pictures=settings.pictures, keep_masks=masks, scratch=scratch
            )
            if settings.pictures:
                with stage("slices"):
                    shown = [with_slices(finding, ref, volume, course.anatomy, output) for finding in course.findings]
                with stage("views"):
                    course.findings = [
                        with_views(one, ref, volume, course.anatomy, output, faces=settings.face_renders)
                        for one in shown
                    ]
            with stage("drawn"):
                for place, finding in enumerate(course.findings):
                    if (drawn := course.drawn.pop(finding.task, None)) is not None:
                        course.findings[place] = with_drawn(finding, drawn, ref, volume, output, scratch)


def _see(
    volume: Volume, course: _Course, stages: Stages, settings: RunSettings, threads: int | None
) -> ScanError | None:
    """Run the anatomy pass. A scan that it refuses (empty, constant) still gets its integrity answered."""
    with course.at("anatomy"):
        try:
            course.anatomy = stages.anatomy(volume, settings, threads)
        except ScanError as error:
            return error
    return None


def _stopped(course: _Course) -> str | None:
    """Why nothing more is to be asked: the integrity of the scan is rejected. None while there is no such reason."""
    rejected = (one for one in course.decisions if one.task == "integrity" and one.action is Action.REJECT)
    return next((one.reason or "Its integrity was rejected." for one in rejected), None)


def _sequence(course: _Course) -> str:
    """What the scan is taken for, as far as integrity has said it."""
    said = next((one.measurements.get("sequence") for one in course.findings if one.task == "integrity"), None)
    return said if isinstance(said, str) else "unknown"


def _task(name: str, stages: Stages, settings: RunSettings, threads: int | None) -> Task:
    """The task, with the network of the user's shelf and the worker's share of the cores where it asks one; with the
    user's atlas where it names regions."""
    task = stages.task(name)
    if settings.mars_atlas is not None and isinstance(task, Atlased):
        task = task.with_atlas(settings.mars_atlas)
    return task.on(settings.shelf, threads) if isinstance(task, Networked) else task


def _ask(
    name: str,
    ref: ScanRef,
    volume: Volume,
    course: _Course,
    open_task: Callable[[], Task],
    calibrations: Calibrations,
    pictures: bool | None,
) -> None:
    """Ask one task. What it draws is kept for the evidence unless `pictures` is None, and nothing is written."""
    with course.at(name):
        start = time.perf_counter()
        task = open_task()
        if not task.applies_to(ref, course.anatomy):
            course.not_asked[name] = NOT_APPLICABLE
            return
        try:
            finding = _answer(task, ref, volume, course, pictures)
        except NotApplicableError as why:
            course.not_asked[name] = why.reason
            return
        finding = finding.model_copy(update={"seconds": round(time.perf_counter() - start, 4)})
        course.findings.append(finding)
        decision = calibrations.decide(finding, course.site)
        if decision is not None:
            course.decisions.append(decision)


def _answer(task: Task, ref: ScanRef, volume: Volume, course: _Course, pictures: bool | None) -> Finding:
    if pictures is None or not isinstance(task, Draws):
        return task.run(volume, course.anatomy, ref)
    drawn = course.drawn[task.name] = task.draw(volume, course.anatomy, ref, pictures=pictures)
    return drawn.finding


def _failure(error: Exception, ref: ScanRef, course: _Course, output: Path | None) -> Failure:
    if isinstance(error, ScanError):
        return Failure(kind=error.kind, cause=error.cause, remedy=error.remedy, stage=course.stage)
    if out_of_memory(error):
        return Failure(
            kind="out_of_memory",
            cause="The memory did not suffice for this scan.",
            remedy="Run it again with fewer processes (--nprocs 1), a larger --memory-limit or on a larger machine.",
            stage=course.stage,
        )
    log = _write_log(error, ref, course, output)
    return Failure(
        kind="internal_error",
        # The message of a foreign exception may quote the header, a patient's name with it: only its type is kept.
        cause=f"An unforeseen {type(error).__name__} ended the stage `{course.stage}`.",
        remedy=f"Report it with {log}." if log else "Report it with the output of `brainsift info`.",
        stage=course.stage,
    )


def _write_log(error: Exception, ref: ScanRef, course: _Course, output: Path | None) -> str | None:
    """Keep where the error came from: types and lines of code, no messages and no values."""
    if output is None:
        return None
    lines = [f"{SOFTWARE}, stage {course.stage}"]
    link: BaseException | None = error
    while link is not None:
        frames = traceback.extract_tb(link.__traceback__)
        lines += [
            f"{type(link).__module__}.{type(link).__qualname__}",
            *(f"  {f.filename}:{f.lineno} {f.name}" for f in frames),
        ]
        link = link.__cause__ or link.__context__
    path = derived_path(output, ref.stem, LOG_SUFFIX)
    try:
        write_atomic(path, "\n".join(lines) + "\n", output)
    except OSError as fault:
        if (wrong := output_error(fault, output)) is not None:
            raise wrong from fault
        return None
    return path.relative_to(output).as_posix()


@contextmanager
def _output_faults(output: Path) -> Iterator[None]:
    """A full or read-only OUTPUT is not the scan's fault."""
    try:
        yield
    except OSError as error:
        fault = output_error(error, output)
        if fault is None:
            raise
        raise fault from error


def _record(
    ref: ScanRef,
    settings: RunSettings,
    models: dict[str, str],
    course: _Course,
    failure: Failure | None,
    calibrations: dict[str, str],
    seconds: float,
) -> Record:
    return Record(
        scan=ref.scan,
        stem=ref.stem,
        participant=ref.participant,
        session=ref.session,
        suffix=ref.suffix,
        site=course.site,
        status="done" if failure is None else "failed",
        reason=reason_of(course.findings, course.decisions) if failure is None else failure.cause,
        input=_input_facts(ref, course.volume),
        anatomy=_measures(course.anatomy),
        findings=tuple(course.findings),
        decisions=tuple(course.decisions),
        calibrations=calibrations,
        not_asked=course.not_asked,
        failure=failure,
        evidence=course.evidence,
        models=models,
        settings_sha256=settings.sha256(),
        software=SOFTWARE,
        seconds=round(seconds, 4),
        stage_seconds={name: round(spent, 4) for name, spent in course.clock.wall.items()},
    )


def _input_facts(ref: ScanRef, volume: Volume | None) -> InputFacts:
    if volume is None:
        return InputFacts(format=ref.format, size=ref.size, fingerprint=fingerprint(ref))
    facts = volume.facts
    return InputFacts(
        format=facts.format,
        size=ref.size,
        fingerprint=fingerprint(ref),
        sha256=facts.sha256,
        stored_dtype=facts.stored_dtype,
        stored_shape=facts.stored_shape,
        spacing_mm=tuple(round(float(mm), 4) for mm in volume.spacing),
        repairs=facts.repairs,
        header=dict(facts.header),
    )


def _measures(anatomy: Anatomy | None) -> dict[str, Measurement]:
    """Numbers of the anatomy pass, rounded to what they can mean: 0.01 mL, 0.01 mm, 0.0001 of a share."""
    if anatomy is None:
        return {}
    residual = anatomy.mni_residual_mm
    return {
        "has_brain": bool(anatomy.has_brain),
        "brain_ml": round(float(anatomy.brain_ml), 2),
        "icv_ml": round(float(anatomy.icv_ml), 2),
        "outside_fov": round(float(anatomy.outside_fov), 4),
        "mni_residual_mm": None if residual is None else round(float(residual), 2),
        "confidence": round(float(anatomy.confidence), 4),
        **{f"{name}_ml": round(float(volume), 2) for name, volume in anatomy.volumes_ml.items()},
    }
