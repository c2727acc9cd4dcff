"""`brainsift report`: the study's pages again, from the records alone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from brainsift.cli.exits import Stop
from brainsift.cli.options import Database

EXAMPLES = "Example: `brainsift report results`"


def report(
    output: Annotated[Path, typer.Argument(metavar="OUTPUT", help="The OUTPUT folder of an earlier `brainsift run`.")],
    db: Database = None,
) -> None:
    """Make the pages of a study again from its records; no scan is read."""
    from brainsift.cli.extras import need_driver
    from brainsift.report.study_page import write_scan_pages, write_study_page

    need_driver(db)
    if not output.is_dir():
        raise Stop(f"There is no folder {output}.", "Give the OUTPUT of a `brainsift run`.")
    if write_scan_pages(output, db) == 0:
        raise Stop(f"{output} holds no records.", "Give the OUTPUT of a `brainsift run`.")
    typer.echo(write_study_page(output, db))
