"""Letting people in: by the token that the start printed, or by one of their own; not by trying many."""

from __future__ import annotations

import secrets
import threading
import time
from collections import defaultdict, deque
from dataclasses import dataclass

from brainsift.review.desk import now_ms
from brainsift.review.errors import RefusedError
from brainsift.store.database import Database
from brainsift.store.reviews import people
from brainsift.store.reviews.chain import study_ident
from brainsift.store.reviews.people import Reviewer, Session

COOKIE = "brainsift_review_"
"""Beginning of the cookie's name; the study's own name follows, because browsers share cookies between ports."""

WINDOW_S = 60.0
PER_ADDRESS = 5
IN_ALL = 30
"""Failures in a window from one address, and from all, after which nobody is let in until it has passed."""

REMEMBERED = 1000
"""Addresses whose failures are kept; those of the longest ago are forgotten first."""


class Throttle:
    """Counts failed logins."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failures: dict[str, deque[float]] = defaultdict(deque)

    def check(self, address: str) -> None:
        """Refuse where there were too many failures.

        Raises
        ------
        RefusedError
            ``too_many_logins``, with `Retry-After`.
        """
        with self._lock:
            now = time.monotonic()
            for name in list(self._failures):
                recent = self._failures[name]
                while recent and recent[0] < now - WINDOW_S:
                    recent.popleft()
                if not recent:
                    del self._failures[name]
            own = self._failures.get(address, deque())
            everybody = sorted(moment for recent in self._failures.values() for moment in recent)
            blocking = own if len(own) >= PER_ADDRESS else everybody if len(everybody) >= IN_ALL else None
        if blocking:
            wait = max(1, round(blocking[0] + WINDOW_S - now))
            raise RefusedError(
                "too_many_logins",
                "Too many logins have failed.",
                f"Try again in {wait} seconds.",
                headers={"Retry-After": str(wait)},
            )

    def failed(self, address: str) -> None:
        """Note a failure."""
        with self._lock:
            self._failures[address].append(time.monotonic())
            while len(self._failures) > REMEMBERED:
                self._failures.pop(next(iter(self._failures)))


@dataclass
class Door:
    """Where people log in.

    Attributes
    ----------
    start_token : printed once at the start; lets the person in who started the server, until it stops.
    host : that person's name.
    ident : of the study.
    """

    database: Database
    host: str
    start_token: str
    throttle: Throttle
    ident: str

    @property
    def cookie(self) -> str:
        """Name of the cookie of this study."""
        return COOKIE + self.ident

    @classmethod
    def open(cls, database: Database, host: str, faces: bool) -> Door:
        """Make sure that the person who starts the server may log in, as an administrator."""
        people.ensure_admin(database, host, faces)
        return cls(database, host, secrets.token_urlsafe(people.TOKEN_BYTES), Throttle(), study_ident(database))

    def enter(self, token: str, address: str) -> tuple[str, Session]:
        """Open a session and return its cookie.

        Raises
        ------
        RefusedError
            ``bad_token`` or ``too_many_logins``.
        """
        self.throttle.check(address)
        person = self._person(token)
        if person is None:
            self.throttle.failed(address)
            raise RefusedError("bad_token", "This token is not known.", "Ask for a new one, or look at the console.")
        cookie, csrf = people.log_in(self.database, person.name, now_ms())
        return cookie, Session(person, csrf)

    def leave(self, cookie: str) -> None:
        """End a session."""
        people.log_out(self.database, cookie)

    def session(self, cookie: str | None) -> Session:
        """The session of a cookie.

        Raises
        ------
        RefusedError
            ``not_logged_in``.
        """
        found = people.session_of(self.database, cookie, now_ms()) if cookie else None
        if found is None:
            raise RefusedError("not_logged_in", "You are not logged in.", "Log in with your token.")
        return found

    def _person(self, token: str) -> Reviewer | None:
        if secrets.compare_digest(people.digest(token), people.digest(self.start_token)):
            return people.find_reviewer(self.database, self.host)
        return people.reviewer_with(self.database, token)
