"""Writing into OUTPUT: names that cannot leave it, files that are whole or absent."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path, PurePosixPath

from brainsift.store.errors import StoreError

MAX_STEM_BYTES = 170
"""Longest last part of a stem. File systems allow 255 bytes a name; 85 are left for the longest suffix and the `.part`
name."""

RESERVED = frozenset(
    {
        "brainsift.tsv",
        "brainsift.db",
        "brainsift.db-wal",
        "brainsift.db-shm",
        "failures.tsv",
        "labels.tsv",
        "methods.md",
        "run.toml",
        "index.html",
        "dataset_description.json",
        *(f"calibration_{task}{ending}" for task in ("quality", "defacing") for ending in (".json", ".tsv", ".svg")),
        "calibrations",
        "defacing_attempts.jsonl",
        "defacing_remedy.tsv",
        "brainsift-attempts",
        ".scratch",
        ".log_key",
        "restored.json",
    }
)
"""What the study itself writes at the top of OUTPUT: a folder of INPUT with such a name gets an underscore more."""

PART_SUFFIX = ".part"
"""Ending of a file that is being written; its name holds the process id."""

_KEPT_STEM_BYTES = MAX_STEM_BYTES - 13


def derived_path(output: Path, stem: str, suffix: str) -> Path:
    """Path of a derived file, always inside `output`.

    Parameters
    ----------
    output : the OUTPUT folder.
    stem : `ScanRef.stem`, relative POSIX path without extension.
    suffix : what follows the stem, starting with an underscore: ``_desc-brainsift_qc.json``.

    Raises
    ------
    ValueError
        if the stem is empty, absolute, holds a NUL or steps up with ``..``, or the suffix holds a separator.
    """
    parts = stem.split("/")
    if any(part in ("", ".", "..") for part in parts) or "\0" in stem or PurePosixPath(stem).is_absolute():
        raise ValueError(f"A stem must be a plain relative path inside the output folder, got {stem!r}")
    if not suffix.startswith("_") or "/" in suffix or "\0" in suffix:
        raise ValueError(f"A suffix must start with an underscore and hold no separator, got {suffix!r}")
    if len(parts) > 1 and parts[0] in RESERVED:
        parts[0] += "_"
    return output.joinpath(*parts[:-1], _fit(parts[-1]) + suffix)


def _fit(name: str) -> str:
    """Shorten a name that would overrun the file system's limit; a digest keeps it unique."""
    raw = name.encode("utf-8")
    if len(raw) <= MAX_STEM_BYTES:
        return name
    return raw[:_KEPT_STEM_BYTES].decode("utf-8", "ignore") + "-" + hashlib.sha256(raw).hexdigest()[:12]


def write_atomic(path: Path, data: bytes | str, output: Path) -> None:
    """Write a whole file below `output`, or leave what was there.

    Raises
    ------
    StoreError
        if a symbolic link would take the file out of `output`.
    OSError
        if the file cannot be written; no partial file stays.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    require_inside(path.parent, output)
    part = path.with_name(f".{path.name}.{os.getpid()}{PART_SUFFIX}")
    try:
        part.write_bytes(data.encode("utf-8") if isinstance(data, str) else data)
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def require_inside(folder: Path, output: Path) -> None:
    """Refuse a folder that a symbolic link takes out of `output`."""
    if not folder.resolve().is_relative_to(output.resolve()):
        raise StoreError(
            "outside_output", f"{folder} leads out of the output folder.", "Remove the symbolic link from OUTPUT."
        )


FileMark = tuple[int, int, int]
"""Tells one state of a file from another, without asking a clock what time it is."""


def file_mark(path: Path) -> FileMark | None:
    """Inode, modification time and size of a file that `write_atomic` made; None if it is not there. Another mark: the
    file was written anew."""
    try:
        state = path.stat()
    except OSError:
        return None
    return state.st_ino, state.st_mtime_ns, state.st_size


def sweep_parts(folder: Path, pid: int) -> None:
    """Remove what the dead process `pid` was writing in `folder`."""
    for part in folder.glob(f".*.{pid}{PART_SUFFIX}"):
        part.unlink(missing_ok=True)
