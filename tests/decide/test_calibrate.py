"""From findings and labels to a calibration, and back from its file."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from brainsift.decide.calibrate import Labelled, Promise, calibrate
from brainsift.decide.calibration import Isotonic, Temperature, Unchanged
from brainsift.decide.coverage import at_coverages, coverage_curve
from brainsift.decide.coverage_svg import coverage_svg
from brainsift.decide.doubt import measured_limits
from brainsift.decide.provisional import PROVISIONAL
from brainsift.decide.selective import GRID
from brainsift.decide.stored import Calibration, CalibrationError, dump_calibration, read_calibration
from tests.decide.parts import SHA, labelled, quality

EASY = {"sharpness": 12.0}
"""A model that is sure of most scans, and right."""


def made(scans: list[Labelled], **how: object) -> Calibration:
    """The calibration alone."""
    return calibrate("quality", scans, **{"parts": ("proper",), **how})[0]  # type: ignore[arg-type]


def test_enough_labels_give_a_promise_in_both_directions() -> None:
    calibration = made(labelled(600, **EASY), promise=Promise(0.05, 0.05, 0.05))
    for way in ("accept", "reject"):
        direction = calibration.pooled.direction(way)  # type: ignore[arg-type]
        assert direction.threshold in GRID
        assert not direction.provisional
        assert direction.bound is not None
        assert direction.bound <= 0.05
        assert direction.decided >= 59
    assert (calibration.n, calibration.people, calibration.model_sha256) == (600, 600, SHA)


def test_too_few_labels_without_an_error_leave_the_provisional_thresholds() -> None:
    scans = [Labelled(quality(proper=0.999), True, f"p{i}") for i in range(20)]
    direction = made(scans).pooled.accept
    assert (direction.threshold, direction.provisional, direction.bound) == (PROVISIONAL["accept"], True, None)


def test_errors_among_the_surest_scans_leave_nothing_to_decide() -> None:
    scans = [Labelled(quality(proper=0.999), i % 4 > 0, f"p{i}") for i in range(200)]
    calibration = made(scans, method="none")
    assert calibration.pooled.accept.threshold is None
    assert calibration.pooled.accept.provisional


def test_scans_of_one_person_count_once() -> None:
    once, often = labelled(90, **EASY), labelled(90, scans_each=20, **EASY)
    assert made(often).pooled == made(once).pooled
    assert (made(often).n, made(often).people) == (1800, 90)


def test_probabilities_and_thresholds_are_fitted_on_different_people() -> None:
    scans = labelled(900, sharpness=3.0, boast=3.0)
    calibration, tested = calibrate("quality", scans, parts=("proper",), method="temperature")
    assert isinstance(calibration.probability, Temperature)
    assert calibration.probability.temperature == pytest.approx(3.0, rel=0.25)
    assert tested.good.size == 720
    assert calibration.people == 900


@pytest.mark.parametrize(
    ("people", "method", "kind"),
    [(170, "auto", Unchanged), (180, "auto", Temperature), (400, "none", Unchanged), (400, "isotonic", Isotonic)],
)
def test_labels_are_spared_for_the_probabilities_only_where_there_are_enough(
    people: int, method: str, kind: type
) -> None:
    assert isinstance(made(labelled(people), method=method).probability, kind)


def test_strata_with_enough_labels_get_thresholds_of_their_own() -> None:
    scans = [
        *labelled(300, seed=1, stratum="T1w", **EASY),
        *labelled(300, seed=2, stratum="FLAIR", sharpness=0.3),
        *labelled(10, seed=3, stratum="T2w", **EASY),
    ]
    calibration = made(scans, by="sequence", method="none")
    assert set(calibration.strata) == {"T1w", "FLAIR"}
    assert calibration.seen == {"T1w": 300, "FLAIR": 300, "T2w": 10}
    t1w = calibration.stratum("T1w")
    assert t1w is not None
    assert not t1w.accept.provisional
    assert calibration.stratum("T2w") == calibration.pooled
    assert calibration.stratum("PDw") is None
    assert calibration.stratum(None) is None


def test_scans_that_are_doubted_are_not_counted() -> None:
    scans = [*labelled(100), *(replace(one, finding=quality(flags=("out_of_distribution",))) for one in labelled(50))]
    assert made(scans).n == 100


def test_limits_come_from_scans_that_no_threshold_is_tested_on() -> None:
    others = [quality(measurements={"metric_snr": float(snr)}) for snr in np.linspace(10, 20, 101)]
    scans = labelled(100, **EASY)
    scans[0] = replace(scans[0], finding=scans[0].finding.model_copy(update={"measurements": {"metric_snr": 900.0}}))
    calibration, tested = calibrate("quality", scans, others, parts=("proper",))
    assert set(calibration.limits) == {"metric_snr"}
    assert calibration.limits["metric_snr"] == pytest.approx((10.5 - 18, 19.5 + 18))
    assert tested.good.size == 99


def test_the_answer_itself_has_no_limits() -> None:
    findings = [
        quality(measurements={"motion_score": i / 100, "tier": i % 3, "metric_cnr": i / 9, "metric_x": True})
        for i in range(100)
    ]
    assert set(measured_limits(findings)) == {"metric_cnr"}
    assert measured_limits(findings[:20]) == {}


@pytest.mark.parametrize(
    ("scans", "parts", "cause"),
    [
        ([], ("proper",), "No scan with a finding"),
        (labelled(3), ("wmh",), r"cannot be calibrated on \['wmh'\]"),
        (labelled(3), (), "cannot be calibrated"),
        ([Labelled(quality(flags=("low_confidence",)), True, "a")], ("proper",), "No labelled scan has a usable"),
        (
            [Labelled(quality(), True, "a"), Labelled(quality(model_sha256="b" * 64), True, "b")],
            ("proper",),
            "2 models",
        ),
    ],
)
def test_what_cannot_be_calibrated_is_refused_with_a_remedy(
    scans: list[Labelled], parts: tuple[str, ...], cause: str
) -> None:
    with pytest.raises(CalibrationError, match=cause) as refusal:
        made(scans, parts=parts)
    assert refusal.value.remedy
    assert pickle.loads(pickle.dumps(refusal.value)).cause == refusal.value.cause


def test_a_calibration_comes_back_from_its_file(tmp_path: Path) -> None:
    calibration = made(labelled(300, **EASY), method="isotonic")
    path = tmp_path / "quality.json"
    path.write_text(dump_calibration(calibration), encoding="utf-8")
    assert read_calibration(path) == calibration


def test_the_same_seed_makes_the_same_file() -> None:
    scans = labelled(200, scans_each=3)
    assert dump_calibration(made(scans, seed=5)) == dump_calibration(made(scans, seed=5))
    assert dump_calibration(made(scans, seed=5)) != dump_calibration(made(scans, seed=6))


@pytest.mark.parametrize(
    ("text", "cause"),
    [("{}", "no valid calibration"), ("no json", "no valid"), ('{"schema_version": 99}', "version 99")],
)
def test_another_file_is_refused(text: str, cause: str, tmp_path: Path) -> None:
    path = tmp_path / "quality.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(CalibrationError, match=cause):
        read_calibration(path)


def test_a_threshold_outside_of_0_to_1_is_no_valid_calibration(tmp_path: Path) -> None:
    raw = json.loads(dump_calibration(made(labelled(100, **EASY))))
    raw["pooled"]["accept"]["threshold"] = 1.5
    path = tmp_path / "quality.json"
    path.write_text(json.dumps(raw), encoding="utf-8")
    with pytest.raises(CalibrationError, match=r"pooled\.accept\.threshold"):
        read_calibration(path)


def test_the_curve_trades_coverage_for_error() -> None:
    _, tested = calibrate("quality", labelled(2000), parts=("proper",), method="none")
    points = coverage_curve(tested, 0.05)
    coverages = [point.coverage for point in points]
    assert coverages == sorted(coverages)
    last = points[-1]
    assert last.threshold == 0.5
    assert last.coverage == pytest.approx(1.0, abs=0.01)
    wrong = (tested.good_probability > 0.5) != tested.good
    assert last.accepted_wrong + last.rejected_wrong == pytest.approx(wrong.sum(), abs=2)
    assert last.error > points[len(points) // 2].error
    assert all(point.bound >= point.error for point in points if point.coverage)
    shares = at_coverages(points, (0.2, 0.5, 2.0))
    assert [round(point.coverage, 1) for point in shares] == [0.2, 0.5]


def test_the_picture_is_whole_and_escaped() -> None:
    from xml.etree import ElementTree

    _, tested = calibrate("quality", labelled(100), parts=("proper",))
    text = coverage_svg(coverage_curve(tested, 0.05), 0.05, "Quality <of> a & b")
    root = ElementTree.fromstring(text)
    assert root.find("{*}title").text == "Quality <of> a & b"  # type: ignore[union-attr]
    line = root.find("{*}polyline").get("points").split()  # type: ignore[union-attr]
    assert len(line) == sum(point.coverage > 0 for point in coverage_curve(tested, 0.05))
    assert "nan" not in text
    empty = ElementTree.fromstring(coverage_svg([], 0.05, "Nothing"))
    assert empty.find("{*}polyline") is None


def test_a_stratum_with_people_enough_has_its_probabilities_calibrated_by_itself() -> None:
    t1w, flair = labelled(900, 1, stratum="T1w"), labelled(900, 2, stratum="FLAIR", boast=4.0)
    few = labelled(20, 3, stratum="T2w")
    calibration = made([*t1w, *flair, *few], by="sequence", method="temperature")
    assert set(calibration.probabilities) == {"T1w", "FLAIR"}
    own = {name: fitted.temperature for name, fitted in calibration.probabilities.items()}  # type: ignore[union-attr]
    assert own["T1w"] == pytest.approx(1.0, rel=0.3)
    assert own["FLAIR"] == pytest.approx(4.0, rel=0.3)
    assert calibration.calibrator("T2w") == calibration.calibrator(None) == calibration.probability
    assert not made([*t1w, *flair], method="temperature").probabilities
    assert read_calibration_text(calibration) == calibration


def read_calibration_text(calibration: Calibration) -> Calibration:
    """Back from its file's text."""
    return Calibration.model_validate_json(dump_calibration(calibration))
