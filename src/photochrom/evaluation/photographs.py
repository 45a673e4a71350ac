"""The photographs of an evaluation: finding and reading them, labels, greys, and another tool's pictures."""

from __future__ import annotations

import csv
import functools
import hashlib
import io
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from photochrom import color, metrics
from photochrom.errors import OptionError, PhotoNotFoundError, PhotoTooLargeError, UnreadablePhotoError
from photochrom.files.plain import plain_rgb
from photochrom.options import Limits

Rgb = npt.NDArray[np.uint8]

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"})
GREY_CHROMA = 1.0  # mean Lab chroma below which a photograph has no colours to compare with
SQUASH_PX = 256
JPEG_QUALITY = 75
IMAGENET_CLASSES = 1000
NAMES_IN_A_MESSAGE = 5


@dataclass(frozen=True, slots=True)
class Photograph:
    """One colour photograph of the set.

    Args:
        key: its path inside the folder, with forward slashes; the same on every system.
        path: where the file is.
        label: its ImageNet class, 0..999, where that is known.
    """

    key: str
    path: Path
    label: int | None = None


def find_photographs(folder: Path, labels: Path | None = None) -> list[Photograph]:
    """Return the pictures in a folder and its subfolders, sorted by key.

    A label comes from ``labels``, a CSV file of ``key,class`` lines, or else from the name of the picture's own
    folder, where that is an ImageNet class: an index 0..999 or a WordNet id such as n01440764.

    Raises:
        PhotoNotFoundError: no such folder, or no pictures in it.
        OptionError: the labels file cannot be used.
    """
    if not folder.is_dir():
        raise PhotoNotFoundError(
            "no such folder" if not folder.exists() else "not a folder",
            where=str(folder),
            next_step="Give a folder of colour photographs.",
        )
    paths = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if _is_picture(path)}
    if not paths:
        raise PhotoNotFoundError(
            "the folder holds no pictures",
            where=str(folder),
            next_step=f"Known file names end in {', '.join(sorted(SUFFIXES))}.",
        )
    known = read_labels(labels, paths) if labels else {key: class_index(Path(key).parent.name) for key in paths}
    return [Photograph(key, paths[key], known.get(key)) for key in sorted(paths)]


def digest(text: str) -> bytes:
    """Return the SHA-256 of a name, by which choices are made that are the same on every run and machine.

    A name that is not UTF-8 counts by its escapes, as reports write it.
    """
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).digest()


def _is_picture(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".") and path.is_file()


def read_labels(path: Path, keys: Iterable[str]) -> dict[str, int | None]:
    """Return the ImageNet class of each key in a CSV file of ``key,class`` lines (a header line may come first)."""
    try:
        lines = [line for line in csv.reader(path.read_text(encoding="utf-8-sig").splitlines()) if line]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise OptionError(f"the labels cannot be read ({error})", where=str(path)) from None
    labels: dict[str, int | None] = {}
    for number, line in enumerate(lines, 1):
        label = class_index(line[1].strip()) if len(line) > 1 else None
        if label is None and number > 1:
            raise OptionError(f"line {number} is not `key,class` with an index 0..999 or a WordNet id", where=str(path))
        key = line[0].strip()
        if labels.get(key, label) != label:
            raise OptionError(f"line {number} gives {key} another class than a line before", where=str(path))
        labels[key] = label
    if not set(labels) & set(keys):
        raise OptionError(
            "no line names a picture of the folder", where=str(path), next_step="Keys are relative paths."
        )
    return labels


def class_index(name: str) -> int | None:
    """Return the ImageNet-1k index of a class written as an index or as a WordNet id; None if it is neither."""
    if name.isascii() and name.isdigit() and int(name) < IMAGENET_CLASSES:
        return int(name)
    return _index_of_synset().get(name)


@functools.cache
def _index_of_synset() -> dict[str, int]:
    """Return the 1,000 WordNet ids of ILSVRC 2012 in their customary, sorted order."""
    text = resources.files("photochrom.evaluation").joinpath("imagenet_synsets.txt").read_text(encoding="ascii")
    return {synset: index for index, synset in enumerate(text.split())}


def read_rgb(path: Path, limits: Limits | None = None) -> Rgb:
    """Return a picture as (H, W, 3) uint8 sRGB, turned upright; transparency is dropped.

    Raises:
        UnreadablePhotoError: not an image, or damaged.
        PhotoTooLargeError: over ``limits.max_pixels``.
    """
    limits = limits or Limits()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # the limit below is stricter and named
            with Image.open(path) as image:
                if image.width * image.height > limits.max_pixels:
                    raise PhotoTooLargeError(
                        f"{image.width} x {image.height} pixels are over the limit of {limits.max_pixels}",
                        where=str(path),
                    )
                return np.asarray(plain_rgb(image))
    except Image.DecompressionBombError as error:
        raise PhotoTooLargeError(str(error), where=str(path)) from None
    except (OSError, ValueError, SyntaxError) as error:
        if isinstance(error, PhotoTooLargeError):
            raise
        raise UnreadablePhotoError("not a picture, or damaged", where=str(path)) from error


