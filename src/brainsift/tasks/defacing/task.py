"""The defacing task: was the face removed, ears and all, and is the brain whole?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from brainsift.anatomy.anatomy import Anatomy
from brainsift.anatomy.skull import is_skull_stripped
from brainsift.scans.ref import ScanRef
from brainsift.scans.volume import Volume
from brainsift.tasks.base import Finding, Measurement
from brainsift.tasks.defacing.average import FEATURES
from brainsift.tasks.defacing.evidence import contradicts, face_is_in_view
from brainsift.tasks.defacing.network import Answer, DefacingNetwork, Seen, look_at, open_defacing_network
from brainsift.tasks.defacing.original import Change, compare
from brainsift.tasks.defacing.remedy import remedy_for
from brainsift.tasks.defacing.words import describe

EVEN_ODDS = 0.5
"""From here on a feature is said to be left; decisions have their own thresholds."""

MIN_IN_VIEW = 0.2
"""Share of a feature's place in the field of view, below which it is not said to be left."""

NO_HEAD = "no_head"
"""Label of a scan without a head: there is nothing to deface, and no class fits."""


class DefacingTask:
    """Which of four classes a defacing belongs to, which features are left, and what to do.

    Parameters
    ----------
    network : opens the network; the one on the shelf by default.
    read : reads an original, where the reference names one.
    see : runs the anatomy pass on it.
    """

    name = "defacing"

    def __init__(
        self,
        network: Callable[[], DefacingNetwork] = open_defacing_network,
        read: Callable[[Path], Volume] | None = None,
        see: Callable[[Volume], Anatomy] | None = None,
    ) -> None:
        self._open = network
        self._read = read or _read
        self._see = see or _see

    def on(self, shelf: Path | None, threads: int | None) -> DefacingTask:
        """The task with the network of the user's `shelf`, where one is there, and this many threads (None: all).

        A network, a reader or an anatomy pass that was given stays.
        """
        network = partial(open_defacing_network, threads, shelf) if self._open is open_defacing_network else self._open
        see = partial(_see, threads=threads, shelf=shelf) if self._see is _see else self._see
        return DefacingTask(network, self._read, see)

    def applies_to(self, ref: ScanRef, anatomy: Anatomy | None) -> bool:
        """Every scan is asked: what holds no head is to be called so."""
        return True

    def run(self, volume: Volume, anatomy: Anatomy | None, ref: ScanRef) -> Finding:
        """Answer for one scan, and compare it with its original where `ref.original` names one.

        Raises
        ------
        ModelError
            if the network is missing or damaged.
        ScanError
            if the original cannot be read.
        """
        if anatomy is not None and is_skull_stripped(anatomy):
            return _no_head(self.name)
        seen = look_at(volume, anatomy)
        network = self._open()
        answer = network.ask(seen)
        change = self._change(volume, ref.original)
        if change is not None and change.identical:
            answer = certain(answer, change.label)
        label, left = answer.label(), features_left(answer, seen)
        remedy = remedy_for(label, left, touched=answer.touched > EVEN_ODDS)
        finding = Finding(
            task=self.name,
            label=label,
            probabilities=probabilities(answer),
            measurements=measure(seen, answer, change) | {"remedy": remedy.kind},
            flags=flags(label, left, answer, seen, anatomy, change),
            model_id=network.model_id,
            model_sha256=network.model_sha256,
        )
        return finding.model_copy(update={"reason": describe(finding)})

    def _change(self, volume: Volume, path: Path | None) -> Change | None:
        if path is None:
            return None
        original = self._read(path)
        return compare(volume, original, self._see(original))


def _read(path: Path) -> Volume:
    from brainsift.scans.read import read_file

    return read_file(path)


def _see(volume: Volume, threads: int | None = None, shelf: Path | None = None) -> Anatomy:
    from brainsift.anatomy.compute import compute_anatomy

    return compute_anatomy(volume, threads=threads, shelf=shelf)


def _no_head(task: str) -> Finding:
    finding = Finding(task=task, label=NO_HEAD, flags=("skull_stripped",), measurements={"remedy": "none"})
    return finding.model_copy(update={"reason": describe(finding)})


def features_left(answer: Answer, seen: Seen) -> tuple[str, ...]:
    """Features that are more likely left than not, and in view."""

    def in_view(name: str) -> bool:
        share = seen.signals.get(f"{name}_in_view")
        return share is not None and share >= MIN_IN_VIEW

    return tuple(name for name in FEATURES if answer.features[name] > EVEN_ODDS and in_view(name))


def certain(answer: Answer, label: str) -> Answer:
    """The answer where nothing was touched for sure: a copy of the original has failed, and no network is asked."""
    return replace(answer, classes={name: float(name == label) for name in answer.classes}, touched=0.0)


def probabilities(answer: Answer) -> dict[str, float]:
    """The four classes; then `NAME_left` of each feature, and `touched`."""
    named = dict(answer.classes) | {f"{name}_left": p for name, p in answer.features.items()}
    return {name: round(p, 4) for name, p in (named | {"touched": answer.touched}).items()}


def measure(seen: Seen, answer: Answer, change: Change | None) -> dict[str, Measurement]:
    """All signals, what brain the network takes for gone, and what the comparison with the original says."""
    measured: dict[str, Measurement] = {**seen.signals, "brain_removed_ml": round(answer.brain_removed_ml, 2)}
    return measured if change is None else measured | change.measurements()


def flags(
    label: str, left: tuple[str, ...], answer: Answer, seen: Seen, anatomy: Anatomy | None, change: Change | None
) -> tuple[str, ...]:
    """Features left, and all that a person should know before believing the label."""
    told = list(left)
    if label == "failed" and answer.touched <= EVEN_ODDS:
        told.append("not_applied")
    if not face_is_in_view(seen.signals):
        told.append("no_face_in_view")
    if anatomy is None or anatomy.to_mni is None:
        told.append("not_placed")
    if contradicts(label, seen.signals):
        told.append("measurement_disagrees")
    if change is not None:
        told += ["identical_to_original"] if change.identical else []
        told += ["geometry_changed"] if not change.same_grid else []
        told += ["original_disagrees"] if change.label != label else []
    return tuple(told)
