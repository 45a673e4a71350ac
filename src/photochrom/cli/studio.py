"""`photochrom studio`: photographs in the browser. So far: `--export-page DIR`, a page for any web host."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from photochrom.cli.page import write_page
from photochrom.errors import EXIT_OK, OptionError


def studio(
    *,
    export_page: Path | None = None,
    runtime: Path | None = None,
    fetch_runtime: Annotated[bool, Parameter(negative="")] = False,
    overwrite: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Write a page that colours photographs in the browser, for any web host: docs/try.md.

    Args:
        export_page: The folder that the page is written to; one that holds an exported page is brought up to date.
        runtime: npm's package onnxruntime-web as a file, or a folder with its files. Left out, what was fetched before.
        fetch_runtime: Fetch that package from npm, 33 MB, once. Nothing is fetched otherwise.
        overwrite: Replace files in the folder that are not as they were exported.
    """
    if export_page is None:
        raise OptionError("says where the page shall lie", where="--export-page", next_step="Give it a folder")
    write_page(export_page, runtime, fetch=fetch_runtime, overwrite=overwrite)
    return EXIT_OK
