"""The exported page, with the embedded model and the real runtime, on a web host, and a browser to look at it with."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from photochrom.webpage.export import ExportedPage, export_page
from photochrom.webpage.runtime import BrowserRuntime, fetch_runtime, kept_package, read_runtime
from tests.browsers import PATIENCE_MS, chromium, is_required, lacking, served, settled

SUB_PATH = "museum/colour"

# Turns what Python sends into typed arrays, calls one exported function of one module, and sends plain lists back.
CALL = """async ({ module, name, given }) => {
  const typed = (value) => Array.isArray(value) ? value.map(typed)
    : value?.floats ? Float32Array.from(value.floats) : value?.bytes ? Uint8Array.from(value.bytes)
    : value && typeof value === "object" ? Object.fromEntries(Object.entries(value).map(([k, v]) => [k, typed(v)]))
    : value;
  const plain = (value) => ArrayBuffer.isView(value) ? Array.from(value) : Array.isArray(value) ? value.map(plain)
    : value && value.constructor === Object ? Object.fromEntries(Object.entries(value).map(([k, v]) => [k, plain(v)]))
    : value;
  const loaded = await import(new URL(module, location.href));
  return plain(await loaded[name](...given.map(typed)));
}"""


@pytest.fixture(scope="package")
def browser() -> Iterator[Any]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="package")
def runtime() -> BrowserRuntime:
    if is_required():
        fetch_runtime()
    if not kept_package().is_file():
        lacking("ONNX Runtime Web is not here (photochrom studio --export-page DIR --fetch-runtime)")
    return read_runtime()


@pytest.fixture(scope="package")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """A web host's folder, and its address."""
    folder = tmp_path_factory.mktemp("host")
    with served(folder) as address:
        yield folder, address


@pytest.fixture(scope="package")
def exported(host: tuple[Path, str], runtime: BrowserRuntime) -> ExportedPage:
    return export_page(host[0] / SUB_PATH, runtime)


@pytest.fixture(scope="package")
def address(host: tuple[Path, str], exported: ExportedPage) -> str:
    return f"{host[1]}{SUB_PATH}/"


@pytest.fixture(scope="package")
def release(exported: ExportedPage) -> str:
    """The folder of the page's scripts."""
    (found,) = exported.folder.glob("page-*")
    return found.name


@pytest.fixture(scope="package")
def tab(browser: Any, address: str, release: str) -> Iterator[Any]:
    """A tab in which the page's modules can be called; the page itself is not started."""
    opened = browser.new_page()
    opened.set_default_timeout(PATIENCE_MS)
    opened.goto(f"{address}{release}/page.json")
    yield opened
    opened.close()


@pytest.fixture(scope="package")
def call(tab: Any) -> Callable[..., Any]:
    """Call a function of one of the page's modules: call("color.js", "chromaFromAb", luma, ab)."""

    def sent(value: object) -> object:
        if isinstance(value, np.ndarray):
            return {"bytes" if value.dtype == np.uint8 else "floats": value.ravel().tolist()}
        if isinstance(value, dict):
            return {key: sent(item) for key, item in value.items()}
        return {"bytes": list(value)} if isinstance(value, bytes) else value

    def run(module: str, name: str, *given: object) -> Any:
        return settled(tab, CALL, {"module": module, "name": name, "given": [sent(value) for value in given]})

    return run


class Told:
    """What a browser was heard to say and ask for."""

    def __init__(self, context: Any) -> None:
        self.errors: list[str] = []
        self.hosts: set[str] = set()
        context.on("console", lambda message: message.type == "error" and self.errors.append(message.text))
        context.on("weberror", lambda error: self.errors.append(str(error.error)))
        context.on("request", lambda request: self.hosts.add(request.url.split("/")[2] if "://" in request.url else ""))


@pytest.fixture(scope="package")
def context(browser: Any) -> Iterator[tuple[Any, Told]]:
    made = browser.new_context(locale="en-GB", viewport={"width": 1200, "height": 900})
    made.set_default_timeout(PATIENCE_MS)
    yield made, Told(made)
    made.close()


@pytest.fixture(scope="package")
def page(context: tuple[Any, Told], address: str) -> Any:
    opened = context[0].new_page()
    opened.goto(address)
    opened.wait_for_selector("body[data-state=ready]")
    return opened


# Opens files in the page's own worker, and gives what it saves: one net for all of them.
DEVELOP = """async ({ module, bytes, type, look, format }) => {
  const { Session } = await import(new URL(`${module}/session.js`, location.href));
  const page = await (await fetch(`${module}/page.json`)).json();
  globalThis.session ??= new Session(page, () => {});
  const content = Uint8Array.from(atob(bytes), (letter) => letter.charCodeAt(0));
  try {
    const facts = await session.open(new File([content], "photo", { type }));
    const blob = await session.save(look, format);
    const text = await new Promise((resolve) => {
      const reader = new FileReader();
      reader.onload = () => resolve(reader.result.split(",")[1]);
      reader.readAsDataURL(blob);
    });
    return { ...facts, saved: text };
  } catch (fault) {
    return { fault: fault.message };
  }
}"""


@pytest.fixture(scope="package")
def develop(page: Any, release: str) -> Callable[..., dict[str, Any]]:
    def run(
        content: bytes, look: tuple[float, float] = (1.0, 0.0), format: str = "png", hints: tuple[dict, ...] = ()
    ) -> dict[str, Any]:
        asked = {"vividness": look[0], "warmth": look[1], "hints": list(hints)}
        given = {"module": release, "bytes": base64.b64encode(content).decode(), "type": "", "look": asked}
        found = settled(page, DEVELOP, {**given, "format": format})
        return {**found, "saved": base64.b64decode(found.get("saved", ""))}

    return run
