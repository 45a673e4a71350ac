"""One photograph in memory."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from photochrom.errors import UnreadablePhotoError
from photochrom.files.codecs.samples import Pixels
from photochrom.files.metadata import Metadata


@dataclass(frozen=True, slots=True)
class Photo:
    """One picture, upright and in sRGB.

    Attributes:
        pixels: (H, W, 1) grey or (H, W, 3) RGB, gamma-encoded sRGB, uint8 or uint16 with the full range of codes.
        alpha: (H, W) of the same dtype, straight (not premultiplied), or None.
        metadata: what the file says besides; orientation is reset, for it has been applied.
        format: "jpeg", "png", "tiff", "webp", "avif", "heic", "gif", "bmp", "jpeg2000", "jpegxl",
            "jpegxr" or "raw".
        notes: what was decided on the way, in words.
        page_count: pages in the file; this is one of them.
        infrared: (H, W) of the same dtype, of a film scan: dark where dust and scratches are; not written.
        holes: (H, W), true where a damaged file has lost its samples, or None.
        left_out: pictures of the file that this one does not show, in words: "3 other pages".

    Raises:
        UnreadablePhotoError: an array is of another shape or type than that.
    """

    pixels: Pixels
    alpha: Pixels | None = None
    metadata: Metadata = field(default_factory=Metadata)
    format: str = "png"
    notes: tuple[str, ...] = ()
    page_count: int = 1
    infrared: Pixels | None = None
    holes: npt.NDArray[np.bool_] | None = None
    left_out: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what would end in a wrong picture, or in an error that names nothing, far from here."""
        pixels = np.asanyarray(self.pixels)
        shape, dtype = pixels.shape, pixels.dtype
        if len(shape) != 3 or shape[2] not in (1, 3) or 0 in shape or dtype not in (np.uint8, np.uint16):
            raise UnreadablePhotoError(
                f"pixels of shape {shape} and type {dtype} are not a photo's",
                where="Photo",
                next_step="Give (H, W, 1) or (H, W, 3) of uint8 or uint16; photochrom.colorize() takes others, too",
            )
        for name, plane, wanted in (
            ("alpha", self.alpha, dtype),
            ("infrared", self.infrared, dtype),
            ("holes", self.holes, np.dtype(bool)),
        ):
            given = None if plane is None else np.asanyarray(plane)
            if given is not None and (given.shape, given.dtype) != (shape[:2], wanted):
                raise UnreadablePhotoError(
                    f"{name} of shape {given.shape} and type {given.dtype} does not lie on pixels of {shape}, {dtype}",
                    where="Photo",
                    next_step=f"Give {shape[:2]} of {wanted}, or leave it out",
                )

    @property
    def depth(self) -> int:
        """Bits per channel: 8 or 16."""
        return 8 * self.pixels.dtype.itemsize

    @property
    def max_code(self) -> int:
        """The code value of white: 255 or 65535."""
        return int(np.iinfo(self.pixels.dtype).max)

    @property
    def width(self) -> int:
        """Pixels across."""
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        """Pixels down."""
        return int(self.pixels.shape[0])
