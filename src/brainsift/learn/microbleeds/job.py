"""The whole job behind `brainsift train microbleeds`: detector, teacher and students, one after the other."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from torch import nn

from brainsift.learn.export import begun, export_onnx
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
    export_example,
    finish,
)
from brainsift.learn.microbleeds.losses import Distillation
from brainsift.learn.microbleeds.net import DetectorNet, StudentNet, TeacherNet
from brainsift.learn.microbleeds.predict import onnx_asker
from brainsift.learn.microbleeds.train import train_detector
from brainsift.learn.sides import TRAINING_BANK, VALIDATION_BANK, Banks
from brainsift.learn.trainer import MakeNet, TrainingPlan, load_net

DETECTOR_SHARE, TEACHER_SHARE = 0.6, 0.12
"""Of the minutes; what is left is shared by the students."""

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
    """

    lessons: Lessons = field(default_factory=Lessons)
    distillation: Distillation = field(default_factory=Distillation)
    students: int = 1
    cubes: int = BATCH


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

    Each part has a folder with checkpoint and curve, and goes on from there. Of the minutes the detector gets
    `DETECTOR_SHARE`, the teacher `TEACHER_SHARE`, the students the rest.

    Returns
    -------
    paths of the ONNX files of detector and discriminator.
    """
    course, make = course or Course(), networks or Networks()
    weights = train_detector(
        banks.training,
        banks.validation,
        output / DETECTOR,
        _part(plan, DETECTOR_SHARE),
        course.lessons,
        make=make.detector,
        resume=resume,
        quiet=quiet,
    )
    detector = load_net(weights, make.detector)
    # Every scan of the bank is asked: ONNX Runtime answers in a third of PyTorch's time.
    exported = output / DETECTOR / "detector.onnx"
    export_onnx(detector, exported, export_example(banks.training))
    ask = onnx_asker(exported, plan.threads)
    cubes = cut_bank(ask, banks.training, cubes_folder(output, weights, TRAINING_BANK), plan.seed, quiet=quiet)
    shown = None
    if banks.validation is not None:
        shown = cubes_if_any(ask, banks.validation, cubes_folder(output, weights, VALIDATION_BANK), quiet=quiet)
    cube_plan = replace(_part(plan, TEACHER_SHARE), validate_every=CUBE_VALIDATE_EVERY)
    taught = train_teacher(
        cubes,
        shown,
        output / TEACHER,
        cube_plan,
        size=course.cubes,
        make=make.teacher,
        resume=resume,
        quiet=quiet,
    )
    teacher = load_net(taught, make.teacher)
    share = (1 - DETECTOR_SHARE - TEACHER_SHARE) / (2 * course.students)
    each = replace(_part(plan, share), validate_every=CUBE_VALIDATE_EVERY)
    students = train_students(
        cubes, shown, teacher, output, each, course, make=make.student, resume=resume, quiet=quiet
    )
    nets = {name: load_net(path, make.student) for name, path in students.items()}
    return finish(banks, output, course.distillation, (detector, ask), nets, cubes, shown, began=make.began)


def train_students(
    cubes: CubeBank,
    shown: CubeBank | None,
    teacher: nn.Module,
    output: Path,
    plan: TrainingPlan,
    course: Course,
    *,
    make: MakeNet = StudentNet,
    resume: bool = True,
    quiet: bool = False,
) -> dict[str, Path]:
    """Train each student for the minutes of `plan`; name of its folder in `output` → its weights.

    Students with and without the teacher come in pairs of one seed: first weights and cubes are the same.
    """
    students = {}
    for number in range(course.students):
        for name, guide in ((STUDENT, teacher), (ALONE, None)):
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
