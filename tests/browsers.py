"""A real browser for the tests of pages: the computer's own Chromium, driven by Playwright.

Where there is none, a developer's tests are skipped, with a word; with PHOTOCHROM_BROWSER_TESTS=required, as in
continuous integration, they fail.
"""

from __future__ import annotations

import functools
import http.server
import importlib.util
import os
import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn

import pytest

REQUIRED_VARIABLE = "PHOTOCHROM_BROWSER_TESTS"
NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
# The sandbox needs rights that containers do not give; the rest keeps the browser from talking to anybody by itself.
FLAGS = [
    "--no-sandbox",
    "--disable-dev-shm-usage",  # containers have little of it, and a page holds a model
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
]
PATIENCE_MS = 120_000  # for a crowded computer; a page that is right needs a few seconds


def lacking(what: str) -> NoReturn:
    """Skip, or fail where these tests are required."""
    if is_required():
        pytest.fail(f"{REQUIRED_VARIABLE}=required, but {what}", pytrace=False)
    pytest.skip(what)


def is_required() -> bool:
    return os.environ.get(REQUIRED_VARIABLE) == "required"


@contextmanager
def chromium() -> Iterator[Any]:
    """Yield a browser. While it is open no event loop can run in this thread: keep it to a module or package."""
    path = os.environ.get("PHOTOCHROM_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        lacking("no Chromium is installed (apt-get install chromium)")
    if importlib.util.find_spec("playwright") is None:
        lacking("Playwright is not installed (pip install playwright)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


def settled(page: Any, script: str, given: object = None, within_s: float = PATIENCE_MS / 1000) -> Any:
    """What a function written in JavaScript comes to in a page.

    Playwright's own `evaluate` waits for ever where a promise never settles; this fails.
    """
    late = f"setTimeout(() => reject(new Error('no answer within {within_s:g} s')), {within_s * 1000})"
    limited = f"(given) => Promise.race([({script})(given), new Promise((_, reject) => {late})])"
    return page.evaluate(limited, given)


class Quiet(http.server.SimpleHTTPRequestHandler):
    """The plainest of web hosts, which tells nobody what it does."""

    def log_message(self, *_: object) -> None:
        pass


class Host(http.server.ThreadingHTTPServer):
    """When it is closed nothing of it answers, not even on the connections that a browser opened in advance."""

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
        self.connections: set[socket.socket] = set()

    def process_request(self, request: Any, client_address: Any) -> None:
        self.connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        super().shutdown_request(request)
        self.connections.discard(request)

    def handle_error(self, *_: object) -> None:
        pass  # browsers hang up in the middle, and so does server_close

    def server_close(self) -> None:
        super().server_close()
        for connection in list(self.connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Yield the address under which a folder's files are served on this computer."""
    with Host(folder) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join(PATIENCE_MS / 1000)
