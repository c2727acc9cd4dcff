"""`brainsift review` from the shell: people, labels, figures, refusals."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from brainsift.cli.exits import Exit
from brainsift.evaluate.labels import read_labels
from brainsift.store.database import Database
from brainsift.store.reviews.people import find_reviewer, reviewer_with
from tests.cli.conftest import Call
from tests.review.parts import make_study
from tests.review.test_trail import write_trail


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """A study of two referred scans."""
    make_study(tmp_path / "results", [{"quality": "refer"}] * 2)
    return tmp_path / "results"


def test_people_are_let_in_changed_and_listed(call: Call, output: Path) -> None:
    token = call("review", "add", output, "ab", "--faces").out.strip()
    assert call("review", "add", output, "ab").code == Exit.USAGE
    assert call("review", "add", output, "a/b").code == Exit.USAGE
    assert call("review", "add", output, "cd", "--role", "king").code == Exit.USAGE
    with Database(output) as database:
        found = reviewer_with(database, token)
        assert found is not None
        assert (found.name, found.role, found.faces) == ("ab", "reviewer", True)
    changed = call("review", "change", output, "ab", "--role", "adjudicator", "--no-faces", "--new-token")
    with Database(output) as database:
        assert reviewer_with(database, token) is None
        assert reviewer_with(database, changed.out.strip()) == find_reviewer(database, "ab")
    call("review", "change", output, "ab", "--shut-out")
    assert call("review", "users", output).out == "ab\tadjudicator\tshut out\n"
    assert call("review", "change", output, "nobody", "--shut-out").code == Exit.USAGE


def test_labels_and_figures_come_from_the_trail(call: Call, tmp_path: Path) -> None:
    with Database(tmp_path) as database:
        write_trail(database)
    answer = call("review", "labels", tmp_path)
    assert answer.out.endswith("3 rows\n")
    labels = read_labels(tmp_path / "labels.tsv")
    assert [(label.scan, label.proper, label.motion) for label in labels] == [
        (f"{n}.nii.gz", True, 0) for n in range(3)
    ]
    assert json.loads(call("review", "summary", tmp_path).out)["tasks"][0]["task"] == "integrity"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--host", "192.0.2.1"), "--tls-cert"),
        (("--tls-cert", "none.pem"), "--tls-key"),
        (("--catch", "none.tsv"), "none.tsv"),
        (("--name", "a/b"), "name"),
    ],
)
def test_what_cannot_be_served_is_refused_with_a_remedy(
    call: Call, output: Path, options: tuple[str, ...], told: str
) -> None:
    answer = call("review", output, "--port", "0", *options)
    assert answer.code == Exit.USAGE
    assert told in answer.err
    assert "Traceback" not in answer.err


def test_a_folder_without_a_study_is_refused(call: Call, tmp_path: Path) -> None:
    assert call("review", tmp_path / "none").code == Exit.USAGE
    assert call("review", "verify", tmp_path).code == Exit.USAGE
    assert call("review", tmp_path).code == Exit.USAGE
