"""What is mistaken for a bleed."""

from __future__ import annotations

from enum import IntEnum


class Mimic(IntEnum):
    """Kinds of mimic, as the mimics mask codes them."""

    VEIN = 1
    SINUS = 2
    CALCIFICATION = 3
    FLOW = 4
    DROPOUT = 5
    IRON = 6
