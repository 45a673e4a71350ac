"""JPEG 2000 decoded in a process of its own, which can be ended.

Pillow's decoder of it keeps Python's own lock for as long as it works, so that nothing else in the process could go on
or give up. Small pictures, which take less than a second at worst, are not worth a process. Run as a program, this
module reads a file from its input, and writes a line of JSON and the samples. What is wrong though it can be decoded is
looked for in the same place.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from photochrom.files.codecs.decoded import not_in_time
from photochrom.files.codecs.jpeg2000_checks import wrong_block

ME = "photochrom.files.codecs.jpeg2000_apart"
SMALL_PIXELS, SMALL_BYTES = 1_000_000, 1_000_000
PLAIN_MODES = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4, "CMYK": 4, "I;16": 1}


class Picture(NamedTuple):
    """What became of a file.

    Attributes:
        mode: Pillow's name of it.
        samples: (H, W, channels) of 8 or 16 bits.
        wrong: what is wrong with it though it can be decoded, in words; None where nothing was found.
    """

    mode: str
    samples: npt.NDArray[Any]
    wrong: str | None


def picture_of(data: bytes, seconds: float, name: str) -> Picture:
    """Return the picture of a file.

    Cost: starting Python, about 0.2 s, and decoding twice. Memory: the samples three times.

    Raises:
        PhotoTooLargeError: it takes longer than so many seconds; the process has been ended.
        ValueError: the file cannot be decoded.
    """
    if not sys.executable or getattr(sys, "frozen", False):  # no Python of its own to start
        return decoded(data)
    run = [sys.executable, "-P", "-m", ME]
    surroundings = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    try:
        # A session of its own: Ctrl-C is the parent's to answer, which finishes what has begun.
        done = subprocess.run(  # noqa: S603 - this Python, and a module of ours
            run, input=data, capture_output=True, timeout=seconds, check=False, env=surroundings, start_new_session=True
        )
    except subprocess.TimeoutExpired:
        raise not_in_time(seconds, name) from None
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise ValueError(said[-1] if said else f"its decoder ended with {done.returncode}")
    head, _, samples = done.stdout.partition(b"\n")
    about = json.loads(head)
    return Picture(about["mode"], np.frombuffer(samples, about["dtype"]).reshape(about["shape"]), about["wrong"])


def decoded(data: bytes) -> Picture:
    """Return the picture of a file, by this process."""
    from PIL import Jpeg2KImagePlugin

    with Jpeg2KImagePlugin.Jpeg2KImageFile(io.BytesIO(data)) as picture:
        return Picture(*plain(picture), wrong_block(data))


def plain(picture: Any) -> tuple[str, npt.NDArray[Any]]:
    """Return the mode and samples (H, W, channels) of a Pillow image, brought to a mode that means what it says."""
    if picture.mode in ("I;16", "I;16B", "I;16L"):
        return "I;16", np.asarray(picture).astype(np.uint16)[..., None]
    if picture.mode not in PLAIN_MODES:
        picture = picture.convert("RGBA" if picture.has_transparency_data else "L" if picture.mode == "1" else "RGB")
    samples = np.asarray(picture)
    return picture.mode, samples if samples.ndim == 3 else samples[..., None]


def _main() -> int:
    try:
        mode, samples, wrong = decoded(sys.stdin.buffer.read())
        about = {"mode": mode, "dtype": samples.dtype.str, "shape": samples.shape, "wrong": wrong}
        sys.stdout.buffer.write(json.dumps(about).encode() + b"\n")
        sys.stdout.buffer.write(np.ascontiguousarray(samples).data)
        sys.stdout.buffer.flush()
    except Exception as error:  # noqa: BLE001 - all of it is told to the parent, in one line
        sys.stderr.write(" ".join(str(error).split()) or type(error).__name__)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(_main())
