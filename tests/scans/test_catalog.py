"""From a folder to references."""

from __future__ import annotations

import json

import pytest

from brainsift.scans.catalog import catalog, detect_layout
from brainsift.scans.formats import claim
from tests.scans.dicom_bytes import write_series
from tests.scans.nifti_bytes import content, image, put

WHOLE = content(image())


def names(root, participants=None):
    return [ref.scan for ref in catalog(root, participants)]


def make_bids(root, subjects=("01", "02"), **description):
    root.mkdir(parents=True, exist_ok=True)
    (root / "dataset_description.json").write_text(json.dumps({"Name": "x", "BIDSVersion": "1.9.0", **description}))
    for subject in subjects:
        base = root / f"sub-{subject}" / "ses-a"
        put(base / "anat" / f"sub-{subject}_ses-a_T1w.nii.gz", WHOLE)
        (base / "anat" / f"sub-{subject}_ses-a_T1w.json").write_text('{"EchoTime": 0.003}')
        put(base / "swi" / f"sub-{subject}_ses-a_part-mag_GRE.nii.gz", WHOLE)
        put(base / "func" / f"sub-{subject}_ses-a_task-rest_bold.nii.gz", WHOLE)
        put(base / "dwi" / f"sub-{subject}_ses-a_dwi.nii.gz", WHOLE)
    put(root / "derivatives" / "tool" / "sub-01" / "anat" / "sub-01_desc-brain_mask.nii.gz", WHOLE)
    put(root / "sourcedata" / "raw.nii.gz", WHOLE)
    return root


def test_order_is_fixed_and_paths_are_relative(tmp_path):
    for name in ("b/2.nii", "a.nii.gz", "b/1.mgz", "c.hdr", "b.nii"):
        put(tmp_path / name, WHOLE)
    assert names(tmp_path) == ["a.nii.gz", "b.nii", "c.hdr", "b/1.mgz", "b/2.nii"]


def test_bids_names_are_read_and_only_anatomy_is_kept(tmp_path):
    found = catalog(make_bids(tmp_path / "set"))
    refs = list(found)
    assert [ref.scan for ref in refs] == [
        "sub-01/ses-a/anat/sub-01_ses-a_T1w.nii.gz",
        "sub-01/ses-a/swi/sub-01_ses-a_part-mag_GRE.nii.gz",
        "sub-02/ses-a/anat/sub-02_ses-a_T1w.nii.gz",
        "sub-02/ses-a/swi/sub-02_ses-a_part-mag_GRE.nii.gz",
    ]
    first = refs[0]
    assert (first.participant, first.session, first.suffix) == ("01", "a", "T1w")
    assert first.sidecar == tmp_path / "set" / "sub-01/ses-a/anat/sub-01_ses-a_T1w.json"
    assert first.stem == "sub-01/ses-a/anat/sub-01_ses-a_T1w"
    assert first.size == first.paths[0].stat().st_size
    assert first.mtime_ns == first.paths[0].stat().st_mtime_ns
    assert (found.counts.scans, found.counts.other_datatypes, found.counts.not_raw) == (4, 4, 2)
    assert detect_layout(tmp_path / "set") == "bids"


def test_names_agree_with_bids2table(tmp_path):
    bids2table = pytest.importorskip("bids2table")
    root = make_bids(tmp_path / "set")
    table = bids2table.index_dataset(root).to_pylist()
    theirs = {row["path"]: (row["sub"], row["ses"], row["suffix"]) for row in table if row["datatype"] == "anat"}
    ours = {ref.scan: (ref.participant, ref.session, ref.suffix) for ref in catalog(root) if "/anat/" in ref.scan}
    assert ours == theirs


@pytest.mark.parametrize("label", ["02", "sub-02"])
def test_only_the_folders_asked_for_are_opened(tmp_path, label):
    root = make_bids(tmp_path / "set", ("01", "02", "03"))
    (root / "sub-01" / "ses-a" / "loop").symlink_to(root, target_is_directory=True)
    found = catalog(root, [label, "99"])
    assert [ref.participant for ref in found] == ["02", "02"]
    assert found.counts.missing_participants == ("99",)


def test_participants_of_a_plain_folder_are_found_by_name_or_by_folder(tmp_path):
    for name in ("sub-01_T1w.nii", "patient7/scan.nii", "patient8/scan.nii"):
        put(tmp_path / name, WHOLE)
    assert names(tmp_path, ["01"]) == ["sub-01_T1w.nii"]
    assert names(tmp_path, ["patient7"]) == ["patient7/scan.nii"]


def test_dataset_inside_a_plain_folder_keeps_its_rules(tmp_path):
    make_bids(tmp_path / "study" / "set", ("01",))
    put(tmp_path / "study" / "other" / "func" / "x.nii", WHOLE)
    assert names(tmp_path / "study") == [
        "other/func/x.nii",
        "set/sub-01/ses-a/anat/sub-01_ses-a_T1w.nii.gz",
        "set/sub-01/ses-a/swi/sub-01_ses-a_part-mag_GRE.nii.gz",
    ]


def test_own_outputs_inside_the_input_are_passed_over(tmp_path):
    put(tmp_path / "scan.nii", WHOLE)
    make_bids(tmp_path / "out", DatasetType="derivative", GeneratedBy=[{"Name": "BrainSift"}])
    found = catalog(tmp_path)
    assert [ref.scan for ref in found] == ["scan.nii"]
    assert found.counts.own_outputs == 1


def test_damaged_description_is_no_reason_to_stop(tmp_path):
    (tmp_path / "dataset_description.json").write_text("{not json")
    put(tmp_path / "derivatives" / "scan.nii", WHOLE)
    assert names(tmp_path) == ["derivatives/scan.nii"]


