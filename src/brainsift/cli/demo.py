"""`brainsift demo`: a small simulated study with known truth, sifted and reported."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def demo(
    output: Annotated[Path, typer.Argument(metavar="OUTPUT", help="Folder for the simulated scans and the results.")],
    scans: Annotated[int, typer.Option("--scans", "-n", min=1, max=1000, help="How many to simulate.")] = 12,
    seed: Annotated[int, typer.Option(help="The same seed draws the same scans.")] = 0,
) -> None:
    """Simulate a small study, sift it, and compare the answers with the truth that was put in.

    Needs no data: the heads are drawn from an atlas that comes with BrainSift.
    """
