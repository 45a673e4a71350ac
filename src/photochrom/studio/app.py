"""The application: the interface for programs, the page for people where one is wanted, and the gate before both."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from photochrom.errors import PhotochromError
from photochrom.studio.api import Api
from photochrom.studio.parts import Parts
from photochrom.studio.problems import HttpError, problem_response
from photochrom.studio.security import Gate


def build_app(
    parts: Parts, *, token: str, port: int, hosts: Sequence[str] = ("127.0.0.1",), routes: Sequence[BaseRoute] = ()
) -> ASGIApp:
    """Return the application.

    Args:
        parts: what its handlers share; closing them is the caller's.
        token: that callers must know.
        port: that it will be reached at.
        hosts: names that it will be reached by.
        routes: of the page, where there is one.
    """

    @contextlib.asynccontextmanager
    async def living(_: Starlette) -> AsyncIterator[None]:
        parts.changes.attach(asyncio.get_running_loop())
        yield
        parts.changes.close()

    app = Starlette(
        routes=[*Api(parts).routes, *routes],
        lifespan=living,
        exception_handlers={PhotochromError: _tell, HTTPException: _tell_http, Exception: _tell_defect},
    )
    app.router.redirect_slashes = False
    return Gate(app, token=token, hosts=hosts, port=port)


async def _tell(_: Request, error: Exception) -> Response:
    assert isinstance(error, PhotochromError)
    return problem_response(error)


async def _tell_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    what = {404: "there is nothing here", 405: "this address does not take that method"}.get(error.status_code)
    told = HttpError(error.status_code, what or str(error.detail), where=request.url.path[:100])
    return problem_response(told)


async def _tell_defect(_: Request, error: Exception) -> Response:
    return problem_response(HttpError(500, f"unexpected {type(error).__name__}: {error}"))
