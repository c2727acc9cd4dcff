"""What stands before every request: the right host and origin, a body of sane size, and headers that shut doors."""

from __future__ import annotations

import json
from collections.abc import Iterable
from ipaddress import ip_address

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from brainsift.review.errors import RefusedError

MAX_BODY_BYTES = 256 * 1024
"""A signed sheet of 60 exceptions has 10 KiB."""

SAFE_METHODS = ("GET", "HEAD")

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        # The viewer carries its font as a picture in its code, and unpacks scans in a worker.
        "img-src 'self' data: blob:",
        "connect-src 'self' data: blob:",
        "worker-src 'self' blob:",
        "font-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)

HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
}

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


def is_loopback(host: str) -> bool:
    """Whether an address can be reached from this machine alone."""
    try:
        return host == "localhost" or ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def host_name(host: str) -> str:
    """The name in a `Host` header, without port and brackets."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower()


class Guard:
    """Refuses what no page of ours would send, and adds the headers to every answer.

    A page of another site may know the port and make the browser ask here: under a name that it lets point to this
    machine (the `Host` is then its own), or by a form or script (the `Origin` is).

    Parameters
    ----------
    app : what is guarded.
    hosts : names under which the server may be asked.
    secure : whether it speaks TLS itself. If not, something before it may: pages of both kinds are its own.
    """

    def __init__(self, app: ASGIApp, hosts: Iterable[str], secure: bool) -> None:
        self._app = app
        self._hosts = frozenset(name.strip("[]").lower() for name in hosts)
        self._secure = secure

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def headed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                if self._secure:
                    headers["Strict-Transport-Security"] = "max-age=31536000"
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        try:
            self._check(scope["method"], Headers(scope=scope))
            body = b"" if scope["method"] in SAFE_METHODS else await _body(receive)
            await self._app(scope, _replayed(body, receive), headed)
        except RefusedError as refusal:
            await _answer(refusal, headed)

    def _check(self, method: str, headers: Headers) -> None:
        host = headers.get("host", "")
        if host_name(host) not in self._hosts:
            remedy = "Use the address that was printed at the start, or start with --hostname NAME."
            raise RefusedError("bad_host", "The server is not known under this name.", remedy)
        if method in SAFE_METHODS:
            return
        origin = headers.get("origin")
        schemes = ("https",) if self._secure else ("http", "https")
        if origin is not None and origin.lower() not in {f"{scheme}://{host.lower()}" for scheme in schemes}:
            raise RefusedError("bad_origin", "The request comes from another site.", "Use the review page itself.")
        if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            raise RefusedError("not_json", "The body must be application/json.", "Use the review page itself.")
        if int(headers.get("content-length") or 0) > MAX_BODY_BYTES:
            raise _too_large()


async def _body(receive: Receive) -> bytes:
    """The whole body, which is small; a length that was not announced is found here."""
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > MAX_BODY_BYTES:
            raise _too_large()
    return body


def _replayed(body: bytes, receive: Receive) -> Receive:
    given = False

    async def replay() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


def _too_large() -> RefusedError:
    return RefusedError("too_large", "The request is too large.", f"Send at most {MAX_BODY_BYTES} bytes.")


async def _answer(refusal: RefusedError, send: Send) -> None:
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(refusal.body()).encode()})
