"""A study with defacing findings, people's word on them, and files to release."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np

from brainsift.decide.decision import Action, Decision
from brainsift.store.database import Database
from brainsift.store.record import InputFacts, Record
from brainsift.store.record_io import write_record
from brainsift.store.reviews.acts import NewAct, Stamp, record
from brainsift.tasks.base import Finding

AT = "2026-11-21T07:00:00.000000Z"


def write_scan(path: Path, seed: int = 0) -> str:
    """A small NIfTI file; returns its SHA-256."""
    path.parent.mkdir(parents=True, exist_ok=True)
    data = np.random.default_rng(seed).integers(0, 1000, (6, 7, 8)).astype(np.int16)
    nib.save(nib.Nifti1Image(data, np.eye(4)), path)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def record_of(scan: str, sha256: str, action: Action, label: str = "correct", flags: tuple[str, ...] = ()) -> Record:
    """The record that a run would have made."""
    finding = Finding(task="defacing", label=label, flags=flags, model_id="defacing", model_sha256="d" * 64)
    decision = Decision(task="defacing", action=action, rule="good_probability", reason="As drawn.")
    return Record(
        scan=scan,
        stem=scan.removesuffix(".gz").removesuffix(".nii"),
        status="done",
        input=InputFacts(format="nifti", size=1, fingerprint="1:1", sha256=sha256),
        findings=(finding,),
        decisions=(decision,),
    )


@dataclass
class Study:
    """INPUT and OUTPUT of a run that is done, and the database."""

    source: Path
    output: Path
    database: Database
    acts: int = 0

    def add(self, scan: str, action: Action = Action.ACCEPT, seed: int = 0, **finding: Any) -> str:
        """A scan with its record; returns its SHA-256."""
        sha256 = write_scan(self.source / scan, seed)
        self.keep(record_of(scan, sha256, action, **finding))
        return sha256

    def keep(self, record: Record) -> None:
        """Keep a record as a run does."""
        write_record(record, self.output)
        self.database.ingest([record])

    def say(
        self, scan: str, sha256: str, choice: str, who: str = "ab", *, second: bool = False, **fields: bool
    ) -> None:
        """A person's word on a scan."""
        self.acts += 1
        act = NewAct(
            task="defacing",
            list_name="verify",
            stage="reading",
            scan=scan,
            item=f"item-{self.acts}",
            outcome="answer",
            choice=choice,
            fields=json.dumps(fields),
            meaning="I looked at it.",
            milliseconds=4000,
            shown="{}",
            input_sha256=sha256,
            software="test",
            second_wanted=second,
        )
        record(self.database, Stamp(who, f"key-of-act-{self.acts:08d}", "0" * 64, AT), [act], until_ms=0)
