"""Cases that a quality network is measured on, cut the way `brainsift run` cuts them: read, anatomy pass, slices.

Used by `bench_quality_musts.py`. Each case is made once, from seeds that no bank of examples uses, and kept on disk.
"""

from __future__ import annotations

import csv
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np

from brainsift.anatomy.compute import compute_anatomy
from brainsift.learn.as_read import as_volume
from brainsift.learn.quality.bank import Example, chunk_names, to_levels, write_chunk
from brainsift.learn.quality.clean import (
    CleanScan,
    clean_by_anatomy,
    draw_painting,
    paint,
    place_head,
    read_clean,
    resample_clean,
)
from brainsift.learn.quality.corrupt import Fault, Faulty, add_noise_and_grade, apply_fault, draw_fault, draw_low_noise
from brainsift.learn.quality.torchio_motion import draw_torchio_motion
from brainsift.learn.quality.truth import truth_row
from brainsift.learn.quality.zoo import read_again
from brainsift.scans.read import read, read_file
from brainsift.scans.ref import ScanRef
from brainsift.scans.signed import negative_share
from brainsift.scans.volume import Volume
from brainsift.simulate.artefacts.intensity import Noise, draw_noise
from brainsift.simulate.heads import grid_shape
from brainsift.simulate.labelmap import LabelMap, load_label_map
from brainsift.simulate.susceptibility.example import MODALITIES, draw_bleed_example
from brainsift.simulate.zoo import IMPROPER, PROPER, draw_zoo, make_zoo
from brainsift.simulate.zoo_study import PROPER_SHARE, stored
from brainsift.tasks.quality.contrast import FLUID, GREY, WHITE
from brainsift.tasks.quality.metrics import compute_metrics
from brainsift.tasks.quality.noise import measured_snr
from brainsift.tasks.quality.slices import slices_of
from brainsift.tasks.quality.unlike import METRIC_LIMITS

PARTS = ("scans", "real", "simulated", "zoo", "gradient_echo")

ECHOES = 6
"""Gradient echoes of each validation head, each as magnitude, SWI and map of susceptibility."""

ECHO_VOXELS_MM = ((0.7, 0.7, 1.4), (0.6, 0.6, 2.0), (0.9, 0.9, 0.9), (0.8, 0.8, 2.5), (1.0, 1.0, 1.5), (0.5, 0.5, 1.2))
"""Of 3D protocols, in turn."""

MARGIN = 0.25
"""Of a grade from a cut: nearer to it nobody can tell on which side a scan lies."""

SEED = 7_000_000
"""Banks draw from 1,000 and from 901,000 on, with another second number (`learn.quality.job`, `build`)."""

HEADS, LEARNT_FROM = (17, 18, 19, 20), tuple(range(1, 17))
"""Label maps that no training saw, and those that trainings see."""

CLEAN_SCANS = (
    *(f"t1w_brain_{n:02d}" for n in (9, 10, 11, 12)),
    *("t1w_head_a", "t1w_head_b", "t1w_head_c_defaced", "flair_head_a"),
)
"""Clean real scans of people that a model trained on `t1w_brain_01` to `_08` has not seen."""

FINEST_MM = 0.9
"""Finer voxels are made coarser first: a movement at 0.7 mm takes five times as long."""

COARSEST_MM = 1.3
"""Coarser scans keep their voxels: finer ones would only be interpolated."""

TORCHIO_HARDEST = 2.5
"""As far as published ranges went: 10 degrees and 10 mm (Loizillon 2023)."""

SEQUENCE_NAMES = {"GRE": "T2starw", "T1w+Gd": "T1w", "phase": "other"}
"""Names of the manifest → those of the network."""


@dataclass(frozen=True)
class Job:
    """One file of the cache: its part, its name, and what makes it."""

    part: str
    name: str
    make: Callable[[], list[Example]]


