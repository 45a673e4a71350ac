"""The page as people use it, in a real Chromium: from a file to the file that is saved, and what it says when it cannot."""

from __future__ import annotations

import base64
import io
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import photochrom
from photochrom.color import chroma
from photochrom.engines.catalog import find_card
from photochrom.files.provenance import read_provenance
from photochrom.webpage.bundle import WORKER
from photochrom.webpage.export import ExportedPage
from tests.browsers import PATIENCE_MS

RNG = np.random.default_rng(3)
FINISHED = "body[data-state=done], #fault:not([hidden])"

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


def photograph(height: int, width: int, low: float = 0.0, high: float = 255.0) -> np.ndarray:
    """(height, width) uint8 with something to recognise: a sky, hills, and things with edges."""
    rows, columns = np.mgrid[:height, :width] / min(height, width)
    hills = 0.55 + 0.1 * np.sin(9 * columns) + 0.05 * np.cos(23 * columns)
    tones = np.where(rows < hills, 0.85 - 0.3 * rows, 0.35 + 0.15 * np.sin(40 * rows * columns))
    disc = np.hypot(rows - 0.3, columns - 0.5) < 0.15
    tones = np.where(disc, 0.6 + rows / 3, tones) + RNG.normal(0, 0.02, (height, width))
    return np.clip(low + (high - low) * tones, 0, 255).astype(np.uint8)


