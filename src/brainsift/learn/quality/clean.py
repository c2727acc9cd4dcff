"""Clean scans to corrupt: painted on label maps, or real ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainsift.anatomy.anatomy import Anatomy
from brainsift.anatomy.cleaning import bounding_box
from brainsift.anatomy.labels import Tissue
from brainsift.scans.conform import axis_weights, labels_to_input, separable, target_count
from brainsift.scans.noise import noise_sd
from brainsift.scans.read import read_file
from brainsift.scans.volume import Volume
from brainsift.simulate.acquire import Acquisition, acquire, draw_acquisition
from brainsift.simulate.artefacts.flair import FLUID_LABELS
from brainsift.simulate.artefacts.gadolinium import Gadolinium, apply_gadolinium, draw_gadolinium
from brainsift.simulate.contrast import Contrast, draw_contrast, tables
from brainsift.simulate.coverage import WHOLE, Coverage, draw_coverage, keep_mask
from brainsift.simulate.deform import DeformRanges, deform, draw_deformation
from brainsift.simulate.fine_structure import FineStructure, apply_fine_structure, draw_fine_structure
from brainsift.simulate.freesurfer import CORTEX, WHITE
from brainsift.simulate.head import brain_and_csf
from brainsift.simulate.labelmap import LabelMap
from brainsift.simulate.zoo import draw_good_contrast

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Mask = NDArray[np.bool_]
Shape = tuple[int, int, int]

STRIPPED_SHARE = 0.5
"""A scan of which less holds any value was stripped; heads in masked air fill more of their field of view."""

SEQUENCE_OF_KIND = {
    **dict.fromkeys(("mprage", "spgr", "t1_se"), "T1w"),
    "t2_se": "T2w",
    "pd_se": "PDw",
    "flair": "FLAIR",
    "gre": "T2starw",
    "stir": "other",
}

KINDS = ("mprage", "spgr", "t1_se", "t2_se", "pd_se", "flair", "gre")
KIND_SHARES = (0.36, 0.14, 0.04, 0.12, 0.06, 0.16, 0.12)
"""Research and trials take T1w most often, then FLAIR."""

GOOD_SHARE = 0.8
"""Of contrasts are those of good scans; the others as the sequence's times happen to give them."""

GADOLINIUM_SHARE = 0.35
"""Of the T1w scans; none whose CSF was stripped, for there is nothing left to enhance."""

HEADS = DeformRanges(
    rotation_deg=15, scale=0.12, stretch=0.06, shear=0.05, shift_mm=8, elastic_mm=3.0, elastic_fine_mm=1.0
)
"""Heads of grown people of all sizes, lying as well as they can."""

FINE_MM, COARSE_MM, COARSE_SHARE = (0.8, 1.35), (1.35, 2.0), 0.25

BRAIN_AT_MM = (0.0, -14.0, 18.0)
"""Mean place of the brain's centre in a whole-head field of view: the face lies before it, the neck below."""

SMOOTH = (0.1, 0.5)
"""How much of a label's spread shows."""

MARGIN_VOXELS = 12
"""Air kept around a skull-stripped scan."""


@dataclass(frozen=True, eq=False)
class CleanScan:
    """A scan without artefacts, and what has to be known of it to corrupt it.

    Attributes
    ----------
    image : float32 (X, Y, Z), RAS+, 0 or more, no noise added.
    spacing_mm : (3,).
    brain, white, cortex : bool (X, Y, Z).
    seen : bool (X, Y, Z), what defacing or stripping left, or None for everything; the rest is set to 0 at the end.
    sequence : BIDS suffix; None where it has none, and whether such a scan is proper is not known.
    person : whose head it is.
    facts : for tables.
    own_noise : standard deviation of the noise that a real scan has.
    fluid : bool (X, Y, Z), or None where it is not known.
    gadolinium : whether it was given; None where that is not asked.
    outside : bool (X, Y, Z), the head but for its brain; None where nothing of it is seen.
    """

    image: Float32
    spacing_mm: tuple[float, float, float]
    brain: Mask
    white: Mask
    cortex: Mask
    seen: Mask | None
    sequence: str | None
    person: str
    facts: dict[str, Any]
    own_noise: float
    gadolinium: bool | None = None
    fluid: Mask | None = None
    outside: Mask | None = None


@dataclass(frozen=True, eq=False)
class PlacedHead:
    """A deformed label map on the scan's grid.

    Attributes
    ----------
    codes : uint8 (X, Y, Z), index into `values`.
    centre : (3,), the brain's centre in voxels.
    """

    codes: NDArray[np.uint8]
    values: NDArray[np.int64]
    spacing_mm: float
    centre: Float64
    person: str


