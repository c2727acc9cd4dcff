"""A study decided with a calibration, and again with another one, without a scan being read."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from brainsift.decide.decision import Action
from brainsift.engine.errors import RunError
from brainsift.engine.redecide import redecide
from brainsift.engine.settings import RunOptions, RunSettings
from brainsift.engine.study import group_study, run_study
from brainsift.engine.summary import RunSummary
from brainsift.store.basis import kept_path
from brainsift.store.database import DATABASE_NAME, Database
from brainsift.store.record import Record
from brainsift.store.record_io import read_record, record_path
from brainsift.store.table import TABLE_NAME, read_table
from tests.engine.parts import file_catalog, write_ball, write_page
from tests.engine.quality_parts import QUALITY_STAGES, calibration, know_quality, write_calibration

Sift = Callable[..., RunSummary]


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """INPUT with two scans of a participant each, 80 % and 99 % likely to be proper, and a mask; OUTPUT."""
    know_quality(monkeypatch)
    for name in ("sub-p80", "sub-p99", "mask"):
        write_ball(tmp_path / "in" / f"{name}.nii", seed=len(name) + ord(name[-1]))
    return tmp_path / "in", tmp_path / "out"


@pytest.fixture
def sift(study: tuple[Path, Path]) -> Sift:
    """Run the study; settings by name."""

    def call(write_study: bool = True, **settings: object) -> RunSummary:
        asked = RunSettings(tasks=("quality",), pictures=False, **settings)  # type: ignore[arg-type]
        options = RunOptions(nprocs=1, write_study=write_study)
        return run_study(
            *study, asked, options, stages=QUALITY_STAGES, catalog=participants_catalog, after_scan=write_page
        )

    return call


def participants_catalog(root: Path, participants: tuple[str, ...]):  # type: ignore[no-untyped-def]
    """Names that start with `sub-` are participants."""
    for ref in file_catalog(root, participants):
        who = ref.stem.removeprefix("sub-") if ref.stem.startswith("sub-") else None
        yield type(ref)(ref.scan, ref.stem, ref.format, ref.paths, ref.size, ref.mtime_ns, participant=who)


def decisions(output: Path) -> dict[str, str]:
    """Scan → decision on its quality, from the table."""
    return {row["scan"]: row["quality_decision"] for row in read_table(output / TABLE_NAME)}


def record_of(output: Path, stem: str) -> Record:
    return read_record(record_path(output, stem))


PROVISIONAL = {"mask.nii": "", "sub-p80.nii": "refer", "sub-p99.nii": "accept"}
CALIBRATED = {**PROVISIONAL, "sub-p80.nii": "accept"}


def test_the_columns_of_quality_are_filled_by_a_run_and_stay_empty_where_it_was_not_asked(
    sift: Sift, study: tuple[Path, Path]
) -> None:
    sift()
    rows = {row["scan"]: row for row in read_table(study[1] / TABLE_NAME)}
    quality = {
        "proper_probability": "0.8",
        "motion_grade": "0",
        "motion_score": "0.25",
        "noise_grade": "1",
        "noise_score": "0.75",
        "contrast_grade": "0",
        "contrast_score": "1.25",
        "gadolinium_probability": "0.1",
        "tier": "2",
        "quality_decision": "refer",
    }
    assert {name: rows["sub-p80.nii"][name] for name in quality} == quality
    assert {rows["mask.nii"][name] for name in quality} == {""}


def test_what_integrity_rejects_is_not_asked_for_its_quality_and_the_record_says_why(
    sift: Sift, study: tuple[Path, Path]
) -> None:
    sift()
    mask = record_of(study[1], "mask")
    assert mask.not_asked == {"quality": "It is a mask, not an image."}
    assert mask.finding("quality") is None
    assert not (study[0] / "mask.asked").exists()
    assert (study[0] / "sub-p99.asked").exists()


def test_a_calibration_in_output_is_used_and_named_in_record_run_and_methods(
    sift: Sift, study: tuple[Path, Path]
) -> None:
    path = write_calibration(study[1] / "calibration_quality.json", calibration())
    assert sift().warnings == ()
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert decisions(study[1]) == CALIBRATED
    assert record_of(study[1], "sub-p80").calibrations == {"quality": digest}
    assert record_of(study[1], "mask").calibrations == {}
    assert tomllib.loads((study[1] / "run.toml").read_text())["settings"]["calibrations"] == {"quality": digest}
    assert f"quality (SHA-256 {digest[:12]}, 2 scans)" in (study[1] / "methods.md").read_text()


def test_every_calibration_that_decided_is_kept_in_output(sift: Sift, study: tuple[Path, Path]) -> None:
    source, output = study
    here = write_calibration(output / "calibration_quality.json", calibration())
    sift()
    given = write_calibration(source.parent / "ours.json", calibration(accept=0.7))
    sift(calibrations=(given,))
    texts = [path.read_bytes() for path in (here, given)]
    for path in (here, given):
        path.unlink()
    for text in texts:
        digest = hashlib.sha256(text).hexdigest()
        assert kept_path(output, "quality", digest).read_bytes() == text
    assert len(list((output / "calibrations").iterdir())) == 2


def test_a_run_without_a_calibration_says_that_nothing_is_promised(sift: Sift, study: tuple[Path, Path]) -> None:
    (warning,) = sift().warnings
    assert "No calibration of `quality`" in warning
    assert decisions(study[1]) == PROVISIONAL


def test_a_new_calibration_decides_again_without_asking_any_scan(sift: Sift, study: tuple[Path, Path]) -> None:
    source, output = study
    sift()
    for trace in (*source.glob("*.asked"), *output.glob("*.page")):
        trace.unlink()
    before = record_of(output, "sub-p80")
    given = write_calibration(source.parent / "ours.json", calibration())
    summary = sift(calibrations=(given,))
    assert (summary.counts.skipped, summary.counts.redecided, summary.counts.done) == (3, 2, 0)
    assert not list(source.glob("*.asked"))
    assert decisions(output) == CALIBRATED
    after = record_of(output, "sub-p80")
    assert (after.findings, after.seconds, after.settings_sha256) == (
        *(before.findings, before.seconds),
        before.settings_sha256,
    )
    assert [d.task for d in after.decisions] == ["integrity", "quality"]
    assert {page.name for page in output.glob("*.page")} == {"sub-p80.page", "sub-p99.page"}
    with Database(output) as database:
        assert database.record("sub-p80.nii") == after
    again = sift(calibrations=(given,))
    assert (again.counts.skipped, again.counts.redecided) == (3, 0)


def test_a_calibration_that_goes_away_takes_its_promise_with_it(sift: Sift, study: tuple[Path, Path]) -> None:
    path = write_calibration(study[1] / "calibration_quality.json", calibration())
    sift()
    path.unlink()
    assert sift().counts.redecided == 2
    assert decisions(study[1]) == PROVISIONAL


def test_the_group_level_decides_again_from_records_alone(sift: Sift, study: tuple[Path, Path]) -> None:
    source, output = study
    sift(write_study=False)
    (output / DATABASE_NAME).unlink()
    for path in source.iterdir():
        path.unlink()
    write_calibration(output / "calibration_quality.json", calibration())
    asked = RunSettings(tasks=("quality",), pictures=False)
    assert group_study(source, output, asked, RunOptions(), after_scan=write_page).counts.redecided == 2
    assert decisions(output) == CALIBRATED


def test_records_that_a_crash_kept_from_the_database_are_decided_again(sift: Sift, study: tuple[Path, Path]) -> None:
    output = study[1]
    sift()
    write_calibration(output / "calibration_quality.json", calibration())
    (output / DATABASE_NAME).unlink()
    sift()
    assert decisions(output) == CALIBRATED
    with Database(output) as database:
        assert {r.scan: r.decisions[-1].action for r in database.records()}["sub-p80.nii"] is Action.ACCEPT


def test_a_copy_stays_marked_when_it_is_decided_again(sift: Sift, study: tuple[Path, Path]) -> None:
    source, output = study
    (source / "sub-p80_again.nii").write_bytes((source / "sub-p80.nii").read_bytes())
    sift()
    before = record_of(output, "sub-p80_again").reason
    assert before.startswith("Not sure")
    assert before.endswith("Same content as sub-p80.nii.")
    write_calibration(output / "calibration_quality.json", calibration())
    sift()
    assert record_of(output, "sub-p80_again").reason == "Same content as sub-p80.nii."
    assert sift().counts.redecided == 0


def test_a_calibration_by_site_takes_the_site_from_the_participants_and_else_from_the_user(
    sift: Sift, study: tuple[Path, Path]
) -> None:
    source, output = study
    strict = calibration(accept=0.995)
    by_site = calibration(by="site", strata={"old": strict.pooled}, seen={"old": 60, "new": 10})
    write_calibration(output / "calibration_quality.json", by_site)
    (warning,) = sift().warnings
    assert "the site of no scan is known" in warning
    assert decisions(output) == PROVISIONAL
    (source / "participants.tsv").write_text("participant_id\tSite_ID\nsub-p80\tnew\nsub-p99\told\n")
    assert sift().warnings == ()
    assert decisions(output) == {"mask.nii": "", "sub-p80.nii": "accept", "sub-p99.nii": "refer"}
    assert record_of(output, "sub-p99").site == "old"
    (source / "participants.tsv").unlink()
    assert sift().counts.redecided == 0, "what was known of the site of a record stays known"
    assert sift(site="new").counts.redecided == 1
    assert decisions(output)["sub-p99.nii"] == "accept"


def test_a_calibration_of_another_model_is_set_aside_and_said_to_be(sift: Sift, study: tuple[Path, Path]) -> None:
    write_calibration(study[1] / "calibration_quality.json", calibration(model_sha256="b" * 64))
    sift()
    assert decisions(study[1]) == PROVISIONAL
    assert "another model" in record_of(study[1], "sub-p80").reason


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({"given.json": "{}"}, "no valid calibration"),
        ({"out/calibration_quality.json": "not json"}, "no valid calibration"),
        ({}, "cannot be read"),
    ],
)
def test_a_broken_calibration_stops_the_run_before_it_decides(
    files: dict[str, str], told: str, sift: Sift, study: tuple[Path, Path]
) -> None:
    root = study[0].parent
    study[1].mkdir()
    for name, text in files.items():
        (root / name).write_text(text)
    given = () if "out/calibration_quality.json" in files else (root / "given.json",)
    with pytest.raises(RunError, match=told):
        sift(calibrations=given)
    assert not (study[1] / TABLE_NAME).exists()


def test_two_calibrations_of_one_task_are_refused_but_one_goes_before_that_of_output(
    sift: Sift, study: tuple[Path, Path]
) -> None:
    source, output = study
    one, two = (write_calibration(source.parent / f"{name}.json", calibration()) for name in ("one", "two"))
    with pytest.raises(RunError, match="both of the task"):
        sift(calibrations=(one, two))
    write_calibration(output / "calibration_quality.json", calibration(accept=0.995))
    sift(calibrations=(one,))
    assert decisions(output) == CALIBRATED


def test_a_record_without_a_finding_to_decide_is_left_alone(sift: Sift, study: tuple[Path, Path]) -> None:
    from brainsift.engine.calibrations import Calibrations

    sift()
    mask = record_of(study[1], "mask")
    assert redecide(mask, Calibrations({"quality": calibration()}, {"quality": "c" * 64}, site="x")) is None


def test_calibrations_reach_a_worker_whole() -> None:
    import pickle

    from brainsift.engine.calibrations import Calibrations

    made = Calibrations({"quality": calibration()}, {"quality": "c" * 64}, {"01": "old"}, "new")
    assert pickle.loads(pickle.dumps(made)) == made


def test_without_a_calibration_by_site_no_site_is_noted(sift: Sift, study: tuple[Path, Path]) -> None:
    write_calibration(study[1] / "calibration_quality.json", calibration())
    sift(site="new")
    assert record_of(study[1], "sub-p99").site is None
