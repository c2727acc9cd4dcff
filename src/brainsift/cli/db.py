"""`brainsift db`: the version of a study's database, and bringing it up to date."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from brainsift.cli.exits import Exit
from brainsift.cli.options import Database

app = typer.Typer(
    help="The database of a study: what version its tables have, and bringing them up to date.", no_args_is_help=True
)

EXAMPLES_STATUS = """Examples

`brainsift db status results`

`brainsift db status results --db postgresql+psycopg://user@host/name`
"""

EXAMPLES_UPGRADE = """Examples

`brainsift db upgrade results` (after an update of BrainSift)

`brainsift db upgrade results --db postgresql+psycopg://admin@host/name` (also makes the tables of an empty database)
"""

Output = Annotated[Path, typer.Argument(metavar="OUTPUT", help="The OUTPUT folder of a `brainsift run`.")]


@app.command("status", epilog=EXAMPLES_STATUS)
def status(output: Output, db: Database = None) -> None:
    """Say which version a database has, which one this program needs, and what it holds. Nothing is changed.

    Ends with 0 where the database can be used as it is, and 1 where not.
    """
    from brainsift.cli.console import answers
    from brainsift.cli.extras import need_driver
    from brainsift.store.database_state import database_state
    from brainsift.store.errors import StoreError
    from brainsift.store.migrate import require_current

    need_driver(db)
    found = database_state(output, db)
    console = answers()
    version = "none" if found.schema.version is None else str(found.schema.version)
    console.print(f"{found.server}, schema version {version}; this BrainSift needs {found.needed}.", markup=False)
    if found.scans is not None:
        reviews = f", {found.reviews} reviews" if found.reviews is not None else ""
        console.print(f"{found.studies} studies, {found.scans} scans{reviews}.", markup=False)
    try:
        require_current(found.schema)
    except StoreError as error:
        console.print(f"{error.cause} {error.remedy}", markup=False)
        raise typer.Exit(Exit.SCANS_FAILED) from None
    console.print("Up to date.", markup=False)


@app.command("upgrade", epilog=EXAMPLES_UPGRADE)
def upgrade(output: Output, db: Database = None) -> None:
    """Bring the tables up to date, all or nothing. Records and reviews are kept.

    Stop runs and review servers that use the database before, and make a backup of what you cannot lose.
    """
    from brainsift.cli.console import answers
    from brainsift.cli.extras import need_driver
    from brainsift.store.database_state import upgrade_database

    need_driver(db)
    before, after = upgrade_database(output, db)
    if before == after:
        sentence = f"The database has schema version {after} already."
    elif before is None:
        sentence = f"The tables were made, schema version {after}."
    else:
        sentence = f"The database was brought from schema version {before} to {after}."
    answers().print(sentence, markup=False)
