"""From a sound input to a hostile one: damaged bytes, absurd header fields, bombs, wicked names.

Everything follows from one number, so that any input can be made again: `hostile(seeds, 4711)`.
"""

from __future__ import annotations

import gzip
import random
import struct
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from nibabel.freesurfer.mghformat import MGHHeader
from nibabel.nifti1 import Nifti1Header
from nibabel.nifti2 import Nifti2Header

from tests.fuzz.seeds import Seed

MAX_CHANGES = 4
BOMB_SHARE = 0.002
"""Bombs take a second each to unpack."""

BOMB_BYTES = (8 << 20, 64 << 20, 256 << 20)
WICKED_SHARE = 0.05
GZIP_SHARE = 0.4

WICKED = (
    "-o",
    "--help",
    "=1+1",
    "@SUM(A1)",
    '"=1+1"',
    "'",
    "a b",
    "a\nb",
    "a\tb",
    "tab\\tnot",
    "\u202egpj.exe",
    "\u200bempty",
    "\x1b[31mred",
    "$(touch pwned)",
    "`id`",
    "<img src=x onerror=alert(1)>",
    "<script>document.title='owned'</script>",
    "..",
    "...",
    "CON",
    "sub-..",
    "sub-01_T1w",
    "x" * 240,
    "é" * 110,
    "%2e%2e%2f",
    "{{7*7}}",
    "[link](x)",
)
"""Parts of names; each is made a file's stem or a folder of its own."""

NUMBERS = (0, 1, -1, 2, 7, 8, 127, 128, 255, 256, 32767, -32768, 65535, 2**31 - 1, -(2**31), 2**40, 2**62)
REALS = (0.0, -0.0, 1.0, -1.0, 1e-45, 1e-30, 1e30, 3.4e38, float("nan"), float("inf"), -float("inf"), 0.05, 50.0, 351.5)

TAGS = (0x00020010, 0x00080016, 0x00080060, 0x00180050, 0x00180080, 0x00180088, 0x0020000E, 0x00200011, 0x00200013)
TAGS += (0x00200032, 0x00200037, 0x00280002, 0x00280004, 0x00280008, 0x00280010, 0x00280011, 0x00280030, 0x00280100)
TAGS += (0x00280101, 0x00280102, 0x00280103, 0x7FE00010)
"""Elements of a DICOM file whose length, type and value are changed: identity of the series, geometry, pixels."""

SYNTAXES = ("1.2.840.10008.1.2", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.4.70")
SYNTAXES += ("1.2.840.10008.1.2.5", "1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.50", "9.9.9")


@dataclass(frozen=True)
class Hostile:
    """An input: its files by path relative to INPUT, and what it was made from."""

    number: int
    seed: str
    changes: tuple[str, ...]
    files: dict[str, bytes]

    def write(self, root: Path) -> None:
        """Write the files below `root`."""
        for name, content in self.files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)


def hostile(seeds: Sequence[Seed], number: int) -> Hostile:
    """The hostile input of a number; always the same for the same seeds."""
    rng = random.Random(number)
    seed = seeds[rng.randrange(len(seeds))]
    files, said = [bytearray(one) for one in seed.files], []
    for _ in range(rng.randint(1, MAX_CHANGES)):
        change = rng.choice(_changes(seed.kind))
        which = rng.randrange(len(files))
        change(files[which], seed, rng)
        said.append(change.__name__.strip("_"))
    packed = [bytes(one) for one in files]
    if seed.kind in ("nifti", "mgh"):
        if rng.random() < BOMB_SHARE:
            packed = [gzip.compress(packed[0] + bytes(rng.choice(BOMB_BYTES)), 9, mtime=0)]
            said.append("bomb")
        elif rng.random() < GZIP_SHARE:
            packed = [_spoiled_gzip(packed[0], rng)]
            said.append("gzip")
    elif seed.kind == "dicom" and rng.random() < BOMB_SHARE * 5:
        packed[0] = deflate_bomb(packed[0], rng.choice(BOMB_BYTES))
        said.append("deflate_bomb")
    return Hostile(number, seed.name, tuple(said), _named(seed, packed, number, rng))


@cache
def _changes(kind: str) -> tuple[Callable[[bytearray, Seed, random.Random], None], ...]:
    common = (_flip_header, _flip_header, _flip_anywhere, _cut, _grow, _blank, _copy_block, _poison)
    own = {"nifti": (_field,) * 8, "pair": (_field,) * 6, "mgh": (_field,) * 6, "dicom": (_element,) * 8}
    return (*common, *own[kind])


def _flip_header(data: bytearray, seed: Seed, rng: random.Random) -> None:
    _flip(data, min(seed.header, len(data)), rng)


def _flip_anywhere(data: bytearray, seed: Seed, rng: random.Random) -> None:
    _flip(data, len(data), rng)


def _flip(data: bytearray, end: int, rng: random.Random) -> None:
    for _ in range(rng.choice((1, 1, 2, 8)) if end else 0):
        data[rng.randrange(end)] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))


def _cut(data: bytearray, seed: Seed, rng: random.Random) -> None:
    del data[rng.randrange(len(data) + 1) :]


def _grow(data: bytearray, seed: Seed, rng: random.Random) -> None:
    data += rng.randbytes(rng.choice((1, 8, 500, 5000)))


def _blank(data: bytearray, seed: Seed, rng: random.Random) -> None:
    start = rng.randrange(len(data) + 1)
    length = min(rng.choice((1, 4, 64, 1024)), len(data) - start)
    data[start : start + length] = bytes([rng.choice((0, 0xFF))]) * length


