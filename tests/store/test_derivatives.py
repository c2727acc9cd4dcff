"""OUTPUT as a BIDS derivative."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from brainsift import __version__
from brainsift.scans.ref import ScanRef
from brainsift.store.derivatives import mask_path, source_uri, write_description, write_sidecar
from brainsift.store.errors import StoreError


def ref(stem: str, suffix: str | None = None) -> ScanRef:
    return ScanRef(f"{stem}.nii.gz", stem, "nifti", (), 0, 0, suffix=suffix)


def test_the_description_says_derivative_by_whom_and_from_what(tmp_path: Path) -> None:
    source, output = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    (source / "dataset_description.json").write_text('{"Name": "x", "DatasetDOI": "doi:10.1/x"}')
    write_description(source, output)
    description = json.loads((output / "dataset_description.json").read_text())
    assert description["DatasetType"] == "derivative"
    assert description["GeneratedBy"] == [{"Name": "BrainSift", "Version": __version__}]
    assert description["SourceDatasets"] == [{"URL": source.as_uri(), "DOI": "doi:10.1/x"}]
    assert description["DatasetLinks"] == {"source": source.as_uri()}
    write_description(source, output)


@pytest.mark.parametrize("content", ['{"Name": "raw data"}', '{"GeneratedBy": [{"Name": "fMRIPrep"}]}', "[]", "{"])
def test_a_data_set_that_another_program_made_is_not_written_into(content: str, tmp_path: Path) -> None:
    (tmp_path / "dataset_description.json").write_text(content)
    with pytest.raises(StoreError, match="did not make"):
        write_description(tmp_path / "in", tmp_path)
    assert (tmp_path / "dataset_description.json").read_text() == content


@pytest.mark.parametrize(
    ("stem", "suffix", "name"),
    [
        ("sub-01/ses-02/anat/sub-01_ses-02_T1w", "T1w", "sub-01_ses-02_mod-T1w_space-orig_desc-brain_mask.nii.gz"),
        ("sub-01/anat/sub-01_T2w", "T2w", "sub-01_mod-T2w_space-orig_desc-brain_mask.nii.gz"),
        (
            "sub-01/anat/sub-01_run-1_echo-2_part-mag_MEGRE",
            "MEGRE",
            "sub-01_run-1_mod-MEGRE_echo-2_part-mag_space-orig_desc-brain_mask.nii.gz",
        ),
        ("patient 7/t1", None, "t1_space-orig_desc-brain_mask.nii.gz"),
        ("x_T1w", "T1w", "x_T1w_space-orig_desc-brain_mask.nii.gz"),
    ],
)
def test_masks_are_named_as_bids_names_them(stem: str, suffix: str | None, name: str, tmp_path: Path) -> None:
    path = mask_path(tmp_path, ref(stem, suffix), "brain")
    assert path.relative_to(tmp_path).as_posix() == "/".join([*stem.split("/")[:-1], name])


def test_a_label_comes_before_the_description(tmp_path: Path) -> None:
    assert mask_path(tmp_path, ref("sub-01_T1w", "T1w"), "wmh", label="L").name == (
        "sub-01_mod-T1w_space-orig_label-L_desc-wmh_mask.nii.gz"
    )


def test_a_sidecar_names_the_source_as_a_bids_uri(tmp_path: Path) -> None:
    path = write_sidecar(tmp_path / "a_mask.nii.gz", "sub-01/anat/sub-01_T1w.nii.gz", tmp_path, Type="Brain")
    assert path.name == "a_mask.json"
    assert json.loads(path.read_text()) == {"Sources": ["bids:source:sub-01/anat/sub-01_T1w.nii.gz"], "Type": "Brain"}
    assert source_uri("a") == "bids:source:a"
