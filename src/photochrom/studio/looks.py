"""How photographs look, at screen size: what the page shows while somebody decides.

A small copy of each photograph is kept, at most as large as a screen. Whatever is changed is shown on it by the same
session that colours the whole, with one view instead of two, so that a hint is seen at once.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from photochrom.coloring.pipeline import ColorizeResult
from photochrom.coloring.reference import Places, match_references, reference_places
from photochrom.coloring.remembered import Remembered
from photochrom.engines.base import Engine
from photochrom.errors import PhotoNotFoundError
from photochrom.files.codecs.samples import to_8_bits
from photochrom.files.photo import Photo
from photochrom.files.reading import open_photo
from photochrom.hints.hint import Hint
from photochrom.options import ColorizeOptions, Limits, RestoreOptions
from photochrom.questions.asking import Question, ask
from photochrom.studio.recent import Recent
from photochrom.studio.requests import Asked, checked_request
from photochrom.studio.sessions import Sessions
from photochrom.studio.stopping import Stop
from photochrom.studio.store import write_again

SMALL_PX = 720
"""Short side of the small copies."""
LONGEST_PX = 2_000
THUMBNAIL_PX = 360
SMALL_BYTES, RESTORED_BYTES, RESULT_BYTES, KNOWN_BYTES, PLACES_BYTES = (
    12_000_000,
    12_000_000,
    16_000_000,
    36_000_000,
    12_000_000,
)
"""What is held in memory of photographs that were worked on last, whatever hangs on the wall."""
REMEMBERED_BYTES = 14_000_000
"""Most that is remembered of one photograph: small copies of its luma, and the net's last answers."""
SHOWN_QUALITY, SENT_QUALITY, THUMBNAIL_QUALITY = 88, 92, 78
SMALL_NAME, MASK_NAME, FRAMES = "small.png", "mask.png", "frames"
"""What a folder holds: the small copy, the corrected mask, and, of a film, folders of single frames."""

