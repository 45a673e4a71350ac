"""Everything that is found out before the first frame is coloured, and what is said of a film at its end."""

from __future__ import annotations

import hashlib
import os
from importlib.metadata import version
from pathlib import Path

from photochrom.errors import OptionError, OutputError, UnreadableFilmError, UnsupportedFilmError
from photochrom.files.made_here import refuse_made_elsewhere
from photochrom.film.coloured import is_coloured
from photochrom.film.containers import FilmInfo, Reading
from photochrom.film.encoding import CODECS, container_of, encoder_settings
from photochrom.film.options import RESTORING, FilmOptions, Span
from photochrom.film.segments import require_room
from photochrom.film.sources import FilmFile, PictureFolder
from photochrom.film.writers import pictures_of_frames

FRAMES_BITS_A_PIXEL = 16
HEAD_BYTES = 1 << 20


def check_options(options: FilmOptions) -> None:
    """Raise OptionError where options contradict each other."""
    if options.codec == "frames":
        for name in ("crf", "preset", "chroma", "depth"):
            if getattr(options, name) is not None:
                raise OptionError("pictures have no such setting", where=f"--{name}", next_step="Leave it out")
        if options.keep_masters:
            raise OptionError("pictures are lossless already", where="--keep-masters", next_step="Leave it out")
    else:
        encoder_settings(options)
    if not options.restore:
        for name in RESTORING:
            if getattr(options, name) != type(options).model_fields[name].default:
                raise OptionError(
                    "needs --restore", where=f"--{name.replace('_', '-')}", next_step="Add --restore, or leave it out"
                )
    start, end = options.span_s
    if end is not None and end <= (start or 0):
        raise OptionError(f"{end:g} s is not after the start, {start or 0:g} s", where="--end")


def check_paths(film: Path, target: Path, options: FilmOptions) -> None:
    """Raise OptionError or OutputError where something would be written on the film, or on what else is there."""
    where = os.fspath(target)
    require_apart(film, target)
    if options.codec == "frames":
        target.mkdir(parents=False, exist_ok=True) if target.parent.is_dir() else None
        if not target.is_dir():
            raise OutputError("is no folder, and --codec frames writes one", where=where)
        if work_folder_of(target, options).exists():
            return  # what is there is this work's
        if any(target.glob("*.png")) and not options.overwrite:
            raise OutputError("the folder holds pictures already", where=where, next_step="Add --overwrite")
        for picture in pictures_of_frames(target):
            refuse_made_elsewhere(picture, another="folder")
        return
    container_of(target)
    if not target.parent.is_dir():
        raise OutputError("its folder does not exist", where=where, next_step="Create the folder first")
    for path in files_written(target, options):
        require_free(film, path, options)


def files_written(target: Path, options: FilmOptions) -> tuple[Path, ...]:
    """Return every file that a run leaves: the result, and the lossless copy where one is kept."""
    return (target, master_name(target)) if options.keep_masters else (target,)


def require_free(film: Path, path: Path, options: FilmOptions) -> None:
    """Raise OptionError or OutputError where a file that will be written lies on the film, or is there already.

    What is a photograph or film that photochrom did not make stays, whatever the options say.
    """
    require_apart(film, path)
    if path.is_dir():
        raise OutputError("is a folder", where=os.fspath(path), next_step="Give a file name")
    if path.exists() and not options.overwrite:
        raise OutputError(
            "is there already", where=os.fspath(path), next_step="Add --overwrite, or choose another name"
        )
    refuse_made_elsewhere(path)


def require_apart(film: Path, path: Path) -> None:
    """Raise OptionError where what will be written lies on the film, whatever its name."""
    if path.exists() and film.exists() and os.path.samefile(path, film):
        raise OptionError("the result would replace the film", where=os.fspath(path), next_step="Choose another name")


def master_name(target: Path) -> Path:
    """Return the name of the lossless copy that is kept beside a result."""
    return target.with_name(f"{target.stem}-master.mkv")


def work_target(target: Path, options: FilmOptions) -> Path:
    """Return the path beside which work is kept: inside the folder where pictures are written."""
    return target / "film" if options.codec == "frames" else target


def work_folder_of(target: Path, options: FilmOptions) -> Path:
    """Return where work in progress lies."""
    beside = work_target(target, options)
    return beside.with_name(f".photochrom-film-{beside.name}")


def unfinished_name(target: Path) -> Path:
    """Return the name of what an interrupted run leaves to look at."""
    return target.with_name(f"{target.stem}-unfinished{target.suffix}")


def check_grey(source: FilmFile | PictureFolder, *, recolor: bool) -> list[str]:
    """Return a note on a tint that will be replaced; raise UnsupportedFilmError for a film in colour."""
    found = is_coloured(source)
    if found == "colour" and not recolor:
        raise UnsupportedFilmError(
            "is in colour already",
            where=os.fspath(source.info.path),
            next_step="Add --recolor to replace its colours",
        )
    return {"colour": ["its own colours are replaced"], "tint": ["its tint is replaced"], "grey": []}[found]