def plan(data: Path, simulated: int, real: int, zoo: int) -> list[Job]:
    """All jobs, so mixed that any beginning of the list holds some of every part and of every person.

    Parameters
    ----------
    data : folder of label maps and scans.
    simulated : scans of each validation head, three movements or faults and two still ones each.
    real : rounds through the clean real scans: one still, one moved in k-space, one by TorchIO.
    zoo : scans of the zoo.
    """
    scans = [Job("scans", name, lambda e=entry: [scan_example(data, e)]) for name, entry in _entries(data)]
    scans.append(Job("scans", "dicom_series_a", lambda: [dicom_example(data)]))
    rounds = [
        Job("real", f"{name}_{n:03d}", lambda name=name, n=n: real_examples(data, name, n))
        for n in range(real)
        for name in CLEAN_SCANS
    ]
    heads = [
        Job("simulated", f"head_{head}_{n:03d}", lambda head=head, n=n: simulated_examples(data, head, n))
        for n in range(simulated)
        for head in HEADS
    ]
    echoes = [
        Job("gradient_echo", f"head_{head}_{n:03d}", lambda head=head, n=n: gradient_echo_examples(data, head, n))
        for n in range(ECHOES)
        for head in HEADS
    ]
    animals = [Job("zoo", f"zoo_{n:04d}", lambda n=n: [zoo_example(data, n)]) for n in range(1, zoo + 1)]
    return [job for group in zip_longest(rounds, heads, animals, scans, echoes) for job in group if job is not None]


def plan_fit(data: Path, each: int) -> list[Job]:
    """Scans of the heads that a network learnt from, to fit with what measures weigh: `each` paintings of each head."""
    return [
        Job("fit", f"head_{head:02d}_{n:03d}", lambda head=head, n=n: simulated_examples(data, head, n))
        for n in range(each)
        for head in LEARNT_FROM
    ]


def build(jobs: list[Job], cache: Path, seconds: float, told: Callable[[Job, int], None]) -> int:
    """Make the missing files of the cache for at most as many seconds; returns how many are still missing."""
    there = {part: set(chunk_names(cache / part)) for part in {job.part for job in jobs}}
    todo = [job for job in jobs if job.name not in there[job.part]]
    start = time.monotonic()
    for done, job in enumerate(todo):
        if time.monotonic() - start > seconds:
            return len(todo) - done
        examples = [replace(e, facts=e.facts | {"case": f"{job.name}:{row}"}) for row, e in enumerate(_made(job))]
        write_chunk(examples, cache / job.part, job.name)
        told(job, len(todo) - done - 1)
    return 0


def _made(job: Job) -> list[Example]:
    try:
        return job.make()
    except Exception as error:
        raise RuntimeError(f"{job.part} {job.name} could not be made") from error


def seen(volume: Volume, truth: np.ndarray, person: str, facts: dict[str, Any]) -> Example:
    """What the network sees of a volume, as task `quality` does it."""
    anatomy = compute_anatomy(volume, threads=1)
    found: dict[str, Any] = {
        "has_brain": bool(anatomy.has_brain),
        "anatomy_confidence": round(float(anatomy.confidence), 3),
        "anatomy_sha256": anatomy.model_sha256,
        "spacing_mm": [round(float(mm), 3) for mm in volume.spacing],
    }
    found["negative_share"] = negative_share(volume.data)
    found["measured_snr"] = measured_snr(volume, anatomy)
    metrics = compute_metrics(volume, anatomy) if anatomy.has_brain else {}
    found["metrics"] = {name: metrics.get(name) for name in (*METRIC_LIMITS, GREY, WHITE, FLUID)}
    return Example(to_levels(slices_of(volume, anatomy).pixels), truth, person, facts | found)


def volume_of(image: np.ndarray, spacing_mm: tuple[float, ...]) -> Volume:
    """A volume as a reader gives it, in whole numbers like a scanner's."""
    whole = stored(image)[0].astype(np.float32)
    affine = np.diag([*spacing_mm, 1.0])
    return as_volume(whole, affine, magnitude=False)


