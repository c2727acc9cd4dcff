"""The scans of one folder: images by name, DICOM series by content."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from os import stat_result
from pathlib import Path
from typing import TYPE_CHECKING

from brainsift.scans.catalog_dicom import Series, sort_series
from brainsift.scans.errors import ScanError
from brainsift.scans.formats import UNSUPPORTED, claim
from brainsift.scans.names import entities, printable
from brainsift.scans.ref import ScanRef
from brainsift.scans.stream import open_failure
from brainsift.scans.walk import Folder, Found

if TYPE_CHECKING:
    from brainsift.scans.catalog import CatalogCounts

IMAGE_OF = {".hdr": ".img", ".hdr.gz": ".img.gz"}
HEADER_OF = {image: header for header, image in IMAGE_OF.items()}


class FolderReader:
    """Turns folders into references; keeps what has to be remembered between folders."""

    def __init__(self, root: Path, counts: CatalogCounts) -> None:
        self._root_name = root.resolve().name or "root"
        self._counts = counts
        self._series_seen: set[str] = set()

    def refs(self, folder: Folder) -> Iterator[ScanRef]:
        """Yield the scans of `folder`: image files in name order, then DICOM series by number."""
        images, candidates = self._classify(folder)
        found_any = False
        for ref in (*self._image_refs(folder, images), *self._series_refs(folder, candidates)):
            found_any = True
            yield ref
        if not found_any and not folder.folders and folder.parts and claim(folder.parts[-1])[0] in ("nifti", "mgz"):
            yield self._folder_problem(
                folder,
                ScanError(
                    "not_a_file",
                    "A folder without images carries the name of an image.",
                    "Rename or remove the folder.",
                ),
            )

    def count_images(self, folder: Folder) -> int:
        """How many files of `folder` claim to be images."""
        return sum(claim(found.name)[0] in ("nifti", "mgz", "dicom") for found in folder.files)

    def single(self, path: Path) -> ScanRef:
        """Reference to one file given by itself."""
        found = Found(path.name, str(path), None)
        try:
            found.status = path.stat()
        except OSError as error:
            found.problem = open_failure(error)
        kind, extension = claim(path.name)
        name = printable(path.name)
        if kind == "unsupported":
            found.problem = found.problem or unsupported(extension)
        form = kind if kind in ("nifti", "mgz") else "dicom"
        return _file_ref(name, name[: -len(extension)] if extension else name, form, found, (), None)

    def broken_folder(self, folder: Folder) -> ScanRef:
        """Reference that carries a folder's problem."""
        return self._folder_problem(folder, folder.problem)

    def _folder_problem(self, folder: Folder, problem: ScanError | None) -> ScanRef:
        path = self._relative(folder.parts)
        return ScanRef(path, path, "dicom", (Path(folder.path),), 0, 0, problem=problem)

    def _relative(self, parts: tuple[str, ...], name: str = "") -> str:
        """Printable POSIX path relative to the root; the root itself goes by its own name."""
        return printable("/".join((*parts, name) if name else parts) or self._root_name)

    def _classify(self, folder: Folder) -> tuple[list[tuple[Found, str, str]], list[tuple[Found, bool]]]:
        """Sort files into images (with format and extension) and candidates for DICOM (whether the name claims it)."""
        names = folder.names
        images: list[tuple[Found, str, str]] = []
        candidates: list[tuple[Found, bool]] = []
        for found in folder.files:
            kind, extension = claim(found.name)
            if kind in ("nifti", "mgz", "unsupported"):
                if not _is_second_half(found.name, extension, names):
                    images.append((found, kind, extension))
            elif kind == "dicom" and found.problem is not None:
                images.append((found, kind, extension))
            elif kind == "dicom" or (kind == "maybe_dicom" and found.problem is None):
                candidates.append((found, kind == "dicom"))
            else:
                self._counts.ignored += 1
        return images, candidates

    def _image_refs(self, folder: Folder, images: list[tuple[Found, str, str]]) -> Iterator[ScanRef]:
        twins = Counter(found.name[: -len(extension)].casefold() for found, _, extension in images)
        statuses = {found.name: found.status for found in folder.files} if len(images) else {}
        for found, kind, extension in images:
            base = found.name[: -len(extension)]
            stem = base if twins[base.casefold()] == 1 and base else found.name.replace(".", "_")
            if kind == "unsupported":
                found.problem = found.problem or unsupported(extension)
            form = kind if kind in ("nifti", "mgz") else "dicom"
            sidecar = Path(folder.path) / f"{base}.json" if f"{base}.json" in statuses else None
            ref = _file_ref(
                self._relative(folder.parts, found.name),
                self._relative(folder.parts, stem),
                form,
                found,
                folder.parts,
                sidecar,
                base,
            )
            yield _with_image(ref, statuses.get(base + IMAGE_OF.get(extension, "\0")))

    def _series_refs(self, folder: Folder, candidates: list[tuple[Found, bool]]) -> Iterator[ScanRef]:
        if not candidates:
            return
        result = sort_series(candidates)
        self._counts.not_images += result.not_images
        self._counts.ignored += result.ignored
        for found, problem in result.broken:
            found.problem = problem
            path = self._relative(folder.parts, found.name)
            yield _file_ref(path, path, "dicom", found, folder.parts, None)
        for series in result.series:
            if series.uid and series.uid in self._series_seen:
                self._counts.split_series += 1
            self._series_seen.add(series.uid)
            yield self._series_ref(folder, series)

    def _series_ref(self, folder: Folder, series: Series) -> ScanRef:
        path = self._relative(folder.parts)
        said = entities(folder.parts, "")
        statuses = [found.status for found in series.files if found.status is not None]
        return ScanRef(
            scan=f"{path}#{series.tag}" if series.tag else path,
            stem=f"{path}_{series.tag}" if series.tag else path,
            format="dicom",
            paths=tuple(Path(found.path) for found in series.files),
            size=sum(status.st_size for status in statuses),
            mtime_ns=max((status.st_mtime_ns for status in statuses), default=0),
            participant=said.participant,
            session=said.session,
        )


def unsupported(extension: str) -> ScanError:
    """Say what to do about a format that is not read."""
    return ScanError("unsupported_format", f"{extension} is not read here.", UNSUPPORTED[extension])


def _is_second_half(name: str, extension: str, names: set[str]) -> bool:
    """Whether an image file belongs to a header beside it, which stands for both."""
    header = HEADER_OF.get(extension)
    if header is None:
        return False
    base = name[: -len(extension)]
    return base + header in names or base + header.upper() in names


def _file_ref(
    scan: str,
    stem: str,
    form: str,
    found: Found,
    folders: tuple[str, ...],
    sidecar: Path | None,
    base: str = "",
) -> ScanRef:
    said = entities(folders, base)
    status = found.status
    return ScanRef(
        scan=scan,
        stem=stem,
        format=form,
        paths=(Path(found.path),),
        size=status.st_size if status else 0,
        mtime_ns=status.st_mtime_ns if status else 0,
        participant=said.participant,
        session=said.session,
        suffix=said.suffix,
        sidecar=sidecar,
        problem=found.problem,
    )


def _with_image(ref: ScanRef, image: stat_result | None) -> ScanRef:
    """Add the image half of a pair to size and time, so that a change of either is seen."""
    if image is None:
        return ref
    return replace(ref, size=ref.size + image.st_size, mtime_ns=max(ref.mtime_ns, image.st_mtime_ns))
