"""The network's input for learning: what inference would make of the same scan."""

from __future__ import annotations

from collections.abc import Callable

from brainsift.anatomy.compute import compute_anatomy
from brainsift.scans.volume import Volume
from brainsift.tasks.wmh.network import Prepared, prepare

Preparer = Callable[[Volume], Prepared]
"""Makes the network's input of a scan, or raises `ScanError`."""


def prepare_with_anatomy(volume: Volume) -> Prepared:
    """As in inference: the brain's box, with the anatomy pass beside it.

    Raises
    ------
    ScanError
        if there is no brain, or white matter is not brighter than fluid.
    """
    return prepare(volume, compute_anatomy(volume, threads=1))
