"""libvips, loaded when first needed, with the few calls that every codec makes of it."""

from __future__ import annotations

import ctypes
from functools import lru_cache
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from photochrom.computer import room
from photochrom.files.codecs.leaving import endable

if TYPE_CHECKING:
    import numpy.typing as npt

DTYPES = {"uchar": np.uint8, "ushort": np.uint16, "float": np.float32, "double": np.float64}
WHITES = {"uchar": 255, "ushort": 65535, "float": 1, "double": 1}


@lru_cache(maxsize=1)
def libvips() -> Any:
    """Return the ``pyvips`` module, set up for us.

    Its cache of past operations is switched off: it would keep whole photographs and their files open long after
    their use, and no two of our operations are alike.
    """
    import pyvips

    pyvips.cache_set_max(0)
    _hush(pyvips)
    return pyvips


def _hush(pyvips: Any) -> None:
    """Let what libvips and GLib log go nowhere, without a line of Python.

    pyvips would hand each message to logging, from libvips's own threads, and each operation ends with one. Should
    that moment collect an image, whose end is a message too, GLib takes it for an error that repeats itself, and ends
    the process. A function of C that does nothing stands in: it takes no arguments, and may be given some.

    Source: GLib, "Message Logging": recursive messages are always fatal.
    """
    flags = pyvips.GLogLevelFlags
    nothing = ctypes.cast(ctypes.pythonapi.Py_IsInitialized, ctypes.c_void_p).value
    levels = 2 * flags.LEVEL_DEBUG - 1  # all, and both flags
    for domain in (b"VIPS", b"GLib", b"GLib-GObject"):
        pyvips.glib_lib.g_log_set_handler(domain, levels, pyvips.ffi.cast("GLogFunc", nothing), pyvips.ffi.NULL)


def image_from(samples: npt.NDArray[Any], *, cmyk: bool = False) -> Any:
    """Return a libvips image over samples (H, W, 1 to 5), 8 or 16 bit, without copying them."""
    wide = samples.dtype == np.uint16
    gray = samples.ndim == 2 or samples.shape[2] < 3
    interpretation = ("grey16" if wide else "b-w") if gray else "cmyk" if cmyk else "rgb16" if wide else "srgb"
    return libvips().Image.new_from_array(np.ascontiguousarray(samples), interpretation=interpretation)


def straightened(image: Any, alpha: int) -> Any:
    """Return an image whose first channels are divided by the opacity that they were multiplied with.

    ``alpha`` is the index of the band that holds it; the bands behind that one stay.
    """
    full = WHITES[image.format]
    return (
        image.unpremultiply(alpha_band=alpha, max_alpha=full)
        .cast(image.format)
        .copy(interpretation=image.interpretation)
    )


def computed(image: Any) -> npt.NDArray[Any]:
    """Return the pixels (H, W, bands) of an image, computed in one pass; see :mod:`.room` for where they are.

    Raises:
        pyvips.Error: it cannot be computed: a damaged file, for instance.
        PhotoTooLargeError: there is no room for it.
    """
    shape = (image.height, image.width, image.bands)
    endable(image)
    return room.pixels_from(
        shape,
        DTYPES[image.format],
        made=lambda: image.numpy().reshape(shape),
        to_file=lambda file: _write_raw(image, file),
    )


def _write_raw(image: Any, file: IO[bytes]) -> None:
    """Write the pixels of an image to a file, by a callback: a file's number is another one in Windows's libvips."""
    failures = list[OSError]()

    def write(chunk: bytes) -> int:
        try:
            return file.write(chunk)
        except OSError as error:
            failures.append(error)
            return -1

    target = libvips().TargetCustom()
    target.on_write(write)
    try:
        image.rawsave_target(target)
    except libvips().Error:
        if failures:
            raise failures[0] from None
        raise


def with_block(image: Any, name: str, block: bytes) -> Any:
    """Return the image with a metadata block attached."""
    copy = image.copy()
    copy.set_type(libvips().GValue.blob_type, name, block)
    return copy
