"""A small study of simulated pictures, as a run would have left it: records, pictures, database, people."""

from __future__ import annotations

import hashlib
from pathlib import Path

import nibabel as nib
import numpy as np
from PIL import Image

from brainsift.decide.decision import Action, Decision
from brainsift.store.database import Database
from brainsift.store.record import InputFacts, Record
from brainsift.store.reviews.people import Reviewer, Role, add_reviewer
from brainsift.tasks.base import Finding

VIEWS = ("front", "left", "right")
PICTURE_PX = 120
DRAWINGS = 4
"""Scans share pictures: drawing them for each would take longer than the tests."""

HOSTILE = "sub-x/<img src=x onerror=window.hacked=1><script>window.hacked=1<!--_T1w.nii.gz"
"""A name that a page which writes names as HTML would run."""

ACTIONS = {"refer": Action.REFER, "accept": Action.ACCEPT, "reject": Action.REJECT}
LABELS = {"refer": "insufficient", "accept": "correct", "reject": "failed"}


def write_study(output: Path, source: Path, *, refer: int, accept: int, pixels: int = PICTURE_PX) -> None:
    """Write OUTPUT: scans that the defacing task referred and accepted, and a rejected one of a hostile name.

    INPUT holds those that were referred.
    """
    output.mkdir(parents=True)
    source.mkdir(parents=True)
    actions = ["refer"] * refer + ["accept"] * accept + ["reject"]
    names = [f"sub-{number:03}/sub-{number:03}_T1w.nii.gz" for number in range(len(actions))]
    names[-1] = HOSTILE
    volume = small_volume()
    for name in names[:refer]:
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_bytes(volume)
    drawings = [_pictures(output, number, pixels) for number in range(DRAWINGS)]
    scans = enumerate(zip(names, actions, strict=True))
    with Database(output) as database:
        database.ingest([_record(*scan, number, volume, drawings[number % DRAWINGS]) for number, scan in scans])


def add_person(output: Path, name: str, role: Role = "reviewer") -> str:
    """Let a simulated person in who may see faces, and return the token."""
    with Database(output) as database:
        token = add_reviewer(database, Reviewer(name=name, role=role, faces=True, simulated=True))
    if token is None:
        raise RuntimeError("no token was made")
    return token


def small_volume() -> bytes:
    """A ball of 16 voxels across, as NIfTI."""
    grid = np.indices((16, 16, 16)) - 7.5
    ball = (np.square(grid).sum(axis=0) < 36).astype(np.int16) * 500
    return bytes(nib.Nifti1Image(ball, np.diag([10.0, 10.0, 10.0, 1.0])).to_bytes())


def _pictures(output: Path, number: int, pixels: int) -> dict[str, str]:
    """Draw a shaded egg from each side, and slices; return name → path in OUTPUT."""
    rows, columns = (np.mgrid[:pixels, :pixels] / pixels - 0.5) * 2
    paths = {}
    folder = output / "pictures"
    folder.mkdir(exist_ok=True)
    for place, name in enumerate((*(f"render_{view}" for view in VIEWS), "mosaic")):
        width = 0.5 + 0.06 * number + 0.04 * place
        height = np.sqrt(np.clip(1 - (columns / width) ** 2 - (rows / 0.85) ** 2, 0, None))
        shade = height * (200 if name != "mosaic" else 90 + 90 * np.cos(20 * height))
        paths[name] = f"pictures/{number:03}_{name}.webp"
        Image.fromarray(shade.astype(np.uint8)).save(output / paths[name], quality=60)
    outline = np.zeros((pixels, pixels, 4), dtype=np.uint8)
    outline[height > 0.15] = (240, 189, 90, 255)
    outline[height > 0.25] = 0
    paths["mosaic_outline"] = f"pictures/{number:03}_outline.webp"
    Image.fromarray(outline).save(output / paths["mosaic_outline"])
    return paths


def _record(name: str, action: str, number: int, volume: bytes, pictures: dict[str, str]) -> Record:
    label = LABELS[action]
    finding = Finding(
        task="defacing",
        label=label,
        probabilities={label: 0.7, "excessive": 0.3},
        evidence={key: path for key, path in pictures.items() if key.startswith("render")},
        model_id="defacing-test",
        model_sha256="0" * 64,
    )
    decision = Decision(task="defacing", action=ACTIONS[action], rule="test", reason="simulated")
    return Record(
        scan=name,
        stem=f"sub-{number:03}/sub-{number:03}_T1w",
        participant=HOSTILE if name == HOSTILE else f"{number:03}",
        site=HOSTILE if name == HOSTILE else None,
        suffix="T1w",
        status="done",
        input=InputFacts(
            format="nifti1",
            size=len(volume),
            fingerprint=f"{len(volume)}:{number}",
            sha256=hashlib.sha256(volume).hexdigest(),
            spacing_mm=(10.0, 10.0, 10.0),
        ),
        findings=(finding,),
        decisions=(decision,),
        reason=HOSTILE if name == HOSTILE else "",
        evidence={key: path for key, path in pictures.items() if key.startswith("mosaic")},
        seconds=1.0,
    )
