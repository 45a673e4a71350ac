"""Photographs read by another process, which can be ended, where a decoder makes them in one call.

Nothing can end such a call (AVIF and HEIF, JPEG XL, JPEG XR, JPEG 2000, camera raw, what TIFF holds of these, BMP): a
thread that waits no longer would leave a core busy with it, and a decoder that keeps Python's own lock would hold up
all. A process is killed, and takes memory and crashes of hostile files with it. It is started when first needed, which
takes about half a second, and used again; files whose pictures take less than a second at worst never need it.
"""

from __future__ import annotations

import atexit
import contextlib
import io
import os
import subprocess
import sys
import threading
from typing import IO, Any

from photochrom import errors
from photochrom.errors import PhotochromError
from photochrom.files.codecs.decoded import UnendableCallError, damaged
from photochrom.files.codecs.formats import photo_format
from photochrom.files.codecs.leaving import ended_by
from photochrom.files.codecs.signatures import HEAD_BYTES
from photochrom.files.codecs.source import IN_MEMORY_BYTES, PhotoSource
from photochrom.files.pages import page_of as page_here
from photochrom.files.parcel import read_line, read_photo, write_line
from photochrom.files.photo import Photo
from photochrom.options import Limits, ReadingOptions

PROGRAM = "photochrom.files.reader"
SMALL_PIXELS, SMALL_BYTES = 1_000_000, 1_000_000
MOST_IDLE = 2


def page_of(source: PhotoSource, limits: Limits, page: int, reading: ReadingOptions) -> Photo:
    """Return one page: read here, or by another process where it could not be ended here.

    The work of this thread may be ended meanwhile (:mod:`.codecs.leaving`), and the process then is.

    Cost of a process: a tenth of a second of processor time for 12 megapixels, the first time half a second more; 70 MB
    while it waits. Memory: the samples twice.

    Raises:
        PhotochromError: as :func:`photochrom.files.reading.open_photo`.
    """

    def begin_call(pixels: int) -> None:
        if pixels > SMALL_PIXELS or source.size > SMALL_BYTES:
            raise UnendableCallError

    try:
        return page_here(source, limits, page, reading, begin_call if _can_be_started() else lambda _: None)
    except UnendableCallError:
        pass
    reader = _READERS.take()
    try:
        with ended_by(reader.end):
            photo = reader.page_of(source, limits, page, reading)
        source.check_unchanged()
        return photo
    finally:
        _READERS.give_back(reader)


def _can_be_started() -> bool:
    """Return whether there is a Python of our own to start."""
    return bool(sys.executable) and not getattr(sys, "frozen", False) and sys.platform != "emscripten"


class _Reader:
    """A process that reads photographs, and what is said to it and by it."""

    def __init__(self) -> None:
        surroundings = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        # A session of its own: Ctrl-C is ours to answer, and what has begun is finished.
        self._process = subprocess.Popen(  # noqa: S603 - this Python, and a module of ours
            [sys.executable, "-P", "-m", PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, env=surroundings, start_new_session=True,
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )  # fmt: skip
        self._is_in_step = True

    @property
    def is_usable(self) -> bool:
        """Whether it can be asked again."""
        return self._is_in_step and self._process.poll() is None

    def page_of(self, source: PhotoSource, limits: Limits, page: int, reading: ReadingOptions) -> Photo:
        """Return what it reads, or raise what it says; a process that ends over a file says that this is damaged."""
        self._is_in_step = False
        data = source.read_all() if source.data is not None or source.size <= IN_MEMORY_BYTES else None
        request = {
            "name": source.name,
            "path": os.path.abspath(source.name) if data is None else None,
            "bytes": source.size,
            "identity": source.identity(),
            "page": page,
            "limits": limits.model_dump(),
            "reading": reading.model_dump(),
        }
        try:
            self._ask(request, data or b"")
            told = read_line(self._answers)
            if told is None:
                raise EOFError
            answer = told if "error" in told else read_photo(self._answers, told)
        except (EOFError, OSError) as error:
            self.end()
            format = photo_format(source.read_at(0, HEAD_BYTES), source.name) or "image"
            raise damaged(source.name, format, ValueError(self._end_in_words())) from error
        self._is_in_step = True
        if isinstance(answer, Photo):
            return answer
        raise _error(answer)

    def _ask(self, request: dict[str, Any], data: bytes) -> None:
        write_line(self._requests, request)
        self._requests.write(data)
        self._requests.flush()

    @property
    def _requests(self) -> IO[bytes]:
        assert self._process.stdin
        return self._process.stdin

    @property
    def _answers(self) -> io.BufferedReader:
        assert isinstance(self._process.stdout, io.BufferedReader)
        return self._process.stdout

    def end(self) -> None:
        """End the process, whatever it does; from any thread."""
        self._is_in_step = False
        self._process.kill()

    def close(self) -> None:
        """End the process and let go of it."""
        self.end()
        for stream in (self._requests, self._answers):
            with contextlib.suppress(OSError):
                stream.close()
        self._process.wait()

    def _end_in_words(self) -> str:
        code = self._process.wait()
        return f"its decoder was ended by signal {-code}" if code < 0 else f"its decoder ended with {code}"


class _Readers:
    """The processes that nobody uses just now."""

    def __init__(self) -> None:
        self._idle: list[_Reader] = []
        self._lock = threading.Lock()

    def take(self) -> _Reader:
        with self._lock:
            while self._idle:
                reader = self._idle.pop()
                if reader.is_usable:
                    return reader
                reader.close()
        return _Reader()

    def give_back(self, reader: _Reader) -> None:
        with self._lock:
            if reader.is_usable and len(self._idle) < MOST_IDLE:
                self._idle.append(reader)
                return
        reader.close()

    def close(self) -> None:
        """End all of them."""
        with self._lock:
            while self._idle:
                self._idle.pop().close()

    def forget(self) -> None:
        """Leave them to the process that this one was copied from."""
        self._idle, self._lock = [], threading.Lock()


def _error(answer: dict[str, Any]) -> PhotochromError:
    kind: type[PhotochromError] = getattr(errors, answer["error"])
    return kind(answer["what"], where=answer["where"], next_step=answer["next_step"])


_READERS = _Readers()
atexit.register(_READERS.close)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_READERS.forget)
