"""Copy what people passed, byte for byte, and nothing else; with a manifest that says who passed what.

A state that is reached here is "defacing checked", never "anonymous": 28 to 38 % of scans still match a photograph
after popular tools.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from brainsift import __version__
from brainsift.decide.bounds import upper_bound
from brainsift.engine.defacing.attempts import Chains
from brainsift.engine.defacing.redo import scan_path
from brainsift.engine.defacing.standing import PASSED_CHOICE, TASK, Standing, State
from brainsift.engine.errors import RunError
from brainsift.scans.errors import ScanError
from brainsift.store.database import Database
from brainsift.store.files import require_inside, write_atomic
from brainsift.store.reviews.verdicts import pairs
from brainsift.store.table import format_cell

MANIFEST_NAME, SUMMARY_NAME = "release_manifest.tsv", "release.json"

COLUMNS = ("file", "scan", "attempt", "sha256", "passed_by", "trail_position", "model_sha256")

CHUNK_BYTES = 1 << 20

CONFIDENCE = 0.95
"""Of the bound on what is left of errors."""

ENDINGS = (".nii", ".nii.gz")
"""What is released. DICOM headers hold identities, and no defacing takes them out."""

STATEMENT = "Defacing checked by a person. Not a statement that nobody can be recognised."


@dataclass(frozen=True)
class Released:
    """One file that was copied."""

    file: str
    scan: str
    attempt: int
    sha256: str
    passed_by: str
    trail_position: int
    model_sha256: str


@dataclass(frozen=True)
class Withheld:
    """One scan that people passed and that is not released, with the reason."""

    scan: str
    cause: str
    remedy: str


@dataclass(frozen=True)
class ErrorBound:
    """What the second, blinded readings of passed scans allow one to say.

    Attributes
    ----------
    rechecked : passed scans that a second person read without knowing the first answer.
    missed : of these, the ones that the second person did not pass.
    bound : largest share of wrong passes that this leaves possible (95 %, one-sided); None without a second reading.
    """

    rechecked: int
    missed: int
    bound: float | None


@dataclass
class Release:
    """What came of it."""

    copied: list[Released] = field(default_factory=list)
    withheld: list[Withheld] = field(default_factory=list)
    states: dict[str, int] = field(default_factory=dict)
    bound: ErrorBound = field(default_factory=lambda: ErrorBound(0, 0, None))


def release(
    standings: Iterable[Standing], chains: Chains, source: Path, output: Path, target: Path, database: Database
) -> Release:
    """Copy every scan whose newest file a person passed, and write manifest and summary to `target`.

    A file is copied only if its bytes, as they are written, have the SHA-256 that the person passed.

    Parameters
    ----------
    source, output : INPUT and OUTPUT.
    target : new or empty folder, in neither of them.

    Raises
    ------
    RunError
        if `target` cannot be used.
    """
    prepare_target(target, source, output)
    made = Release(bound=error_bound(database))
    for one in standings:
        made.states[one.state.value] = made.states.get(one.state.value, 0) + 1
        if one.state is not State.PASSED:
            continue
        try:
            made.copied.append(_copy_passed(one, chains, source, output, target))
        except ScanError as error:
            made.withheld.append(Withheld(one.record.scan, error.cause, error.remedy))
    _write_papers(made, target)
    return made


def prepare_target(target: Path, source: Path, output: Path) -> None:
    """Make the folder of a release.

    Raises
    ------
    RunError
        if it is not empty, a file, or lies in INPUT or OUTPUT.
    """
    place = target.resolve()
    for folder, name in ((source, "INPUT"), (output, "OUTPUT")):
        if place.is_relative_to(folder.resolve()) or folder.resolve().is_relative_to(place):
            raise RunError("release_target", f"{target} and {name} lie in each other.", "Name a folder elsewhere.")
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise RunError(
            "release_target", f"{target} is not an empty folder.", "Name a new folder: a release is never mixed."
        )
    target.mkdir(parents=True, exist_ok=True)


def _copy_passed(one: Standing, chains: Chains, source: Path, output: Path, target: Path) -> Released:
    case = one.case
    if case is None or case.choice != PASSED_CHOICE or case.by is None or case.position is None:
        raise ScanError("not_signed", "No person's signature stands behind it.", "Let a person pass it.")
    if not one.record.scan.endswith(ENDINGS):
        raise ScanError(
            "not_nifti", "It is no NIfTI file, and other headers hold identities.", "Convert it, sift and review that."
        )
    path = scan_path(one.record.scan, source, output, chains)
    # An attempt is released under the name of the scan that it stands for.
    name = one.origin
    copy_if_same(path, target / name, case.basis, target)
    finding = one.record.finding(TASK)
    return Released(
        file=name,
        scan=one.record.scan,
        attempt=one.number,
        sha256=case.basis,
        passed_by=case.by,
        trail_position=case.position,
        model_sha256=(finding.model_sha256 if finding else None) or "",
    )


def copy_if_same(path: Path, place: Path, sha256: str, target: Path) -> None:
    """Copy a file while hashing what is written, and keep the copy only if it has this SHA-256.

    Raises
    ------
    ScanError
        ``changed`` if a byte differs, ``gone`` if there is no file.
    """
    place.parent.mkdir(parents=True, exist_ok=True)
    require_inside(place.parent, target)
    part = place.with_name(f".{place.name}.{os.getpid()}.part")
    digest = hashlib.sha256()
    try:
        with path.open("rb") as reading, part.open("xb") as writing:
            while chunk := reading.read(CHUNK_BYTES):
                digest.update(chunk)
                writing.write(chunk)
            writing.flush()
            os.fsync(writing.fileno())
        if digest.hexdigest() != sha256:
            raise ScanError(
                "changed",
                "The file is not the one that a person passed.",
                "Run `brainsift run` again and let a person look at it.",
            )
        part.replace(place)
    except FileNotFoundError:
        raise ScanError("gone", "The file is no longer there.", "Give `--input`, or sift the folder again.") from None
    finally:
        part.unlink(missing_ok=True)


def error_bound(database: Database) -> ErrorBound:
    """Bound on wrong passes from scans that two people read blindly, the first of whom passed them.

    With no miss among n it is about 3 / n.
    """
    passed = [second["choice"] == PASSED_CHOICE for _, first, second in pairs(database, TASK) if _passes(first)]
    missed = passed.count(False)
    bound = upper_bound(missed, len(passed), 1 - CONFIDENCE) if passed else None
    return ErrorBound(len(passed), missed, bound)


def _passes(row: dict[str, Any]) -> bool:
    return bool(row["choice"] == PASSED_CHOICE)


def _write_papers(made: Release, target: Path) -> None:
    lines = ["\t".join(COLUMNS)]
    lines += ["\t".join(format_cell(getattr(one, name)) for name in COLUMNS) for one in made.copied]
    write_atomic(target / MANIFEST_NAME, "\n".join(lines) + "\n", target)
    summary = {
        "software": f"brainsift {__version__}",
        "at": datetime.now(UTC).isoformat(),
        "statement": STATEMENT,
        "released": len(made.copied),
        "withheld": [asdict(one) for one in made.withheld],
        "states": made.states,
        "residual_error": {**asdict(made.bound), "confidence": CONFIDENCE},
        "manifest_sha256": hashlib.sha256((target / MANIFEST_NAME).read_bytes()).hexdigest(),
    }
    write_atomic(target / SUMMARY_NAME, json.dumps(summary, indent=2) + "\n", target)
