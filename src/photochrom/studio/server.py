"""Listening: a socket, an address with the token in it, and an end without leftovers."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Sequence
from typing import Any

import uvicorn
from starlette.routing import BaseRoute
from uvicorn.protocols.http.h11_impl import H11Protocol

from photochrom.errors import OptionError
from photochrom.studio.app import build_app
from photochrom.studio.options import ServerOptions
from photochrom.studio.parts import Parts
from photochrom.studio.security import token_of

HEADERS_WITHIN_S = 10.0
MOST_CONNECTIONS = 256


class PunctualProtocol(H11Protocol):
    """HTTP that does not wait for ever for a request's head, the first of a connection or a later one.

    What still comes of a body that has been answered already counts as one: it is read in vain.
    """

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait."""
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Take what comes; its first byte after an answer begins the wait anew, the end of a head ends it."""
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        super().connection_lost(exc)
        self._wait_no_more()

    @property
    def _is_silent(self) -> bool:
        """Whether no request is under way."""
        return self.cycle is None or self.cycle.response_complete

    def _watch(self) -> None:
        if not self._is_silent:
            self._wait_no_more()
        elif self._deadline is None:
            self._deadline = self.loop.call_later(HEADERS_WITHIN_S, self._hang_up_if_silent)

    def _wait_no_more(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _hang_up_if_silent(self) -> None:
        self._deadline = None
        if self._is_silent and not self.transport.is_closing():
            self.transport.close()


def open_socket(options: ServerOptions) -> socket.socket:
    """Return a socket that is bound to the address.

    Raises:
        OptionError: it cannot be.
    """
    family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
    # Where the protocol is named, asyncio sends at once; else an answer of two parts waits 40 ms to be acknowledged.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((options.host, options.port))
    except OSError as error:
        listening.close()
        raise OptionError(
            f"cannot listen there ({error.strerror or error})",
            where=f"{options.host}:{options.port}",
            next_step="Choose another --port, or 0 for a free one",
        ) from error
    return listening


def address_of(options: ServerOptions, port: int) -> str:
    """Return the address that a browser on this computer opens, without the token."""
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(options.host, options.host)  # noqa: S104 - what is bound to
    return f"http://{f'[{host}]' if ':' in host and not host.startswith('[') else host}:{port}/"


def names_of(options: ServerOptions) -> list[str]:
    """Return the names that callers may know the server by."""
    if options.host in {"0.0.0.0", "::"}:  # noqa: S104
        return [options.host, "localhost", "127.0.0.1", socket.gethostname(), *_own_addresses()]
    return [options.host]


def _own_addresses() -> list[str]:
    try:
        return [str(found[4][0]) for found in socket.getaddrinfo(socket.gethostname(), None)]
    except OSError:
        return []


def make_server(
    parts: Parts,
    *,
    listening: socket.socket,
    ready: Callable[[str, str], None],
    routes: Sequence[BaseRoute] = (),
) -> Server:
    """Return a server that is ready to run.

    Args:
        parts: what it serves; closing them is the caller's.
        listening: from ``open_socket``.
        ready: called with the address and the token once requests are answered.
        routes: of the page, where there is one.
    """
    options, port = parts.options, listening.getsockname()[1]
    token = token_of(options)
    app = build_app(parts, token=token, port=port, hosts=names_of(options), routes=routes)
    return Server(app, listening, lambda: ready(address_of(options, port), token))


class Server(uvicorn.Server):
    """Serves until the process is asked to end (Ctrl-C, SIGTERM), or ``should_exit`` is set."""

    def __init__(self, app: Any, listening: socket.socket, ready: Callable[[], None]) -> None:
        config = uvicorn.Config(
            app,
            http=PunctualProtocol,
            ws="none",
            lifespan="on",
            log_level="critical",
            access_log=False,
            server_header=False,
            date_header=False,
            limit_concurrency=MOST_CONNECTIONS,
            timeout_keep_alive=15,
            timeout_graceful_shutdown=3,
        )
        super().__init__(config)
        self._ready, self._listening = ready, listening

    def serve_all(self) -> None:
        """Run until the end."""
        self.run(sockets=[self._listening])

    async def startup(self, sockets: Any = None) -> None:
        """Begin to answer, and say so."""
        await super().startup(sockets)
        self._ready()