Version = tuple[Path, int, int]


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture for the page, and what was decided."""

    picture: bytes
    notes: tuple[str, ...]


class Looks:
    """Shows photographs at screen size. Safe to use from several threads.

    Args:
        sessions: the models.
        limits: what one photograph may cost.
    """

    def __init__(self, sessions: Sessions, limits: Limits) -> None:
        self._sessions, self._limits = sessions, limits
        self._small = Recent[Version, Photo](SMALL_BYTES, _pixel_bytes)
        self._restored = Recent[tuple[Version, str], Photo](RESTORED_BYTES, _pixel_bytes)
        # By identity, which is nobody else's as long as the copies hold the pixels.
        self._known = Recent[int, Remembered](KNOWN_BYTES, lambda known: known.luma.pixels.nbytes + REMEMBERED_BYTES)
        self._results = Recent[tuple[Version, str, tuple[Version, ...]], ColorizeResult](RESULT_BYTES, _result_bytes)
        self._places = Recent[tuple[str, str], Places](PLACES_BYTES, lambda places: places.nbytes)

    @property
    def held_bytes(self) -> int:
        """Return what is held in memory, at most the budgets together."""
        return sum(kept.held_bytes for kept in (self._small, self._restored, self._results, self._known, self._places))

    def keep_small(self, photo: Photo, folder: Path) -> Photo:
        """Return the small copy of a photograph, and keep it in its folder."""
        small = shrunk(photo, SMALL_PX, LONGEST_PX)
        write_again(folder / SMALL_NAME, png(_image(small)))
        return self._small.get(_version(folder / SMALL_NAME), lambda: Photo(small.pixels))

    def small_of(self, folder: Path) -> Photo:
        """Return the small copy that is kept; it never changes."""
        return self._small.get(_version(folder / SMALL_NAME), lambda: _opened(folder / SMALL_NAME))

    def run(self, folder: Path, look: dict[str, Any], stop: Stop | None = None, **changed: Any) -> ColorizeResult:
        """Return a photograph at screen size as a look says; ``changed`` are options that differ from it.

        What was shown last is there still when it is to be kept, or come back to.
        """
        asked = checked_request("colorize", look | changed)
        # What a look means besides: files that are written anew when they change.
        key = (_version(folder / SMALL_NAME), asked.model_dump_json(), _versions_of(folder))
        return self._results.get(key, lambda: self._run(folder, asked, stop))

    def _run(self, folder: Path, asked: Asked, stop: Stop | None) -> ColorizeResult:
        photo = self.restored(folder, asked, stop)
        options = asked.part(ColorizeOptions)
        options = options.at_usual_size(self._sessions.engine(options.model).spec.render_px)
        colorizer = self._sessions.colorizer(options, stop=stop)
        hints = [*self.lent(folder, photo, options.model), *hints_of(asked)]
        known = self._known.get(id(photo.pixels), lambda: Remembered(photo.pixels)) if hints else None
        return colorizer.run(photo, hints, remembered=known)

    def restored(self, folder: Path, asked: Asked, stop: Stop | None = None) -> Photo:
        """Return the small copy, restored where the look says so."""
        small = self.small_of(folder)
        if not getattr(asked, "restore", False):
            return small
        from photochrom.restorer import mask_sha256

        options = asked.part(RestoreOptions)
        drawn = small_mask(folder, small)
        key = (_version(folder / SMALL_NAME), options.model_dump_json() + ("" if drawn is None else mask_sha256(drawn)))
        return self._restored.get(key, lambda: self._sessions.restorer(options, stop=stop, mask=drawn).run(small).photo)

    def lent(self, folder: Path, small: Photo, model: str) -> Sequence[Hint]:
        """Return the colours that reference photographs of a photograph's folder lend it."""
        paths = references_in(folder)
        if not paths:
            return ()
        engine = self._sessions.engine(model)
        try:
            places = [
                self._places.get((f"{path} {path.stat().st_mtime_ns}", model), partial(self._read_places, path, engine))
                for path in paths
            ]
        except (FileNotFoundError, PhotoNotFoundError):
            if references_in(folder) == paths:
                raise
            return self.lent(folder, small, model)  # some were taken away meanwhile
        return match_references(small, places, engine).hints

    def _read_places(self, path: Path, engine: Engine) -> Places:
        return reference_places(open_photo(path, limits=self._limits), engine, "the reference")

    def versions(self, folder: Path, look: dict[str, Any], count: int) -> list[Shown]:
        """Return the visibly different versions of a photograph, the likeliest first, small."""
        result = self.run(folder, look, alternatives=count, alternative=1)
        return [
            Shown(encoded(shrunk(one.photo, 300, 450), THUMBNAIL_QUALITY), one.notes)
            for one in (result, *result.alternatives)
        ]

    def uncertainty(self, folder: Path, look: dict[str, Any]) -> bytes:
        """Return where the net guesses: a transparent picture, opaque where it is least sure. PNG."""
        result = self.run(folder, look, uncertainty=True)
        confidence = result.confidence if result.confidence is not None else np.ones((1, 1), np.float32)
        doubt = np.rint((1 - np.clip(confidence, 0, 1)) * 200).astype(np.uint8)
        rgba = np.zeros((*doubt.shape, 4), np.uint8)
        rgba[..., :3], rgba[..., 3] = (214, 64, 159), doubt
        image = Image.fromarray(rgba).resize((result.photo.width, result.photo.height), Image.Resampling.BILINEAR)
        return png(image)

    def questions(self, folder: Path, look: dict[str, Any], count: int) -> list[Question]:
        """Return what the net would like to know."""
        asked = checked_request("colorize", look)
        options = asked.part(ColorizeOptions)
        photo = self.restored(folder, asked)
        known = (*self.lent(folder, photo, options.model), *hints_of(asked))
        return ask(photo, self._sessions.engine(options.model), count, known, options)


