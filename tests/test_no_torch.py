"""Sifting works where PyTorch cannot be imported."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import nibabel as nib
import numpy as np

from brainsift.models.importing import import_model
from tests.models.tiny import write_tiny_anatomy

BLOCKED = """
import sys
for name in ("torch", "monai", "torchio", "onnx", "onnxscript"):
    sys.modules[name] = None
from brainsift.cli.main import main
main(sys.argv[1:])
"""


def test_a_run_and_its_report_need_no_training_package(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    image = nib.Nifti1Image(rng.integers(1, 900, (48, 56, 48)).astype(np.int16), np.diag([4.0, 4.0, 4.0, 1.0]))
    (tmp_path / "in").mkdir()
    nib.save(image, tmp_path / "in" / "scan.nii.gz")
    import_model("anatomy", write_tiny_anatomy(tmp_path / "tiny.onnx"), tmp_path / "shelf")
    arguments = ["run", "in", "out", "--nprocs", "1", "--shelf", "shelf"]
    command = [sys.executable, "-c", BLOCKED, *arguments]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "out" / "index.html").is_file()
