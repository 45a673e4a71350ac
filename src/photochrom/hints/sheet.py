"""The hints of one photograph, as they are kept: one JSON file that knows which photograph it belongs to.

`docs/hints.schema.json` is made from the models here.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from typing import Any, Literal, Self

import numpy as np
from pydantic import Field, ValidationError

from photochrom.errors import OptionError, PhotochromError
from photochrom.files.codecs.source import open_source
from photochrom.files.photo import Photo
from photochrom.files.reading import open_photo
from photochrom.hints.hint import Hint, checked_hints, hint_error
from photochrom.hints.painted import painted_from_picture
from photochrom.luma import shrink_luma
from photochrom.options import Limits, Options

HINTS_SUFFIX = ".hints.json"
PAINTED_SUFFIX = ".hints.png"
LARGEST_BYTES = 8_000_000
LARGEST_SIDE = 1 << 32
FINGERPRINT_CELLS = 16
# Of 240 bits, those in which copies of one photograph may differ (another size, JPEG, a restored scan); those of two
# photographs differ in about half.
SAME_PHOTOGRAPH_BITS = 48
LARGEST_ASPECT_ERROR = 0.02


class PhotoIdentity(Options):
    """Which photograph hints were made for."""

    width: int = Field(ge=1, le=LARGEST_SIDE, description="Of the upright picture, in pixels.")
    height: int = Field(ge=1, le=LARGEST_SIDE, description="Likewise.")
    fingerprint: str = Field(
        pattern=r"^[0-9a-f]{60}$", description="Where luma rises from left to right, on a grid of 16 x 16 cells."
    )

    @classmethod
    def of(cls, photo: Photo) -> Self:
        """Return the identity of a photograph. Cost: 10 ms per megapixel."""
        return cls(width=photo.width, height=photo.height, fingerprint=_fingerprint(photo))

    def refuse_other(self, photo: Photo, where: str) -> None:
        """Raise OptionError where a photograph is another one; a smaller or restored copy is not."""
        aspect = photo.width * self.height / (photo.height * self.width)
        if abs(aspect - 1) > max(LARGEST_ASPECT_ERROR, 1 / min(photo.width, photo.height)):
            what = f"{self.width} x {self.height}, and this is {photo.width} x {photo.height}"
        elif _bits_apart(self.fingerprint, _fingerprint(photo)) > SAME_PHOTOGRAPH_BITS:
            what = "by its fingerprint"
        else:
            return
        raise OptionError(
            f"the hints were made for another photograph ({what})",
            where=where,
            next_step="Give that photograph, or hints for this one",
        )


class HintSheet(Options):
    """Hints, and the photograph that they belong to."""

    photochrom_hints: Literal[1] = Field(default=1, description="Version of this layout.")
    photo: PhotoIdentity | None = Field(
        default=None, description="The photograph; left out by hand, nothing is checked but the coordinates."
    )
    hints: tuple[Hint, ...] = Field(description="In order: where two lie on each other, the later counts.")

    @classmethod
    def for_photo(cls, photo: Photo, hints: Sequence[Hint | Mapping[str, Any]]) -> Self:
        """Return the sheet of a photograph; raise OptionError where a hint is wrong."""
        return cls(photo=PhotoIdentity.of(photo), hints=checked_hints(hints))

    def for_this(self, photo: Photo, where: str = "hints") -> tuple[Hint, ...]:
        """Return the hints; raise OptionError where they were made for another photograph."""
        if self.photo is not None:
            self.photo.refuse_other(photo, where)
        return self.hints

    def as_json(self) -> bytes:
        """Return the file's bytes: one line per hint."""
        photo = json.dumps(self.photo.model_dump() if self.photo else None)
        lines = ",\n".join(f"  {json.dumps(hint.as_json(), ensure_ascii=False)}" for hint in self.hints)
        return f'{{"photochrom_hints": 1, "photo": {photo}, "hints": [\n{lines}\n]}}\n'.encode()

    @property
    def sha256(self) -> str:
        """A hash of the hints alone, whatever the photograph."""
        text = json.dumps([hint.as_json() for hint in self.hints], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def summary(self) -> dict[str, object]:
        """What a result says of them: how many, how many of a person and in which colours, and their hash."""
        own = [hint for hint in self.hints if hint.by == "person"]
        given = [hint.color if isinstance(hint.color, str) else list(hint.ab) for hint in own if hint.color]
        distinct = [color for at, color in enumerate(given) if color not in given[:at]]
        return {"count": len(self.hints), "by_person": len(own), "colors": distinct[:20], "sha256": self.sha256}


def read_hints(path: str | os.PathLike[str], photo: Photo | None = None, *, limits: Limits | None = None) -> HintSheet:
    """Return the hints in a file: JSON, or a transparent picture of the photograph's aspect.

    Args:
        path: the file.
        photo: the photograph, which a picture of hints needs; hints of another are refused.
        limits: what a picture of hints may cost.

    Raises:
        PhotoNotFoundError, UnreadablePhotoError: there is no such file, or it cannot be read.
        OptionError: it holds no hints, wrong ones, or those of another photograph.
    """
    where = os.fspath(path)
    with open_source(path, (limits or Limits()).max_file_bytes) as source:
        is_text = source.read_at(0, 64).lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"[")
    if is_text or photo is None:
        sheet = _parsed(path)
        if photo is not None:
            sheet.for_this(photo, where)
        return sheet
    painted = painted_from_picture(open_photo(path, limits=limits), photo.width, photo.height, where)
    return HintSheet.for_photo(photo, [Hint.checked(painted=painted)])


def _parsed(path: str | os.PathLike[str]) -> HintSheet:
    where = os.fspath(path)
    try:
        with open_source(path, LARGEST_BYTES) as source:
            values = json.loads(source.read_all())
    except (ValueError, RecursionError) as error:
        if isinstance(error, PhotochromError):
            raise
        raise OptionError("is not a file of hints (no JSON)", where=where, next_step="See docs/hints.md") from None
    if not isinstance(values, dict) or values.get("photochrom_hints") != 1 or not isinstance(values.get("hints"), list):
        raise OptionError(
            'is not a file of hints: it has no "photochrom_hints": 1 and "hints": [...]',
            where=where,
            next_step="See docs/hints.md",
        )
    hints = checked_hints(values["hints"], where)
    if not hints:
        raise OptionError("holds no hints", where=where, next_step="Leave it out, or add one")
    try:
        return HintSheet(**{**values, "hints": hints})
    except ValidationError as error:
        raise hint_error(error, where, HintSheet) from None


def _fingerprint(photo: Photo) -> str:
    """Return 60 hexadecimal digits: for 16 rows of 16 cells, whether luma rises by a code from each to the next."""
    cells = shrink_luma(photo.pixels, FINGERPRINT_CELLS * 4, FINGERPRINT_CELLS * 4, 4).cell
    rises = np.diff(cells, axis=1) > 1 / 255
    return np.packbits(rises).tobytes().hex()


def _bits_apart(one: str, other: str) -> int:
    return (int(one, 16) ^ int(other, 16)).bit_count()
