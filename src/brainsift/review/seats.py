"""Who asks: the session of a request, the word against forged ones, and the role that is needed."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from fastapi import Request

from brainsift.review.errors import RefusedError
from brainsift.review.login import Door
from brainsift.review.security import SAFE_METHODS
from brainsift.store.reviews.people import Reviewer, Role, Session

CSRF_HEADER = "X-BrainSift-CSRF"


def seat_of(door: Door) -> Callable[[Request], Session]:
    """A dependency that gives the session of a request, refused where it was not sent by our page."""

    def seat(request: Request) -> Session:
        session = door.session(request.cookies.get(door.cookie))
        if request.method not in SAFE_METHODS:
            sent = request.headers.get(CSRF_HEADER, "")
            if not secrets.compare_digest(sent.encode(), session.csrf.encode()):
                raise RefusedError("csrf", "The request was not sent by this page.", "Reload the page.")
        return session

    return seat


def person_of(door: Door, role: Role = "reviewer") -> Callable[[Request], Reviewer]:
    """A dependency that gives the person who asks, refused below `role`."""
    seat = seat_of(door)

    def person(request: Request) -> Reviewer:
        found = seat(request).reviewer
        if not found.may(role):
            raise RefusedError("role", f"This needs the role {role!r}.", "Ask an administrator.")
        return found

    return person
