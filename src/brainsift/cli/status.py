"""`brainsift status`: where a study stands, asked from outside of the run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from brainsift.cli.exits import Stop
from brainsift.cli.options import Database

if TYPE_CHECKING:
    from brainsift.engine.watch.life import Running

QUIET_S = 1800.0
"""Without a sign for so long, twice the time after which a scan is given up, a run on another machine may be gone."""

EXAMPLES = """Examples

`brainsift status results` (done, failed, waiting for people, how fast, how long)

`brainsift status results --json` (for a program)

`brainsift status results --scan 1f0a9c27b3d4e586` (which scan a line of the log means)
"""


def status(
    output: Annotated[Path, typer.Argument(metavar="OUTPUT", help="The OUTPUT folder of a `brainsift run`.")],
    db: Database = None,
    scan: Annotated[
        str | None, typer.Option(metavar="NAME", help="Say which scan has this name in the log, and nothing else.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable.")] = False,
) -> None:
    """Say where a study stands: scans done and failed, waiting for people, the run at work and how long it will take.

    Reads the database and the sign that a run at work gives of itself; no scan is read and nothing is written.
    """
    from brainsift.cli.extras import need_driver

    need_driver(db)
    if scan is not None:
        typer.echo(find_named(output, db, scan))
        return
    facts = gather(output, db)
    if as_json:
        import json

        typer.echo(json.dumps(facts, indent=2))
        return
    for line in tell(facts):
        typer.echo(line)


def gather(output: Path, db: str | None) -> dict[str, Any]:
    """What `status` tells, ready for JSON.

    Raises
    ------
    Stop
        if OUTPUT holds no study.
    """
    from brainsift.engine.watch.life import running
    from brainsift.review.progress import waiting
    from brainsift.store.database import Database as Store
    from brainsift.store.runs import last_run

    _require_study(output, db)
    with Store(output, db) as database:
        counts, past, due = database.counts(), last_run(database), waiting(database)
    return {
        "scans": {"done": counts.get("done", 0), "failed": counts.get("failed", 0)},
        "waiting_for_people": due,
        "running": [_running(one) for one in running(output)],
        "last_run": None
        if past is None
        else {
            "started": past.started.isoformat(timespec="seconds"),
            "ended": past.ended.isoformat(timespec="seconds"),
            "interrupted": past.interrupted,
            "scans_per_hour": None if past.scans_per_hour is None else round(past.scans_per_hour, 1),
            "counts": past.counts,
        },
    }


def _require_study(output: Path, db: str | None) -> None:
    from brainsift.store.database import DATABASE_NAME

    if not output.is_dir():
        raise Stop(f"There is no folder {output}.", "Give the OUTPUT of a `brainsift run`.")
    if db is None and not (output / DATABASE_NAME).is_file():
        raise Stop(f"{output} holds no study.", "Give the OUTPUT of a `brainsift run`, with --db where it was given.")


def _running(one: Running) -> dict[str, Any]:
    from datetime import datetime

    said = one.said
    hours = (datetime.fromisoformat(said["at"]) - datetime.fromisoformat(said["began"])).total_seconds() / 3600
    worked_on = said["done"] + said["failed"]
    lost = one.alive is False or (one.alive is None and one.age_s > QUIET_S)
    return {
        **said,
        "seconds_since_sign": round(one.age_s, 1),
        "lost": lost,
        "scans_per_hour": round(worked_on / hours, 1) if hours > 0 else None,
    }


def tell(facts: dict[str, Any]) -> list[str]:
    """The same in words, a line each."""
    scans = facts["scans"]
    lines = [f"{scans['done'] + scans['failed']} scans: {scans['done']} done, {scans['failed']} failed"]
    due = {task: number for task, number in facts["waiting_for_people"].items() if number}
    lines.append("waiting for people: " + (", ".join(f"{number} {task}" for task, number in due.items()) or "none"))
    lines += [_tell_running(one) for one in facts["running"]]
    past = facts["last_run"]
    if past is not None:
        how = "was interrupted" if past["interrupted"] else "ended"
        speed = f", {past['scans_per_hour']:.0f} scans an hour" if past["scans_per_hour"] else ""
        lines.append(f"the last run {how} {past['ended']}{speed}")
    if not facts["running"]:
        lines.append("no run is at work")
    return lines


def _tell_running(one: dict[str, Any]) -> str:
    from brainsift.cli.progress import span

    finished = one["done"] + one["failed"] + one["skipped"] + one["refreshed"]
    of = f"{one['found']}" if one["listed"] else f"{one['found']} or more"
    since = span(max(0.0, one["seconds_since_sign"]))
    if one["lost"]:
        return f"a run was killed or cut off at {finished} of {of} scans, {since} ago: run the same command again"
    told = f"at work: {finished} of {of} scans, {one['failed']} failed, last sign {since} ago"
    told += f", {one['scans_per_hour']:.0f} scans an hour" if one["scans_per_hour"] else ""
    expected = one["forecast"]
    if expected is not None:
        left = f"{span(expected['low'])} to {span(expected['high'])}"
        told += f", about {span(expected['seconds'])} left ({left}), slowest stage `{expected['slowest']}`"
    return told


def find_named(output: Path, db: str | None, name: str) -> str:
    """The scan that a log calls `name`.

    Raises
    ------
    Stop
        if no scan of the study has this name, or the key of the names is gone.
    """
    from brainsift.engine.watch.names import KEY_NAME, log_key, private_name
    from brainsift.store.database import Database as Store
    from brainsift.store.runs import scan_names

    _require_study(output, db)
    if not (output / KEY_NAME).is_file():
        raise Stop(f"{output} holds no {KEY_NAME}: no log was written here.", "Names in logs mean nothing without it.")
    key = log_key(output)
    with Store(output, db) as database:
        for scan in scan_names(database):
            if private_name(key, scan) == name:
                return scan
    raise Stop(f"No scan of this study is called '{name}' in its logs.", "Copy the name from a line of the log.")
