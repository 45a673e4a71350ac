"""The studio in Chromium: from drop to colour, from a click of the brush to the new picture, memory of server and page.

python benchmarks/studio_page.py [--photos 300]

Beside the command line of the same run. A click ends when the new picture has been painted on the light table.
Needs Chromium and Playwright.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.studio import COMMAND, ROUNDS, Studio, photograph, seconds
from tests.browsers import chromium, settled

PATIENCE_MS = 600_000
TIMED = """() => {
  const table = document.querySelector("light-table"), times = (window.clicks = []);
  let begun = 0;
  addEventListener("pointerup", () => { begun = performance.now(); }, true);
  new MutationObserver(() => requestAnimationFrame(() => requestAnimationFrame(() => {
    times.push((performance.now() - begun) / 1000);
  }))).observe(table, { attributeFilter: ["data-shown"] });
}"""


def dropped(page: Any, *paths: Path) -> float:
    """Return how long it takes from files being given to the page until all hang in colour."""
    hung = page.locator(".print").count()
    begun = time.perf_counter()
    page.locator("photo-wall input[type=file]").set_input_files([str(path) for path in paths])
    page.wait_for_function(f"() => document.querySelectorAll('.print.done').length === {hung + len(paths)}")
    page.wait_for_function("() => document.querySelector('.print:last-child img:last-of-type')?.complete")
    return time.perf_counter() - begun


def clicked(page: Any) -> list[float]:
    """Return the seconds from clicks of the brush to the pictures that follow them; the first is left out."""
    page.get_by_role("tab", name="Brush").click()
    box = page.locator("photo-viewer canvas").bounding_box()
    settled(page, TIMED)
    for k in range(ROUNDS + 1):
        x, y = box["x"] + box["width"] * (0.55 + 0.06 * k), box["y"] + box["height"] * 0.5
        page.mouse.click(x, y)
        page.wait_for_function(f"() => window.clicks.length > {k}")
        page.wait_for_timeout(2_500)  # what is kept, and the wall's print, are made meanwhile
    return [float(value) for value in settled(page, "() => window.clicks")][1 : ROUNDS + 1]


def main() -> None:
    """Measure, and print ratios to the command line of the same run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=int, default=300)
    arguments = parser.parse_args()
    studio = Studio()
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        large, small = Path(folder) / "photo.jpg", Path(folder) / "first.jpg"
        large.write_bytes(photograph(4000, 3000))
        small.write_bytes(photograph(400, 300))
        whole = seconds([*COMMAND, "colorize", str(large), "--quiet"])
        page = browser.new_page(viewport={"width": 1300, "height": 850}, locale="en-GB")
        page.set_default_timeout(PATIENCE_MS)
        page.goto(studio.opened)
        dropped(page, small)  # the model is loaded
        shown = dropped(page, large)
        print(f"12 megapixels, drop to colour: {shown:.2f} s, {shown / whole:.2f} of `colorize` ({whole:.2f} s)")
        page.locator(".print", has_text="photo.jpg").get_by_role("link").click()
        clicks = clicked(page)
        told = f"{np.median(clicks):.2f} s ({min(clicks):.2f} to {max(clicks):.2f})"
        print(f"click of the brush to the picture: {told}, {np.median(clicks) / whole:.2f} of it")
        page.keyboard.press("Escape")
        many = [Path(folder) / f"{k}.jpg" for k in range(arguments.photos)]
        for k, path in enumerate(many):
            path.write_bytes(photograph(800, 600, k))
        before, heap = studio.memory_mb(), "() => performance.memory.usedJSHeapSize / 1e6"
        page_before = settled(page, heap)
        each = dropped(page, *many) / len(many)
        print(f"{len(many)} more, {each:.2f} s each: server {before:.0f} to {studio.memory_mb():.0f} MB", end="")
        print(f", the page's scripts {page_before:.1f} to {settled(page, heap):.1f} MB")
        page.context.close()
    studio.close()


if __name__ == "__main__":
    main()
