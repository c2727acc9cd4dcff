"""A template's mask of the face laid over the head, as pydeface, mridefacer and fsl_deface do."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from brainsift.simulate.deface.geometry import Float64, HeadGeometry, Mask
from brainsift.simulate.deface.misfit import Misfit, draw_misfit
from brainsift.simulate.deface.zone import LINE_NORMAL, Zone, draw_zone, ears_mask, zone_mask

MASK_FILES = {"mridefacer": "mridefacer_face_teeth_ear_mask.nii.gz", "pydeface": "pydeface_facemask.nii.gz"}
"""Masks of two tools, used where their folder is given; the zone of `zone.py` stands in where it is not."""

MRIDEFACER_BRAIN_VOXELS = ((8, 57), (6, 66), (92,))
"""First and last voxel of that tool's template brain along x and y, and its top; its header has no origin."""

MRIDEFACER_TO_MNI_MM = 2.9
"""A voxel of 3 mm, shrunk to the size of MNI152's brain along y."""


USUALLY_DEEPER_MM = {"mridefacer": 2.0, "pydeface": 9.0}
"""How far each mask must be moved towards the brain to take a usual face: their templates are smaller than MNI152."""


@dataclass(frozen=True)
class Template:
    """A mask and where it is laid.

    Attributes
    ----------
    mask : a name of `MASK_FILES`, or ``zone``.
    folder : where the files are; not used for ``zone``.
    zone : the mask's shape where it is ``zone``; its `deeper_mm` moves the others' towards the brain too, and its ears
        are added to them: pydeface has none, and mridefacer's leave half of large ones.
    misfit : of the registration.
    """

    mask: str
    folder: str | None
    zone: Zone
    misfit: Misfit


def draw_template(rng: np.random.Generator, aim: str, folder: Path | None = None) -> Template:
    """Draw a mask and a registration that should do what `aim` says on a usual head."""
    available = ["zone", *(n for n, f in MASK_FILES.items() if folder is not None and (folder / f).is_file())]
    name = str(rng.choice(available))
    zone, misfit = draw_zone(rng, aim), draw_misfit(rng, 1.0 if aim == "correct" else 2.0)
    if aim in ("insufficient", "excessive") and rng.random() < 0.5:
        sign = 1.0 if aim == "insufficient" else -1.0
        # A template meant for a larger head reaches into the brain of a small one, and the other way round.
        misfit = replace(misfit, size=float(misfit.size * np.exp(sign * rng.uniform(0.04, 0.2))))
    return Template(name, None if folder is None else str(folder), zone, misfit)


def reach_of_template(template: Template, geometry: HeadGeometry) -> Mask:
    """Voxels that the mask takes away, bool (X, Y, Z); 0.2 s for 192x224x192.

    Raises
    ------
    ValueError
        if the mask's file is not where it was drawn from.
    """
    frame = template.misfit.matrix()
    if template.mask == "zone":
        return zone_mask(geometry, template.zone, frame)
    moved = np.eye(4)
    deeper = template.zone.deeper_mm + USUALLY_DEEPER_MM[template.mask]
    moved[1:3, 3] = deeper * np.asarray(LINE_NORMAL)
    removed, to_voxel = _load(Path(template.folder or ""), template.mask)
    there = to_voxel @ moved @ frame @ geometry.to_mni
    taken: Mask = (
        ndimage.affine_transform(removed, there[:3, :3], there[:3, 3], geometry.shape, order=0, mode="nearest") > 0
    )
    x, y, z = geometry.mni(frame)
    if template.zone.ears:
        taken |= ears_mask(x, y, z, template.zone.ears_deeper_mm)
    taken &= z < template.zone.only_below_mm
    return taken


@lru_cache(maxsize=4)
def _load(folder: Path, name: str) -> tuple[NDArray[np.uint8], Float64]:
    """A tool's mask, 1 where it removes, and mm of MNI152 → its voxels."""
    import nibabel as nib

    path = folder / MASK_FILES[name]
    if not path.is_file():
        raise ValueError(f"{path} is missing: give the folder of defacing masks that it was drawn from")
    image = nib.as_closest_canonical(nib.load(path))  # type: ignore[no-untyped-call]
    removed = (np.asarray(image.dataobj) < 0.5).astype(np.uint8)
    if name != "mridefacer":
        return removed, np.linalg.inv(np.asarray(image.affine, float))
    # Stored like its template, but with a header that points the other way along x and z.
    removed = np.ascontiguousarray(removed[::-1, :, ::-1])
    (left, right), (back, front), (top,) = MRIDEFACER_BRAIN_VOXELS
    affine = np.diag([MRIDEFACER_TO_MNI_MM] * 3 + [1.0])
    voxel = np.array([(left + right) / 2, (back + front) / 2, top + 0.5])
    affine[:3, 3] = np.array([0.0, -16.0, 80.0]) - MRIDEFACER_TO_MNI_MM * voxel
    return removed, np.linalg.inv(affine)
