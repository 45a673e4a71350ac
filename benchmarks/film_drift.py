"""Do colours drift in a long shot? A camera comes back to the same place every ten seconds of a minute without a cut.

    python benchmarks/film_drift.py [--seconds 60] [--fps 12] [--hints] [--tell-net | --no-tell-net]

The films are scikit-image's photographs under a camera that sways, with fresh grain in each frame. At each return the
colours are compared with the truth (CIEDE2000) and with those of the first return (Lab units), for the film's way and
for photographs frame by frame, whose difference is what grain alone does to the net. With ``--hints`` the first frame
is told one wrong colour, dark green, in its middle: how much of it is left is what a person's word is worth after a
minute.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path

import av
import cv2
import numpy as np
from skimage import data

from photochrom import Colorizer, FilmColorizer, FilmOptions, Hint, HintSheet, Photo
from photochrom.color import lab_from_srgb
from photochrom.metrics import ciede2000_map

PHOTOGRAPHS: dict[str, Callable[[], np.ndarray]] = {"astronaut": data.astronaut, "chelsea": data.chelsea}
WIDTH, HEIGHT, PERIOD_S, GRAIN = 320, 240, 10, 2.0
TOLD = Hint(point=(0.5, 0.5), color="darkgreen", width=0.15, reach=0.2)


def views(picture: np.ndarray, frames: int, fps: int) -> list[np.ndarray]:
    """Return RGB frames of a camera that sways across a photograph and comes back every PERIOD_S seconds."""
    scale = 1.35 * max(WIDTH / picture.shape[1], HEIGHT / picture.shape[0])
    room = scale * np.array([picture.shape[1], picture.shape[0]]) - (WIDTH, HEIGHT)
    found = []
    for k in range(frames):
        turn = 2 * np.pi * k / (PERIOD_S * fps)
        x, y = room * (0.5 + 0.4 * np.sin(turn), 0.5 + 0.4 * np.sin(2 * turn))
        move = np.array([[scale, 0, -x], [0, scale, -y]], np.float32)
        found.append(
            cv2.warpAffine(picture, move, (WIDTH, HEIGHT), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REFLECT)
        )
    return found


def grained(frames: list[np.ndarray]) -> list[np.ndarray]:
    """Return grey copies with grain of their own."""
    random = np.random.default_rng(0)
    greys = (cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in frames)
    return [np.clip(grey + random.normal(0, GRAIN, grey.shape), 0, 255).astype(np.uint8) for grey in greys]


def write(path: Path, lumas: list[np.ndarray], fps: int) -> None:
    """Write a grey film, lossless, full range."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=fps)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "gray"
        for luma in lumas:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(luma, format="gray")))
        container.mux(stream.encode(None))


def filmed(source: Path, folder: Path, wanted: list[int], options: FilmOptions) -> list[np.ndarray]:
    """Return some frames of the film in colour, RGB."""
    target = folder / "frames"
    with FilmColorizer(options=options) as colorizer:
        colorizer(source, target)
    paths = sorted(target.glob("*.png"))
    return [cv2.cvtColor(cv2.imread(str(paths[k])), cv2.COLOR_BGR2RGB) for k in wanted]


def apart(one: np.ndarray, other: np.ndarray) -> float:
    """Return the mean difference of a*, b*."""
    return float(
        np.hypot(*np.moveaxis((lab_from_srgb(one / 255.0) - lab_from_srgb(other / 255.0))[..., 1:], -1, 0)).mean()
    )


def middle(frame: np.ndarray) -> np.ndarray:
    """Return the a*, b* of what the hint lies on."""
    rows, columns = slice(HEIGHT // 2 - 8, HEIGHT // 2 + 8), slice(WIDTH // 2 - 8, WIDTH // 2 + 8)
    return lab_from_srgb(frame[rows, columns] / 255.0)[..., 1:].mean(axis=(0, 1))


def main() -> None:
    """Print a table for each photograph."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--fps", type=int, default=12)
    parser.add_argument("--hints", action="store_true")
    parser.add_argument("--tell-net", action=argparse.BooleanOptionalAction, default=FilmOptions().tell_net)
    parser.add_argument("--photographs", nargs="+", default=list(PHOTOGRAPHS), choices=PHOTOGRAPHS)
    arguments = parser.parse_args()
    wanted = [k * PERIOD_S * arguments.fps for k in range(arguments.seconds // PERIOD_S + 1)]
    for name in arguments.photographs:
        truths = views(PHOTOGRAPHS[name](), wanted[-1] + 1, arguments.fps)
        lumas = grained(truths)
        with tempfile.TemporaryDirectory() as place, Colorizer() as colorizer:
            folder = Path(place)
            write(folder / "in.mkv", lumas, arguments.fps)
            if arguments.hints:
                (folder / "hints").mkdir()
                (folder / "hints" / "0.hints.json").write_bytes(HintSheet(hints=(TOLD,)).as_json())
            hints = folder / "hints" if arguments.hints else None
            options = FilmOptions(codec="frames", hints=hints, tell_net=arguments.tell_net)
            film = filmed(folder / "in.mkv", folder, wanted, options)
            alone = [colorizer.run(Photo(lumas[k][..., None])).photo.pixels for k in wanted]
        print(f"{name}: at seconds {', '.join(str(k // arguments.fps) for k in wanted)}")
        if arguments.hints:
            start, net = middle(film[0]), middle(alone[0])
            left = [float((middle(frame) - net) @ (start - net) / ((start - net) @ (start - net))) for frame in film]
            print("  of the hint left:      " + " ".join(f"{value:6.2f}" for value in left))
            continue
        for way, frames in (("film", film), ("frame by frame", alone)):
            errors = [float(ciede2000_map(truths[k], frame).mean()) for k, frame in zip(wanted, frames, strict=True)]
            moved = [apart(frame, frames[0]) for frame in frames]
            print(f"  {way:15} CIEDE2000 " + " ".join(f"{value:6.2f}" for value in errors))
            print(f"  {'':15} moved a*b* " + " ".join(f"{value:5.2f} " for value in moved))


if __name__ == "__main__":
    main()
