"""Which stratum of a calibration a finding belongs to."""

from __future__ import annotations

from brainsift.tasks.base import Finding


def sequence_of(finding: Finding) -> str | None:
    """What the scan is filed as where that was asked about, else what it looks like.

    A T2w under the name of a FLAIR is judged as a FLAIR: its probability is that of being one.
    """
    for name in ("filed_as", "sequence"):
        value = finding.measurements.get(name)
        if isinstance(value, str):
            return value
    return None
