"""The finding in a sentence or two."""

from __future__ import annotations

from brainsift.tasks.base import Finding

NONE = "no_microbleeds"
FOUND = "microbleeds"
POSSIBLE = "possible_microbleeds"
"""Labels; the last one where no bleed is definite."""

GROUPS = ("lobar", "deep", "infratentorial")

BINS = ("0", "1 to 4", "5 to 9", "10 and more")
"""Of counts, as for ARIA-H (Cogswell 2022, AJNR 43:E19). In words: spreadsheets take 1-4 for a date."""

NAMES = {"gre": "gradient echo", "swi": "SWI", "qsm": "susceptibility map"}


def bin_of(count: int) -> str:
    """The bin that a count falls into."""
    return BINS[0 if count == 0 else 1 if count <= 4 else 2 if count <= 9 else 3]


def describe(finding: Finding) -> str:
    """How many, where, out of how many candidates; an empty answer says what was looked at."""
    told = finding.measurements
    count, possible, looked = (int(told[name] or 0) for name in ("count", "possible_count", "candidates"))
    kind = NAMES.get(str(told["modality"]), "scan")
    places = f"{looked} place{'' if looked == 1 else 's'} looked at in the {kind}"
    doubtful = f"{possible} possible"
    if not count and not possible:
        return f"No microbleed among {places}."
    if not count:
        return f"No definite microbleed and {doubtful} among {places}."
    where = ", ".join(f"{name} {told[f'{name}_count']}" for name in GROUPS if told[f"{name}_count"])
    one = "1 microbleed" if count == 1 else f"{count} microbleeds"
    return f"{one} ({where}) and {doubtful} among {places}." if possible else f"{one} ({where}) among {places}."
