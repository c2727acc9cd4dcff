"""Inputs that nobody made on purpose: whatever the bytes, a volume or an error with cause and remedy comes out.

`benchmarks/fuzz_inputs.py` sends fifty thousand of them through the whole batch; these few guard each change.
"""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from brainsift.scans import mgz, nifti_header
from brainsift.scans.catalog import catalog
from brainsift.scans.conform import to_working_grid
from brainsift.scans.errors import ScanError
from brainsift.scans.read import read
from brainsift.scans.volume import Volume
from brainsift.store.files import derived_path
from tests.fuzz.mutate import deflate_bomb, hostile
from tests.fuzz.seeds import Seed, seeds

LONGEST_SUFFIX = "_space-orig_label-L_desc-wmh_probseg.nii.gz"
LIMIT = 64 << 20

few = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def sound() -> list[Seed]:
    return seeds(real=Path("/nowhere"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "in"


def volumes_of(folder: Path) -> list[Volume]:
    """Volumes of all that the catalog names; what is refused is refused in plain words."""
    made, said = [], list[ScanError]()
    for ref in catalog(folder):
        ref.scan.encode("utf-8")
        assert ref.scan.isprintable()
        path = derived_path(folder.parent / "out", ref.stem, LONGEST_SUFFIX)
        assert path.is_relative_to(folder.parent / "out")
        assert max(len(part.encode()) for part in path.parts) <= 255
        try:
            made.append(read(ref, memory_limit_bytes=LIMIT))
        except ScanError as error:
            said.append(error)
    for error in said:
        assert error.cause.endswith(".")
        assert error.remedy.endswith(".")
        assert error.cause.isprintable()
    return made


def test_seeds_are_sound(sound: list[Seed], folder: Path) -> None:
    for number, seed in enumerate(sound):
        place = folder / f"{number:02}"
        place.mkdir(parents=True)
        names = {"pair": ("a.hdr", "a.img"), "mgh": ("a.mgz",), "nifti": ("a.nii",)}.get(
            seed.kind, ("1.dcm", "2.dcm", "3.dcm")
        )
        for name, content in zip(names, seed.files, strict=True):
            (place / name).write_bytes(content)
    assert len(volumes_of(folder)) == len(sound)


@few
@given(number=st.integers(0, 2**32))
def test_a_hostile_input_becomes_a_volume_or_a_refusal(number: int, sound: list[Seed], folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    hostile(sound, number).write(folder)
    for volume in volumes_of(folder):
        assert np.isfinite(volume.data).all()
        assert (volume.extent_mm <= 3000).all()
        with suppress(ScanError):
            assert to_working_grid(volume)[0].nbytes <= 1 << 30


@given(head=st.binary(min_size=544, max_size=544), version=st.sampled_from([1, 2]), big=st.booleans())
@settings(max_examples=150, deadline=None)
def test_any_nifti_header_is_read_or_refused(head: bytes, version: int, big: bool) -> None:
    size = (348 if version == 1 else 540).to_bytes(4, "big" if big else "little")
    marked = head[4:344] + b"n+1\0" + head[348:] if version == 1 else b"n+2\0\r\n\x1a\n" + head[12:]
    try:
        stored = nifti_header.parse(size + marked, paired=False)
    except ScanError:
        return
    assert min(stored.shape) > 0
    assert stored.volume_bytes > 0


@given(head=st.binary(min_size=280, max_size=280))
@settings(max_examples=100, deadline=None)
def test_any_mgh_header_is_read_or_refused(head: bytes) -> None:
    try:
        stored = mgz.parse(b"\0\0\0\1" + head)
    except ScanError:
        return
    assert min(stored.shape) > 0


def test_an_input_is_made_again_from_its_number(sound: list[Seed]) -> None:
    first, second = hostile(sound, 4711), hostile(sound, 4711)
    assert first == second
    assert hostile(sound, 4712) != first


def test_a_bomb_in_deflated_dicom_is_small_on_disk(sound: list[Seed]) -> None:
    assert len(deflate_bomb(b"", 8 << 20)) < 10_000
