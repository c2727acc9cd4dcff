"""What users get: the wheel, installed without extras in a fresh environment."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from brainsift import __version__
from brainsift.models.registry import MAX_MODEL_BYTES, REGISTRY

ROOT = Path(__file__).parents[1]

MAX_INSTALL_MB = 650
"""Promise of the README for the base install, the environment's own pip included."""

MAX_WHEEL_MB = 25
"""A mail attachment's worth: models of all tasks, templates and the atlas."""

pytestmark = [pytest.mark.install, pytest.mark.xdist_group("install")]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel built from this tree."""
    folder = tmp_path_factory.mktemp("wheel")
    pip(Path(sys.executable), "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(ROOT))
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def base(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment that holds the wheel and what it asks for, nothing else."""
    folder = tmp_path_factory.mktemp("base")
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    pip(folder / "bin/python", "install", "-c", str(ROOT / "constraints.txt"), str(wheel))
    return folder


def pip(python: Path, *arguments: str) -> None:
    """Run pip; on failure show what it said."""
    result = subprocess.run([str(python), "-m", "pip", *arguments], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout[-2000:] + result.stderr[-2000:]


def brainsift(base: Path, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run the installed command away from the source tree."""
    command = [str(base / "bin/brainsift"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, check=False)


def test_the_wheel_is_small_and_holds_the_package_alone(wheel: Path) -> None:
    assert wheel.stat().st_size < MAX_WHEEL_MB * 1e6
    with zipfile.ZipFile(wheel) as archive:
        files = archive.infolist()
    tops = {file.filename.split("/")[0] for file in files}
    assert tops == {"brainsift", f"brainsift-{__version__}.dist-info"}
    models = {Path(file.filename).name: file.file_size for file in files if file.filename.endswith(".onnx")}
    assert set(models) == {spec.file for spec in REGISTRY.values()}
    assert max(models.values()) <= MAX_MODEL_BYTES


def test_the_wheel_carries_what_is_not_python(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    tracked = subprocess.run(
        ["git", "ls-files", "src/brainsift"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.split()
    if not tracked:
        pytest.skip("not a git checkout, so there is no list of files to compare with")
    assert {name.removeprefix("src/") for name in tracked} <= names


def test_the_wheel_carries_the_built_review_page(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        index = archive.read("brainsift/review/static/index.html").decode()
    assets = [name.removeprefix("brainsift/review/static") for name in names if "/static/assets/" in name]
    assert any(name.endswith(".js") and name in index for name in assets)
    assert any(name.startswith("/assets/viewer-") for name in assets)
    assert not [name for name in names if "node_modules" in name]


def test_the_base_install_holds_no_torch_and_stays_small(base: Path) -> None:
    packages = next(base.glob("lib/python*/site-packages"))
    assert not list(packages.glob("torch*"))
    assert not list(packages.glob("nvidia*"))
    megabytes = sum(file.lstat().st_blocks * 512 for file in base.rglob("*")) / 1024**2
    assert megabytes <= MAX_INSTALL_MB


def test_installed_requirements_agree_with_each_other(base: Path) -> None:
    pip(base / "bin/python", "check")


def test_the_installed_command_knows_its_version_and_its_models(base: Path, tmp_path: Path) -> None:
    facts = json.loads(brainsift(base, "info", "--json", cwd=tmp_path).stdout)
    assert facts["brainsift"] == __version__
    assert not facts["extras"]["train"]
    verified = brainsift(base, "models", "verify", cwd=tmp_path)
    assert verified.returncode == 0, verified.stdout


def test_the_installed_demo_answers_for_every_simulated_scan(base: Path, tmp_path: Path) -> None:
    result = brainsift(base, "demo", "out", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "out/results/index.html").is_file()
    answers = {row["scan"]: row for row in table(tmp_path / "out/results/brainsift.tsv")}
    truth = table(tmp_path / "out/scans/truth.tsv")
    assert truth
    for scan in truth:
        answer = answers[scan["scan"]]
        assert answer["reason"] if scan["broken"] else answer["status"] == "done"


def table(path: Path) -> list[dict[str, str]]:
    """Rows of a tab-separated file."""
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t"))


def test_training_without_its_extra_names_the_extra(base: Path, tmp_path: Path) -> None:
    result = brainsift(base, "train", "anatomy", "out", "--label-maps", ".", cwd=tmp_path)
    assert result.returncode == 2
    assert 'pip install "brainsift[train]"' in result.stderr
    assert "Traceback" not in result.stderr
