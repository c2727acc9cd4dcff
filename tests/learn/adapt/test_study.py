"""The study of `benchmarks/bench_adapt.py`, very small: it builds, trains, goes on, and tells what was measured."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from brainsift.learn.quality.bank import Bank, Example, load_bank, to_levels, write_chunk
from brainsift.learn.quality.corrupt import OF_FLAIR
from brainsift.learn.quality.truth import COLUMNS, truth_row

sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks"))

import adapt_banks
import adapt_report
import adapt_runs
import bench_adapt

from brainsift.learn.adapt.train import Shape

SIZE = adapt_runs.Size(
    labelled=(2, 4), unlabelled=8, seeds=1, source_steps=2, steps=2, shape=Shape((4, 8, 8), 2, 1), threads=1
)
PROPER, SEQUENCE = COLUMNS.index("proper"), COLUMNS.index("sequence")


def product_bank(folder: Path) -> Bank:
    """As `brainsift train quality` leaves it: T1w of every tier, rejects, T2w, and FLAIR that no source may see."""
    rng = np.random.default_rng(0)
    kinds = [{"proper": True, "sequence": "T1w", "motion": g, "noise": 0.0, "contrast": 0.0} for g in (0.0, 1.0, 2.0)]
    kinds += [{"proper": False, "sequence": "T1w"}, {"proper": True, "sequence": "T2w", "noise": 0.0}]
    kinds += [{"proper": True, "sequence": "FLAIR", "noise": 0.0}]
    examples = [
        Example(to_levels(rng.random((24, 224, 192))), truth_row(kinds[i % 6]), "head_01", {"fault": "none"})  # type: ignore[arg-type]
        for i in range(24)
    ]
    write_chunk(examples, folder, "head_01")
    return load_bank(folder)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, label_maps: Path) -> Path:
    """A folder with the three banks."""
    folder = tmp_path_factory.mktemp("study")
    for name, heads in ((adapt_runs.TARGET, ("person_0", "person_1")), (adapt_runs.TEST, ("person_2",))):
        jobs = adapt_banks.plan_flair(label_maps, heads, 2 if len(heads) == 2 else 1, 7)
        adapt_banks.build_flair([replace(job, spacing_mm=4.0, zoo=0) for job in jobs], folder / name, workers=0)
    adapt_banks.write_source(product_bank(folder / "product"), folder / adapt_runs.SOURCE, 16, 0)
    return folder


def test_the_source_knows_no_flair_and_takes_other_sequences_for_rejects(run: Path) -> None:
    source = load_bank(run / adapt_runs.SOURCE)
    sequences = {adapt_banks.SEQUENCES[int(row[SEQUENCE])]: row[PROPER] for row in source.truth}
    assert "FLAIR" not in sequences
    assert set(source.truth[source.truth[:, SEQUENCE] == 1, PROPER].tolist()) <= {0.0}
    assert source.pixels(0).shape == (12, 160, 144)
    assert set(adapt_banks.classes(source).tolist()) == {0, 1, 2, 3}


def test_what_is_filed_as_flair_and_is_none_is_a_reject(run: Path) -> None:
    target = load_bank(run / adapt_runs.TARGET)
    filed = [i for i, facts in enumerate(target.facts) if str(facts["fault"]).startswith("filed_")]
    assert {str(target.facts[i]["fault"]) for i in filed} == {"filed_t2_se", "filed_mprage", "filed_stir"}
    assert (target.truth[filed, PROPER] == 0).all()
    own = [facts["fault"] for facts in target.facts if facts["fault"] in OF_FLAIR]
    assert len(own) == 4


def test_the_labelled_scans_of_more_hold_those_of_fewer_and_none_is_unlabelled_too(run: Path) -> None:
    target = load_bank(run / adapt_runs.TARGET)
    (few, rest), (more, same) = (adapt_runs.split_target(target, SIZE, n, 0) for n in (2, 4))
    assert few is not None
    assert more is not None
    assert [few.pixels(i).tobytes() for i in range(2)] == [more.pixels(i).tobytes() for i in range(2)]
    assert rest.facts == same.facts
    labelled = {more.pixels(i).tobytes() for i in range(4)}
    assert not labelled & {rest.pixels(i).tobytes() for i in range(len(rest))}
    everything, _ = adapt_runs.split_target(target, SIZE, -1, 0)
    assert everything is not None
    assert len(everything) == 4 + len(rest)


def test_it_trains_goes_on_and_tells_what_each_method_reaches(run: Path) -> None:
    told: list[str] = []
    assert adapt_runs.train_all(run, SIZE, tell=told.append) == len(told) == 2 + 6 * 2
    (run / adapt_runs.RESULTS / "semi_4_0.json").unlink()
    assert adapt_runs.train_all(run, SIZE, tell=told.append) == 1
    assert told[-1] == "semi_4_0 done"
    text = adapt_report.table(run, SIZE)
    for words in adapt_runs.METHODS.values():
        assert f"| {words} |" in text
    assert "All figures are simulated" in text
    assert "| adversarial, two heads, minus adversarial, one head | 4 |" in text
    drawn = adapt_report.picture(run, SIZE, load_bank(run / adapt_runs.SOURCE), each=8)
    assert drawn is not None
    assert drawn.read_text().count('r="2"') == 4 * 16


def test_figures_of_a_perfect_and_of_a_coin_s_answers() -> None:
    right = np.array([[[3.0, 1.0]], [[2.0, 2.0]]])
    perfect = adapt_report.Counts(right, right)
    half = adapt_report.Counts(right / 2, right)
    weights = adapt_report.draws(2)
    assert perfect.accuracies(weights)[0] == 1.0
    assert half.accuracies(weights)[0] == 0.5
    assert np.allclose((perfect.accuracies(weights) - half.accuracies(weights)), 0.5)


def test_a_head_that_is_not_there_is_named(label_maps: Path) -> None:
    with pytest.raises(ValueError, match="no label map of head_99"):
        adapt_banks.plan_flair(label_maps, ("head_99",), 1, 0)


def test_the_command_asks_for_what_it_needs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        bench_adapt.main(["build", str(tmp_path)])
    assert "--label-maps and --bank" in capsys.readouterr().err
