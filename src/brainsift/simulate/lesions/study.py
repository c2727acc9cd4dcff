"""Many people with lesions in a folder: T1w, FLAIR, the label drawn on it, and what is true."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from brainsift.scans.write import write_atomically
from brainsift.simulate.artefacts.truth import LABELS_FILE
from brainsift.simulate.lesions.example import FINE_MM, WmhExample, draw_wmh_example
from brainsift.simulate.lesions.kinds import Kind
from brainsift.simulate.lesions.shapes import ShapeBank
from brainsift.simulate.sources import heads_of
from brainsift.simulate.truth import TRUTH_FILE
from brainsift.simulate.write import LARGEST_STORED, FileLayout, draw_layout, sidecar_path, write_array

COARSE_LABELS_FILE = "labels_coarse.tsv"
MASKS_FOLDER = "masks"

TRUTH_SHARE = 0.5
"""A voxel of the truth mask is lesion where at least half of it is."""

LABEL_COLUMNS = ("scan", "participant", "sequence", "wmh_mask")

TRUTH_COLUMNS = (
    "scan", "flair", "participant", "load_ml", *(f"{kind.name.lower()}_ml" for kind in Kind), "mask_ml", "coarse_ml",
    "slice_thickness_mm", "slice_gap_mm", "bad_label", "coarse_dice", "pattern", "t1_depth",
)  # fmt: skip


def simulate_wmh_study(
    out: Path,
    label_maps: Sequence[Path] | None = None,
    n: int = 10,
    seed: int = 0,
    shapes: ShapeBank | None = None,
    bad_label_share: float = 0.0,
    fine_mm: float = FINE_MM,
    progress: Callable[[int], None] | None = None,
) -> Path:
    """Simulate `n` people with 0 to 80 mL of white-matter hyperintensities.

    For each: ``wmh_0001_T1w.nii.gz``, ``wmh_0001_FLAIR.nii.gz`` in thick slices, in ``masks`` the truth on the T1w's
    grid (``wmh_0001_truth.nii.gz``) and the rater's label on the FLAIR's (``wmh_0001_coarse.nii.gz``), and all that was
    drawn in ``wmh_0001_parameters.json``. Sidecars of FLAIR and label tell the thickness of slices, which NIfTI does
    not. The same seed gives the same files.

    Parameters
    ----------
    out : folder, made where it is missing.
    label_maps : files with FreeSurfer's values; heads are drawn from the packaged atlas if None.
    shapes : real lesions to take shapes from, see `load_shapes`.
    bad_label_share : share of labels on the FLAIR that are grossly wrong; ``truth.tsv`` says which.
    fine_mm : grid on which heads are painted.
    progress : called with the number of people done.

    Returns
    -------
    path of ``truth.tsv``. Beside it ``labels.tsv`` names the truth as `wmh_mask` of each T1w scan, and
    ``labels_coarse.tsv`` the rater's label.

    Raises
    ------
    ValueError
        if a label map cannot be used, or the share is not between 0 and 1.
    """
    out.mkdir(parents=True, exist_ok=True)
    sources = heads_of(label_maps, np.random.default_rng(seed))
    rows = []
    for number in range(1, n + 1):
        rng = np.random.default_rng([seed, number])
        source, head = next(sources)
        example = draw_wmh_example(rng, head, shapes=shapes, bad_label_share=bad_label_share, fine_mm=fine_mm)
        participant = f"sim-{number:04d}" if label_maps is None else source.split(".")[0]
        rows.append(_write(example, rng, out, f"wmh_{number:04d}", participant, source))
        if progress is not None:
            progress(number)
    coarse = [row | {"wmh_mask": row["coarse_mask"]} for row in rows]
    _write_table(out / LABELS_FILE, LABEL_COLUMNS, rows)
    _write_table(out / COARSE_LABELS_FILE, LABEL_COLUMNS, coarse)
    _write_table(out / TRUTH_FILE, TRUTH_COLUMNS, rows)
    return out / TRUTH_FILE


def _write(
    example: WmhExample, rng: np.random.Generator, out: Path, name: str, participant: str, source: str
) -> dict[str, object]:
    """Write one person's files; returns the row of all tables."""
    t1w, flair = out / f"{name}_T1w.nii.gz", out / f"{name}_FLAIR.nii.gz"
    masks = out / MASKS_FOLDER
    truth, coarse = masks / f"{name}_truth.nii.gz", masks / f"{name}_coarse.nii.gz"
    if example.flair is None or example.flair_affine is None or example.coarse is None:
        raise ValueError(f"{name}: a study holds a FLAIR and its label for each person, but none was made")
    mask = (example.truth >= TRUTH_SHARE).astype(np.int16)
    of_t1w, of_flair = _layout(rng), _layout(rng)
    _store(example.t1w, example.t1w_affine, t1w, of_t1w)
    write_array(mask, example.t1w_affine, truth, of_t1w)
    _store(example.flair, example.flair_affine, flair, of_flair)
    write_array(example.coarse.astype(np.int16), example.flair_affine, coarse, of_flair)
    pitch = example.slice_thickness_mm + example.slice_gap_mm
    slices = {
        "MRAcquisitionType": "2D",
        "SliceThickness": round(example.slice_thickness_mm, 4),
        "SpacingBetweenSlices": round(pitch, 4),
    }
    for path in (flair, coarse):
        write_atomically(sidecar_path(path), (json.dumps(slices, indent=1) + "\n").encode())
    note = {"label_map": source, **example.parameters}
    write_atomically(out / f"{name}_parameters.json", (json.dumps(note, indent=1) + "\n").encode())
    return {
        "scan": t1w.name,
        "flair": flair.name,
        "participant": participant,
        "sequence": "T1w",
        "wmh_mask": f"{MASKS_FOLDER}/{truth.name}",
        "coarse_mask": f"{MASKS_FOLDER}/{coarse.name}",
        "load_ml": example.load_ml,
        **{f"{kind}_ml": volume for kind, volume in example.kinds.items()},
        "mask_ml": float(mask.sum()) * abs(float(np.linalg.det(example.t1w_affine[:3, :3]))) / 1000,
        "coarse_ml": float(example.coarse.sum()) * abs(float(np.linalg.det(example.flair_affine[:3, :3]))) / 1000,
        "slice_thickness_mm": example.slice_thickness_mm,
        "slice_gap_mm": example.slice_gap_mm,
        "bad_label": example.bad_label or "",
        "coarse_dice": example.parameters["rating"]["dice_with_perfect"],
        "pattern": example.parameters["lesions"]["pattern"],
        "t1_depth": example.parameters["look"]["t1_depth"],
    }


def _layout(rng: np.random.Generator) -> FileLayout:
    """Any order of the axes, but no tilt of its own: scans of one person lie in one scanner."""
    return FileLayout(orientation=draw_layout(rng).orientation)


def _store(image: NDArray[np.float32], affine: NDArray[np.float64], path: Path, layout: FileLayout) -> None:
    top = float(np.percentile(image, 99.9)) or 1.0
    whole = np.clip(np.round(image / top * LARGEST_STORED * 0.8), 0, LARGEST_STORED).astype(np.int16)
    write_array(whole, affine, path, layout)


def _write_table(path: Path, columns: Sequence[str], rows: Sequence[Mapping[str, object]]) -> None:
    """Write the `columns` of rows as TSV."""
    cells = [[f"{v:.4f}" if isinstance(v, float) else str(v) for v in (row[c] for c in columns)] for row in rows]
    write_atomically(path, "".join("\t".join(line) + "\n" for line in [list(columns), *cells]).encode())
