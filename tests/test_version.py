"""One version, the same wherever it is written."""

from __future__ import annotations

import re
from importlib.metadata import version
from pathlib import Path

from brainsift import __version__

ROOT = Path(__file__).parents[1]


def test_the_installed_package_and_the_citation_agree() -> None:
    citation = re.search(r"^version: (\S+)$", (ROOT / "CITATION.cff").read_text(encoding="utf-8"), re.MULTILINE)
    assert citation is not None
    assert __version__ == version("brainsift") == citation[1]


def test_the_changelog_tells_of_this_version_or_of_work_towards_it() -> None:
    headings = re.findall(r"^## \[([^\]]+)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert headings
    assert headings[0] in {"Unreleased", __version__}
