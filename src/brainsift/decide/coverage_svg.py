"""Coverage against error as a picture: SVG, without a plotting library."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from brainsift.decide.coverage import Point

WIDTH, HEIGHT = 560, 340
LEFT, RIGHT, TOP, BOTTOM = 58, 16, 40, 50
TOP_ERROR = 0.2
"""Error at the upper end of the axis, unless the curve or the level asks for more: what is worse is not used."""

CURVE, BAND, LEVEL = "#00768a", "#cfe8ec", "#b3441e"
"""Teal and vermilion: told apart in colour-vision deficiency, as in the reports."""


def coverage_svg(points: Sequence[Point], alpha: float, title: str) -> str:
    """Error among the decided (line) and its upper bound (band) against the share that is decided; the level dashed.

    Points where nothing is decided are left out. The text is escaped.
    """
    drawn = [point for point in points if point.accepted + point.rejected]
    highest = max([TOP_ERROR, 1.5 * alpha, *(point.error for point in drawn)])
    top = min(1.0, highest)

    def place(share: float, error: float) -> str:
        x = LEFT + share * (WIDTH - LEFT - RIGHT)
        y = HEIGHT - BOTTOM - min(error / top, 1.0) * (HEIGHT - TOP - BOTTOM)
        return f"{x:.1f},{y:.1f}"

    line = " ".join(place(point.coverage, point.error) for point in drawn)
    above = [place(point.coverage, point.bound) for point in drawn]
    below = [place(point.coverage, point.error) for point in reversed(drawn)]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif"'
        ' font-size="12" role="img">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        f'<text x="{LEFT}" y="22" font-size="14">{escape(title)}</text>',
        f'<polygon points="{" ".join(above + below)}" fill="{BAND}"/>' if drawn else "",
        *_axes(top),
        _segment(place(0, alpha), place(1, alpha), f'stroke="{LEVEL}" stroke-dasharray="6 4"'),
        f'<polyline points="{line}" fill="none" stroke="{CURVE}" stroke-width="2"/>' if drawn else "",
        "</svg>",
    ]
    return "\n".join(part for part in parts if part) + "\n"


def _axes(top: float) -> Iterable[str]:
    bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    yield f'<path d="M{LEFT},{TOP} V{bottom} H{right}" fill="none" stroke="#444"/>'
    for step in range(5):
        share = step / 4
        x, y = LEFT + share * (right - LEFT), bottom - share * (bottom - TOP)
        yield f'<text x="{x:.0f}" y="{bottom + 18}" text-anchor="middle">{share:.0%}</text>'
        yield f'<text x="{LEFT - 8}" y="{y + 4:.0f}" text-anchor="end">{share * top:.1%}</text>'
    middle = (LEFT + right) / 2
    yield f'<text x="{middle:.0f}" y="{HEIGHT - 10}" text-anchor="middle">decided without a person</text>'
    yield f'<text transform="translate(14 {(TOP + bottom) / 2:.0f}) rotate(-90)" text-anchor="middle">wrong</text>'


def _segment(start: str, end: str, style: str) -> str:
    (x1, y1), (x2, y2) = start.split(","), end.split(",")
    return f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" {style}/>'
