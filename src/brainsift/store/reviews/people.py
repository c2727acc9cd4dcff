"""Who may log in, and which browsers are logged in. Tokens and cookies are kept as digests alone."""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, cast

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from brainsift.store.database import Database, translated_errors
from brainsift.store.errors import StoreError
from brainsift.store.reviews.schema import ReviewerRow, SessionRow

Role = Literal["reviewer", "adjudicator", "admin"]

ROLES: tuple[Role, ...] = ("reviewer", "adjudicator", "admin")
"""Each may do what those before it may."""

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}")
"""Names of reviewers: short, and safe in a TSV; initials or a pseudonym will do."""

SESSION_S = 12 * 3600
"""A browser that was not used for this long is logged out: longer than a working day, shorter than two."""

TOKEN_BYTES = 24
"""192 random bits cannot be guessed, so a plain SHA-256 of them needs no salt and no slow hash."""


@dataclass(frozen=True)
class Reviewer:
    """A person who may log in; `simulated` marks a program that plays one: its seconds are not taken for real."""

    name: str
    role: Role
    faces: bool = False
    simulated: bool = False
    active: bool = True
    since: str = ""

    def may(self, role: Role) -> bool:
        """Whether the person has this role or a higher one."""
        return ROLES.index(self.role) >= ROLES.index(role)


@dataclass(frozen=True)
class Session:
    """A browser that is logged in: whose it is, and the word that each of its posts must carry."""

    reviewer: Reviewer
    csrf: str


