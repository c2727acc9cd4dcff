"""`brainsift models`: what lies on the shelf, whether it is whole, and how to add your own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from brainsift.cli.exits import Exit, Stop
from brainsift.cli.options import Shelf

FOR = ("FLAIR",)
"""Sequences for which a model may be joined to that for all others."""

app = typer.Typer(help="List, verify, show and import models.", no_args_is_help=True, rich_markup_mode="markdown")


@app.command("list", epilog="Example: `brainsift models list`")
def list_models(shelf: Shelf = None) -> None:
    """List every model: task, state, size, where it lies, and its SHA-256."""
    from rich.table import Table

    from brainsift.cli.console import answers
    from brainsift.models.shelf import inspect_all

    table = Table(box=None, pad_edge=False)
    for column in ("model", "task", "state", "MB", "licence", "sha256", "file"):
        table.add_column(column, overflow="fold", justify="right" if column == "MB" else "left")
    for model in inspect_all(shelf):
        size = f"{model.path.stat().st_size / 1e6:.1f}" if model.path.is_file() else ""
        spec = model.spec
        table.add_row(spec.name, spec.task, model.state, size, spec.licence, model.sha256[:12], str(model.path))
    answers().print(table)


@app.command(epilog="Example: `brainsift models verify`")
def verify(shelf: Shelf = None) -> None:
    """Hash every model and open it; exit 1 if one is missing, damaged or cannot be loaded."""
    from brainsift.models.errors import ModelError
    from brainsift.models.session import load_onnx
    from brainsift.models.shelf import REMEDY, inspect_all

    bad = 0
    for model in inspect_all(shelf):
        problem = "" if model.state == "ok" else f"{model.state}. {REMEDY[model.state]}"
        if not problem:
            try:
                load_onnx(model.path, model.spec.name)
            except ModelError as error:
                problem = f"{error.cause} {error.remedy}"
        bad += bool(problem)
        typer.echo(f"{model.spec.name}: {problem or 'ok'} ({model.path})")
    raise typer.Exit(Exit.SCANS_FAILED if bad else Exit.DONE)


@app.command(epilog="Example: `brainsift models card anatomy`")
def card(
    name: Annotated[str, typer.Argument(metavar="MODEL", help="Name as in `brainsift models list`.")],
    shelf: Shelf = None,
) -> None:
    """Show a model card: what the model saw, what was measured, what it is not for."""
    from rich.markdown import Markdown

    from brainsift.cli.console import answers
    from brainsift.models.card import read_card

    answers().print(Markdown(read_card(name, shelf)))


@app.command("import", epilog="Example: `brainsift models import anatomy ours.onnx --shelf models --card ours.md`")
def import_own(
    name: Annotated[str, typer.Argument(metavar="MODEL", help="The place it takes, as in `brainsift models list`.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The ONNX file.")],
    shelf: Shelf = None,
    card: Annotated[Path | None, typer.Option(metavar="FILE", help="Model card in Markdown to keep beside it.")] = None,
    sequence: Annotated[
        str | None,
        typer.Option(
            "--for",
            metavar="SEQUENCE",
            help="For scans of one sequence alone, `FLAIR`; the model that is there goes on answering for all others.",
        ),
    ] = None,
) -> None:
    """Check an ONNX file, copy it to your own shelf and record its checksum.

    Use it with `brainsift run INPUT OUTPUT --shelf DIR`.
    """
    from brainsift.models.errors import ModelError
    from brainsift.models.importing import import_model

    if shelf is None:
        raise Stop("No shelf was named.", "Add `--shelf DIR`, the folder that keeps your models.")
    if sequence not in (None, *FOR):
        raise Stop(f"No task asks a model of its own about {sequence} scans.", f"`--for` may be {', '.join(FOR)}.")
    try:
        model = import_model(name, file, shelf, card, sequence)
    except ModelError as error:
        raise Stop(f"Model '{error.model}': {error.cause}", error.remedy) from error
    typer.echo(f"{model.path}  sha256 {model.sha256}")
