"""A study from folder to table, and again."""

from __future__ import annotations

import hashlib
import os
import shutil
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import func, select

from brainsift.engine.errors import RunError
from brainsift.engine.settings import RunOptions, RunSettings
from brainsift.engine.study import group_study
from brainsift.engine.summary import Progress
from brainsift.scans.errors import ScanError
from brainsift.store.database import DATABASE_NAME, Database
from brainsift.store.errors import StoreError
from brainsift.store.record import Record
from brainsift.store.record_io import read_record, record_files, record_path
from brainsift.store.schema import RunRow, ScanRow
from brainsift.store.table import FAILURES_NAME, read_table
from tests.engine.conftest import Rows, Run
from tests.engine.parts import MODELS, STAGES, file_catalog, write_ball, write_page

BAD = ("bug", "memory", "refused")


def tree(folder: Path) -> dict[str, tuple[int, str]]:
    """Every file with its time and digest."""
    return {
        path.relative_to(folder).as_posix(): (path.stat().st_mtime_ns, hashlib.sha256(path.read_bytes()).hexdigest())
        for path in folder.rglob("*")
        if path.is_file()
    }


def touch(path: Path) -> None:
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 1))


def test_every_scan_gets_a_record_a_row_and_a_page_and_the_input_stays_as_it_was(
    run: Run, rows: Rows, source: Path, output: Path
) -> None:
    before = tree(source)
    summary = run(more={"after_scan": write_page})
    assert summary.exit_code == 0
    assert list(rows()) == ["a.nii", "sub/b.nii"]
    assert rows()["a.nii"]["status"] == "done"
    assert float(rows()["a.nii"]["brain_ml"]) > 50
    assert rows()["a.nii"]["sha256"] == hashlib.sha256((source / "a.nii").read_bytes()).hexdigest()
    assert (output / "a.page").read_text() == "done"
    assert {read_record(path).scan for path in record_files(output)} == {"a.nii", "sub/b.nii"}
    assert tree(source) == before


def test_the_run_leaves_its_identity_and_no_scratch(run: Run, output: Path) -> None:
    run()
    identity = tomllib.loads((output / "run.toml").read_text())
    assert identity["models"] == MODELS
    assert identity["counts"]["done"] == 2
    assert not identity["interrupted"]
    assert "2 brain MRI scans" in (output / "methods.md").read_text()
    assert (output / "dataset_description.json").exists()
    assert not (output / ".scratch").exists()
    assert not list(output.rglob("*.part"))
    with Database(output) as database, database.engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(RunRow)) == 1


@pytest.mark.parametrize("name", BAD)
def test_a_bad_scan_is_a_row_with_cause_and_remedy_and_the_others_go_on(
    name: str, run: Run, rows: Rows, source: Path, output: Path
) -> None:
    write_ball(source / f"a_{name}.nii", seed=9)
    summary = run()
    assert summary.exit_code == 1
    assert (summary.counts.done, summary.counts.failed) == (2, 1)
    row = rows()[f"a_{name}.nii"]
    (failure,) = read_table(output / FAILURES_NAME)
    assert row["status"] == "failed"
    assert row["reason"] == f"{failure['cause']} {failure['remedy']}"
    assert [listed.scan for listed in summary.failures] == [f"a_{name}.nii"]


def test_a_second_run_has_nothing_to_do(run: Run, source: Path, output: Path) -> None:
    write_ball(source / "bug.nii", seed=9)
    run()
    records = tree(output / "sub")
    again = run()
    assert (again.counts.done, again.counts.failed) == (0, 0)
    assert (again.counts.skipped, again.counts.still_failed) == (2, 1)
    assert again.exit_code == 1
    assert tree(output / "sub") == records


def test_a_scan_whose_time_alone_changed_is_not_done_again(run: Run, source: Path, output: Path) -> None:
    run()
    before = read_record(record_path(output, "a"))
    touch(source / "a.nii")
    again = run()
    assert (again.counts.done, again.counts.refreshed, again.counts.skipped) == (0, 1, 1)
    after = read_record(record_path(output, "a"))
    assert after.input.fingerprint != before.input.fingerprint
    assert after.model_copy(update={"input": before.input}) == before
    assert run().counts.skipped == 2


def test_a_scan_whose_content_changed_is_done_again(run: Run, rows: Rows, source: Path) -> None:
    run()
    before = rows()["a.nii"]["sha256"]
    write_ball(source / "a.nii", seed=77)
    assert (run().counts.done, len(rows())) == (1, 2)
    assert rows()["a.nii"]["sha256"] != before


