"""One DICOM series to a volume: pydicom looks, dcm2niix (Li et al., J Neurosci Methods 2016) converts."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from brainsift.scans.dicom_series import SeriesFacts, explain, inspect
from brainsift.scans.errors import ScanError
from brainsift.scans.header_fields import keep
from brainsift.scans.nifti import digest_of, read_nifti
from brainsift.scans.scratch import copy_hashed
from brainsift.scans.stored import DEFAULT_MEMORY_LIMIT_BYTES
from brainsift.scans.volume import Volume

BASE_TIMEOUT_S = 60.0
TIMEOUT_S_PER_MB = 0.5
"""dcm2niix converts about 200 MB/s on one core; a hundredth of that still is not a hang."""

RESAMPLED_MARK = "_Eq"
"""dcm2niix's ending for slices that it brought to equal distances."""


def read_dicom(paths: Sequence[Path], scratch: Path | None = None, memory_limit_bytes: int | None = None) -> Volume:
    """Read the files of one series as a volume.

    Parameters
    ----------
    paths : all files of the series.
    scratch : folder for the conversion, whose content is removed; default the system's.
    memory_limit_bytes : refuse what needs more; default 4 GiB.

    Raises
    ------
    ScanError
        see docs/input.md for all kinds.
    """
    with TemporaryDirectory(prefix="dicom-", dir=scratch) as folder:
        source, target = Path(folder, "in"), Path(folder, "out")
        source.mkdir()
        target.mkdir()
        _refuse_too_large(paths, memory_limit_bytes)
        # Numbered copies: no name of the input reaches the converter, and the input cannot change under it.
        copies = [source / f"{number:06d}.dcm" for number in range(len(paths))]
        digests = [copy_hashed(path, copy) for path, copy in zip(paths, copies, strict=True)]
        facts = inspect(copies)
        _convert(source, target, sum(copy.stat().st_size for copy in copies))
        volume, chosen, repairs = _principal(target, facts, memory_limit_bytes)
        return _with_facts(volume, facts, _sidecar(chosen), repairs, digest_of(digests))


def _refuse_too_large(paths: Sequence[Path], memory_limit_bytes: int | None) -> None:
    limit = memory_limit_bytes or DEFAULT_MEMORY_LIMIT_BYTES
    total = 0
    for path in paths:
        try:
            total += path.stat().st_size
        except OSError:
            continue  # the copy that follows says which file it is and why
    if total > limit:
        raise ScanError(
            "too_large",
            f"The series holds {total / 2**30:.1f} GiB, the limit is {limit / 2**30:.1f} GiB.",
            "Give the run more memory or split the series.",
        )


def _convert(source: Path, target: Path, size: int) -> None:
    import dcm2niix

    limit = BASE_TIMEOUT_S + TIMEOUT_S_PER_MB * size / 2**20
    command = [dcm2niix.bin, "-g", "i", "-b", "y", "-ba", "y", "-z", "n", "-w", "2", "-d", "0", "-f", "series"]
    try:
        # Its messages may hold names and descriptions: they are dropped, pydicom explains failures.
        subprocess.run(
            [*command, "-o", str(target), str(source)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=limit,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ScanError(
            "dicom_timeout", f"The conversion took longer than {limit:.0f} s.", "Export the series again."
        ) from error
    except OSError as error:
        raise ScanError(
            "no_converter", "dcm2niix could not be started.", "Reinstall the dcm2niix package (pip install dcm2niix)."
        ) from error


def _principal(target: Path, facts: SeriesFacts, limit: int | None) -> tuple[Volume, Path, list[str]]:
    """Read the converted volume with the most slices; say which others there were."""
    results = sorted(target.glob("*.nii"))
    if not results:
        raise explain(facts)
    volumes: list[tuple[Path, Volume]] = []
    failures: list[ScanError] = []
    for path in results:
        try:
            volumes.append((path, read_nifti(path, limit)))
        except ScanError as error:
            failures.append(error)
    if not volumes:
        raise failures[0]
    path, volume = max(volumes, key=lambda item: (min(item[1].shape), _is_equalised(item[0]), item[1].data.size))
    repairs = list(volume.facts.repairs)
    if _is_equalised(path):
        repairs.append("Slice distances were unequal; the slices were interpolated to equal distances.")
    others = [one for one, _ in volumes if one != path and not _is_equalised(path)]
    if others:
        repairs.append(f"The series holds {len(others) + 1} volumes; the one with the most slices was used.")
    return volume, path, repairs


def _is_equalised(path: Path) -> bool:
    return RESAMPLED_MARK in path.stem


def _sidecar(image: Path) -> dict[str, Any]:
    """Fields that dcm2niix understood, vendors' private ones too; empty if it wrote none."""
    try:
        content: Any = json.loads(image.with_suffix(".json").read_bytes())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _with_facts(volume: Volume, facts: SeriesFacts, sidecar: dict[str, Any], repairs: list[str], sha256: str) -> Volume:
    header = {**keep(sidecar), **keep(facts.fields, facts.texts, dicom_units=True)}
    repairs += facts.repairs
    expected = (facts.columns, facts.rows, facts.slices)
    stored = volume.input_grid.shape
    if facts.slices and not facts.equalise_expected and sorted(stored) != sorted(expected):
        found = " x ".join(map(str, stored))
        repairs.append(f"The volume is {found}, the headers promise {' x '.join(map(str, expected))}.")
    shape = tuple(int(n) for n in np.asarray(volume.facts.stored_shape))
    return replace(
        volume,
        facts=replace(
            volume.facts, format="dicom", stored_shape=shape, sha256=sha256, repairs=tuple(repairs), header=header
        ),
    )
