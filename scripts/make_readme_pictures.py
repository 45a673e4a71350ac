"""Make the docs' pictures from scikit-image's freely licensed samples: coloured, restored, and a sheet of all damage.

    python scripts/make_readme_pictures.py docs/images

Each sample is greyed and aged by the training system's own degradation at a fixed seed, then coloured as anybody
would colour it. Restored ones are worn by the presets that users have, at the first seeds. Nothing is picked or
retouched. Needs the `test` extra (scikit-image).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import skimage.data
from PIL import Image

import photochrom
from photochrom.degradation import degrade
from photochrom.degradation.ageing import AgeOptions, age

HEIGHT_PX = 180
# The sample, how it is aged, and the seed that fixes the ageing. "camera" is a real black-and-white photograph.
SAMPLES = (
    ("astronaut", AgeOptions(untouched=1.0), 1),
    ("chelsea", AgeOptions(untouched=1.0), 1),
    ("coffee", AgeOptions(untouched=0, film=0, tone=0, fading=1, toning=0, vignette=0, blur=0, grain=1, jpeg=0), 3),
    ("rocket", AgeOptions(untouched=0, film=1, tone=0, fading=0, toning=0, vignette=1, blur=0, grain=0, jpeg=0), 5),
    ("camera", None, 0),
)
GAP_PX = 6
# The sample and the preset it is worn by; each is restored by itself, with every stage asked to look.
WORN = (("astronaut", "album"), ("coffee", "newspaper"), ("camera", "film"), ("chelsea", "attic"), ("camera", "wallet"))


def make_pair(name: str, options: AgeOptions | None, seed: int, colorizer: photochrom.Colorizer) -> Image.Image:
    """Return the aged grey sample and its coloured version side by side."""
    pixels = getattr(skimage.data, name)()
    if options is not None:
        luma = age(pixels, np.random.default_rng(seed), options)
        pixels = np.rint(luma * 255).astype(np.uint8)
    grey = Image.fromarray(pixels).convert("L")
    size = (round(grey.width * HEIGHT_PX / grey.height), HEIGHT_PX)
    pair = Image.new("RGB", (2 * size[0] + GAP_PX, HEIGHT_PX), "white")
    for column, picture in enumerate((grey.convert("RGB"), colorizer(grey))):
        pair.paste(picture.resize(size, Image.Resampling.LANCZOS), (column * (size[0] + GAP_PX), 0))
    return pair


def make_restored(name: str, preset: str, seed: int, restorer: photochrom.Restorer) -> Image.Image:
    """Return the sample as it is, worn, and restored, side by side."""
    sample = Image.fromarray(getattr(skimage.data, name)()).convert("RGB")
    sample = sample.resize((round(sample.width * HEIGHT_PX / sample.height), HEIGHT_PX), Image.Resampling.LANCZOS)
    worn = Image.fromarray(np.rint(degrade(np.asarray(sample), preset, seed=seed).picture * 255).astype(np.uint8))
    row = Image.new("RGB", (3 * sample.width + 2 * GAP_PX, HEIGHT_PX), "white")
    for column, picture in enumerate((sample, worn, restorer(worn))):
        row.paste(picture, (column * (sample.width + GAP_PX), 0))
    return row


def main(folder: Path) -> None:
    """Write one picture per sample into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with photochrom.Colorizer() as colorizer:
        for name, options, seed in SAMPLES:
            make_pair(name, options, seed, colorizer).save(folder / f"{name}.webp", quality=52, method=6)
    with photochrom.Restorer(photochrom.RestoreOptions(correct_cast=True)) as restorer:
        for seed, (name, preset) in enumerate(WORN):
            make_restored(name, preset, seed, restorer).save(folder / f"restored-{preset}.webp", quality=28, method=6)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    main(parser.parse_args().folder)
