"""`brainsift`: one file per verb; each verb loads what it needs when it is called, so that `--help` answers at once."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from brainsift import __version__
from brainsift.cli import (
    backup,
    calibrate,
    check,
    db,
    defacing,
    demo,
    evaluate,
    info,
    models,
    report,
    review,
    run,
    simulate,
    status,
    train,
)
from brainsift.cli.exits import Exit, Stop

app = typer.Typer(
    name="brainsift",
    help="Sift a folder of brain MRI: what each scan is, how good it is, and what a person should look at.\n\n"
    "Start with `brainsift demo OUTPUT`, then `brainsift run INPUT OUTPUT` on a folder of your own.",
    epilog="Exit codes: 0 all done, 1 some scans failed, 2 usage, 70 internal error, 130 interrupted.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["--help", "-h"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"brainsift {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    pass


app.command("run", epilog=run.EXAMPLES)(run.run)
app.command("check", epilog=check.EXAMPLES)(check.check)
app.command("status", epilog=status.EXAMPLES)(status.status)
app.command("backup", epilog=backup.EXAMPLES_BACKUP)(backup.backup)
app.command("restore", epilog=backup.EXAMPLES_RESTORE)(backup.restore)
app.command("report", epilog=report.EXAMPLES)(report.report)
app.command("demo", epilog=demo.EXAMPLES)(demo.demo)
app.add_typer(review.app, name="review")
app.add_typer(db.app, name="db")
app.add_typer(models.app, name="models")
app.add_typer(simulate.app, name="simulate")
app.add_typer(train.app, name="train")
app.add_typer(defacing.app, name="defacing")
app.command("calibrate", epilog=calibrate.EXAMPLES)(calibrate.calibrate)
app.add_typer(evaluate.app, name="evaluate")
app.command("info", epilog=info.EXAMPLES)(info.info)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave with an exit code of `Exit`."""
    sys.exit(_guarded(sys.argv[1:] if arguments is None else list(arguments)))


def _guarded(arguments: list[str]) -> int:
    """Run a verb; turn what the user can mend into a message, and anything else into 70 with its traceback."""
    try:
        app(args=arguments, prog_name="brainsift")
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else Exit.DONE
    except Stop as stop:
        return _refused(stop.cause, stop.remedy, stop.code)
    except KeyboardInterrupt:
        return _refused("Interrupted.", "Run the same command again to go on where it stopped.", Exit.INTERRUPTED)
    except Exception as error:
        return _unforeseen(error)
    return Exit.DONE


def _refused(cause: str, remedy: str, code: Exit) -> Exit:
    from brainsift.cli.console import say

    say(cause, remedy)
    return code


def _unforeseen(error: Exception) -> Exit:
    """Faults that rooms report with cause and remedy are told so; what nobody foresaw keeps its traceback."""
    from brainsift.models.errors import ModelError
    from brainsift.scans.errors import ScanError
    from brainsift.store.errors import StoreError

    if isinstance(error, ModelError):
        return _refused(f"Model '{error.model}': {error.cause}", error.remedy, Exit.INTERNAL)
    if isinstance(error, ScanError | StoreError):
        return _refused(error.cause, error.remedy, Exit.USAGE)
    if isinstance(error, OSError) and error.filename is not None:
        remedy = "Check the path, its permissions and the space left."
        return _refused(f"{error.strerror}: {error.filename}", remedy, Exit.USAGE)
    import traceback

    traceback.print_exception(error)
    remedy = "Please report it with the lines above and the output of `brainsift info`."
    return _refused(f"Internal error: {type(error).__name__}.", remedy, Exit.INTERNAL)
