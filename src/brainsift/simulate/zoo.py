"""The zoo: scans that a folder of brain scans holds and should not, each with what is true of it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainsift.simulate import zoo_bodies, zoo_derive, zoo_maps
from brainsift.simulate.acquire import Acquisition
from brainsift.simulate.artefacts.grades import USUAL_CONTRAST
from brainsift.simulate.contrast import Contrast, draw_contrast
from brainsift.simulate.coverage import WHOLE
from brainsift.simulate.deform import DeformRanges, draw_deformation
from brainsift.simulate.freesurfer import WHITE
from brainsift.simulate.head import HeadParameters, SimulatedHead, brain_and_csf, render_head
from brainsift.simulate.labelmap import LabelMap
from brainsift.simulate.write import SUFFIX_OF_KIND

Float32 = NDArray[np.float32]

LYING = DeformRanges(rotation_deg=8.0, scale=0.08, stretch=0.05, shear=0.04, shift_mm=8.0)
"""How differently heads lie in a scanner; sizes are those of adults and older children."""

GOOD_CONTRAST = (0.28, 0.7)
"""Relative contrast of grey and white matter of good T1w scans; others have `USUAL_CONTRAST` of it."""

CONTRAST_DRAWS = 40

BRIGHTEST_FLUID = 0.45
"""Of white matter, in a good FLAIR; its inversion times are drawn so widely that many would not suppress fluid."""

T1W, FLAIR = ("mprage", "spgr", "t1_se"), ("flair",)
OTHERS = ("t2_se", "pd_se", "gre")

IMPROPER: dict[str, tuple[str, ...]] = {
    "thick_slices": (*T1W, *FLAIR, *OTHERS),
    "truncated": (*T1W, *FLAIR, *OTHERS),
    "swapped_axes": (*T1W, *FLAIR, *OTHERS),
    "mask": ("brain", "white", "head", "lesion"),
    "label_map": ("all", "tissues"),
    "map": ("t1_map", "adc", "phase"),
    "diffusion": ("dwi",),
    "angiography": ("angiography",),
    "ct": ("ct",),
    "phantom": ("phantom",),
    "body": ("limb", "knee", "abdomen", "spine"),
    "nothing": ("nothing",),
}
"""Kind → variants: sequences where it is made from a head, else what is shown."""

PROPER: dict[str, tuple[str, ...]] = {
    "t1w": T1W, "flair": FLAIR, "other_sequence": OTHERS, "susceptibility_map": ("chimap",),
}  # fmt: skip
"""Whole heads in 3D of one sequence or another: proper scans of it, though no proper T1w unless they are."""

KINDS = {**PROPER, **IMPROPER}


@dataclass(frozen=True)
class ZooParameters:
    """One drawn animal: its kind and variant (see `KINDS`), and the seed of all else; the same gives the same scan."""

    kind: str
    variant: str
    seed: int

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class ZooScan:
    """A scan with what is true of it.

    Attributes
    ----------
    image : float32 (X, Y, Z).
    affine : 4x4, as the header says it; wrong on purpose where axes are swapped.
    parameters : what was drawn.
    sequence : BIDS suffix, or ``other``.
    dimension : ``3D`` or ``2D``.
    proper : whether it is a 3D scan of a whole brain, of the sequence that `sequence` names.
    why : what is wrong, empty where nothing is.
    brain_outside_fov : share of the brain that is cut off; None where there is no brain.
    """

    image: Float32
    affine: NDArray[np.float64]
    parameters: ZooParameters
    sequence: str
    dimension: str
    proper: bool
    why: str
    brain_outside_fov: float | None

    @property
    def proper_t1w(self) -> bool:
        """A proper 3D T1w."""
        return self.proper and self.sequence == "T1w"

    @property
    def proper_flair(self) -> bool:
        """A proper 3D FLAIR."""
        return self.proper and self.sequence == "FLAIR"


def draw_zoo(rng: np.random.Generator, kind: str | None = None) -> ZooParameters:
    """Draw one animal; of `kind`, or any improper one.

    Raises
    ------
    ValueError
        if the kind is unknown.
    """
    if kind is None:
        kind = str(rng.choice(list(IMPROPER)))
    if kind not in KINDS:
        raise ValueError(f"kinds of scans are {', '.join(KINDS)}, got {kind}")
    return ZooParameters(kind, str(rng.choice(KINDS[kind])), int(rng.integers(2**31)))


def make_zoo(parameters: ZooParameters, head: LabelMap, shape: tuple[int, int, int], spacing_mm: float) -> ZooScan:
    """Make the scan; `head` is used where the kind shows one. 1 to 4 s for 192x224x192.

    Raises
    ------
    ValueError
        if kind and variant do not belong together.
    """
    kind, variant = parameters.kind, parameters.variant
    if variant not in KINDS.get(kind, ()):
        raise ValueError(f"there is no {kind!r} scan of the variant {variant!r}")
    rng = np.random.default_rng(parameters.seed)
    if kind in ("phantom", "body"):
        body = zoo_bodies.draw_body(rng, variant, shape, spacing_mm)
        image = zoo_bodies.render_body(rng, body, spacing_mm)
        return ZooScan(image, _affine(shape, spacing_mm), parameters, "other", "3D", False, body.why, None)
    if kind == "nothing":
        made = zoo_derive.nothing(rng, shape, _affine(shape, spacing_mm))
        return ZooScan(made.image, made.affine, parameters, "other", "3D", False, made.why, None)
    sequence = variant if variant in SUFFIX_OF_KIND else "mprage"
    scan = render_head(head, draw_proper_head(rng, head, sequence), shape, spacing_mm)
    if variant in SUFFIX_OF_KIND:
        return _of_sequence(rng, parameters, scan)
    if variant in zoo_maps.KINDS:
        picture = zoo_maps.make_map(rng, variant, scan.labels, spacing_mm)
        proper = kind in PROPER
        return ZooScan(picture.image, scan.affine, parameters, picture.sequence, "3D", proper, picture.why, 0.0)
    return _of_labels(rng, parameters, scan)


def draw_good_contrast(rng: np.random.Generator, values: NDArray[np.int64], sequence: str) -> Contrast:
    """Draw a contrast whose grey and white matter differ as in a good scan, and in the usual direction; the nearest to
    that of some draws where none does. Labels without both are taken as they come."""
    if not {2, 3} <= set(values.tolist()) or sequence not in SUFFIX_OF_KIND:
        return draw_contrast(rng, values, sequence)
    suffix = SUFFIX_OF_KIND[sequence]
    low, high = (limit * USUAL_CONTRAST[suffix] for limit in GOOD_CONTRAST)
    draws = []
    for _ in range(CONTRAST_DRAWS):
        drawn = draw_contrast(rng, values, sequence)
        mean = dict(zip(drawn.values, drawn.means, strict=True))
        relative = 2 * (mean[2] - mean[3]) / (mean[2] + mean[3])
        # White matter is brighter on T1w alone; gradient echoes may go either way.
        signed = relative if suffix == "T1w" else abs(relative) if suffix == "T2starw" else -relative
        bright = mean.get(4, 0.0) / mean[2] - BRIGHTEST_FLUID if suffix == "FLAIR" else 0.0
        draws.append((max(low - signed, signed - high, 0.0) + max(bright, 0.0), drawn))
        if draws[-1][0] == 0:
            break
    return min(draws, key=lambda pair: pair[0])[1]


def draw_proper_head(rng: np.random.Generator, head: LabelMap, sequence: str) -> HeadParameters:
    """Parameters of a good scan of the whole head, one of `contrast.SEQUENCES`."""
    voxel = float(rng.uniform(0.8, 1.2))
    return HeadParameters(
        deformation=draw_deformation(rng, LYING),
        contrast=draw_good_contrast(rng, head.values, sequence),
        coverage=WHOLE,
        acquisition=Acquisition(
            resolution_mm=(voxel, voxel, voxel),
            bias=float(rng.uniform(0, 0.25)),
            noise=float(rng.uniform(0.003, 0.015)),
            texture_mm=float(rng.uniform(2, 5)),
            ghost=0.0,
            ghost_axis=0,
            ghost_parts=2,
            gamma=1.0,
            seed=int(rng.integers(2**31)),
        ),
    )


def brain_of(labels: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Mask (X, Y, Z) of the brain, ventricles included."""
    values = np.unique(labels)
    brain, _ = brain_and_csf(values)
    mask: NDArray[np.bool_] = np.isin(labels, values[brain])
    return mask


