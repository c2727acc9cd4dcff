"""The web application: addresses of docs/review_api.md, each a few lines over the desk."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from brainsift import __version__
from brainsift.review.desk import Desk
from brainsift.review.errors import RefusedError
from brainsift.review.login import Door
from brainsift.review.progress import Counts
from brainsift.review.routes_media import media_routes
from brainsift.review.routes_numbers import number_routes
from brainsift.review.routes_page import page_routes
from brainsift.review.routes_people import people_routes
from brainsift.review.routes_work import work_routes
from brainsift.review.security import Guard
from brainsift.store.errors import StoreError

BAD_REQUEST = 400
"""FastAPI's answer to a body that it cannot read."""

STATIC = Path(__file__).with_name("static")
"""The built page."""


def create_app(desk: Desk, door: Door, hosts: Iterable[str], secure: bool = False, static: Path = STATIC) -> Guard:
    """The application, behind its guard.

    Parameters
    ----------
    desk : hands out scans.
    door : lets people in.
    hosts : names under which it may be asked.
    secure : whether it is reached by TLS.
    static : folder of the built page.
    """
    # No pages that describe the interface: they would load scripts from a network.
    app = FastAPI(title="BrainSift review", version=__version__, docs_url=None, redoc_url=None, openapi_url=None)
    counts = Counts(desk)
    app.include_router(people_routes(desk, door, secure))
    app.include_router(work_routes(desk, door, counts))
    app.include_router(media_routes(desk, door))
    app.include_router(number_routes(desk, door, counts))
    app.include_router(page_routes(static))
    for fault, answer in _ANSWERS.items():
        app.add_exception_handler(fault, answer)
    return Guard(app, hosts, secure)


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, RefusedError)
    return JSONResponse(error.body(), error.status, headers=error.headers)


async def _invalid(_: Request, error: Exception) -> Response:
    """Name the field and the fault; the value is not repeated, it may be anything."""
    assert isinstance(error, RequestValidationError)
    faults = [f"{'.'.join(map(str, one['loc'][1:])) or 'body'}: {one['msg']}" for one in error.errors()[:3]]
    refusal = RefusedError("invalid", "; ".join(faults), "Reload the page; report it if it happens again.")
    return JSONResponse(refusal.body(), refusal.status)


async def _database(_: Request, error: Exception) -> Response:
    assert isinstance(error, StoreError)
    refusal = RefusedError("database", error.cause, "It will be tried again; nothing is lost.")
    return JSONResponse(refusal.body(), refusal.status, headers={"Retry-After": "1"})


async def _missing(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    refusal = RefusedError("not_found", "There is no such page.", "Go to the start page.")
    if error.status_code == BAD_REQUEST:
        refusal = RefusedError("invalid", "The body is not JSON.", "Reload the page; report it if it happens again.")
    return JSONResponse(refusal.body(), error.status_code)


async def _unforeseen(_: Request, error: Exception) -> Response:
    """The type alone: a message may quote data."""
    refusal = RefusedError("internal", f"An unforeseen {type(error).__name__}.", "It will be tried again; report it.")
    return JSONResponse(refusal.body(), refusal.status)


_ANSWERS: dict[type[Exception], Callable[[Request, Exception], Awaitable[Response]]] = {
    RefusedError: _refused,
    RequestValidationError: _invalid,
    StoreError: _database,
    HTTPException: _missing,
    Exception: _unforeseen,
}
