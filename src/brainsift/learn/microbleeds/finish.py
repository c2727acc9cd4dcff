"""After training: choose student and thresholds, export both networks, measure the exported files, write the cards."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import torch
from torch import nn

from brainsift.evaluate.detection.match import Match
from brainsift.evaluate.intervals import Interval
from brainsift.learn.export import export_onnx
from brainsift.learn.figure import Figure
from brainsift.learn.microbleeds.bank import Bank
from brainsift.learn.microbleeds.card import write_cards
from brainsift.learn.microbleeds.cubes import CubeBank, cut_bank, is_unasked
from brainsift.learn.microbleeds.discriminate import WATCHED, cube_scores, measurable
from brainsift.learn.microbleeds.example import Example
from brainsift.learn.microbleeds.first import First, export_example
from brainsift.learn.microbleeds.losses import Distillation
from brainsift.learn.microbleeds.measure import figures, measure
from brainsift.learn.microbleeds.predict import Ask, AskCubes, Found, alone, cube_asker, find, match, onnx_cube_asker
from brainsift.learn.microbleeds.settings import (
    SHARES,
    Settings,
    choose_candidate_threshold,
    chosen,
)
from brainsift.learn.sides import FRESH_BANK, Banks
from brainsift.models.checksums import sha256_of
from brainsift.tasks.microbleeds.network import CANDIDATES, DISCRIMINATOR, joint_probability

DETECTOR, TEACHER, STUDENT, ALONE = "detector", "teacher", "student", "student_alone"
"""Folders of a training; those of students end in a number."""

EXPORT_CUBES = 8


def finish(
    banks: Banks[Bank],
    output: Path,
    how: Distillation,
    first: First,
    students: dict[str, nn.Module],
    cubes: CubeBank,
    shown: CubeBank | None,
    *,
    began: tuple[Path, Path] | None = None,
) -> tuple[Path, Path]:
    """Choose student and thresholds, export, measure the exported files, write the cards.

    Parameters
    ----------
    first : the detector; its file is copied where it is kept as it is, and gets no card.
    cubes, shown : learnt from, and of validation scans; None where there are none.
    began : files of detector and discriminator that the training began with.
    """
    best = _best(students, None if shown is None else measurable(shown))
    settings = choose_settings(first.ask, cube_asker(students[best]), banks.validation, first.threshold)
    of_detector, of_discriminator = settings.metadata()
    paths = output / f"{CANDIDATES}.onnx", output / f"{DISCRIMINATOR}.onnx"
    if first.net is None:
        # The one that this folder holds may be kept as well.
        if not paths[0].exists() or not paths[0].samefile(first.weights):
            shutil.copyfile(first.weights, paths[0])
    else:
        export_onnx(first.net, paths[0], export_example(banks.training), metadata=of_detector)
    seen = torch.from_numpy(cubes.input(slice(EXPORT_CUBES)))
    export_onnx(students[best], paths[1], seen, labels_voxels=False, metadata=of_discriminator, many="cubes")
    if banks.fresh is not None:
        told = figures(measure(first.ask, onnx_cube_asker(paths[1]), banks.fresh, settings), settings)
        fresh = cubes_if_any(first.ask, banks.fresh, cubes_folder(output, first.weights, FRESH_BANK))
        compared = [] if fresh is None else compare_students(students, fresh)
        folders = _folders(output, first, students, best)
        write_cards(output, paths, folders, (banks.training, banks.fresh), told, compared, settings, how, began)
    return paths


def _folders(output: Path, first: First, students: dict[str, nn.Module], best: str) -> dict[str, Path]:
    """Of what was trained; an earlier training may have left more in `output`."""
    folders = {"student": output / best}
    if first.net is not None:
        folders[DETECTOR] = output / DETECTOR
    if any(name.rpartition("_")[0] == STUDENT for name in students):
        folders[TEACHER] = output / TEACHER
    return folders


def _best(students: dict[str, nn.Module], shown: CubeBank | None) -> str:
    """Name of the student with the highest AUC on validation cubes; the first where there are none."""
    if shown is None:
        return next(iter(students))
    return max(students, key=lambda name: cube_scores(students[name], shown)[WATCHED])


def choose_settings(ask: Ask, ask_cubes: AskCubes, validation: Bank | None, candidate: float | None = None) -> Settings:
    """Thresholds of both networks, and the detector's share, from validation scans; the usual ones where there are
    none. What no magnitude tells from blood (`Example.unasked`) counts for nothing.

    Parameters
    ----------
    candidate : threshold of a detector that is kept as it is; None to choose one.
    """
    if validation is None:
        return Settings() if candidate is None else Settings(candidate)
    examples = [validation[i] for i in range(len(validation))]
    founds = [_asked(example, find(ask, example)) for example in examples]
    if candidate is None:
        candidate = choose_candidate_threshold([match(*pair) for pair in zip(examples, founds, strict=True)])
    judged: dict[float, list[Match]] = {share: [] for share in SHARES}
    for example, found in zip(examples, founds, strict=True):
        kept = found.at_least(candidate)
        of_cubes = alone(ask_cubes, example, kept)
        for share, matches in judged.items():
            both = joint_probability(of_cubes, kept.score.astype(np.float32), share)
            matches.append(match(example, kept, both.astype(float)))
    return chosen(candidate, judged, validation.modalities if validation.simulated else ())


def _asked(example: Example, found: Found) -> Found:
    return found.only(~is_unasked(example, found.voxel))


def compare_students(students: dict[str, nn.Module], fresh: CubeBank) -> list[Figure]:
    """Mean over seeds of students with and without a teacher, on the detector's candidates; the interval is the range
    of the seeds where there are several."""
    shown = measurable(fresh)
    if shown is None:
        return []
    told = []
    for name, words in ((STUDENT, "with a teacher"), (ALONE, "without")):
        scores = [cube_scores(net, shown) for key, net in students.items() if key.rpartition("_")[0] == name]
        for metric in scores[0] if scores else ():
            values = [one[metric] for one in scores]
            few = len(values) < 2
            low, high = (float("nan"),) * 2 if few else (min(values), max(values))
            value = Interval(float(np.mean(values)), low, high, len(shown), len(set(shown.people)), "range of seeds")
            told.append(Figure(f"student {words}", f"{len(values)} seeds", metric, value))
    return told


def cubes_folder(output: Path, weights: Path, bank: str) -> Path:
    """Where the cubes of a bank lie that a detector with these weights has cut: another one cuts others."""
    return output / "cubes" / sha256_of(weights)[:12] / bank


def cubes_if_any(ask: Ask, bank: Bank, folder: Path, *, quiet: bool = True) -> CubeBank | None:
    """As `cut_bank`; None where there is neither a candidate nor a bleed."""
    try:
        return cut_bank(ask, bank, folder, quiet=quiet)
    except ValueError:
        return None
