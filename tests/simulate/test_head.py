from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from brainsift.simulate.acquire import Acquisition
from brainsift.simulate.contrast import SEQUENCES, draw_contrast
from brainsift.simulate.coverage import WHOLE
from brainsift.simulate.deform import IDENTITY
from brainsift.simulate.head import HeadParameters, draw_head, render_head
from brainsift.simulate.labelmap import LabelMap
from brainsift.simulate.stored import load_parameters, parameters_from_dict, save_parameters

GRID, SPACING_MM = (44, 52, 64), 4.0
CLEAN = Acquisition((0.1, 0.1, 0.1), 0.0, 0.0, 3.0, 0.0, 0, 2, 1.0, 7)


def test_the_same_parameters_give_the_same_image_bit_for_bit(phantom: LabelMap) -> None:
    parameters = draw_head(np.random.default_rng(1), phantom)
    first, second = (render_head(phantom, parameters, GRID, SPACING_MM) for _ in range(2))
    assert first.image.tobytes() == second.image.tobytes()
    assert np.array_equal(first.labels, second.labels)


@pytest.mark.parametrize("kind", [*SEQUENCES, "random", None])
def test_parameters_survive_json(phantom: LabelMap, kind: str | None, tmp_path: Path) -> None:
    parameters = draw_head(np.random.default_rng(2), phantom, kind)
    save_parameters(parameters, tmp_path / "deep" / "p.json", label_map="phantom")
    assert load_parameters(tmp_path / "deep" / "p.json") == parameters
    assert json.loads((tmp_path / "deep" / "p.json").read_text())["label_map"] == "phantom"


def test_incomplete_parameters_are_refused_by_name(phantom: LabelMap) -> None:
    stored = draw_head(np.random.default_rng(3), phantom).to_dict()
    del stored["coverage"]["strip"]
    with pytest.raises(ValueError, match="'coverage'"):
        parameters_from_dict(stored)


def test_each_label_shows_its_mean(phantom: LabelMap) -> None:
    contrast = draw_contrast(np.random.default_rng(4), phantom.values, "mprage")
    contrast = replace(contrast, spreads=tuple(0.0 for _ in contrast.spreads))
    head = render_head(phantom, HeadParameters(IDENTITY, contrast, WHOLE, CLEAN), GRID, SPACING_MM)
    for value, mean in zip(contrast.values, contrast.means, strict=True):
        shown = head.image[head.labels == value]
        assert shown.size == 0 or np.allclose(shown, mean, atol=1e-6)
    assert set(np.unique(head.labels)) > {0, 2, 3, 41, 42, 507}


def test_labels_are_zero_where_the_scan_shows_nothing(phantom: LabelMap) -> None:
    contrast = draw_contrast(np.random.default_rng(5), phantom.values, "t2_se")
    cut = replace(WHOLE, low_mm=(-999.0, -999.0, -10.0))
    head = render_head(phantom, HeadParameters(IDENTITY, contrast, cut, CLEAN), GRID, SPACING_MM)
    z_mm = head.affine[2, 3] + SPACING_MM * np.arange(GRID[2])
    assert not head.labels[:, :, z_mm < -10].any()
    assert not head.image[:, :, z_mm < -10].any()
    assert head.labels[:, :, z_mm >= -10].any()


def test_the_grids_centre_is_the_origin(phantom: LabelMap) -> None:
    head = render_head(phantom, draw_head(np.random.default_rng(6), phantom), GRID, SPACING_MM)
    centre = head.affine @ [*((np.asarray(GRID) - 1) / 2), 1]
    assert np.allclose(centre, [0, 0, 0, 1])


def test_draws_differ_and_images_are_finite(phantom: LabelMap) -> None:
    rng = np.random.default_rng(7)
    images = [render_head(phantom, draw_head(rng, phantom), (24, 28, 32), 8.0).image for _ in range(12)]
    assert all(np.isfinite(i).all() and i.min() >= 0 for i in images)
    assert len({i.tobytes() for i in images}) == 12
