"""What is true of a simulated scan, measured on its labels."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from brainsift.simulate.head import brain_and_csf
from brainsift.simulate.table import write_tsv

TRUTH_FILE = "truth.tsv"


@dataclass(frozen=True)
class Truth:
    """One row of the truth table.

    Attributes
    ----------
    scan : path relative to the table's folder, with slashes.
    sequence : BIDS suffix, such as ``T1w``.
    dimension : ``3D`` or ``2D`` (a stack of slices).
    brain_ml, icv_ml : volume that the scan shows of the brain (tissue and ventricles) and of all inside the skull;
        None where there is no picture to measure.
    brain_outside_fov : share of the brain that lies outside the field of view, 0 to 1.
    skull_stripped : whether all but the brain was removed.
    broken : what is wrong with the file, empty where nothing is.
    """

    scan: str
    sequence: str
    dimension: str
    brain_ml: float | None
    icv_ml: float | None
    brain_outside_fov: float | None
    skull_stripped: bool
    broken: str = ""


def volumes_ml(labels: NDArray[np.integer], voxel_mm3: float) -> tuple[float, float]:
    """Volume of the brain and of all inside the skull, mL, from FreeSurfer labels of any shape."""
    counts = np.bincount(labels.ravel())
    values = np.flatnonzero(counts)
    brain, csf = brain_and_csf(values.astype(np.int64))
    per_voxel = voxel_mm3 / 1000
    in_brain = float(counts[values[brain]].sum()) * per_voxel
    return in_brain, in_brain + float(counts[values[csf]].sum()) * per_voxel


def write_truth(rows: Iterable[Truth], folder: Path) -> Path:
    """Write the truth table into `folder`; empty where a question makes no sense."""
    columns = [f.name for f in fields(Truth)]
    return write_tsv(folder / TRUTH_FILE, columns, (asdict(row) for row in rows), ("false", "true"))