def test_other_settings_or_models_are_asked_again(run: Run) -> None:
    run()
    assert run(RunSettings(keep_masks=True)).counts.done == 2
    newer = replace(STAGES, models=newer_models)
    assert run(RunSettings(keep_masks=True), {"stages": newer}).counts.done == 2
    assert run(RunSettings(keep_masks=True), {"stages": newer}).counts.skipped == 2


def newer_models(settings: RunSettings) -> dict[str, str]:
    return {"threshold": "1" * 64}


def test_a_failed_scan_is_done_again_when_it_changed_or_on_demand(run: Run, source: Path) -> None:
    path = write_ball(source / "bug.nii", seed=9)
    run()
    assert run().counts.failed == 0
    assert run(retry_failed=True).counts.failed == 1
    touch(path)
    assert run().counts.failed == 1


def test_a_scan_that_becomes_bad_leaves_no_picture_of_what_it_was(run: Run, source: Path, output: Path) -> None:
    run(RunSettings(keep_masks=True))
    assert (output / "a_desc-mosaic_qc.webp").exists()
    assert (output / "a_space-orig_desc-brain_mask.nii.gz").exists()
    (source / "a.nii").write_bytes(b"not an image")
    run(RunSettings(keep_masks=True))
    assert not (output / "a_desc-mosaic_qc.webp").exists()
    assert not (output / "a_space-orig_desc-brain_mask.nii.gz").exists()


def test_a_record_that_was_deleted_is_made_again(run: Run, output: Path) -> None:
    run()
    record_path(output, "a").unlink()
    assert (run().counts.done, record_path(output, "a").exists()) == (1, True)


def test_a_lost_database_is_filled_from_the_records(run: Run, rows: Rows, output: Path) -> None:
    run()
    before = rows()
    (output / DATABASE_NAME).unlink()
    assert run().counts.skipped == 2
    assert rows() == before


def test_a_record_that_a_crash_kept_from_the_database_is_taken_in(run: Run, rows: Rows, output: Path) -> None:
    run()
    before = rows()
    with Database(output) as database, database.engine.begin() as connection:
        for name in ("findings", "decisions"):
            connection.exec_driver_sql(f"DELETE FROM {name}")
        connection.execute(ScanRow.__table__.delete())  # type: ignore[attr-defined]
    assert run().counts.skipped == 2
    assert rows() == before


def test_copies_are_marked_without_doing_them_again_and_stay_marked(
    run: Run, rows: Rows, source: Path, output: Path
) -> None:
    run(more={"after_scan": write_page})
    (source / "A_first.nii").write_bytes((source / "a.nii").read_bytes())
    (output / "a.page").unlink()
    summary = run(more={"after_scan": write_page})
    assert (summary.counts.done, summary.counts.duplicates) == (1, 1)
    assert rows()["a.nii"]["reason"] == "Same content as A_first.nii."
    assert (output / "a.page").exists(), "the page of a scan that was marked must say so"
    finding = read_record(record_path(output, "a")).finding("integrity")
    assert finding is not None
    assert "duplicate" in finding.flags
    again = run()
    assert (again.counts.done, again.counts.duplicates) == (0, 1)
    assert rows()["a.nii"]["reason"] == "Same content as A_first.nii."


def test_a_dry_run_says_what_would_be_done_and_writes_nothing(run: Run, source: Path, output: Path) -> None:
    assert run(dry_run=True).plan == {"run: new": 2}
    assert not output.exists()
    run()
    before = tree(output)
    touch(source / "a.nii")
    write_ball(source / "c.nii", seed=3)
    assert run(dry_run=True).plan == {"refresh: its time or size changed": 1, "skip: done": 1, "run: new": 1}
    assert tree(output) == before


def test_output_inside_input_is_not_read_as_input(source: Path, run: Run) -> None:
    from brainsift.engine.study import run_study

    inside = source / "derivatives" / "sift"
    options = RunOptions(nprocs=1)
    run_study(source, inside, RunSettings(keep_masks=True), options, stages=STAGES, catalog=file_catalog)
    shutil.copy(source / "a.nii", inside / "left_here.nii")
    again = run_study(source, inside, RunSettings(keep_masks=True), options, stages=STAGES, catalog=file_catalog)
    assert (again.counts.found, again.counts.skipped) == (2, 2)


