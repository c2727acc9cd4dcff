"""Only what is on the list comes out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brainsift.scans.header_fields import NUMBERS, TERMS, keep
from brainsift.scans.sequence_hint import name_hint, sequence_hint

FIELDS = (*NUMBERS, *TERMS, "Manufacturer", "ManufacturersModelName", "ContrastBolusAgent", "PatientName", "Comment")


@given(st.dictionaries(st.sampled_from(FIELDS), st.text(alphabet="xyqjkv^ ", min_size=3, max_size=20)))
def test_free_text_never_passes_in_any_field(fields):
    kept = keep(fields)
    texts = [value for value in kept.values() if isinstance(value, (str, list)) and value]
    assert texts == []


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1.0, 1e9, "12", True, None, [], {"a": 1}])
def test_numbers_that_mean_nothing_are_left_out(value):
    assert "EchoTime" not in keep({"EchoTime": value})


def test_sidecar_times_are_seconds_and_dicom_times_are_milliseconds():
    assert keep({"EchoTime": 0.03})["EchoTime"] == 0.03
    assert keep({"EchoTime": 30.0}, dicom_units=True)["EchoTime"] == 0.03


def test_known_terms_are_kept_from_among_others():
    kept = keep(
        {"ScanningSequence": "GR\\IR", "ImageType": ["original", "PRIMARY", "SMITH"], "BodyPartExamined": "HEAD"}
    )
    assert kept["ScanningSequence"] == "GR\\IR"
    assert kept["ImageType"] == ["ORIGINAL", "PRIMARY"]
    assert kept["BodyPartExamined"] == "HEAD"


@pytest.mark.parametrize(("agent", "given_"), [("Gadovist", True), ("NONE", False), ("", False)])
def test_contrast_agent_is_yes_or_no(agent, given_):
    assert keep({"ContrastBolusAgent": agent})["ContrastAgent"] is given_


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("t1_mprage_sag_p2_iso", "T1w"),
        ("SAG MPRAGE 220 FOV", "T1w"),
        ("Ax T1 SE +C", "T1w"),
        ("3D_T1_TFE", "T1w"),
        ("AX FSPGR 3D", "T1w"),
        ("t2_tse_tra", "T2w"),
        ("Ax T2 FLAIR", "FLAIR"),
        ("t2_tirm_tra_dark-fluid", "FLAIR"),
        ("T1 FLAIR sag", "T1w"),
        ("pd+t2_tse", "PDw"),
        ("t2_fl2d_tra_hemo", "T2starw"),
        ("AX T2* GRE", "T2starw"),
        ("SWI_Images", "swi"),
        ("Ax SWAN", "swi"),
        ("QSM_recon", "swi"),
        ("ep2d_diff_3scan_trace", "dwi"),
        ("rs_fMRI bold", "bold"),
        ("TOF_3D_multi-slab", "angio"),
        ("3-plane localizer", "localizer"),
        ("AAHead_Scout", "localizer"),
        ("something else", None),
        ("PATIENT1 DOE", None),
    ],
)
def test_descriptions_hint_at_the_sequence(text, hint):
    assert sequence_hint({}, (text,)) == hint


@pytest.mark.parametrize(
    ("name", "hint"),
    [("p01_qsm", "Chimap"), ("chi-p01", "Chimap"), ("suscept_map", "Chimap"), ("p01_swi", "swi"), ("machine", None)],
)
def test_in_a_files_name_words_for_susceptibility_mean_the_map(name, hint):
    assert name_hint(name) == hint


@pytest.mark.parametrize(
    ("fields", "hint"),
    [
        ({"EchoTime": 0.003, "RepetitionTime": 2.0, "InversionTime": 0.9, "ScanningSequence": "GR\\IR"}, "T1w"),
        ({"EchoTime": 0.12, "RepetitionTime": 9.0, "InversionTime": 2.5, "ScanningSequence": "SE\\IR"}, "FLAIR"),
        ({"EchoTime": 0.1, "RepetitionTime": 4.0, "ScanningSequence": "SE"}, "T2w"),
        ({"EchoTime": 0.01, "RepetitionTime": 3.0, "ScanningSequence": "SE"}, "PDw"),
        ({"EchoTime": 0.01, "RepetitionTime": 0.5, "ScanningSequence": "SE"}, "T1w"),
        ({"EchoTime": 0.025, "RepetitionTime": 0.7, "ScanningSequence": "GR"}, "T2starw"),
        ({"EchoTime": 0.003, "RepetitionTime": 0.01, "ScanningSequence": "GR"}, "T1w"),
        ({"EchoTime": 0.08, "RepetitionTime": 6.0, "ScanningSequence": "EP"}, None),
        ({"ImageType": ["ORIGINAL", "LOCALIZER"]}, "localizer"),
        ({"EchoTime": 0.1}, None),
    ],
)
def test_physics_hints_where_words_do_not(fields, hint):
    assert sequence_hint(fields) == hint
