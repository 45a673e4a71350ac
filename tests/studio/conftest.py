"""A server of one's own, on a free port, with tiny models."""

from __future__ import annotations

import io
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image

from photochrom.options import Limits
from photochrom.studio.options import ServerOptions
from photochrom.studio.parts import Parts
from photochrom.studio.server import make_server, open_socket
from tests.studio.browsing import browser, page, studio

__all__ = ["browser", "page", "studio"]

START_S = 20
PLAIN = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For clients of `http:`, which else read all the world's certificates first: 50 ms each."""


@dataclass
class Running:
    """A server that runs in a thread of this process."""

    parts: Parts
    address: str
    token: str
    client: httpx.Client
    stop: Callable[[], None]


def start(models: dict[str, Path], *, limits: Limits | None = None, **options: object) -> Running:
    """Start a server; ``stop`` ends it."""
    serving = ServerOptions.checked(**{"port": 0, **options})
    listening = open_socket(serving)
    parts = Parts.of(serving, limits, models=models)
    told: list[str] = []
    is_ready = threading.Event()

    def ready(address: str, token: str) -> None:
        told[:] = [address, token]
        is_ready.set()

    server = make_server(parts, listening=listening, ready=ready)
    thread = threading.Thread(target=server.serve_all, daemon=True)
    thread.start()
    assert is_ready.wait(START_S)
    headers = {"Authorization": f"Bearer {told[1]}"}
    client = httpx.Client(base_url=told[0], headers=headers, timeout=30, trust_env=False, verify=PLAIN)

    def stop() -> None:
        client.close()
        server.should_exit = True
        thread.join(START_S)
        listening.close()
        parts.close()

    return Running(parts, told[0], told[1], client, stop)


@pytest.fixture
def serve(tiny_model: Path, hearing_model: Path) -> Iterator[Callable[..., Running]]:
    """Return a function that starts a server, which ends with the test."""
    running: list[Running] = []

    def begin(**options: object) -> Running:
        running.append(start({"tiny": tiny_model, "hearing": hearing_model}, **options))
        return running[-1]

    yield begin
    for one in running:
        one.stop()


@pytest.fixture(scope="module")
def shared(tiny_model: Path, hearing_model: Path) -> Iterator[Running]:
    """A server of the usual options, for a file's tests that leave it as it was."""
    running = start({"tiny": tiny_model, "hearing": hearing_model})
    yield running
    running.stop()


@pytest.fixture(scope="session")
def jpeg(grey_ramp: np.ndarray) -> bytes:
    """A small grey photograph."""
    buffer = io.BytesIO()
    Image.fromarray(grey_ramp).save(buffer, "JPEG", quality=92)
    return buffer.getvalue()
