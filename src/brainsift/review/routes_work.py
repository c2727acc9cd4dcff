"""Taking scans, deciding, signing, taking back."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from brainsift.review import deciding
from brainsift.review.bodies import Decision, Empty, Hand, Items, SheetSize, Signature, Undo
from brainsift.review.deciding import Answer
from brainsift.review.desk import Desk, now_ms, time_text
from brainsift.review.errors import RefusedError
from brainsift.review.login import Door
from brainsift.review.progress import Counts
from brainsift.review.seats import person_of
from brainsift.store.reviews import acts, leases
from brainsift.store.reviews.people import Reviewer


def work_routes(desk: Desk, door: Door, counts: Counts) -> APIRouter:
    """Addresses of the work itself."""
    routes = APIRouter(prefix="/api")
    person_here = Depends(person_of(door))

    @routes.get("/tasks")
    def tasks(person: Reviewer = person_here) -> dict[str, Any]:
        return {
            "tasks": [desk.question(task).view() | {"lists": counts.lists(person, task)} for task in counts.tasks()]
        }

    @routes.post("/tasks/{task}/lists/{name}/hand")
    def hand(task: str, name: str, body: Hand, person: Reviewer = person_here) -> dict[str, Any]:
        return {"items": desk.hand(person, task, name, body.size), "open": counts.open(person, task, name)}

    @routes.post("/tasks/{task}/lists/{name}/sheet")
    def sheet(task: str, name: str, body: SheetSize, person: Reviewer = person_here) -> dict[str, Any]:
        size = body.size or desk.settings.sheet_size
        return {"sheet": desk.sheet(person, task, name, size), "open": counts.open(person, task, name)}

    @routes.post("/items/{item}/decision")
    def decide(item: str, body: Decision, person: Reviewer = person_here) -> dict[str, Any]:
        return deciding.decide(desk, person, Answer(item, body.outcome, body.choice, body.fields), body.sign())

    @routes.post("/items/{item}/release")
    def release(item: str, _: Empty, person: Reviewer = person_here) -> dict[str, Any]:
        leases.release(desk.database, person.name, [item])
        return {}

    @routes.post("/sheets/{name}/sign")
    def sign(name: str, body: Signature, person: Reviewer = person_here) -> dict[str, Any]:
        exceptions = [one.answer() for one in body.exceptions]
        return deciding.sign_sheet(desk, person, name, exceptions, body.sign())

    @routes.post("/sheets/{name}/release")
    def release_sheet(name: str, _: Empty, person: Reviewer = person_here) -> dict[str, Any]:
        on_sheet = leases.of_sheet(desk.database, name)
        if not on_sheet:
            raise RefusedError("no_sheet", "There is no such sheet.", "Reload the page.")
        leases.release(desk.database, person.name, [lease.item for lease in on_sheet])
        return {}

    @routes.post("/leases/renew")
    def renew(body: Items, person: Reviewer = person_here) -> dict[str, Any]:
        until = desk.until(now_ms())
        kept = {lease.item for lease in leases.renew(desk.database, person.name, body.items, until)}
        return {
            "kept": [item for item in body.items if item in kept],
            "lost": [item for item in body.items if item not in kept],
            "until": time_text(until),
        }

    @routes.post("/undo")
    def undo(body: Undo, person: Reviewer = person_here) -> dict[str, Any]:
        return deciding.take_back(desk, person, body.key, body.event)

    @routes.get("/history")
    def history(person: Reviewer = person_here, limit: Annotated[int, Query(ge=1, le=500)] = 50) -> dict[str, Any]:
        rows = acts.history(desk.database, person.name, limit)
        return {"events": [deciding.event_view(desk, row) for row in rows]}

    return routes
