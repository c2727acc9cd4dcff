"""Many heads with microbleeds in a folder: GRE, SWI and QSM of each, the bleeds as mask and as points."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from brainsift.scans.write import write_atomically
from brainsift.simulate.artefacts.truth import LABELS_FILE
from brainsift.simulate.labelmap import LabelMap
from brainsift.simulate.sources import heads_of
from brainsift.simulate.susceptibility.example import FINE_MM, MODALITIES, BleedExample, Modality, draw_bleed_example
from brainsift.simulate.table import write_tsv
from brainsift.simulate.truth import TRUTH_FILE
from brainsift.simulate.write import LARGEST_STORED, THICK_SLICE_MM, FileLayout, draw_layout, sidecar_path, write_array

SUFFIX: dict[Modality, str] = {"gre": "T2starw", "swi": "swi", "qsm": "Chimap"}
"""How the files are called; BIDS has no suffix for the susceptibility-weighted image, which everybody calls so."""

MASKS_FOLDER, POINTS_FOLDER = "masks", "points"

BLEEDS_FILE = "bleeds.tsv"

PPM_STEP = 0.001
"""Susceptibility maps are stored as whole parts per billion."""

LABEL_COLUMNS = ("scan", "participant", "sequence", "microbleeds")

TRUTH_COLUMNS = (
    "scan", "participant", "sequence", "bleeds", "lobar", "deep", "infratentorial", "mask", "mimics", "field_t",
    "te_ms", "slice_axis", "in_plane_mm", "slice_mm", "gap_mm", "noise", "stripped",
)  # fmt: skip

BLEED_COLUMNS = (
    "participant", "number", "x", "y", "z", "x_mm", "y_mm", "z_mm", "diameter_mm", "blood_diameter_mm",
    "susceptibility_ppm", "place", "region",
)  # fmt: skip
"""`diameter_mm` is that of what a rater would mark, blooming included."""


def simulate_bleeds_study(
    out: Path,
    label_maps: Sequence[Path] | None = None,
    n: int = 10,
    seed: int = 0,
    modalities: Sequence[Modality] = MODALITIES,
    fine_mm: float = FINE_MM,
    progress: Callable[[int], None] | None = None,
) -> Path:
    """Simulate `n` people, half of them with microbleeds.

    For each: ``bleeds_0001_T2starw.nii.gz``, ``…_swi.nii.gz`` and ``…_Chimap.nii.gz`` (ppm), all on one grid; in
    ``masks`` the bleeds by number (``…_truth``) and what is mistaken for them by kind (``…_mimics``); in ``points`` the
    bleeds' centres; and all that was drawn in ``bleeds_0001_parameters.json``. The same seed gives the same files.

    Parameters
    ----------
    out : folder, made where it is missing.
    label_maps : files with FreeSurfer's values; heads are drawn from the packaged atlas if None.
    modalities : which images are made.
    fine_mm : grid on which heads are painted.
    progress : called with the number of people done.

    Returns
    -------
    path of ``truth.tsv``, a row for each scan. Beside it ``bleeds.tsv`` has a row for each bleed, and ``labels.tsv``
    names the points as `microbleeds` of each scan.

    Raises
    ------
    ValueError
        if a label map cannot be used, or a modality is unknown.
    """
    for folder in (out, out / MASKS_FOLDER, out / POINTS_FOLDER):
        folder.mkdir(parents=True, exist_ok=True)
    sources = heads_of(label_maps, np.random.default_rng(seed))
    scans: list[dict[str, object]] = []
    bleeds: list[dict[str, object]] = []
    for number in range(1, n + 1):
        rng = np.random.default_rng([seed, number])
        source, head = next(sources)
        participant = f"sim-{number:04d}" if label_maps is None else source.split(".")[0]
        scans += _one(rng, head, out, f"bleeds_{number:04d}", participant, source, modalities, fine_mm, bleeds)
        if progress is not None:
            progress(number)
    write_tsv(out / LABELS_FILE, LABEL_COLUMNS, scans)
    write_tsv(out / BLEEDS_FILE, BLEED_COLUMNS, bleeds)
    return write_tsv(out / TRUTH_FILE, TRUTH_COLUMNS, scans)


def _one(
    rng: np.random.Generator,
    head: LabelMap,
    out: Path,
    name: str,
    participant: str,
    source: str,
    modalities: Sequence[Modality],
    fine_mm: float,
    bleeds: list[dict[str, object]],
) -> list[dict[str, object]]:
    """Simulate and write one person; returns the scans' rows and adds the bleeds' to `bleeds`."""
    example = draw_bleed_example(rng, head, modalities=modalities, fine_mm=fine_mm)
    layout = FileLayout(orientation=draw_layout(rng).orientation)
    mask, mimics = out / MASKS_FOLDER / f"{name}_truth.nii.gz", out / MASKS_FOLDER / f"{name}_mimics.nii.gz"
    write_array(example.truth.astype(np.int16), example.affine, mask, layout)
    write_array(example.mimics.astype(np.int16), example.affine, mimics, layout)
    rows = _bleed_rows(example, participant, layout)
    points = write_tsv(out / POINTS_FOLDER / f"{name}.tsv", BLEED_COLUMNS[1:], rows)
    bleeds += rows
    note = {"label_map": source, **example.parameters}
    write_atomically(out / f"{name}_parameters.json", (json.dumps(note, indent=1) + "\n").encode())
    common = _common(example) | {
        "participant": participant,
        "microbleeds": points.relative_to(out).as_posix(),
        "mask": mask.relative_to(out).as_posix(),
        "mimics": mimics.relative_to(out).as_posix(),
    }
    scans = []
    for modality, image in example.images.items():
        path = out / f"{name}_{SUFFIX[modality]}.nii.gz"
        _store(image, modality, example.affine, path, layout)
        sidecar = (json.dumps(_sidecar(example, modality), indent=1) + "\n").encode()
        write_atomically(sidecar_path(path), sidecar)
        scans.append(common | {"scan": path.name, "sequence": SUFFIX[modality]})
    return scans


def _common(example: BleedExample) -> dict[str, object]:
    """What is true of all scans of a person."""
    scanner = example.parameters["scanner"]
    axis = scanner["slice_axis"]
    places = [bleed.place for bleed in example.bleeds]
    in_plane = [mm for i, mm in enumerate(scanner["voxel_mm"]) if i != axis]
    return {
        "bleeds": len(places),
        **{place: places.count(place) for place in ("lobar", "deep", "infratentorial")},
        **{key: scanner[key] for key in ("field_t", "te_ms", "slice_axis", "gap_mm", "noise")},
        "in_plane_mm": float(max(in_plane)),
        "slice_mm": scanner["voxel_mm"][axis],
        "stripped": example.parameters["shown"]["stripped"],
    }


def _bleed_rows(example: BleedExample, participant: str, layout: FileLayout) -> list[dict[str, object]]:
    """A row for each bleed; voxels are those of the files, whose axes may be in another order."""
    to_stored = _stored_voxels(example, layout)
    rows: list[dict[str, object]] = []
    for bleed in example.bleeds:
        x, y, z = (float(v) for v in to_stored[:3, :3] @ np.asarray(bleed.voxel) + to_stored[:3, 3])
        rows.append(
            {
                "participant": participant,
                "number": bleed.number,
                **dict(zip("xyz", (x, y, z), strict=True)),
                **dict(zip(("x_mm", "y_mm", "z_mm"), bleed.mm, strict=True)),
                "diameter_mm": bleed.seen_diameter_mm,
                "blood_diameter_mm": bleed.diameter_mm,
                "susceptibility_ppm": bleed.susceptibility_ppm,
                "place": bleed.place,
                "region": bleed.region,
            }
        )
    return rows


def _stored_voxels(example: BleedExample, layout: FileLayout) -> NDArray[np.float64]:
    """Voxel of the example → voxel of the stored file, 4x4 (see `write_array`)."""
    from nibabel.orientations import axcodes2ornt, inv_ornt_aff

    order = axcodes2ornt(tuple(layout.orientation))  # type: ignore[no-untyped-call]
    moves = np.column_stack([np.argsort(order[:, 0]), order[np.argsort(order[:, 0]), 1]])
    back = inv_ornt_aff(moves, example.truth.shape)  # type: ignore[no-untyped-call]
    to_stored: NDArray[np.float64] = np.linalg.inv(back).astype(np.float64)
    return to_stored


def _store(
    image: NDArray[np.float32], modality: Modality, affine: NDArray[np.float64], path: Path, layout: FileLayout
) -> None:
    if modality == "qsm":
        whole = np.clip(np.round(image / PPM_STEP), -32768, 32767).astype(np.int16)
        write_array(whole, affine, path, FileLayout(orientation=layout.orientation, slope=PPM_STEP))
        return
    top = float(np.percentile(image, 99.9)) or 1.0
    whole = np.clip(np.round(image / top * LARGEST_STORED * 0.8), 0, LARGEST_STORED).astype(np.int16)
    write_array(whole, affine, path, layout)


def _sidecar(example: BleedExample, modality: Modality) -> dict[str, object]:
    """BIDS fields, times in seconds."""
    scanner = example.parameters["scanner"]
    pitch = scanner["voxel_mm"][scanner["slice_axis"]]
    fields: dict[str, object] = {
        "MRAcquisitionType": "2D" if pitch >= THICK_SLICE_MM else "3D",
        "MagneticFieldStrength": scanner["field_t"],
        "EchoTime": round(scanner["te_ms"] / 1000, 5),
        "RepetitionTime": round(scanner["tr_ms"] / 1000, 5),
        "FlipAngle": round(scanner["flip_deg"], 1),
        "SliceThickness": round(pitch - scanner["gap_mm"], 4),
        "SpacingBetweenSlices": round(pitch, 4),
    }
    if modality == "qsm":
        fields["Units"] = "ppm"
    return fields
