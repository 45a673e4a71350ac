"""Hints beside the photographs and films of the studio's folder, as the command line reads them.

A photograph's are NAME.hints.json; where another in that folder differs in its suffix alone, NAME.jpg.hints.json.
A film's are a folder NAME.hints with a file for each frame, named by its time: `photochrom film --hints NAME.hints`.
"""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from photochrom.files.codecs.atomic import write_whole
from photochrom.files.photo import Photo
from photochrom.hints.sheet import HINTS_SUFFIX, HintSheet, PhotoIdentity, read_hints
from photochrom.options import Limits

FOLDER_SUFFIX = ".hints"
FRAME_FILE = re.compile(r"(\d{1,6}\.\d{3})s" + re.escape(HINTS_SUFFIX))
EARLIEST = (1980, 1, 1, 0, 0, 0)
Frames = Mapping[str, Any]
"""Hints by the time of their frame, in seconds with three digits."""


def photo_file(photo: Path, others: Iterable[str]) -> Path:
    """Return where a photograph's hints lie, or are to lie, among the other photographs of a wall, given by paths."""
    own = photo.with_name(photo.name + HINTS_SUFFIX)
    this, bare = str(photo), os.path.splitext(photo)[0]
    # Thousands are looked at for each: few begin alike.
    alike = (other for other in others if other.startswith(bare) and other != this)
    is_shared = any(os.path.splitext(other)[0] == bare for other in alike)
    return own if is_shared or own.exists() else photo.with_name(photo.stem + HINTS_SUFFIX)


def read_photo_file(path: Path, photo: Photo, limits: Limits) -> list[dict[str, Any]]:
    """Return the hints of a photograph's file, none where there is no file.

    Raises:
        OptionError: it holds no hints, or those of another photograph.
    """
    return [hint.as_json() for hint in read_hints(path, photo, limits=limits).hints] if path.exists() else []


def keep_photo_file(path: Path, sheet: HintSheet) -> None:
    """Write a photograph's hints, or remove the file of hints where none are left."""
    if sheet.hints:
        write_whole(path, sheet.as_json())
    elif path.exists():
        read_hints(path)  # only what is a file of hints is removed
        path.unlink()


def film_folder(film: Path) -> Path:
    """Return where the hints of a film's frames lie, or are to lie."""
    return film.with_name(film.stem + FOLDER_SUFFIX)


def read_film_folder(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """Return the hints of a film's frames; files of the folder that are named otherwise are left to `folder_for`.

    Raises:
        OptionError: a file holds no hints.
    """
    paths = sorted(folder.iterdir()) if folder.is_dir() else []
    named = [(found[1], path) for path in paths if (found := FRAME_FILE.fullmatch(path.name))]
    return {frame: [hint.as_json() for hint in read_hints(path).hints] for frame, path in named}


def keep_film_folder(folder: Path, before: Frames, after: Frames) -> None:
    """Write the hints of a film's frames, and remove the files of those that have none any more."""
    said = {frame: hints for frame, hints in after.items() if hints}
    if said:
        folder.mkdir(exist_ok=True)
    for frame, hints in said.items():
        if before.get(frame) != hints or not (folder / _name(frame)).exists():
            write_whole(folder / _name(frame), sheet_of(hints))
    for frame in before.keys() - said.keys():
        if (path := folder / _name(frame)).exists():
            read_hints(path)
            path.unlink()
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()


def folder_for(frames: Frames, folder: Path, beside: Path | None) -> Path | None:
    """Return a folder of hints for the command line's way through a film; None where there are none.

    Args:
        frames: what was said in the studio.
        folder: made anew.
        beside: a film's folder of hints, whose files of other names (numbers, painted pictures) count, too.
    """
    shutil.rmtree(folder, ignore_errors=True)
    others = [path for path in beside.iterdir() if is_other(path)] if beside and beside.is_dir() else []
    said = {frame: hints for frame, hints in frames.items() if hints}
    if not said and not others:
        return None
    folder.mkdir()
    for path in others:
        shutil.copyfile(path, folder / path.name)
    for frame, hints in said.items():
        write_whole(folder / _name(frame), sheet_of(hints))
    return folder


def is_other(path: Path) -> bool:
    """Return whether a file of a film's folder of hints is one that the studio does not write."""
    return path.is_file() and not FRAME_FILE.fullmatch(path.name)


def zipped_frames(frames: Frames, name: str) -> bytes:
    """Return a ZIP file with the folder of hints of a film of that name."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for frame, hints in sorted(frames.items()):
            if hints:
                archive.writestr(zipfile.ZipInfo(f"{name}{FOLDER_SUFFIX}/{_name(frame)}", EARLIEST), sheet_of(hints))
    return buffer.getvalue()


def sheet_of(hints: Iterable[Any], identity: PhotoIdentity | None = None) -> bytes:
    """Return a file of hints."""
    values = {"photochrom_hints": 1, "photo": identity.model_dump() if identity else None, "hints": list(hints)}
    return (json.dumps(values, ensure_ascii=False) + "\n").encode()


def _name(frame: str) -> str:
    return f"{frame}s{HINTS_SUFFIX}"
