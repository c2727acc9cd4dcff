"""Points in four panels as plain SVG: before and after, coloured by domain and by class."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

SIDE, GAP, TOP = 300, 24, 34

DOMAINS = (("T1w", "#0072b2"), ("FLAIR", "#d55e00"))
CLASSES = (("straight reject", "#000000"), ("tier 1", "#009e73"), ("tier 2", "#e69f00"), ("tier 3", "#cc79a7"))
"""Colours that people who confuse red and green tell apart (Okabe and Ito 2008)."""

Colours = Sequence[tuple[str, str]]


def panels(placed: Sequence[NDArray[np.floating]], domain: NDArray[np.int64], kind: NDArray[np.int64]) -> str:
    """An SVG of two rows (domain, class) and two columns (before, after).

    Parameters
    ----------
    placed : two of (n, 2), points in the plane.
    domain, kind : (n,), which of `DOMAINS` and of `CLASSES`.
    """
    width, height = 2 * SIDE + 3 * GAP, 2 * (SIDE + TOP) + GAP
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" '
        'font-size="12">',
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
    ]
    for row, (which, colours) in enumerate(((domain, DOMAINS), (kind, CLASSES))):
        for column, (points, when) in enumerate(zip(placed, ("before", "after"), strict=True)):
            at = (GAP + column * (SIDE + GAP), TOP + row * (SIDE + TOP))
            parts += _panel(points, which, colours, when, at)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _panel(
    points: NDArray[np.floating], which: NDArray[np.int64], colours: Colours, when: str, at: tuple[int, int]
) -> list[str]:
    low, high = points.min(axis=0), points.max(axis=0)
    scaled = (points - low) / np.maximum(high - low, 1e-9) * (SIDE - 12) + 6
    x, y = at
    parts = [
        f'<g transform="translate({x},{y})">',
        f'<rect width="{SIDE}" height="{SIDE}" fill="none" stroke="#999"/>',
        f'<text x="0" y="-20">{when} adaptation</text>',
    ]
    offset = 0
    for name, colour in colours:
        parts.append(f'<circle cx="{offset + 4}" cy="-8" r="4" fill="{colour}"/>')
        parts.append(f'<text x="{offset + 11}" y="-4">{name}</text>')
        offset += 22 + 6 * len(name)
    for (left, top), number in zip(scaled.tolist(), which.tolist(), strict=True):
        parts.append(f'<circle cx="{left:.1f}" cy="{top:.1f}" r="2" fill="{colours[number][1]}" fill-opacity=".6"/>')
    return [*parts, "</g>"]
