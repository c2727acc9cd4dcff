"""The bleeds of a scan one by one, and all other places that were looked at, as rows of two tables."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Bleed:
    """One definite or possible bleed.

    Attributes
    ----------
    bleed : number, as in the mask: definite ones first, the surest first.
    certainty : ``definite`` or ``possible``.
    reasons : why it is only possible, joined by ``+``; None for a definite one.
    probability : of the discriminator.
    region : ``lobar``, ``deep`` or ``infratentorial``.
    mars_region : finer, where an atlas is given.
    side : ``left``, ``right`` or ``midline``.
    i_voxel, j_voxel, k_voxel : centre in voxels of the file as it is stored, from 0.
    x_mm, y_mm, z_mm : in scanner space, RAS+.
    mni_x_mm, mni_y_mm, mni_z_mm : in MNI152, by the affine of the anatomy pass; None where there is none.
    diameter_mm : of the ball with the volume that is marked, blooming included.
    volume_mm3 : marked voxels times the volume of a voxel.
    elongation : longest axis over the second; 1 for a ball.
    contrast : of the darkest voxel, share of the signal around it that is lost; in ppm for susceptibility.
    brain_edge_mm : distance from the border of the brain, below 0 outside of it.
    """

    bleed: int
    certainty: str
    reasons: str | None
    probability: float
    region: str
    mars_region: str | None
    side: str
    i_voxel: float
    j_voxel: float
    k_voxel: float
    x_mm: float
    y_mm: float
    z_mm: float
    mni_x_mm: float | None
    mni_y_mm: float | None
    mni_z_mm: float | None
    diameter_mm: float
    volume_mm3: float
    elongation: float
    contrast: float
    brain_edge_mm: float


@dataclass(frozen=True)
class Looked:
    """One candidate of the first step and what became of it.

    Attributes
    ----------
    candidate : number, the highest score first.
    score : of the detector.
    probability : of the discriminator.
    verdict : ``definite``, ``possible`` or ``dropped``.
    reasons : why it is not definite, joined by ``+``.
    bleed : its number in the other table, None for one that was dropped.
    """

    candidate: int
    score: float
    probability: float
    verdict: str
    reasons: str | None
    bleed: int | None
    x_mm: float
    y_mm: float
    z_mm: float
