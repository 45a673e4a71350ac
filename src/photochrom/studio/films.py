"""Films on the wall: frames to say colours in, their shots as a strip, and the whole film in colour.

A film's look says what rules all of it, and under "frames" the hints for some of its frames, by their time in seconds,
as they are named for `photochrom film --hints`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from photochrom.albums.album import COLORED_MARK, fitted_name
from photochrom.albums.manifest import MANIFEST_NAME, file_sha256
from photochrom.errors import OptionError
from photochrom.files.photo import Photo
from photochrom.film.containers import FILM_SUFFIXES
from photochrom.options import ColorizeOptions, Limits
from photochrom.studio.album import remember_film
from photochrom.studio.hintfiles import film_folder, folder_for
from photochrom.studio.looks import FRAMES, encoded, references_in, shrunk
from photochrom.studio.problems import HttpError
from photochrom.studio.requests import checked_request
from photochrom.studio.stopping import Stop, stoppable
from photochrom.studio.store import write_again

if TYPE_CHECKING:
    from photochrom.studio.parts import Parts
    from photochrom.studio.wall import Item, Wall

SHOTS, RESULT_SUFFIX = "shots", ".mp4"
SHOT_PX, SHOT_QUALITY = 90, 75
MOST_SHOTS, MOST_FRAMES = 5_000, 500
FRAME_TIME = re.compile(r"\d{1,6}\.\d{3}")
NOT_OF_FILMS = frozenset({"hints", "frames", "restore", "recipe", "keep_hints"})


def is_film(name: str) -> bool:
    """Return whether a name is that of a film."""
    return os.path.splitext(name)[1].lower() in FILM_SUFFIXES


def frame_at(path: Path, seconds: float | None, limits: Limits) -> tuple[str, Photo]:
    """Return the time, in seconds, and the picture of the frame that is on the screen at a time, or in the middle.

    Raises:
        MissingExtraError: the extra `film` is not installed.
        FilmError: it cannot be read.
    """
    from photochrom.film.session import require_film_extra

    require_film_extra()
    from photochrom.film.sources import open_source
    from photochrom.film.stills import still_at

    source = open_source(path, limits=limits)
    still = still_at(source, source.info.duration_s / 2 if seconds is None else seconds)
    return f"{still.at_s:.3f}", still.photo


def find_shots(path: Path, folder: Path, limits: Limits, stop: Stop) -> Iterator[tuple[float, float, float]]:
    """Yield begin, end and a time between of each shot, in seconds; a small picture of it is kept in the folder.

    Raises:
        FilmError: a frame cannot be handled.
        StoppedError: nobody waits for it any more.
    """
    from photochrom.film.sources import open_source
    from photochrom.film.stills import find_shots as find

    (folder / SHOTS).mkdir(exist_ok=True)
    for number, shot in enumerate(find(open_source(path, limits=limits))):
        stop.check()
        if number == MOST_SHOTS:
            return
        small = shrunk(shot.still.photo, SHOT_PX, 3 * SHOT_PX)
        write_again(shot_path(folder, number), encoded(small, SHOT_QUALITY))
        yield shot.begin_s, shot.end_s, shot.still.at_s


def shot_path(folder: Path, number: int) -> Path:
    """Return where a shot's small picture lies."""
    return folder / SHOTS / f"{number}.webp"


def frame_folder(folder: Path, frame: str) -> Path:
    """Return where what is made of one of a film's frames lies; raise HttpError for what is no frame's time."""
    if not FRAME_TIME.fullmatch(frame):
        raise HttpError(404, "there is no such frame")
    return folder / FRAMES / frame


def look_of_frame(look: Mapping[str, Any], frame: str) -> dict[str, Any]:
    """Return how one frame is to look, as a photograph's look."""
    hints = _frames_of(look).get(frame, [])
    return {name: value for name, value in look.items() if name != "frames"} | {"hints": hints}


def check_look(look: Mapping[str, Any]) -> None:
    """Raise OptionError where a film's look, or the hints for one of its frames, is wrong."""
    frames = _frames_of(look)
    for frame in frames or {"0.000": []}:
        if not FRAME_TIME.fullmatch(frame):
            raise OptionError(f"{frame[:20]!r} is no frame's time", where="frames")
        checked_request("colorize", look_of_frame(look, frame))


def _frames_of(look: Mapping[str, Any]) -> Mapping[str, Any]:
    frames = look.get("frames", {})
    if not isinstance(frames, Mapping) or len(frames) > MOST_FRAMES:
        raise OptionError(f"should be the hints for up to {MOST_FRAMES} frames, by their times", where="frames")
    return frames


def color_film(item: Item, wall: Wall, parts: Parts, stop: Stop) -> dict[str, Any]:
    """Colour a whole film as `photochrom film` does, telling how far it is; return what the wall is to know.

    Hints for a frame rule its shot; references serve the whole film.

    Raises:
        StoppedError: nobody waits for it any more.
        FilmError, MissingExtraError, OutputError: it cannot be done.
    """
    from photochrom.film.options import FilmOptions
    from photochrom.film.session import FilmColorizer

    asked = checked_request("colorize", {name: value for name, value in item.look.items() if name not in NOT_OF_FILMS})
    options = asked.part(ColorizeOptions)
    folder = wall.folder_of(item) / "results"
    folder.mkdir(exist_ok=True)
    target = folder / f"result{RESULT_SUFFIX}"
    for old in (target, folder / MANIFEST_NAME):
        old.unlink(missing_ok=True)
    told = [0.0]

    def progress(done: int, expected: int) -> None:
        stop.check()
        share = done / expected if expected else 0.0
        if share - told[0] >= 0.01:
            told[0] = share
            wall.answer(item, progress=round(share, 3))

    beside = film_folder(Path(item.path)) if item.is_original else None
    hints = folder_for(_frames_of(item.look), wall.folder_of(item) / "hints", beside)
    told_of = FilmOptions(hints=hints, reference=tuple(references_in(wall.folder_of(item))))
    engine = stoppable(parts.sessions.engine(options.model), stop)
    colorizer = FilmColorizer(options=told_of, color=options, engine=engine, limits=parts.limits)
    result = colorizer(Path(item.path), target, progress)
    lent = [file_sha256(path) for path in told_of.reference]
    remember_film(target, item.name, Path(item.path), [item.look, lent, engine.spec.sha256])
    name = fitted_name(Path(item.name).stem, COLORED_MARK + RESULT_SUFFIX)
    return {
        "full": "done",
        "full_error": "",
        "full_error_kind": "",
        "files": {"result": (target.name, name)},
        "notes": result.notes,
    }


def result_beside(source: Path) -> Path:
    """Return where a film's result goes."""
    return source.with_name(fitted_name(source.stem, COLORED_MARK + RESULT_SUFFIX))