def place_head(rng: np.random.Generator, head: LabelMap, person: str, spacing_mm: float | None = None) -> PlacedHead:
    """Deform a head and lay it into a whole-head field of view; 0.4 s with voxels of about 1 mm, which are drawn."""
    drawn_spacing = draw_spacing(rng)
    spacing = drawn_spacing if spacing_mm is None else spacing_mm
    extent = rng.uniform((160, 200, 176), (186, 236, 220))
    x, y, z = (int(n) for n in np.rint(extent / spacing))
    drawn = draw_deformation(rng, HEADS)
    shift = np.asarray(BRAIN_AT_MM) + np.asarray(drawn.shift_mm) * (0.7, 1.0, 1.0)
    drawn = replace(drawn, shift_mm=tuple(shift.tolist()))
    codes = deform(head, drawn, (x, y, z), spacing)
    centre = (np.array([x, y, z]) - 1) / 2 + shift / spacing
    return PlacedHead(codes, head.values, spacing, centre, person)


def draw_spacing(rng: np.random.Generator) -> float:
    """Size of isotropic voxels, mm: mostly 1, some finer, and up to 2 as quick protocols and old studies have it."""
    share = rng.random()
    if share < 0.35:
        return 1.0
    return float(rng.uniform(*(FINE_MM if share < 1 - COARSE_SHARE else COARSE_MM)))


@dataclass(frozen=True)
class Painting:
    """All that turns a placed head into a clean scan."""

    contrast: Contrast
    acquisition: Acquisition
    coverage: Coverage
    smooth: float
    agent: Gadolinium | None
    fine: FineStructure | None = None


def draw_painting(rng: np.random.Generator, values: NDArray[np.int64], kind: str | None = None) -> Painting:
    """Draw a contrast (or take `kind`), a resolution, a bias field and what is shown of the head."""
    chosen = str(rng.choice(KINDS, p=KIND_SHARES)) if kind is None else kind
    resolution = np.full(3, rng.uniform(0.8, 1.3))
    if rng.random() < 0.25:
        resolution[int(rng.integers(3))] = rng.uniform(1.3, 2.2)
    drawn = draw_acquisition(rng)
    acquisition = replace(
        drawn,
        resolution_mm=(float(resolution[0]), float(resolution[1]), float(resolution[2])),
        bias=float(rng.uniform(0, 0.35)),
        noise=0.0,
        ghost=0.0,
        gamma=1.0,
        texture_mm=float(rng.uniform(3, 8)),
    )
    coverage = draw_coverage(rng, cut=0.0, strip=0.2, deface=0.15)
    # A defacing that eats brain is a question of its own.
    coverage = replace(coverage, high_mm=WHOLE.high_mm, deface_offset_mm=float(rng.uniform(8, 25)))
    enhanced = SEQUENCE_OF_KIND[chosen] == "T1w" and coverage.strip != "brain" and rng.random() < GADOLINIUM_SHARE
    agent = draw_gadolinium(rng) if enhanced else None
    draw = draw_good_contrast if rng.random() < GOOD_SHARE else draw_contrast
    smooth = float(rng.uniform(*SMOOTH))
    return Painting(draw(rng, values, chosen), acquisition, coverage, smooth, agent, draw_fine_structure(rng))


def paint(head: PlacedHead, painting: Painting) -> CleanScan:
    """Make the scan of a placed head; 0.7 s."""
    is_brain, is_csf = brain_and_csf(head.values)
    brain, h = is_brain[head.codes], head.spacing_mm
    # A field of view that ends in the neck is part of the image; what is masked afterwards is not.
    limits = replace(painting.coverage, strip="none", deface=False)
    keep = keep_mask(brain, is_csf[head.codes], head.centre, limits, h)
    mean, spread = tables(painting.contrast)
    tissue = mean[head.codes] * keep
    if painting.fine is not None:
        tissue = apply_fine_structure(tissue, head.codes, head.values, painting.fine, h)
    texture = (np.float32(painting.smooth) * spread)[head.codes] * keep
    image = acquire(tissue, texture, painting.acquisition, h)
    if painting.agent is not None:
        labels = np.where(keep, head.values[head.codes], 0)
        image = apply_gadolinium(image, labels, painting.agent, (h, h, h)).image
    masked = painting.coverage.strip != "none" or painting.coverage.deface
    seen = keep_mask(brain, is_csf[head.codes], head.centre, painting.coverage, h) if masked else None
    sequence = SEQUENCE_OF_KIND.get(painting.contrast.kind, "other")
    return CleanScan(
        image=image,
        spacing_mm=(h, h, h),
        brain=brain,
        white=np.isin(head.values, WHITE)[head.codes],
        cortex=np.isin(head.values, CORTEX)[head.codes],
        seen=seen,
        sequence=sequence,
        person=head.person,
        facts={
            "source": "label map",
            "kind": painting.contrast.kind,
            "spacing_mm": round(h, 3),
            "strip": painting.coverage.strip,
            "deface": painting.coverage.deface,
        },
        own_noise=0.0,
        gadolinium=painting.agent is not None if sequence == "T1w" else None,
        fluid=np.isin(head.values, FLUID_LABELS)[head.codes],
        outside=(head.values != 0)[head.codes] & ~brain & (keep if seen is None else seen),
    )


