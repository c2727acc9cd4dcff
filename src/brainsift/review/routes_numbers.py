"""Figures, labels and the check of the trail."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from brainsift.review.desk import Desk
from brainsift.review.labels import LABELS_NAME, labels_tsv
from brainsift.review.login import Door
from brainsift.review.progress import Counts
from brainsift.review.seats import person_of
from brainsift.review.summary import summary
from brainsift.store.reviews.chain import check_trail
from brainsift.store.reviews.people import Reviewer
from brainsift.store.reviews.verdicts import check_cases


def number_routes(desk: Desk, door: Door, counts: Counts) -> APIRouter:
    """Addresses of figures."""
    routes = APIRouter(prefix="/api")
    person_here = Depends(person_of(door))
    adjudicator = Depends(person_of(door, "adjudicator"))
    admin = Depends(person_of(door, "admin"))

    @routes.get("/progress")
    def progress(person: Reviewer = person_here) -> dict[str, Any]:
        return counts.progress(person)

    @routes.get("/summary")
    def figures(_: Reviewer = adjudicator) -> dict[str, Any]:
        return summary(desk)

    @routes.get("/labels.tsv")
    def labels(_: Reviewer = admin) -> Response:
        headers = {"Content-Disposition": f'attachment; filename="{LABELS_NAME}"'}
        return Response(labels_tsv(desk.database), media_type="text/tab-separated-values", headers=headers)

    @routes.get("/trail")
    def trail(_: Reviewer = admin) -> dict[str, Any]:
        found = check_trail(desk.database)
        fault = found.fault or check_cases(desk.database)
        told = None if fault is None else {"position": fault.position, "cause": fault.cause}
        return {"whole": fault is None, "events": found.events, "head": found.head, "fault": told}

    return routes
