"""A small BIDS study of simulated heads: good scans, and the faults that real folders hold, with the truth."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from itertools import combinations
from pathlib import Path

import numpy as np

from brainsift import __version__
from brainsift.scans.write import write_atomically
from brainsift.simulate.acquire import Acquisition
from brainsift.simulate.atlas import CEREBRUM, SOURCE
from brainsift.simulate.contrast import Contrast, draw_contrast
from brainsift.simulate.coverage import WHOLE
from brainsift.simulate.deform import Deformation, DeformRanges, draw_deformation
from brainsift.simulate.head import HeadParameters, SimulatedHead, render_head
from brainsift.simulate.labelmap import LabelMap
from brainsift.simulate.sources import heads_of
from brainsift.simulate.stored import save_parameters
from brainsift.simulate.truth import Truth, volumes_ml, write_truth
from brainsift.simulate.write import FileLayout, crop, write_array, write_labels, write_scan

GRID = (160, 216, 200)
SPACING_MM = 1.2
"""The scans are rendered at 1.2 mm, a usual resolution of multi-centre trials, in half the time of 1 mm."""

BRAIN_AT_MM = (0.0, -18.0, 20.0)
"""Place of the brain's centre in the field of view: the face lies before it, the neck below."""

PEOPLE = DeformRanges(
    rotation_deg=6,
    scale=0.03,
    stretch=0.02,
    shear=0.02,
    shift_mm=3,
    elastic_mm=1.5,
    elastic_fine_mm=0.5,
    ventricle_mm=2,
)
"""What makes several people out of one drawn head; sizes stay those of adults."""

HEADS_DRAWN = 3
"""Drawing a head costs more than deforming it."""

SLAB_MM = (-22.0, 30.0)
"""Lower and upper end of the cut scan about the brain's centre."""

CONTRAST_DRAWS = 12
"""From which the clearest is taken."""

TRUNCATED_SHARE = 0.6
"""Of the bytes that a broken-off transfer left."""


@dataclass(frozen=True)
class DemoScan:
    """One file of the demo: whose, which sequence, how sampled, and what is the matter with it (empty: nothing)."""

    participant: int
    suffix: str
    layout: FileLayout
    fault: str = ""


_ISO = (1.2, 1.2, 1.2)

SCANS = (
    DemoScan(1, "T1w", FileLayout(_ISO, "LIA")),
    DemoScan(1, "FLAIR", FileLayout((0.9, 0.9, 5.0), "LAS", (8.0, 0.0, 0.0), slope=0.37)),
    DemoScan(1, "T2w", FileLayout((0.8, 0.8, 4.0), "LPS", (-5.0, 3.0, 0.0))),
    DemoScan(2, "T1w", FileLayout(_ISO, "PSR", (0.0, 4.0, 9.0))),
    DemoScan(2, "T2starw", FileLayout((0.9, 0.9, 3.0), "RAS", slope=2.5)),
    DemoScan(3, "T1w", FileLayout(_ISO, "RAS"), "slab"),
    DemoScan(4, "T1w", FileLayout(_ISO, "LAS", sform_code=0), "skull_stripped"),
    DemoScan(5, "T1w", FileLayout(_ISO, "LIA"), "label_map"),
    DemoScan(6, "T1w", FileLayout(_ISO, "RAS"), "constant"),
    DemoScan(7, "T1w", FileLayout(_ISO, "RAS"), "truncated"),
    DemoScan(8, "T1w", FileLayout((2.4, 2.4, 2.4), "RAS"), "four_dimensional"),
    DemoScan(9, "T1w", FileLayout(_ISO, "LIA"), "duplicate"),
)
"""Fewer scans are the first of these; more are the sound ones again, of new people."""

NOT_BROKEN = ("", "slab", "skull_stripped")
"""Faults of what the scan shows; all others are faults of the file."""

