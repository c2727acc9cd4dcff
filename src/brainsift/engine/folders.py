"""INPUT and OUTPUT: what may be where, and what is checked before any work."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from brainsift.engine.errors import RunError
from brainsift.scans.ref import ScanRef
from brainsift.store.errors import output_error
from brainsift.store.files import PART_SUFFIX

SCRATCH_NAME = ".scratch"
PROBE_NAME = ".brainsift-probe"


def check_folders(input_folder: Path, output: Path) -> None:
    """Refuse folders that cannot work.

    Raises
    ------
    RunError
        if INPUT is no folder or cannot be listed, or OUTPUT is INPUT, lies around it, or is a file.
    """
    if not input_folder.is_dir():
        raise RunError("no_input", f"INPUT {input_folder} is not a folder.", "Give the folder that holds the scans.")
    try:
        next(os.scandir(input_folder), None)
    except OSError as error:
        raise RunError(
            "no_input", f"INPUT {input_folder} cannot be listed ({error.strerror}).", "Grant read permission."
        ) from None
    source, target = input_folder.resolve(), output.resolve()
    if source.is_relative_to(target):
        where = "is INPUT" if source == target else "holds INPUT"
        raise RunError(
            "output_holds_input",
            f"OUTPUT {output} {where}; results would be mixed with the scans.",
            "Choose another OUTPUT folder; one inside INPUT is fine and is not read as input.",
        )
    if output.exists() and not output.is_dir():
        raise RunError("output_is_file", f"OUTPUT {output} is a file.", "Choose a folder, existing or new.")


def prepare_output(output: Path) -> None:
    """Make OUTPUT and prove that it can be written.

    Raises
    ------
    StoreError
        if it cannot.
    """
    try:
        output.mkdir(parents=True, exist_ok=True)
        probe = output / f"{PROBE_NAME}-{os.getpid()}"
        probe.write_bytes(b"x")
        probe.unlink()
    except OSError as error:
        raise output_error(error, f"OUTPUT {output}") or RunError(
            "output", f"OUTPUT {output} cannot be used ({error.strerror}).", "Choose another OUTPUT folder."
        ) from error


def outside_output(refs: Iterable[ScanRef], input_folder: Path, output: Path) -> Iterator[ScanRef]:
    """Pass on the scans of INPUT that do not lie in OUTPUT."""
    source, target = input_folder.resolve(), output.resolve()
    if not target.is_relative_to(source):
        yield from refs
        return
    inside = target.relative_to(source).as_posix()
    yield from (ref for ref in refs if ref.scan != inside and not ref.scan.startswith((f"{inside}/", f"{inside}#")))


def scratch_root(output: Path) -> Path:
    """Folder for this run's intermediate files, inside OUTPUT since nothing is written elsewhere."""
    return output / SCRATCH_NAME / f"{_host()}-{os.getpid()}"


def remove_scratch(output: Path) -> None:
    """Remove this run's scratch, and that of runs on this machine that were killed, with what they were writing."""
    root = output / SCRATCH_NAME
    shutil.rmtree(scratch_root(output), ignore_errors=True)
    if not root.is_dir():
        return
    for folder in root.iterdir():
        if is_alive(folder.name) is False:
            _sweep_dead_parts(output)
            shutil.rmtree(folder, ignore_errors=True)
    if not any(root.iterdir()):
        root.rmdir()


def _sweep_dead_parts(output: Path) -> None:
    """Remove half-written files of processes that are gone. All of OUTPUT is walked: only a killed run asks for it."""
    import psutil

    for part in output.rglob(f".*{PART_SUFFIX}"):
        pid = part.name.removesuffix(PART_SUFFIX).rpartition(".")[2]
        if pid.isdigit() and not psutil.pid_exists(int(pid)):
            part.unlink(missing_ok=True)


def is_alive(scratch_name: str) -> bool | None:
    """Whether the process is there that a folder of `scratch_root` is named after; None for one of another machine."""
    import psutil

    host, _, pid = scratch_name.rpartition("-")
    return psutil.pid_exists(int(pid)) if host == _host() and pid.isdigit() else None


def _host() -> str:
    return platform.node().replace("/", "_")
