"""Text that is safe in a TSV cell, a spreadsheet and a database column."""

from __future__ import annotations

import re

FORMULA_STARTS = ("=", "+", "-", "@")
"""A spreadsheet runs a text cell that starts with one of these as a formula (CWE-1236)."""

_ESCAPES = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}
_UNESCAPES = {written: char for char, written in _ESCAPES.items()}
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x85\u2028\u2029]")


def plain(text: str) -> str:
    """Drop what no database column or file takes: control characters (tab and line ends stay), lone surrogates."""
    return _CONTROL.sub("", text).encode("utf-8", "replace").decode("utf-8")


def tsv_cell(text: str) -> str:
    r"""Write `text` as one TSV cell.

    Tab, line feed, carriage return and backslash become `\t`, `\n`, `\r` and `\\`; other control characters go. A cell
    that a spreadsheet would run as a formula gets an apostrophe in front. `from_tsv_cell` reads it back.
    """
    written = re.sub(r"[\\\t\n\r]", lambda match: _ESCAPES[match.group()], plain(text))
    quoted = written.startswith(FORMULA_STARTS) or (written.startswith("'") and written[1:].startswith(FORMULA_STARTS))
    return f"'{written}" if quoted else written


def from_tsv_cell(cell: str) -> str:
    """Read a cell that `tsv_cell` wrote."""
    if cell.startswith("'") and cell[1:].lstrip("'").startswith(FORMULA_STARTS):
        cell = cell[1:]
    return re.sub(r"\\[\\tnr]", lambda match: _UNESCAPES[match.group()], cell)
