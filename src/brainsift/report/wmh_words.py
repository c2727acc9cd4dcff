"""What the pages say of white-matter hyperintensities."""

from __future__ import annotations

REGIONS = {
    "periventricular": ("Periventricular", "less than 10 mm from the lateral ventricles"),
    "juxtacortical": ("Juxtacortical", "within 4 mm of the cortex"),
    "deep": ("Deep", "the rest of the cerebral white matter"),
    "infratentorial": ("Infratentorial", "brainstem and cerebellum"),
}
"""Region → title and definition, in the order in which they are told."""

GRADES = {
    "periventricular": ("none", "cap or line below 5 mm", "5 to 10 mm", "10 mm and more"),
    "deep": ("none", "below 10 mm", "10 to 25 mm", "25 mm and more"),
}
"""Place → what grades 0 to 3 stand for here."""

SIZES = {
    "periventricular": ("periventricular_thickness_mm", "thickness"),
    "deep": ("deep_diameter_mm", "longest axis"),
}
"""Place → measurement behind its grade, and its name."""

DERIVED = (
    "Fazekas-like grades are derived from sizes in the mask (steps of the CREDOS scale), not read by a radiologist."
)
PICTURE = (
    "Axial slices with most marked, from below; vermilion lines run around what is marked. R is the patient's right. "
    "All that lies more than 8 mm outside the skull's inside is blanked. Point at the picture to see it without lines."
)
RULE = (
    "Every volume is a number of marked voxels of the scan's own grid times the volume of a voxel. Other thresholds "
    "are half of it and half-way from it to 1: they tell how sharp the answer is, and are no interval."
)
UNKNOWN_SITE = "site not known"
