"""Lines for people: whatever a name contains, each stays one line and moves no cursor.

Output that is full, closed or gone costs no photograph.
"""

from __future__ import annotations

import contextlib
import os
import sys
import unicodedata
from typing import TextIO

from photochrom.computer.systems import is_broken_pipe

CONTROLS = frozenset(["Cc", "Cs", "Zl", "Zp"])
"""Unicode's categories of control characters, halves of characters, and separators of lines and paragraphs."""
DIRECTIONS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Marks that turn the order of what follows, so that one name looks like another."""
_failures: list[OSError] = []


def say(text: str) -> None:
    """Write a line to standard output, at once. What cannot be written is remembered, and told at the end of the run.

    Raises:
        BrokenPipeError: the reader has gone, and wants no more.
    """
    if sys.stdout is None or _failures:
        return
    try:
        print(_fitting(visible(text), sys.stdout), flush=True)
    except OSError as error:
        if is_broken_pipe(error):
            raise BrokenPipeError(error.errno, error.strerror) from error
        _failures.append(error)
        discard_output()


def print_error(text: str) -> None:
    """Write a line to standard error, after the program's name; where nobody can be told, nobody is."""
    if sys.stderr is not None:
        with contextlib.suppress(OSError, ValueError):
            print(_fitting(f"photochrom: {visible(text)}", sys.stderr), file=sys.stderr, flush=True)


def visible(text: str) -> str:
    """Return the text with escapes in place of the characters that a terminal would act upon."""
    return "".join(
        letter.encode("unicode_escape", "surrogatepass").decode()
        if letter in DIRECTIONS or unicodedata.category(letter) in CONTROLS
        else letter
        for letter in text
    )


def output_failure() -> OSError | None:
    """Return why lines of this run could not be written, and forget it; None where all were."""
    return _failures.pop() if _failures else None


def discard_output() -> None:
    """Let standard output lead nowhere, so that what is still buffered for it fails nobody."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def open_closed_streams() -> None:
    """Open the standard streams that the caller has closed, on nothing.

    Otherwise the next file to be opened, perhaps a result, would take their number, and warnings would be written
    into it.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number, which is this one
    sys.stdout = sys.stdout or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - for as long as we live
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115


def _fitting(text: str, stream: TextIO) -> str:
    encoding = getattr(stream, "encoding", None) or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)
