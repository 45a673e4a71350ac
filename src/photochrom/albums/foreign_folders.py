"""Folders that hold copies and not originals: bins, snapshots, and what photo managers and servers make for themselves.

Sources: the folders that Synology DSM, QNAP QTS, Windows, macOS, Apple Photos, iPhoto, Aperture, Lightroom Classic and
Capture One make, by their makers' documentation.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path

BINS_AND_SERVERS = (
    "@eadir", "#recycle", "#snapshot", "@recycle", "@recently-snapshot", "@tmp", "@sharebin", "$recycle.bin",
    "recycler", "recycled", "system volume information", "network trash folder", "temporary items", "lost+found",
    "__macosx",
)  # fmt: skip
PREVIEWS = ("*.lrdata", "*.lrcat-data", "*.cocatalogdb", "*.coproxy")
LIBRARIES = ("*.photoslibrary", "*.photolibrary", "*.aplibrary", "*.migratedphotolibrary", "iphoto library")
KEPT_OF_LIBRARIES = ("originals", "masters")
"""The only folders of an Apple library that hold photographs as they were taken in."""
CAPTURE_ONE, CAPTURE_ONE_CACHE = "captureone", "cache"


def holds_no_originals(folder: Path) -> bool:
    """Return whether a folder holds nothing but copies, by its name and that of the one around it."""
    name, parent = folder.name.casefold(), folder.parent.name.casefold()
    if name in BINS_AND_SERVERS or any(fnmatchcase(name, pattern) for pattern in PREVIEWS):
        return True
    if any(fnmatchcase(parent, pattern) for pattern in LIBRARIES):
        return name not in KEPT_OF_LIBRARIES
    return parent == CAPTURE_ONE and name == CAPTURE_ONE_CACHE
