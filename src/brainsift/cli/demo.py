"""`brainsift demo`: a small simulated study with known truth, sifted and reported."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from brainsift.cli.exits import Exit, Stop

SCANS, RESULTS = "scans", "results"

EXAMPLES = "Example: `brainsift demo demo`"


def demo(
    output: Annotated[Path, typer.Argument(metavar="OUTPUT", help="Folder for the simulated scans and the results.")],
    scans: Annotated[int, typer.Option("--scans", "-n", min=1, max=1000, help="How many to simulate.")] = 12,
    seed: Annotated[int, typer.Option(help="The same seed draws the same scans.")] = 0,
) -> None:
    """Simulate a small study, sift it, and compare the answers with the truth that was put in.

    Needs no data: the heads are drawn from an atlas that comes with BrainSift. Some files are broken on purpose.
    """
    from brainsift.cli.compare import compare, tell_comparison
    from brainsift.cli.console import notes
    from brainsift.cli.run import make_settings, sift
    from brainsift.engine.settings import RunOptions
    from brainsift.simulate.demo import write_demo_study

    folder, results = output / SCANS, output / RESULTS
    _refuse_other_files(output)
    notes().print(f"Simulating {scans} scans in {folder}", markup=False)
    truth = write_demo_study(folder, scans, seed)
    code = sift(folder, results, make_settings(None, None), RunOptions())
    if code == Exit.INTERRUPTED:
        raise typer.Exit(code)
    tell_comparison(compare(truth, results / "brainsift.tsv"))


def _refuse_other_files(output: Path) -> None:
    """A demo may be repeated in its own folder and made in a new one, never among files that it did not write."""
    if not output.exists() or (output / SCANS / "truth.tsv").is_file():
        return
    if not output.is_dir() or any(output.iterdir()):
        raise Stop(f"{output} holds other files.", "Name a new or an empty folder for the demo.")
