"""The public way in: `colorize` for one picture, `Colorizer` for a session that is loaded once and reused.

What comes out is of the kind that went in:

| in | out |
|---|---|
| path (`str`, `Path`) | `PIL.Image.Image` |
| `bytes` of an image file | `bytes` of the same format, metadata carried; GIF and JPEG 2000 give PNG, HEIC JPEG |
| `PIL.Image.Image` | `PIL.Image.Image`, RGB or RGBA |
| `numpy.ndarray` | `numpy.ndarray` of the same dtype, (H, W, 3), or (H, W, 4) when alpha went in |
| `Photo` | `Photo`; the only kind that keeps 16 bit *and* metadata |

Pillow has no 16-bit RGB image. A 16-bit picture that would have to come out as one raises UnsupportedPhotoError rather
than being cut to 8 bits; hand it in as an array or a `Photo`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from types import TracebackType
from typing import Any, Self, TypeVar, overload

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from photochrom import __version__
from photochrom.album import WRITTEN_AS
from photochrom.engines.base import Engine
from photochrom.engines.generator_spec import GENERATOR_CONTRACT
from photochrom.errors import OptionError, UnreadablePhotoError, UnsupportedPhotoError
from photochrom.hub import find_model
from photochrom.options import DEFAULT_MODEL, ColorizeOptions, EngineOptions
from photochrom.photo import Photo, encode_photo, open_photo
from photochrom.pipeline import ColorizeResult, colorize_photo
from photochrom.provenance import Provenance

# What comes out as exactly the type that went in; a subclass of Pillow's Image comes out as an Image.
Same = TypeVar("Same", bound=bytes | npt.NDArray[Any] | Photo)
LARGEST_CODE = {np.dtype(np.uint8): 255, np.dtype(np.uint16): 65535}


class Colorizer:
    """A loaded model and the options to colour with. Safe to share between threads; a context manager.

    Args:
        model: a name from `photochrom models list`, or the path of an .onnx file. Left out, the options' model.
        options: how to colour; left out, the defaults.
        engine: what runs the model, for tests (`FakeEngine`) and other runtimes; no model file is loaded then.
        engine_options: threads and device of the engine that is made when none is given.

    Raises:
        UnknownModelError, ModelNotInstalledError, ModelFileError: the model cannot be loaded.

    Cost: loading takes a fraction of a second and some tens of megabytes; keep the session for many pictures.
    """

    def __init__(
        self,
        model: str | os.PathLike[str] | None = None,
        options: ColorizeOptions | None = None,
        *,
        engine: Engine | None = None,
        engine_options: EngineOptions | None = None,
    ) -> None:
        options = options or ColorizeOptions()
        if model is not None:
            options = options.model_copy(update={"model": os.fspath(model)})
        self.options = options
        self._threads = (engine_options.threads if engine_options else None) or 0
        self.engine = engine or _load_engine(options.model, engine_options)

    @overload
    def __call__(self, picture: str | os.PathLike[str] | Image.Image) -> Image.Image: ...
    @overload
    def __call__(self, picture: Same) -> Same: ...
    def __call__(self, picture: object) -> object:
        """Return the picture in colour, as the kind it came in; see the module's table.

        Arrays: uint8, uint16, or float in 0..1; (H, W), (H, W, 1), (H, W, 3) or (H, W, 4) with alpha last, sRGB.
        Float arrays are coloured at 16 bit, so their luma is kept to 1 / 65535 / 2.

        Raises:
            PhotoError: the picture cannot be read, or is of a kind that cannot be handled without loss.
        """
        photo, given_back = _opened(picture)
        return given_back(self.run(photo).photo, self.provenance)

    def run(self, photo: Photo) -> ColorizeResult:
        """Return the coloured photo together with notes, model, render size and seconds per step."""
        return colorize_photo(photo, self.engine, self.options, threads=self._threads)

    @overload
    def alternatives(self, picture: str | os.PathLike[str] | Image.Image, count: int) -> list[Image.Image]: ...
    @overload
    def alternatives(self, picture: Same, count: int) -> list[Same]: ...
    def alternatives(self, picture: Any, count: int) -> list[Any]:
        """Return up to ``count`` (1 to 9) plausible and visibly different versions of a picture, likeliest first.

        The first is what calling the session gives. Fewer come back where the net is sure of its colours; `run` with
        ``ColorizeOptions(alternatives=...)`` says in its notes why, and how likely each is.

        Raises:
            PhotoError: as in calling the session.
            OptionError: the count is out of range, or the model gives no distribution to choose from.

        Cost: about half a second, and merging of each version.
        """
        options = ColorizeOptions.checked(**self.options.model_dump() | {"alternatives": count, "alternative": 1})
        photo, given_back = _opened(picture)
        likeliest = colorize_photo(photo, self.engine, options, threads=self._threads)
        versions = (likeliest, *likeliest.alternatives)
        return [given_back(version.photo, self._provenance(version.options)) for version in versions]

    @property
    def provenance(self) -> Provenance:
        """What results say of their making: model, hash, version and every option that shapes the picture."""
        return self._provenance(self.options)

    def _provenance(self, options: ColorizeOptions) -> Provenance:
        spec = self.engine.spec
        return Provenance(spec.name, spec.sha256, __version__, options.model_dump(exclude={"model"}))

    def close(self) -> None:
        """Release the model's memory."""
        self.engine.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


