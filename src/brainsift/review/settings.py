"""How a review is held."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class ReviewSettings:
    """Settings of one server.

    Attributes
    ----------
    output : OUTPUT of `brainsift run`.
    db : database URL; None for the file in OUTPUT.
    source : INPUT, for the 3D viewer; None: as `run.toml` names it.
    blind : the machine's answer is told only after the person's.
    names : paths of scans are shown.
    originals : pictures of scans before defacing are served, to those who may see faces.
    second_share : share of first readings that somebody else reads again, as soon as there are two people.
    audit_share : share of automatic decisions that a person looks at.
    catch_share : share of scans with a known answer among those handed out, while there are any.
    sheet_size : scans on a contact sheet.
    ahead : scans to load beyond the one that is shown.
    lease_s : seconds for which a scan is one person's without a sign of life.
    """

    output: Path
    db: str | None = None
    source: Path | None = None
    blind: bool = True
    names: bool = False
    originals: bool = False
    second_share: float = 0.1
    audit_share: float = 0.0
    catch_share: float = 0.05
    sheet_size: int = 20
    ahead: int = 3
    lease_s: int = 600
