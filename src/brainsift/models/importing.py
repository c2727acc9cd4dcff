"""Put a user's own model on a shelf, after checking that it keeps the promise of its place."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from brainsift.models.card import joined_card, read_card
from brainsift.models.checksums import record_sum, sha256_of
from brainsift.models.errors import ModelError
from brainsift.models.joining import join_models
from brainsift.models.registry import TensorSpec
from brainsift.models.session import load_onnx, open_session
from brainsift.models.shelf import ShelfModel, find, inspect, packaged_folder, spec_of


def import_model(
    name: str, source: Path, shelf: Path, card: Path | None = None, sequence: str | None = None
) -> ShelfModel:
    """Check an ONNX file against the registry, copy it to `shelf`, and record its checksum.

    Parameters
    ----------
    name : the place that it takes, such as ``anatomy``.
    source : the ONNX file.
    shelf : folder of the user's models, made where it does not exist. Never the installed package.
    card : model card in Markdown to keep beside it.
    sequence : BIDS suffix of the scans that it is for; the model that stands in this place now, on the user's shelf or
        in the package, goes on answering for all others.

    Raises
    ------
    ModelError
        if the file is missing, cannot be loaded, or has other inputs or outputs than its place asks for.
    """
    spec = spec_of(name)
    if not source.is_file():
        raise ModelError(name, f"there is no file {source}.", "Give the path of an ONNX file.")
    if shelf.resolve() == packaged_folder().resolve():
        raise ModelError(name, "the installed package is not a shelf for your models.", "Name another folder.")
    session = load_onnx(source, name)
    _check(name, "input", session.get_inputs(), spec.input)
    _check(name, "output", session.get_outputs(), spec.output)
    shelf.mkdir(parents=True, exist_ok=True)
    if sequence is None:
        shutil.copyfile(source, shelf / spec.file)
        told = None if card is None else card.read_text(encoding="utf-8")
    else:
        told = _join(name, source, shelf, card, sequence)
    if told is not None:
        (shelf / spec.card).write_text(told, encoding="utf-8")
    record_sum(shelf, spec.file)
    find.cache_clear()
    open_session.cache_clear()
    return inspect(name, shelf)


def _join(name: str, source: Path, shelf: Path, card: Path | None, sequence: str) -> str:
    """Put a model for one sequence beside the one that is there; returns the card of both."""
    find.cache_clear()
    standing = find(name, shelf)
    others = read_card(name, shelf) if standing.card.is_file() else f"# Model card: {name}\n"
    part = shelf / f"{standing.spec.file}.part"
    join_models(standing.path, source, sequence, part)
    part.replace(shelf / standing.spec.file)
    own = "" if card is None else card.read_text(encoding="utf-8")
    return joined_card(others, own, sequence, sha256_of(shelf / standing.spec.file))


def _check(name: str, side: str, found: list[Any], wanted: TensorSpec) -> None:
    if len(found) != 1 or found[0].name != wanted.name:
        raise ModelError(
            name,
            f"expected one {side} '{wanted.name}', got {[tensor.name for tensor in found]}.",
            f"Export it with that name ({wanted.meaning}).",
        )
    got = tuple(size if isinstance(size, int) else None for size in found[0].shape)
    fits = len(got) == len(wanted.shape) and all(
        w is None or g in (None, w) for g, w in zip(got, wanted.shape, strict=True)
    )
    fixed = any(g is not None for g, w in zip(got, wanted.shape, strict=False) if w is None)
    if not fits or fixed:
        raise ModelError(
            name,
            f"the {side} has shape {found[0].shape}, not {wanted.shape}.",
            "Export it with dynamic image dimensions (None above) and the channels of its place.",
        )
