"""Every task by name, as plain data: importing this loads no task."""

from __future__ import annotations

from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from brainsift.tasks.base import Task

REGISTRY = MappingProxyType(
    {
        "integrity": "brainsift.tasks.integrity:TASK",
        "quality": "brainsift.tasks.quality:TASK",
        "defacing": "brainsift.tasks.defacing:TASK",
        "wmh": "brainsift.tasks.wmh:TASK",
        "microbleeds": "brainsift.tasks.microbleeds:TASK",
    }
)
"""Name → ``module:attribute`` of the `Task`. Tasks run in this order; `integrity` is first and decides whether others
are asked."""

MODELS = MappingProxyType[str, tuple[str, ...]](
    {
        "integrity": (),
        "quality": ("quality",),
        "defacing": ("defacing",),
        "wmh": ("wmh",),
        "microbleeds": ("microbleeds_candidates", "microbleeds_discriminator"),
    }
)
"""Name → models on the shelf that the task needs besides `anatomy`, which every task shares."""


def load_task(name: str) -> Task:
    """Import a task.

    Raises
    ------
    ValueError
        if no task has this name.
    """
    if name not in REGISTRY:
        raise ValueError(f"There is no task {name!r}; known tasks are {', '.join(REGISTRY)}")
    module, attribute = REGISTRY[name].split(":")
    return cast("Task", getattr(import_module(module), attribute))
