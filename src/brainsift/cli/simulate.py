"""`brainsift simulate`: synthetic scans with known truth."""

from __future__ import annotations

import typer

app = typer.Typer(help="Simulate scans with known truth.", no_args_is_help=True, rich_markup_mode="markdown")


@app.callback()
def _simulate() -> None:
    pass
