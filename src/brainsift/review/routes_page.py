"""The built page and its files."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import FileResponse, PlainTextResponse, Response

from brainsift.review.errors import RefusedError
from brainsift.review.files import is_inside

TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".wasm": "application/wasm",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}
"""What a page is made of; nothing else is served. Named here because a machine's own table may say otherwise."""

ASSETS = "assets"
FOR_EVER = "public, max-age=31536000, immutable"
"""Names in `assets` hold a digest of their content."""

NOT_BUILT = (
    "The review page is not built in this copy of BrainSift. Install it with pip, which builds it "
    "(in a source tree: pip install -e . again), then start once more.\n"
)


def page_routes(static: Path) -> APIRouter:
    """Everything that is not below `/api`."""
    routes = APIRouter()

    @routes.get("/{path:path}")
    def page(path: str) -> Response:
        if path == "api" or path.startswith("api/"):
            raise RefusedError("not_found", "There is no such address.", "See docs/review_api.md.")
        index = static / "index.html"
        if not index.is_file():
            return PlainTextResponse(NOT_BUILT, status_code=503)
        wanted = static / path if path else index
        if "\0" in path or not is_inside(wanted, static) or not wanted.is_file() or wanted.suffix not in TYPES:
            raise RefusedError("not_found", "There is no such page.", "Go to the start page.")
        cached = FOR_EVER if path.startswith(f"{ASSETS}/") else "no-cache"
        return FileResponse(wanted, media_type=TYPES[wanted.suffix], headers={"Cache-Control": cached})

    return routes
