"""What one run was: the facts behind `run.toml`, `methods.md` and the row in the database."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from brainsift import __version__
from brainsift.store.files import write_atomic
from brainsift.store.toml_text import to_toml

RUN_NAME = "run.toml"

NAMED_PACKAGES = ("numpy", "scipy", "nibabel", "pydicom", "dcm2niix", "onnxruntime", "sqlalchemy")
"""Packages that a result may depend on; their versions go into `run.toml`."""


@dataclass(frozen=True)
class RunFacts:
    """One call of `brainsift run`.

    Attributes
    ----------
    input, output : the two folders.
    started, ended : UTC.
    settings : resolved settings, plain values.
    options : how it was run, which does not change results (processes, memory).
    models : model id → SHA-256.
    counts : what happened to the scans of this run.
    interrupted : stopped by the user before the end.
    """

    input: Path
    output: Path
    started: datetime
    ended: datetime
    settings: Mapping[str, Any]
    options: Mapping[str, Any] = field(default_factory=dict)
    models: Mapping[str, str] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    interrupted: bool = False


def package_versions() -> dict[str, str]:
    """Versions of the packages that results may depend on, those installed."""
    found = {}
    for name in NAMED_PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def write_run_toml(facts: RunFacts) -> Path:
    """Write the identity of the run to `run.toml`."""
    path = facts.output / RUN_NAME
    content = {
        "input": str(facts.input.resolve()),
        "output": str(facts.output.resolve()),
        "started": facts.started,
        "ended": facts.ended,
        "interrupted": facts.interrupted,
        "settings": facts.settings,
        "options": facts.options,
        "models": facts.models,
        "counts": facts.counts,
        "versions": {"brainsift": __version__, "python": platform.python_version(), **package_versions()},
    }
    write_atomic(path, to_toml(content), facts.output)
    return path
