"""Pictures, scans and masks, asked for by number and name."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import FileResponse

from brainsift.review.desk import Desk
from brainsift.review.errors import RefusedError
from brainsift.review.files import MASKS, PICTURES, Evidence, evidence_of, require_same, volume_of
from brainsift.review.login import Door
from brainsift.review.offer import may_see
from brainsift.review.seats import person_of
from brainsift.store.reviews.people import Reviewer

BINARY = "application/octet-stream"

KEPT = "private, max-age=3600, immutable"
"""A picture's address names its content: what was loaded ahead need not be fetched again."""

NEVER_KEPT = "no-store"


def media_routes(desk: Desk, door: Door) -> APIRouter:
    """Addresses of files."""
    routes = APIRouter(prefix="/api/scans")
    person_here = Depends(person_of(door))

    def evidence(scan_id: int, name: str, endings: tuple[str, ...], person: Reviewer) -> Evidence:
        found = evidence_of(desk.record_by_id(scan_id), None, desk.settings.output, endings)
        for one in found:
            if one.address == name:
                _require_permission(desk, person, one.kind)
                return one
        raise RefusedError("no_picture", "There is no such picture.", "Reload the page.")

    @routes.get("/{scan_id}/pictures/{name}")
    def picture(
        scan_id: int, name: str, person: Reviewer = person_here, v: Annotated[str | None, Query()] = None
    ) -> FileResponse:
        one = evidence(scan_id, name, tuple(PICTURES), person)
        if v is not None:
            require_same(one.path, v)
        cached = KEPT if v is not None and one.kind == "brain" else NEVER_KEPT
        return _file(one.path, PICTURES[one.path.suffix.lower()], cached)

    @routes.get("/{scan_id}/masks/{name}/{file}")
    def mask(scan_id: int, name: str, file: str, person: Reviewer = person_here) -> FileResponse:
        return _file(evidence(scan_id, name, MASKS, person).path, BINARY, NEVER_KEPT)

    @routes.get("/{scan_id}/volume/{file}")
    def volume(scan_id: int, file: str, person: Reviewer = person_here) -> FileResponse:
        _require_permission(desk, person, "surface")
        record = desk.record_by_id(scan_id)
        found = volume_of(record, desk.source, desk.settings.output)
        if isinstance(found, str):
            raise RefusedError("no_volume", f"The scan cannot be shown in 3D ({found}).", "Use the pictures.")
        require_same(found, record.input.sha256)
        return _file(found, BINARY, NEVER_KEPT)

    return routes


def _file(path: object, media_type: str, cached: str) -> FileResponse:
    # The name of the file is not told: it may hold that of a person.
    return FileResponse(str(path), media_type=media_type, headers={"Cache-Control": cached})


def _require_permission(desk: Desk, person: Reviewer, kind: str) -> None:
    if may_see(kind, person.faces, desk.settings.originals):
        return
    if person.faces:
        raise RefusedError("faces", "Pictures from before defacing are not served.", "Start with --originals.")
    raise RefusedError("faces", "You may not see faces.", "Ask an administrator for the permission.")
