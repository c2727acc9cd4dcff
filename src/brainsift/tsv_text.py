"""Text in tab-separated tables that people open in a spreadsheet; used by every room that writes or reads one."""

from __future__ import annotations

import re

FORMULA_STARTS = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20", '"')
"""A spreadsheet runs a text cell that starts with one of these as a formula (CWE-1236); in East Asian settings the
full-width ones too. A quotation mark opens a quoted cell, inside of which a formula may stand."""

_DANGEROUS = re.compile(rf"['\s]*[{re.escape(''.join(FORMULA_STARTS))}]")
_ESCAPES = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}
_UNESCAPES = {written: char for char, written in _ESCAPES.items()}
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x85\u2028\u2029]")


def plain(text: str) -> str:
    """Drop what no database column or file takes: control characters (tab and line ends stay), lone surrogates."""
    return _CONTROL.sub("", text).encode("utf-8", "replace").decode("utf-8")


def guarded(text: str) -> str:
    """`text` with an apostrophe in front if a spreadsheet would run it as a formula; `unguarded` takes it off again.

    Spaces and apostrophes before the dangerous character count too, or one of the text could not be told from ours.
    """
    return f"'{text}" if _DANGEROUS.match(text) else text


def unguarded(cell: str) -> str:
    """What `guarded` was given."""
    return cell[1:] if cell.startswith("'") and _DANGEROUS.match(cell[1:]) else cell


def tsv_cell(text: str) -> str:
    r"""Write `text` as one TSV cell.

    Tab, line feed, carriage return and backslash become `\t`, `\n`, `\r` and `\\`; other control characters go. A cell
    that a spreadsheet would run as a formula gets an apostrophe in front. `from_tsv_cell` reads it back. For text only:
    numbers are written as they are.
    """
    return guarded(re.sub(r"[\\\t\n\r]", lambda match: _ESCAPES[match.group()], plain(text)))


def from_tsv_cell(cell: str) -> str:
    """Read a cell that `tsv_cell` wrote."""
    return re.sub(r"\\[\\tnr]", lambda match: _UNESCAPES[match.group()], unguarded(cell))
