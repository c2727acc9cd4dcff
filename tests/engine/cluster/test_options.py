"""Which cluster is asked for, told from words; needs nothing of Dask."""

from __future__ import annotations

import pytest

from brainsift.engine.cluster.options import SLURM_DEFAULTS, ClusterOptions, parse_slurm
from brainsift.engine.errors import RunError


@pytest.mark.parametrize("address", ["local", "slurm", "tcp://head:8786", "tls://10.0.0.1:8786"])
def test_addresses_of_schedulers_are_taken(address: str) -> None:
    assert ClusterOptions(address).told


@pytest.mark.parametrize("address", ["", "head:8786", "http://head:8787", "/tmp/scheduler.json"])
def test_what_is_no_address_is_refused_with_an_example(address: str) -> None:
    with pytest.raises(RunError, match="tcp://host:8786") as refusal:
        ClusterOptions(address)
    assert refusal.value.kind == "dask_address"


def test_words_of_slurm_become_keywords_and_may_come_several_times() -> None:
    words = ["queue=short", "cores=8", "directive=--gres=tmp:20G", "directive=--exclusive", "prologue=module load py"]
    assert parse_slurm(words) == {
        **SLURM_DEFAULTS,
        "queue": "short",
        "cores": 8,
        "job_extra_directives": ["--gres=tmp:20G", "--exclusive"],
        "job_script_prologue": ["module load py"],
    }


@pytest.mark.parametrize("word", ["queue", "queue=", "cores=many", "cores=0", "colour=red", "queue=a\nrm -rf /"])
def test_a_word_that_slurm_would_stumble_over_is_refused_by_name(word: str) -> None:
    with pytest.raises(RunError, match="is not understood") as refusal:
        parse_slurm([word])
    assert "walltime" in refusal.value.remedy
