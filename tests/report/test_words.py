"""Names, units and numbers."""

from __future__ import annotations

import pytest

from brainsift.report.histogram import BINS, HEIGHT, WIDTH, histogram
from brainsift.report.words import duration, field_name, field_value, file_size


@pytest.mark.parametrize(
    ("name", "value", "label", "text"),
    [
        ("brain_ml", 1234.4, "Brain", "1,234 mL"),
        ("diameter_mm", 2.3456, "Diameter", "2.35 mm"),
        ("outside_fov", 0.083, "Brain outside the field of view", "8.3 %"),
        ("has_brain", True, "Brain found", "yes"),
        ("microbleed_count", 3, "Microbleed count", "3"),
        ("EchoTime", 0.00298, "Echo time", "0.00298 s"),
        ("mni_residual_mm", None, "Residual of the fit to MNI152", "–"),  # noqa: RUF001
        ("score", float("nan"), "Score", "nan"),
        ("score", float("inf"), "Score", "inf"),
        ("pixels", [1, 2.5], "Pixels", "1, 2.5"),
        ("sequence", "T1w", "Sequence", "T1w"),
    ],
)
def test_fields_read_as_people_write_them(name: str, value: object, label: str, text: str) -> None:
    assert (field_name(name), field_value(name, value)) == (label, text)


@pytest.mark.parametrize(("seconds", "text"), [(0.0312, "31 ms"), (1.25, "1.2 s"), (600, "10 min"), (36_000, "10.0 h")])
def test_durations_have_the_unit_that_fits(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0 B"), (999, "999 B"), (12_345_678, "12.3 MB"), (10**13, "10000.0 GB")]
)
def test_sizes_have_the_unit_that_fits(size: int, text: str) -> None:
    assert file_size(size) == text


def test_a_histogram_holds_every_value_inside_its_frame() -> None:
    drawn = histogram("Brain", "mL", [*range(900, 1701), float("nan")])
    assert drawn is not None
    assert drawn.n == 801
    assert drawn.median[1] == "1,300"
    assert sum(int(bar.title.rpartition(" ")[2]) for bar in drawn.bars) == 801
    assert all(0 <= bar.x <= WIDTH and bar.y >= 0 and bar.y + bar.height <= HEIGHT + 0.01 for bar in drawn.bars)


def test_one_outlier_among_many_is_still_to_be_seen() -> None:
    drawn = histogram("Time", "s", [1.0] * 100_000 + [60.0])
    assert drawn is not None
    assert len(drawn.bars) == 2
    assert drawn.bars[-1].height >= 1.5
    assert len(drawn.bars) <= BINS


@pytest.mark.parametrize("values", [[], [float("nan")]])
def test_nothing_is_drawn_of_nothing(values: list[float]) -> None:
    assert histogram("Brain", "mL", values) is None


def test_equal_values_give_one_bar() -> None:
    drawn = histogram("Brain", "mL", [5.0] * 3)
    assert drawn is not None
    assert len(drawn.bars) == 1
