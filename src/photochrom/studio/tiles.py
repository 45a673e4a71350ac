"""Tiles for the light table: any part of a photograph, down to its single pixels, however large it is.

Before and after lie as tiled TIFF pyramids in the photograph's folder, made once, uncompressed; a tile is then a read
of a few blocks. At full size tiles are PNG, so that a pixel on the screen is the pixel of the file.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from photochrom.computer.systems import put_in_place
from photochrom.files.codecs.libvips import libvips
from photochrom.files.codecs.samples import to_8_bits
from photochrom.files.photo import Photo
from photochrom.studio.problems import HttpError

PYRAMIDS = {"before": "before.tif", "after": "after.tif"}
"""What lies in a photograph's folder, by side."""
TILE_PX = 512
QUALITY = 90


def build_pyramid(photo: Photo, path: Path) -> None:
    """Write a photograph as a pyramid of tiles, 8 bit."""
    pyvips = libvips()
    pixels = photo.pixels if photo.depth == 8 else to_8_bits(photo.pixels)
    image = pyvips.Image.new_from_array(pixels.squeeze(axis=2) if pixels.shape[2] == 1 else pixels)
    aside = path.with_suffix(".part")
    image.cast("uchar").tiffsave(
        str(aside), tile=True, pyramid=True, tile_width=256, tile_height=256, compression="none", bigtiff=True
    )
    put_in_place(aside, path)


def tile(path: Path, level: int, column: int, row: int) -> tuple[bytes, str]:
    """Return a tile, and its media type.

    Args:
        path: of the pyramid.
        level: 0 is full size, each further one half of it.
        column: in tiles.
        row: likewise.

    Raises:
        HttpError: there is no such tile.
    """
    pyvips = libvips()
    try:
        image: Any = pyvips.Image.new_from_file(str(path), page=level, access="random")
    except pyvips.Error:
        raise HttpError(404, "there is no such tile") from None
    left, top = column * TILE_PX, row * TILE_PX
    if not (0 <= left < image.width and 0 <= top < image.height):
        raise HttpError(404, "there is no such tile")
    part = image.crop(left, top, min(TILE_PX, image.width - left), min(TILE_PX, image.height - top))
    if level == 0:
        return bytes(part.pngsave_buffer(compression=1)), "image/png"
    return bytes(part.jpegsave_buffer(Q=QUALITY)), "image/jpeg"