@pytest.mark.parametrize("where", [".", ".."])
def test_output_that_is_or_holds_input_is_refused(where: str, source: Path) -> None:
    from brainsift.engine.study import run_study

    before = tree(source)
    with pytest.raises(RunError) as refusal:
        run_study(source, source / where, stages=STAGES, catalog=file_catalog)
    assert refusal.value.kind == "output_holds_input"
    assert tree(source) == before


def test_an_input_that_is_not_there_is_refused(tmp_path: Path) -> None:
    from brainsift.engine.study import run_study

    with pytest.raises(RunError) as refusal:
        run_study(tmp_path / "nowhere", tmp_path / "out", stages=STAGES, catalog=file_catalog)
    assert refusal.value.kind == "no_input"
    assert not (tmp_path / "out").exists()


def test_an_output_that_is_a_file_is_refused(source: Path, output: Path, run: Run) -> None:
    output.write_text("mine")
    with pytest.raises(RunError) as refusal:
        run()
    assert refusal.value.kind == "output_is_file"
    assert output.read_text() == "mine"


def test_a_folder_of_someone_elses_data_is_not_written_into(run: Run, output: Path) -> None:
    output.mkdir()
    (output / "dataset_description.json").write_text('{"Name": "raw"}')
    with pytest.raises(StoreError) as refusal:
        run()
    assert refusal.value.kind == "foreign_output"


def test_a_scan_found_broken_in_the_catalog_is_a_row_and_is_done_once_it_is_mended(
    run: Run, rows: Rows, source: Path
) -> None:
    problem = ScanError("no_permission", "It may not be read.", "Allow it.")

    def broken(root: Path, participants: tuple[str, ...]) -> list[object]:
        return [replace(ref, problem=problem) if ref.scan == "a.nii" else ref for ref in file_catalog(root, ())]

    assert run(more={"catalog": broken}).counts.failed == 1
    assert rows()["a.nii"]["reason"] == "It may not be read. Allow it."
    assert run(more={"catalog": broken}).counts.still_failed == 1
    assert run().counts.done == 1
    assert rows()["a.nii"]["status"] == "done"


def test_a_page_that_cannot_be_made_does_not_cost_the_scan(run: Run, rows: Rows) -> None:
    def page(record: Record, output: Path) -> None:
        raise KeyError("template")

    summary = run(more={"after_scan": page})
    assert (summary.counts.done, summary.counts.page_errors) == (2, 2)
    assert rows()["a.nii"]["status"] == "done"


def test_a_name_that_no_record_can_take_is_a_row_all_the_same(run: Run, rows: Rows, output: Path) -> None:
    output.mkdir()
    (output / "sub").write_text("a file where the folder of a scan should be")
    run()
    summary = run()
    assert rows()["sub/b.nii"]["status"] == "failed"
    assert "rename the scan's folder" in rows()["sub/b.nii"]["reason"]
    assert (summary.counts.still_failed, summary.counts.skipped) == (1, 1)


def test_a_folder_named_like_a_table_does_not_get_in_its_way(run: Run, rows: Rows, source: Path) -> None:
    write_ball(source / "failures.tsv" / "x.nii", seed=5)
    assert run().exit_code == 0
    assert rows()["failures.tsv/x.nii"]["status"] == "done"


def test_progress_counts_up_to_all_that_was_found(run: Run, source: Path) -> None:
    write_ball(source / "bug.nii", seed=9)
    seen: list[Progress] = []
    run(more={"progress": seen.append})
    assert [state.finished for state in seen] == sorted(state.finished for state in seen)
    assert (seen[-1].listed, seen[-1].found, seen[-1].finished, seen[-1].failed) == (True, 3, 3, 1)


def test_participant_jobs_leave_the_tables_to_the_group_level(run: Run, rows: Rows, source: Path, output: Path) -> None:
    write_ball(source / "bug.nii", seed=9)
    run(write_study=False)
    assert not (output / "brainsift.tsv").exists()
    (output / DATABASE_NAME).unlink()
    shutil.rmtree(source)
    summary = group_study(source, output, RunSettings(), RunOptions())
    assert summary.exit_code == 1
    assert list(rows()) == ["a.nii", "bug.nii", "sub/b.nii"]


def test_the_group_level_needs_records(source: Path, output: Path) -> None:
    with pytest.raises(RunError) as refusal:
        group_study(source, output, RunSettings(), RunOptions())
    assert refusal.value.kind == "no_records"
