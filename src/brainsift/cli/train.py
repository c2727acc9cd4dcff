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
    output: Annotated[
        Path, typer.Argument(metavar="OUTPUT", help="Folder for checkpoints, curve, ONNX file and card.")
    ],
    label_maps: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder of whole-head label maps with FreeSurfer's values (NIfTI).")
    ],
    validation: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Label map kept for validation; give it several times.")
    ] = None,
    minutes: Annotated[float | None, typer.Option(min=0, help="Stop after so many minutes.")] = None,
    steps: Annotated[int, typer.Option(min=1, help="Stop after so many steps.")] = 20_000,
    seed: Annotated[int, typer.Option(help="Of weights and simulated images.")] = 0,
    threads: Annotated[int, typer.Option(min=0, help="Of the CPU; 0 for all cores.")] = 0,
    device: Annotated[str, typer.Option(help="`cpu`, `cuda` or `auto`.")] = "auto",
    resume: Annotated[bool, typer.Option("--resume/--restart", help="Go on from the last checkpoint.")] = True,
) -> None:
    """Train the anatomy network on images simulated from label maps.

    Interrupt it at any time: the same command goes on from the last checkpoint.
    """
    need_extra("train", "Training")
    if not label_maps.is_dir():
        raise Stop(f"There is no folder {label_maps}.", "Give `--label-maps` a folder of NIfTI label maps.")
    from brainsift.learn.anatomy_train import train_anatomy

    train_anatomy(
        label_maps,
        output,
        validation=validation or [],
        minutes=minutes,
        steps=steps,
        seed=seed,
        threads=threads,
        device=device,
        resume=resume,
    )
