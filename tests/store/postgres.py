"""A real PostgreSQL server for the time of the tests: own data folder, Unix socket only, gone afterwards."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

WHY_SKIPPED = "no PostgreSQL server on this machine (install the package `postgresql`)"


def server_folder() -> Path | None:
    """Folder of `initdb` and `pg_ctl`: Debian keeps them off the PATH."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    found = [str(path) for path in reversed(debian)] + [shutil.which("initdb") or ""]
    return next((Path(path).parent for path in found if path and Path(path).with_name("pg_ctl").exists()), None)


def _user() -> str | None:
    """A user to run the server as when we are root, whom it refuses."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


@contextmanager
def running_server(programs: Path) -> Iterator[str]:
    """Yield the URL of a running server."""
    user = _user()
    # Not below pytest's folder: another user could not enter it, and a socket's path may have 107 bytes only.
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    if user is not None:
        os.chown(folder, pwd.getpwnam(user).pw_uid, -1)

    def call(*command: str) -> None:
        environment = {"PATH": os.environ["PATH"], "LC_ALL": "C"}
        log = (folder / "log.txt").open("ab")
        with log:
            subprocess.run(command, user=user, cwd=folder, env=environment, stdout=log, stderr=log, check=True)

    data = str(folder / "data")
    options = f"-c listen_addresses='' -c unix_socket_directories='{folder}' -c fsync=off"
    try:
        call(str(programs / "initdb"), "-D", data, "-U", "tester", "-A", "trust", "-E", "UTF8", "--no-sync")
        call(str(programs / "pg_ctl"), "-D", data, "-o", options, "-w", "start")
        try:
            yield f"postgresql+psycopg://tester@/postgres?host={folder}"
        finally:
            call(str(programs / "pg_ctl"), "-D", data, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
