"""One DICOM series to a volume: pydicom looks, dcm2niix (Li et al., J Neurosci Methods 2016) converts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from brainsift.scans.converter import convert
from brainsift.scans.dicom_deflated import inflate_file
from brainsift.scans.dicom_peek import deflated_data_set
from brainsift.scans.dicom_series import SeriesFacts, explain, inspect, refuse_claim
from brainsift.scans.errors import ScanError
from brainsift.scans.header_fields import keep
from brainsift.scans.nifti import digest_of, read_nifti
from brainsift.scans.scratch import copy_hashed, require_room
from brainsift.scans.stored import DEFAULT_MEMORY_LIMIT_BYTES
from brainsift.scans.volume import Volume

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
    OSError
        if there is no room in `scratch`.
    """
    limit = memory_limit_bytes or DEFAULT_MEMORY_LIMIT_BYTES
    _refuse_too_large(paths, limit)
    with TemporaryDirectory(prefix="dicom-", dir=scratch) as folder:
        place = Path(folder).absolute()
        source, target = place / "in", place / "out"
        source.mkdir()
        target.mkdir()
        # Numbered copies: no name of the input reaches the converter, and the input cannot change under it.
        copies = [source / f"{number:06d}.dcm" for number in range(len(paths))]
        digests = [copy_hashed(path, copy) for path, copy in zip(paths, copies, strict=True)]
        _inflate(copies, limit)
        facts = inspect(copies)
        refuse_claim(facts.decoded_bytes, limit)
        size = sum(copy.stat().st_size for copy in copies)
        status = convert(source, target, size, limit)
        try:
            volume, chosen, repairs = _principal(target, facts, memory_limit_bytes)
        except ScanError:
            require_room(place, size)
            raise
        if status < 0:
            repairs.append("The converter ended early; volumes may be missing.")
        return _with_facts(volume, facts, _sidecar(chosen), repairs, digest_of(digests))


def _refuse_too_large(paths: Sequence[Path], limit: int) -> None:
    total = 0
    for path in paths:
        try:
            total += path.stat().st_size
        except OSError:
            continue  # the copy that follows says which file it is and why
    refuse_claim(total, limit)


def _inflate(copies: Sequence[Path], limit: int) -> None:
    """Undo deflated data sets, which neither pydicom within bounds nor dcm2niix at all would."""
    left = limit
    for copy in copies:
        start = deflated_data_set(copy)
        if start is not None:
            inflate_file(copy, start, left)
            left -= copy.stat().st_size


def _principal(target: Path, facts: SeriesFacts, limit: int | None) -> tuple[Volume, Path, list[str]]:
    """Read the converted volume with the most slices; say which others there were."""
    results = sorted(target.glob("*.nii"))
    if not results:
        raise explain(facts)
    best: tuple[Path, Volume] | None = None
    failure: ScanError | None = None
    plain: list[Path] = []
    for path in results:
        try:
            volume = read_nifti(path, limit)
        except ScanError as error:
            failure = failure or error
            continue
        if not _is_equalised(path):
            plain.append(path)
        if best is None or _rank(path, volume) > _rank(*best):
            best = path, volume
    if best is None:
        raise failure or explain(facts)
    path, volume = best
    repairs = list(volume.facts.repairs)
    if _is_equalised(path):
        repairs.append("Slice distances were unequal; the slices were interpolated to equal distances.")
    others = sum(one != path for one in plain)
    if others:
        repairs.append(f"The series holds {others + 1} volumes; the one with the most slices was used.")
    return volume, path, repairs


def _rank(path: Path, volume: Volume) -> tuple[int, bool, int]:
    return min(volume.shape), _is_equalised(path), volume.data.size


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
