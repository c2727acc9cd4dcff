"""The calibrations of a run, loaded once, and whose scan is of which site."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from brainsift.decide.decision import Decision
from brainsift.decide.rules import CALIBRATED_TASKS, decide
from brainsift.decide.scores import PARTS
from brainsift.decide.stored import Calibration, CalibrationError, read_calibration
from brainsift.engine.errors import RunError
from brainsift.store.basis import kept_path
from brainsift.store.files import write_atomic
from brainsift.tasks.base import Finding

PARTICIPANTS_NAME = "participants.tsv"
SITE_COLUMNS = ("site", "site_id")
"""Columns of a BIDS `participants.tsv` that name the site; BIDS has no fixed name for it."""


def calibration_path(output: Path, task: str) -> Path:
    """Where `brainsift calibrate` leaves the calibration of a task, and a run looks for it."""
    return output / f"calibration_{task}.json"


@dataclass(frozen=True)
class Calibrations:
    """What decisions rest on; without any, thresholds are provisional.

    Attributes
    ----------
    of_task : task → calibration.
    sha256 : task → digest of the calibration's file; kept in each record that was decided with it.
    sites : participant → site, where a calibration goes by site.
    site : of scans whose participant is not in `sites`.
    """

    of_task: Mapping[str, Calibration] = field(default_factory=dict)
    sha256: Mapping[str, str] = field(default_factory=dict)
    sites: Mapping[str, str] = field(default_factory=dict)
    site: str | None = None

    @property
    def by_site(self) -> bool:
        """Whether a site has to be known to decide."""
        return any(calibration.by == "site" for calibration in self.of_task.values())

    def site_of(self, participant: str | None, known: str | None = None) -> str | None:
        """Site of a participant's scan, or what was `known` of it before; None where no calibration asks for it."""
        if not self.by_site:
            return None
        return self.sites.get(participant or "", self.site or known)

    def used_for(self, findings: Iterable[Finding]) -> dict[str, str]:
        """Task → digest of the calibration that decides about these findings."""
        return {finding.task: self.sha256[finding.task] for finding in findings if finding.task in self.sha256}

    def decide(self, finding: Finding, site: str | None) -> Decision | None:
        """Decide about a finding of a scan of `site`; None where no rule knows its task.

        Where a calibration goes by sequence, the finding itself says which.
        """
        calibration = self.of_task.get(finding.task)
        by_site = calibration is not None and calibration.by == "site"
        return decide(finding, self.of_task, site if by_site else None)

    def warnings(self, tasks: Sequence[str], models: Mapping[str, str]) -> list[str]:
        """What a user should know before believing the decisions of a run of `tasks` with `models` (id → SHA-256)."""
        told = []
        for task in (name for name in tasks if name in CALIBRATED_TASKS):
            calibration = self.of_task.get(task)
            if calibration is None:
                told.append(
                    f"No calibration of `{task}`: decisions rest on provisional thresholds, stricter and without a "
                    f"promise. `brainsift calibrate {task} OUTPUT` says what labels would buy."
                )
            elif models.get(calibration.model_id or "", calibration.model_sha256) != calibration.model_sha256:
                told.append(
                    f"The calibration of `{task}` is of another model: decisions rest on provisional thresholds. "
                    "Calibrate again."
                )
        if self.by_site and not self.sites and self.site is None:
            told.append(
                "The calibration goes by site, but the site of no scan is known: provisional thresholds. Give --site, "
                f"or a column `site` in INPUT/{PARTICIPANTS_NAME}."
            )
        return told


def load_calibrations(
    files: Sequence[Path] = (),
    *,
    output: Path | None = None,
    input_folder: Path | None = None,
    site: str | None = None,
) -> Calibrations:
    """Read the calibrations of a run.

    Parameters
    ----------
    files : given by the user; they go before those that lie in `output`.
    output : folder whose `calibration_TASK.json` are used where present.
    input_folder : holds the `participants.tsv` that names sites, if a calibration goes by them.
    site : of scans that it does not name.

    Raises
    ------
    RunError
        if a file cannot be read or is no calibration, or two are of the same task. A calibration that is there but
        broken stops the run: to go on without it would change decisions in silence.
    """
    found: dict[str, tuple[Path, Calibration]] = {}
    for path in files:
        calibration = _read(path)
        if calibration.task in found:
            raise RunError(
                "calibration",
                f"{found[calibration.task][0]} and {path} are both of the task `{calibration.task}`.",
                "Give one calibration for each task.",
            )
        found[calibration.task] = path, calibration
    for task in PARTS if output is not None else ():
        path = calibration_path(output, task) if output is not None else Path()
        if task not in found and path.is_file():
            calibration = _read(path)
            if calibration.task != task:
                raise RunError("calibration", f"{path} is of the task `{calibration.task}`.", "Calibrate again.")
            found[task] = path, calibration
    made = Calibrations(
        of_task={task: calibration for task, (_, calibration) in found.items()},
        sha256={task: hashlib.sha256(path.read_bytes()).hexdigest() for task, (path, _) in found.items()},
    )
    sites = read_sites(input_folder) if made.by_site and input_folder is not None else {}
    return Calibrations(made.of_task, made.sha256, sites, site)


def keep_calibrations(calibrations: Calibrations, files: Sequence[Path], output: Path) -> None:
    """Keep a copy of each calibration in OUTPUT, so that the study's page can tell what its decisions rest on.

    Parameters
    ----------
    files : those given by the user, as in `load_calibrations`.

    Raises
    ------
    OSError
        if OUTPUT cannot be written.
    """
    given = [*files, *(calibration_path(output, task) for task in calibrations.of_task)]
    for path in given:
        content = path.read_bytes() if path.is_file() else b""
        digest = hashlib.sha256(content).hexdigest()
        for task, sha256 in calibrations.sha256.items():
            copy = kept_path(output, task, sha256)
            if digest == sha256 and not copy.is_file():
                write_atomic(copy, content.decode("utf-8"), output)


def read_sites(input_folder: Path) -> dict[str, str]:
    """Participant (without ``sub-``) → site, from `participants.tsv`; empty where there is none or it names no sites.

    Raises
    ------
    RunError
        if the file is not UTF-8 text, or a cell of it is absurdly long.
    """
    path = input_folder / PARTICIPANTS_NAME
    if not path.is_file():
        return {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    except (UnicodeDecodeError, csv.Error):
        cause = f"{path} is no tab-separated UTF-8 text."
        raise RunError("participants", cause, "Save it as tab-separated UTF-8 text.") from None
    named = {name.strip().lower(): name for name in (rows[0] if rows else {}) if name}
    column = next((named[name] for name in SITE_COLUMNS if name in named), None)
    if column is None or "participant_id" not in named:
        return {}
    cells = ((row[named["participant_id"]], (row[column] or "").strip()) for row in rows)
    return {who.strip().removeprefix("sub-"): site for who, site in cells if who and site not in ("", "n/a")}


def _read(path: Path) -> Calibration:
    try:
        return read_calibration(path)
    except CalibrationError as error:
        raise RunError("calibration", error.cause, error.remedy) from error
    except OSError as error:
        cause = f"The calibration {path} cannot be read ({error.strerror})."
        raise RunError("calibration", cause, "Give a file that `brainsift calibrate` wrote.") from None
