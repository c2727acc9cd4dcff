"""Many simulated scans in a folder: image, labels, parameters and one table of what is true."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from brainsift.simulate.coverage import keep_mask
from brainsift.simulate.deform import deform
from brainsift.simulate.head import HeadParameters, brain_and_csf, draw_head, render_codes
from brainsift.simulate.labelmap import LabelMap
from brainsift.simulate.sources import heads_of
from brainsift.simulate.stored import save_parameters
from brainsift.simulate.truth import Truth, volumes_ml, write_truth
from brainsift.simulate.write import SUFFIX_OF_KIND, FileLayout, write_labels, write_scan

KINDS_OF_CONTRAST: dict[str, tuple[str | None, ...]] = {
    "T1w": ("mprage", "spgr", "t1_se"),
    "T2w": ("t2_se",),
    "FLAIR": ("flair",),
    "T2starw": ("gre",),
    "PDw": ("pd_se",),
    "random": (None,),
}
"""What may be asked for → sequences it is drawn from; ``random`` draws the sequence, or no sequence at all."""

FIELD_OF_VIEW_MM = (192.0, 256.0, 256.0)
"""A whole-head scan."""


def simulate_heads(
    out: Path,
    label_maps: Sequence[Path] | None = None,
    n: int = 10,
    seed: int = 0,
    contrast: str = "random",
    spacing_mm: float = 1.0,
    progress: Callable[[int], None] | None = None,
) -> Path:
    """Simulate `n` scans with random shape, contrast, coverage and acquisition.

    For each: ``head_0001.nii.gz``, its labels ``head_0001_labels.nii.gz``, the BIDS sidecar, and all that was drawn in
    ``head_0001_parameters.json``. The same seed gives the same files.

    Parameters
    ----------
    out : folder, made where it is missing.
    label_maps : files with FreeSurfer's values; heads are drawn from the packaged atlas if None.
    contrast : one of `KINDS_OF_CONTRAST`.
    spacing_mm : isotropic voxel size of image and labels.
    progress : called with the number of scans done.

    Returns
    -------
    path of ``truth.tsv``.

    Raises
    ------
    ValueError
        if `contrast` is unknown, or a label map cannot be used.
    """
    if contrast not in KINDS_OF_CONTRAST:
        raise ValueError(f"contrast must be one of {', '.join(KINDS_OF_CONTRAST)}, got {contrast}")
    out.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    sources = heads_of(label_maps, rng)
    rows = []
    for number in range(1, n + 1):
        source, label_map = next(sources)
        kind = KINDS_OF_CONTRAST[contrast][int(rng.integers(len(KINDS_OF_CONTRAST[contrast])))]
        rows.append(_one(out, f"head_{number:04d}", source, label_map, draw_head(rng, label_map, kind), spacing_mm))
        if progress is not None:
            progress(number)
    return write_truth(rows, out)


def outside_share(
    codes: NDArray[np.uint8], label_map: LabelMap, parameters: HeadParameters, spacing_mm: float
) -> float:
    """Share of the brain outside the field of view; what a stripping tool ate is not counted.

    Parameters
    ----------
    codes : uint8 (X, Y, Z), `label_map` deformed as `parameters` say.
    """
    is_brain, _ = brain_and_csf(label_map.values)
    centred = replace(parameters.deformation, shift_mm=(0.0, 0.0, 0.0))
    x, y, z = codes.shape
    whole = np.count_nonzero(is_brain[deform(label_map, centred, (x, y, z), spacing_mm)])
    seen = is_brain[codes]
    centre = (np.asarray(codes.shape) - 1) / 2 + np.asarray(parameters.deformation.shift_mm) / spacing_mm
    limits = replace(parameters.coverage, strip="none", deface=False)
    shown = np.count_nonzero(seen & keep_mask(seen, seen, centre, limits, spacing_mm))
    return max(0.0, 1 - shown / whole) if whole else 0.0


def grid_shape(spacing_mm: float) -> tuple[int, int, int]:
    """Voxels of a whole-head scan."""
    x, y, z = (round(mm / spacing_mm) for mm in FIELD_OF_VIEW_MM)
    return x, y, z


def _one(
    out: Path, name: str, source: str, label_map: LabelMap, parameters: HeadParameters, spacing_mm: float
) -> Truth:
    shape = grid_shape(spacing_mm)
    codes = deform(label_map, parameters.deformation, shape, spacing_mm)
    head = render_codes(codes, label_map, parameters, spacing_mm)
    layout = FileLayout(voxel_mm=(spacing_mm, spacing_mm, spacing_mm))
    write_scan(head, out / f"{name}.nii.gz", layout)
    write_labels(head, out / f"{name}_labels.nii.gz", layout)
    save_parameters(parameters, out / f"{name}_parameters.json", label_map=source, shape=shape, spacing_mm=spacing_mm)
    brain, icv = volumes_ml(head.labels, spacing_mm**3)
    return Truth(
        scan=f"{name}.nii.gz",
        sequence=SUFFIX_OF_KIND.get(parameters.contrast.kind, "random"),
        dimension=layout.dimension,
        brain_ml=brain,
        icv_ml=icv,
        brain_outside_fov=outside_share(codes, label_map, parameters, spacing_mm),
        skull_stripped=parameters.coverage.strip != "none",
    )