def decided(result: ColorizeResult) -> tuple[str, ...]:
    """Return what was decided of a photograph, without what is so of the small copy alone."""
    return tuple(note for note in result.notes if not note.startswith("net run at"))


def hints_of(asked: Asked) -> tuple[Hint, ...]:
    """Return the hints of a look."""
    hints: tuple[Hint, ...] = getattr(asked, "hints", ())
    return hints


def references_in(folder: Path) -> list[Path]:
    """Return the reference photographs of a photograph, or of the film that a frame is one of."""
    home = folder.parent.parent if folder.parent.name == FRAMES else folder
    return sorted(home.glob("reference-*"))


def small_mask(folder: Path, small: Photo) -> npt.NDArray[np.bool_] | None:
    """Return the corrected mask of a photograph at the size of its small copy, thin marks kept; None without one."""
    path = folder / MASK_NAME
    if not path.exists():
        return None
    with Image.open(path) as image:
        step = max(1, image.width // small.width)
        shrunk_image = image.reduce(step).resize((small.width, small.height), Image.Resampling.BILINEAR)
    return np.asarray(shrunk_image) > 255 // (3 * step)


def shrunk(photo: Photo, short_px: int, long_px: int) -> Photo:
    """Return an 8-bit copy of a photograph that is no larger than a screen, for showing."""
    scale = min(1.0, short_px / min(photo.width, photo.height), long_px / max(photo.width, photo.height))
    width, height = max(1, round(photo.width * scale)), max(1, round(photo.height * scale))
    step = max(1, int(1 / scale) // 2)
    pixels = photo.pixels
    planes = []
    for band in range(pixels.shape[2]):
        plane: Any = np.ascontiguousarray(pixels[..., band])
        plane = to_8_bits(plane) if plane.dtype != np.uint8 else plane
        image = Image.fromarray(plane)
        image = image.reduce(step) if step > 1 else image
        planes.append(np.asarray(image.resize((width, height), Image.Resampling.LANCZOS)))
    return replace(photo, pixels=np.stack(planes, axis=-1), alpha=None, holes=None, infrared=None)


def _version(path: Path) -> Version:
    """Return which of the files that a path has named in turn is there: each is written anew, never changed."""
    status = path.stat()
    return path, status.st_mtime_ns, status.st_ino


def _versions_of(folder: Path) -> tuple[Version, ...]:
    """Return which references and mask a folder holds, but for those that are taken away meanwhile."""
    found = []
    for path in (*references_in(folder), folder / MASK_NAME):
        with contextlib.suppress(FileNotFoundError):
            found.append(_version(path))
    return tuple(found)


def _pixel_bytes(photo: Photo) -> int:
    return photo.pixels.nbytes


def _result_bytes(result: ColorizeResult) -> int:
    confidence = 0 if result.confidence is None else result.confidence.nbytes
    return result.photo.pixels.nbytes + confidence + sum(map(_result_bytes, result.alternatives))


def _opened(path: Path) -> Photo:
    with Image.open(path) as image:
        pixels = np.asarray(image)
    return Photo(pixels if pixels.ndim == 3 else pixels[..., None])


def _image(photo: Photo) -> Image.Image:
    pixels = photo.pixels
    # The axis of channels alone: a picture may be one pixel wide, or high.
    return Image.fromarray(pixels.squeeze(axis=2) if pixels.shape[2] == 1 else pixels)


def sent(photo: Photo) -> bytes:
    """Return a picture for the page that is looked at once: a JPEG, an eighth of the work of a WebP."""
    buffer = io.BytesIO()
    _image(photo).save(buffer, "JPEG", quality=SENT_QUALITY, subsampling=0)
    return buffer.getvalue()


def encoded(photo: Photo, quality: int = SHOWN_QUALITY) -> bytes:
    """Return a picture for the page, a WebP."""
    buffer = io.BytesIO()
    _image(photo).save(buffer, "WEBP", quality=quality, method=2)
    return buffer.getvalue()


def png(image: Image.Image) -> bytes:
    """Return a PNG."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()
