"""What a reader makes of a file: samples as stored, what was found beside them, or one clear error."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from photochrom.errors import MissingExtraError, PhotochromError, PhotoTooLargeError, UnreadablePhotoError

if TYPE_CHECKING:
    from photochrom.files.codecs.channels import Channels
    from photochrom.files.codecs.source import PhotoSource

NOT_TOLD = "damaged file, and which rows are wrong cannot be told"
CheckSize = Callable[[int, int, int], None]
"""Called with width, height and bytes per pixel before pixels are decoded; raises PhotoTooLargeError."""


class UnendableCallError(Exception):
    """A call of a decoder that belongs into a process that can be ended; never leaves :mod:`photochrom.files`."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a reader is asked for.

    Attributes:
        page: which page of a file that has several, from 0.
        check_size: see :data:`CheckSize`.
        read_damaged: whether what can be read of a damaged file is wanted, rather than a refusal.
        begin_call: called with a number of pixels before a decoder makes them in one call, which nothing can end;
            raises UnendableCallError where that belongs into a process of its own.
    """

    page: int
    check_size: CheckSize
    read_damaged: bool = False
    begin_call: Callable[[int], None] = lambda _: None


@dataclass(slots=True)
class Decoded:
    """Samples as stored, and what was found beside them.

    Attributes:
        image: a ``pyvips.Image``; its pixels may not have been decoded yet.
        blocks: raw ``exif`` (from its TIFF header on), ``icc``, ``xmp`` and ``iptc`` blocks.
        dpi: resolution as the container states it.
        orientation: EXIF orientation that is still to be applied.
        implied_profile: profile for colours that the file describes by other means than an ICC profile.
        texts: keyword and text of comments.
        page_count: pages in the file, thumbnails and masks not counted.
        notes: what was decided.
        channels: what the channels mean; the usual where left out.
        lab: PhotometricInterpretation of samples that are L*a*b*.
        holes: (H, W) as stored, true where a damaged file has lost its samples.
        left_out: pictures in the file that this is none of, but for pages, in words.
        kept: what has to live as long as the image.
        look: called with the pixels as stored, once they are computed; raises where they cannot be right, or notes it.
        second_look: called where the pixels cannot be computed; gives this object others, or raises.
    """

    image: Any
    blocks: dict[str, bytes] = field(default_factory=dict)
    dpi: tuple[float, float] | None = None
    orientation: int = 1
    implied_profile: bytes | None = None
    texts: list[tuple[str, str]] = field(default_factory=list)
    page_count: int = 1
    notes: list[str] = field(default_factory=list)
    channels: Channels | None = None
    lab: int | None = None
    holes: npt.NDArray[np.bool_] | None = None
    left_out: list[str] = field(default_factory=list)
    kept: list[object] = field(default_factory=list)
    look: Callable[[npt.NDArray[Any]], None] | None = None
    second_look: Callable[[Decoded, Exception], None] | None = None


Reader = Callable[["PhotoSource", Wanted], Decoded]
"""Returns the samples of one page, or raises UnreadablePhotoError, UnsupportedPhotoError or MissingExtraError."""


def damaged(name: str, format: str, error: Exception) -> UnreadablePhotoError:
    """Return the error for a file that starts like a photograph and cannot be decoded."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    reason = next((line for line in lines if not line.startswith("unable to ")), type(error).__name__)
    return UnreadablePhotoError(
        f"this {format.upper()} file is damaged or truncated ({reason[:120]})",
        where=name,
        next_step="Copy it again from its source",
    )


def refuse_or_tell(decoded: Decoded, wanted: Wanted, name: str, format: str, said: str) -> None:
    """Raise for a file that decodes and is wrong somewhere; note it where what can be read of damage is wanted."""
    if not wanted.read_damaged:
        raise damaged(name, format, ValueError(said))
    decoded.notes.append(f"{NOT_TOLD}: {said}")


def decoder_errors(error: Exception, name: str, format: str) -> PhotochromError:
    """Return the one clear error for whatever a decoder raised."""
    if isinstance(error, MemoryError):
        return PhotoTooLargeError("not enough memory", where=name, next_step="Close other programs")
    return damaged(name, format, error)


def not_in_time(seconds: float, name: str) -> PhotoTooLargeError:
    """Return the error for a file whose reading takes too long."""
    return PhotoTooLargeError(
        f"it has not been read within {seconds:g} seconds",
        where=name,
        next_step="Raise --max-seconds if you trust the file",
    )


def extra_module(module: str, what: str, extra: str, where: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingExtraError(
            f"{what} need the {extra} extra", where=where, next_step=f"Run: pip install 'photochrom[{extra}]'"
        ) from error
