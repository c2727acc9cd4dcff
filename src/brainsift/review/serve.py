"""Starting the server: where it listens, who is let in, and what is refused before it opens a port."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from brainsift.review.app import create_app
from brainsift.review.desk import Desk
from brainsift.review.login import Door
from brainsift.review.security import LOOPBACK_NAMES, is_loopback
from brainsift.review.settings import ReviewSettings
from brainsift.store.database import Database
from brainsift.store.errors import StoreError
from brainsift.store.reviews.chain import Head, trail_head
from brainsift.store.reviews.people import NAME

GRACE_S = 5
"""How long open requests may take to end when the server is stopped."""


@dataclass(frozen=True)
class Place:
    """Where the server listens.

    Attributes
    ----------
    hostnames : further names under which it is reached.
    certificate, key : PEM files of TLS.
    plain : HTTP may be spoken on other addresses than loopback, because something before the server speaks TLS.
    """

    host: str = "127.0.0.1"
    port: int = 8770
    hostnames: tuple[str, ...] = ()
    certificate: Path | None = None
    key: Path | None = None
    plain: bool = False

    @property
    def secure(self) -> bool:
        """Whether TLS is spoken."""
        return self.certificate is not None

    @property
    def names(self) -> frozenset[str]:
        """All names under which the server may be asked."""
        own = LOOPBACK_NAMES if is_loopback(self.host) else frozenset({self.host})
        return own | frozenset(self.hostnames)

    def address(self, token: str) -> str:
        """What to open in a browser. The token stands behind the `#`, which a browser keeps to itself."""
        name = self.hostnames[0] if self.hostnames else self.host
        shown = f"[{name}]" if ":" in name else name
        return f"{'https' if self.secure else 'http'}://{shown}:{self.port}/#token={token}"

    def check(self) -> None:
        """Refuse what would send scans and tokens over a network for all to read.

        Raises
        ------
        StoreError
            saying what to give instead.
        """
        if (self.certificate is None) != (self.key is None):
            raise StoreError("tls", "TLS needs a certificate and its key.", "Give --tls-cert and --tls-key.")
        for file in (self.certificate, self.key):
            if file is not None and not file.is_file():
                raise StoreError("tls", f"There is no file {file}.", "Give the PEM files of certificate and key.")
        if not is_loopback(self.host) and not self.secure and not self.plain:
            raise StoreError(
                "no_tls",
                f"On {self.host} others on the network could read scans and tokens.",
                "Give --tls-cert and --tls-key, or reach this machine by `ssh -L 8770:localhost:8770`; "
                "--allow-plain-http if something before the server speaks TLS.",
            )
        if self.host in ("0.0.0.0", "::") and not self.hostnames:
            raise StoreError(
                "no_name", "The server would not know its name.", "Give --hostname NAME as browsers use it."
            )


def serve(
    settings: ReviewSettings, place: Place, name: str, faces: bool, told: Callable[[str], None], catches: Path | None
) -> Head:
    """Serve the review page until it is stopped, and return the end of the trail, to be noted elsewhere.

    Parameters
    ----------
    name : of the person who starts it; an administrator.
    faces : whether that person may see faces.
    told : is given the address with the token, once the server listens.
    catches : labels file of scans with a known answer; None: those given last stay.

    Raises
    ------
    StoreError
        if the place is not safe, the name cannot be, or there is nothing to review.
    """
    place.check()
    if not NAME.fullmatch(name):
        raise StoreError("name", f"{name!r} cannot be a name in the trail.", "Give --name: letters, digits, . _ -")
    if not settings.output.is_dir():
        raise StoreError("no_output", f"There is no folder {settings.output}.", "Give the OUTPUT of a `brainsift run`.")
    with Database(settings.output, settings.db, durable=True) as database:
        if not database.counts():
            raise StoreError(
                "no_scans", f"{settings.output} holds no scans.", "Run `brainsift run INPUT OUTPUT` first."
            )
        if catches is not None:
            from brainsift.review.catch import set_catches

            set_catches(database, catches)
        door = Door.open(database, name, faces)
        desk = Desk(database, settings)
        desk.warm()
        app = create_app(desk, door, place.names, place.secure)
        server = Server(
            server_config(app, place), lambda port: told(replace(place, port=port).address(door.start_token))
        )
        try:
            server.run()
        except KeyboardInterrupt:
            pass  # the usual way to stop
        except SystemExit:
            if not server.started:
                cause = f"Port {place.port} of {place.host} cannot be opened."
                raise StoreError("port", cause, "Another program may use it: give another --port.") from None
            raise
        return trail_head(database)


def server_config(app: ASGIApp, place: Place) -> uvicorn.Config:
    """How uvicorn is run: without a log of addresses (they hold numbers of scans) and without telling what it is."""
    return uvicorn.Config(
        app,
        host=place.host,
        port=place.port,
        ssl_certfile=place.certificate,
        ssl_keyfile=place.key,
        access_log=False,
        log_level="warning",
        server_header=False,
        ws="none",
        proxy_headers=False,
        timeout_graceful_shutdown=GRACE_S,
    )


class Server(uvicorn.Server):
    """Tells the port once it is open."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[int], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._ready(int(self.servers[0].sockets[0].getsockname()[1]))
