"""Parameters as JSON, and back: what was drawn can be drawn again elsewhere."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

from brainsift.simulate.acquire import Acquisition
from brainsift.simulate.contrast import Contrast
from brainsift.simulate.coverage import Coverage
from brainsift.simulate.deform import Deformation
from brainsift.simulate.head import HeadParameters

Part = TypeVar("Part", Deformation, Contrast, Coverage, Acquisition)


def parameters_from_dict(stored: Mapping[str, Any]) -> HeadParameters:
    """Undo `HeadParameters.to_dict`, also after JSON has turned tuples into lists.

    Raises
    ------
    ValueError
        if a part or a field is missing or unknown.
    """
    return HeadParameters(
        deformation=_part(Deformation, stored, "deformation"),
        contrast=_part(Contrast, stored, "contrast"),
        coverage=_part(Coverage, stored, "coverage"),
        acquisition=_part(Acquisition, stored, "acquisition"),
    )


def save_parameters(parameters: HeadParameters, path: Path, **more: Any) -> None:
    """Write parameters as JSON, with whatever else made the scan under names of its own."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({**more, **parameters.to_dict()}, indent=1) + "\n", encoding="utf-8")


def load_parameters(path: Path) -> HeadParameters:
    """Read what `save_parameters` wrote."""
    return parameters_from_dict(json.loads(path.read_text(encoding="utf-8")))


def _part(kind: type[Part], stored: Mapping[str, Any], name: str) -> Part:
    given = stored.get(name)
    wanted = {field.name for field in fields(kind)}
    if not isinstance(given, Mapping) or set(given) != wanted:
        raise ValueError(f"simulation parameters need '{name}' with {sorted(wanted)}, got {given!r}")
    return kind(**{key: _tuples(value) for key, value in given.items()})


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list | tuple) else value
