"""Where verbs print: answers to standard output, everything else to standard error.

No text is read as emoji codes: `:star:` may be a part of a path.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console


def answers() -> Console:
    """Console for what was asked for, so that it can be piped."""
    from rich.console import Console

    return Console(highlight=False, emoji=False, soft_wrap=not sys.stdout.isatty())


def notes() -> Console:
    """Console for progress, warnings and errors."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, emoji=False, soft_wrap=not sys.stderr.isatty())


def say(cause: str, remedy: str = "") -> None:
    """Print an error: what is wrong in one sentence, then what to do about it.

    The text is printed as it is: a path that holds square brackets must not be read as markup.
    """
    from rich.text import Text

    notes().print(Text.assemble(("error: ", "bold red"), cause, *([("\n" + remedy, "dim")] if remedy else [])))
