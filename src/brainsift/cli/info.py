"""`brainsift info`: versions, models and capabilities, to put in a bug report or a methods section."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from brainsift.cli.options import Shelf

LIBRARIES = (
    "numpy",
    "scipy",
    "nibabel",
    "pydicom",
    "dcm2niix",
    "isal",
    "onnxruntime",
    "sqlalchemy",
    "pydantic",
)

EXAMPLES = "Example: `brainsift info --json`"


def info(
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable.")] = False,
    shelf: Shelf = None,
) -> None:
    """Show versions, models and capabilities of this installation.

    Holds nothing about your scans: it can be pasted into a bug report.
    """
    facts = gather(shelf)
    if as_json:
        import json

        typer.echo(json.dumps(facts, indent=2))
        return
    typer.echo(f"brainsift {facts['brainsift']}, Python {facts['python']}, {facts['platform']}, {facts['cores']} cores")
    typer.echo(f"tasks: {', '.join(facts['tasks'])}")
    for name, model in facts["models"].items():
        typer.echo(
            f"model {name}: {model['state']} {model['sha256'][:12]} ({'packaged' if model['packaged'] else 'own'})"
        )
    for name, there in facts["extras"].items():
        remedy = f'pip install "brainsift[{name}]"'
        typer.echo(f"extra {name}: {'installed' if there else f'not installed ({remedy})'}")
    typer.echo("  ".join(f"{name} {version or 'missing'}" for name, version in facts["libraries"].items()))


def gather(shelf: Path | None) -> dict[str, Any]:
    """What `info` shows, ready for JSON."""
    import platform

    from brainsift import __version__
    from brainsift.cli.extras import EXTRAS, has_extra
    from brainsift.models.session import physical_cores
    from brainsift.models.shelf import inspect_all
    from brainsift.tasks.registry import REGISTRY

    return {
        "brainsift": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cores": physical_cores(),
        "libraries": {name: _version(name) for name in LIBRARIES},
        "extras": {extra: has_extra(extra) for extra in EXTRAS},
        "tasks": list(REGISTRY),
        "models": {
            model.spec.name: {
                "task": model.spec.task,
                "state": model.state,
                "sha256": model.sha256,
                "packaged": model.packaged,
                "licence": model.spec.licence,
            }
            for model in inspect_all(shelf)
        },
    }


def _version(package: str) -> str | None:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(package)
    except PackageNotFoundError:
        return None
