"""A user's own defacing tool: a command template, filled in and run without a shell."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PLACES = ("input", "output", "mask")
"""What ``{…}`` in a template may say: the scan, the file to make, and a brain mask on the scan's grid."""

TIMEOUT_S = 3600.0
"""FSL and FreeSurfer take minutes; after an hour it hangs."""


@dataclass(frozen=True)
class Ran:
    """How a command ended: whether the file was made, and why not."""

    made: bool
    reason: str = ""


def split_template(template: str) -> tuple[str, ...]:
    """Split a template into words, as a shell would, without ever giving it to one.

    Raises
    ------
    ValueError
        if it is empty, a quote is not closed, or it does not name the input and the output.
    """
    words = tuple(shlex.split(template))
    if not words:
        raise ValueError("the command is empty")
    missing = [f"{{{place}}}" for place in ("input", "output") if not any(f"{{{place}}}" in word for word in words)]
    if missing:
        raise ValueError(f"the command must say where {' and '.join(missing)} go, got {template!r}")
    return words


def fill_in(words: Sequence[str], places: Mapping[str, Path]) -> list[str]:
    """Put paths in their places. Each word stays one argument, whatever a path holds: spaces, quotes, `$` or `;`."""
    filled = []
    for word in words:
        for place in PLACES:
            if place in places:
                word = word.replace(f"{{{place}}}", str(places[place].resolve()))
        filled.append(word)
    return filled


def run_command(words: Sequence[str], places: Mapping[str, Path], folder: Path, timeout_s: float = TIMEOUT_S) -> Ran:
    """Run a template's words in `folder` and see whether the file at `places["output"]` was made.

    What the tool prints is dropped: it may quote the header, a patient's name with it.
    """
    try:
        done = subprocess.run(
            fill_in(words, places),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=timeout_s,
            check=False,
        )
    except FileNotFoundError:
        return Ran(False, f"There is no program {words[0]!r}.")
    except PermissionError:
        return Ran(False, f"The program {words[0]!r} may not be run.")
    except subprocess.TimeoutExpired:
        return Ran(False, f"It did not end within {timeout_s:.0f} s.")
    if done.returncode:
        return Ran(False, f"It ended with code {done.returncode}; run it by hand to see what it says.")
    if not places["output"].is_file():
        return Ran(False, f"It ended well but made no {places['output'].name}.")
    return Ran(True)
