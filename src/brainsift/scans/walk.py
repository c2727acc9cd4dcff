"""A folder tree in a fixed order, whatever it holds: loops, broken links, locked folders, odd names."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from brainsift.scans.errors import ScanError
from brainsift.scans.stream import open_failure, refuse_special

Identity = tuple[int, int]


@dataclass
class Found:
    """A name in a folder that is no folder itself; `status` is None where it cannot be followed."""

    name: str
    path: str
    status: os.stat_result | None
    problem: ScanError | None = None


@dataclass
class Folder:
    """One folder: its path, its components relative to the root, its files and subfolders in name order."""

    path: str
    parts: tuple[str, ...]
    files: list[Found] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    hidden: int = 0
    problem: ScanError | None = None

    @property
    def names(self) -> set[str]:
        """Names of all files."""
        return {found.name for found in self.files}


class Walker:
    """Walk depth first, each folder once; links to folders are followed where they lead out of the tree.

    Attributes
    ----------
    aliases : links to folders that the walk meets by their own name, or met already.
    """

    def __init__(self, root: Path) -> None:
        self._root = os.fspath(root)
        self._real_root = os.path.realpath(self._root)
        self._seen: set[Identity] = set()
        self.aliases = 0

    def walk(self) -> Iterator[Folder]:
        """Yield folders; what is removed from `folders` of the one just yielded is not entered."""
        stack: list[tuple[str, tuple[str, ...], tuple[Identity, ...]]] = [(self._root, (), ())]
        while stack:
            path, parts, ancestors = stack.pop()
            folder, identity = self._enter(path, parts, ancestors)
            if folder is None:
                continue
            yield folder
            below = (*ancestors, identity)
            stack += [(os.path.join(path, name), (*parts, name), below) for name in reversed(folder.folders)]  # noqa: PTH118

    def _enter(
        self, path: str, parts: tuple[str, ...], ancestors: tuple[Identity, ...]
    ) -> tuple[Folder | None, Identity]:
        folder = Folder(path, parts)
        try:
            status = os.stat(path)  # noqa: PTH116
            identity = (status.st_dev, status.st_ino)
            if identity in ancestors:
                folder.problem = ScanError(
                    "symlink_loop", "The link leads back to a folder that contains it.", "Remove the link."
                )
                return folder, identity
            if identity in self._seen or self._is_alias(path, parts):
                self.aliases += 1
                return None, identity
            self._seen.add(identity)
            self._list(folder)
        except OSError as error:
            folder.problem = folder_failure(error)
            return folder, (0, 0)
        return folder, identity

    def _is_alias(self, path: str, parts: tuple[str, ...]) -> bool:
        """Whether this is a link to a folder of the tree itself."""
        if not parts or not os.path.islink(path):  # noqa: PTH114
            return False
        target = os.path.realpath(path)
        return target.startswith(self._real_root + os.sep)

    @staticmethod
    def _list(folder: Folder) -> None:
        with os.scandir(folder.path) as entries:
            for entry in entries:
                if entry.name.startswith("."):
                    folder.hidden += 1
                elif _is_folder(entry):
                    folder.folders.append(entry.name)
                else:
                    folder.files.append(_found(entry))
        folder.files.sort(key=lambda found: found.name)
        folder.folders.sort()


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _found(entry: os.DirEntry[str]) -> Found:
    try:
        status = entry.stat()
        if not stat.S_ISREG(status.st_mode):
            refuse_special(Path(entry.path), status.st_mode)
    except OSError as error:
        return Found(entry.name, entry.path, None, open_failure(error))
    except ScanError as error:
        return Found(entry.name, entry.path, None, error)
    return Found(entry.name, entry.path, status)


def folder_failure(error: OSError) -> ScanError:
    """Put the reason why a folder cannot be listed in plain words."""
    if isinstance(error, PermissionError):
        return ScanError(
            "no_permission", "The folder may not be read by this user.", "Grant read permission and run again."
        )
    reason = error.strerror or type(error).__name__
    return ScanError("read_error", f"The folder cannot be listed: {reason}.", "Check the disk, then run again.")
