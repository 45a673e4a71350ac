"""The page as people use it, in a real Chromium: to the file that is saved, and what it says when there is none."""

from __future__ import annotations

import base64
import io
import re
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from photochrom.hints.sheet import read_hints
from photochrom.webpage.export import ExportedPage
from tests.browsers import PATIENCE_MS, served, settled
from tests.webpage.conftest import Told
from tests.webpage.photographs import as_png, photograph

PATIENCE_S = 60
FINISHED = "body[data-state=done], #fault:not([hidden])"


def upload(page: Any, content: bytes, name: str = "grandmother.png") -> str:
    """Give the page a file, and return what it says at the end: the fault, or the status."""
    page.set_input_files("#file", {"name": name, "mimeType": "image/png", "buffer": content})
    page.wait_for_selector("body:not([data-state=opening], [data-state=coloring])")
    page.wait_for_selector(FINISHED)
    fault = page.locator("#fault")
    return fault.inner_text() if fault.is_visible() else page.inner_text("#status")


def test_from_file_to_file_by_hand_and_eye(page: Any, context: tuple[Any, Told], host: tuple[Path, str]) -> None:
    grey = photograph(300, 400)
    assert upload(page, as_png(grey)) == "In colour. Move the slider to compare."
    slider = page.get_by_role("slider", name="How much of the photograph is shown")
    slider.focus()
    page.keyboard.press("End")
    assert "--split: 100%;" in page.locator("photo-comparison").get_attribute("style")
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as PNG").click()
    assert download.value.suggested_filename == "grandmother-color.png"
    saved = Image.open(download.value.path())
    assert (np.asarray(saved.convert("L")) == grey).all()
    assert np.asarray(saved).std(axis=2).max() > 5  # in colour
    page.get_by_text("Saved to your downloads.").wait_for()
    assert context[1].errors == []
    assert context[1].hosts <= {host[1].split("/")[2], ""}


# Saves, and opens another file before that can have ended; gives which buttons can be pressed then.
SAVE_AND_OPEN = """(content) => {
  document.getElementById("save-png").click();
  const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0)), transfer = new DataTransfer();
  transfer.items.add(new File([bytes], "grandfather.png", { type: "image/png" }));
  const field = document.getElementById("file");
  field.files = transfer.files;
  field.dispatchEvent(new Event("change"));
  return ["save-hints", "save-png", "save-jpeg"].filter((id) => !document.getElementById(id).disabled);
}"""


def test_what_is_being_saved_is_saved_though_the_next_is_opened(page: Any) -> None:
    upload(page, as_png(photograph(300, 400)))
    content = base64.b64encode(as_png(photograph(200, 240))).decode()
    with page.expect_download() as download:
        assert settled(page, SAVE_AND_OPEN, content) == []
    assert download.value.suggested_filename == "grandmother-color.png"
    assert Image.open(io.BytesIO(Path(download.value.path()).read_bytes())).size == (400, 300)
    page.wait_for_selector("body[data-state=done]")
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as PNG").click()
    assert download.value.suggested_filename == "grandfather-color.png"


