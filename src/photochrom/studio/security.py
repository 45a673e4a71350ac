"""Who is let in: whoever knows the token, at the address that we listen on, from our own page or no page at all.

A page of another site can make a browser send requests to this computer. It cannot read the token; its Origin and
Sec-Fetch-Site give it away; and a name of its own that it lets point here (DNS rebinding) stands in Host. Cookies do
not know ports, so other servers of this computer are told apart by Origin as well.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import secrets
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from photochrom.errors import OptionError
from photochrom.files.codecs.atomic import output_error
from photochrom.studio.bodies import announced_bytes
from photochrom.studio.options import LOOPBACK, ServerOptions
from photochrom.studio.problems import HttpError, problem_response

SHORTEST_TOKEN = 20
LONGEST_READ_IN_VAIN, READ_IN_VAIN_S = 1_000_000, 1.0
OPEN_PATHS = frozenset({"/healthz"})
POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' blob: data:; "
    "connect-src 'self'; worker-src 'self'; manifest-src 'self'; form-action 'none'; frame-ancestors 'none'; "
    "base-uri 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
STRANGER = """<!doctype html><html lang="en"><meta charset="utf-8"><title>photochrom</title>
<h1>photochrom</h1><p>Open this page by the address that the command has printed: it holds a token.</p></html>"""


def token_of(options: ServerOptions) -> str:
    """Return the token that lets callers in.

    Raises:
        OptionError: the address can be reached from outside and no file of a token is named, or it holds none.
    """
    if options.token_file is None:
        if options.is_loopback:
            return secrets.token_urlsafe(24)
        raise OptionError(
            "everybody who reaches this address could ask for work, over a connection that is not encrypted",
            where=f"--host {options.host}",
            next_step="Name the file of a token, --token-file FILE, to let in those who know it",
        )
    return _read_token(options.token_file)


def _read_token(path: Path) -> str:
    try:
        if not path.exists():
            path.touch(mode=0o600)
            path.write_text(secrets.token_urlsafe(24) + "\n", encoding="ascii")
        text = path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError as error:
        raise output_error(error, path) from error
    if len(text) < SHORTEST_TOKEN or not text.isascii() or not text.isprintable() or set(text) & set(' ;,"\\'):
        raise OptionError(
            f"holds no token: one line of at least {SHORTEST_TOKEN} plain letters and digits",
            where=str(path),
            next_step="Remove the file, and one with a token is made",
        )
    return text


class Gate:
    """Middleware that lets in, or does not, and adds what browsers are to know.

    Args:
        app: what is behind the gate.
        token: that callers must know.
        hosts: names and addresses that we are reached by, without port.
        port: that we listen on.
    """

    def __init__(self, app: ASGIApp, *, token: str, hosts: Iterable[str], port: int) -> None:
        self._app, self._token, self._port = app, token, port
        names = {host.lower() for host in hosts}
        bracketed = {f"[{name}]" if ":" in name else name for name in names | (LOOPBACK if names & LOOPBACK else set())}
        self._hosts = {f"{name}:{port}" for name in bracketed} | (bracketed if port == 80 else set())
        self.cookie = f"photochrom-{port}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or let the request through."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":  # nobody speaks WebSocket here
            return

        answer = self._answer(scope)
        is_refused = answer is not None and _announces_body(scope)  # a stranger does not keep us waiting for it

        async def send_told(message: Message) -> None:
            if message["type"] == "http.response.start":
                _tell_browsers(scope, message, closes=is_refused)
            await send(message)

        if is_refused:
            await _read_in_vain(scope, receive)
        await (answer or self._app)(scope, receive, send_told)

    def _answer(self, scope: Scope) -> Response | None:
        """Return the answer to somebody who is not let through."""
        headers = Headers(scope=scope)
        try:
            self._refuse_foreign(scope, headers)
        except HttpError as error:
            return problem_response(error)
        if scope["path"] in OPEN_PATHS:
            return None
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]
        is_page = scope["path"] == "/" and scope["method"] == "GET"
        if is_page and given and self._is_token(given):
            answer = RedirectResponse("/", 303)
            answer.set_cookie(self.cookie, self._token, httponly=True, samesite="strict", path="/")
            return answer
        if self._is_token(_bearer(headers)) or self._is_token(self._in_cookie(headers)):
            return None
        if is_page:
            return HTMLResponse(STRANGER, 401)
        step = "Send it as `Authorization: Bearer TOKEN`"
        return problem_response(
            HttpError(401, "the token is missing or wrong", next_step=step, headers={"WWW-Authenticate": "Bearer"})
        )

    def _refuse_foreign(self, scope: Scope, headers: Headers) -> None:
        """Raise HttpError for a request that a page of somebody else has made."""
        host = headers.get("host", "").lower()
        if headers.getlist("host") != [headers.get("host")] or host not in self._hosts:
            raise HttpError(421, "this server is not reached by that name", where=f"Host {host[:60]!r}")
        origin = headers.get("origin")
        if origin is not None and origin.lower() != f"http://{host}":
            raise HttpError(403, "comes from a page of somebody else", where=f"Origin {origin[:60]!r}")
        site, mode = headers.get("sec-fetch-site", "none"), headers.get("sec-fetch-mode", "")
        opened = mode == "navigate" and scope["method"] == "GET" and scope["path"] == "/"
        if site not in {"same-origin", "none"} and not opened:
            raise HttpError(403, "comes from a page of somebody else", where=f"Sec-Fetch-Site {site[:20]!r}")

    def _in_cookie(self, headers: Headers) -> str:
        # Other servers of this computer set cookies too, which the strict parser of the standard library trips over.
        return cookie_parser("; ".join(headers.getlist("cookie"))).get(self.cookie, "")

    def _is_token(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(), self._token.encode())


def _tell_browsers(scope: Scope, message: Message, *, closes: bool) -> None:
    """Add our headers to an answer, and whether the connection ends with it."""
    headers = MutableHeaders(scope=message)
    for name, value in HEADERS.items():
        headers.setdefault(name, value)
    headers.setdefault("Cache-Control", "no-store")
    if closes or message["status"] in {408, 413} or (message["status"] >= 400 and _may_go_on(scope)):
        headers["Connection"] = "close"  # what is left of the body would be read for ever otherwise


def _announces_body(scope: Scope) -> bool:
    headers = Headers(scope=scope)
    return "transfer-encoding" in headers or headers.get("content-length", "0") != "0"


async def _read_in_vain(scope: Scope, receive: Receive) -> None:
    """Read a short body that is on its way already: who is hung up on while sending may never see the answer."""
    if _may_go_on(scope):
        return
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(READ_IN_VAIN_S):
            while (await receive()).get("more_body"):
                pass


def _may_go_on(scope: Scope) -> bool:
    """Return whether a request's body is long, or does not say how long it is."""
    headers = Headers(scope=scope)
    length = announced_bytes(headers)
    return "transfer-encoding" in headers or length is None or length > LONGEST_READ_IN_VAIN


def _bearer(headers: Headers) -> str:
    scheme, _, value = headers.get("authorization", "").partition(" ")
    return value.strip() if scheme.lower() == "bearer" else ""
