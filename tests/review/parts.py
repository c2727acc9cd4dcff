"""A study to review, and people who review it."""

from __future__ import annotations

import hashlib
import uuid
from pathlib import Path
from typing import Any

import httpx

from brainsift.decide.decision import Action, Decision
from brainsift.store.database import Database
from brainsift.store.record import InputFacts, Record
from brainsift.store.reviews.people import Reviewer, add_reviewer
from brainsift.store.run_facts import RUN_NAME
from brainsift.tasks.base import Finding

PIXEL = bytes.fromhex("524946461a000000574542505650384c0d0000002f00000010071011118888fe0700")
"""A WebP picture of one pixel."""

MODEL = "d" * 64
CSRF = "X-BrainSift-CSRF"


def content(number: int) -> bytes:
    """The bytes of a scan."""
    return f"scan {number}".encode()


def scan_name(number: int) -> str:
    """Its path below INPUT."""
    return f"sub-{number:03}/anat/sub-{number:03}_T1w.nii.gz"


def record(number: int, actions: dict[str, str], **changes: Any) -> Record:
    """A scan with a decision for each task: ``{"defacing": "accept"}``."""
    scan = scan_name(number)
    stem = scan.removesuffix(".nii.gz")
    label = {"accept": "correct", "reject": "failed", "refer": "insufficient"}
    findings = tuple(
        Finding(
            task=task,
            label=label[action] if task == "defacing" else action,
            probabilities={"correct": 0.9},
            evidence={"render_front": f"{stem}_render.webp"} if task == "defacing" else {},
            model_id=f"{task} 1",
            model_sha256=MODEL,
        )
        for task, action in actions.items()
    )
    decisions = tuple(
        Decision(task=task, action=Action(action), rule="test", reason="Because.") for task, action in actions.items()
    )
    values: dict[str, Any] = {
        "scan": scan,
        "stem": stem,
        "participant": f"{number:03}",
        "status": "done",
        "input": InputFacts(
            format="nifti1", size=6, fingerprint="6:1", sha256=hashlib.sha256(content(number)).hexdigest()
        ),
        "findings": findings,
        "decisions": decisions,
        "evidence": {"mosaic": f"{stem}_mosaic.webp", "mosaic_outline": f"{stem}_outline.webp"},
        "software": "brainsift test",
    }
    return Record(**{**values, **changes})


def write_files(one: Record, number: int, source: Path, output: Path) -> None:
    """The scan below INPUT and its pictures below OUTPUT."""
    (source / one.scan).parent.mkdir(parents=True, exist_ok=True)
    (source / one.scan).write_bytes(content(number))
    paths = [*one.evidence.values(), *(path for finding in one.findings for path in finding.evidence.values())]
    for place, path in enumerate(paths):
        (output / path).parent.mkdir(parents=True, exist_ok=True)
        (output / path).write_bytes(PIXEL + bytes([place]))


def make_study(output: Path, actions: list[dict[str, str]], url: str | None = None) -> Path:
    """A sifted study of as many scans as `actions`; its INPUT lies beside it. Returns INPUT."""
    source = output.parent / f"{output.name}_input"
    output.mkdir(parents=True, exist_ok=True)
    source.mkdir(exist_ok=True)
    records = [record(number, said) for number, said in enumerate(actions)]
    for number, one in enumerate(records):
        write_files(one, number, source, output)
    (output / RUN_NAME).write_text(f'input = "{source}"\n')
    with Database(output, url) as database:
        database.ingest(records)
    return source


def let_in(output: Path, name: str, role: str = "reviewer", *, faces: bool = True, url: str | None = None) -> str:
    """A program that plays a person who may log in; returns the token."""
    with Database(output, url) as database:
        token = add_reviewer(database, Reviewer(name, role, faces, simulated=True))  # type: ignore[arg-type]
    assert token is not None
    return token


def new_key() -> str:
    """A key for one act."""
    return uuid.uuid4().hex


class Person:
    """Somebody at the page: logs in, takes scans, decides."""

    def __init__(self, client: httpx.Client, token: str) -> None:
        self.client = client
        answer = client.post("/api/login", json={"token": token})
        assert answer.status_code == 200, answer.text
        self.session = answer.json()
        client.headers[CSRF] = self.session["csrf"]

    def post(self, path: str, body: dict[str, Any] | None = None, status: int = 200) -> Any:
        """Post JSON and require a status."""
        answer = self.client.post(path, json=body or {})
        assert answer.status_code == status, answer.text
        return answer.json()

    def get(self, path: str, status: int = 200) -> Any:
        """Get JSON and require a status."""
        answer = self.client.get(path)
        assert answer.status_code == status, answer.text
        return answer.json()

    def hand(self, task: str = "quality", name: str = "review", size: int = 4) -> list[dict[str, Any]]:
        """Scans in hand."""
        items: list[dict[str, Any]] = self.post(f"/api/tasks/{task}/lists/{name}/hand", {"size": size})["items"]
        return items

    def sheet(self, size: int = 20, task: str = "defacing", name: str = "verify") -> dict[str, Any]:
        """An open sheet."""
        sheet: dict[str, Any] = self.post(f"/api/tasks/{task}/lists/{name}/sheet", {"size": size})["sheet"]
        return sheet

    def decide(self, item: dict[str, Any], choice: str | None = "good", status: int = 200, **more: Any) -> Any:
        """Decide about an item; no choice is an outcome of another kind, to be given."""
        body = {"key": new_key(), "outcome": "answer", "choice": choice, "seconds": 2.0, **more}
        return self.post(f"/api/items/{item['item']}/decision", body, status)

    def undo(self, event: int | None = None, status: int = 200) -> Any:
        """Take back a decision."""
        return self.post("/api/undo", {"key": new_key(), "event": event}, status)
