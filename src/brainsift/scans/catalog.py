"""From a folder to a stream of scan references, without reading a pixel."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Literal

from brainsift.scans import catalog_bids as bids
from brainsift.scans.catalog_folder import FolderReader
from brainsift.scans.names import Unique, safe_stem
from brainsift.scans.ref import ScanRef
from brainsift.scans.walk import Folder, Walker

Layout = Literal["plain", "bids", "dicom", "mixed"]

LOOK_AT = 50
"""Scans looked at to name the layout of a folder that is not BIDS."""


@dataclass
class CatalogCounts:
    """What was left out, and why; complete once the catalog is exhausted.

    Attributes
    ----------
    scans : references yielded.
    ignored : text and other files that do not claim to be images.
    hidden : names that begin with a dot.
    not_images : DICOM reports, presentation states and other objects without a picture.
    other_datatypes : BIDS images of functional, diffusion and other data types.
    own_outputs : folders written by BrainSift.
    not_raw : derivatives, sourcedata, code and the like of BIDS datasets.
    aliases : links to folders that are in the tree anyway.
    split_series : DICOM series whose files lie in more than one folder, each counted as a scan of its own.
    missing_participants : labels asked for and not found.
    """

    scans: int = 0
    ignored: int = 0
    hidden: int = 0
    not_images: int = 0
    other_datatypes: int = 0
    own_outputs: int = 0
    not_raw: int = 0
    aliases: int = 0
    split_series: int = 0
    missing_participants: tuple[str, ...] = ()


class Catalog(Iterator[ScanRef]):
    """Iterator over the scans of a folder, with `counts` of what was left out."""

    def __init__(self, root: Path, participants: Sequence[str] | None = None) -> None:
        self.root = Path(root)
        self.counts = CatalogCounts()
        self._wanted = None if participants is None else bids.labels(participants)
        self._seen: set[str] = set()
        self._datasets: dict[tuple[str, ...], bool] = {}
        self._scan_names, self._stems = Unique(), Unique()
        self._reader = FolderReader(self.root, self.counts)
        self._refs = self._generate()

    def __iter__(self) -> Catalog:
        return self

    def __next__(self) -> ScanRef:
        ref = next(self._refs)
        self.counts.scans += 1
        return ref

    def _generate(self) -> Iterator[ScanRef]:
        if not self.root.is_dir():
            yield self._unique(self._reader.single(self.root))
            return
        walker = Walker(self.root)
        for folder in walker.walk():
            for ref in self._visit(folder):
                if self._is_wanted(ref):
                    yield self._unique(ref)
            self.counts.aliases = walker.aliases
        if self._wanted is not None:
            self.counts.missing_participants = tuple(sorted(self._wanted - self._seen))

    def _visit(self, folder: Folder) -> Iterator[ScanRef]:
        self.counts.hidden += folder.hidden
        below = self._enter_dataset(folder)
        if folder.problem is not None or below is None:
            if folder.problem is not None:
                yield self._reader.broken_folder(folder)
            return
        if bids.is_other_datatype(below) and self._in_raw(folder.parts):
            self.counts.other_datatypes += self._reader.count_images(folder)
            return
        yield from self._reader.refs(folder)

    def _enter_dataset(self, folder: Folder) -> tuple[str, ...] | None:
        """Note a dataset's root and prune its subfolders; return the components below the root, None for our own."""
        if bids.DESCRIPTION in folder.names:
            dataset = bids.describe(folder.path)
            if dataset.ours and folder.parts:
                self.counts.own_outputs += 1
                folder.folders.clear()
                return None
            self._datasets[folder.parts] = dataset.raw
        base = self._base(folder.parts)
        below = folder.parts[len(base) :]
        if self._in_raw(folder.parts):
            kept = bids.wanted_folders(folder.folders, below, self._wanted if not base else None)
            self.counts.not_raw += sum(name in bids.NOT_RAW for name in folder.folders) if not below else 0
            folder.folders[:] = kept
        return below

    def _base(self, parts: tuple[str, ...]) -> tuple[str, ...]:
        return next((parts[:n] for n in range(len(parts), -1, -1) if parts[:n] in self._datasets), ())

    def _in_raw(self, parts: tuple[str, ...]) -> bool:
        return self._datasets.get(self._base(parts), False)

    def _is_wanted(self, ref: ScanRef) -> bool:
        if self._wanted is None:
            return True
        first = ref.scan.split("/")[0].removeprefix("sub-")
        label = ref.participant if ref.participant is not None else first
        self._seen.add(label)
        return label in self._wanted

    def _unique(self, ref: ScanRef) -> ScanRef:
        scan, stem = self._scan_names(ref.scan), self._stems(safe_stem(ref.stem))
        return ref if (scan, stem) == (ref.scan, ref.stem) else replace(ref, scan=scan, stem=stem)


def catalog(root: Path, participants: Sequence[str] | None = None) -> Catalog:
    """Stream the scans of a folder in a fixed order.

    Plain folders, BIDS datasets and DICOM trees are handled in one walk, also when they are mixed.

    Parameters
    ----------
    root : folder, or a single file.
    participants : labels with or without ``sub-``; in a BIDS dataset only their folders are opened.

    Returns
    -------
    Catalog
        an iterator of `ScanRef` with `counts`. Whatever claims to be an image is yielded, with `problem` set if it is
        already known to be unreadable. Nothing is raised for bad input.
    """
    return Catalog(root, participants)


def detect_layout(root: Path) -> Layout:
    """Name the layout of a folder: ``bids``, ``dicom``, ``plain``, or ``mixed`` where DICOM and other images meet."""
    root = Path(root)
    if root.is_dir() and bids.describe(str(root)).raw:
        return "bids"
    formats = {ref.format == "dicom" for ref in islice(catalog(root), LOOK_AT)}
    if formats == {True, False}:
        return "mixed"
    return "dicom" if formats == {True} else "plain"
