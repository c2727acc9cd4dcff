"""Text that is safe in a TSV cell, a spreadsheet and a database column."""

from __future__ import annotations

from brainsift.tsv_text import FORMULA_STARTS, from_tsv_cell, guarded, plain, tsv_cell

__all__ = ["FORMULA_STARTS", "from_tsv_cell", "guarded", "plain", "tsv_cell"]
