"""Parts that a test puts into the pipeline; at module level, so that a worker process can import them by name."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path

import nibabel as nib
import numpy as np

from brainsift.anatomy.anatomy import Anatomy
from brainsift.anatomy.labels import Tissue
from brainsift.engine.settings import RunSettings
from brainsift.engine.stages import Stages
from brainsift.scans.errors import ScanError
from brainsift.scans.ref import ScanRef
from brainsift.scans.volume import Volume
from brainsift.store.record import Record
from brainsift.tasks.base import Finding

MODELS = {"threshold": "0" * 64}


def write_ball(path: Path, seed: int = 0, size: int = 20) -> Path:
    """A noisy bright ball, `size`^3 voxels of 4 mm: read by the real reader, seen by `threshold_anatomy`."""
    rng = np.random.default_rng(seed)
    x, y, z = np.indices((size, size, size)) - (size - 1) / 2
    data = (100 * (x**2 + y**2 + z**2 < (size / 3) ** 2) + rng.normal(0, 3, (size,) * 3)).astype(np.float32)
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(nib.Nifti1Image(data, np.diag([4.0, 4.0, 4.0, 1.0])), path)
    return path


def file_catalog(root: Path, participants: tuple[str, ...]) -> Iterable[ScanRef]:
    """All `.nii` files below `root` in name order, nothing else."""
    for path in sorted(root.rglob("*.nii")):
        state = path.stat()
        name = path.relative_to(root).as_posix()
        yield ScanRef(name, name.removesuffix(".nii"), "nifti", (path,), state.st_size, state.st_mtime_ns)


def threshold_anatomy(volume: Volume, settings: RunSettings, threads: int | None) -> Anatomy:
    """All that is brighter than half the maximum is white matter."""
    brain = volume.data > volume.data.max() / 2
    millilitres = float(brain.sum() * np.prod(volume.spacing) / 1000)
    return Anatomy(
        labels=np.where(brain, Tissue.WHITE, Tissue.BACKGROUND).astype(np.uint8),
        affine=volume.affine,
        image=volume.data,
        brain=brain,
        volumes_ml={"white": millilitres},
        brain_ml=millilitres,
        icv_ml=millilitres,
        outside_fov=0.0,
        to_mni=None,
        mni_residual_mm=None,
        confidence=1.0,
        has_brain=bool(brain.any()),
        model_id="threshold",
        model_sha256=MODELS["threshold"],
    )


def threshold_models(settings: RunSettings) -> dict[str, str]:
    """The one model that these parts use."""
    return MODELS


def _fill_memory() -> None:
    """Take 900 MB, page by page, and keep them for a while."""
    held = [bytearray(100 << 20) for _ in range(9)]
    time.sleep(60)
    raise RuntimeError(f"{len(held)} pieces were held and nobody minded")


class BallTask:
    """Says `image` of everything, but acts up on scans whose name asks for it, in the way that the name says."""

    name = "integrity"

    def applies_to(self, ref: ScanRef, anatomy: Anatomy | None) -> bool:
        """Always."""
        return True

    def run(self, volume: Volume, anatomy: Anatomy | None, ref: ScanRef) -> Finding:
        """Answer, or fail as the name asks."""
        if "killed" in ref.scan:
            os.kill(os.getpid(), signal.SIGKILL)
        if "once" in ref.scan:
            marker = ref.paths[0].with_suffix(".seen")
            if not marker.exists():
                marker.touch()
                os.kill(os.getpid(), signal.SIGKILL)
        if "memory" in ref.scan:
            raise MemoryError
        if "greedy" in ref.scan:
            _fill_memory()
        if "claims" in ref.scan:
            np.empty(6 << 30, np.uint8)
        if "child" in ref.scan:
            child = subprocess.Popen(["sleep", "500"])
            ref.paths[0].with_suffix(".pid").write_text(str(child.pid))
            child.wait()
        if "bug" in ref.scan:
            raise KeyError("Doe^John")
        if "refused" in ref.scan:
            raise ScanError("odd", "It is odd.", "Make it even.")
        if "slow" in ref.scan:
            time.sleep(60)
        if "nap" in ref.scan:
            time.sleep(0.3)
        label = "mask" if "mask" in ref.scan else "image"
        return Finding(task=self.name, label=label, measurements={"sequence": "T1w", "dimension": "3D"})


def ball_task(name: str) -> BallTask:
    """The task of these parts, whatever the name."""
    return BallTask()


def write_page(record: Record, output: Path) -> None:
    """A page of one word."""
    (output / f"{record.stem.replace('/', '+')}.page").write_text(record.status)


STAGES = Stages(anatomy=threshold_anatomy, task=ball_task, models=threshold_models)