def digest(secret: str) -> str:
    """What is kept of a token or a cookie."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def add_reviewer(database: Database, reviewer: Reviewer, with_token: bool = True) -> str | None:
    """Let a person in, and return the token to hand over; it is not kept.

    Raises
    ------
    ValueError
        if the name or role cannot be, or the name is taken.
    """
    if not NAME.fullmatch(reviewer.name):
        raise ValueError(
            f"A name is up to 32 of A-Z a-z 0-9 . _ - and starts with a letter or digit, got {reviewer.name!r}"
        )
    if reviewer.role not in ROLES:
        raise ValueError(f"A role is one of {', '.join(ROLES)}, got {reviewer.role!r}")
    token = secrets.token_urlsafe(TOKEN_BYTES) if with_token else None
    row = {name: getattr(reviewer, name) for name in Reviewer.__dataclass_fields__}
    row |= {"study": database.study, "token_sha256": None if token is None else digest(token)}
    with translated_errors():
        try:
            with database.engine.begin() as connection:
                connection.execute(insert(ReviewerRow).values(**row))
        except IntegrityError:
            raise ValueError(f"There is a reviewer {reviewer.name!r} already") from None
    return token


def change_reviewer(
    database: Database,
    name: str,
    *,
    role: Role | None = None,
    faces: bool | None = None,
    active: bool | None = None,
    new_token: bool = False,
) -> tuple[Reviewer, str | None]:
    """Change what a person may do, and log out their browsers; return the new token if one was asked for.

    Raises
    ------
    LookupError
        if there is no such person.
    """
    token = secrets.token_urlsafe(TOKEN_BYTES) if new_token else None
    values: dict[str, Any] = {"role": role, "faces": faces, "active": active}
    values = {key: value for key, value in values.items() if value is not None}
    values |= {"token_sha256": digest(token)} if token else {}
    own = (ReviewerRow.study == database.study, ReviewerRow.name == name)
    with translated_errors(), database.engine.begin() as connection:
        if values:
            connection.execute(update(ReviewerRow).where(*own).values(**values))
        connection.execute(delete(SessionRow).where(SessionRow.study == database.study, SessionRow.name == name))
    changed = find_reviewer(database, name)
    if changed is None:
        raise LookupError(f"There is no reviewer {name!r}")
    return changed, token


def ensure_admin(database: Database, name: str, faces: bool) -> None:
    """Let the person who starts a server in, as an administrator; whether they see faces is said at each start."""
    try:
        add_reviewer(database, Reviewer(name, "admin", faces, since=_today()), with_token=False)
    except ValueError:
        if not NAME.fullmatch(name):
            raise
        own = (ReviewerRow.study == database.study, ReviewerRow.name == name)
        with translated_errors(), database.engine.begin() as connection:
            connection.execute(update(ReviewerRow).where(*own).values(role="admin", faces=faces, active=True))


def reviewers(database: Database) -> list[Reviewer]:
    """Everybody who was ever let in, by name."""
    return _reviewers(database, ReviewerRow.study == database.study)


def find_reviewer(database: Database, name: str) -> Reviewer | None:
    """The person of this name."""
    found = _reviewers(database, ReviewerRow.study == database.study, ReviewerRow.name == name)
    return found[0] if found else None


def reviewer_with(database: Database, token: str) -> Reviewer | None:
    """The active person with this token. The digest is looked up, so that time tells nothing of the token."""
    own = (ReviewerRow.study == database.study, ReviewerRow.token_sha256 == digest(token), ReviewerRow.active)
    found = _reviewers(database, *own)
    return found[0] if found else None


def log_in(database: Database, name: str, now_ms: int) -> tuple[str, str]:
    """Open a session and return its cookie and its CSRF word; sessions that ended are forgotten."""
    cookie, csrf = secrets.token_urlsafe(TOKEN_BYTES), secrets.token_urlsafe(TOKEN_BYTES)
    row = {"cookie_sha256": digest(cookie), "study": database.study, "name": name, "csrf": csrf, "seen_ms": now_ms}
    with translated_errors(), database.engine.begin() as connection:
        connection.execute(delete(SessionRow).where(SessionRow.seen_ms < now_ms - 1000 * SESSION_S))
        connection.execute(insert(SessionRow).values(**row))
    return cookie, csrf


def log_out(database: Database, cookie: str) -> None:
    """End a session."""
    with translated_errors(), database.engine.begin() as connection:
        connection.execute(delete(SessionRow).where(SessionRow.cookie_sha256 == digest(cookie)))


def session_of(database: Database, cookie: str, now_ms: int) -> Session | None:
    """The session of a cookie, if it has not ended and its person may still log in.

    That it was used is noted once a minute, which spares a write for each request.
    """
    alive = (
        SessionRow.cookie_sha256 == digest(cookie),
        SessionRow.study == database.study,
        SessionRow.seen_ms >= now_ms - 1000 * SESSION_S,
    )
    query = (
        select(*_COLUMNS, SessionRow.csrf, SessionRow.seen_ms)
        .join(SessionRow, (SessionRow.study == ReviewerRow.study) & (SessionRow.name == ReviewerRow.name))
        .where(*alive, ReviewerRow.active)
    )
    with translated_errors(), database.engine.connect() as connection:
        row = connection.execute(query).one_or_none()
    if row is None:
        return None
    if row.seen_ms < now_ms - 60_000:
        with translated_errors(), database.engine.begin() as connection:
            connection.execute(update(SessionRow).where(*alive).values(seen_ms=now_ms))
    return Session(Reviewer(*row[: len(_COLUMNS)]), row.csrf)


def require_reviewer(database: Database, name: str) -> Reviewer:
    """The person of this name.

    Raises
    ------
    StoreError
        if there is none.
    """
    found = find_reviewer(database, name)
    if found is None:
        raise StoreError("no_reviewer", f"There is no reviewer {name!r}.", "See `brainsift review users OUTPUT`.")
    return found


def _reviewers(database: Database, *conditions: Any) -> list[Reviewer]:
    query = select(*_COLUMNS).where(*conditions).order_by(ReviewerRow.name)
    with translated_errors(), database.engine.connect() as connection:
        return [Reviewer(row[0], cast("Role", row[1]), *row[2:]) for row in connection.execute(query)]


def _today() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


_COLUMNS = tuple(getattr(ReviewerRow, name) for name in Reviewer.__dataclass_fields__)
