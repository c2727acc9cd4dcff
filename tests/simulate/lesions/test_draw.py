from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from brainsift.simulate.labelmap import LabelMap
from brainsift.simulate.lesions.draw import draw_lesion_plan, draw_load, place_lesions
from brainsift.simulate.lesions.ground import ground_of
from brainsift.simulate.lesions.halo import halo_field
from brainsift.simulate.lesions.kinds import PERIVENTRICULAR_MM, Kind
from brainsift.simulate.lesions.plan import Halo
from brainsift.simulate.lesions.shapes import ShapeBank
from tests.simulate.lesions.conftest import REAL_AT_MM


@pytest.mark.parametrize("load_ml", [0.4, 6.0, 45.0])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_load_is_the_one_asked_for_and_the_kinds_add_up_to_it(load_ml: float, seed: int, phantom: LabelMap) -> None:
    placed = place_lesions(draw_lesion_plan(np.random.default_rng(seed), phantom, load_ml=load_ml), phantom)
    assert placed.load_ml == pytest.approx(load_ml, rel=0.1)
    assert sum(placed.volumes_ml().values()) == pytest.approx(placed.load_ml, rel=1e-3)
    assert placed.fraction.dtype == np.float32
    assert placed.fraction.shape == phantom.codes.shape
    assert placed.fraction.min() == 0
    assert placed.fraction.max() <= 1
    assert ((placed.kinds > 0) == (placed.fraction > 0)).all()


def test_lesions_lie_where_their_kind_may_lie(phantom: LabelMap) -> None:
    ground = ground_of(phantom)
    seen = set()
    for seed in range(8):
        placed = place_lesions(draw_lesion_plan(np.random.default_rng(seed), phantom, load_ml=15.0), phantom)
        kinds = placed.kinds[ground.box]
        below = kinds == Kind.INFRATENTORIAL
        assert (ground.infratentorial | ~below).all()
        assert (ground.white | below | (kinds == 0)).all()
        near = kinds == Kind.PERIVENTRICULAR
        assert ground.ventricle_mm[near].max(initial=0) <= PERIVENTRICULAR_MM
        seen |= set(np.unique(kinds).tolist())
        # Nothing outside the box of the brain.
        assert np.count_nonzero(placed.kinds) == np.count_nonzero(kinds)
    assert seen >= {0, *map(int, Kind)}


def test_a_small_ageing_load_lines_the_ventricles_and_a_large_one_grows_from_them(phantom: LabelMap) -> None:
    shares = {}
    for load_ml in (2.0, 40.0):
        rngs = (np.random.default_rng(seed) for seed in range(12))
        plans = [draw_lesion_plan(rng, phantom, load_ml=load_ml) for rng in rngs]
        ageing = [plan for plan in plans if plan.pattern == "ageing"]
        assert len(ageing) >= 4
        volumes = [place_lesions(plan, phantom).volumes_ml() for plan in ageing[:4]]
        shares[load_ml] = np.mean([[v["periventricular"], v["confluent"]] for v in volumes], axis=0) / load_ml
    assert shares[2.0][0] > 0.4
    assert shares[2.0][1] == 0
    assert shares[40.0][1] > 0.5


def test_no_load_is_no_lesion_and_a_quarter_of_heads_has_none(phantom: LabelMap) -> None:
    plan = draw_lesion_plan(np.random.default_rng(0), phantom, load_ml=0.0)
    placed = place_lesions(plan, phantom)
    assert placed.load_ml == 0
    assert not placed.fraction.any()
    assert not placed.kinds.any()
    rng = np.random.default_rng(1)
    loads = np.array([draw_load(rng) for _ in range(2000)])
    assert np.mean(loads == 0) == pytest.approx(0.25, abs=0.04)
    assert loads.max() <= 80
    assert np.median(loads[loads > 0]) == pytest.approx(np.sqrt(0.08 * 80), rel=0.3)


def test_the_same_seed_places_the_same_lesions_and_another_seed_others(phantom: LabelMap) -> None:
    def placed(seed: int) -> np.ndarray:
        plan = draw_lesion_plan(np.random.default_rng(seed), phantom, load_ml=8.0)
        json.dumps(plan.to_dict())
        return place_lesions(plan, phantom).fraction

    np.testing.assert_array_equal(placed(5), placed(5))
    assert np.count_nonzero(placed(5) != placed(6)) > 100


def test_a_persons_lesions_lie_at_their_own_places(phantom: LabelMap, bank: ShapeBank) -> None:
    ground = ground_of(phantom)
    for seed in range(40):
        plan = draw_lesion_plan(np.random.default_rng(seed), phantom, load_ml=bank.load_ml("p01"), shapes=bank)
        if plan.blobs and all(blob.kind is None for blob in plan.blobs):
            break
    else:
        pytest.fail("no draw of forty takes a person as he is")
    centres = ground.mni(np.array([blob.at for blob in plan.blobs]))
    found = np.abs(centres[np.argsort(centres[:, 1])])
    expected = np.abs(np.array(sorted(REAL_AT_MM, key=lambda at: at[1])))
    # Each place wobbles by a millimetre or two; left and right may be exchanged.
    np.testing.assert_allclose(found, expected, atol=4.0)
    placed = place_lesions(plan, phantom)
    assert placed.load_ml == pytest.approx(plan.load_ml, rel=0.1)


def test_what_cannot_be_drawn_is_refused(phantom: LabelMap) -> None:
    with pytest.raises(ValueError, match=r"0 mL or more, got -1"):
        draw_lesion_plan(np.random.default_rng(0), phantom, load_ml=-1.0)
    values = np.where(np.isin(phantom.values, (2, 41)), 3, phantom.values)
    with pytest.raises(ValueError, match="white matter"):
        draw_lesion_plan(np.random.default_rng(0), replace(phantom, values=values), load_ml=1.0)


def test_a_layer_along_the_ventricles_is_thick_where_there_is_one(phantom: LabelMap) -> None:
    """A few mL lie at some places, not as a line around everything."""
    ground = ground_of(phantom)
    wall = ground.white & (ground.ventricle_mm <= ground.spacing_mm)
    halo = Halo(
        Kind.PERIVENTRICULAR, 3.0, reach_mm=9, front=4, back=4, cap_mm=8, roughness=0.4, patch_mm=10, symmetry=0.6,
        spare_cortex_mm=1, least_mm=2.0, edge_mm=0.7, seed=3,
    )  # fmt: skip
    shares = {}
    for least in (2.0, 0.0):
        inside = np.full(ground.labels.shape, -9.0, np.float32)
        voxels, mm = halo_field(ground, replace(halo, least_mm=least))
        inside.ravel()[voxels] = mm
        assert np.clip(mm / halo.edge_mm + 0.5, 0, 1).sum() * ground.voxel_ml == pytest.approx(3.0, rel=0.02)
        shares[least] = float((inside[wall] > 0).mean())
    assert shares[2.0] < 0.75 * shares[0.0]
