"""OUTPUT as a BIDS derivative: its description, and names and sidecars of masks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from brainsift import __version__
from brainsift.scans.catalog_bids import MAX_DESCRIPTION_BYTES
from brainsift.scans.ref import ScanRef
from brainsift.scans.small_json import read_object
from brainsift.store.errors import StoreError
from brainsift.store.files import derived_path, write_atomic

BIDS_VERSION = "1.10.0"
DESCRIPTION_NAME = "dataset_description.json"
SOURCE_DATASET = "source"
"""Name of INPUT in BIDS URIs: ``bids:source:sub-01/anat/sub-01_T1w.nii.gz``."""

_AFTER_MOD = ("echo-", "flip-", "inv-", "mt-", "part-", "proc-", "hemi-", "space-", "split-", "recording-", "chunk-")
"""Entities that BIDS puts behind `mod-`."""


def write_description(input_folder: Path, output: Path) -> None:
    """Write `dataset_description.json`, which makes OUTPUT a BIDS derivative.

    Raises
    ------
    StoreError
        if OUTPUT is already a data set that another program made.
    """
    path = output / DESCRIPTION_NAME
    _require_own(path)
    description = {
        "Name": "BrainSift: what each scan is, how good it is and what it shows",
        "BIDSVersion": BIDS_VERSION,
        "DatasetType": "derivative",
        "GeneratedBy": [{"Name": "BrainSift", "Version": __version__}],
        "SourceDatasets": [_source(input_folder)],
        "DatasetLinks": {SOURCE_DATASET: input_folder.resolve().as_uri()},
    }
    write_atomic(path, json.dumps(description, indent=2) + "\n", output)


def _require_own(path: Path) -> None:
    if not path.exists():
        return
    try:
        makers = {maker["Name"] for maker in json.loads(path.read_bytes())["GeneratedBy"]}
    except (ValueError, KeyError, TypeError):
        makers = set()
    if "BrainSift" not in makers:
        raise StoreError(
            "foreign_output",
            f"{path.parent} is a data set that BrainSift did not make.",
            "Choose another OUTPUT folder, for example a new one inside derivatives/.",
        )


def _source(input_folder: Path) -> dict[str, str]:
    source = {"URL": input_folder.resolve().as_uri()}
    doi = (read_object(input_folder / DESCRIPTION_NAME, MAX_DESCRIPTION_BYTES) or {}).get("DatasetDOI")
    return {**source, "DOI": doi} if isinstance(doi, str) else source


def mask_path(output: Path, ref: ScanRef, desc: str, label: str | None = None, suffix: str = "mask") -> Path:
    """Where a mask of a scan, or a map (`suffix` ``probseg``), is written, on the scan's own grid.

    BIDS inputs give ``sub-01/anat/sub-01_mod-T1w_space-orig_desc-brain_mask.nii.gz``: `mod-` keeps the masks of a T1w
    and a T2w of one session apart. Others keep their stem: ``folder/scan_space-orig_desc-brain_mask.nii.gz``.
    """
    labelled = f"_label-{label}" if label else ""
    return derived_path(output, _mask_stem(ref), f"_space-orig{labelled}_desc-{desc}_{suffix}.nii.gz")


def _mask_stem(ref: ScanRef) -> str:
    folder, _, name = ref.stem.rpartition("/")
    entities = name.split("_")
    if ref.suffix is None or entities[-1] != ref.suffix or not name.startswith("sub-"):
        return ref.stem
    entities = entities[:-1]
    place = next((i for i, entity in enumerate(entities) if entity.startswith(_AFTER_MOD)), len(entities))
    entities.insert(place, f"mod-{ref.suffix}")
    return "/".join(filter(None, (folder, "_".join(entities))))


def source_uri(scan: str) -> str:
    """BIDS URI of a scan of INPUT."""
    return f"bids:{SOURCE_DATASET}:{scan}"


def write_sidecar(image: Path, scan: str, output: Path, **fields: Any) -> Path:
    """Write the JSON beside a derived image, naming the scan that it was made from."""
    path = image.with_name(image.name.removesuffix(".gz").removesuffix(".nii") + ".json")
    content = {"Sources": [source_uri(scan)], **fields}
    write_atomic(path, json.dumps(content, indent=2) + "\n", output)
    return path