def graded(faulty: Faulty, noise: Noise | None, extra: dict[str, Any]) -> Example:
    """What the network sees of a faulty scan."""
    made, scan = add_noise_and_grade(faulty, noise), faulty.scan
    return seen(volume_of(made.image, scan.spacing_mm), made.truth, scan.person, made.facts | extra)


def torchio_fault(rng: np.random.Generator) -> Fault:
    """TorchIO's motion, stronger ones more often than training draws them: few of those are severe."""
    return Fault("torchio", motion=draw_torchio_motion(rng, TORCHIO_HARDEST * float(np.sqrt(rng.uniform(0.02, 1)))))


@lru_cache(maxsize=4)
def _head(path: Path) -> LabelMap:
    return load_label_map(path)


def simulated_examples(data: Path, head: int, number: int) -> list[Example]:
    """One scan of a validation head: still, noisy, moved by both simulators, with lost contrast."""
    rng = np.random.default_rng([SEED + number, head])
    return [graded(faulty, noise, {"asked": asked}) for asked, faulty, noise in faulty_scans(rng, data, head)]


def faulty_scans(rng: np.random.Generator, data: Path, head: int) -> Iterator[tuple[str, Faulty, Noise]]:
    """One painting of a head with five faults: what was asked, the scan with it, the noise to add."""
    label_map = _head(data / "label_maps" / f"head_{head:02d}_labels.nii.gz")
    placed = place_head(rng, label_map, f"head_{head:02d}")
    scan = paint(placed, draw_painting(rng, placed.values))
    still = apply_fault(scan, draw_fault(rng, "none"))
    yield "still", still, draw_low_noise(rng)
    yield "noise", still, draw_noise(rng, float(rng.uniform(0.8, 3.2)))
    yield "motion", apply_fault(scan, draw_fault(rng, "motion")), draw_low_noise(rng)
    yield "torchio", apply_fault(scan, torchio_fault(rng)), draw_low_noise(rng)
    yield "contrast", apply_fault(scan, draw_fault(rng, "contrast")), draw_low_noise(rng)


@lru_cache(maxsize=len(CLEAN_SCANS))
def clean_scan(data: Path, name: str) -> CleanScan:
    """A clean real scan: of a brain by its own zeros, of a head by the labels of the anatomy pass."""
    path = data / "scans" / f"{name}.nii.gz"
    if name.startswith("t1w_brain"):
        return read_clean(path, name)
    volume = read_file(path)
    sequence = "FLAIR" if name.startswith("flair") else "T1w"
    facts = {"source": "real scan", "kind": sequence}
    scan = clean_by_anatomy(volume, compute_anatomy(volume, threads=1), sequence, name, facts)
    if scan is None:
        raise ValueError(f"the anatomy pass finds no brain in {name}")
    return replace(scan, seen=scan.image > 0 if name.endswith("defaced") else None)


def real_examples(data: Path, name: str, number: int) -> list[Example]:
    """A clean real scan still and moved by both simulators; in its own voxels first, then in others too."""
    rng = np.random.default_rng([SEED + number, 1000 + CLEAN_SCANS.index(name)])
    whole = clean_scan(data, name)
    finest, coarsest = min(whole.spacing_mm), max(whole.spacing_mm)
    other = coarsest < COARSEST_MM and number > 0 and rng.random() < 0.7
    scan = resample_clean(rng, whole) if other or finest < FINEST_MM else whole
    extra = {"own_voxels": scan is whole, "round": number}
    still = apply_fault(whole if number == 0 else scan, draw_fault(rng, "none"))
    moved = apply_fault(scan, draw_fault(rng, "motion"))
    shaken = apply_fault(scan, torchio_fault(rng))
    return [
        graded(still, None if number == 0 else draw_low_noise(rng), extra | {"asked": "still"}),
        graded(moved, draw_low_noise(rng), extra | {"asked": "motion"}),
        graded(shaken, draw_low_noise(rng), extra | {"asked": "torchio"}),
    ]


