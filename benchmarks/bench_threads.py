"""Thread settings of a session: alone on the machine, and as one of several workers that share it.

Behind the defaults of `models.session`: one process spins between operators, workers of a pool sleep.
"""

from __future__ import annotations

import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from statistics import median

import numpy as np

from brainsift.models.session import _options, physical_cores
from brainsift.models.shelf import find

REPEATS = 8
SHAPE = (1, 1, 96, 112, 96)
"""A whole head at 2 mm."""


def seconds_per_head(threads: int, spinning: bool) -> float:
    """Median wall time of one inference, s."""
    import onnxruntime

    options = _options(threads)
    options.add_session_config_entry("session.intra_op.allow_spinning", "1" if spinning else "0")
    session = onnxruntime.InferenceSession(str(find("anatomy").path), options, providers=["CPUExecutionProvider"])
    image = np.random.default_rng(0).random(SHAPE, dtype=np.float32)
    name = session.get_inputs()[0].name
    times = []
    for _ in range(REPEATS + 1):
        start = time.perf_counter()
        session.run(None, {name: image})
        times.append(time.perf_counter() - start)
    return median(times[1:])


def main() -> None:
    """Print seconds per head for each way of sharing the machine."""
    cores = physical_cores()
    cases = [(1, 1), (1, cores), (cores, 1), (cores, cores)]
    print(f"{cores} cores, input {SHAPE}")
    for workers, threads in dict.fromkeys(cases):
        for spinning in (True, False):
            with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
                calls = [pool.submit(seconds_per_head, threads, spinning) for _ in range(workers)]
                each = max(call.result() for call in calls)
            print(
                f"{workers} workers x {threads} threads, spinning {'on ' if spinning else 'off'}: "
                f"{each:.3f} s a head, {each / workers:.3f} s per head of the whole machine"
            )


if __name__ == "__main__":
    main()
