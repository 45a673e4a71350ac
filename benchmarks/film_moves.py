"""Colour films made here, greyed and coloured: how near the truth, how steady, and whether colours lag behind.

    python benchmarks/film_moves.py [--frames 32] [--films moves cuts walk] [--key-spacing 8]

Cameras move over scikit-image's photographs, whose colours are the truth:

* ``moves``: a pan and a slow zoom over each of three photographs;
* ``cuts``: two of them as shots of one film, with grain of 2 codes and exposure that breathes by 4 %;
* ``walk``: a cut-out of one photograph walks over another one that stands still, as a person through a room.

Tables are those of `photochrom evaluate-film`.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import chain
from pathlib import Path

import av
import cv2
import numpy as np
from skimage import data

from photochrom import Colorizer
from photochrom.evaluation.films import mean_rows, table_lines
from photochrom.film.contest import measure_film
from photochrom.film.motion import one_thread_each
from photochrom.film.options import FilmOptions

WIDTH, HEIGHT = 640, 360
PHOTOGRAPHS: dict[str, Callable[[], np.ndarray]] = {
    "astronaut": data.astronaut,
    "chelsea": data.chelsea,
    "coffee": data.coffee,
}
GRAIN, BREATHES = 2.0, 0.04
# Pixels a frame that the cut-out walks, and how high it is.
STEP_PX, TALL_PX = 6, 260


def moved(picture: np.ndarray, frames: int) -> Iterator[np.ndarray]:
    """Yield frames of a camera that pans over a picture and comes nearer."""
    scale = 1.25 * max(WIDTH / picture.shape[1], HEIGHT / picture.shape[0])
    for k in range(frames):
        near = scale * (1 + 0.003 * k)
        move = np.array([[near, 0, -10 - 1.5 * k], [0, near, -10 - 0.6 * k]], np.float32)
        yield cv2.warpAffine(picture, move, (WIDTH, HEIGHT), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REFLECT)


def worn(frames: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
    """Yield frames with grain, and an exposure that breathes."""
    random = np.random.default_rng(0)
    for frame in frames:
        grain = random.normal(0, GRAIN, (*frame.shape[:2], 1))
        yield np.clip(frame * random.normal(1, BREATHES) + grain, 0, 255).astype(np.uint8)


def walk(thing: np.ndarray, ground: np.ndarray, frames: int) -> Iterator[np.ndarray]:
    """Yield frames in which an oval cut out of one picture walks over another."""
    behind = next(moved(ground, 1))
    height, width = TALL_PX, TALL_PX * thing.shape[1] // thing.shape[0]
    cut = cv2.resize(thing, (width, height), interpolation=cv2.INTER_AREA)
    oval = cv2.ellipse(
        np.zeros((height, width), np.float32), ((width / 2, height / 2), (width * 0.6, height), 0), 1, -1
    )
    for k in range(frames):
        move = np.array([[1, 0, 40 + STEP_PX * k], [0, 1, HEIGHT - height + 6 * np.sin(k / 2)]], np.float32)
        mask = cv2.warpAffine(cv2.blur(oval, (3, 3)), move, (WIDTH, HEIGHT))[..., None]
        yield np.rint(behind * (1 - mask) + cv2.warpAffine(cut, move, (WIDTH, HEIGHT)) * mask).astype(np.uint8)


def films(kind: str, frames: int) -> dict[str, Iterator[np.ndarray]]:
    """Return the films of a kind, RGB frames by their name."""
    pictures = {name: make() for name, make in PHOTOGRAPHS.items()}
    if kind == "moves":
        return {name: moved(picture, frames) for name, picture in pictures.items()}
    if kind == "walk":
        return {"astronaut over coffee": walk(pictures["astronaut"], pictures["coffee"], frames)}
    shots = chain.from_iterable(moved(pictures[name], frames // 2) for name in ("astronaut", "chelsea"))
    return {"astronaut, chelsea": worn(shots)}


def write(path: Path, frames: Iterator[np.ndarray]) -> None:
    """Write a colour film, as good as lossless."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt, stream.options = WIDTH, HEIGHT, "yuv444p", {"crf": "8"}
        for k, pixels in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format="yuv444p")
            frame.pts, frame.time_base = k, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def main() -> None:
    """Print a table for each kind: the mean over its films."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=32)
    parser.add_argument("--films", nargs="+", default=["moves", "cuts", "walk"], choices=["moves", "cuts", "walk"])
    parser.add_argument("--key-spacing", type=int, default=FilmOptions().key_spacing)
    arguments = parser.parse_args()
    options = FilmOptions(key_spacing=arguments.key_spacing)
    with tempfile.TemporaryDirectory() as folder, Colorizer() as colorizer, one_thread_each():
        for kind in arguments.films:
            rows = []
            for name, frames in films(kind, arguments.frames).items():
                write(path := Path(folder) / f"{name}.mkv", frames)
                rows.append(measure_film(path, colorizer.engine, options=options).rows)
            print(
                f"{kind}: {len(rows)} of {arguments.frames} frames", *table_lines(mean_rows(rows)), sep="\n", flush=True
            )


if __name__ == "__main__":
    main()
