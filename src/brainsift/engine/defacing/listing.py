"""The remedial list as a table: failures grouped by what to do, with a command for each tool."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from brainsift.engine.defacing.standing import Standing, State
from brainsift.store.files import write_atomic
from brainsift.store.table import format_cell
from brainsift.tasks.defacing.remedy import TOOLS, Remedy

TABLE_NAME = "defacing_remedy.tsv"

COLUMNS = ("remedy", "scan", "attempt", "state", "label", "left", "said_by", "words", *TOOLS)

COMMANDS = {
    "fsl_deface": "fsl_deface IN OUT {}",
    "pydeface": "pydeface IN --outfile OUT {}",
    "afni_refacer": "@afni_refacer_run -input IN -prefix OUT {}",
    "mri_deface": "mri_deface IN {} OUT",
    "quickshear": "quickshear IN BRAIN_MASK OUT {}",
}
"""Tool → its command; `{}` stands for what the remedy adds."""


def suggested_command(tool: str, remedy: Remedy) -> str:
    """Command of a tool for a remedy; empty where the tool has no setting that would help."""
    added = remedy.parameters.get(tool, "")
    return COMMANDS[tool].format(added).strip() if added else ""


def grouped(standings: Iterable[Standing]) -> dict[str, list[Standing]]:
    """Kind of remedy → scans that are to be remedied; the largest group first."""
    groups: dict[str, list[Standing]] = {}
    for one in standings:
        if one.state is State.REMEDY:
            groups.setdefault(one.remedy.kind, []).append(one)
    return dict(sorted(groups.items(), key=lambda item: (-len(item[1]), item[0])))


def write_listing(standings: Iterable[Standing], output: Path) -> Path:
    """Write all that is to be remedied and all that was given up to `defacing_remedy.tsv`."""
    lines = ["\t".join(COLUMNS)]
    chosen = [one for one in standings if one.state in (State.REMEDY, State.GIVEN_UP)]
    for one in sorted(chosen, key=lambda one: (one.remedy.kind, one.record.scan)):
        remedy = one.remedy
        cells = (
            remedy.kind,
            one.record.scan,
            one.number,
            one.state.value,
            one.label,
            " ".join(one.left),
            one.by,
            remedy.words,
            *(suggested_command(tool, remedy) for tool in TOOLS),
        )
        lines.append("\t".join(map(format_cell, cells)))
    path = output / TABLE_NAME
    write_atomic(path, "\n".join(lines) + "\n", output)
    return path
