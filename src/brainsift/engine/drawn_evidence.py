"""What a task drew on a scan, written beside the record: masks and maps on the scan's own grid, tables, pictures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from brainsift.scans.ref import ScanRef
from brainsift.store.derivatives import mask_path, write_sidecar
from brainsift.store.files import derived_path, require_inside, write_atomic
from brainsift.tasks.base import Drawn, DrawnImage, Finding

if TYPE_CHECKING:
    from brainsift.scans.volume import Volume


def with_drawn(
    finding: Finding, drawn: Drawn, ref: ScanRef, volume: Volume, output: Path, scratch: Path | None = None
) -> Finding:
    """Write all that was drawn for a finding; the finding with its evidence, paths relative to OUTPUT.

    Raises
    ------
    OSError
        if OUTPUT cannot be written.
    """
    written = {
        name: _write_image(
            image, mask_path(output, ref, finding.task, drawn.label, image.suffix), ref, volume, output, scratch
        )
        for name, image in drawn.images.items()
    }
    for name, text in drawn.tables.items():
        written[name] = _write(text, derived_path(output, ref.stem, f"_desc-{_word(name)}_table.tsv"), output)
    for name, picture in drawn.pictures.items():
        written[name] = _write(picture, derived_path(output, ref.stem, f"_desc-{_word(name)}_qc.webp"), output)
    paths = {name: path.relative_to(output).as_posix() for name, path in written.items()}
    return finding.model_copy(update={"evidence": {**finding.evidence, **paths}})


def _word(name: str) -> str:
    """A name as the value of a BIDS entity, which holds letters and digits alone."""
    return name.replace("_", "")


def _write(content: bytes | str, path: Path, output: Path) -> Path:
    write_atomic(path, content, output)
    return path


def _write_image(
    image: DrawnImage, path: Path, ref: ScanRef, volume: Volume, output: Path, scratch: Path | None
) -> Path:
    import numpy as np

    from brainsift.scans.write import write_like_input

    path.parent.mkdir(parents=True, exist_ok=True)
    require_inside(path.parent, output)
    # By way of scratch, which is removed whatever happens to this process.
    made = (scratch or path.parent) / path.name
    write_like_input(volume, image.values, made, np.uint8, scale=image.scale)
    made.replace(path)
    write_sidecar(path, ref.scan, output, Type="Lesion", Description=image.description)
    return path
