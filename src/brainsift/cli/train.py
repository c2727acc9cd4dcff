"""`brainsift train`: networks from your own label maps (extra `train`)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from brainsift.cli.exits import Stop
from brainsift.cli.extras import need_extra

app = typer.Typer(help="Train networks (needs the extra `train`).", no_args_is_help=True, rich_markup_mode="markdown")


@app.callback()
def _train() -> None:
    pass


@app.command(
    epilog="Example: `brainsift train anatomy runs/anatomy --label-maps labels --validation head_17 --minutes 60`"
)
def anatomy(
    output: Annotated[Path, typer.Argument(metavar="OUTPUT", help="Folder for checkpoint, curve, ONNX file and card.")],
    label_maps: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder of whole-head label maps with FreeSurfer's values.")
    ],
    validation: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Label map kept for validation, by its file name; give it several times."),
    ] = None,
    minutes: Annotated[float | None, typer.Option(min=0, help="Stop after so many minutes at the latest.")] = None,
    steps: Annotated[int, typer.Option(min=1, help="Stop each network after so many steps at the latest.")] = 100_000,
    seed: Annotated[int, typer.Option(help="Of the first weights and of the simulated images.")] = 1,
    threads: Annotated[int, typer.Option(min=1, help="Of the CPU.")] = 2,
    device: Annotated[str, typer.Option(help="`cpu` or `cuda`.")] = "cpu",
    resume: Annotated[bool, typer.Option("--resume/--restart", help="Go on from the checkpoint in OUTPUT.")] = True,
) -> None:
    """Train the anatomy networks on images simulated from label maps, export it, measure it and write its card.

    Two networks are trained, one after the other: where the tissues are, then their edges. Interrupt it at any time:
    the same command goes on from the last checkpoint. Use the result with
    `brainsift models import anatomy OUTPUT/anatomy.onnx --shelf DIR --card OUTPUT/anatomy.md` and
    `brainsift models import anatomy_edges OUTPUT/anatomy_edges.onnx --shelf DIR`.
    """
    need_extra("train", "Training")
    if not label_maps.is_dir():
        raise Stop(f"There is no folder {label_maps}.", "Give `--label-maps` a folder of label maps.")
    from brainsift.learn.anatomy_job import split_label_maps, train_and_export
    from brainsift.learn.trainer import TrainingPlan

    names = validation or []
    try:
        split_label_maps(label_maps, names)
    except ValueError as error:
        raise Stop(f"{str(error)[:1].upper()}{str(error)[1:]}.", "See `brainsift train anatomy --help`.") from error
    plan = TrainingPlan(steps=steps, minutes=minutes, seed=seed, threads=threads, device=device)
    for path in train_and_export(label_maps, output, names, plan, resume=resume):
        typer.echo(path)
