"""One pass over a file."""

from __future__ import annotations

import gzip
import hashlib
import os

import numpy as np
import pytest

from brainsift.scans.errors import ScanError
from brainsift.scans.stream import CHUNK_BYTES, ByteSource


@pytest.fixture
def payload() -> bytes:
    return np.random.default_rng(3).integers(0, 50, 3 * CHUNK_BYTES + 17, dtype=np.uint8).tobytes()


@pytest.mark.parametrize("packed", [False, True])
def test_bytes_come_out_as_they_went_in_with_the_digest_of_the_file(tmp_path, payload, packed):
    path = tmp_path / "file"
    path.write_bytes(gzip.compress(payload) if packed else payload)
    with ByteSource(path) as source:
        head = source.read_up_to(100)
        source.push_back(head[40:])
        source.skip(10)
        rest = bytearray(len(payload) - 50)
        source.readinto(memoryview(rest))
        digest, surplus = source.finish(0)
    assert head[:40] == payload[:40]
    assert bytes(rest) == payload[50:]
    assert digest == hashlib.sha256(path.read_bytes()).hexdigest()
    assert surplus == 0


def test_members_of_a_gzip_file_are_joined_wherever_they_are_cut(tmp_path, payload):
    path = tmp_path / "file"
    path.write_bytes(b"".join(gzip.compress(payload[i : i + 70_001]) for i in range(0, len(payload), 70_001)))
    with ByteSource(path) as source:
        assert source.read_up_to(len(payload) + 1) == payload


def test_a_file_that_grows_while_it_is_read_is_refused(tmp_path, payload):
    path = tmp_path / "file"
    path.write_bytes(payload)
    with ByteSource(path) as source:
        source.skip(len(payload))
        with path.open("ab") as writer:
            writer.write(b"more")
        with pytest.raises(ScanError) as caught:
            source.finish(100)
    assert caught.value.kind == "changed_while_read"


def test_a_file_that_is_replaced_while_it_is_read_is_refused(tmp_path, payload):
    path, other = tmp_path / "file", tmp_path / "other"
    path.write_bytes(payload)
    other.write_bytes(payload)
    os.utime(other, ns=(1, 1))
    with ByteSource(path) as source:
        source.skip(len(payload))
        other.replace(path)
        with pytest.raises(ScanError) as caught:
            source.finish(0)
    assert caught.value.kind == "changed_while_read"


def test_surplus_within_the_tolerance_is_counted_and_past_it_refused(tmp_path, payload):
    path = tmp_path / "file"
    path.write_bytes(payload)
    with ByteSource(path) as source:
        source.skip(len(payload) - 30)
        assert source.finish(30)[1] == 30
    with ByteSource(path) as source:
        source.skip(len(payload) - 31)
        with pytest.raises(ScanError) as caught:
            source.finish(30)
    assert caught.value.kind == "trailing_data"
