"""Truth of scans with artefacts: `truth.tsv` with all that was measured, `labels.tsv` as a rater would fill it in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from brainsift.simulate.artefacts.grades import whole
from brainsift.simulate.table import write_tsv
from brainsift.simulate.truth import TRUTH_FILE

LABELS_FILE = "labels.tsv"

LABEL_COLUMNS = ("scan", "participant", "sequence", "proper", "motion", "noise", "contrast", "gadolinium")
"""Those of the labels file that `train`, `calibrate` and `evaluate` read; grades are whole numbers there."""


@dataclass(frozen=True)
class ScanTruth:
    """One row; None where a question makes no sense or nothing was measured.

    Attributes
    ----------
    scan : path relative to the table's folder.
    participant : whose head, or of which kind where there is none.
    sequence : BIDS suffix, or ``other``.
    proper : whether it is a 3D scan of a whole brain, of the sequence named.
    motion, noise, contrast : continuous grades 0-2.
    gadolinium : whether an agent was given.
    kind : which artefact, or which animal of the zoo.
    dimension : ``3D`` or ``2D``.
    displacement_mm, change : of motion (see `apply_motion`).
    snr : mean of the brain over the noise's standard deviation.
    relative_contrast : grey to white matter (see `relative_contrast`).
    fluid : of a FLAIR, fluid over white matter.
    brain_outside_fov : share of the brain that is cut off.
    proper_t1w, proper_flair : whether it is a proper one of that sequence.
    why : what is wrong, empty where nothing is.
    """

    scan: str
    participant: str
    sequence: str
    proper: bool
    motion: float | None = None
    noise: float | None = None
    contrast: float | None = None
    gadolinium: bool | None = None
    kind: str = ""
    dimension: str = "3D"
    displacement_mm: float | None = None
    change: float | None = None
    snr: float | None = None
    relative_contrast: float | None = None
    fluid: float | None = None
    brain_outside_fov: float | None = None
    proper_t1w: bool = False
    proper_flair: bool = False
    why: str = ""


def write_tables(rows: Sequence[ScanTruth], folder: Path) -> Path:
    """Write both tables into `folder`; returns the path of ``truth.tsv``."""
    write_tsv(folder / TRUTH_FILE, [f.name for f in fields(ScanTruth)], (asdict(row) for row in rows))
    write_tsv(folder / LABELS_FILE, LABEL_COLUMNS, (_as_label(row) for row in rows))
    return folder / TRUTH_FILE


def _as_label(row: ScanTruth) -> dict[str, object]:
    cells = {name: getattr(row, name) for name in LABEL_COLUMNS}
    return {name: whole(value) if isinstance(value, float) else value for name, value in cells.items()}
