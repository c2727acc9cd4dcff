"""A server in a process of its own, as a user starts it, so that it can be killed."""

from __future__ import annotations

import os
import random
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PROGRAM = "from brainsift.cli.main import main; main()"

KEPT_PORTS = range(20_000, 30_000)
"""Below those that a system lends to clients: one that knocks while nobody listens could be lent the very port that it
knocks at, connect to itself, and keep the server from coming back."""


def port_to_keep() -> int:
    """A free port on which a server can be started again after a kill."""
    for port in random.sample(KEPT_PORTS, 100):
        with socket.socket() as tried:
            if tried.connect_ex(("127.0.0.1", port)) != 0:
                return port
    raise RuntimeError("no port is free")


class Process:
    """`brainsift review OUTPUT`; `base` is its address and `token` the one that it printed."""

    def __init__(self, output: Path, *options: str, port: int = 0) -> None:
        command = [
            sys.executable,
            "-c",
            PROGRAM,
            "review",
            str(output),
            "--port",
            str(port),
            "--name",
            "host",
            *options,
        ]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        found = re.match(r"Open (http://[^/]+)/#token=(\S+)", line)
        if found is None:
            self._process.kill()
            raise AssertionError(line + self._process.communicate()[1])
        self.base, self.token = found.groups()

        self.last_words = ""

    def kill(self) -> None:
        """Kill -9."""
        os.kill(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def stop(self) -> int:
        """Ctrl-C; returns the exit code."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            self.last_words = self._process.communicate(timeout=60)[0]
        return self._process.returncode


@contextmanager
def served(output: Path, *options: str, port: int = 0) -> Iterator[Process]:
    """A running server, stopped at the end."""
    process = Process(output, *options, port=port)
    try:
        yield process
    finally:
        process.stop()
