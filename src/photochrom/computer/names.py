"""Names of files that Windows has a mind of its own about: reserved ones, letters it forbids, and long paths.

Albums come from everywhere. A result whose name Windows cannot hold gets one there that it can; elsewhere, nothing is
changed. Source: Microsoft's "Naming Files, Paths, and Namespaces" and "Maximum Path Length Limitation".
"""

from __future__ import annotations

import os
import re
from pathlib import PurePosixPath

from photochrom.computer import systems

FORBIDDEN = re.compile(r'[<>:"|?*\\\x00-\x1f]')
RESERVED = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])\s*(\..*)?", re.IGNORECASE)
LONGEST_PLAIN_PATH = 247
"""Characters; a folder's path has to leave room for a name of the old kind, 8 and 3."""
EXTENDED, EXTENDED_SHARE = "\\\\?\\", "\\\\?\\UNC\\"


def writable_name(name: str) -> str:
    """Return a name inside a folder, with forward slashes, as this system can hold it.

    On Windows, forbidden letters and spaces and dots at an end become underscores, and reserved names get one added.
    Two names may become the same one; whoever gives names to results keeps them apart.
    """
    if systems.SYSTEM != "win32":
        return name
    return PurePosixPath(*(_writable_part(part) for part in PurePosixPath(name).parts)).as_posix()


def _writable_part(part: str) -> str:
    part = FORBIDDEN.sub("_", part)
    held = part.rstrip(" .")
    part = held + "_" * (len(part) - len(held))
    if RESERVED.fullmatch(part):
        stem, dot, suffix = part.partition(".")
        part = f"{stem.rstrip()}_{dot}{suffix}"
    return part


def reachable(path: systems.PathLike) -> str:
    """Return a path that the system opens whatever its length: on Windows, long ones in their extended form."""
    text = os.fspath(path)
    if systems.SYSTEM != "win32" or text.startswith(EXTENDED):
        return text
    full = os.path.abspath(text)
    if len(full) <= LONGEST_PLAIN_PATH:
        return text
    return EXTENDED_SHARE + full[2:] if full.startswith("\\\\") else EXTENDED + full
