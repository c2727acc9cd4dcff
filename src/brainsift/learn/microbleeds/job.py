"""The whole job behind `brainsift train microbleeds`: detector, teacher and students, one after the other."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from torch import nn

from brainsift.learn.export import begun
from brainsift.learn.microbleeds.bank import Bank
from brainsift.learn.microbleeds.batches import Lessons
from brainsift.learn.microbleeds.cubes import CubeBank, cut_bank
from brainsift.learn.microbleeds.discriminate import BATCH, train_student, train_teacher
from brainsift.learn.microbleeds.finish import (
    ALONE,
    DETECTOR,
    STUDENT,
    TEACHER,
    cubes_folder,
    cubes_if_any,
    finish,
)
from brainsift.learn.microbleeds.first import kept_first, trained_first
from brainsift.learn.microbleeds.losses import Distillation
from brainsift.learn.microbleeds.net import DetectorNet, StudentNet, TeacherNet
from brainsift.learn.microbleeds.train import train_detector
from brainsift.learn.sides import TRAINING_BANK, VALIDATION_BANK, Banks
from brainsift.learn.trainer import MakeNet, TrainingPlan, load_net

DETECTOR_SHARE, TEACHER_SHARE, STUDENTS_SHARE = 0.5, 0.1, 0.4
"""Of the minutes; students with and without the teacher share theirs. What is not trained leaves its part to others."""

CUBE_VALIDATE_EVERY = 100
"""Steps on cubes between points of the curve: they are quick to look at."""


@dataclass(frozen=True)
class Networks:
    """How the networks are made: other ones for quick tests.

    Attributes
    ----------
    began : files of detector and discriminator whose weights are the first ones; None for random ones.
    """

    detector: MakeNet = DetectorNet
    teacher: MakeNet = TeacherNet
    student: MakeNet = StudentNet
    began: tuple[Path, Path] | None = None

    def without_frst(self) -> Networks:
        """The same, blind to radial symmetry; each must take `frst`."""
        detector, teacher, student = (
            partial(make, frst=False)  # type: ignore[call-arg]
            for make in (self.detector, self.teacher, self.student)
        )
        return replace(self, detector=detector, teacher=teacher, student=student)

    def starting_from(self, detector: Path, discriminator: Path) -> Networks:
        """The same with the weights of these files as the first ones; a teacher does not ship and begins anew.

        Raises
        ------
        ValueError
            if a file holds another network.
        """
        first = partial(begun, self.detector, detector), partial(begun, self.student, discriminator)
        starting = replace(self, detector=first[0], student=first[1], began=(detector, discriminator))
        starting.detector()
        starting.student()
        return starting


@dataclass(frozen=True)
class Course:
    """What is taught, and how often.

    Attributes
    ----------
    lessons : of the detector.
    distillation : of the students that have a teacher.
    students : how many with a teacher, and as many without; their seeds differ.
    cubes : in a batch for teacher and students.
    kept : ONNX file of a detector that is kept as it is; None to train one.
    taught : a teacher, and students with it beside those without.
    """

    lessons: Lessons = field(default_factory=Lessons)
    distillation: Distillation = field(default_factory=Distillation)
    students: int = 1
    cubes: int = BATCH
    kept: Path | None = None
    taught: bool = True

    def shares(self) -> dict[str, float]:
        """Of the minutes, what the detector, the teacher and each student get."""
        parts = {
            DETECTOR: 0.0 if self.kept else DETECTOR_SHARE,
            TEACHER: TEACHER_SHARE if self.taught else 0.0,
            STUDENT: STUDENTS_SHARE,
        }
        whole = sum(parts.values())
        students = self.students * (2 if self.taught else 1)
        return {name: part / whole / (students if name == STUDENT else 1) for name, part in parts.items()}


def train_and_export(
    banks: Banks[Bank],
    output: Path,
    plan: TrainingPlan,
    course: Course | None = None,
    *,
    resume: bool = True,
    quiet: bool = False,
    networks: Networks | None = None,
) -> tuple[Path, Path]:
    """Train detector, teacher and students; write both ONNX files with their thresholds and, with people kept aside,
    the cards.

    Each part has a folder with checkpoint and curve, and goes on from there. A detector that is kept is copied.

    Returns
    -------
    paths of the ONNX files of detector and discriminator.
    """
    course, make = course or Course(), networks or Networks()
    shares = course.shares()
    if course.kept is None:
        weights = train_detector(
            banks.training,
            banks.validation,
            output / DETECTOR,
            _part(plan, shares[DETECTOR]),
            course.lessons,
            make=make.detector,
            resume=resume,
            quiet=quiet,
        )
        first = trained_first(weights, load_net(weights, make.detector), banks.training, plan.threads)
    else:
        first = kept_first(course.kept, plan.threads)
    cubes = cut_bank(
        first.ask, banks.training, cubes_folder(output, first.weights, TRAINING_BANK), plan.seed, quiet=quiet
    )
    shown = None
    if banks.validation is not None:
        folder = cubes_folder(output, first.weights, VALIDATION_BANK)
        shown = cubes_if_any(first.ask, banks.validation, folder, quiet=quiet)
    teacher = None
    if course.taught:
        taught = train_teacher(
            cubes,
            shown,
            output / TEACHER,
            replace(_part(plan, shares[TEACHER]), validate_every=CUBE_VALIDATE_EVERY),
            size=course.cubes,
            make=make.teacher,
            resume=resume,
            quiet=quiet,
        )
        teacher = load_net(taught, make.teacher)
    each = replace(_part(plan, shares[STUDENT]), validate_every=CUBE_VALIDATE_EVERY)
    students = train_students(
        cubes, shown, teacher, output, each, course, make=make.student, resume=resume, quiet=quiet
    )
    nets = {name: load_net(path, make.student) for name, path in students.items()}
    return finish(banks, output, course.distillation, first, nets, cubes, shown, began=make.began)


def train_students(
    cubes: CubeBank,
    shown: CubeBank | None,
    teacher: nn.Module | None,
    output: Path,
    plan: TrainingPlan,
    course: Course,
    *,
    make: MakeNet = StudentNet,
    resume: bool = True,
    quiet: bool = False,
) -> dict[str, Path]:
    """Train each student for the minutes of `plan`; name of its folder in `output` → its weights.

    Students with and without the teacher come in pairs of one seed: first weights and cubes are the same. Without a
    teacher there is one of each seed.
    """
    students = {}
    kinds: list[tuple[str, nn.Module | None]] = [(ALONE, None)]
    if teacher is not None:
        kinds.insert(0, (STUDENT, teacher))
    for number in range(course.students):
        for name, guide in kinds:
            students[f"{name}_{number}"] = train_student(
                cubes,
                shown,
                output / f"{name}_{number}",
                replace(plan, seed=plan.seed + number),
                guide,
                course.distillation if guide is not None else None,
                size=course.cubes,
                make=make,
                resume=resume,
                quiet=quiet,
            )
    return students


def _part(plan: TrainingPlan, share: float) -> TrainingPlan:
    minutes = None if plan.minutes is None else plan.minutes * share
    return replace(plan, minutes=minutes)
