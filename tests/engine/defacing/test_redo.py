"""New attempts: made from the scan that came in, sifted, queued, linked; and at some point there is an end."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from brainsift.anatomy.anatomy import Anatomy
from brainsift.decide.decision import Action
from brainsift.engine.content import content_sha256
from brainsift.engine.defacing.attempts import Attempt, read_attempts
from brainsift.engine.defacing.redo import Means, redo
from brainsift.engine.defacing.standing import State, standings
from brainsift.engine.job import Context
from brainsift.engine.settings import RunSettings
from brainsift.engine.stages import Stages
from brainsift.scans.read import read_file
from brainsift.scans.ref import ScanRef
from brainsift.scans.volume import Volume
from brainsift.tasks.base import Finding, Task
from tests.engine.defacing.study import Study, record_of
from tests.tasks.defacing.scene import anatomy_of, average_masks, scan

SCAN = "sub-01_T1w.nii.gz"
COPY = (sys.executable, "-c", "import shutil, sys; shutil.copy(sys.argv[1], sys.argv[2])", "{input}", "{output}")
BROKEN = (sys.executable, "-c", "import sys; sys.exit(1)", "{input}", "{output}")


class Insufficient:
    """Calls everything insufficient, and notes what it was made from."""

    def __init__(self, name: str) -> None:
        self.name = name

    def applies_to(self, ref: ScanRef, anatomy: Anatomy | None) -> bool:
        """Always."""
        return True

    def run(self, volume: Volume, anatomy: Anatomy | None, ref: ScanRef) -> Finding:
        """Answer."""
        if self.name == "integrity":
            return Finding(task="integrity", label="image")
        told = {"made_from": None if ref.original is None else ref.original.name}
        probabilities = {"correct": 0.001, "insufficient": 0.999}
        return Finding(
            task="defacing", label="insufficient", flags=("nose",), measurements=told, probabilities=probabilities
        )


def see(volume: Volume, settings: RunSettings, threads: int | None) -> Anatomy:
    """The truth, whatever was cut."""
    head, brain = average_masks()
    return anatomy_of(volume.data, head, brain)


def insufficient(name: str) -> Task:
    """The task of any name."""
    return Insufficient(name)


@pytest.fixture
def context(study: Study) -> Context:
    """Pictures off: they have tests of their own."""
    settings = RunSettings(tasks=("integrity",), pictures=False)
    object.__setattr__(settings, "tasks", ("integrity", "defacing"))
    stages = Stages(anatomy=see, task=insufficient, models=lambda _: {})
    return Context(output=study.output, scratch=study.output / ".scratch", settings=settings, stages=stages)


@pytest.fixture
def failed(study: Study) -> str:
    """A scan of the average head that the machine surely rejects; returns its SHA-256."""
    volume, _ = scan()
    path = study.source / SCAN
    nib.save(nib.Nifti1Image(volume.data.astype(np.int16), volume.affine), path)
    sha256 = content_sha256(ScanRef(SCAN, "sub-01_T1w", "nifti", (path,), 1, 1)) or ""
    study.keep(record_of(SCAN, sha256, Action.REJECT, "insufficient", ("nose",)))
    return sha256


def again(study: Study, context: Context, means: Means) -> list[Attempt]:
    """One round of `remedy --run`."""
    chains = read_attempts(study.output)
    todo = [one for one in standings(study.database, chains) if one.state is State.REMEDY]
    return [a for one in todo for a in redo(one, chains, study.source, means, context, study.database)]


def test_the_shear_makes_a_new_scan_that_waits_for_people(study: Study, context: Context, failed: str) -> None:
    (made,) = again(study, context, Means())
    assert (made.kind, made.number, made.parent, made.parent_sha256) == ("made", 2, SCAN, failed)
    assert made.scan == "brainsift-attempts/sub-01_T1w_attempt-2.nii.gz"
    before, after = read_file(study.source / SCAN), read_file(study.output / made.scan)
    brain = average_masks()[1]
    assert (after.data[brain] == before.data[brain]).all()
    assert (after.data == 0).sum() > (before.data == 0).sum() + 10_000
    record = study.database.record(made.scan)
    assert record is not None
    assert record.input.sha256 == made.sha256
    finding = record.finding("defacing")
    assert finding is not None
    assert finding.measurements["made_from"] == SCAN
    states = {s.record.scan: s.state for s in standings(study.database, read_attempts(study.output))}
    assert states == {SCAN: State.SUPERSEDED, made.scan: State.REMEDY}


def test_input_is_never_changed(study: Study, context: Context, failed: str) -> None:
    before = (study.source / SCAN).read_bytes()
    again(study, context, Means())
    assert (study.source / SCAN).read_bytes() == before
    assert [p.name for p in study.source.iterdir()] == [SCAN]


def test_attempts_come_closer_to_the_brain_and_then_end(study: Study, context: Context, failed: str) -> None:
    rounds = [again(study, context, Means()) for _ in range(4)]
    kinds = [[attempt.kind for attempt in made] for made in rounds]
    assert kinds == [["made"], ["made"], ["given_up"], []]
    buffers = [float(made[0].parameters["buffer_mm"]) for made in rounds[:2]]
    assert buffers[1] < buffers[0]
    (end,) = [s for s in standings(study.database, read_attempts(study.output)) if s.state is not State.SUPERSEDED]
    assert end.state is State.GIVEN_UP


def test_a_users_tool_gets_the_scan_that_came_in(study: Study, context: Context, failed: str) -> None:
    again(study, context, Means())
    (copied,) = again(study, context, Means(command=COPY))
    assert copied.kind == "made"
    assert copied.sha256 == failed, "attempts do not pile up: each begins with the file of INPUT"


def test_a_tool_that_fails_is_noted_and_leaves_nothing(study: Study, context: Context, failed: str) -> None:
    (noted,) = again(study, context, Means(command=BROKEN))
    assert (noted.kind, noted.scan) == ("failed", None)
    assert "code 1" in noted.reason
    assert list(study.output.rglob("*attempt-2*")) == []
    assert read_attempts(study.output).next_number(SCAN) == 3


def test_a_scan_that_changed_since_is_not_touched(study: Study, context: Context, failed: str) -> None:
    with (study.source / SCAN).open("ab") as file:
        file.write(b"\0")
    (noted,) = again(study, context, Means())
    assert noted.kind == "failed"
    assert "changed" in noted.reason


def test_a_brain_that_was_not_found_cannot_be_sheared(study: Study, context: Context, failed: str) -> None:
    lost = replace(context, stages=replace(context.stages, anatomy=see_nothing))
    (noted,) = again(study, lost, Means())
    assert noted.kind == "failed"
    assert "brain was not found" in noted.reason


def see_nothing(volume: Volume, settings: RunSettings, threads: int | None) -> Anatomy:
    """No brain."""
    return replace(see(volume, settings, threads), has_brain=False)


def test_the_ledger_names_tool_and_parameters(study: Study, context: Context, failed: str) -> None:
    again(study, context, Means(buffer_mm=4.0, ears=False))
    (line,) = read_attempts(study.output).of(SCAN)
    assert line.tool == "quickshear geometry"
    assert line.parameters == {"buffer_mm": "4"}
    assert Path(study.output / (line.scan or "")).is_file()
