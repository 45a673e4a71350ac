"""`photochrom studio [FOLDER]`: the same for people, in a browser."""

from __future__ import annotations

import webbrowser
from collections.abc import Collection
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from photochrom.cli.extras import require_extra
from photochrom.cli.groups import Budget, Engine
from photochrom.cli.idle import refuse_useless
from photochrom.cli.lines import say
from photochrom.errors import EXIT_OK, OptionError
from photochrom.options import EngineOptions, Limits, Options
from photochrom.studio.options import StudioOptions

Serving = Annotated[StudioOptions, Parameter(name="*")]
EXPORT = "--export-page"


def studio(
    folder: Annotated[Path | None, Parameter(name="FOLDER")] = None,
    /,
    *,
    browser: bool = True,
    export_page: Path | None = None,
    runtime: Path | None = None,
    fetch_runtime: Annotated[bool, Parameter(negative="")] = False,
    overwrite: Annotated[bool, Parameter(negative="")] = False,
    serving: Serving = StudioOptions(),
    engine: Engine = EngineOptions(),
    limits: Budget = Limits(),
) -> int:
    """Colour and restore in the browser: drop photographs, compare, say what you know, save. All on this computer.

    A photograph of FOLDER is saved beside itself, as `photochrom colorize` would; what is dropped is downloaded. Hints
    are kept beside a folder's photographs as NAME.hints.json. Ctrl-C ends it.

    Args:
        folder: Photographs to begin with; it is only ever added to.
        browser: Open the page in the browser; without, its address is printed alone.
        export_page: Instead, write a page that colours photographs without any server to this folder, for any web
            host: docs/try.md. A folder that holds an exported page is brought up to date.
        runtime: For --export-page: npm's package onnxruntime-web as a file, or a folder with its files. Left out, what
            was fetched before.
        fetch_runtime: For --export-page: fetch that package from npm, 33 MB, once. Nothing is fetched otherwise.
        overwrite: For --export-page: replace files in the folder that are not as they were exported.
        serving: Where, for whom, and how much.
        engine: What runs the nets.
        limits: What one photograph may ask of this computer.
    """
    if export_page is not None:
        _refuse_served(folder, (serving, engine, limits), browser=browser)
        from photochrom.cli.page import write_page  # brings ONNX Runtime along, which the studio need not wait for

        write_page(export_page, runtime, fetch=fetch_runtime, overwrite=overwrite)
        return EXIT_OK
    if runtime or fetch_runtime or overwrite:
        raise OptionError("is for a page that is written", where="studio", next_step="Add --export-page DIR")
    require_extra("studio", "the studio", "starlette", "uvicorn", "python_multipart")
    from photochrom.studio.desk import Desk
    from photochrom.studio.pages import Pages
    from photochrom.studio.parts import Parts
    from photochrom.studio.security import token_of
    from photochrom.studio.server import make_server, open_socket

    token_of(serving)  # what is wrong with it is told before anything is begun
    listening = open_socket(serving)
    parts = Parts.of(serving, limits, engine)

    def ready(address: str, token: str) -> None:
        opened = f"{address}?token={token}"
        say(opened)
        say("Ctrl-C ends it")
        if browser:
            webbrowser.open(opened)

    try:
        desk = Desk(parts, folder)
        try:
            make_server(parts, listening=listening, ready=ready, routes=Pages(desk).routes).serve_all()
        finally:
            desk.close()
    finally:
        parts.close()
    return EXIT_OK


def _refuse_served(folder: Path | None, groups: Collection[Options], *, browser: bool) -> None:
    """Raise OptionError where something was given that a page written to a folder has no use for."""
    for name, given in (("FOLDER", folder is not None), ("--no-browser", not browser)):
        if given:
            raise OptionError(f"does nothing with {EXPORT}", where=name, next_step="Leave out one of the two")
    for group in groups:
        refuse_useless(group, EXPORT)
