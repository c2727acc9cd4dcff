"""The networks behind ONNX Runtime: thresholds come from their files, and what is no bleed model is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from brainsift.models import shelf as shelves
from brainsift.models.errors import ModelError
from brainsift.models.importing import import_model
from brainsift.models.session import load_onnx
from brainsift.tasks.microbleeds.model import (
    CUBES_AT_ONCE,
    DEFAULT_BLEED,
    DEFAULT_CANDIDATE,
    BleedNetworks,
    networks_of,
    open_bleed_networks,
)
from brainsift.tasks.microbleeds.network import (
    CANDIDATES,
    DISCRIMINATOR,
    Candidate,
    Prepared,
    joint_probability,
    log_odds,
)
from brainsift.tasks.microbleeds.polarity import Reading
from brainsift.tasks.microbleeds.scaling import TISSUE
from tests.tasks.microbleeds.tiny import networks, write_detector, write_discriminator

SHAPE = (48, 48, 24)


def prepared(*spots: tuple[int, int, int]) -> Prepared:
    """Tissue with bright spots, which are symmetric too."""
    channels = np.zeros((2, *SHAPE), np.float32)
    channels[0] = TISSUE
    for x, y, z in spots:
        channels[:, x - 1 : x + 2, y - 1 : y + 2, z] = 1
    everywhere = np.ones(SHAPE, np.bool_)
    return Prepared(channels, np.diag([0.75, 0.75, 1.5, 1.0]), everywhere, everywhere, "gre", Reading("gre"))


def opened(detector: Path, discriminator: Path) -> BleedNetworks:
    sessions = (load_onnx(path, path.stem, 1) for path in (detector, discriminator))
    return networks_of(*sessions, "d" * 64, "e" * 64)


def test_places_are_found_and_judged(tmp_path: Path) -> None:
    both = networks(tmp_path)
    seen = prepared((12, 12, 6), (36, 30, 12))
    seen.input[1, 30:, 30:] = 0  # the second is bright and not round
    places = both.find(seen)
    assert len(places) == 2
    found = dict(zip((tuple(np.rint(place.voxel)) for place in places), both.judge(seen, places), strict=True))
    assert found[(12, 12, 6)] > 0.9
    assert found[(36, 30, 12)] < 0.1


def test_many_places_are_judged_in_batches_as_one_by_one(tmp_path: Path) -> None:
    both, seen = networks(tmp_path), prepared((12, 12, 6))
    places = [Candidate((12.0 + i % 9, 12.0, 6.0), 0.5) for i in range(CUBES_AT_ONCE + 3)]
    found = both.judge(seen, places)
    assert found.shape == (CUBES_AT_ONCE + 3,)
    alone = np.concatenate([both.judge(seen, [place]) for place in places[:9]])
    assert np.allclose(found[:9], alone, atol=1e-6)
    assert both.judge(seen, []).shape == (0,)


def test_thresholds_come_from_the_files_and_else_from_defaults(tmp_path: Path) -> None:
    told = opened(
        write_detector(tmp_path / "a.onnx", {"threshold": "0.03"}),
        write_discriminator(tmp_path / "b.onnx", {"threshold": "0.62"}),
    )
    assert (told.candidate_threshold, told.threshold, told.possible_threshold) == (0.03, 0.62, 0.31)
    for possible, said in (("0.5", 0.5), ("0.9", 0.62)):
        written = write_discriminator(tmp_path / "b.onnx", {"threshold": "0.62", "possible_threshold": possible})
        assert opened(write_detector(tmp_path / "a.onnx"), written).possible_threshold == said
    own = write_discriminator(tmp_path / "b.onnx", {"threshold": "0.62", "threshold_swi": "0.2"})
    both = opened(write_detector(tmp_path / "a.onnx"), own)
    assert (both.bleed_from("gre"), both.bleed_from("swi")) == (0.62, 0.2)
    assert (both.possible_from("gre"), both.possible_from("swi")) == (0.31, 0.2)
    silent = opened(write_detector(tmp_path / "a.onnx"), write_discriminator(tmp_path / "b.onnx"))
    assert (silent.candidate_threshold, silent.threshold) == (DEFAULT_CANDIDATE, DEFAULT_BLEED)


def test_the_detector_has_its_share_in_the_probability_of_a_bleed(tmp_path: Path) -> None:
    detector = write_detector(tmp_path / "a.onnx")
    alone, both = (
        opened(detector, write_discriminator(tmp_path / f"{share}.onnx", {"detector_share": share}))
        for share in ("0", "0.4")
    )
    seen = prepared((12, 12, 6))
    places = [Candidate((12.0, 12.0, 6.0), score) for score in (0.1, 0.5, 0.9)]
    said, scores = alone.judge(seen, places), np.array([0.1, 0.5, 0.9], np.float32)
    np.testing.assert_allclose(both.judge(seen, places), joint_probability(log_odds(said), scores, 0.4), rtol=1e-5)
    odds = log_odds(joint_probability(np.zeros(3, np.float32), scores, 0.4))
    assert odds == pytest.approx([-0.4 * np.log(9), 0, 0.4 * np.log(9)], abs=1e-2)
    assert np.isfinite(log_odds(joint_probability(np.float32([17.0]), np.float32([0.0]), 0.8))).all()


@pytest.mark.parametrize("bad", ["-1", "1.1", "nan", "some"])
def test_a_share_that_is_none_is_refused(tmp_path: Path, bad: str) -> None:
    with pytest.raises(ModelError, match="share"):
        opened(write_detector(tmp_path / "a.onnx"), write_discriminator(tmp_path / "b.onnx", {"detector_share": bad}))


@pytest.mark.parametrize("bad", ["0", "1", "nan", "often"])
def test_thresholds_that_are_none_are_refused(tmp_path: Path, bad: str) -> None:
    with pytest.raises(ModelError, match="threshold"):
        opened(write_detector(tmp_path / "a.onnx", {"threshold": bad}), write_discriminator(tmp_path / "b.onnx"))
    own = write_discriminator(tmp_path / "c.onnx", {"threshold_qsm": bad})
    with pytest.raises(ModelError, match="threshold"):
        opened(write_detector(tmp_path / "d.onnx"), own)


def test_a_model_of_another_kind_is_refused(tmp_path: Path) -> None:
    two = opened(write_detector(tmp_path / "a.onnx", outputs=2), write_discriminator(tmp_path / "b.onnx"))
    with pytest.raises(ModelError, match="answers of the shape"):
        two.find(prepared())


@pytest.mark.usefixtures("fresh_shelves")
def test_the_packaged_models_bring_their_thresholds(tmp_path: Path) -> None:
    both = open_bleed_networks(1, tmp_path)
    for name, sha256, threshold in (
        (CANDIDATES, both.detector_sha256, both.candidate_threshold),
        (DISCRIMINATOR, both.model_sha256, both.threshold),
    ):
        packaged = shelves.find(name)
        assert sha256 == packaged.sha256
        card = packaged.path.with_suffix(".md").read_text("utf-8")
        assert f"from a probability of {threshold:.4g} on" in card
        if name == DISCRIMINATOR:
            assert all(f"from {own:.4g} on in {modality.upper()}" in card for modality, own in both.thresholds.items())


@pytest.mark.usefixtures("fresh_shelves")
def test_imported_models_are_opened_from_the_user_s_shelf(tmp_path: Path) -> None:
    shelf = tmp_path / "shelf"
    import_model(CANDIDATES, write_detector(tmp_path / "a.onnx", {"threshold": "0.2"}), shelf)
    import_model(DISCRIMINATOR, write_discriminator(tmp_path / "b.onnx", {"threshold": "0.7"}), shelf)
    both = open_bleed_networks(1, shelf)
    assert (both.candidate_threshold, both.threshold) == (0.2, 0.7)
    assert both.model_id == DISCRIMINATOR
    assert {both.detector_sha256, both.model_sha256}.isdisjoint(
        shelves.find(name).sha256 for name in (CANDIDATES, DISCRIMINATOR)
    )
