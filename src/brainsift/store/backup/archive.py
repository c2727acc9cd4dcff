"""The archive: a compressed tar, readable without this program, with a manifest that names the digest of every file.

`study/` holds files of OUTPUT, `database/` the SQLite file as its own backup interface copies it, `rows/` the rows of a
study on a server, one JSON a line. The manifest comes last: an archive without one was cut off.
"""

from __future__ import annotations

import hashlib
import json
import tarfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import IO, Any

from brainsift.store.errors import StoreError

ARCHIVE_VERSION = 1

MANIFEST = "manifest.json"
STUDY, SNAPSHOT, ROWS = "study", "database", "rows"

LEVEL = 3
"""Of gzip: records shrink to a sixth; 9 gains a tenth more for four times the work."""

CHUNK_BYTES = 1 << 20


@dataclass
class Manifest:
    """What an archive holds.

    Attributes
    ----------
    version : of this format.
    software : that made it.
    made : UTC, ISO 8601.
    study : name of the study in its database, which the trail of reviews is signed with.
    database_version : of the tables.
    scans : rows in the database.
    reviews, trail_sha256 : length and last digest of the trail.
    everything : pages, pictures and masks are in it too.
    files : name → SHA-256 of all others.
    """

    software: str
    made: str
    study: str
    database_version: int
    scans: int
    reviews: int
    trail_sha256: str
    everything: bool
    version: int = ARCHIVE_VERSION
    files: dict[str, str] = field(default_factory=dict)


class ArchiveWriter:
    """Adds files to an open tar and keeps their digests."""

    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar = tar
        self.files: dict[str, str] = {}

    def add_file(self, path: Path, name: str) -> bool:
        """Add a file as it is at this moment; False if it has gone."""
        try:
            content = path.open("rb")
        except FileNotFoundError:
            return False
        with content:
            info = tarfile.TarInfo(name)
            state = path.stat()
            info.size, info.mtime = state.st_size, int(state.st_mtime)
            digest = _Digesting(content)
            self._add(info, digest)
            self.files[name] = digest.hexdigest()
        return True

    def add_bytes(self, content: bytes, name: str) -> None:
        """Add what is in memory."""
        info = tarfile.TarInfo(name)
        info.size = len(content)
        self._add(info, BytesIO(content))
        self.files[name] = hashlib.sha256(content).hexdigest()

    def close_with(self, manifest: Manifest) -> None:
        """Add the manifest, the last of all."""
        manifest.files = dict(self.files)
        content = json.dumps(asdict(manifest), indent=1).encode()
        info = tarfile.TarInfo(MANIFEST)
        info.size = len(content)
        self._add(info, BytesIO(content))

    def _add(self, info: tarfile.TarInfo, content: Any) -> None:
        info.mode = 0o600
        self._tar.addfile(info, content)


class _Digesting:
    """Passes bytes on and digests them."""

    def __init__(self, source: IO[bytes]) -> None:
        self._source, self._sha256 = source, hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        """As a file's."""
        data = self._source.read(size)
        self._sha256.update(data)
        return data

    def hexdigest(self) -> str:
        """Of all that was read."""
        return self._sha256.hexdigest()


def unpack(archive: Path, into: Path) -> Manifest:
    """Unpack an archive whose every file is as the manifest says.

    Raises
    ------
    StoreError
        ``broken_archive`` if it is no archive, was cut off or changed, holds a link or a name that leads out of `into`;
        ``newer_archive`` if a newer BrainSift made it.
    """
    found: dict[str, str] = {}
    manifest: dict[str, Any] | None = None
    try:
        with tarfile.open(archive, "r:gz") as tar:
            for member in tar:
                content = _content(tar, member)
                if member.name == MANIFEST:
                    manifest = json.loads(content.read())
                else:
                    found[member.name] = _copy(content, into / checked_name(member.name))
    except (tarfile.TarError, EOFError, ValueError) as error:
        raise _broken(archive, f"it cannot be read ({type(error).__name__})") from error
    if manifest is None:
        raise _broken(archive, "it was cut off before its end")
    if manifest.get("version", 0) > ARCHIVE_VERSION:
        raise StoreError("newer_archive", f"{archive.name} was made by a newer BrainSift.", "Update BrainSift.")
    if found != manifest["files"]:
        changed = sorted(set(found.items()) ^ set(manifest["files"].items()))
        raise _broken(archive, f"{changed[0][0]} is not as it was written")
    return Manifest(**manifest)


def checked_name(name: str) -> str:
    """The name of a member, if it is one that this program writes.

    Raises
    ------
    ValueError
        if it is absolute, steps up, or lies in no folder of an archive.
    """
    path = PurePosixPath(name)
    plain = not path.is_absolute() and ".." not in path.parts and "\0" not in name and "\\" not in name
    if not plain or len(path.parts) < 2 or path.parts[0] not in (STUDY, SNAPSHOT, ROWS):
        raise ValueError(f"an archive holds no file of the name {name!r}")
    return name


def lines_of(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a file of `rows/`."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    content = tar.extractfile(member) if member.isreg() else None
    if content is None:
        raise ValueError(f"an archive holds plain files alone, and {member.name!r} is none")
    return content


def _copy(content: IO[bytes], path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    sha256 = hashlib.sha256()
    with path.open("xb") as target:
        path.chmod(0o600)
        while data := content.read(CHUNK_BYTES):
            sha256.update(data)
            target.write(data)
    return sha256.hexdigest()


def _broken(archive: Path, why: str) -> StoreError:
    return StoreError("broken_archive", f"{archive.name} is no whole backup: {why}.", "Use another backup.")
