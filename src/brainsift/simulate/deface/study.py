"""Many defaced heads in a folder, with their originals and with what is true of each."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from brainsift.scans.write import write_atomically
from brainsift.simulate.artefacts.truth import LABELS_FILE
from brainsift.simulate.deface.draw import DefacedExample, draw_defaced_example
from brainsift.simulate.deface.geometry import Float32
from brainsift.simulate.deface.marked import mark_head
from brainsift.simulate.deface.tools import choose_tools
from brainsift.simulate.deface.truth import LABELS
from brainsift.simulate.sources import heads_of
from brainsift.simulate.table import write_tsv
from brainsift.simulate.truth import TRUTH_FILE
from brainsift.simulate.write import LARGEST_STORED, FileLayout, draw_layout, write_array

ORIGINALS_FILE = "originals.tsv"
ORIGINALS_FOLDER = "originals"

TRUTH_COLUMNS = (
    "scan", "original", "participant", "sequence", "defacing", "why", "tool", "aim", "fill", "slip", "face", "eyes",
    "nose", "mouth", "ears", "brow", "brain_removed_ml", "brain_removed_share", "brain_removed_depth_mm",
    "head_removed_share", "other_face", "face_size",
)  # fmt: skip


def simulate_deface(
    out: Path,
    label_maps: Sequence[Path] | None = None,
    n: int = 10,
    seed: int = 0,
    spacing_mm: float | None = None,
    tools: tuple[str, ...] | None = None,
    masks: Path | None = None,
    progress: Callable[[int], None] | None = None,
) -> Path:
    """Simulate `n` defaced scans, the four labels asked for in turn, of any contrast and field of view.

    For each: ``deface_0001.nii.gz``, ``originals/deface_0001.nii.gz`` before it was defaced, and all that was drawn in
    ``deface_0001_parameters.json``. The same seed gives the same files.

    Parameters
    ----------
    out : folder, made where it is missing.
    label_maps : files with FreeSurfer's values; heads are drawn from the packaged atlas if None.
    spacing_mm : voxel size; drawn from 1 to 1.5 mm if None.
    tools : names of `TOOLS` to draw from; all if None.
    masks : folder with masks of real tools; without it a mask of our own stands in.
    progress : called with the number of scans done.

    Returns
    -------
    path of ``truth.tsv``; ``labels.tsv`` and ``originals.tsv`` are beside it.

    Raises
    ------
    ValueError
        if a tool is unknown, or a label map cannot be used.
    """
    choose_tools(tools)
    (out / ORIGINALS_FOLDER).mkdir(parents=True, exist_ok=True)
    sources = heads_of(label_maps, np.random.default_rng(seed))
    source, label_map = next(sources)
    head, rows = mark_head(label_map), []
    for number in range(1, n + 1):
        rng = np.random.default_rng([seed, number])
        participant = f"sim-{number:04d}" if label_maps is None else source.split(".")[0]
        next_source, next_map = next(sources)
        donor = mark_head(next_map)
        example = draw_defaced_example(
            rng,
            head,
            label=LABELS[(number - 1) % len(LABELS)],
            tools=tools,
            # Whoever comes next lends a face; nobody lends one to himself.
            donors=[] if label_maps is not None and len(label_maps) == 1 else [donor],
            masks=masks,
            spacing_mm=spacing_mm,
        )
        name = f"deface_{number:04d}"
        _write(example, rng, out, name)
        note = {"label_map": source, "donor": next_source, **example.parameters, "truth": example.truth.to_dict()}
        write_atomically(out / f"{name}_parameters.json", (json.dumps(note, indent=1) + "\n").encode())
        rows.append(_row(example, f"{name}.nii.gz", participant))
        source, head = next_source, donor
        if progress is not None:
            progress(number)
    write_tsv(out / TRUTH_FILE, TRUTH_COLUMNS, rows)
    write_tsv(out / LABELS_FILE, ("scan", "participant", "sequence", "defacing"), rows)
    write_tsv(out / ORIGINALS_FILE, ("scan", "original"), rows)
    return out / TRUTH_FILE


def _write(example: DefacedExample, rng: np.random.Generator, out: Path, name: str) -> None:
    """Both scans with one scaling, stored with the same axes: what was not changed stays the same to the bit."""
    spacing = example.spacing_mm
    layout: FileLayout = draw_layout(rng, spacing)
    slope = (float(np.percentile(example.original_image, 99.9)) or 1.0) / (0.8 * LARGEST_STORED)

    def store(image: Float32, path: Path) -> None:
        whole = np.clip(np.round(image / slope), 0, LARGEST_STORED).astype(np.int16)
        write_array(whole, example.affine, path, layout)

    store(example.image, out / f"{name}.nii.gz")
    store(example.original_image, out / ORIGINALS_FOLDER / f"{name}.nii.gz")


def _row(example: DefacedExample, scan: str, participant: str) -> dict[str, object]:
    truth = example.truth.to_dict()
    defacing = example.parameters["defacing"]
    return truth | {
        "scan": scan,
        "original": f"{ORIGINALS_FOLDER}/{scan}",
        "participant": participant,
        "sequence": example.sequence,
        "defacing": truth["label"],
        "tool": example.tool,
        "aim": defacing["aim"],
        "fill": defacing["fill"]["kind"],
        "slip": defacing["slip"]["kind"],
        "face_size": example.parameters["scene"]["face_size"],
    }