_KIND = {"T1w": "mprage", "FLAIR": "flair", "T2w": "t2_se", "T2starw": "gre"}


def plan(n: int) -> list[DemoScan]:
    """The scans of a demo of `n` files."""
    sound = [scan for scan in SCANS if not scan.fault]
    listed = list(SCANS[:n])
    people = max(scan.participant for scan in SCANS)
    for i in range(n - len(SCANS)):
        again = sound[i % len(sound)]
        listed.append(replace(again, participant=again.participant + people + 2 * (i // len(sound))))
    return listed


def write_demo_study(folder: Path, n: int = 12, seed: int = 0, progress: Callable[[int], None] | None = None) -> Path:
    """Write a BIDS dataset of simulated heads, drawn from the packaged atlas; needs no data.

    Beside it, ``truth.tsv`` (see `Truth`), measured on the labels, and what was drawn in ``sourcedata/simulation``.
    The same seed gives the same bytes.

    Parameters
    ----------
    folder : of the dataset, made where it is missing.
    n : number of scans; 12 show every kind.
    progress : called with the number of scans done.

    Returns
    -------
    path of ``truth.tsv``.
    """
    if n < 1:
        raise ValueError(f"n must be 1 at the least, got {n}")
    scans = plan(n)
    people = sorted({scan.participant for scan in scans})
    _describe(folder, people)
    rng = np.random.default_rng(seed)
    drawn = heads_of(None, rng)
    heads = [next(drawn)[1] for _ in range(min(HEADS_DRAWN, len(people)))]
    shapes = {p: draw_deformation(rng, PEOPLE) for p in people}
    rows: list[Truth] = []
    for number, scan in enumerate(scans, start=1):
        person = heads[scan.participant % len(heads)]
        rows.append(_write(folder, scan, person, shapes[scan.participant], np.random.default_rng([seed, number]), rows))
        if progress is not None:
            progress(number)
    return write_truth(rows, folder)


def _write(
    folder: Path,
    scan: DemoScan,
    person: LabelMap,
    shape: Deformation,
    rng: np.random.Generator,
    before: list[Truth],
) -> Truth:
    name = f"sub-{scan.participant:02d}/anat/sub-{scan.participant:02d}_{scan.suffix}.nii.gz"
    path = folder / name
    if scan.fault == "duplicate":
        return _copy(folder, before[0], name)
    if scan.fault == "constant":
        write_array(np.full((96, 96, 96), 100, np.int16), np.diag([*_ISO, 1.0]), path, scan.layout)
        return Truth(name, scan.suffix, scan.layout.dimension, None, None, None, False, scan.fault)
    parameters = _draw(rng, scan, person, shape)
    head = render_head(person, parameters, GRID, SPACING_MM)
    note = folder / "sourcedata/simulation" / f"{path.name.removesuffix('.nii.gz')}.json"
    save_parameters(parameters, note, layout=asdict(scan.layout), fault=scan.fault)
    whole, _ = volumes_ml(head.labels, SPACING_MM**3)
    head = _store(head, path, scan)
    if scan.fault in ("label_map", "truncated"):
        return Truth(name, scan.suffix, scan.layout.dimension, None, None, None, False, scan.fault)
    brain, icv = volumes_ml(head.labels, SPACING_MM**3)
    broken = "" if scan.fault in NOT_BROKEN else scan.fault
    stripped = scan.fault == "skull_stripped"
    return Truth(name, scan.suffix, scan.layout.dimension, brain, icv, 1 - brain / whole, stripped, broken)


def _draw(rng: np.random.Generator, scan: DemoScan, person: LabelMap, shape: Deformation) -> HeadParameters:
    """A clean scan of this person, lying a little differently each time."""
    lies = np.asarray(BRAIN_AT_MM) + np.asarray(shape.shift_mm) + rng.uniform(-2, 2, 3)
    coverage = replace(WHOLE, strip="csf") if scan.fault == "skull_stripped" else WHOLE
    return HeadParameters(
        deformation=replace(shape, shift_mm=(float(lies[0]), float(lies[1]), float(lies[2])), mirror=False),
        contrast=_clear_contrast(rng, person, _KIND[scan.suffix]),
        coverage=coverage,
        acquisition=Acquisition(
            resolution_mm=(SPACING_MM, SPACING_MM, SPACING_MM),
            bias=float(rng.uniform(0.05, 0.15)),
            noise=float(rng.uniform(0.01, 0.02)),
            texture_mm=float(rng.uniform(1.5, 3)),
            ghost=0.0,
            ghost_axis=1,
            ghost_parts=2,
            gamma=1.0,
            seed=int(rng.integers(2**31)),
        ),
    )


def _clear_contrast(rng: np.random.Generator, person: LabelMap, kind: str) -> Contrast:
    """The draw that tells white matter, cortex and CSF apart best: protocols are tuned, random settings are not."""
    draws = [draw_contrast(rng, person.values, kind) for _ in range(CONTRAST_DRAWS)]
    return max(draws, key=_separation)


def _separation(contrast: Contrast) -> float:
    """Smallest difference between two of the three tissues, in units of their largest spread."""
    means = dict(zip(contrast.values, contrast.means, strict=True))
    spreads = dict(zip(contrast.values, contrast.spreads, strict=True))
    tissues = [label for label in CEREBRUM if label in means]
    gaps = [abs(means[a] - means[b]) for a, b in combinations(tissues, 2)]
    return min(gaps) / max(0.02, *(spreads[t] for t in tissues))


def _store(head: SimulatedHead, path: Path, scan: DemoScan) -> SimulatedHead:
    """Write the file, with its fault; what it shows is returned."""
    if scan.fault == "slab":
        middle = head.parameters.deformation.shift_mm[2]
        far = 1e3
        head = crop(head, (-far, -far, middle + SLAB_MM[0]), (far, far, middle + SLAB_MM[1]))
    if scan.fault == "label_map":
        write_labels(head, path, scan.layout)
        return head
    if scan.fault == "four_dimensional":
        coarse = (head.image[::2, ::2, ::2] * 1000).astype(np.int16)
        affine = head.affine @ np.diag([2.0, 2.0, 2.0, 1.0])
        write_array(np.stack([coarse, coarse], axis=-1), affine, path, scan.layout)
        return head
    write_scan(head, path, scan.layout)
    if scan.fault == "truncated":
        content = path.read_bytes()
        write_atomically(path, content[: int(len(content) * TRUNCATED_SHARE)])
    return head


def _copy(folder: Path, original: Truth, name: str) -> Truth:
    """The same bytes under another participant's name."""
    for end in (".nii.gz", ".json"):
        source = folder / (original.scan.removesuffix(".nii.gz") + end)
        write_atomically(folder / (name.removesuffix(".nii.gz") + end), source.read_bytes())
    return replace(original, scan=name, broken="duplicate")


def _describe(folder: Path, people: list[int]) -> None:
    """What makes a folder a BIDS dataset."""
    folder.mkdir(parents=True, exist_ok=True)
    description = {
        "Name": "BrainSift demo: simulated heads",
        "BIDSVersion": "1.10.0",
        "DatasetType": "raw",
        "GeneratedBy": [{"Name": "BrainSift", "Version": __version__, "Description": "brainsift demo"}],
    }
    (folder / "dataset_description.json").write_text(json.dumps(description, indent=1) + "\n", encoding="utf-8")
    rows = "".join(f"sub-{p:02d}\n" for p in people)
    (folder / "participants.tsv").write_text("participant_id\n" + rows, encoding="utf-8")
    (folder / "README").write_text(
        f"Simulated scans of heads that nobody has.\n\ntruth.tsv says what is true of each scan.\n\n{SOURCE}\n",
        encoding="utf-8",
    )
