"""The studio in Chromium: from drop to colour, from a click of the brush to the new picture, memory of server and page.

python benchmarks/studio_page.py [--photos 300]

Beside the command line of the same run. A click ends when the new picture has been painted on the light table. Whatever
takes longer than it reasonably can is given up with a line that says how far it came. Needs Chromium and Playwright.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.studio import COMMAND, ROUNDS, Studio, photograph, seconds
from tests.browsers import chromium, settled

PATIENCE_S, PATIENCE_PER_PHOTO_S = 60, 3
POLLING_MS = 100
TIMED = """() => {
  const table = document.querySelector("light-table"), times = (window.clicks = []);
  let begun = 0;
  addEventListener("pointerup", () => { begun = performance.now(); }, true);
  new MutationObserver(() => requestAnimationFrame(() => requestAnimationFrame(() => {
    times.push((performance.now() - begun) / 1000);
  }))).observe(table, { attributeFilter: ["data-shown"] });
}"""


DONE = "(count) => document.querySelectorAll('.print.done').length === count"
# Pictures below the window are not asked for until somebody scrolls there.
SEEN = """() => [...document.querySelectorAll(".print.done img")].every((image) => {
  const { top, bottom } = image.getBoundingClientRect();
  return image.complete || top > innerHeight || bottom < 0;
})"""


def dropped(page: Any, *paths: Path) -> float:
    """Return how long it takes from files being given to the page until all hang in colour, those in sight loaded."""
    hung = page.locator(".print").count()
    patience_ms = 1000 * (PATIENCE_S + PATIENCE_PER_PHOTO_S * len(paths))
    begun = time.perf_counter()
    page.locator("photo-wall input[type=file]").set_input_files([str(path) for path in paths])
    try:
        page.wait_for_function(DONE, arg=hung + len(paths), timeout=patience_ms)
        page.wait_for_function(SEEN, timeout=patience_ms)
    except errors().TimeoutError:
        done = page.locator(".print.done").count() - hung
        told = page.locator(".toasts").inner_text()
        waited = time.perf_counter() - begun
        sys.exit(f"given up after {waited:.0f} s: {done} of {len(paths)} photographs hang in colour. {told}")
    return time.perf_counter() - begun


def errors() -> Any:
    """Return Playwright, whose errors are known by name."""
    from playwright import sync_api

    return sync_api


def clicked(page: Any) -> list[float]:
    """Return the seconds from clicks of the brush to the pictures that follow them; the first is left out."""
    page.get_by_role("tab", name="Brush").click()
    box = page.locator("photo-viewer canvas").bounding_box()
    settled(page, TIMED)
    for k in range(ROUNDS + 1):
        x, y = box["x"] + box["width"] * (0.55 + 0.06 * k), box["y"] + box["height"] * 0.5
        page.mouse.click(x, y)
        # Asked now and then: by default it is at every frame, which takes time from what is measured.
        page.wait_for_function(f"() => window.clicks.length > {k}", polling=POLLING_MS)
        page.wait_for_timeout(2_500)  # what is kept, and the wall's print, are made meanwhile
    return [float(value) for value in settled(page, "() => window.clicks")][1 : ROUNDS + 1]


def main() -> None:
    """Measure, and print ratios to the command line of the same run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=int, default=300)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, chromium() as browser, closing(Studio()) as studio:
        page = browser.new_page(viewport={"width": 1300, "height": 850}, locale="en-GB")
        page.set_default_timeout(1000 * PATIENCE_S)
        page.goto(studio.opened)
        measure_one(page, Path(name))
        measure_wall(page, Path(name), studio, arguments.photos)
        page.context.close()


def measure_one(page: Any, folder: Path) -> None:
    """Print how long a large photograph takes, and a hint on it."""
    large, small = folder / "photo.jpg", folder / "first.jpg"
    large.write_bytes(photograph(4000, 3000))
    small.write_bytes(photograph(400, 300))
    whole = seconds([*COMMAND, "colorize", str(large), "--quiet"])
    dropped(page, small)  # the model is loaded
    shown = dropped(page, large)
    print(f"12 megapixels, drop to colour: {shown:.2f} s, {shown / whole:.2f} of `colorize` ({whole:.2f} s)")
    page.locator(".print", has_text="photo.jpg").get_by_role("link").click()
    clicks = clicked(page)
    told = f"{np.median(clicks):.2f} s ({min(clicks):.2f} to {max(clicks):.2f})"
    print(f"click of the brush to the picture: {told}, {np.median(clicks) / whole:.2f} of it", flush=True)
    page.keyboard.press("Escape")


def measure_wall(page: Any, folder: Path, studio: Studio, count: int) -> None:
    """Print what each of many photographs takes beside the command line, and how memory grows."""
    album = folder / "album"
    album.mkdir()
    many = [album / f"{k}.jpg" for k in range(count)]
    for k, path in enumerate(many):
        path.write_bytes(photograph(800, 600, k))
    whole = seconds([*COMMAND, "colorize", str(album), "-o", str(folder / "coloured"), "--quiet"]) / count
    before, heap = studio.memory_mb(), "() => performance.memory.usedJSHeapSize / 1e6"
    page_before = settled(page, heap)
    each = dropped(page, *many) / count
    print(f"{count} more, {each:.2f} s each, {each / whole:.2f} of `colorize` ({whole:.2f} s): ", end="")
    print(f"server {before:.0f} to {studio.memory_mb():.0f} MB, ", end="")
    print(f"the page's scripts {page_before:.1f} to {settled(page, heap):.1f} MB")


if __name__ == "__main__":
    main()
