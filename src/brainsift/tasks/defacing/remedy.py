"""What to do about a defacing that did not work: in words, and as parameters of the tools that people use.

Options are those that the tools' own help gives: fsl_deface moves its face mask by millimetres (`-nud x y z`) and finds
the brain by BET (`-f`, `-c`, `-B`); pydeface chooses the registration's cost (`--cost`) and applies one scan's mask to
others (`--applyto`); afni_refacer has shells of two sizes (`-shell`); mri_deface has no option that moves its mask;
quickshear has one number, its buffer in voxels.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType

TOOLS = ("fsl_deface", "pydeface", "afni_refacer", "mri_deface", "quickshear")

DEFAULT_BUFFER_VOXELS = 10
"""Of quickshear, as published (Schimke and Hale 2011, HealthSec)."""

NARROW_BUFFER_VOXELS, WIDE_BUFFER_VOXELS = 5, 15

FACE = frozenset({"eyes", "nose", "mouth"})


@dataclass(frozen=True)
class Remedy:
    """A way out.

    Attributes
    ----------
    kind : short name, which failures are grouped by.
    words : for a person.
    parameters : tool → what to add to its command; empty where the tool has no such setting.
    """

    kind: str
    words: str
    parameters: Mapping[str, str]


def _of(kind: str, words: str, **parameters: str) -> Remedy:
    return Remedy(kind, words, MappingProxyType({tool: parameters.get(tool, "") for tool in TOOLS}))


CLOSER = _of(
    "move_towards_brain",
    "Part of the face is left: move the mask back towards the brain, by 5 mm at first.",
    fsl_deface="-nud 0 -5 5",
    pydeface="--cost corratio",
    afni_refacer="-mode_deface -shell afni_refacer_shell_sym_2.0.nii.gz",
    quickshear=f"{NARROW_BUFFER_VOXELS}",
)

EARS = _of(
    "ears",
    "Only the ears are left: use a tool that removes them too, or decide that ears may stay.",
    fsl_deface="-nud 0 -5 0",
    afni_refacer="-mode_deface -shell afni_refacer_shell_sym_2.0.nii.gz",
)

AWAY = _of(
    "move_away_from_brain",
    "Brain was removed: move the mask forward and down, away from the brain, by 5 mm at first. Templates are of grown "
    "people and cut the frontal lobes of children.",
    fsl_deface="-nud 0 5 -5",
    pydeface="--cost normmi",
    afni_refacer="-mode_deface -shell afni_refacer_shell_sym_1.0.nii.gz",
    quickshear=f"{WIDE_BUFFER_VOXELS}",
)

APPLY = _of(
    "apply",
    "Nothing was removed: the tool did not run on this file, or its mask lies outside. Run it, and look at its log.",
    fsl_deface="-B",
    pydeface="--force",
    afni_refacer="-mode_deface",
    mri_deface="talairach_mixed_with_skull.gca face.gca",
    quickshear=f"{DEFAULT_BUFFER_VOXELS}",
)

REGISTER = _of(
    "register_again",
    "The mask landed in the wrong place: check the orientation in the header (fslreorient2std), then register again; "
    "for a scan of another contrast apply the mask of the T1w of the same session.",
    fsl_deface="-B -f 0.4",
    pydeface="--cost mutualinfo, run on the T1w with --applyto for this file",
    afni_refacer="-mode_deface",
    quickshear=f"{DEFAULT_BUFFER_VOXELS}",
)

NOTHING = _of("none", "Nothing is to be done but a person's signature.")


def remedy_for(label: str, features_left: Collection[str] = (), *, touched: bool = True) -> Remedy:
    """The remedy for a class.

    Parameters
    ----------
    label : one of the four classes.
    features_left : of `FEATURES`.
    touched : whether anything was removed; tells the two kinds of `failed` apart.

    Raises
    ------
    ValueError
        if there is no such class.
    """
    if label == "correct":
        return NOTHING
    if label == "excessive":
        return AWAY
    if label == "insufficient":
        return CLOSER if FACE & set(features_left) or "ears" not in features_left else EARS
    if label == "failed":
        return REGISTER if touched else APPLY
    raise ValueError(f"Classes are correct, insufficient, excessive and failed, got {label!r}")


REMEDIES: Mapping[str, Remedy] = MappingProxyType(
    {remedy.kind: remedy for remedy in (NOTHING, CLOSER, EARS, AWAY, APPLY, REGISTER)}
)
"""Kind → remedy; a finding keeps the kind alone."""