def zoo_example(data: Path, number: int) -> Example:
    """One scan of the zoo, written to a file and read again; kinds in turn, as `brainsift simulate zoo` takes them."""
    head = HEADS[number % len(HEADS)]
    rng = np.random.default_rng([SEED, 2, number])
    earlier = int((number - 1) * PROPER_SHARE)
    proper = int(number * PROPER_SHARE) > earlier
    kinds = list(PROPER) if proper else list(IMPROPER)
    kind = kinds[(earlier if proper else number - 1 - earlier) % len(kinds)]
    label_map = _head(data / "label_maps" / f"head_{head}_labels.nii.gz")
    made = make_zoo(draw_zoo(rng, kind), label_map, grid_shape(1.0), 1.0)
    volume = read_again(rng, made.image, made.affine)
    truth = truth_row({"proper": made.proper, "sequence": made.sequence})
    facts = {"kind": kind, "variant": made.parameters.variant, "why": made.why, "sequence": made.sequence}
    outside = made.brain_outside_fov
    facts |= {"source": "zoo", "outside_fov": None if outside is None else round(outside, 3)}
    return seen(volume, truth, f"head_{head}", facts)


def gradient_echo_examples(data: Path, head: int, number: int) -> list[Example]:
    """One 3D gradient echo of a whole brain, with veins, drop-out and bleeds: magnitude, SWI, map of susceptibility."""
    rng = np.random.default_rng([SEED, 3, head, number])
    label_map = _head(data / "label_maps" / f"head_{head}_labels.nii.gz")
    voxel = ECHO_VOXELS_MM[number % len(ECHO_VOXELS_MM)]
    drawn = draw_bleed_example(rng, label_map, voxel_mm=voxel)
    examples = []
    for modality in MODALITIES:
        sequence = "Chimap" if modality == "qsm" else "T2starw"
        truth = truth_row({"proper": True, "sequence": sequence})
        facts = {"source": "gradient echo", "kind": modality, "sequence": sequence, "why": "3D gradient echo"}
        examples.append(seen(read_again(rng, drawn.images[modality], drawn.affine), truth, f"head_{head}", facts))
    return examples


def _entries(data: Path) -> Iterator[tuple[str, dict[str, str]]]:
    with (data / "scans" / "manifest.tsv").open(encoding="utf-8", newline="") as file:
        for entry in csv.DictReader(file, delimiter="\t"):
            yield entry["file"].split(".")[0], entry


def scan_example(data: Path, entry: dict[str, str]) -> Example:
    """A real scan of the manifest. Proper: 3D and of a whole brain, with or without its skull, of whatever sequence."""
    cut = "crop" in entry["note"] or "cut" in entry["note"] or entry["sequence"] == "phase"
    proper = entry["dimension"] == "3D" and not cut
    sequence = SEQUENCE_NAMES.get(entry["sequence"], entry["sequence"])
    name = entry["file"].split(".")[0]
    facts = {"source": "scans", "sequence": sequence, "kind": entry["sequence"], "why": entry["note"]}
    truth = truth_row({"proper": proper, "sequence": sequence, "gadolinium": entry["sequence"] == "T1w+Gd"})
    return seen(read_file(data / "scans" / entry["file"]), truth, person_of(name), facts)


def person_of(name: str) -> str:
    """Whose scan it is: patients and crops come with several."""
    if found := re.search(r"_2d_(p\d+)_", name):
        return found[1]
    return re.sub(r"_(mag|phase)$", "", name)


def dicom_example(data: Path) -> Example:
    """The DICOM series: a 3D T1w of a young child's whole head."""
    paths = tuple(sorted((data / "dicom" / "series_a").glob("*.dcm")))
    ref = ScanRef(scan="series_a", stem="series_a", format="dicom", paths=paths, size=0, mtime_ns=0)
    facts = {"source": "scans", "sequence": "T1w", "kind": "T1w", "why": "DICOM of a young child"}
    truth = truth_row({"proper": True, "sequence": "T1w", "gadolinium": False})
    return seen(read(ref), truth, "dicom_series_a", facts)
