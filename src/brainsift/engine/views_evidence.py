"""The picture of the five views of a head, written beside the mosaic for those who may see faces."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from brainsift.scans.ref import ScanRef
from brainsift.store.files import derived_path, write_atomic
from brainsift.tasks.base import Finding

if TYPE_CHECKING:
    from brainsift.anatomy.anatomy import Anatomy
    from brainsift.scans.volume import Volume

VIEWS = "renders"
"""Name of the picture among the evidence of a finding. The review page shows it to people with the permission alone,
and reports never embed it."""

TASK = "defacing"


def may_be_kept(finding: Finding, faces: bool) -> bool:
    """Whether the views of a scan are kept: where a head was looked at, and not of an untouched face unless `faces`."""
    return finding.task == TASK and finding.label != "no_head" and (faces or "not_applied" not in finding.flags)


def with_views(
    finding: Finding, ref: ScanRef, volume: Volume, anatomy: Anatomy | None, output: Path, *, faces: bool
) -> Finding:
    """The finding with the picture of its views; as it is where none is to be kept.

    Raises
    ------
    OSError
        if OUTPUT cannot be written.
    """
    if not may_be_kept(finding, faces):
        return finding
    from brainsift.tasks.defacing.frame import standard_head
    from brainsift.tasks.defacing.picture import draw_views, encode
    from brainsift.tasks.defacing.renders import render_views

    picture = encode(draw_views(render_views(standard_head(volume, anatomy))))
    path = derived_path(output, ref.stem, "_desc-views_qc.webp")
    write_atomic(path, picture, output)
    return finding.model_copy(update={"evidence": {**finding.evidence, VIEWS: path.relative_to(output).as_posix()}})
