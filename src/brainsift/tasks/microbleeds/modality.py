"""The kinds of scan in which bleeds are sought."""

from __future__ import annotations

from typing import Literal

Modality = Literal["gre", "swi", "qsm"]
"""T2*-weighted gradient echo and susceptibility-weighted magnitude, where bleeds are dark, and quantitative
susceptibility, where they are bright."""