def wait_until(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < until, "it never came true"
        time.sleep(0.1)


def shown_colors(page: Any) -> np.ndarray:
    """The pixels of the result on the screen, (h, w, 3)."""
    picture = Image.open(io.BytesIO(page.locator("photo-comparison").screenshot())).convert("RGB")
    return np.asarray(picture, dtype=np.float64)


def vividness_of(page: Any) -> float:
    pixels = shown_colors(page)[:, -pixels_right(page) :]
    return float(pixels.std(axis=2).mean())


def pixels_right(page: Any) -> int:
    return int(page.locator("photo-comparison").bounding_box()["width"] * 0.4)


def test_the_sliders_change_what_is_shown_at_once(page: Any) -> None:
    hills = photograph(490, 400)[190:]  # without the disc, which is vivid: the ceiling would weaken all else with it
    upload(page, as_png(hills))
    usual = vividness_of(page)
    slider = page.get_by_label("Vividness")
    slider.focus()
    page.keyboard.press("Home")  # all the way to grey
    wait_until(lambda: vividness_of(page) < 0.3 * usual)
    page.keyboard.press("End")
    wait_until(lambda: vividness_of(page) > 1.3 * usual)
    assert slider.input_value() == "2"


def test_a_colour_is_said_by_mouse_and_keyboard_and_taken_back(page: Any) -> None:
    upload(page, as_png(photograph(300, 400)))
    before = shown_colors(page)
    page.get_by_label("Colour", exact=True).fill("#c02020")
    page.get_by_role("button", name="Place it in the photograph").click()
    layer, hints = page.locator("#layer"), page.locator("#hints li")
    box = layer.bounding_box()
    page.mouse.click(box["x"] + box["width"] * 0.9, box["y"] + box["height"] * 0.85)
    assert hints.count() == 1
    at = (slice(int(box["height"] * 0.86), int(box["height"] * 0.89)), int(box["width"] * 0.93))
    wait_until(lambda: np.ptp((shown_colors(page) - before)[at].mean(axis=0)) > 15)  # redder than it was
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    assert hints.count() == 2
    assert violations(page) == []
    with page.expect_download() as download:
        page.get_by_role("button", name="Save these hints").click()
    download.value.save_as(path := Path(download.value.path()).with_suffix(".hints.json"))
    assert [hint.point for hint in read_hints(path).hints][1] == (0.51, 0.5)
    for left in (1, 0):
        page.get_by_role("button", name=re.compile("Take colour")).first.click()
        assert hints.count() == left
    page.get_by_role("button", name="Place it in the photograph").click()
    wait_until(lambda: np.abs(shown_colors(page) - before)[at].max() < 6)


def violations(page: Any) -> list[str]:
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    return [f"{one['id']}: {one['nodes'][0]['target']} {one['nodes'][0]['failureSummary']}" for one in found]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_stands_in_the_way_of_screen_readers(page: Any, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.reload()
    page.wait_for_selector("body[data-state=ready]")
    assert violations(page) == []
    upload(page, b"no picture")
    assert violations(page) == []
    upload(page, as_png(photograph(300, 400)))
    page.get_by_text("What happens to my photograph?").click()
    assert violations(page) == []
    page.set_viewport_size({"width": 390, "height": 780})
    assert settled(page, "() => document.documentElement.scrollWidth <= innerWidth")
    assert violations(page) == []
    page.set_viewport_size({"width": 1200, "height": 900})


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
    assert page.get_attribute("html", "lang") == "de"
    page.get_by_label("Sprache").select_option("fr")
    assert "n’est pas une image" in page.inner_text("#fault")
    page.get_by_label("Langue").select_option("en")


def test_every_control_has_a_name(page: Any) -> None:
    upload(page, as_png(photograph(64, 64)))
    nameless = settled(
        page,
        """() => [...document.querySelectorAll("button, input, select, a, canvas, [role=img]")]
          .filter((element) => !element.getAttribute("aria-label") && !element.textContent.trim())
          .filter((element) => !element.labels?.[0]?.textContent.trim())
          .map((element) => element.outerHTML)""",
    )
    assert nameless == []


def test_it_works_without_a_network_after_the_first_visit(exported: ExportedPage, browser: Any) -> None:
    with browser.new_context(locale="en-GB") as context:
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        with served(exported.folder) as address:
            page.goto(address)
            page.get_by_text("This page now works without a network, too.").wait_for()
        page.reload()  # its host is no more
        page.wait_for_selector("body[data-state=ready]")
        assert upload(page, as_png(photograph(64, 90))) == "In colour. Move the slider to compare."
        asked = "(path) => fetch(path).then(() => 'reached', () => 'no network')"
        assert settled(page, asked, "licences.txt") == "reached"
        assert settled(page, asked, "photochrom-page.json") == "no network"


def test_a_script_that_never_answers_is_a_failure(tab: Any) -> None:
    with pytest.raises(Exception, match="no answer within"):
        settled(tab, "() => new Promise(() => {})", within_s=0.1)


def test_a_model_that_is_not_the_one_promised_is_not_run(
    browser: Any, host: tuple[Path, str], exported: ExportedPage
) -> None:
    other = host[0] / "other"
    other.mkdir()
    for path in exported.folder.iterdir():  # the same page, with a byte of the model changed
        if path.suffix != ".packed":
            (other / path.name).symlink_to(path)
    (model,) = exported.folder.glob("*.packed")
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


def test_without_webassembly_it_says_so(address: str, browser: Any) -> None:
    with browser.new_context(locale="en-GB") as context:
        context.set_default_timeout(PATIENCE_MS)
        context.add_init_script("delete globalThis.WebAssembly")
        page = context.new_page()
        page.goto(address)
        page.get_by_role("alert").get_by_text("This browser has no WebAssembly").wait_for()


def test_memory_that_is_short_is_said_and_survived(page: Any, release: str) -> None:
    """A worker whose memory gives out is replaced; what was asked for is told as a fault, not as a picture."""
    found = settled(
        page,
        """async (module) => {
          const { faultOf } = await import(new URL(`${module}/fault.js`, location.href));
          const named = [new RangeError("Array buffer allocation failed"), new Error("std::bad_alloc"),
            new Error("memory access out of bounds"), new Error("else")].map((error) => faultOf(error).message);
          const { Session } = await import(new URL(`${module}/session.js`, location.href));
          const page = await (await fetch(`${module}/page.json`)).json();
          const mine = new Session(page, () => {});
          const fault = { name: "memory", values: {} };
          const postMessage = ({ id }) => queueMicrotask(() => mine.settle({ id, fault }));
          mine.hire = () => ({ postMessage, terminate() {} });
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
        found = settled(
            page,
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
    assert found == [384, "tampered"]