def as_png(pixels: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


class Told:
    """What a browser was heard to say and ask for."""

    def __init__(self, context: Any) -> None:
        self.errors: list[str] = []
        self.hosts: set[str] = set()
        context.on("console", lambda message: message.type == "error" and self.errors.append(message.text))
        context.on("weberror", lambda error: self.errors.append(str(error.error)))
        context.on("request", lambda request: self.hosts.add(request.url.split("/")[2] if "://" in request.url else ""))


@pytest.fixture(scope="module")
def context(browser: Any) -> Iterator[tuple[Any, Told]]:
    made = browser.new_context(locale="en-GB", viewport={"width": 1200, "height": 900})
    made.set_default_timeout(PATIENCE_MS)
    yield made, Told(made)
    made.close()


@pytest.fixture(scope="module")
def page(context: tuple[Any, Told], address: str) -> Any:
    opened = context[0].new_page()
    opened.goto(address)
    opened.wait_for_selector("body[data-state=ready]")
    return opened


@pytest.fixture(scope="module")
def colorizer() -> Iterator[photochrom.Colorizer]:
    with photochrom.Colorizer(options=photochrom.ColorizeOptions(size=224)) as made:
        yield made


@pytest.fixture(scope="module")
def develop(page: Any, release: str) -> Callable[..., dict[str, Any]]:
    def run(content: bytes, look: tuple[float, float] = (1.0, 0.0), format: str = "png") -> dict[str, Any]:
        asked = {"vividness": look[0], "warmth": look[1]}
        given = {"module": release, "bytes": base64.b64encode(content).decode(), "type": "", "look": asked}
        found = page.evaluate(DEVELOP, {**given, "format": format})
        return {**found, "saved": base64.b64decode(found.get("saved", ""))}

    return run


def upload(page: Any, content: bytes, name: str = "grandmother.png") -> str:
    """Give the page a file, and return what it says at the end: the fault, or the status."""
    page.set_input_files("#file", {"name": name, "mimeType": "image/png", "buffer": content})
    page.wait_for_function("document.body.dataset.state !== 'opening' && document.body.dataset.state !== 'coloring'")
    page.wait_for_selector(FINISHED)
    fault = page.locator("#fault")
    return fault.inner_text() if fault.is_visible() else page.inner_text("#status")


PICTURES = {
    "grey, wide": photograph(300, 640),
    "narrow": photograph(640, 40),
    "tiny": photograph(9, 5),
    "faded": photograph(200, 200, 100, 190),
    "dark": photograph(220, 260, 0, 40),
    "sepia": np.clip(photograph(240, 320)[..., None] * np.array([1.0, 0.86, 0.65]), 0, 255).astype(np.uint8),
    "blank": np.full((50, 60), 200, dtype=np.uint8),
}


@pytest.mark.parametrize("name", PICTURES)
def test_pictures_are_pythons_for_one_view(
    name: str, develop: Callable[..., dict[str, Any]], colorizer: photochrom.Colorizer
) -> None:
    pixels = PICTURES[name]
    same_as_python(np.asarray(Image.open(io.BytesIO(develop(as_png(pixels))["saved"]))), pixels, colorizer)


@pytest.mark.parametrize("look", [(0.5, 0.0), (1.6, 30.0)])
def test_looks_are_pythons_too(
    look: tuple[float, float], develop: Callable[..., dict[str, Any]], colorizer: photochrom.Colorizer
) -> None:
    pixels = PICTURES["grey, wide"]
    found = np.asarray(Image.open(io.BytesIO(develop(as_png(pixels), look)["saved"])))
    with photochrom.Colorizer(
        options=photochrom.ColorizeOptions(size=224, vividness=look[0], warmth=look[1]), engine=colorizer.engine
    ) as other:
        same_as_python(found, pixels, other)


def same_as_python(found: np.ndarray, pixels: np.ndarray, colorizer: photochrom.Colorizer) -> None:
    """Luma exact, chroma within one code value."""
    assert (np.asarray(Image.fromarray(found).convert("L")) == np.asarray(Image.fromarray(pixels).convert("L"))).all()
    expected = colorizer(pixels)
    assert found.shape == expected.shape
    assert np.abs(chroma(found / 255.0) - chroma(expected / 255.0)).max() * 255 <= 1


def test_transparency_is_kept(develop: Callable[..., dict[str, Any]]) -> None:
    grey, alpha = photograph(60, 80), np.full((60, 80), 255, dtype=np.uint8)
    alpha[:, :20] = 0
    found = np.asarray(Image.open(io.BytesIO(develop(as_png(np.dstack([grey, grey, grey, alpha])))["saved"])))
    assert (found[..., 3] == alpha).all()
    opaque = np.ascontiguousarray(found[:, 20:, :3])
    assert (np.asarray(Image.fromarray(opaque).convert("L")) == grey[:, 20:]).all()


def test_photographs_stand_upright(develop: Callable[..., dict[str, Any]]) -> None:
    stream, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = 6
    grey = photograph(80, 120)
    Image.fromarray(grey).save(stream, "JPEG", quality=95, exif=exif)
    saved = Image.open(io.BytesIO(develop(stream.getvalue())["saved"]))
    assert saved.size == (80, 120)
    apart = np.asarray(saved.convert("L")).astype(int) - np.rot90(grey, -1).astype(int)
    assert np.abs(apart).mean() < 3


def test_jpeg_says_too_that_a_model_made_its_colours(develop: Callable[..., dict[str, Any]]) -> None:
    for format in ("png", "jpeg"):
        saved = develop(as_png(photograph(64, 64)), (1.5, 0.0), format)["saved"]
        provenance = read_provenance(photochrom.open_photo(saved).metadata.xmp)
        assert provenance is not None
        assert provenance.model_sha256 == find_card("photochrom-color").sha256
        assert provenance.settings["vividness"] == 1.5
        assert provenance.source_type.endswith("compositeWithTrainedAlgorithmicMedia")


def test_what_to_know_of_a_photograph_is_noted(develop: Callable[..., dict[str, Any]]) -> None:
    colored = RNG.integers(0, 255, (12, 16, 3), dtype=np.uint8).repeat(6, axis=0).repeat(6, axis=1)
    deep = (photograph(40, 40).astype(np.uint16) * 257).astype(np.uint16)
    assert develop(as_png(colored))["notes"] == ["colored"]
    assert develop(as_png(deep))["notes"] == ["depth"]
    assert develop(as_png(PICTURES["blank"]))["blank"]


def test_from_file_to_file_by_hand_and_eye(page: Any, context: tuple[Any, Told], host: tuple[Path, str]) -> None:
    grey = photograph(300, 400)
    assert upload(page, as_png(grey)) == "In colour. Move the slider to compare."
    slider = page.get_by_role("slider", name="How much of the photograph is shown")
    slider.focus()
    page.keyboard.press("End")
    assert page.evaluate("getComputedStyle(document.querySelector('photo-comparison')).getPropertyValue('--split')") == "100%"
    page.get_by_label("Vividness").fill("0")
    page.wait_for_function(
        """() => { const canvas = document.createElement("canvas").getContext("2d");
          canvas.drawImage(document.querySelector(".after"), 0, 0);
          const [red, green, blue] = canvas.getImageData(200, 150, 1, 1).data;
          return red === green && green === blue; }"""
    )
    page.get_by_label("Vividness").fill("1")
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as PNG").click()
    assert download.value.suggested_filename == "grandmother-color.png"
    saved = Image.open(download.value.path())
    assert (np.asarray(saved.convert("L")) == grey).all()
    assert np.asarray(saved).std(axis=2).max() > 5  # in colour
    page.get_by_text("Saved to your downloads.").wait_for()
    assert context[1].errors == []
    assert context[1].hosts <= {host[1].split("/")[2], ""}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"dear diary, today", "is not a picture"),
        (as_png(photograph(50, 60))[:-900], "damaged, or ends too early"),
        (b"II*\0" + bytes(200), "cannot open TIFF files"),
        (b"GIF89a" + bytes(200), "damaged"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_plainly(page: Any, content: bytes, said: str) -> None:
    assert said in upload(page, content)
    assert page.locator(".entry").is_visible()


def test_a_picture_too_large_is_refused_before_it_is_decoded(page: Any) -> None:
    png = bytearray(as_png(photograph(4, 4)))
    png[16:24] = (60_000).to_bytes(4) * 2
    png[29:33] = zlib.crc32(png[12:29]).to_bytes(4)
    assert "has 3,600 megapixels; this page takes up to 250" in upload(page, bytes(png))


def test_it_speaks_three_languages(page: Any) -> None:
    upload(page, b"no picture")
    page.get_by_label("Language").select_option("de")
    assert page.locator("h1").inner_text() == "Farbe für ein altes Foto"
    assert "ist kein Bild" in page.inner_text("#fault")
    assert page.evaluate("document.documentElement.lang") == "de"
    page.get_by_label("Sprache").select_option("fr")
    assert "n’est pas une image" in page.inner_text("#fault")
    page.get_by_label("Langue").select_option("en")


def test_every_control_has_a_name(page: Any) -> None:
    upload(page, as_png(photograph(64, 64)))
    nameless = page.evaluate(
        """() => [...document.querySelectorAll("button, input, select, a, canvas, [role=img]")].filter((element) =>
          !(element.getAttribute("aria-label") || element.textContent.trim() || element.labels?.[0]?.textContent.trim()))
          .map((element) => element.outerHTML)"""
    )
    assert nameless == []


def test_it_works_without_a_network_after_the_first_visit(page: Any, context: tuple[Any, Told]) -> None:
    page.get_by_text("This page now works without a network, too.").wait_for()
    context[0].set_offline(True)
    try:
        page.reload()
        page.wait_for_selector("body[data-state=ready]")
        assert upload(page, as_png(photograph(64, 90))) == "In colour. Move the slider to compare."
        assert page.evaluate("fetch('photochrom-page.json').then(() => 'reached', () => 'no network')") == "no network"
    finally:
        context[0].set_offline(False)


def test_a_model_that_is_not_the_one_promised_is_not_run(
    browser: Any, host: tuple[Path, str], exported: ExportedPage
) -> None:
    other = host[0] / "other"
    other.mkdir()
    for path in exported.folder.iterdir():  # the same page, with a byte of the model changed
        if path.suffix != ".onnx":
            (other / path.name).symlink_to(path)
    (model,) = exported.folder.glob("*.onnx")
    content = bytearray(model.read_bytes())
    content[len(content) // 2] ^= 1
    (other / model.name).write_bytes(content)
    with browser.new_context(locale="en-GB") as context:
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        page.goto(f"{host[1]}other/")
        page.get_by_role("alert").get_by_text("its SHA-256 differs").wait_for()
        (other / model.name).unlink()
        page.reload()
        page.get_by_role("alert").get_by_text("could not be fetched (HTTP 404)").wait_for()
    assert (exported.folder / WORKER).is_file()


def test_without_webassembly_it_says_so(address: str, browser: Any) -> None:
    with browser.new_context(locale="en-GB") as context:
        context.set_default_timeout(PATIENCE_MS)
        context.add_init_script("delete globalThis.WebAssembly")
        page = context.new_page()
        page.goto(address)
        page.get_by_role("alert").get_by_text("This browser has no WebAssembly").wait_for()


def test_memory_that_is_short_is_said_and_survived(page: Any, release: str) -> None:
    """A worker whose memory gives out is replaced; what was asked for is told as a fault, not as a picture."""
    found = page.evaluate(
        """async (module) => {
          const { faultOf } = await import(new URL(`${module}/fault.js`, location.href));
          const named = [new RangeError("Array buffer allocation failed"), new Error("std::bad_alloc"),
            new Error("memory access out of bounds"), new Error("else")].map((error) => faultOf(error).message);
          const { Session } = await import(new URL(`${module}/session.js`, location.href));
          const page = await (await fetch(`${module}/page.json`)).json();
          const mine = new Session(page, () => {});
          mine.hire = () => {
            const worker = new Worker("data:text/javascript,onmessage=({data})=>postMessage({id:data.id,fault:{name:'memory',values:{}}})");
            worker.onmessage = ({ data }) => mine.settle(data);
            return worker;
          };
          const first = await mine.ask("look", {}).catch((fault) => fault.message);
          return [...named, first, mine.worker];
        }""",
        release,
    )
    assert found == ["memory", "memory", "memory", "stopped", "memory", None]


def test_opened_as_a_file_it_says_what_it_needs(exported: ExportedPage, browser: Any) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(f"file://{exported.folder}/index.html")
        page.get_by_text("opened as a file").wait_for(state="visible", timeout=PATIENCE_MS)
        assert not page.locator(".entry").is_visible()


def test_a_canvas_that_tells_untruths_is_found_out(address: str, release: str, browser: Any) -> None:
    """Browsers that add noise against fingerprinting would change tones."""
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(f"{address}licences.txt")
        found = page.evaluate(
            """async (module) => {
              const { openPhoto } = await import(new URL(`${module}/decoding.js`, location.href));
              const file = new File([await (await fetch(`${module}/example.jpg`)).blob()], "a.jpg");
              const honest = (await openPhoto(file)).width;
              const read = OffscreenCanvasRenderingContext2D.prototype.getImageData;
              OffscreenCanvasRenderingContext2D.prototype.getImageData = function (...place) {
                const data = read.apply(this, place);
                data.data[5] ^= 1;
                return data;
              };
              return [honest, await openPhoto(file).catch((fault) => fault.message)];
            }""",
            release,
        )
    assert found == [448, "tampered"]