def check_ordinary(info: FilmInfo, where: str, next_step: str) -> None:
    """Raise OptionError for an HDR film, whose luma is none of an sRGB picture."""
    if info.transfer.is_hdr:
        raise OptionError("pictures are sRGB, and the film is HDR", where=where, next_step=next_step)


def shown_size(info: FilmInfo) -> tuple[int, int]:
    """Return (width, height) as players show it: square pixels, upright."""
    width, height = max(1, round(info.width * info.sample_aspect)), info.height
    return (height, width) if info.quarter_turns % 2 else (width, height)


def check_span(info: FilmInfo, span: Span) -> None:
    """Raise OptionError where the film ends before the span begins."""
    if span.start_s and info.duration_s and span.start_s >= info.ends_s:
        begins = f", from {info.begins_s:.1f} s on" if info.begins_s >= 1 else ""
        raise OptionError(f"the film lasts {info.duration_s:.1f} s{begins}", where="--start")


def expected_frames(info: FilmInfo, span: Span) -> int:
    """Return how many frames there should be; 0 where the film does not say."""
    if not info.frames or not info.duration_s:
        return info.frames
    start, end = max(span.start_s or 0.0, info.begins_s), min(span.end_s or info.ends_s, info.ends_s)
    return max(1, round(info.frames * max(0.0, end - start) / info.duration_s))


def check_room(info: FilmInfo, target: Path, options: FilmOptions) -> None:
    """Raise OutputError where the disk has no room for segments and the joined film together."""
    bits = FRAMES_BITS_A_PIXEL if options.codec == "frames" else CODECS[options.codec].bits_a_pixel * 2
    bits += CODECS["ffv1"].bits_a_pixel * 2 if options.keep_masters else 0
    frames = expected_frames(info, options.span)
    folder = target if target.is_dir() else target.parent
    require_room(folder, round(info.width * info.height * frames * bits / 8))


def check_time_base(info: FilmInfo, target: Path) -> list[str]:
    """Return a note where the container rounds time stamps."""
    rounds = container_of(target) == "matroska" and (info.time_base * 1000).denominator != 1
    return ["Matroska rounds time stamps to a millisecond; .mp4 and .mov keep them"] if rounds else []


def check_frames(frames: int, info: FilmInfo) -> None:
    """Raise UnreadableFilmError where not one frame lay in the span."""
    if not frames:
        raise UnreadableFilmError("no frame lies between --start and --end", where=os.fspath(info.path))


def reading_notes(source: FilmFile | PictureFolder, reading: Reading, frames: int, expected: int) -> list[str]:
    """Return what to say of how a film was read."""
    notes = []
    if isinstance(source, FilmFile) and reading.interlaced and not source.order and source.mode != "telecine":
        done = "deinterlaced there (bwdif)" if source.deinterlaces else "taken for whole frames, as the first ones are"
        notes.append(f"interlaced film: in part, {done}")
    return [*notes, *damage_notes(reading, frames, expected)]


def damage_notes(reading: Reading, frames: int, expected: int) -> list[str]:
    """Return what to say of frames that could not be read, or not as they are."""
    notes = []
    if reading.damaged:
        bridged = f"; {reading.missing} gave no picture, and the one before stays for longer" if reading.missing else ""
        notes.append(f"{reading.damaged} damaged frames{bridged}")
    if reading.moved:
        notes.append(
            f"{reading.moved} frames had no time stamp, or one that was not later: moved behind the one before"
        )
    if frames < 0.98 * expected - 2 or (reading.truncated and (not expected or frames < expected)):
        notes.append(f"the film ends early: {frames} frames of about {expected}" if expected else "the film ends early")
    return notes


def fingerprint(path: Path) -> list[object]:
    """Return what tells one file from another without reading all of it; of a folder, that of each file."""
    if path.is_dir():
        return [[p.name, *fingerprint(p)] for p in sorted(path.iterdir()) if p.is_file()]
    try:
        stat = path.stat()
        with path.open("rb") as handle:
            digest = hashlib.sha256(handle.read(HEAD_BYTES))
            handle.seek(max(0, stat.st_size - HEAD_BYTES))
            digest.update(handle.read(HEAD_BYTES))
    except OSError:
        return []
    return [stat.st_size, digest.hexdigest()]


def library_versions() -> dict[str, str]:
    """Return the versions of what decodes, follows and encodes: other ones may give other bytes."""
    return {name: version(name) for name in ("av", "numpy")} | {"cv2": _cv2_version()}


def _cv2_version() -> str:
    import cv2

    return str(cv2.__version__)