def _copy_block(data: bytearray, seed: Seed, rng: random.Random) -> None:
    start = rng.randrange(len(data) + 1)
    block = data[start : start + rng.choice((2, 8, 100, 2000))]
    place = rng.randrange(len(data) + 1)
    data[place:place] = block


def _poison(data: bytearray, seed: Seed, rng: random.Random) -> None:
    """Voxels that are no numbers, or enormous ones, as float32 in either byte order."""
    if len(data) < seed.header + 8:
        return
    value = struct.pack(rng.choice("<>") + "f", rng.choice(REALS))
    for _ in range(rng.choice((1, 20))):
        place = seed.header + 4 * rng.randrange((len(data) - seed.header) // 4)
        data[place : place + 4] = value


def _field(data: bytearray, seed: Seed, rng: random.Random) -> None:
    """An absurd number in a field of a NIfTI or MGH header."""
    dtype = _layout(seed)
    if len(data) < dtype.itemsize:
        return
    fields = np.frombuffer(data, dtype, count=1)[0]
    name = rng.choice(dtype.names or ())
    part: Any = np.atleast_1d(fields[name])
    at = rng.randrange(part.size)
    kind = part.dtype.kind
    if kind == "f":
        value: Any = rng.choice(REALS)
    elif kind in "iu":
        limits = np.iinfo(part.dtype)
        value = min(max(rng.choice(NUMBERS), limits.min), limits.max)
    else:
        return
    offset = dtype.fields[name][1] + at * part.dtype.itemsize  # type: ignore[index]
    with np.errstate(over="ignore"):
        data[offset : offset + part.dtype.itemsize] = np.asarray(value, part.dtype).tobytes()


def _layout(seed: Seed) -> np.dtype[Any]:
    if seed.kind == "mgh":
        return np.dtype(MGHHeader.template_dtype)
    big = seed.name == "big_endian"
    layout = Nifti2Header.template_dtype if seed.name == "nifti2" else Nifti1Header.template_dtype
    return np.dtype(layout).newbyteorder(">" if big else "<")


def _element(data: bytearray, seed: Seed, rng: random.Random) -> None:
    """An absurd type, length or value in an element of a DICOM header."""
    tag = rng.choice(TAGS)
    place = data.find(struct.pack("<HH", tag >> 16, tag & 0xFFFF))
    if place < 0 or place + 16 > len(data):
        return
    what = rng.randrange(5)
    if what == 0:
        data[place + 4 : place + 6] = rng.choice((b"SQ", b"UN", b"OB", b"US", b"DS", b"IS", b"\0\0", b"zz"))
    elif what == 1:
        data[place + 6 : place + 8] = struct.pack("<H", rng.choice((0, 1, 2, 6, 254, 0xFFFE, 0xFFFF)))
    elif what == 2:
        data[place + 4 : place + 8] = struct.pack("<I", rng.choice((0, 2, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFF0, 0xFFFFFFFF)))
    elif what == 3:
        value = rng.choice((b"\xff\xff", b"\x00\x00", b"1e999", b"nan ", b"-1", b"\xb2", b"+-5", b"9" * 8, b"\\\\\\\\"))
        data[place + 8 : place + 8 + len(value)] = value
    else:
        syntax = rng.choice(SYNTAXES).encode()
        place = data.find(b"1.2.840.10008.1.2")
        if place > 0:
            data[place : place + len(syntax)] = syntax


def _spoiled_gzip(data: bytes, rng: random.Random) -> bytes:
    packed = bytearray(gzip.compress(data, 1, mtime=0))
    what = rng.randrange(6)
    if what == 0:
        del packed[rng.randrange(len(packed)) :]
    elif what == 1:
        packed[rng.randrange(len(packed))] ^= 1 << rng.randrange(8)
    elif what == 2:
        packed += gzip.compress(rng.randbytes(50))
    elif what == 3:
        packed += rng.randbytes(20)
    return bytes(packed)


def deflate_bomb(whole: bytes, size: int) -> bytes:
    """A DICOM file whose deflated data set is `size` zeros."""
    syntax = b"1.2.840.10008.1.2.1.99"
    head = bytes(128) + b"DICM" + struct.pack("<HH2sH", 2, 0x10, b"UI", len(syntax)) + syntax
    packer = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    return head + packer.compress(bytes(size)) + packer.flush()


def _named(seed: Seed, packed: list[bytes], number: int, rng: random.Random) -> dict[str, bytes]:
    """Files by path. Most are named by their number; some by what a shell, a page or a table would trip over."""
    stem = f"{number:06d}"
    folder = ""
    if rng.random() < WICKED_SHARE:
        part = rng.choice(WICKED)
        if rng.random() < 0.5 and part not in (".", ".."):
            folder = f"{stem}/{part}/"
        else:
            stem = f"{part}{stem}"[-180:] if len(part) < 200 else f"{stem}{part}"
            stem = stem.lstrip(".")
    if seed.kind == "pair":
        return {f"{folder}{stem}.hdr": packed[0], f"{folder}{stem}.img": packed[1]}
    if seed.kind == "dicom":
        return {f"{folder}{stem}/{place:03d}.dcm": one for place, one in enumerate(packed)}
    ending = ".mgz" if seed.kind == "mgh" else rng.choice((".nii", ".nii.gz"))
    return {f"{folder}{stem}{ending}": packed[0]}
