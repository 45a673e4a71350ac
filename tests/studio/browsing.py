"""A studio with its page, and a browser that looks at it."""

from __future__ import annotations

import base64
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from photochrom.studio.desk import Desk
from photochrom.studio.options import ServerOptions
from photochrom.studio.pages import Pages
from photochrom.studio.parts import Parts
from photochrom.studio.server import make_server, open_socket
from tests.browsers import PATIENCE_MS, chromium


class Studio:
    """A studio in a thread of this process, that can be ended and started again."""

    def __init__(self, model: Path, folder: Path | None = None, store: Path | None = None, port: int = 0) -> None:
        self.model, self.folder, self.store = model, folder, store
        self.start(port)

    def start(self, port: int) -> None:
        options = ServerOptions(port=port, store=self.store)
        listening = open_socket(options)
        self.port = listening.getsockname()[1]
        self.parts = Parts.of(options, models={"photochrom-color": self.model})
        self.desk = Desk(self.parts, self.folder)
        ready = threading.Event()

        def tell(address: str, token: str) -> None:
            self.address = f"{address}?token={token}"
            ready.set()

        server = make_server(self.parts, listening=listening, ready=tell, routes=Pages(self.desk).routes)
        thread = threading.Thread(target=server.serve_all, daemon=True)
        thread.start()
        assert ready.wait(20)

        def stop() -> None:
            server.should_exit = True
            self.parts.changes.close()
            thread.join(20)
            listening.close()
            self.parts.close()

        self.stop = stop


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as found:
        yield found


@pytest.fixture
def studio(hearing_model: Path) -> Iterator[Callable[..., Studio]]:
    """Return a function that starts a studio, whose usual model is a tiny one."""
    started: list[Studio] = []

    def start(**options: Any) -> Studio:
        started.append(Studio(**{"model": hearing_model, **options}))
        return started[-1]

    yield start
    for one in started:
        one.stop()


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """A page that fails its test where it asks another host, or says that something is wrong."""
    from playwright.sync_api import expect

    context = browser.new_context(viewport={"width": 1300, "height": 850}, locale="en-GB", accept_downloads=True)
    context.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    page, wrong = context.new_page(), []
    page.on("request", lambda request: wrong.append(request.url) if _is_foreign(request.url) else None)
    page.on("console", lambda message: wrong.append(message.text) if message.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.wrong = wrong
    yield page
    context.close()
    assert not wrong, "\n".join(wrong)


def _is_foreign(url: str) -> bool:
    return not re.match(r"(http://127\.0\.0\.1:\d+/|blob:http://127\.0\.0\.1:\d+/|data:)", url)


def photograph(path: Path, size: tuple[int, int] = (400, 300), scratch: bool = False) -> Path:
    """Write a grey photograph: a sky, a hill and a house."""
    width, height = size
    rows, columns = np.mgrid[:height, :width] / np.array([height, width]).reshape(2, 1, 1)
    grey = 210 - 60 * rows
    grey[rows > 0.6 + 0.15 * np.sin(columns * 5)] = 90
    grey[(abs(columns - 0.6) < 0.12) & (abs(rows - 0.55) < 0.15)] = 150
    grey += np.random.default_rng(1).normal(0, 3, grey.shape)
    if scratch:
        grey[:, width // 4 : width // 4 + 3] = 250
    Image.fromarray(np.clip(grey, 0, 255).astype(np.uint8)).save(path)
    return path


DROPPING = """({ files, place }) => {
  const transfer = new DataTransfer();
  for (const { name, content } of files) {
    const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
    transfer.items.add(new File([bytes], name));
  }
  for (const type of ["dragenter", "dragover", "drop"]) {
    const given = { bubbles: true, cancelable: true, dataTransfer: transfer };
    document.querySelector(place).dispatchEvent(new DragEvent(type, given));
  }
}"""


def drop(page: Any, *paths: Path, place: str = "main") -> None:
    """Drop files on a place of the page."""
    files = [{"name": path.name, "content": base64.b64encode(path.read_bytes()).decode()} for path in paths]
    page.evaluate(DROPPING, {"files": files, "place": place})


def choose(page: Any, *paths: Path) -> None:
    """Choose files in the dialogue."""
    page.locator("photo-wall input[type=file]").set_input_files([str(path) for path in paths])


def drag(page: Any, begin: tuple[float, float], end: tuple[float, float]) -> None:
    page.mouse.move(*begin)
    page.mouse.down()
    page.mouse.move(*end, steps=5)
    page.mouse.up()


def accessible(page: Any) -> list[str]:
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    return [
        f"{v['id']}: {[node['target'] for node in v['nodes']][:3]} {v['nodes'][0]['failureSummary']}" for v in found
    ]
