"""What the server refuses, said so that a person can mend it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

STATUS: Mapping[str, int] = MappingProxyType(
    {
        "bad_host": 400,
        "bad_origin": 400,
        "not_logged_in": 401,
        "bad_token": 401,
        "csrf": 403,
        "role": 403,
        "faces": 403,
        "not_yours": 403,
        "no_task": 404,
        "no_list": 404,
        "no_item": 404,
        "no_scan": 404,
        "no_picture": 404,
        "no_volume": 404,
        "no_sheet": 404,
        "no_event": 404,
        "no_user": 404,
        "not_found": 404,
        "key_reused": 409,
        "already_decided": 409,
        "already_undone": 409,
        "changed": 409,
        "exists": 409,
        "too_large": 413,
        "not_json": 415,
        "invalid": 422,
        "too_many_logins": 429,
        "internal": 500,
        "database": 503,
    }
)
"""Kind → status, as in docs/review_api.md."""


class RefusedError(Exception):
    """A request that cannot be answered.

    Parameters
    ----------
    kind : of `STATUS`.
    cause, remedy : one sentence each.
    more : what else the answer holds, such as the stored `event`.
    headers : of the answer.
    """

    def __init__(
        self,
        kind: str,
        cause: str,
        remedy: str,
        more: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(cause)
        self.kind = kind
        self.status = STATUS[kind]
        self.cause = cause
        self.remedy = remedy
        self.more = dict(more or {})
        self.headers = dict(headers or {})

    def body(self) -> dict[str, Any]:
        """What the client is told."""
        return {"error": {"kind": self.kind, "cause": self.cause, "remedy": self.remedy}, **self.more}


def invalid(field: str, cause: str) -> RefusedError:
    """A field that cannot be so."""
    return RefusedError("invalid", f"{field}: {cause}", "Reload the page; report it if it happens again.")
