"""The answer of `brainsift check` in a terminal: one big word, why, what to do, then the facts."""

from __future__ import annotations

from collections.abc import Mapping

from rich import box
from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from brainsift.report.quality_words import METRICS, PREFIX
from brainsift.report.verdict import WORDS, Verdict, verdict
from brainsift.report.words import duration, field_name, field_value, file_size, number, task_name
from brainsift.store.record import Record
from brainsift.store.text import plain

STYLES = {"accept": "cyan", "refer": "yellow", "reject": "red", "failed": "bright_white on red", "none": "white"}
NEXT_STEPS = {
    "accept": "Nothing to do.",
    "refer": "Look at the scan and decide.",
    "reject": "Leave it out, or look at the scan and overrule.",
    "none": "Nothing was asked that ends in a decision.",
}

ASCII_SIGNS = {"accept": "+", "refer": "?", "reject": "x", "failed": "!", "none": "."}
"""For terminals that cannot write the others."""

Pairs = list[tuple[str, str]]


def render_record(record: Record, console: Console) -> None:
    """Print a record: verdict panel, decisions, facts. File names are printed as they are, never read as markup."""
    answer = verdict(record)
    console.print(_panel(record, answer, console))
    if record.decisions:
        console.print(_decisions(record))
    console.print(_facts("Scan", _scan_facts(record)))
    if record.anatomy:
        console.print(_facts("Anatomy", [(field_name(n), field_value(n, v)) for n, v in record.anatomy.items()]))
    for finding in record.findings:
        shares = [(field_name(name), f"{100 * share:.1f} %") for name, share in finding.probabilities.items()]
        measured = _measured(finding.measurements)
        label: Pairs = [("Answer", finding.label)] + ([("Flags", ", ".join(finding.flags))] if finding.flags else [])
        console.print(_facts(task_name(finding.task), label + measured + shares))


def _measured(measurements: Mapping[str, object]) -> Pairs:
    """Measurements by name; of the image metrics only those that the pages explain, the record holds the rest."""
    rows: Pairs = []
    for name, value in measurements.items():
        metric = name.removeprefix(PREFIX) if name.startswith(PREFIX) else None
        if metric is None:
            rows.append((field_name(name), field_value(name, value)))
        elif metric in METRICS:
            rows.append((METRICS[metric].title, field_value(name, value)))
    return rows


def _panel(record: Record, answer: Verdict, console: Console) -> Panel:
    style = STYLES[answer.key]
    unicode = console.encoding.lower().startswith("utf")
    sign = answer.sign if unicode else ASCII_SIGNS[answer.key]
    lines: list[RenderableType] = [
        Text(f"{sign}  {' '.join(answer.word.upper())}", style=f"bold {style}"),
        Text(plain(answer.why)),
    ]
    general = answer.next_step == WORDS[answer.key][2]
    step = NEXT_STEPS.get(answer.key, answer.next_step) if general else answer.next_step
    lines.append(Text.assemble(("Remedy: " if answer.key == "failed" else "Next: ", "dim"), plain(step)))
    title = Text(plain(record.scan), style="bold", overflow="ellipsis")
    return Panel(
        Group(*lines),
        title=title,
        title_align="left",
        border_style=style.rpartition(" ")[2],
        box=box.ROUNDED if unicode else box.ASCII,
        padding=(1, 2),
    )


def _decisions(record: Record) -> Table:
    table = Table(box=box.SIMPLE_HEAD, title="Decisions", title_justify="left", title_style="bold")
    for heading in ("Question", "Decision", "Why", "Rule", "Threshold"):
        table.add_column(heading, overflow="fold", justify="right" if heading == "Threshold" else "left")
    for decision in record.decisions:
        threshold = "" if decision.threshold is None else number(decision.threshold)
        table.add_row(
            task_name(decision.task),
            Text(decision.action.value, style=STYLES[decision.action.value]),
            Text(plain(decision.reason)),
            Text(decision.rule, style="dim"),
            threshold + (" (provisional)" if decision.provisional else ""),
        )
    return table


def _facts(title: str, pairs: Pairs) -> Table:
    table = Table(box=None, show_header=False, title=title, title_justify="left", title_style="bold", padding=(0, 2))
    table.add_column(style="dim", min_width=28)
    table.add_column(overflow="fold")
    for name, value in pairs:
        table.add_row(Text(plain(name)), Text(plain(value)))
    return table


def _scan_facts(record: Record) -> Pairs:
    facts = record.input
    pairs = [
        ("Format", facts.format),
        ("Size on disk", file_size(facts.size)),
        ("Stored as", facts.stored_dtype or ""),
        ("Matrix", " x ".join(str(n) for n in facts.stored_shape)),
        ("Voxel size", " x ".join(f"{s:.3g}" for s in facts.spacing_mm) + " mm" if facts.spacing_mm else ""),
        ("Repairs", "\n".join(facts.repairs)),
        ("Time", duration(record.seconds)),
    ]
    if record.failure is not None:
        pairs += [("Stage", record.failure.stage), ("Kind", record.failure.kind)]
    return [(name, value) for name, value in pairs if value]
