"""The metrics file: Prometheus' text format, whole at any moment, without names of scans."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from brainsift.engine.summary import Progress
from brainsift.engine.watch.metrics import MetricsFile, family
from tests.engine.watch.parts import BEGAN, DONE, play

# Text exposition format 0.0.4: https://prometheus.io/docs/instrumenting/exposition_formats/
DONE_STATE = Progress(found=2, done=1)

SAMPLE = re.compile(r'^[a-z_:][a-z0-9_:]*(\{([a-z_]+="([^"\\\n]|\\.)*",?)+\})? -?[0-9.e+]+$')


def test_every_line_is_of_the_format_and_every_metric_has_one_type(tmp_path: Path) -> None:
    play(MetricsFile(tmp_path / "brainsift.prom"))
    text = (tmp_path / "brainsift.prom").read_text(encoding="utf-8")
    assert text.endswith("\n")
    types: dict[str, str] = {}
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split()
            assert name not in types
            types[name] = kind
        elif not line.startswith("# HELP "):
            assert SAMPLE.match(line), line
            name = re.split(r"[{ ]", line)[0]
            assert name in types
            assert name.endswith("_total") == (types[name] == "counter")


def test_scans_are_counted_by_what_became_of_them(tmp_path: Path) -> None:
    play(MetricsFile(tmp_path / "brainsift.prom"))
    lines = (tmp_path / "brainsift.prom").read_text(encoding="utf-8").splitlines()
    assert 'brainsift_scans_total{state="done"} 1' in lines
    assert 'brainsift_failures_total{kind="truncated"} 1' in lines
    assert 'brainsift_decisions_total{task="integrity",action="accept"} 1' in lines
    assert 'brainsift_stage_seconds_total{stage="anatomy.bend"} 0.5' in lines
    assert "brainsift_running 0" in lines
    assert "Doe" not in "".join(lines)


def test_the_file_is_replaced_and_nothing_else_ends_in_prom(tmp_path: Path) -> None:
    path = tmp_path / "brainsift.prom"
    watcher = MetricsFile(path)
    before = path.stat().st_ino
    watcher.began(BEGAN)
    assert path.stat().st_ino != before
    assert [found.name for found in tmp_path.iterdir()] == ["brainsift.prom"]


def test_a_folder_that_is_not_there_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        MetricsFile(tmp_path / "none" / "brainsift.prom")


def test_label_values_are_escaped() -> None:
    assert 'x="a\\"b\\\\c\\nd"' in "".join(family("n", "gauge", "h", ("x",), {('a"b\\c\nd',): 1}))


def test_a_file_is_not_written_after_every_scan(tmp_path: Path) -> None:
    watcher = MetricsFile(tmp_path / "brainsift.prom")
    watcher.began(BEGAN)
    before = (tmp_path / "brainsift.prom").stat().st_ino
    watcher._written += 3600
    watcher.took(DONE, DONE_STATE)
    assert (tmp_path / "brainsift.prom").stat().st_ino == before
    watcher._written -= 7200
    watcher.took(DONE, DONE_STATE)
    assert (tmp_path / "brainsift.prom").stat().st_ino != before
