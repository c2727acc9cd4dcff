"""The kinds of defacing tool, each with the fillings that it leaves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from brainsift.simulate.deface.block import draw_blocks, reach_of_blocks
from brainsift.simulate.deface.cylinder import draw_cylinders, reach_of_cylinders
from brainsift.simulate.deface.fill import Fill, draw_fill
from brainsift.simulate.deface.geometry import HeadGeometry, Mask
from brainsift.simulate.deface.plane import draw_plane, reach_of_plane
from brainsift.simulate.deface.shell import draw_shell, reach_of_shell
from brainsift.simulate.deface.slip import Slip, apply_slip, draw_slip
from brainsift.simulate.deface.template import draw_template, reach_of_template


@dataclass(frozen=True)
class Tool:
    """A kind of tool.

    Attributes
    ----------
    draw : draws where it acts, for an aim (a label) on a usual head.
    reach : voxels that it acts on, bool (X, Y, Z).
    fills : fillings, with their shares.
    """

    draw: Callable[[np.random.Generator, str], Any]
    reach: Callable[[Any, HeadGeometry], Mask]
    fills: dict[str, float]


_REMOVED = {"zero": 0.8, "air": 0.1, "constant": 0.1}

TOOLS: dict[str, Tool] = {
    "plane": Tool(draw_plane, reach_of_plane, _REMOVED),
    "template": Tool(draw_template, reach_of_template, _REMOVED),
    "shell": Tool(draw_shell, reach_of_shell, _REMOVED),
    "blur": Tool(draw_template, reach_of_template, {"blur": 1.0}),
    "noise": Tool(draw_template, reach_of_template, {"noise": 1.0}),
    "block": Tool(draw_blocks, reach_of_blocks, {"zero": 0.5, "constant": 0.5}),
    "cylinder": Tool(draw_cylinders, reach_of_cylinders, {"zero": 0.7, "constant": 0.3}),
    "reface": Tool(draw_template, reach_of_template, {"other_face": 1.0}),
}
"""Name → tool. Any of them may slip (see `slip.py`)."""


@dataclass(frozen=True)
class Defacing:
    """All that was drawn for one defacing; the same gives the same image, bit for bit.

    Attributes
    ----------
    tool : a name of `TOOLS`.
    aim : the label that was asked for; what came of it is measured.
    where : the tool's own parameters.
    fill, slip : what is put there, and what goes wrong around it.
    """

    tool: str
    aim: str
    where: Any
    fill: Fill
    slip: Slip

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def choose_tools(tools: tuple[str, ...] | None = None, exclude: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Names of `TOOLS` to draw from.

    Raises
    ------
    ValueError
        if a name is unknown, or none is left.
    """
    for name in (*(tools or ()), *exclude):
        if name not in TOOLS:
            raise ValueError(f"tools are {', '.join(TOOLS)}, got {name!r}")
    left = tuple(name for name in (tools or TOOLS) if name not in exclude)
    if not left:
        raise ValueError("every tool is excluded; leave at least one")
    return left


def draw_defacing(rng: np.random.Generator, tool: str, aim: str, masks: Path | None = None) -> Defacing:
    """Draw the settings of a tool that should do what `aim` says; `masks` is a folder with the masks of real tools."""
    kind = TOOLS[tool]
    fill = draw_fill(rng, str(rng.choice(list(kind.fills), p=list(kind.fills.values()))), aim)
    slips = aim == "failed"
    inner = "correct" if slips else aim
    # A blur too weak to hide anything lies in the right place.
    if fill.kind == "blur" and aim == "insufficient" and fill.amount < 4:
        inner = "correct"
    where = kind.draw(rng, inner) if kind.draw is not draw_template else draw_template(rng, inner, masks)
    return Defacing(tool, aim, where, fill, draw_slip(rng) if slips else Slip())


def reach_of(defacing: Defacing, geometry: HeadGeometry) -> Mask:
    """Voxels that a defacing changes, bool (X, Y, Z)."""
    mask = TOOLS[defacing.tool].reach(defacing.where, geometry)
    return apply_slip(mask, defacing.slip, geometry.head, geometry.spacing_mm)
