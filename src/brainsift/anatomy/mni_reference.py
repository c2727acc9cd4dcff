"""The reference brain in MNI152 space that scans are fitted to, and how it was derived.

The packaged table comes from the sixteen training label maps by `python -m brainsift.anatomy.mni_reference
LABEL_MAPS`: every map gets its own affine from fourteen subcortical centres and the extents of the brain, and the
grouped classes are averaged under it.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainsift.anatomy.labels import group_freesurfer
from brainsift.anatomy.moments import CLASSES, TissueCloud, cloud_from_labels

Float64 = NDArray[np.float64]

MNI_CENTRES_MM: dict[int, tuple[float, float, float]] = {
    10: (-10, -19, 6),
    49: (11, -18, 7),
    11: (-13, 9, 10),
    50: (14, 10, 10),
    12: (-25, 0, 0),
    51: (26, 2, 0),
    13: (-19, -5, -1),
    52: (20, -4, -1),
    17: (-25, -23, -14),
    53: (26, -21, -14),
    18: (-23, -5, -18),
    54: (24, -4, -18),
    26: (-9, 11, -7),
    58: (9, 12, -7),
}
"""FreeSurfer label → centre of the same structure in MNI152, rounded, from the Harvard-Oxford subcortical atlas
(Desikan 2006, NeuroImage 31:968; Frazier 2005, Am J Psychiatry 162:1256)."""

MNI_EXTENTS_MM: dict[tuple[int, int], float] = {(0, 0): -70, (0, 1): 70, (1, 0): -105, (1, 1): 73, (2, 1): 80}
"""(axis, side) → where the brain of MNI152 (6th generation) ends, mm. The lower end is left out: where a brainstem
ends is convention."""

FIT_POINTS = 4000
"""Points of a class of the average brain that scans are fitted to, of 28,000: its octant centres move by 0.3 mm, and a
fit takes a third of the time."""

EXTENT_WEIGHT = 0.5
"""Extents scatter over people about 1.5 times as much as deep centres do, and there is one number each instead of
three."""

EXTENT_SHARE = 0.001
"""Share of brain voxels that counts as the end of the brain; single voxels are noise of the label map."""

DISAGREEMENT_MM = 15.0
"""Stands for the error of an octant that is empty or has a wholly different volume in a map: half the size of a deep
class."""

GRID_MM = 4.0
GRID_ORIGIN_MM = np.array([-90.0, -126.0, -90.0])
GRID_SHAPE = (46, 56, 48)
"""Grid of the reference: 4 mm hold the moments to a tenth of a millimetre and keep the table small."""


@dataclass(frozen=True, eq=False)
class MniReference:
    """The average brain.

    Attributes
    ----------
    cloud : the classes in MNI152, mm and mm³ (mass = share of training maps x voxel volume).
    landmark_sd_mm : (len(CLASSES) * 8,) scatter of the octant centres over training maps after the fit, mm.
    log_volume_mean, log_volume_sd : (len(CLASSES),) of the natural logarithm of class volumes in mL, in scan space.
    mean_scale : (3,) average stretch from a scan to MNI152 along its axes.
    """

    cloud: TissueCloud
    landmark_sd_mm: Float64
    log_volume_mean: Float64
    log_volume_sd: Float64
    mean_scale: Float64

    @functools.cached_property
    def thinned(self) -> TissueCloud:
        """At most `FIT_POINTS` points of each class of the cloud."""
        return self.cloud.thinned(FIT_POINTS)


@functools.cache
def load_reference() -> MniReference:
    """The packaged reference, read once per process."""
    source = resources.files("brainsift.anatomy").joinpath("mni_reference.npz")
    with resources.as_file(source) as path, np.load(path) as table:
        return MniReference(
            cloud=_cloud(table["density"]),
            landmark_sd_mm=table["landmark_sd_mm"].astype(np.float64),
            log_volume_mean=table["log_volume_mean"].astype(np.float64),
            log_volume_sd=table["log_volume_sd"].astype(np.float64),
            mean_scale=table["mean_scale"].astype(np.float64),
        )


def _cloud(density: NDArray[np.uint8]) -> TissueCloud:
    """Density uint8 (len(CLASSES), X, Y, Z), 255 = in all maps, → cloud."""
    index = np.argwhere(density > 0)
    points = index[:, 1:] * GRID_MM + GRID_ORIGIN_MM
    mass = density[tuple(index.T)] / 255.0 * GRID_MM**3
    return TissueCloud(points, index[:, 0].astype(np.intp), mass)


def map_affine(centres: dict[int, Float64], brain_mm: Float64) -> Float64:
    """Affine of one label map to MNI152 from subcortical centres and the ends of the brain.

    Parameters
    ----------
    centres : FreeSurfer label → (3,) mm; the labels of `MNI_CENTRES_MM`.
    brain_mm : (N, 3) brain voxels, mm.

    Returns
    -------
    4x4, map mm → MNI152 mm.
    """
    source = np.array([[*centres[label], 1.0] for label in MNI_CENTRES_MM])
    target = np.array(list(MNI_CENTRES_MM.values()), dtype=np.float64)
    affine = np.eye(4)
    affine[:3] = np.linalg.lstsq(source, target, rcond=None)[0].T
    for _ in range(3):  # the end of the brain along an axis depends a little on the axis
        ends = {key: _end_of_brain(brain_mm, affine, *key) for key in MNI_EXTENTS_MM}
        for axis in range(3):
            keys = [key for key in MNI_EXTENTS_MM if key[0] == axis]
            rows = np.vstack([source, [EXTENT_WEIGHT * np.append(ends[key], 1.0) for key in keys]])
            values = np.append(target[:, axis], [EXTENT_WEIGHT * MNI_EXTENTS_MM[key] for key in keys])
            affine[axis] = np.linalg.lstsq(rows, values, rcond=None)[0]
    return affine


def _end_of_brain(brain_mm: Float64, affine: Float64, axis: int, side: int) -> Float64:
    along = brain_mm @ affine[axis, :3]
    limit = np.quantile(along, 1 - EXTENT_SHARE if side else EXTENT_SHARE)
    end: Float64 = brain_mm[along >= limit if side else along <= limit].mean(axis=0)
    return end


def derive_reference(label_maps: list[Path]) -> dict[str, NDArray[np.generic]]:
    """The table of `load_reference` from FreeSurfer-convention label maps."""
    from brainsift.anatomy.mni import fit_affine

    clouds, affines = [], []
    for path in label_maps:
        labels, affine = read_label_map(path)
        cloud = cloud_from_labels(group_freesurfer(labels), affine, max_points=labels.size)
        clouds.append(cloud)
        affines.append(map_affine(label_centres(labels, affine), cloud.points))
    density = np.mean([_density(cloud, affine) for cloud, affine in zip(clouds, affines, strict=True)], axis=0)
    log_volume = np.log([cloud.class_mass() / 1000.0 for cloud in clouds])
    table: dict[str, NDArray[np.generic]] = {
        "density": np.rint(255 * density).astype(np.uint8),
        "log_volume_mean": log_volume.mean(axis=0).astype(np.float32),
        "log_volume_sd": log_volume.std(axis=0, ddof=1).astype(np.float32),
        "mean_scale": np.mean([np.abs(np.diag(affine)[:3]) for affine in affines], axis=0).astype(np.float32),
    }
    n_landmarks = len(CLASSES) * 8
    equal = MniReference(
        _cloud(np.rint(255 * density).astype(np.uint8)),
        np.ones(n_landmarks),
        log_volume.mean(axis=0),
        log_volume.std(axis=0, ddof=1),
        np.asarray(table["mean_scale"], dtype=np.float64),
    )
    fits = [fit_affine(cloud, None, equal) for cloud in clouds]
    residuals = np.stack([fit.landmark_residual_mm for fit in fits if fit is not None])
    table["landmark_sd_mm"] = _scatter(residuals).astype(np.float32)
    return table


def _scatter(residuals: Float64) -> Float64:
    """RMS over maps (rows), an octant that disagreed in a map counting with `DISAGREEMENT_MM` there."""
    scatter: Float64 = np.sqrt((np.nan_to_num(residuals, nan=DISAGREEMENT_MM) ** 2).mean(axis=0))
    return scatter


def _density(cloud: TissueCloud, affine: Float64) -> Float64:
    """Share of each grid voxel that each class fills, (len(CLASSES), X, Y, Z)."""
    mni = cloud.points @ affine[:3, :3].T + affine[:3, 3]
    index = np.rint((mni - GRID_ORIGIN_MM) / GRID_MM).astype(np.intp)
    inside = ((index >= 0) & (index < GRID_SHAPE)).all(axis=1)
    flat = np.ravel_multi_index((cloud.classes[inside], *index[inside].T), (len(CLASSES), *GRID_SHAPE))
    mass = cloud.mass[inside] * abs(np.linalg.det(affine[:3, :3]))
    filled = np.bincount(flat, mass, len(CLASSES) * int(np.prod(GRID_SHAPE))) / GRID_MM**3
    return np.clip(filled.reshape(len(CLASSES), *GRID_SHAPE), 0.0, 1.0)


def read_label_map(path: Path) -> tuple[NDArray[np.int64], Float64]:
    """A label map in RAS order and its affine."""
    import nibabel as nib

    image = nib.as_closest_canonical(nib.load(path))  # type: ignore[no-untyped-call]
    return np.asarray(image.dataobj).astype(np.int64), np.asarray(image.affine, dtype=np.float64)


def label_centres(labels: NDArray[np.integer], affine: Float64) -> dict[int, Float64]:
    """Centre of mass in mm of every subcortical structure of `MNI_CENTRES_MM`."""
    centres = {}
    for label in MNI_CENTRES_MM:
        index = np.argwhere(labels == label)
        if not len(index):
            raise ValueError(f"the label map has no voxel of label {label}; it needs all of {sorted(MNI_CENTRES_MM)}")
        centres[label] = affine[:3, :3] @ index.mean(axis=0) + affine[:3, 3]
    return centres


def _main() -> None:
    import sys

    maps = sorted(Path(sys.argv[1]).glob("head_*_labels.nii.gz"))[:16]  # 17-20 are kept for validation
    table: dict[str, Any] = derive_reference(maps)
    np.savez_compressed(Path(__file__).with_name("mni_reference.npz"), **table)


if __name__ == "__main__":
    _main()