def read_clean(path: Path, person: str, sequence: str = "T1w") -> CleanScan:
    """Take a real skull-stripped T1w scan for clean, cropped to its brain with a margin.

    Grey and white matter are told apart by their grey values: both masks hold only voxels that are surely one.
    """
    volume = read_file(path)
    brain = volume.data > 0
    image = np.ascontiguousarray(volume.data[bounding_box(brain, MARGIN_VOXELS)])
    brain = image > 0
    scaled = image / np.float32(np.percentile(image[brain], 99.5))
    white, cortex = tissue_masks(scaled, brain)
    x, y, z = (float(s) for s in volume.spacing)
    facts = {"source": "real scan", "kind": sequence}
    noise = own_noise(scaled, white, brain)
    return CleanScan(scaled, (x, y, z), brain, white, cortex, brain, sequence, person, facts, noise, False)


def clean_by_anatomy(
    volume: Volume, anatomy: Anatomy, sequence: str, person: str, facts: dict[str, Any]
) -> CleanScan | None:
    """A scan with the tissue that the anatomy pass finds; None where it finds no brain, or none of one tissue.

    What is exactly empty is taken for stripped where most of the scan is.
    """
    labels = labels_to_input(anatomy.labels, anatomy.affine, volume)
    brain = labels_to_input(anatomy.brain.astype(np.uint8), anatomy.affine, volume) > 0
    white, cortex = labels == Tissue.WHITE, labels == Tissue.CORTEX
    if not anatomy.has_brain or not white.any() or not cortex.any():
        return None
    image = volume.data - np.float32(min(0.0, float(volume.data.min())))
    image = image / np.float32(np.percentile(image[brain], 99.5))
    x, y, z = (float(mm) for mm in volume.spacing)
    shown = image > 0
    stripped = shown if shown.mean() < STRIPPED_SHARE else None
    noise = own_noise(image, white, brain)
    outside = labels == Tissue.HEAD
    return CleanScan(image, (x, y, z), brain, white, cortex, stripped, sequence, person, facts, noise, outside=outside)


def own_noise(image: Float32, white: Mask, brain: Mask) -> float:
    """Standard deviation of a real scan's noise, in white matter where enough of it hangs together: the folds of the
    cortex would pass for noise."""
    try:
        return noise_sd(image, white)
    except ValueError:
        return noise_sd(image, brain)


def tissue_masks(image: Float32, brain: Mask, rounds: int = 12) -> tuple[Mask, Mask]:
    """White and grey matter of a T1w brain: the two brighter of three clusters of grey values, their middle half."""
    values = image[brain][:: max(1, int(brain.sum()) // 50_000)]
    centres = np.percentile(values, [5, 40, 80])
    for _ in range(rounds):
        nearest = np.abs(values[:, None] - centres).argmin(axis=1)
        centres = np.array([values[nearest == i].mean() if (nearest == i).any() else centres[i] for i in range(3)])
    width = (centres[2] - centres[1]) / 4
    return brain & (np.abs(image - centres[2]) < width), brain & (np.abs(image - centres[1]) < width)


def resample_clean(rng: np.random.Generator, scan: CleanScan) -> CleanScan:
    """The same scan taken with other voxels, 1 to 2 mm, and perhaps mirrored."""
    ends = COARSE_MM if rng.random() < COARSE_SHARE else (1.0, COARSE_MM[0])
    target = rng.uniform(*ends) * np.ones(3)
    counts = [target_count(n, s, t) for n, s, t in zip(scan.image.shape, scan.spacing_mm, target, strict=True)]
    weights = [
        axis_weights(n, s, c, t, (n * s - c * t) / 2)
        for n, s, c, t in zip(scan.image.shape, scan.spacing_mm, counts, target, strict=True)
    ]
    step = -1 if rng.random() < 0.5 else 1

    def again(mask: Mask) -> Mask:
        return (separable(mask.astype(np.float32), weights) > 0.5)[::step]

    seen, outside = (None if mask is None else again(mask) for mask in (scan.seen, scan.outside))
    x, y, z = (float(t) for t in target)
    image = np.ascontiguousarray(separable(scan.image, weights)[::step])
    brain, white = again(scan.brain), again(scan.white)
    return replace(
        scan,
        image=image,
        spacing_mm=(x, y, z),
        brain=brain,
        white=white,
        cortex=again(scan.cortex),
        seen=seen,
        own_noise=own_noise(image, white, brain),
        outside=outside,
    )


def box_of(rng: np.random.Generator, mask: Mask, spacing_mm: Sequence[float], jitter_mm: float) -> Float64:
    """First and last voxel (2, 3) of a mask, each off by about `jitter_mm`, as the anatomy pass will be."""
    box: Float64 = np.array([(side.start, side.stop - 1) for side in bounding_box(mask)], float).T
    box += rng.normal(0, jitter_mm, (2, 3)) / np.asarray(spacing_mm)
    box.sort(axis=0)
    inside: Float64 = np.clip(box, 0, np.asarray(mask.shape) - 1.0)
    return inside
