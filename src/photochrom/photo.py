"""Photographs as arrays, and their files. Pillow only: 8 bit, and 16-bit grey."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from photochrom.errors import OutputError, PhotoNotFoundError, PhotoTooLargeError, UnreadablePhotoError
from photochrom.metadata import Metadata
from photochrom.options import Limits, OutputOptions


@dataclass(frozen=True, slots=True)
class Photo:
    pixels: npt.NDArray[np.uint8] | npt.NDArray[np.uint16]
    alpha: npt.NDArray[np.uint8] | npt.NDArray[np.uint16] | None = None
    metadata: Metadata = Metadata()
    format: str = "png"
    notes: tuple[str, ...] = ()

    @property
    def width(self) -> int:
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        return int(self.pixels.shape[0])

    @property
    def depth(self) -> int:
        return self.pixels.dtype.itemsize * 8

    @property
    def max_code(self) -> int:
        return int(np.iinfo(self.pixels.dtype).max)


def open_photo(source: str | os.PathLike[str] | bytes, *, limits: Limits = Limits()) -> Photo:  # noqa: B008
    where = "bytes" if isinstance(source, bytes) else os.fspath(source)
    try:
        content = source if isinstance(source, bytes) else Path(source).read_bytes()
    except FileNotFoundError:
        raise PhotoNotFoundError("no such file", where=where) from None
    except OSError as error:
        raise UnreadablePhotoError(f"cannot be read ({error.strerror})", where=where) from None
    if not content:
        raise UnreadablePhotoError("the file is empty", where=where)
    try:
        image: Image.Image = Image.open(io.BytesIO(content))
        if image.width * image.height > limits.max_pixels:
            raise PhotoTooLargeError(f"{image.width} x {image.height} pixels", where=where)
        name = (image.format or "png").lower()
        image = ImageOps.exif_transpose(image)
    except UnidentifiedImageError:
        raise UnreadablePhotoError("not an image", where=where) from None
    except (OSError, SyntaxError, ValueError) as error:
        raise UnreadablePhotoError(f"the image is damaged ({error})", where=where) from None
    alpha = np.asarray(image.getchannel("A")) if "A" in image.getbands() else None
    if image.mode == "I;16":
        pixels = np.asarray(image, dtype=np.uint16)[..., None]
    elif image.mode in {"L", "LA", "1"}:
        pixels = np.asarray(image.convert("L"))[..., None]
    else:
        pixels = np.asarray(image.convert("RGB"))
    return Photo(pixels, alpha, Metadata(image.info.get("exif", b""), image.info.get("icc_profile", b"")), name)


def encode_photo(photo: Photo, format: str, *, options: OutputOptions = OutputOptions()) -> bytes:  # noqa: A002, B008
    pixels = photo.pixels if photo.depth == 8 else (photo.pixels >> 8).astype(np.uint8)
    image = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
    if photo.alpha is not None and format != "jpeg":
        image.putalpha(Image.fromarray(photo.alpha))
    buffer = io.BytesIO()
    image.save(buffer, format, quality=options.quality)
    return buffer.getvalue()


FORMATS = {".jpg": "jpeg", ".jpeg": "jpeg", ".tif": "tiff", ".tiff": "tiff", ".png": "png", ".webp": "webp"}


def save_photo(
    photo: Photo,
    path: str | os.PathLike[str],
    *,
    options: OutputOptions = OutputOptions(),  # noqa: B008
) -> tuple[str, ...]:
    target = Path(path)
    content = encode_photo(photo, options.format or FORMATS.get(target.suffix.lower(), "png"), options=options)
    aside = target.with_name(f".{target.name}.part")
    try:
        aside.write_bytes(content)
        aside.replace(target)
    except OSError as error:
        aside.unlink(missing_ok=True)
        raise OutputError(f"cannot be written ({error.strerror})", where=str(target)) from None
    return ()
