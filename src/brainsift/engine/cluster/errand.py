"""What travels between the collector and a Dask worker."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from brainsift.engine.job import Job, Outcome
from brainsift.scans.ref import ScanRef
from brainsift.store.errors import StoreError
from brainsift.store.files import require_inside, write_atomic


@dataclass(frozen=True)
class Freight:
    """Files on their way: path below the folder where they belong → bytes.

    Its text says how much it holds and nothing of it: Dask quotes arguments in its logs, and a header names a patient.
    """

    files: Mapping[str, bytes] = field(repr=False)

    @property
    def size(self) -> int:
        """Bytes."""
        return sum(map(len, self.files.values()))

    def __repr__(self) -> str:
        return f"Freight({len(self.files)} files, {self.size} bytes)"


@dataclass(frozen=True)
class Errand:
    """One job for a Dask worker.

    Attributes
    ----------
    token : of the run.
    job : paths as on the collector's machine.
    before : record that lies in OUTPUT, for a scan of which only the time moved; a worker may not see it.
    inputs : the scan's files, where the worker does not see INPUT.
    as_it_is : do not ask for `inputs`: they cannot be had.
    """

    token: str
    job: Job
    before: Freight | None = None
    inputs: Freight | None = None
    as_it_is: bool = False


@dataclass(frozen=True)
class Reply:
    """What a Dask worker gives back; one of these.

    Attributes
    ----------
    outcome : of the job; `files` holds what was written, the record left out, where the worker does not see OUTPUT.
    died : the process that worked on the scan was killed.
    wants_inputs : the worker does not see the scan's files.
    fault : this worker cannot work for this run.
    """

    outcome: Outcome | None = None
    files: Freight | None = None
    died: bool = False
    wants_inputs: bool = False
    fault: StoreError | None = None


def input_paths(ref: ScanRef) -> list[Path]:
    """All files that reading a scan may open."""
    return [path for path in (*ref.paths, ref.sidecar, ref.original) if path is not None]


def load_inputs(ref: ScanRef) -> Freight:
    """The files of a scan.

    Raises
    ------
    OSError
        if one cannot be read.
    """
    places = _places(input_paths(ref))
    return Freight({place: path.read_bytes() for path, place in places.items()})


def inputs_size(ref: ScanRef) -> int:
    """Bytes of the files of a scan; those that are gone count nothing."""
    return sum(path.stat().st_size for path in input_paths(ref) if path.is_file())


def moved(ref: ScanRef, folder: Path) -> ScanRef:
    """The scan as it is read from `folder`, into which its inputs were unpacked."""
    places = {path: folder / place for path, place in _places(input_paths(ref)).items()}
    return replace(
        ref,
        paths=tuple(places[path] for path in ref.paths),
        sidecar=places.get(ref.sidecar) if ref.sidecar else None,
        original=places.get(ref.original) if ref.original else None,
    )


def _places(paths: Iterable[Path]) -> dict[Path, str]:
    """Path → place in the freight. Files of one folder stay together, since some formats have two of one name."""
    folders: dict[Path, int] = {}
    return {path: f"{folders.setdefault(path.parent, len(folders))}/{path.name}" for path in paths}


def pack(folder: Path, leave_out: Iterable[Path] = ()) -> Freight:
    """All files below `folder` but those of `leave_out`."""
    left = set(leave_out)
    found = sorted(path for path in folder.rglob("*") if path.is_file() and path not in left)
    return Freight({path.relative_to(folder).as_posix(): path.read_bytes() for path in found})


def unpack(freight: Freight, folder: Path) -> None:
    """Write the files below `folder`, each whole or not at all.

    Raises
    ------
    StoreError
        if a name or a symbolic link leads out of `folder`.
    OSError
        if it cannot be written.
    """
    for name, data in freight.files.items():
        path = folder / name
        if ".." in path.parts:
            raise StoreError("outside_output", f"A worker sent the file name {name!r}.", "Check who runs the workers.")
        require_inside(path.parent, folder)
        write_atomic(path, data, folder)
