"""`photochrom studio --export-page DIR`: what a person sees of it."""

from __future__ import annotations

from pathlib import Path

from photochrom.cli.lines import say
from photochrom.cli.progress import print_bytes
from photochrom.errors import OptionError
from photochrom.webpage.export import export_page
from photochrom.webpage.runtime import fetch_runtime, read_runtime


def write_page(folder: Path, runtime: Path | None, *, fetch: bool, overwrite: bool) -> None:
    """Write the page, and say how large it is and how to look at it."""
    if fetch and runtime:
        raise OptionError("there is nothing to fetch beside --runtime", where="--fetch-runtime")
    source = fetch_runtime(print_bytes) if fetch else runtime
    page = export_page(folder, read_runtime(source), overwrite=overwrite)
    say(f"{page.folder}: {page.files} files, {page.bytes / 1e6:.0f} MB, with {page.model} {page.sha256[:12]}")
    say(f"Look at it: python -m http.server --bind 127.0.0.1 --directory {page.folder}")
