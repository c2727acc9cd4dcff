"""`brainsift simulate`: synthetic scans with known truth."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from brainsift.cli.exits import Stop

app = typer.Typer(help="Simulate scans with known truth.", no_args_is_help=True, rich_markup_mode="markdown")


@app.callback()
def _simulate() -> None:
    pass


@app.command(epilog="Example: `brainsift simulate heads simulated --n 2 --contrast T1w --spacing 2`")
def heads(
    output: Annotated[Path, typer.Argument(metavar="OUTPUT", help="Folder for scans, labels and truth.tsv.")],
    label_maps: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Folder of label maps with FreeSurfer's values; heads are drawn from the packaged atlas if not given.",
        ),
    ] = None,
    n: Annotated[int, typer.Option("--n", "-n", min=1, help="How many.")] = 10,
    seed: Annotated[int, typer.Option(help="The same seed draws the same scans.")] = 0,
    contrast: Annotated[
        str, typer.Option(metavar="KIND", help="`T1w`, `T2w`, `FLAIR`, `T2starw`, `PDw` or `random`.")
    ] = "random",
    spacing: Annotated[float, typer.Option(metavar="MM", min=0.5, max=5, help="Voxel size.")] = 1.0,
) -> None:
    """Simulate heads of random shape, contrast, coverage and acquisition, each with its labels and parameters."""
    from brainsift.simulate.heads import KINDS_OF_CONTRAST, simulate_heads
    from brainsift.simulate.sources import list_label_maps

    if contrast not in KINDS_OF_CONTRAST:
        raise Stop(f"There is no contrast '{contrast}'.", f"Contrasts: {', '.join(KINDS_OF_CONTRAST)}.")
    if label_maps is not None and not label_maps.is_dir():
        raise Stop(f"There is no folder {label_maps}.", "Give `--label-maps` a folder of label maps.")
    try:
        maps = list_label_maps(label_maps) if label_maps is not None else None
    except ValueError as error:
        raise Stop(f"{error}.", "See `brainsift simulate heads --help`.") from error
    typer.echo(simulate_heads(output, maps, n, seed, contrast, spacing))