def size_told(path: Path) -> tuple[int, int] | None:
    """Return the width and height that a file's first bytes tell, as stored; None where they tell none."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(path) as image:
                return image.size
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None  # when it is read, that is told


def is_grey(rgb: Rgb) -> bool:
    """Return whether a photograph has no colours worth comparing with: mean Lab chroma under ``GREY_CHROMA``."""
    ab = color.lab_from_srgb(metrics.unit_range(rgb))[..., 1:]
    return float(np.hypot(ab[..., 0], ab[..., 1]).mean()) < GREY_CHROMA


def greyed(rgb: Rgb) -> Rgb:
    """Return the BT.601 luma, rounded to 8 bits, as three equal channels: what a colouriser is given."""
    return as_rgb(metrics.luma_codes(rgb).astype(np.uint8))


def as_rgb(grey: npt.NDArray[Any]) -> Rgb:
    """Return a grey picture as three equal channels: (H, W) uint8 -> (H, W, 3)."""
    return np.repeat(grey[..., None], 3, axis=-1)


def squashed(rgb: Rgb, side: int = SQUASH_PX) -> Rgb:
    """Return the picture at ``side`` x ``side``, its aspect ratio lost, bilinear and *not* antialiased.

    This is how the published benchmarks shrink (OpenCV's default); it is here to be comparable, not because it is good.
    """
    height, width = rgb.shape[:2]
    scale = (width / side, 0, 0, 0, height / side, 0)
    image = Image.fromarray(rgb).transform(
        (side, side), Image.Transform.AFFINE, scale, resample=Image.Resampling.BILINEAR
    )
    return np.asarray(image)


def with_jpeg_chroma(rgb: Rgb, quality: int = JPEG_QUALITY) -> Rgb:
    """Return the picture with its own luma and the chroma that JPEG leaves of it (4:2:0, quality 75).

    A yardstick for the table: an error that nobody notices in everyday pictures.
    """
    buffer = io.BytesIO()
    Image.fromarray(rgb).save(buffer, "JPEG", quality=quality, subsampling="4:2:0")
    chroma = color.chroma(metrics.unit_range(np.asarray(Image.open(buffer).convert("RGB"))))
    luma = color.luma(metrics.unit_range(rgb))
    return metrics.eight_bit(color.merge_luma_chroma(luma, chroma))


def match_pairs(truths: Iterable[Photograph], folder: Path, *, subset: bool = False) -> dict[str, Path]:
    """Return the picture of another tool for each true photograph, matched by relative path without its suffix.

    With ``subset`` the folder may hold more pictures than there are truths.

    Raises:
        PhotoNotFoundError: no such folder, or no pictures in it.
        OptionError: pictures without a partner on either side, or two candidates for one; the first few are named.
    """
    wanted, found = dict[str, str](), dict[str, Path]()
    for photo in truths:
        if _stem(photo.key) in wanted:
            raise OptionError(
                f"two photographs are called {_stem(photo.key)}: pairs are found by names without suffixes",
                where=photo.key,
                next_step="Rename one of them",
            )
        wanted[_stem(photo.key)] = photo.key
    for photo in find_photographs(folder):
        if _stem(photo.key) in found:
            raise OptionError(f"two pictures are called {_stem(photo.key)}", where=str(folder))
        found[_stem(photo.key)] = photo.path
    lacking = sorted(set(wanted) - set(found))
    surplus = [] if subset else sorted(set(found) - set(wanted))
    if lacking or surplus:
        parts = [f"{len(lacking)} missing ({_few(lacking)})"] if lacking else []
        parts += [f"{len(surplus)} without a truth ({_few(surplus)})"] if surplus else []
        raise OptionError(
            f"the pairs do not match: {', '.join(parts)}",
            where=str(folder),
            next_step="Both folders need the same names; the suffixes may differ.",
        )
    return {key: found[stem] for stem, key in wanted.items()}


def _stem(key: str) -> str:
    return Path(key).with_suffix("").as_posix()


def _few(names: list[str]) -> str:
    return ", ".join(names[:NAMES_IN_A_MESSAGE]) + (", ..." if len(names) > NAMES_IN_A_MESSAGE else "")
