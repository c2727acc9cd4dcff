"""The zoo in a folder: improper scans among proper ones, with what is true of each."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from brainsift.scans.write import write_atomically
from brainsift.simulate.artefacts.truth import ScanTruth, write_tables
from brainsift.simulate.heads import grid_shape
from brainsift.simulate.sources import heads_of
from brainsift.simulate.write import LARGEST_STORED, draw_layout, sidecar_path, write_array
from brainsift.simulate.zoo import IMPROPER, PROPER, ZooScan, draw_zoo, make_zoo

Float32 = NDArray[np.float32]

PROPER_SHARE = 0.3
"""Of the scans are proper: a rule that refuses all must not look good."""

LARGEST_SIGNED = 32000
"""Of scans with negative values: nearly all of 16 bits."""


def simulate_zoo(
    out: Path,
    label_maps: Sequence[Path] | None = None,
    n: int = 20,
    seed: int = 0,
    spacing_mm: float = 1.0,
    progress: Callable[[int], None] | None = None,
) -> Path:
    """Simulate `n` scans, improper ones of every kind in turn and proper ones among them.

    For each: ``zoo_0001.nii.gz`` and what was drawn in ``zoo_0001.json``. The same seed gives the same files.

    Parameters
    ----------
    out : folder, made where it is missing.
    label_maps : files with FreeSurfer's values; heads are drawn from the packaged atlas if None.
    progress : called with the number of scans done.

    Returns
    -------
    path of ``truth.tsv``; ``labels.tsv`` is beside it.
    """
    out.mkdir(parents=True, exist_ok=True)
    sources = heads_of(label_maps, np.random.default_rng(seed))
    rows = []
    improper, proper = list(IMPROPER), list(PROPER)
    for number in range(1, n + 1):
        rng = np.random.default_rng([seed, number])
        earlier = int((number - 1) * PROPER_SHARE)
        is_proper = int(number * PROPER_SHARE) > earlier
        kind = proper[earlier % len(proper)] if is_proper else improper[(number - 1 - earlier) % len(improper)]
        source, label_map = next(sources)
        scan = make_zoo(draw_zoo(rng, kind), label_map, grid_shape(spacing_mm), spacing_mm)
        name = f"zoo_{number:04d}"
        _write(scan, rng, out / f"{name}.nii.gz", source)
        participant = f"sim-{number:04d}" if label_maps is None else source.split(".")[0]
        rows.append(_truth(scan, f"{name}.nii.gz", participant))
        if progress is not None:
            progress(number)
    return write_tables(rows, out)


def stored(image: Float32) -> tuple[NDArray[np.int16], float]:
    """Whole numbers of 16 bits and their slope: as they are where they are whole, 12 bits where none is negative."""
    largest = float(np.abs(image).max())
    if largest <= LARGEST_SIGNED and np.array_equal(image, np.round(image)):
        return image.astype(np.int16), 1.0
    if image.min() < 0:
        slope = largest / LARGEST_SIGNED
        return np.round(image / slope).astype(np.int16), slope
    slope = (float(np.percentile(image, 99.9)) or largest or 1.0) / (0.8 * LARGEST_STORED)
    return np.clip(np.round(image / slope), 0, LARGEST_STORED).astype(np.int16), 1.0


def _write(scan: ZooScan, rng: np.random.Generator, path: Path, source: str) -> None:
    values, slope = stored(scan.image)
    spacing = np.linalg.norm(scan.affine[:3, :3], axis=0)
    layout = draw_layout(rng, (float(spacing[0]), float(spacing[1]), float(spacing[2])))
    write_array(values, scan.affine, path, replace(layout, slope=slope))
    note = {"label_map": source, **scan.parameters.to_dict()}
    write_atomically(sidecar_path(path), (json.dumps(note, indent=1) + "\n").encode())


def _truth(scan: ZooScan, name: str, participant: str) -> ScanTruth:
    return ScanTruth(
        scan=name,
        participant=participant,
        sequence=scan.sequence,
        proper=scan.proper,
        gadolinium=False if scan.proper_t1w else None,
        kind=scan.parameters.kind,
        dimension=scan.dimension,
        brain_outside_fov=scan.brain_outside_fov,
        proper_t1w=scan.proper_t1w,
        proper_flair=scan.proper_flair,
        why=scan.why,
    )
