"""What people know of scans beside what the records say of them; shared by `calibrate` and `evaluate`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from brainsift.cli.exits import Stop

if TYPE_CHECKING:
    from brainsift.evaluate.labels import Label
    from brainsift.store.record import Record
    from brainsift.tasks.base import Finding


@dataclass(frozen=True)
class Study:
    """Findings of one task, and the labels of those scans.

    Attributes
    ----------
    findings : scan → finding and record, of every scan that the task answered for.
    labels : all rows that no model was fitted on and whose scan has a finding; the participant is the record's where
        the labels name none.
    agreed : scan → the raters' consensus.
    left_out : what was not used and why, in words.
    """

    findings: dict[str, tuple[Finding, Record]]
    labels: list[Label]
    agreed: dict[str, Label]
    left_out: list[str]


def read_study(task: str, output: Path, labels: Path) -> Study:
    """Join labels and records by the name of the scan.

    Raises
    ------
    Stop
        if there is nothing to join, or the labels file cannot be used.
    """
    from brainsift.evaluate.consensus import consensus
    from brainsift.evaluate.labels import unseen

    given = read_label_rows(labels)
    held_out = unseen(given)
    findings = read_findings(task, output)
    found = [label for label in held_out if label.scan in findings]
    if not found:
        raise Stop(
            f"No row of {labels.name} names a scan of {output} that the task `{task}` answered for"
            + (" (rows marked `train` or `validation` do not count)." if len(held_out) < len(given) else "."),
            f"Name scans as in brainsift.tsv, such as {next(iter(findings))!r}.",
        )
    found = [label if label.participant else _whose(label, findings[label.scan][1]) for label in found]
    left_out = []
    if len(held_out) < len(given):
        left_out.append(f"{len(given) - len(held_out)} rows marked `train` or `validation`: the model has seen them")
    missing = {label.scan for label in held_out} - set(findings)
    if missing:
        left_out.append(f"{len(missing)} labelled scans without a finding, such as {min(missing)!r}")
    return Study(findings, found, consensus(found), left_out)


def read_findings(task: str, output: Path) -> dict[str, tuple[Finding, Record]]:
    """Scan → finding of the task, with its record, from the records below OUTPUT.

    Raises
    ------
    Stop
        if there are none.
    """
    from brainsift.store.record_io import read_record, record_files

    if not output.is_dir():
        raise Stop(f"There is no folder {output}.", "Give the OUTPUT of a `brainsift run`.")
    records = [read_record(path) for path in record_files(output)]
    found = {record.scan: (finding, record) for record in records if (finding := record.finding(task)) is not None}
    if not found:
        held = f"{len(records)} records, none with the task `{task}`" if records else "no records"
        raise Stop(f"{output} holds {held}.", f"Run `brainsift run INPUT {output} --task {task}` first.")
    return found


def labelled_with(labels: Path, column: str, holds: str, remedy: str) -> tuple[list[Label], int]:
    """Rows with a path in `column` that no model was fitted on, and how many were left out because one was.

    Parameters
    ----------
    holds : what lies at such a path, in words.
    remedy : what to do where there is none.

    Raises
    ------
    Stop
        if there are none.
    """
    from brainsift.evaluate.labels import unseen

    given = [label for label in read_label_rows(labels) if getattr(label, column) is not None]
    held_out = unseen(given)
    if not held_out:
        marked = " but for rows marked `train` or `validation`" if given else ""
        raise Stop(f"No row of {labels.name} names {holds} in the column `{column}`{marked}.", remedy)
    return held_out, len(given) - len(held_out)


def read_label_rows(path: Path) -> list[Label]:
    """All rows of a labels file, scans named as in the records.

    Raises
    ------
    Stop
        if the file cannot be used.
    """
    from brainsift.evaluate.labels import LabelsError, read_labels

    try:
        return [label.model_copy(update={"scan": _plain(label.scan)}) for label in read_labels(path)]
    except LabelsError as error:
        raise Stop(error.cause, error.remedy) from error


def _whose(label: Label, record: Record) -> Label:
    return label.model_copy(update={"participant": record.participant})


def _plain(scan: str) -> str:
    """A path as in the records, also where a person wrote ``./`` first or took it from Windows."""
    return scan.replace("\\", "/").removeprefix("./")