def test_twins_get_different_stems(tmp_path):
    for name in ("a.nii", "a.nii.gz", "A.mgz", "b.nii", "b/1.nii"):
        put(tmp_path / name, WHOLE)
    write_series(tmp_path / "b")
    stems = {ref.scan: ref.stem for ref in catalog(tmp_path)}
    assert stems == {
        "A.mgz": "A_mgz",
        "a.nii": "a_nii",
        "a.nii.gz": "a_nii_gz",
        "b.nii": "b",
        "b/1.nii": "b/1",
        "b": "b~2",
    }


def test_series_of_one_folder_become_scans_with_their_numbers(tmp_path):
    write_series(tmp_path / "exam", prefix="A", series_number=12)
    write_series(tmp_path / "exam", prefix="B", series_number=3)
    write_series(tmp_path / "alone", suffix=".dcm")
    refs = list(catalog(tmp_path))
    assert [ref.scan for ref in refs] == ["alone", "exam#0003", "exam#0012"]
    assert [ref.stem for ref in refs] == ["alone", "exam_0003", "exam_0012"]
    assert [path.name for path in refs[1].paths] == [f"B{n:04d}" for n in range(8)]
    assert refs[0].size == sum(path.stat().st_size for path in refs[0].paths)
    assert detect_layout(tmp_path) == "dicom"


def test_series_that_share_a_number_stay_apart_and_keep_their_names(tmp_path):
    write_series(tmp_path, prefix="A", series_number=3)
    write_series(tmp_path, prefix="B", series_number=3)
    first = names(tmp_path)
    assert len(set(first)) == 2
    assert all(f"{tmp_path.name}#0003-" in scan for scan in first)
    write_series(tmp_path, prefix="C", series_number=3)
    assert set(first) < set(names(tmp_path))


def test_series_spread_over_folders_is_counted(tmp_path):
    uid = "1.2.3.4"
    write_series(tmp_path / "one", series_uid=uid)
    write_series(tmp_path / "two", series_uid=uid)
    found = catalog(tmp_path)
    assert len(list(found)) == 2
    assert found.counts.split_series == 1


def test_what_is_no_image_is_ignored_and_counted(tmp_path):
    put(tmp_path / "scan.nii", WHOLE)
    for name in ("README", "notes.txt", "table.tsv", "Makefile", "run.sh"):
        (tmp_path / name).write_text("text that is long enough to be looked into" * 10)
    (tmp_path / ".hidden.nii").write_bytes(WHOLE)
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "x.nii").write_bytes(WHOLE)
    found = catalog(tmp_path)
    assert [ref.scan for ref in found] == ["scan.nii"]
    assert (found.counts.ignored, found.counts.hidden) == (5, 2)


def test_images_and_dicom_in_one_tree(tmp_path):
    put(tmp_path / "scan.nii", WHOLE)
    write_series(tmp_path / "series")
    assert names(tmp_path) == ["scan.nii", "series"]
    assert detect_layout(tmp_path) == "mixed"
    assert detect_layout(tmp_path / "scan.nii") == "plain"


def test_single_file_and_single_series_folder_go_by_their_own_names(tmp_path):
    path = put(tmp_path / "scan.nii.gz", WHOLE)
    (ref,) = catalog(path)
    assert (ref.scan, ref.stem, ref.format, ref.paths) == ("scan.nii.gz", "scan", "nifti", (path,))
    write_series(tmp_path / "series")
    assert names(tmp_path / "series") == ["series"]
    (missing,) = catalog(tmp_path / "nowhere.nii")
    assert missing.problem is not None
    assert missing.problem.kind == "missing_file"


def test_links_are_followed_once(tmp_path):
    put(tmp_path / "out" / "far.nii", WHOLE)
    put(tmp_path / "in" / "real" / "near.nii", WHOLE)
    (tmp_path / "in" / "alias").symlink_to(tmp_path / "in" / "real", target_is_directory=True)
    (tmp_path / "in" / "far").symlink_to(tmp_path / "out", target_is_directory=True)
    (tmp_path / "in" / "far_again").symlink_to(tmp_path / "out", target_is_directory=True)
    (tmp_path / "in" / "link.nii").symlink_to(tmp_path / "out" / "far.nii")
    found = catalog(tmp_path / "in")
    assert [ref.scan for ref in found] == ["link.nii", "far/far.nii", "real/near.nii"]
    assert found.counts.aliases == 2


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.nii", "nifti"),
        ("A.NII.GZ", "nifti"),
        ("a.b.nii.gz", "nifti"),
        ("a.hdr", "nifti"),
        ("T1.mgz", "mgz"),
        ("x.dcm", "dicom"),
        ("x.IMA", "dicom"),
        ("IM0001", "maybe_dicom"),
        ("1.2.840.113619.2", "maybe_dicom"),
        ("MR.1.3.12.2.1107.5.2.43.66012", "maybe_dicom"),
        ("a.mif.gz", "unsupported"),
        ("a.tar.gz", "unsupported"),
        ("a.par", "unsupported"),
        ("notes.txt", "other"),
        ("a.json", "other"),
        ("bvals.bval", "other"),
    ],
)
def test_names_claim_formats(name, kind):
    assert claim(name)[0] == kind


def test_catalog_reads_no_pixels(tmp_path):
    put(tmp_path / "scan.nii", WHOLE)
    put(tmp_path / "bad.nii.gz", b"not an image at all")
    assert [ref.problem for ref in catalog(tmp_path)] == [None, None]
