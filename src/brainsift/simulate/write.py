"""Files as scanners give them: whole numbers with a slope, any order of the axes, oblique, thick slices."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainsift.scans.write import COMPRESSION_LEVEL, write_atomically
from brainsift.simulate.contrast import Contrast
from brainsift.simulate.head import SimulatedHead
from brainsift.simulate.separable import along

Float32 = NDArray[np.float32]

SUFFIX_OF_KIND = {
    "mprage": "T1w", "spgr": "T1w", "t1_se": "T1w", "t2_se": "T2w", "pd_se": "PDw", "flair": "FLAIR", "gre": "T2starw",
}  # fmt: skip
"""Sequence → BIDS suffix."""

THICK_SLICE_MM = 2.5
"""From here on, and at twice the in-plane size, slices are taken one by one: a 2D scan."""

LARGEST_STORED = 4095
"""Scanners reconstruct to 12 bits."""


@dataclass(frozen=True)
class FileLayout:
    """How a scan is sampled and stored.

    Attributes
    ----------
    voxel_mm : (3,), along x (left to right), y and z.
    orientation : three letters, where the stored axes point, such as ``LIA``.
    oblique_deg : (3,), rotation of the grid in the scanner about x, y and z.
    qform_code, sform_code : NIfTI codes; 0 leaves the transform out.
    slope : of the stored whole numbers.
    """

    voxel_mm: tuple[float, float, float] = (1.0, 1.0, 1.0)
    orientation: str = "RAS"
    oblique_deg: tuple[float, float, float] = (0.0, 0.0, 0.0)
    qform_code: int = 1
    sform_code: int = 1
    slope: float = 1.0

    @property
    def dimension(self) -> str:
        """``2D`` where the slices are thick, else ``3D``."""
        thin, thick = min(self.voxel_mm), max(self.voxel_mm)
        return "2D" if thick >= THICK_SLICE_MM and thick >= 2 * thin else "3D"


def draw_layout(rng: np.random.Generator, voxel_mm: tuple[float, float, float] = (1.0, 1.0, 1.0)) -> FileLayout:
    """Draw how a scan is stored: axes in the orders that scanners and converters use, a third of them oblique."""
    oblique = rng.uniform(-15, 15, 3) if rng.random() < 1 / 3 else np.zeros(3)
    codes = [(1, 1), (1, 1), (1, 0), (0, 1), (1, 2)][int(rng.integers(5))]
    return FileLayout(
        voxel_mm=voxel_mm,
        orientation=str(rng.choice(["RAS", "LAS", "LPS", "LIA", "PSR", "ASL", "RPI"])),
        oblique_deg=(float(oblique[0]), float(oblique[1]), float(oblique[2])),
        qform_code=codes[0],
        sform_code=codes[1],
        slope=float(rng.choice([1.0, np.exp(rng.normal(0, 1))])),
    )


def write_scan(head: SimulatedHead, path: Path, layout: FileLayout | None = None) -> None:
    """Write the image as NIfTI with 16-bit whole numbers and a BIDS sidecar beside it.

    Parameters
    ----------
    head : on its isotropic grid; each stored voxel averages what lies in it.
    path : ends in ``.nii`` or ``.nii.gz``.
    layout : how it is sampled and stored; 1 mm RAS+ if not given.
    """
    layout = layout or FileLayout()
    image, affine = sample(head.image, head.affine, layout.voxel_mm)
    top = float(np.percentile(image, 99.9)) or 1.0
    stored = np.clip(np.round(image / top * LARGEST_STORED * 0.8), 0, LARGEST_STORED).astype(np.int16)
    write_array(stored, affine, path, layout)
    sidecar = _sidecar(head.parameters.contrast, layout)
    write_atomically(sidecar_path(path), (json.dumps(sidecar, indent=1) + "\n").encode())


def write_labels(head: SimulatedHead, path: Path, layout: FileLayout | None = None) -> None:
    """Write the labels as NIfTI on their own isotropic grid, stored with the same axes as the image."""
    write_array(head.labels.astype(np.int16), head.affine, path, layout or FileLayout())


def write_array(
    stored: NDArray[np.int16], affine: NDArray[np.float64], path: Path, layout: FileLayout | None = None
) -> None:
    """Write whole numbers (X, Y, Z) or (X, Y, Z, T) of a RAS+ grid in the order, tilt and scaling of `layout`."""
    import nibabel as nib
    from nibabel.orientations import apply_orientation, axcodes2ornt, inv_ornt_aff

    layout = layout or FileLayout()
    order = axcodes2ornt(tuple(layout.orientation))  # type: ignore[no-untyped-call]
    # `order` says for each stored axis which RAS axis it follows; nibabel wants the inverse mapping.
    moves = np.column_stack([np.argsort(order[:, 0]), order[np.argsort(order[:, 0]), 1]])
    array = apply_orientation(stored, moves)  # type: ignore[no-untyped-call]
    tilted = _tilt(layout.oblique_deg) @ affine @ inv_ornt_aff(moves, stored.shape[:3])  # type: ignore[no-untyped-call]
    image: Any = nib.Nifti1Image(np.ascontiguousarray(array), tilted)  # type: ignore[no-untyped-call]
    header: Any = image.header
    header.set_slope_inter(layout.slope, 0)
    header.set_xyzt_units("mm", "sec")
    # Through the image, which takes over what the header can hold; else nibabel writes an sform that nobody asked for.
    image.set_sform(tilted if layout.sform_code else None, layout.sform_code)
    image.set_qform(tilted if layout.qform_code else None, layout.qform_code)
    content = image.to_bytes()
    if path.name.endswith(".gz"):
        from isal import igzip

        content = igzip.compress(content, COMPRESSION_LEVEL, mtime=0)
    write_atomically(path, content)


def sample(
    image: Float32, affine: NDArray[np.float64], voxel_mm: tuple[float, float, float]
) -> tuple[Float32, NDArray[np.float64]]:
    """Average an image into voxels of another size about the same centre; the affine follows."""
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    first = np.zeros(3)
    for axis, (width, fine) in enumerate(zip(voxel_mm, spacing, strict=True)):
        if abs(width - fine) < 1e-6:
            continue
        n = image.shape[axis]
        matrix, first[axis] = voxel_average(n, width / fine)
        image = along(matrix, np.ascontiguousarray(image), axis)
    moved = affine.copy()
    moved[:3, 3] += affine[:3, :3] @ first
    moved[:3, :3] *= np.asarray(voxel_mm) / spacing
    return image, moved


def voxel_average(n: int, ratio: float) -> tuple[Float32, float]:
    """Overlap of voxels `ratio` grid points wide with `n` grid points, rows summing to 1, and the first one's centre.

    Returns
    -------
    matrix (m, n), position of the centre of voxel 0 in grid points.
    """
    m = max(1, int(n / ratio + 1e-6))
    first = (n - 1) / 2 - (m - 1) / 2 * ratio
    centres = first + np.arange(m)[:, None] * ratio
    grid = np.arange(n)[None]
    overlap = np.minimum(grid + 0.5, centres + ratio / 2) - np.maximum(grid - 0.5, centres - ratio / 2)
    weight = np.clip(overlap, 0, None)
    matrix: Float32 = (weight / weight.sum(axis=1, keepdims=True)).astype(np.float32)
    return matrix, float(first)


def crop(head: SimulatedHead, low_mm: tuple[float, ...], high_mm: tuple[float, ...]) -> SimulatedHead:
    """Keep the part of the grid between two corners (mm about the grid's centre), as a small field of view does."""
    origin, spacing = head.affine[:3, 3], np.diag(head.affine)[:3]
    start = np.maximum(np.ceil((np.asarray(low_mm) - origin) / spacing), 0).astype(int)
    stop = np.minimum(np.floor((np.asarray(high_mm) - origin) / spacing) + 1, head.image.shape).astype(int)
    if (stop <= start).any():
        raise ValueError(f"the field of view from {low_mm} to {high_mm} mm holds nothing of the grid")
    box = tuple(slice(a, b) for a, b in zip(start, stop, strict=True))
    affine = head.affine.copy()
    affine[:3, 3] = origin + start * spacing
    return SimulatedHead(head.image[box], head.labels[box], affine, head.parameters)


def sidecar_path(path: Path) -> Path:
    """The JSON beside an image."""
    return path.with_name(path.name.removesuffix(".gz").removesuffix(".nii") + ".json")


def _tilt(degrees: tuple[float, float, float]) -> NDArray[np.float64]:
    from scipy.spatial.transform import Rotation

    affine = np.eye(4)
    affine[:3, :3] = Rotation.from_euler("xyz", degrees, degrees=True).as_matrix()
    return affine


def _sidecar(contrast: Contrast, layout: FileLayout) -> dict[str, Any]:
    """BIDS fields, times in seconds."""
    names = {"tr": "RepetitionTime", "te": "EchoTime", "ti": "InversionTime"}
    fields: dict[str, Any] = {"MRAcquisitionType": layout.dimension, "MagneticFieldStrength": 3}
    fields |= {name: round(contrast.settings[key] / 1000, 5) for key, name in names.items() if key in contrast.settings}
    if "flip" in contrast.settings:
        fields["FlipAngle"] = round(contrast.settings["flip"], 1)
    if layout.dimension == "2D":
        fields["SliceThickness"] = max(layout.voxel_mm)
    return fields
