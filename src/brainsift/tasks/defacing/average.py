"""The average head and brain on the standard grid, which tells where a face should be, and where brain.

The packaged table comes from the sixteen training label maps by
`python -m brainsift.tasks.defacing.average LABEL_MAPS`: each is placed by the same fit to MNI152 as a scan.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from brainsift.tasks.defacing.frame import GRID_MM, GRID_ORIGIN_MM, GRID_SHAPE, sample_nearest, standard_affine

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Bool = NDArray[np.bool_]

TABLE = "average_head.npz"
LEVELS = 255

WHOLE_FACES = ("01", "02", "05", "06", "08", "10", "11", "12", "14", "15", "16")
"""Training label maps that reach below the chin; the others end below the eyes."""

TRAINING = tuple(f"{number:02d}" for number in range(1, 17))

SURE_BRAIN = 0.95
"""Share of people whose brain fills a voxel, from which brain is missed where there is none."""

Box = tuple[tuple[float, float], tuple[float, float], tuple[float, float]]

FEATURES = ("brow", "eyes", "nose", "mouth", "ears")

BOXES: MappingProxyType[str, tuple[Box, ...]] = MappingProxyType(
    {
        "brow": (((-50, 50), (50, 112), (-26, 2)),),
        "eyes": (((-52, -14), (46, 112), (-54, -26)), ((14, 52), (46, 112), (-54, -26))),
        "nose": (((-18, 18), (70, 112), (-88, -42)),),
        "mouth": (((-32, 32), (52, 112), (-124, -92)),),
        "ears": (((-103, -66), (-64, 8), (-96, -14)), ((66, 103), (-64, 8), (-96, -14))),
    }
)
"""Feature → boxes in MNI152 mm (x, y, z), drawn around the features of the average head."""


@dataclass(frozen=True, eq=False)
class AverageHead:
    """Shares of people, float32 of `GRID_SHAPE`.

    Attributes
    ----------
    head : whose head fills a voxel.
    brain : whose brain does.
    """

    head: Float32
    brain: Float32

    @functools.cached_property
    def sure_brain(self) -> Bool:
        """Where nearly everybody has brain."""
        return self.brain >= np.float32(SURE_BRAIN)


@functools.cache
def load_average() -> AverageHead:
    """The packaged table, read once per process."""
    source = resources.files("brainsift.tasks.defacing").joinpath(TABLE)
    with resources.as_file(source) as path, np.load(path) as table:
        return AverageHead(*(table[name].astype(np.float32) / np.float32(LEVELS) for name in ("head", "brain")))


def box_slices(box: Box) -> tuple[slice, slice, slice]:
    """The voxels of the standard grid whose centres lie in a box of MNI152 mm."""
    spans = []
    for axis, (low, high) in enumerate(box):
        first = int(np.ceil((low - GRID_ORIGIN_MM[axis]) / GRID_MM))
        last = int(np.floor((high - GRID_ORIGIN_MM[axis]) / GRID_MM))
        spans.append(slice(max(0, first), min(GRID_SHAPE[axis], last + 1)))
    return spans[0], spans[1], spans[2]


def derive_average(folder: Path) -> dict[str, NDArray[np.uint8]]:
    """The table of `load_average` from the label maps `head_NN_labels.nii.gz` of a folder.

    Raises
    ------
    ValueError
        if the brain of a label map cannot be placed.
    """
    from brainsift.anatomy.labels import BRAIN, group_freesurfer
    from brainsift.anatomy.mni import fit_affine
    from brainsift.anatomy.mni_reference import load_reference, read_label_map
    from brainsift.anatomy.moments import cloud_from_labels

    heads, brains = [], []
    for number in TRAINING:
        labels, affine = read_label_map(folder / f"head_{number}_labels.nii.gz")
        tissues = group_freesurfer(labels)
        fit = fit_affine(cloud_from_labels(tissues, affine), None, load_reference())
        if fit is None:
            raise ValueError(f"head_{number}: the brain of this label map cannot be placed in MNI152")
        step = np.linalg.inv(fit.affine @ affine) @ standard_affine()
        brains.append(sample_nearest(np.isin(tissues, BRAIN), step))
        if number in WHOLE_FACES:
            heads.append(sample_nearest(labels > 0, step))
    return {name: _shares(of_all) for name, of_all in (("head", heads), ("brain", brains))}


def _shares(masks: list[NDArray[np.bool_]]) -> NDArray[np.uint8]:
    """Mean over people and both sides."""
    mean = np.mean(masks, axis=0)
    levels: NDArray[np.uint8] = np.rint(LEVELS * (mean + mean[::-1]) / 2).astype(np.uint8)
    return levels


def _main() -> None:
    import sys

    np.savez_compressed(Path(__file__).with_name(TABLE), **derive_average(Path(sys.argv[1])))  # type: ignore[arg-type]


if __name__ == "__main__":
    _main()
