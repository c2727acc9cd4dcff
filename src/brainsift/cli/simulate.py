"""`brainsift simulate`: synthetic scans with known truth."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from brainsift.cli.exits import Stop

app = typer.Typer(help="Simulate scans with known truth.", no_args_is_help=True, rich_markup_mode="markdown")

Output = Annotated[Path, typer.Argument(metavar="OUTPUT", help="Folder for scans, labels and truth.tsv.")]
LabelMaps = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        help="Folder of label maps with FreeSurfer's values; heads are drawn from the packaged atlas if not given.",
    ),
]
Number = Annotated[int, typer.Option("--n", "-n", min=1, help="How many.")]
Seed = Annotated[int, typer.Option(help="The same seed draws the same scans.")]
Spacing = Annotated[float, typer.Option(metavar="MM", min=0.5, max=5, help="Voxel size.")]


@app.callback()
def _simulate() -> None:
    pass


@app.command(epilog="Example: `brainsift simulate heads simulated --n 2 --contrast T1w --spacing 2`")
def heads(
    output: Output,
    label_maps: LabelMaps = None,
    n: Number = 10,
    seed: Seed = 0,
    contrast: Annotated[
        str, typer.Option(metavar="KIND", help="`T1w`, `T2w`, `FLAIR`, `T2starw`, `PDw` or `random`.")
    ] = "random",
    spacing: Spacing = 1.0,
) -> None:
    """Simulate heads of random shape, contrast, coverage and acquisition, each with its labels and parameters."""
    from brainsift.simulate.heads import KINDS_OF_CONTRAST, simulate_heads

    if contrast not in KINDS_OF_CONTRAST:
        raise Stop(f"There is no contrast '{contrast}'.", f"Contrasts: {', '.join(KINDS_OF_CONTRAST)}.")
    maps = _maps(label_maps)
    with _counting(n, maps) as count:
        table = simulate_heads(output, maps, n, seed, contrast, spacing, count)
    typer.echo(table)


@app.command(epilog="Example: `brainsift simulate motion moved --n 2 --spacing 2`")
def motion(
    output: Output, label_maps: LabelMaps = None, n: Number = 10, seed: Seed = 0, spacing: Spacing = 1.0
) -> None:
    """Simulate T1w scans of heads that moved, from not at all to severely; truth.tsv says how far."""
    _artefact("motion", output, label_maps, n, seed, spacing)


@app.command(epilog="Example: `brainsift simulate noise noisy --n 2 --spacing 2`")
def noise(output: Output, label_maps: LabelMaps = None, n: Number = 10, seed: Seed = 0, spacing: Spacing = 1.0) -> None:
    """Simulate T1w scans with little to much noise; truth.tsv has the signal-to-noise ratio of the brain."""
    _artefact("noise", output, label_maps, n, seed, spacing)


@app.command(epilog="Example: `brainsift simulate contrast faded --n 2 --spacing 2`")
def contrast(
    output: Output, label_maps: LabelMaps = None, n: Number = 10, seed: Seed = 0, spacing: Spacing = 1.0
) -> None:
    """Simulate T1w scans that lost contrast between grey and white matter; truth.tsv says how much is left."""
    _artefact("contrast", output, label_maps, n, seed, spacing)


@app.command(epilog="Example: `brainsift simulate flair flairs --n 3 --spacing 2`")
def flair(output: Output, label_maps: LabelMaps = None, n: Number = 10, seed: Seed = 0, spacing: Spacing = 1.0) -> None:
    """Simulate 3D FLAIR scans with flowing fluid, fluid that is not suppressed, or a slab that fades; truth.tsv says
    which, and how bright fluid is."""
    from brainsift.simulate.artefacts.flair_study import simulate_flair

    maps = _maps(label_maps)
    with _counting(n, maps) as count:
        table = simulate_flair(output, maps, n, seed, spacing, count)
    typer.echo(table)


@app.command(epilog="Example: `brainsift simulate zoo zoo --n 4 --spacing 4`")
def zoo(output: Output, label_maps: LabelMaps = None, n: Number = 20, seed: Seed = 0, spacing: Spacing = 1.0) -> None:
    """Simulate what is no proper brain scan (2D stacks, cut or swapped, masks, maps, CT, phantoms, other parts of the
    body, nothing), and proper ones among it."""
    from brainsift.simulate.zoo_study import simulate_zoo

    maps = _maps(label_maps)
    with _counting(n, maps) as count:
        table = simulate_zoo(output, maps, n, seed, spacing, count)
    typer.echo(table)


@app.command(epilog="Example: `brainsift simulate deface defaced --n 4 --spacing 3`")
def deface(
    output: Output,
    label_maps: LabelMaps = None,
    n: Number = 10,
    seed: Seed = 0,
    spacing: Annotated[
        float | None, typer.Option(metavar="MM", min=0.5, max=5, help="Voxel size; drawn from 1 to 1.5 if not given.")
    ] = None,
    tool: Annotated[
        list[str] | None,
        typer.Option(help="A kind of tool, such as `plane`; all if not given. May be given more than once."),
    ] = None,
    masks: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder with masks of real tools; a mask of our own is used if not given."),
    ] = None,
) -> None:
    """Simulate defaced heads, done well and badly, beside their originals; truth.tsv says what is left of each feature
    and what was taken of the brain."""
    from brainsift.simulate.deface.study import simulate_deface
    from brainsift.simulate.deface.tools import TOOLS

    unknown = [name for name in tool or () if name not in TOOLS]
    if unknown:
        raise Stop(f"There is no tool '{unknown[0]}'.", f"Tools: {', '.join(TOOLS)}.")
    maps = _maps(label_maps)
    with _counting(n, maps) as count:
        table = simulate_deface(output, maps, n, seed, spacing, tuple(tool) if tool else None, masks, count)
    typer.echo(table)


@app.command(epilog="Example: `brainsift simulate wmh lesions --n 2`")
def wmh(
    output: Output,
    label_maps: LabelMaps = None,
    lesion_masks: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Folder of lesion masks in MNI152 to take shapes from; drawn shapes alone if not given."
        ),
    ] = None,
    n: Number = 10,
    seed: Seed = 0,
    bad_labels: Annotated[
        float, typer.Option(metavar="SHARE", min=0, max=1, help="Share of labels on the FLAIR that are grossly wrong.")
    ] = 0.0,
    spacing: Annotated[
        float, typer.Option(metavar="MM", min=0.5, max=5, help="Grid that heads are painted on; voxels are drawn.")
    ] = 1.0,
) -> None:
    """Simulate people with white-matter hyperintensities: T1w, FLAIR in thick slices, a rater's label on it and the
    true mask on the T1w; truth.tsv has volumes by kind."""
    from brainsift.simulate.lesions.shapes import load_shapes
    from brainsift.simulate.lesions.study import simulate_wmh_study

    maps = _maps(label_maps)
    if lesion_masks is not None and not lesion_masks.is_dir():
        raise Stop(f"There is no folder {lesion_masks}.", "Give `--lesion-masks` a folder of lesion masks.")
    try:
        shapes = None if lesion_masks is None else load_shapes(lesion_masks)
    except ValueError as error:
        raise Stop(f"{error}.", "Lesion masks are 3D, in MNI152, with isotropic voxels.") from error
    with _counting(n, maps) as count:
        table = simulate_wmh_study(output, maps, n, seed, shapes, bad_labels, spacing, count)
    typer.echo(table)


@app.command(epilog="Example: `brainsift simulate microbleeds bleeds --n 2`")
def microbleeds(
    output: Output,
    label_maps: LabelMaps = None,
    n: Number = 10,
    seed: Seed = 0,
    modality: Annotated[
        list[str] | None,
        typer.Option(help="`gre`, `swi` or `qsm`; all if not given. May be given more than once."),
    ] = None,
    spacing: Annotated[
        float, typer.Option(metavar="MM", min=0.5, max=5, help="Grid that heads are painted on; voxels are drawn.")
    ] = 1.0,
) -> None:
    """Simulate people with and without cerebral microbleeds: GRE, SWI and susceptibility map of the same head, with the
    bleeds as mask and as points, and a mask of what is mistaken for them; truth.tsv has counts by place."""
    from brainsift.simulate.susceptibility.example import MODALITIES
    from brainsift.simulate.susceptibility.study import simulate_bleeds_study

    unknown = [name for name in modality or () if name not in MODALITIES]
    if unknown:
        raise Stop(f"There is no modality '{unknown[0]}'.", f"Modalities: {', '.join(MODALITIES)}.")
    wanted = [name for name in MODALITIES if not modality or name in modality]
    maps = _maps(label_maps)
    with _counting(n, maps) as count:
        table = simulate_bleeds_study(output, maps, n, seed, wanted, spacing, count)
    typer.echo(table)


def _artefact(kind: str, output: Path, label_maps: Path | None, n: int, seed: int, spacing: float) -> None:
    from brainsift.simulate.artefacts.study import simulate_artefact

    maps = _maps(label_maps)
    with _counting(n, maps) as count:
        table = simulate_artefact(kind, output, maps, n, seed, spacing, count)
    typer.echo(table)


def _maps(folder: Path | None) -> list[Path] | None:
    from brainsift.simulate.sources import list_label_maps

    if folder is None:
        return None
    if not folder.is_dir():
        raise Stop(f"There is no folder {folder}.", "Give `--label-maps` a folder of label maps.")
    try:
        return list_label_maps(folder)
    except ValueError as error:
        raise Stop(f"{error}.", "See `brainsift simulate --help`.") from error


@contextmanager
def _counting(n: int, maps: list[Path] | None) -> Iterator[Callable[[int], None]]:
    """A bar on a terminal, told how many scans are done; a label map that cannot be used ends it with a message."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    from brainsift.cli.console import notes

    console = notes()
    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        row = bar.add_task("simulating", total=n)
        try:
            yield lambda done: bar.update(row, completed=done)
        except ValueError as error:
            if maps is None:
                raise
            raise Stop(f"{error}.", "Take it out of the folder, or mend it.") from error
