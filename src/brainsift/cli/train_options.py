"""Options that trainings share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from brainsift.cli.exits import Stop

Output = Annotated[
    Path, typer.Argument(metavar="OUTPUT", help="Folder for examples, checkpoint, curve, ONNX file and card.")
]
KeptMaps = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME", help="Label map kept for validation, by its file name; give it several times."),
]
KeptSources = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME", help="Label map or scan kept for validation, by its file name; several times."),
]
KeptFirst = Annotated[
    str,
    typer.Option(metavar="FILE", help="Keep this first network, or the `packaged` one; `nothing` to train a new one."),
]
Scans = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Folder that the labels' column `scan` is relative to.")
]
Workers = Annotated[int, typer.Option(min=0, help="Processes that build the bank.")]
Minutes = Annotated[float | None, typer.Option(min=0, help="Train so many minutes at the most.")]
Steps = Annotated[int, typer.Option(min=1, help="Train so many steps at the most.")]
Rate = Annotated[float, typer.Option(min=0, help="Learning rate.")]
Seed = Annotated[int, typer.Option(help="Of the examples, the first weights and the order.")]
Threads = Annotated[int, typer.Option(min=1, help="Of the CPU.")]
Device = Annotated[str, typer.Option(help="`cpu` or `cuda`.")]
Resume = Annotated[bool, typer.Option("--resume/--restart", help="Go on from the checkpoint in OUTPUT.")]


def need_folders(**folders: Path | None) -> None:
    """Stop where a folder that was given, by the name of its option, is none."""
    for name, folder in folders.items():
        if folder is not None and not folder.is_dir():
            raise Stop(f"There is no folder {folder}.", f"Give `--{name.replace('_', '-')}` a folder.")


def told(error: Exception, verb: str) -> Stop:
    """What a training refused, and where to read on."""
    return Stop(f"{str(error)[:1].upper()}{str(error)[1:]}", f"See `brainsift {verb} --help`.")


def unclear(remedy: str = "Give either `--label-maps` or `--labels`.") -> Stop:
    """Nothing to learn from was given, or more than can be learnt from at once."""
    return Stop("What to learn from is not clear.", remedy)
