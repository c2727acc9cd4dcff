"""What is handed out of one scan: its pictures, and what the machine said, as they are at that moment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from brainsift.review.files import MAP, MASKS, PICTURES, Evidence, evidence_of, sha256_of, volume_of
from brainsift.review.questions import agrees
from brainsift.store.record import Record
from brainsift.store.reviews.cases import ABOUT_OUTPUT

OVER = {"mosaic_outline": "mosaic"}
"""Transparent picture → the one that it lies over. For others the name says it: ``lesions_outline``."""

OUTLINE = "_outline"


def make_offer(record: Record, scan_id: int, task: str, output: Path, source: Path | None) -> dict[str, Any]:
    """All that may be shown of a scan in a task; kept with the lease, so that the trail can say what it was."""
    finding, decision = record.finding(task), record.decision(task)
    pictures = sorted(evidence_of(record, task, output, tuple(PICTURES)), key=lambda one: _rank(one, task))
    names = {one.name for one in pictures}
    volume = volume_of(record, source, output)
    return {
        "scan_id": scan_id,
        "pictures": [
            {
                "name": one.name,
                "title": one.title,
                "kind": one.kind,
                "over": _under(one.name, names),
                "address": one.address,
                "sha256": sha256_of(one.path),
            }
            for one in pictures
        ],
        "volume": None if isinstance(volume, str) else {"name": _volume_name(volume), "bytes": volume.stat().st_size},
        "no_volume": volume if isinstance(volume, str) else None,
        "masks": [
            {
                "name": one.name,
                "title": one.title,
                "kind": one.kind,
                "address": one.address,
                "file": "mask.nii.gz" if one.path.name.endswith(".gz") else "mask.nii",
            }
            for one in evidence_of(record, task, output, MASKS)
            if not one.name.endswith(MAP)
        ],
        "facts": _facts(record),
        "input_sha256": record.input.sha256,
        "model_id": finding.model_id if finding else None,
        "model_sha256": finding.model_sha256 if finding else None,
        "machine": {
            "action": decision.action.value if decision else None,
            "label": finding.label if finding else None,
            "reason": (decision.reason if decision else "") or (finding.reason if finding else ""),
            "probabilities": dict(finding.probabilities) if finding else {},
            "model": finding.model_id if finding else None,
        },
    }


def item_view(
    item: str, task: str, list_name: str, until: str, offered: dict[str, Any], faces: bool, originals: bool, blind: bool
) -> dict[str, Any]:
    """An `Item` of docs/review_api.md; what the person may not see is left out."""
    scan_id = offered["scan_id"]
    seen = [one for one in offered["pictures"] if may_see(one["kind"], faces, originals)]
    volume = offered["volume"] if faces else None
    return {
        "item": item,
        "task": task,
        "list": list_name,
        "scan_id": scan_id,
        "name": None,
        "until": until,
        "pictures": [
            {
                **{name: one[name] for name in ("name", "title", "kind", "over")},
                "url": f"/api/scans/{scan_id}/pictures/{one['address']}?v={one['sha256']}",
            }
            for one in seen
        ],
        "volume": None
        if volume is None
        else {"url": f"/api/scans/{scan_id}/volume/{volume['name']}", "bytes": volume["bytes"]},
        "no_volume": offered["no_volume"] or (None if faces else "faces"),
        "masks": [
            {
                "name": one["name"],
                "title": one["title"],
                "url": f"/api/scans/{scan_id}/masks/{one['address']}/{one['file']}",
            }
            for one in offered["masks"]
            if may_see(one["kind"], faces, originals)
        ],
        "facts": offered["facts"],
        "machine": None if blind else machine_view(task, offered, None),
        "readings": None,
    }


def machine_view(task: str, offered: dict[str, Any], choice: str | None) -> dict[str, Any]:
    """What the machine said, and whether the person agrees."""
    said = offered["machine"]
    return {**said, "agrees": agrees(task, choice, said["action"], said["label"])}


def may_see(kind: str, faces: bool, originals: bool) -> bool:
    """Whether a picture of this kind may be shown to a person with or without the permission to see faces."""
    return kind == "brain" or (faces and (kind == "surface" or originals))


def _rank(one: Evidence, task: str) -> tuple[int, str]:
    """Order: a task's own pictures first where a face is looked for or a drawing is judged."""
    own = bool(one.task)
    first = own if task == "defacing" or task in ABOUT_OUTPUT else one.name.startswith("mosaic")
    return (0 if first else 1) + (2 if one.kind == "original" else 0), "" if first and own else one.name


def _under(name: str, names: set[str]) -> str | None:
    below = OVER.get(name, name.removesuffix(OUTLINE) if name.endswith(OUTLINE) else None)
    return below if below in names else None


def _volume_name(path: Path) -> str:
    """A name that tells the viewer how to read it, and nothing else."""
    name = path.name.lower()
    return "scan.nii.gz" if name.endswith(".nii.gz") else f"scan{path.suffix.lower()}"


def _facts(record: Record) -> list[dict[str, str]]:
    integrity = record.finding("integrity")
    measured = integrity.measurements if integrity else {}
    spacing = " x ".join(f"{mm:.3g}" for mm in record.input.spacing_mm)
    facts = {
        "Sequence": measured.get("sequence"),
        "Dimension": measured.get("dimension"),
        "Voxel size": f"{spacing} mm" if spacing else None,
    }
    return [{"name": name, "value": str(value)} for name, value in facts.items() if value]
