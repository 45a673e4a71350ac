"""How long does the exported page take for a photograph, beside Python: one view, one thread, as a ratio.

python benchmarks/webpage.py [--megapixels 12]

Both start from a JPEG and end with a PNG of full size. The net is also run alone, on the same luma in both, and the
largest difference of its a*, b* told, with what a first visit fetches.

Needs Chromium and Playwright, and ONNX Runtime Web, fetched by `photochrom studio --export-page DIR --fetch-runtime`.
"""

from __future__ import annotations

import argparse
import base64
import io
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from photochrom import ColorizeOptions, Colorizer
from photochrom.colorizer import load_engine
from photochrom.files.reading import open_photo
from photochrom.files.writing import save_photo
from photochrom.options import DEFAULT_MODEL, EngineOptions
from photochrom.webpage.export import export_page
from photochrom.webpage.runtime import read_runtime

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.browsers import chromium, served, settled

ROUNDS = 5
SCRIPT = """async ({ release, jpeg, rounds }) => {
  const { Session } = await import(new URL(`${release}/session.js`, location.href));
  const page = await (await fetch(`${release}/page.json`)).json(), look = { vividness: 1, warmth: 0 };
  const bytes = Uint8Array.from(atob(jpeg), (letter) => letter.charCodeAt(0));
  const times = { start: [], open: [], save: [] };
  const session = new Session(page, () => {});
  const timed = async (name, promise) => {
    const begun = performance.now();
    await promise;
    times[name].push((performance.now() - begun) / 1000);
  };
  await timed("start", session.start());
  for (let round = 0; round < rounds; round++) {
    await timed("open", session.open(new File([bytes], "photo.jpg")));
    await timed("save", session.save(look, "png"));
  }
  return times;
}"""


NET_PX = 192
NET = """async ({ release, luma, px, rounds }) => {
  const base = new URL(`${release}/`, location.href), { loadNet } = await import(new URL("net.js", base));
  const net = await loadNet(await (await fetch(new URL("page.json", base))).json(), base, () => {});
  const plane = Float32Array.from(luma), times = [];
  let answer = null;
  for (let round = 0; round < rounds; round++) {
    const begun = performance.now();
    answer = await net.run(plane, px, px, null);
    times.push((performance.now() - begun) / 1000);
  }
  return { ab: [...answer.ab], times };
}"""


def main() -> None:
    """Measure, and print a table: medians of ROUNDS, the first of each, which warms up, left out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megapixels", type=float, default=12)
    parser.add_argument("--photo", default="docs/images/sample.jpg")
    arguments = parser.parse_args()
    jpeg = enlarged(arguments.photo, arguments.megapixels)
    with tempfile.TemporaryDirectory() as folder:
        luma = np.asarray(Image.open(arguments.photo).convert("L").resize((NET_PX, NET_PX)), np.float32) / 255
        browser, answer, fetched = in_browser(Path(folder), jpeg, luma)
        python = in_python(Path(folder), jpeg)
    print(
        f"{arguments.megapixels:g} megapixels, {os.cpu_count()} cores; start in the browser: {browser['start']:.2f} s"
    )
    print("| step | browser | Python | ratio |\n|---|---|---|---|")
    for step in ("open", "save"):
        what = {"open": "decode, shrink, net", "save": "merge, encode as PNG"}[step]
        print(f"| {what} | {browser[step]:.2f} s | {python[step]:.2f} s | {browser[step] / python[step]:.1f} |")
    both = [sum(times[step] for step in ("open", "save")) for times in (browser, python)]
    ab, alone = net_in_python(luma)
    apart = float(abs(np.reshape(answer["ab"], ab.shape) - ab).max())
    net = float(np.median(answer["times"][1:]))
    print(f"| the net alone, {NET_PX} px | {net:.2f} s | {alone:.2f} s | {net / alone:.1f} |")
    print(f"| both | {both[0]:.2f} s | {both[1]:.2f} s | {both[0] / both[1]:.1f} |")
    print(f"largest difference of a*, b* from the net: {apart:.4f}; a first visit fetches {fetched / 1e6:.1f} MB")


def enlarged(path: str, megapixels: float) -> bytes:
    """Return a JPEG of so many megapixels."""
    image = Image.open(path).convert("L")
    factor = (megapixels * 1e6 / (image.width * image.height)) ** 0.5
    stream = io.BytesIO()
    image.resize((round(image.width * factor), round(image.height * factor))).save(stream, "JPEG", quality=90)
    return stream.getvalue()


def in_browser(folder: Path, jpeg: bytes, luma: Any) -> tuple[dict[str, float], dict[str, Any], int]:
    """Return the median seconds of each step in Chromium, what the net answers alone, and the bytes of a visit."""
    site = export_page(folder / "site", read_runtime()).folder
    (release,) = (path.name for path in site.glob("page-*"))
    with served(site) as address, chromium() as browser:
        page = browser.new_page()
        page.goto(f"{address}licences.txt")
        asked = {"release": release, "jpeg": base64.b64encode(jpeg).decode(), "rounds": ROUNDS + 1}
        times: dict[str, Any] = settled(page, SCRIPT, asked, within_s=600)
        given = {"release": release, "luma": luma.ravel().tolist(), "px": NET_PX, "rounds": ROUNDS + 1}
        answer: dict[str, Any] = settled(page, NET, given, within_s=600)
    fetched = sum(path.stat().st_size for path in site.rglob("*") if path.is_file())
    shutil.rmtree(site)
    return {step: float(np.median(values[1:] or values)) for step, values in times.items()}, answer, fetched


def net_in_python(luma: Any) -> tuple[Any, float]:
    """Return what the net answers in Python, on one thread, and the median seconds."""
    engine, times = load_engine(DEFAULT_MODEL, EngineOptions(threads=1)), []
    for _ in range(ROUNDS + 1):
        begun = time.perf_counter()
        ab = engine.run({"luma": luma[None, None], "temperature": engine.spec.temperature}, ["ab", "logits"])["ab"]
        times.append(time.perf_counter() - begun)
    engine.close()
    return ab, float(np.median(times[1:]))


def in_python(folder: Path, jpeg: bytes) -> dict[str, float]:
    """Return the same in Python, on one thread; the merging stands under "save", as in the page."""
    path = folder / "photo.jpg"
    path.write_bytes(jpeg)
    times: dict[str, list[float]] = {"open": [], "save": []}
    options, engine = ColorizeOptions(size=224), EngineOptions(threads=1)
    with Colorizer(options=options, engine_options=engine) as colorizer:
        for _ in range(ROUNDS + 1):
            begun = time.perf_counter()
            result = colorizer.run(open_photo(path))
            merging = result.seconds["upsample and merge"]
            times["open"].append(time.perf_counter() - begun - merging)
            begun = time.perf_counter()
            save_photo(result.photo, folder / "out.png")
            times["save"].append(time.perf_counter() - begun + merging)
    return {step: float(np.median(values[1:])) for step, values in times.items()}


if __name__ == "__main__":
    main()
