"""Pictures of any kind in, the same kind out.

| in | out |
|---|---|
| path (`str`, `Path`) | `PIL.Image.Image` |
| `bytes` of an image file | `bytes` of the same format, metadata carried; GIF and JPEG 2000 give PNG, HEIC JPEG |
| `PIL.Image.Image` | `PIL.Image.Image`, RGB or RGBA; L or LA where a grey one was restored |
| `numpy.ndarray` | `numpy.ndarray` of the same dtype; coloured (H, W, 3), restored (H, W) as it was; 4 with alpha |
| `Photo` | `Photo`; the only kind that keeps 16 bit *and* metadata |

Pillow has no 16-bit RGB image. A 16-bit picture that would have to come out as one raises UnsupportedPhotoError rather
than being cut to 8 bits; hand it in as an array or a `Photo`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from photochrom.errors import OptionError, UnreadablePhotoError, UnsupportedPhotoError
from photochrom.files.codecs.formats import written_format
from photochrom.files.photo import Photo
from photochrom.files.provenance import Provenance
from photochrom.files.reading import open_photo
from photochrom.files.writing import encode_photo

# What comes out as exactly the type that went in; a subclass of Pillow's Image comes out as an Image.
Same = TypeVar("Same", bound=bytes | npt.NDArray[Any] | Photo)
LARGEST_CODE = {np.dtype(np.uint8): 255, np.dtype(np.uint16): 65535}


def opened(picture: object) -> tuple[Photo, Callable[[Photo, Provenance], object]]:
    """Return a picture of any kind as a Photo, and what makes a finished Photo the kind that it was."""
    if isinstance(picture, Photo):
        return picture, lambda finished, _: finished
    if isinstance(picture, bytes | bytearray | memoryview):
        return open_photo(bytes(picture)), lambda finished, made: encode_photo(
            finished, written_format(finished.format), provenance=made
        )
    if isinstance(picture, Image.Image):
        return _photo_from_image(picture), lambda finished, _: _as_image(finished, "image")
    if isinstance(picture, np.ndarray):
        dtype, flat = picture.dtype, picture.ndim == 2
        return _photo_from_array(picture), lambda finished, _: _as_array(finished, dtype, flat=flat)
    if isinstance(picture, str | os.PathLike):
        where = os.fspath(picture)
        return open_photo(picture), lambda finished, _: _as_image(finished, where)
    raise OptionError(
        f"cannot use a {type(picture).__name__}",
        where="picture",
        next_step="Give a path, bytes, a PIL image, a numpy array or a Photo.",
    )


def _photo_from_array(array: npt.NDArray[Any]) -> Photo:
    """Return a Photo of (H, W), (H, W, 1), (H, W, 3) or (H, W, 4); float is taken to 16 bit."""
    if array.ndim == 2:
        array = array[..., None]
    if array.ndim != 3 or array.shape[-1] not in {1, 3, 4} or 0 in array.shape:
        raise UnreadablePhotoError(
            f"an array of shape {array.shape} is not a picture",
            where="array",
            next_step="Give (H, W), (H, W, 1), (H, W, 3) or (H, W, 4).",
        )
    codes = _codes(array)
    if array.shape[-1] == 4:
        return replace(_bare_photo(codes[..., :3]), alpha=codes[..., 3])
    return _bare_photo(codes)


def _codes(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    if array.dtype.newbyteorder("=") in LARGEST_CODE:  # scanners' arrays are often big-endian
        return array.astype(array.dtype.newbyteorder("="), copy=False)
    if not np.issubdtype(array.dtype, np.floating):
        raise UnreadablePhotoError(
            f"an array of {array.dtype} has no agreed range",
            where="array",
            next_step="Give uint8, uint16 or 0..1 float.",
        )
    if not (np.isfinite(array).all() and array.min() >= 0 and array.max() <= 1):
        raise UnreadablePhotoError("float values leave 0..1", where="array", next_step="Scale them to 0..1.")
    return np.rint(array.astype(np.float64) * 65535).astype(np.uint16)


def _as_array(photo: Photo, dtype: np.dtype[Any], *, flat: bool) -> npt.NDArray[Any]:
    pixels: npt.NDArray[Any] = photo.pixels
    if flat and pixels.shape[-1] == 1:
        pixels = pixels[..., 0]
    if photo.alpha is not None:
        pixels = np.concatenate([pixels, photo.alpha[..., None]], axis=-1)
    return pixels.astype(dtype, copy=False) if dtype.kind == "u" else (pixels / 65535.0).astype(dtype)


def _bare_photo(codes: npt.NDArray[Any]) -> Photo:
    return Photo(np.ascontiguousarray(codes))


def _photo_from_image(image: Image.Image) -> Photo:
    """Return a Photo of a Pillow image, turned upright if its EXIF says so."""
    image = ImageOps.exif_transpose(image)
    if image.mode in {"I", "F"} or image.mode.startswith("I;"):
        raise UnsupportedPhotoError(
            f"a Pillow image of mode {image.mode} would have to come out at 8 bit",
            where="image",
            next_step="Give numpy.asarray(image) as uint16, or the file's path to photochrom.open_photo.",
        )
    has_alpha = image.has_transparency_data
    if image.mode in {"1", "L", "LA", "La"}:
        rgba = image.convert("LA" if has_alpha else "L")
    else:
        rgba = image.convert("RGBA" if has_alpha else "RGB")
    codes = np.atleast_3d(np.asarray(rgba))
    if has_alpha:
        return replace(_bare_photo(codes[..., :-1]), alpha=codes[..., -1])
    return _bare_photo(codes)


def _as_image(photo: Photo, where: str) -> Image.Image:
    if photo.depth != 8:
        raise UnsupportedPhotoError(
            "a 16-bit picture has no 16-bit RGB counterpart in Pillow",
            where=where,
            next_step="Use photochrom.open_photo and hand in the Photo, or the command line for files.",
        )
    grey = photo.pixels.shape[-1] == 1
    image = Image.fromarray(photo.pixels[..., 0] if grey else photo.pixels)
    if photo.alpha is not None:
        image.putalpha(Image.fromarray(photo.alpha))
    about = {"exif": photo.metadata.exif, "dpi": photo.metadata.dpi}
    image.info.update({key: value for key, value in about.items() if value})
    return image
