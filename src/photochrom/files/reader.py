"""The program that reads photographs for another process, one after the other, until its input ends.

Each request is a line of JSON, and the file's bytes where they are not to be read from its path; the answer is a
photograph or an error. See :mod:`.apart` for why.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import IO, Any

from photochrom.computer.room import trim_memory
from photochrom.errors import PhotochromError
from photochrom.files.codecs.source import changed, open_source
from photochrom.files.pages import page_of
from photochrom.files.parcel import read_line, write_line, write_photo
from photochrom.files.photo import Photo
from photochrom.options import Limits, ReadingOptions

GRACE_S, LONGEST_S = 5.0, 1e6


def answer(requests: IO[bytes], answers: IO[bytes]) -> bool:
    """Answer one request; return whether there was one."""
    request = read_line(requests)
    if request is None:
        return False
    data = requests.read(request["bytes"]) if request["path"] is None else None
    _set_alarm(request["limits"]["max_seconds"] + GRACE_S)
    try:
        write_photo(answers, _page_of(request, data))
    except PhotochromError as error:
        words = {"what": error.what, "where": error.where, "next_step": error.next_step}
        write_line(answers, {"error": type(error).__name__, **words})
    answers.flush()
    _set_alarm(0)
    trim_memory()
    return True


def _page_of(request: dict[str, Any], data: bytes | None) -> Photo:
    limits, reading = Limits(**request["limits"]), ReadingOptions(**request["reading"])
    with open_source(request["path"] if data is None else data, limits.max_file_bytes) as source:
        if data is None and source.identity() != request["identity"]:
            raise changed(request["name"])
        source.name = request["name"]
        return page_of(source, limits, request["page"], reading, lambda _: None)


def _set_alarm(seconds: float) -> None:
    """Let the system end this process then, should who asked be gone and a decoder never return."""
    start, clock = getattr(signal, "setitimer", None), getattr(signal, "ITIMER_REAL", None)  # not on Windows
    if start is not None:
        start(clock, min(seconds, LONGEST_S))


def main() -> None:
    # Decoders that print would spoil the answer: what they take for the terminal is nowhere.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    while answer(sys.stdin.buffer, answers):
        pass


if __name__ == "__main__":
    main()
