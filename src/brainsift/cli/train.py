"""`brainsift train`: networks from your own label maps (extra `train`)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from brainsift.cli.exits import Stop
from brainsift.cli.extras import need_extra
from brainsift.cli.train_adapt import (
    ADAPTATION_STEPS,
    AdaptGiven,
    Align,
    Beside,
    FiledAs,
    FiledGiven,
    Heads,
    Semi,
    Source,
    Target,
    Unlabelled,
    adapt,
    train_for,
    wants_adaptation,
)
from brainsift.cli.train_options import (
    Device,
    KeptFirst,
    KeptMaps,
    KeptSources,
    Minutes,
    Output,
    Rate,
    Resume,
    Scans,
    Seed,
    Steps,
    Threads,
    Workers,
    need_folders,
    told,
    unclear,
)

app = typer.Typer(help="Train networks (needs the extra `train`).", no_args_is_help=True, rich_markup_mode="markdown")


@app.callback()
def _train() -> None:
    pass


@app.command(
    epilog="Example: `brainsift train anatomy runs/anatomy --label-maps labels --validation head_17 --minutes 60`; "
    "`brainsift train anatomy runs/edges --label-maps labels --validation head_17 --where packaged --from packaged`"
)
def anatomy(
    output: Output,
    label_maps: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder of whole-head label maps with FreeSurfer's values.")
    ],
    validation: KeptMaps = None,
    where: KeptFirst = "nothing",
    start: Annotated[
        str,
        typer.Option(
            "--from", metavar="FILE", help="Start the edge network from this model, the `packaged` one, or `nothing`."
        ),
    ] = "nothing",
    chunks: Annotated[int, typer.Option(min=1, help="Of the edge network's bank, of nine examples each.")] = 200,
    workers: Workers = 1,
    minutes: Annotated[
        float | None, typer.Option(min=0, help="Train each network so many minutes at the most.")
    ] = None,
    steps: Annotated[int, typer.Option(min=1, help="Train each network so many steps at the most.")] = 100_000,
    seed: Seed = 1,
    threads: Threads = 2,
    device: Device = "cpu",
    resume: Resume = True,
) -> None:
    """Train both anatomy networks on images simulated from label maps, export them, measure them and write their cards.

    The first network says where the tissues are. Then a bank is built of what it, the average head and the mixture
    model say of simulated heads, 90 MB a chunk, and the second one learns from it to draw the edges. Interrupt it at
    any time: the same command goes on. Use the results with `brainsift models import anatomy OUTPUT/anatomy.onnx
    --shelf DIR --card OUTPUT/anatomy.md`, and the same of `anatomy_edges`.
    """
    need_extra("train", "Training")
    need_folders(label_maps=label_maps)
    from brainsift.learn.anatomy.job import Course, train_and_export
    from brainsift.learn.label_maps import split_label_maps
    from brainsift.learn.trainer import TrainingPlan

    names = validation or []
    course = Course(chunks, workers, _weights(where, "anatomy", "where"), _weights(start, "anatomy_edges"))
    plan = TrainingPlan(steps=steps, minutes=minutes, seed=seed, threads=threads, device=device)
    try:
        split_label_maps(label_maps, names)
        paths = train_and_export(label_maps, output, names, plan, course, resume=resume)
    except (ValueError, OSError) as error:
        raise told(error, "train anatomy") from error
    for path in paths:
        typer.echo(path)


@app.command(
    epilog="Example: `brainsift train quality runs/quality --label-maps labels --real-scans scans "
    "--validation head_17 --validation t1w_brain_09`; "
    "`brainsift train quality runs/ours --labels labels.tsv --scans study`; "
    "`brainsift train quality runs/flair --source t1w.tsv --target flair.tsv --unlabelled study`; "
    "`brainsift train quality runs/flair --label-maps labels --validation head_17 --for FLAIR --beside runs/q/bank`"
)
def quality(
    output: Output,
    label_maps: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder of whole-head label maps to simulate scans from.")
    ] = None,
    real_scans: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder of clean, skull-stripped T1w scans to corrupt.")
    ] = None,
    validation: KeptSources = None,
    labels: Annotated[
        Path | None, typer.Option(metavar="TSV", help="Learn from people's labels instead (`labels.tsv`).")
    ] = None,
    scans: Scans = None,
    source: Source = None,
    target: Target = None,
    unlabelled: Unlabelled = None,
    heads: Heads = 2,
    align: Align = 1.0,
    semi: Semi = "none",
    filed_as: FiledAs = None,
    beside: Beside = None,
    start: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="MODEL",
            help="Start from these weights: `.onnx` or `.pt`, `packaged`, or `nothing`. With labels: `packaged`.",
        ),
    ] = None,
    freeze: Annotated[
        str | None, typer.Option(metavar="PART", help="`extractor`: train only what comes after the convolutions.")
    ] = None,
    chunks: Annotated[int, typer.Option(min=1, help="Of the bank, of 6 to 14 examples each.")] = 160,
    workers: Workers = 2,
    minutes: Minutes = None,
    steps: Annotated[
        int | None, typer.Option(min=1, help="Train so many steps at the most; 20,000, for two domains 1,000.")
    ] = None,
    rate: Annotated[float | None, typer.Option(min=0, help="Learning rate; 0.002, with labels 0.0005.")] = None,
    patience: Annotated[
        int | None, typer.Option(min=1, help="Stop after so many validations without a gain; with labels 6.")
    ] = None,
    seed: Seed = 1,
    threads: Threads = 2,
    resume: Resume = True,
) -> None:
    """Train the quality network on simulated artefacts, or fine-tune it on people's labels.

    From label maps and clean scans, a bank of corrupted examples is built first; what lies there already is used.
    From labels, no person is on both sides: the column `split` decides, else a fifth of the people validate. With
    `--source` and `--target` it learns about scans that have few labels from others that have many, and from scans
    without any. With `--for FLAIR` it learns from label maps about scans that are filed as FLAIR; `brainsift models
    import quality ... --for FLAIR` puts the result beside the model for all others. Interrupt it at any time: the same
    command goes on. Use the result with `brainsift models import quality OUTPUT/quality.onnx --shelf DIR --card
    OUTPUT/quality.md`.
    """
    need_extra("train", "Training")
    from brainsift.learn.trainer import TrainingPlan

    need_folders(label_maps=label_maps, real_scans=real_scans, scans=scans, unlabelled=unlabelled, beside=beside)
    others = (labels, label_maps, real_scans)
    adapts = wants_adaptation(source, target, unlabelled, others)
    if not adapts and (labels is None) == (label_maps is None and real_scans is None):
        raise unclear("Give either `--label-maps` and `--real-scans`, or `--labels`.")
    if filed_as is not None and (adapts or label_maps is None or real_scans is not None):
        raise unclear("With `--for`, give `--label-maps` alone.")
    simulates = labels is None and not adapts
    plan = TrainingPlan(
        steps=steps or (ADAPTATION_STEPS if adapts else 20_000),
        minutes=minutes,
        seed=seed,
        threads=threads,
        learning_rate=rate or (2e-3 if simulates else 5e-4),
        validate_every=500 if simulates else 50,
        patience=patience or (None if labels is None else 6),
    )
    try:
        if filed_as is not None and label_maps is not None:
            weights = _weights(start or "packaged")
            given = FiledGiven(filed_as, label_maps, tuple(validation or ()), beside)
            path = train_for(given, output, plan, chunks, workers, weights, resume)
        elif adapts:
            domains = AdaptGiven(source, target, unlabelled, scans, heads, align, semi)
            path = adapt(domains, output, plan, _weights(start or "packaged"), resume)
        elif labels is None:
            from brainsift.learn.quality.job import train_and_export
            from brainsift.learn.sources import find_sources

            sources = find_sources(label_maps, real_scans, validation or [])
            weights = _weights(start or "nothing")
            path = train_and_export(
                sources, output, plan, chunks=chunks, workers=workers, start_from=weights, resume=resume
            )
        else:
            from brainsift.learn.quality.finetune import fine_tune

            weights = _weights(start or "packaged")
            path = fine_tune(
                labels, scans or labels.parent, output, plan, start_from=weights, freeze=freeze, resume=resume
            )
    except (ValueError, OSError) as error:
        raise told(error, "train quality") from error
    typer.echo(path)


@app.command(
    epilog="Example: `brainsift train defacing runs/defacing --label-maps labels --validation head_17 --minutes 20`"
)
def defacing(
    output: Output,
    label_maps: Annotated[Path, typer.Option(metavar="DIR", help="Folder of whole-head label maps.")],
    validation: KeptMaps = None,
    masks: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder with face masks of real tools; our own if not given.")
    ] = None,
    exclude: Annotated[
        list[str] | None, typer.Option(metavar="TOOL", help="Hold a simulated tool out of training; several times.")
    ] = None,
    start: Annotated[
        str,
        typer.Option("--from", metavar="FILE", help="Start from these weights, the `packaged` ones, or `nothing`."),
    ] = "nothing",
    chunks: Annotated[int, typer.Option(min=1, help="Of the bank, of ten examples each.")] = 160,
    workers: Workers = 1,
    minutes: Minutes = None,
    steps: Steps = 20_000,
    rate: Rate = 2e-3,
    seed: Seed = 1,
    threads: Threads = 2,
    resume: Resume = True,
) -> None:
    """Train the defacing network on simulated defacings of label maps, export it, measure it and write its card.

    A bank of examples is built first; what lies there already is used. Interrupt it at any time: the same command goes
    on. Use the result with `brainsift models import defacing OUTPUT/defacing.onnx --shelf DIR --card
    OUTPUT/defacing.md`.
    """
    need_extra("train", "Training")
    from brainsift.learn.trainer import TrainingPlan

    need_folders(label_maps=label_maps, masks=masks)
    plan = TrainingPlan(
        steps=steps, minutes=minutes, seed=seed, threads=threads, learning_rate=rate, validate_every=250
    )
    try:
        from brainsift.learn.defacing.job import find_sources, train_and_export

        sources = find_sources(label_maps, validation or [], masks, tuple(exclude or ()))
        begin = _weights(start, "defacing")
        path = train_and_export(sources, output, plan, chunks=chunks, workers=workers, start_from=begin, resume=resume)
    except (ValueError, OSError) as error:
        raise told(error, "train defacing") from error
    typer.echo(path)


@app.command(
    epilog="Example: `brainsift train wmh runs/wmh --label-maps labels --lesion-masks masks --validation head_17`; "
    "`brainsift train wmh runs/wmh --label-maps labels --real-scans brains --validation head_17 --supervision fine`; "
    "`brainsift train wmh runs/ours --labels labels.tsv --scans study --minutes 120`"
)
def wmh(
    output: Output,
    label_maps: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder of whole-head label maps to simulate people from.")
    ] = None,
    lesion_masks: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Lesion masks in MNI152 whose shapes and places are used.")
    ] = None,
    real_scans: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Clean, skull-stripped T1w scans to paint lesions into; with `--supervision fine`."
        ),
    ] = None,
    validation: KeptSources = None,
    labels: Annotated[
        Path | None, typer.Option(metavar="TSV", help="Learn from people's masks instead (`wmh_mask` in `labels.tsv`).")
    ] = None,
    scans: Scans = None,
    supervision: Annotated[
        str, typer.Option(help="`coarse` (through the slices), `upsampled`, `nearest`, or `fine` (simulation's truth).")
    ] = "coarse",
    link: Annotated[
        str, typer.Option(help="What a mark says of its voxel: `share`, all is lesion; `rater`, about half or more.")
    ] = "share",
    two_step: Annotated[
        bool, typer.Option("--two-step/--one-step", help="Weigh labels by their agreement half-way, and train on.")
    ] = True,
    start: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="FILE",
            help="Start from these weights, the `packaged` ones, or `nothing`. With labels: `packaged`.",
        ),
    ] = None,
    bad_labels: Annotated[
        float, typer.Option(min=0, max=1, help="Share of the simulated labels to learn from that is grossly wrong.")
    ] = 0.0,
    chunks: Annotated[int, typer.Option(min=1, help="Of the bank, of four simulated people each.")] = 100,
    workers: Workers = 1,
    minutes: Minutes = None,
    steps: Steps = 20_000,
    rate: Rate = 2e-3,
    seed: Seed = 1,
    threads: Threads = 2,
    device: Device = "cpu",
    resume: Resume = True,
) -> None:
    """Train the lesion network on T1w scans with masks drawn on slices of a FLAIR, simulated or people's own.

    A mask may have thick slices, gaps and any plane, and lies in the scan's space; a sidecar beside it may give the
    `SliceThickness`. Nothing has to be resampled: predictions pass through the slices before they are compared.
    Interrupt it at any time: the same command goes on. Use the result with
    `brainsift models import wmh OUTPUT/wmh.onnx --shelf DIR --card OUTPUT/wmh.md`.
    """
    need_extra("train", "Training")
    from typing import cast, get_args

    from brainsift.learn.sides import read_sides
    from brainsift.learn.sources import find_sources
    from brainsift.learn.trainer import TrainingPlan
    from brainsift.learn.wmh.batches import Lessons
    from brainsift.learn.wmh.job import Simulation, build_banks, train_and_export
    from brainsift.learn.wmh.labelled import labelled_banks
    from brainsift.learn.wmh.losses import Link
    from brainsift.learn.wmh.supervise import SUPERVISIONS, Supervision

    need_folders(label_maps=label_maps, lesion_masks=lesion_masks, real_scans=real_scans, scans=scans)
    for given, known, option in ((supervision, SUPERVISIONS, "--supervision"), (link, get_args(Link), "--link")):
        if given not in known:
            raise Stop(f"'{given}' is no choice of {option}.", f"Choose one of {', '.join(known)}.")
    if real_scans is not None and supervision != "fine":
        raise Stop("Lesions painted into real scans have no labels on slices.", "Add `--supervision fine`.")
    lessons = Lessons(supervision=cast(Supervision, supervision), link=cast(Link, link))
    plan = TrainingPlan(
        steps=steps, minutes=minutes, seed=seed, threads=threads, device=device, learning_rate=rate, validate_every=250
    )
    try:
        if labels is not None and label_maps is None:
            banks = read_sides(labels, scans or labels.parent, output, seed, labelled_banks)
        elif label_maps is not None and labels is None:
            sources = find_sources(label_maps, real_scans, validation or [])
            banks = build_banks(Simulation(sources, lesion_masks, chunks, bad_labels), output, seed, workers)
        else:
            raise unclear()
        begin = _weights(start or ("nothing" if labels is None else "packaged"), "wmh")
        path = train_and_export(banks, output, plan, lessons, two_steps=two_step, start_from=begin, resume=resume)
    except (ValueError, OSError) as error:
        raise told(error, "train wmh") from error
    typer.echo(path)


@app.command(
    epilog="Example: `brainsift train microbleeds runs/bleeds --label-maps labels --validation head_17 --minutes 40`; "
    "`brainsift train microbleeds runs/ours --labels labels.tsv --scans study`"
)
def microbleeds(
    output: Output,
    label_maps: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder of whole-head label maps to simulate heads from.")
    ] = None,
    validation: KeptMaps = None,
    labels: Annotated[
        Path | None,
        typer.Option(
            metavar="TSV", help="Learn from people's points or masks instead (`microbleeds` in `labels.tsv`)."
        ),
    ] = None,
    scans: Scans = None,
    without: Annotated[
        list[str] | None, typer.Option(metavar="MODALITY", help="Hold `gre`, `swi` or `qsm` out of training.")
    ] = None,
    frst: Annotated[bool, typer.Option("--frst/--no-frst", help="Show radial symmetry to the networks.")] = True,
    candidates: KeptFirst = "nothing",
    teacher: Annotated[
        bool, typer.Option("--teacher/--no-teacher", help="Train a teacher, and students with it beside those without.")
    ] = True,
    temperature: Annotated[float, typer.Option(min=0.1, help="Of the distillation.")] = 4.0,
    alpha: Annotated[float, typer.Option(min=0, max=1, help="Share of the teacher in the student's loss.")] = 0.4,
    start: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="FOLDER",
            help="Start from the models in this folder, `packaged`, or `nothing`. With labels: `packaged`.",
        ),
    ] = None,
    students: Annotated[
        int, typer.Option(min=1, help="Of each kind, with and without a teacher; the best one ships.")
    ] = 1,
    chunks: Annotated[int, typer.Option(min=1, help="Heads in the bank, each in three modalities.")] = 80,
    workers: Workers = 1,
    minutes: Minutes = None,
    steps: Steps = 20_000,
    rate: Rate = 2e-3,
    seed: Seed = 1,
    threads: Threads = 2,
    device: Device = "cpu",
    resume: Resume = True,
    bank_only: Annotated[bool, typer.Option("--bank-only", help="Build the bank and stop.")] = False,
) -> None:
    """Train both bleed networks on simulated heads, or on scans with points or masks of people.

    The bank is built first; what lies there already is used. Then the detector is trained, then a teacher on cubes
    around its candidates, then students with and without the teacher. `--candidates packaged --no-teacher` trains a new
    discriminator for the detector that ships, and nothing else. Interrupt it at any time: the same command goes
    on. Use the results with `brainsift models import microbleeds_candidates OUTPUT/microbleeds_candidates.onnx --shelf
    DIR --card OUTPUT/microbleeds_candidates.md`, and the same of `microbleeds_discriminator`.
    """
    need_extra("train", "Training")
    from brainsift.learn.label_maps import split_label_maps
    from brainsift.learn.microbleeds.banks import build_banks, hold_out
    from brainsift.learn.microbleeds.build import MODALITIES
    from brainsift.learn.microbleeds.job import Course, Networks, train_and_export
    from brainsift.learn.microbleeds.labelled import labelled_banks
    from brainsift.learn.microbleeds.losses import Distillation
    from brainsift.learn.sides import read_sides
    from brainsift.learn.trainer import TrainingPlan

    need_folders(label_maps=label_maps, scans=scans)
    for name in without or []:
        if name not in MODALITIES:
            raise Stop(f"'{name}' is no modality.", f"Choose one of {', '.join(MODALITIES)}.")
    plan = TrainingPlan(
        steps=steps, minutes=minutes, seed=seed, threads=threads, device=device, learning_rate=rate, validate_every=250
    )
    if (labels is None) == (label_maps is None):
        raise unclear()
    networks = Networks() if frst else Networks().without_frst()
    begin = _bleed_weights(start or ("nothing" if labels is None else "packaged"))
    try:
        if begin is not None:
            networks = networks.starting_from(*begin)
        if labels is not None:
            banks = read_sides(labels, scans or labels.parent, output, seed, labelled_banks)
        elif label_maps is not None:
            banks = build_banks(split_label_maps(label_maps, validation or []), output, chunks, seed, workers)
        if bank_only:
            typer.echo(output)
            return
        kept = _weights(candidates, "microbleeds_candidates", "candidates")
        course = Course(distillation=Distillation(temperature, alpha), students=students, kept=kept, taught=teacher)
        paths = train_and_export(hold_out(banks, without or []), output, plan, course, resume=resume, networks=networks)
    except (ValueError, OSError) as error:
        raise told(error, "train microbleeds") from error
    for path in paths:
        typer.echo(path)


def _weights(start: str, model: str = "quality", option: str = "from") -> Path | None:
    """The file behind `--from`, or another option; None for `nothing`."""
    if start == "nothing":
        return None
    if start == "packaged":
        from brainsift.models.shelf import find

        return find(model).path
    path = Path(start)
    if not path.is_file():
        raise Stop(f"There is no file {path}.", f"Give `--{option}` a model, `packaged` or `nothing`.")
    return path


def _bleed_weights(start: str) -> tuple[Path, Path] | None:
    """Both files behind `--from` of `train microbleeds`; None for `nothing`."""
    from brainsift.models.shelf import find
    from brainsift.tasks.microbleeds.network import CANDIDATES, DISCRIMINATOR

    if start == "nothing":
        return None
    names = (CANDIDATES, DISCRIMINATOR)
    paths = [find(name).path if start == "packaged" else Path(start) / f"{name}.onnx" for name in names]
    for path in paths:
        if not path.is_file():
            raise Stop(f"There is no file {path}.", "Give `--from` a folder with both models, `packaged` or `nothing`.")
    return paths[0], paths[1]
