"""`brainsift review`: the page where people decide, its users, its labels, and the check of its trail."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from brainsift.cli.exits import Exit, Stop
from brainsift.cli.options import Database

if TYPE_CHECKING:
    from brainsift.store.database import Database as Study

EXAMPLES = "Examples: `brainsift review results`, `brainsift review verify results`, `brainsift review labels results`"

Output = Annotated[Path, typer.Argument(metavar="OUTPUT", help="The OUTPUT folder of an earlier `brainsift run`.")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="Short name of a person; initials or a pseudonym will do.")]
Role = Annotated[str, typer.Option(metavar="ROLE", help="`reviewer`, `adjudicator` or `admin`.")]
Faces = Annotated[bool, typer.Option(help="May see renders of faces and whole heads; reviewing defacing needs it.")]

SERVE = "serve"


class _ServeByDefault(TyperGroup):
    """`brainsift review OUTPUT` is `brainsift review serve OUTPUT`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = [SERVE, *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=_ServeByDefault,
    help="Open the page where people decide: `brainsift review OUTPUT`.",
    epilog=EXAMPLES,
    no_args_is_help=True,
    rich_markup_mode="markdown",
)


@app.command(SERVE, epilog="Example: `brainsift review serve results --faces`")
def serve(
    output: Output,
    db: Database = None,
    source: Annotated[
        Path | None, typer.Option("--input", metavar="DIR", help="INPUT, if it moved: for the 3D viewer.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="Your name in the trail; the login name if not given.")] = None,
    faces: Faces = False,
    originals: Annotated[bool, typer.Option(help="Serve pictures from before defacing too, with --faces.")] = False,
    show_machine: Annotated[bool, typer.Option(help="Show the machine's answer before the person's.")] = False,
    show_names: Annotated[bool, typer.Option(help="Show the paths of scans.")] = False,
    second_share: Annotated[
        float, typer.Option(min=0, max=1, help="Share that a second person reads, once there are two people.")
    ] = 0.1,
    audit_share: Annotated[
        float, typer.Option(min=0, max=1, help="Share of automatic decisions that a person looks at.")
    ] = 0.0,
    catch: Annotated[
        Path | None, typer.Option(metavar="FILE", help="labels.tsv of scans with a known answer, to be mixed in.")
    ] = None,
    catch_share: Annotated[float, typer.Option(min=0, max=1, help="Share of them among scans handed out.")] = 0.05,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes any free one.")] = 8770,
    hostname: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Name under which browsers reach it; several times.")
    ] = None,
    tls_cert: Annotated[Path | None, typer.Option(metavar="FILE", help="PEM certificate.")] = None,
    tls_key: Annotated[Path | None, typer.Option(metavar="FILE", help="PEM key.")] = None,
    allow_plain_http: Annotated[
        bool, typer.Option(help="Speak HTTP on other addresses than this machine's own, behind a TLS proxy.")
    ] = False,
) -> None:
    """Serve the review page; the address to open is printed, with a token, once."""
    from brainsift.cli.console import answers
    from brainsift.cli.extras import need_driver
    from brainsift.evaluate.labels import LabelsError
    from brainsift.review.serve import Place, serve
    from brainsift.review.settings import ReviewSettings

    need_driver(db)
    settings = ReviewSettings(
        output=output,
        db=db,
        source=source,
        blind=not show_machine,
        names=show_names,
        originals=originals,
        second_share=second_share,
        audit_share=audit_share,
        catch_share=catch_share,
    )
    place = Place(host, port, tuple(hostname or ()), tls_cert, tls_key, allow_plain_http)

    def tell(address: str) -> None:
        answers().print(f"Open {address}", markup=False, soft_wrap=True)
        answers().print("The token is shown this once. Ctrl-C stops; nothing that was decided is lost.", markup=False)
        answers().file.flush()

    try:
        head = serve(settings, place, name or _own_name(), faces, tell, catch)
    except LabelsError as error:
        raise Stop(error.cause, error.remedy) from error
    typer.echo("Stopped. The trail ends here; noted elsewhere, `brainsift review verify --expect` can ask for it:")
    typer.echo(f"{head.length}:{head.sha256}")


@app.command("verify", epilog="Example: `brainsift review verify results`")
def verify(
    output: Output,
    db: Database = None,
    expect: Annotated[
        str | None, typer.Option(metavar="N:SHA256", help="Rows and digest that were noted earlier.")
    ] = None,
) -> None:
    """Check that no row of the trail was changed, removed or put in; exit code 1 names the first that was.

    Note the digest that is printed, outside of this computer: with --expect it shows later also a trail that was made
    anew as a whole.
    """
    from brainsift.store.reviews.chain import check_trail
    from brainsift.store.reviews.verdicts import check_cases

    with _study(output, db) as database:
        trail = check_trail(database, _head(expect))
        fault = trail.fault or check_cases(database)
    if fault is not None:
        raise Stop(f"Row {fault.position} of the trail: {fault.cause}", "Go back to a copy.", Exit.SCANS_FAILED)
    typer.echo(f"The trail is whole: {trail.events} rows.")
    typer.echo(f"{trail.events}:{trail.head}")


@app.command("labels", epilog="Example: `brainsift review labels results`")
def labels(
    output: Output,
    db: Database = None,
    to: Annotated[
        Path | None, typer.Option(metavar="FILE", help="OUTPUT/labels.tsv if not given; paths in it are from OUTPUT.")
    ] = None,
) -> None:
    """Write what people said as labels.tsv, for `train`, `calibrate` and `evaluate`."""
    from brainsift.review.labels import LABELS_NAME, write_labels_file

    path = to or output / LABELS_NAME
    with _study(output, db) as database:
        count = write_labels_file(database, path)
    typer.echo(f"{path}: {count} rows")


@app.command("summary", epilog="Example: `brainsift review summary results`")
def summary(output: Output, db: Database = None) -> None:
    """Print, as JSON, what was decided automatically, hours with and without the model, agreement, catch trials."""
    import json

    from brainsift.review.desk import Desk
    from brainsift.review.settings import ReviewSettings
    from brainsift.review.summary import summary as figures

    with _study(output, db) as database:
        typer.echo(json.dumps(figures(Desk(database, ReviewSettings(output, db))), indent=2))


@app.command("users", epilog="Example: `brainsift review users results`")
def users(output: Output, db: Database = None) -> None:
    """List who may review."""
    from brainsift.store.reviews.people import reviewers

    with _study(output, db) as database:
        for one in reviewers(database):
            marks = [word for word in ("faces", "simulated") if getattr(one, word)]
            marks += [] if one.active else ["shut out"]
            typer.echo("\t".join((one.name, one.role, ", ".join(marks))))


@app.command("add", epilog="Example: `brainsift review add results ab --role adjudicator`")
def add(
    output: Output,
    name: Name,
    db: Database = None,
    role: Role = "reviewer",
    faces: Faces = False,
    simulated: Annotated[bool, typer.Option(help="A program: its seconds are told as simulated.")] = False,
) -> None:
    """Let a person in; their token is printed this once."""
    from brainsift.review.desk import time_text
    from brainsift.store.reviews.people import Reviewer, add_reviewer

    with _study(output, db) as database:
        try:
            token = add_reviewer(database, Reviewer(name, _role(role), faces, simulated, since=time_text()))
        except ValueError as error:
            raise Stop(f"{error}.", "Give another name.") from None
    typer.echo(token)


@app.command("change", epilog="Example: `brainsift review change results ab --shut-out`")
def change(
    output: Output,
    name: Name,
    db: Database = None,
    role: Annotated[str | None, typer.Option(metavar="ROLE", help="`reviewer`, `adjudicator` or `admin`.")] = None,
    faces: Annotated[bool | None, typer.Option("--faces/--no-faces", help="May see faces.")] = None,
    active: Annotated[bool | None, typer.Option("--let-in/--shut-out", help="May log in.")] = None,
    new_token: Annotated[bool, typer.Option(help="Print a new token; the old one ends.")] = False,
) -> None:
    """Change what a person may do; their browsers are logged out."""
    from brainsift.store.reviews.people import change_reviewer

    with _study(output, db) as database:
        wanted = None if role is None else _role(role)
        try:
            _, token = change_reviewer(database, name, role=wanted, faces=faces, active=active, new_token=new_token)
        except LookupError as error:
            raise Stop(f"{error}.", f"See `brainsift review users {output}`.") from None
    typer.echo(token or "Done.")


def _study(output: Path, db: str | None) -> Study:
    from brainsift.cli.extras import need_driver
    from brainsift.store.database import DATABASE_NAME
    from brainsift.store.database import Database as Study

    need_driver(db)
    if db is None and not (output / DATABASE_NAME).is_file():
        raise Stop(f"{output} holds no {DATABASE_NAME}.", "Give the OUTPUT of a `brainsift run`.")
    return Study(output, db, durable=True)


def _head(expect: str | None) -> Any:
    from brainsift.store.reviews.chain import Head

    if expect is None:
        return None
    count, _, digest = expect.partition(":")
    if not count.isdigit() or not re.fullmatch(r"[0-9a-f]{64}", digest):
        raise Stop(f"{expect!r} is not what `verify` prints.", "Give its last line, N:SHA256.")
    return Head(int(count), digest)


def _role(role: str) -> Any:
    from brainsift.store.reviews.people import ROLES

    if role not in ROLES:
        raise Stop(f"There is no role {role!r}.", f"Roles are {', '.join(ROLES)}.")
    return role


def _own_name() -> str:
    """The login name, as far as it can stand in the trail."""
    import getpass

    try:
        login = getpass.getuser()
    except (OSError, KeyError):
        login = ""
    return re.sub(r"[^A-Za-z0-9._-]", "", login).lstrip("._-")[:32] or "admin"
