"""Which cluster does the work; imports nothing of Dask."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from brainsift.engine.errors import RunError

LOCAL = "local"
SLURM = "slurm"

SCHEMES = ("tcp://", "tls://", "ucx://", "ws://", "wss://")
"""How addresses of Dask schedulers begin."""

SLURM_TEXT = ("queue", "account", "walltime", "memory", "interface", "python", "local_directory", "job_name")
SLURM_NUMBERS = ("cores", "processes", "job_cpu")
SLURM_LISTS = {"directive": "job_extra_directives", "prologue": "job_script_prologue"}
"""Options that may come several times → what `dask_jobqueue.SLURMCluster` calls them."""

SLURM_DEFAULTS: Mapping[str, object] = {
    "cores": 4,
    "processes": 1,
    "memory": "16GB",
    "walltime": "04:00:00",
    "job_name": "brainsift",
}
"""A small job, which a scheduler places soon: four scans at a time with 4 GB each, below one Dask worker."""


@dataclass(frozen=True)
class ClusterOptions:
    """A Dask cluster.

    Attributes
    ----------
    address : ``local``, ``slurm``, or where a scheduler listens (``tcp://host:8786``, ``tls://host:8786``).
    workers : processes of a local cluster, jobs of Slurm; no meaning for a cluster that is there already.
    slurm : keywords of `dask_jobqueue.SLURMCluster`.
    """

    address: str
    workers: int = 1
    slurm: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.address not in (LOCAL, SLURM) and not self.address.startswith(SCHEMES):
            raise RunError(
                "dask_address",
                f"'{self.address}' is no address of a Dask scheduler.",
                "Give one such as tcp://host:8786, or `local` for processes of this machine.",
            )
        if self.workers < 1:
            raise ValueError(f"workers must be at least 1, got {self.workers}")

    @property
    def told(self) -> str:
        """The cluster in words, for messages."""
        return {LOCAL: "the local Dask cluster", SLURM: "the Dask scheduler of this run"}.get(
            self.address, f"the Dask scheduler at {self.address}"
        )


def parse_slurm(words: Iterable[str]) -> dict[str, object]:
    """Keywords of `SLURMCluster` from ``name=value`` words.

    Known are `queue` (partition), `account`, `walltime`, `memory` and `cores` of one job, `processes` (into which its
    cores are divided), `interface` (network that compute nodes reach this machine by), `python`, `local_directory`,
    `job_name`, and, several times, `directive` (a line of ``#SBATCH``) and `prologue` (a line of shell before the
    worker starts).

    Raises
    ------
    RunError
        if a word is not understood.
    """
    found: dict[str, object] = dict(SLURM_DEFAULTS)
    lists: dict[str, list[str]] = {}
    for word in words:
        name, mark, value = word.partition("=")
        if not mark or not value or "\n" in value:
            raise _not_understood(word)
        if name in SLURM_TEXT:
            found[name] = value
        elif name in SLURM_NUMBERS and value.isdigit() and int(value) > 0:
            found[name] = int(value)
        elif name in SLURM_LISTS:
            lists.setdefault(SLURM_LISTS[name], []).append(value)
        else:
            raise _not_understood(word)
    return {**found, **lists}


def _not_understood(word: str) -> RunError:
    names = ", ".join((*SLURM_TEXT, *SLURM_NUMBERS, *SLURM_LISTS))
    cause = f"The Slurm option '{word}' is not understood."
    return RunError("slurm_option", cause, f"Write name=value; names: {names}.")
