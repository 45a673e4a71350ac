"""Every error photochrom raises on purpose, as one tree.

    PhotochromError
    ├── PhotoError                 something about one picture
    │   ├── UnreadablePhotoError       not an image, empty, truncated (also ValueError)
    │   ├── UnsupportedPhotoError      a real image of a kind we refuse (also ValueError)
    │   ├── PhotoTooLargeError         over the pixel or memory limit (also ValueError)
    │   ├── PhotoNotFoundError         no such file, or nothing to do in a folder (also FileNotFoundError)
    │   └── OutputError                the result cannot be written (also OSError)
    ├── FilmError                  something about one film
    │   ├── FilmNotFoundError          no such file (also FileNotFoundError)
    │   ├── UnreadableFilmError        not a film, empty, damaged from the start (also ValueError)
    │   └── UnsupportedFilmError       a real film of a kind we refuse (also ValueError)
    ├── ModelError                 something about one model
    │   ├── UnknownModelError          no model of that name (also LookupError)
    │   ├── ModelNotInstalledError     known, but its file is not here (also FileNotFoundError)
    │   └── ModelFileError             the file is damaged or not a model we accept (also ValueError)
    ├── OptionError                an option or a configuration is wrong (also ValueError)
    ├── MissingExtraError          an optional dependency is absent (also ImportError)
    └── TrainingError              a training run cannot go on (also RuntimeError)

Each message says what happened and where, and each error carries the next step, so that a caller can
show one line to a person: ``str(error)`` is ``what: where. next step``.
"""

from __future__ import annotations

# What the command line leaves with.
EXIT_OK = 0  # all that was asked for is done
EXIT_SOME_FAILED = 1  # something could not be done, and a line says what; the rest is done
EXIT_USAGE = 2  # the command line or a configuration is wrong; nothing was begun
EXIT_NOT_INSTALLED = 3  # a model or an extra that is needed is not here, or is not what it should be
EXIT_INTERRUPTED = 130  # Ctrl-C; as shells report it
EXIT_TERMINATED = 143  # SIGTERM; as shells report it


class PhotochromError(Exception):
    """The root: catch this to catch everything photochrom raises on purpose.

    Args:
        what: what went wrong, without a full stop.
        where: the file, option or key concerned; may be empty.
        next_step: what to do about it; may be empty.
    """

    exit_code = EXIT_SOME_FAILED

    def __init__(self, what: str, *, where: str = "", next_step: str = "") -> None:
        self.what = what
        self.where = where
        self.next_step = next_step
        message = f"{where}: {what}" if where else what
        super().__init__(f"{message}. {next_step}" if next_step else message)

    def __str__(self) -> str:
        """Return the one line; without it FileNotFoundError and KeyError would reformat the message."""
        return str(self.args[0])


class PhotoError(PhotochromError):
    """Something about one picture."""


class UnreadablePhotoError(PhotoError, ValueError):
    """The bytes are not an image, or are damaged."""


class UnsupportedPhotoError(PhotoError, ValueError):
    """A real image, of a kind that cannot be handled without loss."""


class PhotoTooLargeError(PhotoError, ValueError):
    """The picture is over the limit on pixels or memory."""


class PhotoNotFoundError(PhotoError, FileNotFoundError):
    """The file does not exist, or the folder holds no pictures."""


class OutputError(PhotoError, OSError):
    """The result cannot be written where it was asked for."""


class FilmError(PhotochromError):
    """Something about one film."""


class FilmNotFoundError(FilmError, FileNotFoundError):
    """The film does not exist."""


class UnreadableFilmError(FilmError, ValueError):
    """The file is no film, holds no picture, or cannot be decoded at all."""


class UnsupportedFilmError(FilmError, ValueError):
    """A real film, of a kind that cannot be handled without loss, or that was not meant."""


class ModelError(PhotochromError):
    """Something about one model."""


class UnknownModelError(ModelError, LookupError):
    """No model of that name is known."""

    exit_code = EXIT_USAGE


class ModelNotInstalledError(ModelError, FileNotFoundError):
    """The model is known, but its file is not on this computer."""

    exit_code = EXIT_NOT_INSTALLED


class ModelFileError(ModelError, ValueError):
    """The model's file is damaged, or is not of a kind that is accepted."""

    exit_code = EXIT_NOT_INSTALLED


class OptionError(PhotochromError, ValueError):
    """An option or a configuration is wrong."""

    exit_code = EXIT_USAGE


class MissingExtraError(PhotochromError, ImportError):
    """An optional dependency is absent; the next step is the command that installs it."""

    exit_code = EXIT_NOT_INSTALLED


class TrainingError(PhotochromError, RuntimeError):
    """A training run cannot go on."""
