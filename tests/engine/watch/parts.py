"""A run as those who look on are told of it."""

from __future__ import annotations

from brainsift.engine.forecast import Forecast
from brainsift.engine.job import Outcome
from brainsift.engine.summary import Progress
from brainsift.engine.watch.base import Began, Watcher
from tests.store.parts import done_record, failed_record

BEGAN = Began(tasks=("integrity", "quality"), workers=2, study="0123456789abcdef", software="brainsift 0.1.0")

FORECAST = Forecast(
    scans=98, seconds=120.0, low=100.0, high=140.0, seconds_per_scan=2.4, measured=8, slowest="anatomy",
    slowest_share=0.6, slowest_part="bend",
)  # fmt: skip

NAMED = "Doe^John/1947-05-03"
"""A folder that nobody should have called so, and many do."""

DONE = Outcome(done_record(f"{NAMED}/T1w.nii.gz", stage_seconds={"read": 0.25, "anatomy": 1.0, "anatomy.bend": 0.5}))
FAILED = Outcome(failed_record(f"{NAMED}/bad.nii.gz"))


def play(watcher: Watcher) -> None:
    """One scan done, one failed, one unchanged."""
    watcher.began(BEGAN)
    watcher.took(DONE, Progress(found=100, done=1, listed=True))
    watcher.took(FAILED, Progress(found=100, done=1, failed=1, listed=True, forecast=FORECAST))
    watcher.took(Outcome(done_record(), refreshed=True), Progress(found=100, done=1, failed=1, refreshed=1))
    watcher.ended(Progress(found=100, done=1, failed=1, refreshed=1, listed=True), 4.0, "interrupted")
