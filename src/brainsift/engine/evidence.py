"""Pictures and masks of a scan, written beside its record."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from brainsift.scans.ref import ScanRef
from brainsift.stage_clock import stage
from brainsift.store.derivatives import mask_path, write_sidecar
from brainsift.store.files import derived_path, require_inside

if TYPE_CHECKING:
    from brainsift.anatomy.anatomy import Anatomy
    from brainsift.scans.volume import Volume

MOSAIC_SUFFIX = "_desc-mosaic_qc.webp"
OUTLINE_SUFFIX = "_desc-outline_qc.webp"


def write_evidence(
    ref: ScanRef,
    volume: Volume,
    anatomy: Anatomy,
    output: Path,
    *,
    pictures: bool,
    keep_masks: bool,
    scratch: Path | None = None,
) -> dict[str, str]:
    """Write what is asked for and return name → path relative to OUTPUT."""
    written: dict[str, Path] = {}
    if pictures:
        with stage("mosaic"):
            written |= _write_pictures(ref, volume, anatomy, output)
    if keep_masks and anatomy.has_brain:
        with stage("mask"):
            written["brain_mask"] = _write_brain_mask(ref, volume, anatomy, output, scratch)
    return {name: path.relative_to(output).as_posix() for name, path in written.items()}


def _write_pictures(ref: ScanRef, volume: Volume, anatomy: Anatomy, output: Path) -> dict[str, Path]:
    from brainsift.anatomy.pictures import write_mosaic

    mosaic, outline = (derived_path(output, ref.stem, suffix) for suffix in (MOSAIC_SUFFIX, OUTLINE_SUFFIX))
    mosaic.parent.mkdir(parents=True, exist_ok=True)
    require_inside(mosaic.parent, output)
    write_mosaic(anatomy, mosaic, outline, volume=volume)
    return {"mosaic": mosaic, "mosaic_outline": outline}


def _write_brain_mask(ref: ScanRef, volume: Volume, anatomy: Anatomy, output: Path, scratch: Path | None) -> Path:
    """The brain mask on the scan's own grid, nearest neighbour, voxel for voxel."""
    import numpy as np

    from brainsift.engine.grids import sample_nearest
    from brainsift.scans.write import write_like_input

    path = mask_path(output, ref, "brain")
    path.parent.mkdir(parents=True, exist_ok=True)
    require_inside(path.parent, output)
    # By way of scratch, which is removed whatever happens to this process.
    made = (scratch or path.parent) / path.name
    on_scan = sample_nearest(anatomy.brain, anatomy.affine, volume.shape, volume.affine)
    write_like_input(volume, on_scan, made, np.uint8)
    made.replace(path)
    write_sidecar(path, ref.scan, output, Type="Brain", Description="Brain parenchyma and ventricles.")
    return path
