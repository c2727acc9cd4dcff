"""`brainsift train` of lesions and of bleeds: what is refused before anything starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from brainsift.cli.exits import Exit
from tests.cli.conftest import Call

pytest.importorskip("torch", reason='training needs the extra: pip install "brainsift[train]"')

MISSING = [
    ((), "not clear"),
    (("--label-maps", ".", "--labels", "labels.tsv"), "not clear"),
    (("--label-maps", "."), "label map"),
    (("--label-maps", "nowhere"), "no folder nowhere"),
]


@pytest.mark.parametrize(
    ("verb", "arguments", "told"),
    [
        *((verb, *missing) for verb in ("wmh", "microbleeds") for missing in MISSING),
        ("wmh", ("--label-maps", ".", "--supervision", "magic"), "no choice of --supervision"),
        ("wmh", ("--label-maps", ".", "--real-scans", "."), "Add `--supervision fine`"),
        ("wmh", ("--label-maps", ".", "--real-scans", "gone", "--supervision", "fine"), "no folder gone"),
        ("microbleeds", ("--label-maps", ".", "--without", "t1w"), "'t1w' is no modality"),
        ("microbleeds", ("--label-maps", ".", "--from", "gone"), "There is no file gone/microbleeds_candidates.onnx"),
    ],
)
def test_the_command_line_says_what_is_missing(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verb: str, arguments: tuple[str, ...], told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    answer = call("train", verb, "out", *arguments)
    assert answer.code == Exit.USAGE
    assert told in answer.err
