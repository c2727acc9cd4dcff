"""Logging in and out, and who may."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends, Request, Response

from brainsift import __version__
from brainsift.review.bodies import Empty, Login, NewReviewer, ReviewerChange
from brainsift.review.desk import Desk, time_text
from brainsift.review.errors import RefusedError
from brainsift.review.login import Door
from brainsift.review.seats import person_of, seat_of
from brainsift.store.reviews.people import SESSION_S, Reviewer, Session, add_reviewer, change_reviewer, reviewers


def people_routes(desk: Desk, door: Door, secure: bool) -> APIRouter:
    """Addresses for logging in and for the administrator's list of people."""
    routes = APIRouter(prefix="/api")
    seat = Depends(seat_of(door))
    admin = Depends(person_of(door, "admin"))

    def session_view(session: Session) -> dict[str, Any]:
        person, settings = session.reviewer, desk.settings
        user = {name: getattr(person, name) for name in ("name", "role", "faces", "simulated")}
        return {
            "user": user,
            "csrf": session.csrf,
            "study": {
                "id": door.ident,
                "title": settings.output.resolve().name,
                "scans": sum(desk.database.counts().values()),
            },
            "version": __version__,
            "settings": {
                name: getattr(settings, name) for name in ("blind", "sheet_size", "ahead", "lease_s", "names")
            },
        }

    @routes.post("/login")
    def login(body: Login, request: Request, response: Response) -> dict[str, Any]:
        address = request.client.host if request.client else ""
        cookie, session = door.enter(body.token, address)
        response.set_cookie(
            door.cookie, cookie, max_age=SESSION_S, httponly=True, secure=secure, samesite="strict", path="/"
        )
        return session_view(session)

    @routes.post("/logout")
    def logout(_: Empty, request: Request, response: Response, __: Session = seat) -> dict[str, Any]:
        door.leave(request.cookies[door.cookie])
        response.delete_cookie(door.cookie, httponly=True, secure=secure, samesite="strict", path="/")
        return {}

    @routes.get("/session")
    def session(found: Session = seat) -> dict[str, Any]:
        return session_view(found)

    @routes.get("/users")
    def users(_: Reviewer = admin) -> dict[str, Any]:
        return {"users": [_view(one) for one in reviewers(desk.database)]}

    @routes.post("/users")
    def add(body: NewReviewer, _: Reviewer = admin) -> dict[str, Any]:
        made = Reviewer(body.name, body.role, body.faces, body.simulated, since=time_text())
        try:
            token = add_reviewer(desk.database, made)
        except ValueError as error:
            kind = "exists" if any(one.name == body.name for one in reviewers(desk.database)) else "invalid"
            raise RefusedError(kind, f"{error}.", "Choose another name.") from None
        return {"user": _view(made), "token": token}

    @routes.patch("/users/{name}")
    def change(name: str, body: ReviewerChange, person: Reviewer = admin) -> dict[str, Any]:
        lost = body.active is False or body.role in ("reviewer", "adjudicator")
        if name == person.name and lost:
            raise RefusedError("invalid", "You cannot shut yourself out.", "Ask another administrator.")
        try:
            changed, token = change_reviewer(
                desk.database,
                name,
                role=body.role,
                faces=body.faces,
                active=body.active,
                new_token=body.new_token,
            )
        except LookupError as error:
            raise RefusedError("no_user", f"{error}.", "Look at the list of people.") from None
        return {"user": _view(changed), "token": token}

    return routes


def _view(person: Reviewer) -> dict[str, Any]:
    return {name: getattr(person, name) for name in Reviewer.__dataclass_fields__}
