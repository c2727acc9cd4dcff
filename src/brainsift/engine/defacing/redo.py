"""Make a new attempt at a scan that failed, sift the new file, and put it back into the queue."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from brainsift.engine.content import content_sha256
from brainsift.engine.defacing.attempts import Attempt, Chains, add_attempt, attempt_name
from brainsift.engine.defacing.clear import clear_voxels
from brainsift.engine.defacing.command import TIMEOUT_S, run_command
from brainsift.engine.defacing.shear import EAR_BUFFER_MM, FACE_BUFFER_MM, shear_mask
from brainsift.engine.defacing.standing import TASK, Standing
from brainsift.engine.grids import sample_nearest
from brainsift.engine.job import Context, Job, do_job, scratch_folder
from brainsift.scans.errors import ScanError
from brainsift.scans.ref import ScanRef
from brainsift.scans.write import write_like_input
from brainsift.store.database import Database
from brainsift.store.files import require_inside
from brainsift.store.record import Record
from brainsift.tasks.base import Finding

MAX_ATTEMPTS = 3
"""Files made of one scan, the one that came in among them; then it cannot be defaced (4 % of scans never can; Delbarre
2022)."""

BUFFER_STEP_MM = 4.0
"""The shear moves by this much with each further attempt in the same direction."""

MIN_BUFFER_MM, MAX_BUFFER_MM = 2.0, 30.0


@dataclass(frozen=True)
class Means:
    """What a new attempt is made with: quickshear's geometry, or a command of the user's.

    Attributes
    ----------
    command : words of a template (`command.split_template`); None for the shear.
    buffer_mm : of the shear at the first attempt; None to go by what failed.
    ears : whether the shear clears ears.
    timeout_s : of the command.
    """

    command: tuple[str, ...] | None = None
    buffer_mm: float | None = None
    ears: bool = True
    timeout_s: float = TIMEOUT_S

    @property
    def tool(self) -> str:
        """For the ledger."""
        return "quickshear geometry" if self.command is None else Path(self.command[0]).name


@dataclass
class Redone:
    """What came of the attempts."""

    made: list[Attempt] = field(default_factory=list)
    failed: list[Attempt] = field(default_factory=list)
    given_up: list[Attempt] = field(default_factory=list)


def redo(
    standing: Standing, chains: Chains, source: Path, means: Means, context: Context, database: Database
) -> Iterator[Attempt]:
    """Make one new attempt at a scan, or give it up; each step is in the ledger before the next one begins.

    Parameters
    ----------
    standing : a scan to be remedied.
    chains : the ledger as it was read.
    source : INPUT.
    means : what to make it with.
    context : as of a run on OUTPUT; the new file is sifted with its settings.
    database : the new record goes there.

    Yields
    ------
    the lines that were added to the ledger.
    """
    number = chains.next_number(standing.origin)
    if number > MAX_ATTEMPTS:
        yield _note(context.output, standing, number - 1, "given_up", reason=f"{number - 1} attempts failed.")
        return
    parent = scan_path(standing.record.scan, source, context.output, chains)
    start = scan_path(standing.origin, source, context.output, chains)
    name = attempt_name(standing.origin, number)
    target = context.output / name
    parameters = _parameters(means, standing, number)
    try:
        _require_recorded(parent, standing.record)
        _make(start, target, means, parameters, context)
    except (ScanError, ValueError) as error:
        reason = error.cause if isinstance(error, ScanError) else f"{error}."
        yield _note(context.output, standing, number, "failed", means.tool, parameters, reason)
        return
    reference = _reference(name, target, standing.record, start)
    attempt = Attempt(
        kind="made",
        origin=standing.origin,
        parent=standing.record.scan,
        parent_sha256=standing.record.input.sha256 or "",
        number=number,
        scan=name,
        sha256=content_sha256(reference),
        tool=means.tool,
        parameters=parameters,
        at=datetime.now(UTC),
    )
    # The ledger first: a file without a line would be an orphan that nobody links to its scan.
    add_attempt(context.output, attempt)
    outcome = do_job(Job(reference), context)
    if outcome.fatal is not None:
        raise outcome.fatal
    if outcome.record is not None:
        database.ingest([outcome.record])
    yield attempt


def scan_path(scan: str, source: Path, output: Path, chains: Chains) -> Path:
    """The file of a scan: below INPUT, or below OUTPUT where an attempt made it.

    Raises
    ------
    ScanError
        if the name leads out of these folders.
    """
    root = source if chains.origin(scan) == scan else output
    path = root / scan
    if Path(scan).is_absolute() or ".." in Path(scan).parts:
        raise ScanError("outside", f"The name {scan!r} leads out of its folder.", "Sift the folder again.")
    return path


def _require_recorded(path: Path, record: Record) -> None:
    if not path.is_file():
        raise ScanError("gone", "The file is no longer there, or is no single file.", "Give `--input`.")
    if content_sha256(_as_reference(record.scan, path)) != record.input.sha256:
        raise ScanError("changed", "The file changed after it was sifted.", "Run `brainsift run` again.")


def _make(start: Path, target: Path, means: Means, parameters: dict[str, str], context: Context) -> None:
    """Make the new file of the scan that came in: attempts do not pile up on each other."""
    target.parent.mkdir(parents=True, exist_ok=True)
    require_inside(target.parent, context.output)
    with scratch_folder(context.scratch) as scratch:
        volume = context.stages.read(_as_reference(start.name, start), scratch)
        anatomy = context.stages.anatomy(volume, context.settings, context.threads)
        if means.command is None:
            buffer_mm = float(parameters["buffer_mm"])
            cleared = shear_mask(volume, anatomy, buffer_mm, ears=means.ears)
            clear_voxels(start, volume, cleared, target)
            return
        mask = scratch / "brain_mask.nii.gz"
        brain = sample_nearest(anatomy.brain, anatomy.affine, volume.shape, volume.affine)
        write_like_input(volume, brain, mask, np.uint8)
        made = scratch / f"made{''.join(target.suffixes[-2:]) if target.name.endswith('.nii.gz') else '.nii'}"
        ran = run_command(means.command, {"input": start, "output": made, "mask": mask}, scratch, means.timeout_s)
        if not ran.made:
            raise ValueError(ran.reason.removesuffix("."))
        target.write_bytes(made.read_bytes())


def _parameters(means: Means, standing: Standing, number: int) -> dict[str, str]:
    if means.command is not None:
        return {"command": " ".join(means.command)}
    first = FACE_BUFFER_MM if means.buffer_mm is None else means.buffer_mm
    way = {"insufficient": -1, "excessive": 1}.get(standing.label, 0)
    # The first attempt of ours knows nothing of another tool's failure; the next ones know of its own.
    buffer_mm = float(np.clip(first + way * (number - 2) * BUFFER_STEP_MM, MIN_BUFFER_MM, MAX_BUFFER_MM))
    told = {"buffer_mm": f"{buffer_mm:g}"}
    return told | ({"ear_buffer_mm": f"{EAR_BUFFER_MM:g}"} if means.ears else {})


def _as_reference(scan: str, path: Path) -> ScanRef:
    state = path.stat()
    stem = scan.removesuffix(".gz").removesuffix(".nii")
    return ScanRef(scan, stem, "nifti", (path,), state.st_size, state.st_mtime_ns)


def _reference(name: str, target: Path, parent: Record, start: Path) -> ScanRef:
    """The new file as a scan of the study: whose it is, and what it was made from."""
    known = _as_reference(name, target)
    return replace(known, participant=parent.participant, session=parent.session, suffix=parent.suffix, original=start)


def _note(
    output: Path,
    standing: Standing,
    number: int,
    kind: str,
    tool: str = "",
    parameters: dict[str, str] | None = None,
    reason: str = "",
) -> Attempt:
    attempt = Attempt(
        kind=kind,  # type: ignore[arg-type]
        origin=standing.origin,
        parent=standing.record.scan,
        parent_sha256=standing.record.input.sha256 or "",
        number=number,
        tool=tool,
        parameters=parameters or {},
        reason=reason,
        at=datetime.now(UTC),
    )
    add_attempt(output, attempt)
    return attempt


def finding_of(record: Record) -> Finding | None:
    """The finding of the task in a record."""
    return record.finding(TASK)