def _of_sequence(rng: np.random.Generator, parameters: ZooParameters, scan: SimulatedHead) -> ZooScan:
    suffix = SUFFIX_OF_KIND[parameters.variant]
    whole = ZooScan(scan.image, scan.affine, parameters, suffix, "3D", True, "", 0.0)
    if parameters.kind in PROPER:
        return whole
    if parameters.kind == "thick_slices":
        made = zoo_derive.thick_slices(rng, scan.image, scan.affine)
    elif parameters.kind == "truncated":
        made = zoo_derive.truncate(rng, scan.image, scan.affine, brain_of(scan.labels))
    else:
        made = zoo_derive.swap_axes(rng, scan.image, scan.affine)
    return replace(
        whole,
        image=made.image,
        affine=made.affine,
        dimension="2D" if parameters.kind == "thick_slices" else "3D",
        proper=False,
        why=made.why,
        brain_outside_fov=made.outside,
    )


def _of_labels(rng: np.random.Generator, parameters: ZooParameters, scan: SimulatedHead) -> ZooScan:
    labels, variant = scan.labels, parameters.variant
    if parameters.kind == "label_map":
        image = labels if variant == "all" else zoo_maps.paint(labels, (3, 2, 4, 4, 1, 1, 6, 7, 5, 0))
        made = zoo_derive.Derived(image.astype(np.float32), scan.affine, "label map")
    else:
        masks = {"brain": brain_of(labels), "white": np.isin(labels, WHITE), "head": labels > 0}
        mask = masks[variant] if variant in masks else _spots(rng, masks["white"])
        made = zoo_derive.to_mask(rng, mask, scan.affine)
    return ZooScan(made.image, made.affine, parameters, "other", "3D", False, made.why, 0.0)


def _spots(rng: np.random.Generator, white: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Lesion-like spots in white matter."""
    from brainsift.simulate.separable import spline_field

    x, y, z = white.shape
    field = spline_field(rng, (x, y, z), 6.0)
    spots: NDArray[np.bool_] = white & (field > 1.8)
    return spots


def _affine(shape: tuple[int, int, int], spacing_mm: float) -> NDArray[np.float64]:
    affine = np.diag([spacing_mm] * 3 + [1.0])
    affine[:3, 3] = -spacing_mm * (np.asarray(shape) - 1) / 2
    return affine
