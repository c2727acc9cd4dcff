"""`brainsift check`: one scan, answered in the terminal."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from brainsift.cli.exits import Exit, Stop
from brainsift.cli.options import CalibrationFiles, MarsAtlas, Shelf, Site, TaskNames

if TYPE_CHECKING:
    from brainsift.scans.ref import ScanRef
    from brainsift.store.record import Record

MAX_SCANS = 50
"""A DICOM folder of one visit holds fewer series than this; a folder with more is a study, which `run` is for."""

EXAMPLES = "Examples: `brainsift check scan.nii.gz`, `brainsift check dicom_folder --json`"


def check(
    scan: Annotated[Path, typer.Argument(metavar="SCAN", help="A NIfTI or MGH file, or a folder of DICOM files.")],
    task: TaskNames = None,
    shelf: Shelf = None,
    calibration: CalibrationFiles = None,
    site: Site = None,
    mars_atlas: MarsAtlas = None,
    as_json: Annotated[bool, typer.Option("--json", help="The record as JSON, one line per scan.")] = False,
) -> None:
    """Look at one scan and answer in the terminal; nothing is written.

    Exit code 0 if it is accepted, 1 if it is rejected, failed, or needs a person.
    """
    import tempfile

    from brainsift.cli.run import make_settings
    from brainsift.engine.calibrations import load_calibrations
    from brainsift.engine.scan_unit import run_scan

    refs, settings = find_scans(scan), make_settings(task, shelf, mars_atlas=mars_atlas)
    thresholds = load_calibrations(calibration or (), site=site)
    worst = Exit.DONE
    with tempfile.TemporaryDirectory(prefix="brainsift-") as scratch:
        for ref in refs:
            record = run_scan(ref, settings, scratch=Path(scratch), calibrations=thresholds)
            tell(record, as_json)
            worst = worst if is_accepted(record) else Exit.SCANS_FAILED
    raise typer.Exit(worst)


def find_scans(path: Path) -> list[ScanRef]:
    """The scans of a file or of a folder that one visit fills.

    Raises
    ------
    Stop
        if there are none, or too many.
    """
    from brainsift.scans.catalog import catalog

    if not path.exists():
        raise Stop(f"There is no file or folder {path}.", "Give the path of a scan.")
    refs = list(islice(catalog(path), MAX_SCANS + 1))
    if not refs:
        raise Stop(f"{path} holds no scan.", "Give a NIfTI or MGH file, or a folder of DICOM files.")
    if len(refs) > MAX_SCANS:
        raise Stop(f"{path} holds more than {MAX_SCANS} scans.", f"Sift it with `brainsift run {path} OUTPUT`.")
    return refs


def is_accepted(record: Record) -> bool:
    """Whether the scan was answered for and every decision about it is to accept."""
    return record.status == "done" and all(decision.action.value == "accept" for decision in record.decisions)


def tell(record: Record, as_json: bool) -> None:
    """Print the answer, for a person or for a program."""
    if as_json:
        typer.echo(record.model_dump_json())
        return
    from brainsift.cli.console import answers
    from brainsift.report.terminal import render_record

    render_record(record, answers())
    for task, why in record.not_asked.items():
        answers().print(f"{task}: not asked. {why}", markup=False)
