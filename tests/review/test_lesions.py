"""What a person is shown of a lesion mask: its own slices first, with lines that can be taken off, and one mask."""

from __future__ import annotations

from pathlib import Path

from brainsift.review.offer import make_offer, may_see
from tests.review.parts import record, write_files


def test_lesions_are_shown_by_their_slices_with_lines_over_them_and_one_mask(tmp_path: Path) -> None:
    one = record(0, {"wmh": "refer"})
    evidence = {
        "wmh_mask": f"{one.stem}_mask.nii.gz",
        "wmh_probability": f"{one.stem}_probseg.nii.gz",
        "wmh_lesions": f"{one.stem}_table.tsv",
        "wmh_slices": f"{one.stem}_slices.webp",
        "wmh_slices_outline": f"{one.stem}_lines.webp",
    }
    finding = one.findings[0].model_copy(update={"evidence": evidence})
    one = one.model_copy(update={"findings": (finding,)})
    source, output = tmp_path / "in", tmp_path / "out"
    write_files(one, 0, source, output)
    offered = make_offer(one, 1, "wmh", output, source)
    shown = [(picture["name"], picture["over"]) for picture in offered["pictures"]]
    assert shown[:2] == [("wmh_slices", None), ("wmh_slices_outline", "wmh_slices")]
    assert {name for name, _ in shown[2:]} == {"mosaic", "mosaic_outline"}
    assert [(mask["name"], mask["title"]) for mask in offered["masks"]] == [
        ("wmh_mask", "White-matter hyperintensities")
    ]
    assert all(may_see(picture["kind"], faces=False, originals=False) for picture in offered["pictures"])
