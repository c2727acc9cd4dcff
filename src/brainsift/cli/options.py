"""Options that several verbs share, so that they read the same everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Shelf = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR", help="Folder of your own models (see `brainsift models import`), used before the packaged ones."
    ),
]

Input = Annotated[
    Path,
    typer.Argument(metavar="INPUT", help="Folder of NIfTI files, a BIDS dataset or a DICOM tree. Never changed."),
]

Output = Annotated[Path, typer.Argument(metavar="OUTPUT", help="Folder for everything that is written.")]

TaskNames = Annotated[
    list[str] | None,
    typer.Option(
        "--task",
        metavar="[SEQUENCE:]TASK[,TASK]",
        help="Question to ask, such as `quality`, or `T1w:quality,defacing` for scans of one sequence; give it several "
        "times. All of every scan if not given.",
    ),
]

Database = Annotated[
    str | None,
    typer.Option(
        metavar="URL", help="Database, such as `postgresql+psycopg://user@host/name`. OUTPUT/brainsift.db if not given."
    ),
]

CalibrationFiles = Annotated[
    list[Path] | None,
    typer.Option(
        "--calibration",
        metavar="FILE",
        help="Thresholds that `brainsift calibrate` wrote; give it several times, once for each task.",
    ),
]

First = Annotated[
    int | None,
    typer.Option(
        "--first",
        min=1,
        metavar="N",
        help="Do N scans alone, spread over the sizes of all, and say how long the others will take.",
    ),
]

LogFile = Annotated[
    Path | None,
    typer.Option(
        "--log", metavar="FILE", help="Append what happens as JSON lines, in which nothing names a person or a path."
    ),
]

MetricsPath = Annotated[
    Path | None,
    typer.Option(
        "--metrics", metavar="FILE", help="Keep metrics for Prometheus here (node_exporter's textfile collector)."
    ),
]

MarsAtlas = Annotated[
    Path | None,
    typer.Option(
        "--mars-atlas",
        metavar="FILE",
        help="Atlas of the Microbleed Anatomical Rating Scale in MNI152, for finer regions of microbleeds.",
    ),
]

Site = Annotated[
    str | None,
    typer.Option(
        metavar="NAME", help="Site of the scans, as in labels.tsv, for calibrations that were made with `--by site`."
    ),
]

MemoryLimit = Annotated[
    str | None,
    typer.Option(
        "--memory-limit",
        metavar="SIZE",
        help="Memory of one process, such as 3G; a scan that takes more is given up. An equal share of what the "
        "machine has if not given.",
    ),
]

TimeLimit = Annotated[
    float | None,
    typer.Option(
        "--time-limit", metavar="SECONDS", min=1.0, help="Time of one scan; one that takes longer is given up. [900]"
    ),
]
