"""What colouring a film costs, beside its encoder alone and beside the net on every frame; and memory against length.

    python benchmarks/film.py [--width 1280 --height 720 --frames 96] [--memory [--restore] [--codec x265]]

Everything is a ratio to the encoder alone, in processor time of the same run: what other programs do on the computer
meanwhile hardly changes it. The film is made here: a camera over a generated picture, two shots, light grain.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from photochrom.colorizer import Colorizer
from photochrom.film.containers import Reading, describe
from photochrom.film.encoding import CODECS, SegmentWriter, encoder_settings
from photochrom.film.motion import one_thread_each
from photochrom.film.options import FilmOptions
from photochrom.film.planes import frame_from
from photochrom.film.session import FilmColorizer
from photochrom.film.sources import FilmFile
from photochrom.options import ColorizeOptions, Limits

KEY_SPACINGS = (1, FilmOptions().key_spacing)


def picture(seed: int, side: int) -> np.ndarray:
    """Return a picture of smooth shapes and texture, (side, side) uint8."""
    random = np.random.default_rng(seed)
    layers = (np.float32(random.normal(0, 1, (side // step, side // step))) for step in (4, 16, 64, 256))
    summed = sum(cv2.resize(layer, (side, side), interpolation=cv2.INTER_CUBIC) for layer in layers)
    return np.clip(126 + 30 * np.asarray(summed), 16, 235).astype(np.uint8)


def planes(width: int, height: int, frames: int) -> Iterator[np.ndarray]:
    """Yield luma planes: a camera that pans, with a cut in the middle and grain of 3 codes."""
    random = np.random.default_rng(0)
    scenes = [picture(seed, 2 * max(width, height) // 256 * 256) for seed in (1, 2)]
    for k in range(frames):
        move = np.array([[1, 0, -2.5 * k], [0, 1, -1.0 * k]], np.float32)
        scene = scenes[2 * k // frames]
        luma = cv2.warpAffine(scene, move, (width, height), borderMode=cv2.BORDER_REFLECT)
        yield np.clip(luma + random.normal(0, 3, luma.shape), 16, 235).astype(np.uint8)


def write_sample(path: Path, width: int, height: int, frames: int) -> None:
    """Write the film that is coloured."""
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.options = {"preset": "veryfast", "crf": "16"}
        for k, luma in enumerate(planes(width, height, frames)):
            frame = av.VideoFrame(width, height, "yuv420p")
            for number, plane in enumerate(frame.planes):
                values = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
                values[:] = 128
                if number == 0:
                    values[:height, :width] = luma
            frame.pts, frame.time_base = k, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Return (processor seconds, seconds) of some work."""
    start = time.process_time(), time.perf_counter()
    work()
    return time.process_time() - start[0], time.perf_counter() - start[1]


def encode_alone(source: Path, folder: Path) -> None:
    """Decode and encode the film's luma with neutral chroma: what any program has to do."""
    film = FilmFile.open(source, "deinterlace", Limits())
    info, layout = describe(source), film.info.layout
    writer = SegmentWriter(
        folder / "alone.mp4", CODECS["x264"], encoder_settings(FilmOptions()), layout, info, fields=""
    )
    width, height = layout.chroma_size(info.width, info.height)
    chroma = np.full((height, width, 2), layout.codes.neutral, np.uint8)
    for shown in film.frames(Reading()):
        writer.write(frame_from(shown.luma, chroma, layout), shown.pts, shown.duration)
    writer.close()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--width", type=int, default=1280)
    parser.add_argument("--height", type=int, default=720)
    parser.add_argument("--frames", type=int, default=96)
    parser.add_argument("--memory", action="store_true", help="print the peak memory of the command only")
    parser.add_argument("--restore", action="store_true", help="restored, too; with --memory")
    parser.add_argument("--codec", choices=CODECS, default="x264", help="with --memory")
    arguments = parser.parse_args()
    if arguments.memory:
        options = ["--codec", arguments.codec, *(["--restore"] if arguments.restore else [])]
        print_memory(arguments.width, arguments.height, arguments.frames, options)
        return
    with tempfile.TemporaryDirectory() as name, Colorizer(options=ColorizeOptions()) as loaded:
        folder = Path(name)
        source = folder / "in.mp4"
        write_sample(source, arguments.width, arguments.height, arguments.frames)
        rows: list[tuple[str, float, float]] = []
        with one_thread_each():
            rows.append(("decoder and encoder alone", *timed(lambda: encode_alone(source, folder))))
        for spacing in KEY_SPACINGS:
            options = FilmOptions(key_spacing=spacing, overwrite=True)
            colorizer = FilmColorizer(options=options, engine=loaded.engine)
            label = "net on every frame" if spacing == 1 else f"film, net on every {spacing}th frame"
            rows.append((label, *timed(lambda c=colorizer: c(source, folder / "out.mp4"))))
    print(f"{arguments.width} x {arguments.height}, {arguments.frames} frames")
    for label, processor, wall in rows:
        each = processor / arguments.frames
        print(f"{label:34} {each * 1000:7.1f} ms of processor time a frame, {processor / rows[0][1]:5.2f} times")
        print(f"{'':34} {arguments.frames / wall:7.1f} frames a second here and now")


def print_memory(width: int, height: int, frames: int, options: list[str]) -> None:
    """Run the command in a process of its own, and print the most memory that it took, and its processor time."""
    with tempfile.TemporaryDirectory() as name:
        source, target = Path(name) / "in.mp4", Path(name) / "out.mp4"
        write_sample(source, width, height, frames)
        command = [sys.executable, "-m", "photochrom", "film", str(source), "-o", str(target), "--quiet", *options]
        program = "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True); "
        program += "used = resource.getrusage(resource.RUSAGE_CHILDREN); "
        program += "print(used.ru_maxrss // 1024, used.ru_utime + used.ru_stime)"
        done = subprocess.run([sys.executable, "-c", program, *command], check=True, capture_output=True, text=True)
        peak, seconds = map(float, done.stdout.split()[-2:])
        each = f"{seconds / frames * 1000:.0f} ms of processor time a frame, starting included"
        print(f"{width} x {height}, {frames} frames, {' '.join(options)}: peak memory {peak:.0f} MiB, {each}")


if __name__ == "__main__":
    main()
