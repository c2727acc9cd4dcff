"""Where models lie: the folder inside the package, or one that the user names; and whether the files are whole."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Literal

from brainsift.models.checksums import read_sums, sha256_of
from brainsift.models.errors import ModelError
from brainsift.models.registry import REGISTRY, ModelSpec

State = Literal["ok", "missing", "damaged", "unlisted"]

REMEDY: dict[State, str] = {
    "ok": "",
    "missing": "Install BrainSift again, or import the model with `brainsift models import`.",
    "damaged": "Install BrainSift again, or import the model again; `brainsift models verify` checks all of them.",
    "unlisted": "Put it there with `brainsift models import`, which records its checksum.",
}


@dataclass(frozen=True)
class ShelfModel:
    """A model file found on a shelf.

    Attributes
    ----------
    spec : the place it stands on.
    path : of the ONNX file.
    sha256 : hexadecimal digest of the file as it is now; empty where it is missing.
    packaged : whether it came with BrainSift, as opposed to the user's own shelf.
    state : ``ok`` where the digest is the recorded one.
    """

    spec: ModelSpec
    path: Path
    sha256: str
    packaged: bool
    state: State

    @property
    def card(self) -> Path:
        """Path of the model card, which may not exist on a user's shelf."""
        return self.path.with_name(self.spec.card)


def packaged_folder() -> Path:
    """Folder of the models that came with BrainSift."""
    return Path(str(resources.files("brainsift.models")))


def spec_of(name: str) -> ModelSpec:
    """The registry's entry.

    Raises
    ------
    ModelError
        if no model has this name.
    """
    if name not in REGISTRY:
        raise ModelError(name, "no model has this name.", f"Known models: {', '.join(sorted(REGISTRY))}.")
    return REGISTRY[name]


def inspect(name: str, shelf: Path | None = None) -> ShelfModel:
    """Find a model, on the user's `shelf` first, and hash it now. Never raises for a missing or damaged file."""
    spec = spec_of(name)
    own = shelf is not None and (shelf / spec.file).is_file()
    folder = shelf if shelf is not None and own else packaged_folder()
    path = folder / spec.file
    if not path.is_file():
        return ShelfModel(spec, path, "", not own, "missing")
    digest = sha256_of(path)
    expected = read_sums(folder).get(spec.file)
    state: State = "unlisted" if expected is None else "ok" if digest == expected else "damaged"
    return ShelfModel(spec, path, digest, not own, state)


def inspect_all(shelf: Path | None = None) -> Iterator[ShelfModel]:
    """Every registered model as it lies on the shelves now."""
    return (inspect(name, shelf) for name in REGISTRY)


@functools.cache
def find(name: str, shelf: Path | None = None) -> ShelfModel:
    """A model that is there and whole. The file is hashed once per process.

    Raises
    ------
    ModelError
        if the model is unknown, missing, damaged, or has no recorded checksum.
    """
    model = inspect(name, shelf)
    if model.state != "ok":
        raise ModelError(name, f"the file {model.path} is {model.state}.", REMEDY[model.state])
    return model
