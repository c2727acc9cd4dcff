"""What a run with nothing to do costs per scan: catalog, plan and tables of a study that is finished.

    python benchmarks/bench_rerun.py [N ...]

For each N a folder of N small NIfTI files (40 a participant, BIDS layout) and the records of a finished run are made,
then the whole `run_study` is timed, three times. No pixel is read, as in a real run without changes. The first line of
each block is the step that fills an empty database from the records (a lost `brainsift.db`), which is not part of the
limit.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from time import perf_counter, process_time

import nibabel as nib
import numpy as np

from brainsift.decide.rules import decide
from brainsift.engine.scan_unit import SOFTWARE, fingerprint
from brainsift.engine.settings import RunOptions, RunSettings
from brainsift.engine.stages import Stages
from brainsift.engine.study import list_scans, run_study
from brainsift.scans.ref import ScanRef
from brainsift.store.record import InputFacts, Record
from brainsift.store.record_io import write_record
from brainsift.tasks.base import Finding

SIZES = (2_000, 20_000)
SCANS_PER_PARTICIPANT = 40
REPEATS = 3
LIMIT_MS = 2.0
"""Promised: a re-run with nothing to do costs no more than this per scan."""

MODELS = {"anatomy": "0" * 64}
TISSUES = ("white", "cortex", "ventricles", "csf", "deep_grey", "hippocampus_amygdala", "brainstem", "cerebellum")


def benchmark_models(settings: RunSettings) -> dict[str, str]:
    """The models that the records of this benchmark were made with."""
    return MODELS


def make_inputs(folder: Path, n: int) -> None:
    """Write N tiny scans in BIDS layout."""
    folder.mkdir()
    (folder / "dataset_description.json").write_text('{"Name": "benchmark", "BIDSVersion": "1.10.0"}')
    data = nib.Nifti1Image(np.zeros((2, 2, 2), dtype=np.int16), np.eye(4)).to_bytes()
    for number in range(n):
        participant, run = divmod(number, SCANS_PER_PARTICIPANT)
        anat = folder / f"sub-{participant:05}" / "anat"
        anat.mkdir(parents=True, exist_ok=True)
        (anat / f"sub-{participant:05}_run-{run}_T1w.nii").write_bytes(data)


def finished(ref: ScanRef, number: int) -> Record:
    """A record as the engine makes it, of usual size (about 2 kB)."""
    finding = Finding(
        task="integrity",
        label="image",
        measurements={"sequence": "T1w", "dimension": "3D", "outside_fov": 0.01, "distinct_values": 812},
    )
    decision = decide(finding)
    return Record(
        scan=ref.scan,
        stem=ref.stem,
        participant=ref.participant,
        suffix=ref.suffix,
        status="done",
        input=InputFacts(
            format="nifti1",
            size=ref.size,
            fingerprint=fingerprint(ref),
            sha256=f"{number:064x}",
            stored_dtype="int16",
            stored_shape=(256, 256, 176),
            spacing_mm=(1.0, 1.0, 1.0),
        ),
        anatomy={"brain_ml": 1300.0, "icv_ml": 1500.0, "outside_fov": 0.0, **{f"{name}_ml": 100.5 for name in TISSUES}},
        findings=(finding,),
        decisions=(decision,) if decision else (),
        evidence={"mosaic": f"{ref.stem}_desc-mosaic_qc.webp", "mosaic_outline": f"{ref.stem}_desc-outline_qc.webp"},
        models=MODELS,
        settings_sha256=RunSettings().sha256(),
        software=SOFTWARE,
        seconds=1.0,
        stage_seconds={"read": 0.2, "anatomy": 0.6, "integrity": 0.05, "evidence": 0.1},
    )


def measure(n: int, folder: Path) -> float:
    """Print the timings of N scans and return the median of the re-runs, ms per scan."""
    source, output = folder / "in", folder / "out"
    make_inputs(source, n)
    for number, ref in enumerate(list_scans(source, ())):
        write_record(finished(ref, number), output)
    timings = [_run(source, output, n) for _ in range(REPEATS + 1)]
    print(f"N = {n}: filling an empty database from records {timings[0]:.3f} ms a scan")
    again = sorted(timings[1:])
    print(f"N = {n}: nothing to do, {', '.join(f'{ms:.3f}' for ms in again)} ms a scan (limit {LIMIT_MS})")
    start = process_time()
    _run(source, output, n)
    print(f"N = {n}: nothing to do, {(process_time() - start) * 1000 / n:.3f} ms of processor time a scan")
    start = perf_counter()
    listed = sum(1 for _ in list_scans(source, ()))
    print(f"N = {n}: of which the catalog {(perf_counter() - start) * 1000 / listed:.3f} ms a scan")
    return again[len(again) // 2]


def _run(source: Path, output: Path, n: int) -> float:
    start = perf_counter()
    summary = run_study(source, output, options=RunOptions(nprocs=1), stages=Stages(models=benchmark_models))
    seconds = perf_counter() - start
    if summary.counts.skipped != n:
        raise RuntimeError(f"Expected {n} scans with nothing to do, got {summary.counts}")
    return seconds * 1000 / n


def main() -> int:
    """Measure each size; 1 if one is over the limit."""
    sizes = [int(word) for word in sys.argv[1:]] or list(SIZES)
    over = False
    for n in sizes:
        with tempfile.TemporaryDirectory() as folder:
            over |= measure(n, Path(folder)) > LIMIT_MS
    return int(over)


if __name__ == "__main__":
    sys.exit(main())
