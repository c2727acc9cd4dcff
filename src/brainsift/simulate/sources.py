"""Where heads come from: the user's own label maps, or the packaged atlas."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from brainsift.simulate.labelmap import LabelMap, load_label_map

ATLAS_SPACING_MM = 1.25
"""Of heads drawn for scans of about 1 mm: half the time of 1 mm, and the cortex still two voxels thick."""


def list_label_maps(folder: Path) -> list[Path]:
    """Label maps in a folder, sorted by name.

    Raises
    ------
    ValueError
        if there are none.
    """
    paths = sorted(p for p in folder.iterdir() if p.name.endswith((".nii", ".nii.gz", ".mgz")))
    if not paths:
        raise ValueError(f"{folder}: no label map (.nii, .nii.gz, .mgz) is in it; give the folder that holds them")
    return paths


def heads_of(label_maps: Sequence[Path] | None, rng: np.random.Generator) -> Iterator[tuple[str, LabelMap]]:
    """Name and label map of heads without end: the given maps in turn, or fresh draws from the atlas."""
    if label_maps is None:
        from brainsift.simulate.atlas import load_atlas
        from brainsift.simulate.atlas_draw import draw_label_map

        atlas = load_atlas()
        while True:
            yield "atlas", draw_label_map(atlas, rng, ATLAS_SPACING_MM)
    while True:
        for path in label_maps:
            yield path.name, load_label_map(path)
