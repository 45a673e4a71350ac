"""How quick is a changed hint? Seconds at 12 megapixels, and as a share of colouring the whole photograph again.

python benchmarks/preview.py --model MODEL
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from PIL import Image

from photochrom import Colorizer, Hint, Photo
from photochrom.files.reading import open_photo

ROUNDS = 7


def main() -> None:
    """Measure, and print a table: medians of ROUNDS."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True)
    parser.add_argument("--photo", default="docs/images/sample.jpg")
    arguments = parser.parse_args()
    image = Image.fromarray(open_photo(arguments.photo).pixels.squeeze()).convert("L").resize((4000, 3000))
    photo, colorizer = Photo(np.asarray(image)[..., None]), Colorizer(arguments.model)
    begun = time.perf_counter()
    preview = colorizer.preview(photo)
    print(f"prepared once: {time.perf_counter() - begun:.2f} s, {preview.photo.width} x {preview.photo.height}")
    times: dict[str, list[float]] = {"preview": [], "whole": []}
    net: list[float] = []
    for at in range(ROUNDS):
        hints = [Hint(point=(0.1 + 0.1 * at, 0.5), color="seagreen"), Hint(point=(0.5, 0.2), color="navy")]
        begun = time.perf_counter()
        net.append(preview.show(hints).seconds["net"])
        times["preview"].append(time.perf_counter() - begun)
        begun = time.perf_counter()
        colorizer.run(photo, hints)
        times["whole"].append(time.perf_counter() - begun)
    shown, whole = (float(np.median(values)) for values in times.values())
    print(
        f"a changed hint: {shown:.2f} s, of which the net {np.median(net):.2f} s; the whole photograph: {whole:.2f} s"
    )
    print(f"ratio: {shown / whole:.2f}")


if __name__ == "__main__":
    main()
