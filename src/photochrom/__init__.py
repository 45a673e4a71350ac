"""Colour and restore old photographs offline, with the luma provably untouched.

    import photochrom
    coloured = photochrom.colorize("grandmother.jpg")          # a path gives a PIL image
    clean = photochrom.restore("grandmother.jpg")              # scratches, grain, fading
    with photochrom.Colorizer() as colorizer:                  # a session, reused
        arrays = [colorizer(array) for array in scans]         # an array gives an array

Importing this package is cheap: every public name is loaded when it is first used, so neither numpy, ONNX Runtime
nor pydantic is paid for before it is needed, and PyTorch is never loaded by colouring.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from photochrom.version import VERSION

if TYPE_CHECKING:
    from photochrom.coloring.pipeline import ColorizeResult as ColorizeResult
    from photochrom.colorizer import Colorizer as Colorizer
    from photochrom.colorizer import colorize as colorize
    from photochrom.engines.base import Engine as Engine
    from photochrom.engines.base import FakeEngine as FakeEngine
    from photochrom.engines.base import ModelSpec as ModelSpec
    from photochrom.errors import FilmError as FilmError
    from photochrom.errors import FilmNotFoundError as FilmNotFoundError
    from photochrom.errors import MissingExtraError as MissingExtraError
    from photochrom.errors import ModelError as ModelError
    from photochrom.errors import ModelFileError as ModelFileError
    from photochrom.errors import ModelNotInstalledError as ModelNotInstalledError
    from photochrom.errors import OptionError as OptionError
    from photochrom.errors import OutputError as OutputError
    from photochrom.errors import PhotochromError as PhotochromError
    from photochrom.errors import PhotoError as PhotoError
    from photochrom.errors import PhotoNotFoundError as PhotoNotFoundError
    from photochrom.errors import PhotoTooLargeError as PhotoTooLargeError
    from photochrom.errors import TrainingError as TrainingError
    from photochrom.errors import UnknownModelError as UnknownModelError
    from photochrom.errors import UnreadableFilmError as UnreadableFilmError
    from photochrom.errors import UnreadablePhotoError as UnreadablePhotoError
    from photochrom.errors import UnsupportedFilmError as UnsupportedFilmError
    from photochrom.errors import UnsupportedPhotoError as UnsupportedPhotoError
    from photochrom.files.photo import Photo as Photo
    from photochrom.files.reading import open_photo as open_photo
    from photochrom.files.writing import save_photo as save_photo
    from photochrom.film.options import FilmOptions as FilmOptions
    from photochrom.film.results import FilmResult as FilmResult
    from photochrom.film.session import FilmColorizer as FilmColorizer
    from photochrom.film.session import colorize_film as colorize_film
    from photochrom.hints.hint import Hint as Hint
    from photochrom.hints.sheet import HintSheet as HintSheet
    from photochrom.hints.sheet import read_hints as read_hints
    from photochrom.options import ColorizeOptions as ColorizeOptions
    from photochrom.options import EngineOptions as EngineOptions
    from photochrom.options import Limits as Limits
    from photochrom.options import OutputOptions as OutputOptions
    from photochrom.options import RestoreOptions as RestoreOptions
    from photochrom.restoration.pipeline import RestoreResult as RestoreResult
    from photochrom.restorer import Restorer as Restorer
    from photochrom.restorer import restore as restore

_HOMES = {
    "photochrom.colorizer": ("Colorizer", "colorize"),
    "photochrom.engines.base": ("Engine", "FakeEngine", "ModelSpec"),
    "photochrom.errors": (
        "FilmError",
        "FilmNotFoundError",
        "MissingExtraError",
        "ModelError",
        "ModelFileError",
        "ModelNotInstalledError",
        "OptionError",
        "OutputError",
        "PhotoError",
        "PhotoNotFoundError",
        "PhotoTooLargeError",
        "PhotochromError",
        "TrainingError",
        "UnknownModelError",
        "UnreadableFilmError",
        "UnreadablePhotoError",
        "UnsupportedFilmError",
        "UnsupportedPhotoError",
    ),
    "photochrom.film.options": ("FilmOptions",),
    "photochrom.film.results": ("FilmResult",),
    "photochrom.film.session": ("FilmColorizer", "colorize_film"),
    "photochrom.hints.hint": ("Hint",),
    "photochrom.hints.sheet": ("HintSheet", "read_hints"),
    "photochrom.options": ("ColorizeOptions", "EngineOptions", "Limits", "OutputOptions", "RestoreOptions"),
    "photochrom.files.photo": ("Photo",),
    "photochrom.files.reading": ("open_photo",),
    "photochrom.files.writing": ("save_photo",),
    "photochrom.coloring.pipeline": ("ColorizeResult",),
    "photochrom.restoration.pipeline": ("RestoreResult",),
    "photochrom.restorer": ("Restorer", "restore"),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__version__ = VERSION
__all__ = sorted([*_HOME_OF, "__version__"])  # noqa: PLE0605 - a list, made from the table so that the two cannot drift


def __getattr__(name: str) -> object:
    """Load a public name on first use (PEP 562) and keep it, so that the next use is an ordinary attribute."""
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(importlib.import_module(_HOME_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
