"""What stops a run as a whole, as opposed to one scan."""

from __future__ import annotations

from brainsift.store.errors import StoreError


class RunError(StoreError):
    """The run cannot start or go on: wrong folders, no models, no room. Carries `kind`, `cause` and `remedy`."""
