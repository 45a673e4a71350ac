"""`photochrom serve`: colour and restore for other programs, over HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from photochrom.cli.extras import require_extra
from photochrom.cli.groups import Budget, Engine
from photochrom.cli.lines import say
from photochrom.engines.hub import cache_folder
from photochrom.errors import EXIT_OK
from photochrom.options import EngineOptions, Limits
from photochrom.studio.options import ServerOptions

Serving = Annotated[ServerOptions, Parameter(name="*")]


def serve(
    *,
    quiet: Annotated[bool, Parameter(name=["--quiet", "-q"], negative="")] = False,
    model_file: Annotated[list[Path] | None, Parameter(negative="", consume_multiple=False)] = None,
    serving: Serving = ServerOptions(),
    engine: Engine = EngineOptions(),
    limits: Budget = Limits(),
) -> int:
    """Answer other programs over HTTP: POST /v1/colorize, /v1/restore, /v1/jobs. For this computer alone, unless told.

    Files come back as the command line would have written them, byte for byte. Every request carries the token that is
    printed at the start: `Authorization: Bearer TOKEN`. GET /openapi.json describes the rest; docs/studio.md has
    examples. Ctrl-C ends it; jobs that wait are there again at the next start.

    Args:
        quiet: Print the address and the token only.
        model_file: A further colour model that callers may use, an .onnx file, by its name without the suffix. Repeat
            it for several.
        serving: Where, for whom, and how much.
        engine: What runs the nets.
        limits: What one photograph may ask of this computer.
    """
    require_extra("studio", "serve", "starlette", "uvicorn", "python_multipart")
    from photochrom.studio.parts import Parts
    from photochrom.studio.security import token_of
    from photochrom.studio.server import make_server, open_socket

    token_of(serving)  # what is wrong with it is told before anything is begun
    listening = open_socket(serving)
    if serving.store is None:
        port = listening.getsockname()[1]
        serving = serving.model_copy(update={"store": cache_folder() / f"serve-{port}"} if serving.port else {})
    models = {path.stem: path for path in model_file or []}
    parts = Parts.of(serving, limits, engine, models)

    def ready(address: str, token: str) -> None:
        say(f"{address}  token {token}")
        if not quiet:
            waiting = sum(job.state == "queued" for job in parts.jobs.all())
            say(f"jobs in {parts.store.folder}" + (f", {waiting} of them to go on with" if waiting else ""))
            if not serving.is_loopback:
                say("whoever reaches this address and knows the token is let in; nothing is encrypted on the way")

    try:
        make_server(parts, listening=listening, ready=ready).serve_all()
    finally:
        parts.close()
    return EXIT_OK
