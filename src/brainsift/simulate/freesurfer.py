"""Values of FreeSurfer's colour table for structures that several simulations ask for, left and right."""

from __future__ import annotations

WHITE = (2, 41)
CORTEX = (3, 42)
LATERAL_VENTRICLES = (4, 43)

FLUID = (24,)
"""Around the brain."""
