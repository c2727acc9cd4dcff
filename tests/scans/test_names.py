"""Names that can be printed, stored and told apart."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brainsift.scans.names import Unique, entities, printable, safe_stem


@given(st.binary(min_size=1, max_size=40), st.binary(min_size=1, max_size=40))
def test_any_bytes_become_printable_and_different_bytes_stay_different(first, second):
    one, two = (printable(os.fsdecode(name)) for name in (first, second))
    one.encode("utf-8")
    assert one.isprintable()
    assert (one == two) == (first == second)


@given(st.text(max_size=300))
def test_stems_suit_any_file_system(text):
    stem = safe_stem(printable(text))
    assert all(len(part.encode()) <= 160 for part in stem.split("/"))
    assert not set(stem) & set('\\:*?"<>|#%')


def test_long_names_stay_different():
    assert safe_stem("x" * 300 + "a") != safe_stem("x" * 300 + "b")


def test_unique_names_differ_whatever_their_case():
    unique = Unique()
    given_out = [unique(name) for name in ("a", "A", "a", "a~2", "b")]
    assert len({name.casefold() for name in given_out}) == 5
    assert given_out[0] == "a"
    assert given_out[-1] == "b"


@pytest.mark.parametrize(
    ("folders", "stem", "expected"),
    [
        (("sub-01", "ses-2", "anat"), "sub-01_ses-2_acq-x_T1w", ("01", "2", "T1w")),
        (("sub-01", "anat"), "scan", ("01", None, None)),
        ((), "sub-ab_FLAIR", ("ab", None, "FLAIR")),
        ((), "patient_T1w", (None, None, "T1w")),
        ((), "T1w", (None, None, "T1w")),
        ((), "subject-01_scan", (None, None, None)),
        ((), "", (None, None, None)),
    ],
)
def test_bids_entities(folders, stem, expected):
    found = entities(folders, stem)
    assert (found.participant, found.session, found.suffix) == expected