@overload
def colorize(
    picture: str | os.PathLike[str] | Image.Image,
    *,
    model: str | os.PathLike[str] = ...,
    size: int | None = ...,
    vividness: float = ...,
    warmth: float = ...,
    chroma_ceiling: float | None = ...,
    normalize_tone: bool = ...,
) -> Image.Image: ...
@overload
def colorize(
    picture: Same,
    *,
    model: str | os.PathLike[str] = ...,
    size: int | None = ...,
    vividness: float = ...,
    warmth: float = ...,
    chroma_ceiling: float | None = ...,
    normalize_tone: bool = ...,
) -> Same: ...
def colorize(
    picture: Any,
    *,
    model: str | os.PathLike[str] = DEFAULT_MODEL,
    size: int | None = None,
    vividness: float = 1.0,
    warmth: float = 0.0,
    chroma_ceiling: float | None = ColorizeOptions.model_fields["chroma_ceiling"].default,
    normalize_tone: bool = True,
) -> Any:
    """Return one picture in colour, as the kind it came in (path in, PIL image out); see the module's table.

    The options are those of `ColorizeOptions`. Loads the model each time: for several pictures use a `Colorizer`.

    Raises:
        OptionError: an option is out of range.
        ModelError: the model cannot be found or loaded.
        PhotoError: the picture cannot be read or handled.
    """
    options = ColorizeOptions.checked(
        model=os.fspath(model),
        size=size,
        vividness=vividness,
        warmth=warmth,
        chroma_ceiling=chroma_ceiling,
        normalize_tone=normalize_tone,
    )
    with Colorizer(options=options) as colorizer:
        return colorizer(picture)


def _load_engine(model: str, options: EngineOptions | None) -> Engine:
    file = find_model(model)  # before the runtime is imported: a wrong name is told at once
    if file.card is not None and file.card.contract == GENERATOR_CONTRACT:
        from photochrom.engines.generator import GeneratorEngine

        return GeneratorEngine(file.path, expected_sha256=file.sha256, options=options)
    from photochrom.engines.onnx import OnnxEngine  # loads ONNX Runtime, a third of a second

    return OnnxEngine(file.path, expected_sha256=file.sha256, options=options)


def _opened(picture: object) -> tuple[Photo, Callable[[Photo, Provenance], object]]:
    """Return a picture of any kind as a Photo, and what makes a coloured Photo the kind that it was."""
    if isinstance(picture, Photo):
        return picture, lambda coloured, _: coloured
    if isinstance(picture, bytes | bytearray | memoryview):
        return open_photo(bytes(picture)), lambda coloured, made: encode_photo(
            coloured, WRITTEN_AS.get(coloured.format, coloured.format), provenance=made
        )
    if isinstance(picture, Image.Image):
        return _photo_from_image(picture), lambda coloured, _: _as_image(coloured, "image")
    if isinstance(picture, np.ndarray):
        dtype = picture.dtype
        return _photo_from_array(picture), lambda coloured, _: _as_array(coloured, dtype)
    if isinstance(picture, str | os.PathLike):
        where = os.fspath(picture)
        return open_photo(picture), lambda coloured, _: _as_image(coloured, where)
    raise OptionError(
        f"cannot colour a {type(picture).__name__}",
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
    if array.dtype in LARGEST_CODE:
        return array
    if not np.issubdtype(array.dtype, np.floating):
        raise UnreadablePhotoError(
            f"an array of {array.dtype} has no agreed range",
            where="array",
            next_step="Give uint8, uint16 or 0..1 float.",
        )
    if not (np.isfinite(array).all() and array.min() >= 0 and array.max() <= 1):
        raise UnreadablePhotoError("float values leave 0..1", where="array", next_step="Scale them to 0..1.")
    return np.rint(array.astype(np.float64) * 65535).astype(np.uint16)


def _as_array(photo: Photo, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    pixels: npt.NDArray[Any] = photo.pixels
    if photo.alpha is not None:
        pixels = np.concatenate([pixels, photo.alpha[..., None]], axis=-1)
    return pixels if dtype in LARGEST_CODE else (pixels / 65535.0).astype(dtype)


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
            next_step="Use photochrom.open_photo and hand in the Photo, or `photochrom colorize` for files.",
        )
    image = Image.fromarray(photo.pixels)
    if photo.alpha is not None:
        image.putalpha(Image.fromarray(photo.alpha))
    about = {"exif": photo.metadata.exif, "dpi": photo.metadata.dpi}
    image.info.update({key: value for key, value in about.items() if value})
    return image
