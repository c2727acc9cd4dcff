"""Records to report on."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

from brainsift.decide.decision import Action, Decision
from brainsift.store.record import Failure, InputFacts, Record
from brainsift.tasks.base import Finding

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}

WICKED = "</script><script>document.title='owned'</script><img src=x onerror=alert(1)>\"'&=cmd\u2028.nii"
"""A file name that would end a script element, an attribute or a line where it is not escaped."""


def done_record(scan: str = "sub-01/anat/sub-01_T1w.nii.gz", action: str = "accept", **changes: Any) -> Record:
    """A scan with an answer to each question that a page shows."""
    values: dict[str, Any] = {
        "scan": scan,
        "stem": scan.removesuffix(".nii.gz"),
        "participant": "01",
        "session": "baseline",
        "suffix": "T1w",
        "status": "done",
        "input": InputFacts(
            format="nifti1",
            size=12_345_678,
            fingerprint="12345678:1",
            sha256="a1" * 32,
            stored_dtype="int16",
            stored_shape=(256, 240, 176),
            spacing_mm=(0.9, 1.1, 1.25),
            repairs=("The qform was used because the sform was empty.",),
            header={"RepetitionTime": 2.3, "MagneticFieldStrength": 3.0},
        ),
        "anatomy": {"brain_ml": 1234.5, "icv_ml": 1501.2, "outside_fov": 0.0123, "cerebellum_ml": 140.7},
        "findings": (
            Finding(
                task="integrity",
                label="image",
                reason="A sound 3D image.",
                probabilities={"t1w": 0.873},
                measurements={"sequence": "T1w", "dimension": "3D", "clipped_share": 0.004},
                flags=("name_disagrees",),
                model_id="sorter-2",
                seconds=0.031,
            ),
        ),
        "decisions": (
            Decision(task="integrity", action=Action(action), rule="cut_share", reason="It is whole.", threshold=0.02),
        ),
        "models": {"anatomy-1": "b2" * 32},
        "settings_sha256": "c3" * 32,
        "software": "brainsift 0.1.0",
        "seconds": 1.25,
        "stage_seconds": {"read": 0.31, "label": 0.62},
    }
    return Record(**{**values, **changes})


def failed_record(scan: str = "bad.nii.gz", **changes: Any) -> Record:
    """A scan that could not be read."""
    values: dict[str, Any] = {
        "scan": scan,
        "stem": scan.removesuffix(".nii.gz"),
        "status": "failed",
        "input": InputFacts(format="nifti1", size=3, fingerprint="3:1"),
        "failure": Failure(kind="truncated", cause="The file ends early.", remedy="Copy it again.", stage="read"),
    }
    return Record(**{**values, **changes})


def many_records(n: int) -> Iterator[Record]:
    """A study: brain volumes rise with the number of the scan, every tenth is rejected, every twentieth failed."""
    for i in range(n):
        scan = f"sub-{i:04d}/anat/sub-{i:04d}_T1w.nii.gz"
        if i % 20 == 7:
            yield failed_record(scan)
        else:
            anatomy = {"brain_ml": 900.0 + i / 2, "icv_ml": 1400.0, "outside_fov": 0.0}
            yield done_record(scan, "reject" if i % 10 == 3 else "accept", anatomy=anatomy)


class Page(HTMLParser):
    """A page taken apart; `faults` says what is not well-formed."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.faults: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.pieces: list[str] = []
        self.scripts: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        if self._open:
            self.faults.append(f"never closed: {self._open}")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if len(dict(attrs)) != len(attrs):
            self.faults.append(f"<{tag}> repeats an attribute")
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open.pop() != tag:
            self.faults.append(f"</{tag}> at line {self.getpos()[0]} closes nothing")

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] == "script":
            self.scripts.append(data)
        elif not self._open or self._open[-1] != "style":
            self.pieces.append(data)

    @property
    def text(self) -> str:
        """All text that is shown."""
        return " ".join(self.pieces)

    def count(self, tag: str) -> int:
        """How many elements of this kind there are."""
        return sum(name == tag for name, _ in self.tags)

    def addresses(self) -> list[str]:
        """All that the page links to or loads."""
        names = ("src", "href", "action", "data", "poster", "srcset", "xlink:href")
        return [value or "" for _, attributes in self.tags for name, value in attributes.items() if name in names]


def require_sound(html: str) -> Page:
    """Take a page apart and require that it is well-formed, loads nothing, and has no handler in an attribute."""
    page = Page(html)
    assert page.faults == []
    for address in page.addresses():
        assert address.startswith(("data:image/webp;base64,", "#", "./", "../")) or ":" not in address
        assert not address.startswith("//")
    handlers = [name for _, attributes in page.tags for name in attributes if name.startswith("on")]
    assert handlers == []
    assert "http://" not in html
    assert "https://" not in html
    assert "url(" not in html
    assert "@import" not in html
    return page
