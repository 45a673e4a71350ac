"""Films on the wall: a frame that stands for each, a strip of its shots, and the whole film in colour."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from photochrom.albums.album import COLORED_MARK, fitted_name
from photochrom.errors import FilmError
from photochrom.files.codecs.atomic import write_whole
from photochrom.files.photo import Photo
from photochrom.hints.sheet import HINTS_SUFFIX
from photochrom.options import ColorizeOptions, Limits
from photochrom.studio.looks import references_in
from photochrom.studio.requests import checked_request
from photochrom.studio.store import FILM_SUFFIXES

if TYPE_CHECKING:
    from photochrom.studio.parts import Parts
    from photochrom.studio.wall import Item, Wall

STRIP_FRAMES, STRIP_HEIGHT = 8, 90
STRIP_NAME, RESULT_SUFFIX = "strip.webp", ".mp4"


def is_film(name: str) -> bool:
    """Return whether a name is that of a film."""
    return os.path.splitext(name)[1].lower() in FILM_SUFFIXES


def look_at(path: Path, folder: Path, limits: Limits) -> tuple[Photo, dict[str, Any]]:
    """Return a frame from the middle of a film, and keep a strip of frames, evenly spread.

    Raises:
        MissingExtraError: the extra `film` is not installed.
        FilmError: it cannot be read.
    """
    from photochrom.film.session import require_film_extra

    require_film_extra()
    from photochrom.film.sources import open_source

    info = open_source(path, limits=limits).info
    frames = _spread(path, float(info.duration_s or 0.0))
    if not frames:
        raise FilmError("no frame of it can be read", where=str(path))
    small = [_of_height(frame, STRIP_HEIGHT) for _, frame in frames]
    strip = np.concatenate([np.asarray(frame) for frame in small], axis=1)
    buffer = io.BytesIO()
    Image.fromarray(strip).save(buffer, "WEBP", quality=75)
    write_whole(folder / STRIP_NAME, buffer.getvalue())
    at_s, middle = frames[len(frames) // 2]
    return Photo(np.asarray(middle.convert("L"))[..., None]), {"frame_s": round(at_s, 3)}


def _of_height(frame: Image.Image, height: int) -> Image.Image:
    return frame.resize((max(1, round(frame.width * height / frame.height)), height))


def _spread(path: Path, duration_s: float) -> list[tuple[float, Image.Image]]:
    """Return times and frames from places spread evenly over a film, those that can be read."""
    import av

    found: list[tuple[float, Image.Image]] = []
    with av.open(os.fspath(path)) as container:
        stream = container.streams.video[0]
        for k in range(STRIP_FRAMES if duration_s else 1):
            at = duration_s * (k + 0.5) / STRIP_FRAMES
            if duration_s:
                container.seek(int(at * av.time_base))
            frame = next(container.decode(stream), None)
            if frame is not None:
                found.append((float(frame.time or 0.0), Image.fromarray(frame.to_ndarray(format="rgb24"))))
    return found


def color_film(item: Item, wall: Wall, parts: Parts) -> dict[str, Any]:
    """Colour a whole film as `photochrom film` does, telling how far it is; return what the wall is to know.

    Hints for the frame that stands for it rule its shot; references serve the whole film.

    Raises:
        FilmError, MissingExtraError, OutputError: it cannot be done.
    """
    from photochrom.film.options import FilmOptions
    from photochrom.film.session import FilmColorizer

    asked = checked_request("colorize", {name: value for name, value in item.look.items() if name not in NOT_OF_FILMS})
    options = asked.part(ColorizeOptions)
    folder = wall.folder_of(item) / "results"
    folder.mkdir(exist_ok=True)
    target = folder / f"result{RESULT_SUFFIX}"
    target.unlink(missing_ok=True)
    told = [0.0]

    def progress(done: int, expected: int) -> None:
        share = done / expected if expected else 0.0
        if share - told[0] >= 0.01:
            told[0] = share
            wall.change(item, progress=round(share, 3))

    told_of = FilmOptions(hints=_hints_folder(item, wall), reference=tuple(references_in(wall.folder_of(item))))
    colorizer = FilmColorizer(
        options=told_of, color=options, engine=parts.sessions.engine(options.model), limits=parts.limits
    )
    result = colorizer(Path(item.path), target, progress)
    name = fitted_name(Path(item.name).stem, COLORED_MARK + RESULT_SUFFIX)
    return {"full": "done", "full_error": "", "files": {"result": (target.name, name)}, "notes": result.notes}


def _hints_folder(item: Item, wall: Wall) -> Path | None:
    """Return a folder with the hints of a film's frame, named by its time; None where there are none."""
    if not item.look.get("hints"):
        return None
    folder = wall.folder_of(item) / "hints"
    folder.mkdir(exist_ok=True)
    sheet = {"photochrom_hints": 1, "hints": item.look["hints"]}
    write_whole(folder / f"{item.frame_s:.3f}s{HINTS_SUFFIX}", json.dumps(sheet).encode())
    return folder


NOT_OF_FILMS = frozenset({"hints", "restore", "recipe", "keep_hints"})


def result_beside(source: Path) -> Path:
    """Return where a film's result goes."""
    return source.with_name(fitted_name(source.stem, COLORED_MARK + RESULT_SUFFIX))
