"""`brainsift backup` and `brainsift restore`: a study in one file, and back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from brainsift.cli.options import Database

EXAMPLES_BACKUP = """Examples

`brainsift backup results results.tar.gz` (records, tables, reviews)

`brainsift backup results results.tar.gz --everything` (pages, pictures and masks too)

`brainsift backup results results.tar.gz --db postgresql+psycopg://user@host/name` (of a study on a server)
"""

EXAMPLES_RESTORE = """Examples

`brainsift restore results.tar.gz results` (into a new folder)

`brainsift restore results.tar.gz results --db postgresql+psycopg://user@host/name` (onto a server)
"""

File = Annotated[Path, typer.Argument(metavar="FILE", help="The backup, a `.tar.gz`.")]


def backup(
    output: Annotated[Path, typer.Argument(metavar="OUTPUT", help="The OUTPUT folder of a `brainsift run`.")],
    file: File,
    db: Database = None,
    everything: Annotated[
        bool, typer.Option("--everything", help="Pages, pictures and masks too; they may be large.")
    ] = False,
) -> None:
    """Write records, tables and what people said into one file, also while a run or a review is at work.

    What people said is in no other file: back it up as often as you would not want to read again. The file holds all
    that the study knows of people; only its owner may read it, and it belongs where the study belongs.
    """
    from brainsift.cli.extras import need_driver
    from brainsift.store.backup.save import save

    need_driver(db)
    held = save(output, file, db, everything=everything)
    typer.echo(f"{file}: {held.scans} scans, {held.reviews} reviews, {len(held.files)} files")
    typer.echo(f"the trail of reviews ends in {held.trail_sha256}: note it elsewhere")


def restore(
    file: File,
    output: Annotated[Path, typer.Argument(metavar="OUTPUT", help="A folder that is empty or not there yet.")],
    db: Database = None,
) -> None:
    """Bring a study back from its backup, with the database that is wanted now.

    Everything is checked before it counts: each file against its digest, each review against the one before. On a
    server, in a folder of another name, reviews are signed anew; `restored.json` keeps both ends of the trail.
    """
    from brainsift.cli.extras import need_driver
    from brainsift.store.backup.bring_back import bring_back

    need_driver(db)
    back = bring_back(file, output, db)
    typer.echo(f"{output}: {back.scans} scans, {back.after.length} reviews, as of {back.manifest.made}")
    if back.signed_anew:
        typer.echo(f"the trail was signed anew and ends in {back.after.sha256} (before: {back.before.sha256})")
    if not back.manifest.everything:
        typer.echo(
            "pages and pictures were not in it: `brainsift report` makes the pages again, and a run the pictures"
        )
