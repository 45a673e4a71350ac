"""Comments of files that do not say which letters they are in: JPEG's and GIF's."""

from __future__ import annotations


def comment_text(data: bytes) -> str:
    """Return a comment's text, as UTF-8 or else Latin-1, without the zero bytes that some end it with."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    return text.rstrip("\x00")
