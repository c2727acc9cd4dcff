"""Errands on their way through Dask: a bounded number, handed back as they are done."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from queue import Empty, SimpleQueue
from time import monotonic
from typing import TYPE_CHECKING, Any

from brainsift.engine.cluster.errand import Errand, Reply, inputs_size, load_inputs
from brainsift.engine.errors import RunError

if TYPE_CHECKING:
    from distributed import Client

AHEAD = 2
"""Errands per place of the cluster: one in work and one that waits there, so that no place is idle while the collector
writes. No more, so that 10^5 scans are never with the scheduler, and that the loss of a machine concerns few."""

FREIGHT_BYTES = 1 << 30
"""Of scans that are sent to workers which do not see INPUT, all together; they pass the scheduler's memory."""

POLL_S = 0.5
"""How often the cluster is looked after while nothing comes back."""

COUNT_EVERY_S = 5.0
"""How often its places are counted: jobs of Slurm come and go."""

GATHER_S = 4.0
"""How long a reply may take to arrive at the first attempt, doubled with each: Dask works one out again whose worker
died on the way, and nobody looks after the cluster meanwhile; a large one over a slow line takes its time."""


class Flights:
    """Errands given to Dask.

    Parameters
    ----------
    client : of the cluster.
    told : the cluster in words.
    patience_s : how long the cluster may be without any worker; None for ever.
    tell : called with a sentence where the user should know why nothing moves.
    tend : called now and then to keep the cluster up.
    """

    def __init__(
        self,
        client: Client,
        token: str,
        told: str,
        patience_s: float | None,
        tell: Callable[[str], None],
        tend: Callable[[], None] = lambda: None,
    ) -> None:
        self._client, self.token, self._told = client, token, told
        self._patience_s, self._tell, self._tend = patience_s, tell, tend
        self._numbers = count()
        self._away: dict[int, tuple[Any, Errand, int]] = {}
        self._back: SimpleQueue[int] = SimpleQueue()
        self._late: Counter[int] = Counter()
        self._freight = 0
        self._waiting: deque[Errand] = deque()
        self._counted = -COUNT_EVERY_S
        self._alone_since: float | None = None
        self._told_alone = False
        self.places = 0
        self.ship = False

    def __len__(self) -> int:
        return len(self._away) + len(self._waiting)

    @property
    def full(self) -> bool:
        """Whether another errand has to wait."""
        return bool(self._waiting) or len(self._away) >= AHEAD * max(1, self.places) or self._freight >= FREIGHT_BYTES

    def send(self, errand: Errand) -> None:
        """Give an errand to Dask, with the scan's files once it is known that workers do not see INPUT."""
        from brainsift.engine.cluster.station import do_errand

        number, size = next(self._numbers), 0
        if self.ship and not errand.as_it_is:
            errand, size = _with_inputs(errand)
        # A key of its own and no name in it: the cluster's pages and logs show keys.
        key = f"brainsift-{self.token}-{number}"
        future = self._client.submit(do_errand, errand, key=key, pure=False, priority=-number)
        self._away[number] = (future, replace(errand, inputs=None), size)
        self._freight += size
        future.add_done_callback(lambda _: self._back.put(number))

    def take(self) -> tuple[Errand, Reply]:
        """The next reply, once it is there. One that asks for the scan's files is sent again with them, unseen.

        Raises
        ------
        RunError
            if the scheduler is gone, or there has been no worker for too long.
        """
        while True:
            self._look_after()
            try:
                number = self._back.get(timeout=POLL_S)
            except Empty:
                continue
            if number not in self._away:
                continue
            reply = self._reply(number)
            if reply is None:
                continue
            _, errand, size = self._away.pop(number)
            self._freight -= size
            self._late.pop(number, None)
            if not reply.wants_inputs:
                return errand, reply
            self.ship = True
            self._waiting.append(errand)
            self._send_waiting()

    def cancel(self) -> None:
        """Take back what nobody has begun."""
        futures = [future for future, _, _ in self._away.values()]
        self._away.clear()
        if futures and self._client.status == "running":
            self._client.cancel(futures, force=True)

    def _send_waiting(self) -> None:
        while self._waiting and self._freight < FREIGHT_BYTES:
            self.send(self._waiting.popleft())

    def _reply(self, number: int) -> Reply | None:
        """What came back; None if it was lost on its way and is being worked out again."""
        from distributed import KilledWorker
        from distributed.comm import CommClosedError

        future = self._away[number][0]
        if future.status == "cancelled":
            raise self._scheduler_lost()
        try:
            reply = future.result(timeout=GATHER_S * 2 ** self._late[number])
        except KilledWorker:
            return Reply(died=True)
        except TimeoutError:
            self._late[number] += 1
            future.add_done_callback(lambda _: self._back.put(number))
            return None
        except ModuleNotFoundError:
            return Reply(fault=not_installed())
        except Exception as error:
            # Dask's own troubles: a connection that broke, perhaps before the client took note, or an unreadable reply.
            lost = isinstance(error, CommClosedError) or future.cancelled()
            if lost or self._client.status != "running":
                raise self._scheduler_lost() from error
            fault = f"A scan did not come back from Dask ({type(error).__name__})."
            return Reply(fault=RunError("dask", fault, "Check that all workers have the same packages."))
        return reply if isinstance(reply, Reply) else Reply(died=True)

    def _look_after(self) -> None:
        if self._client.status != "running":
            raise self._scheduler_lost()
        self._send_waiting()
        now = monotonic()
        if now - self._counted < COUNT_EVERY_S:
            return
        self._counted = now
        self._tend()
        self.places = self.count_places()
        if self.places:
            self._alone_since, self._told_alone = None, False
            return
        self._alone_since = self._alone_since or now
        if self._patience_s is not None and now - self._alone_since > self._patience_s:
            raise RunError(
                "no_workers",
                f"For {self._patience_s:.0f} s {self._told} had no worker.",
                "Start workers (`dask worker`), then run the same command again.",
            )
        if not self._told_alone:
            self._told_alone = True
            self._tell(f"Waiting for workers: {self._told} has none.")

    def count_places(self) -> int:
        """Scans that the cluster can do side by side.

        Raises
        ------
        RunError
            if the scheduler is gone.
        """
        try:
            return sum(self._client.nthreads().values())
        except (OSError, RuntimeError, TimeoutError) as error:
            raise self._scheduler_lost() from error

    def _scheduler_lost(self) -> RunError:
        return RunError(
            "scheduler_lost",
            f"The connection to {self._told} is lost.",
            "See why it ended and start it, then run the same command again: finished scans are kept.",
        )


def not_installed() -> RunError:
    """A worker without this package."""
    return RunError(
        "worker_install",
        "A Dask worker does not have BrainSift.",
        "Install the same version of BrainSift for all workers, with the extra `dask`.",
    )


def _with_inputs(errand: Errand) -> tuple[Errand, int]:
    """The errand with the files of its scan, and their size; as it is where they cannot be read or are too large."""
    ref = errand.job.ref
    try:
        if inputs_size(ref) > FREIGHT_BYTES:
            return replace(errand, as_it_is=True), 0
        inputs = load_inputs(ref)
    except OSError:
        return replace(errand, as_it_is=True), 0
    return replace(errand, inputs=inputs), inputs.size
