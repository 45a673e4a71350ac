"""A look ahead: some seconds from the middle of each fifth of a film, coloured, and a sheet of their frames."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from photochrom.errors import OptionError
from photochrom.files.made_here import labelled
from photochrom.files.photo import Photo
from photochrom.files.writing import save_photo
from photochrom.film.checks import check_ordinary, check_paths, check_span, require_free
from photochrom.film.containers import spelled_path
from photochrom.film.given import FrameFiles
from photochrom.film.options import FilmOptions, Span
from photochrom.film.results import FilmResult
from photochrom.film.session import FilmColorizer
from photochrom.film.shots import CutsFile
from photochrom.film.sources import open_source
from photochrom.film.told import HINT_ENDINGS

PARTS, PART_S, FRAMES_A_PART = 5, 10.0, 4
SHEET_FRAME_WIDTH = 320


@dataclass(frozen=True, slots=True)
class Preview:
    """What was made: the parts in order, and the sheet, one row of frames for each part."""

    parts: tuple[FilmResult, ...]
    sheet: Path


def preview_film(colorizer: FilmColorizer, film: str | os.PathLike[str], target: str | os.PathLike[str]) -> Preview:
    """Colour ten seconds from the middle of each fifth of a film.

    Args:
        colorizer: how to colour.
        film: the film.
        target: the name that the whole result would have; NAME-preview-1 to -5 and NAME-preview.png are written.

    Raises:
        OptionError: the film does not say how long it is, pictures are asked for, or frames are told by number.
        FilmError, OutputError: as in calling the colorizer.
    """
    path, target = Path(film), Path(target)
    options = colorizer.options
    if options.codec == "frames":
        raise OptionError("a preview is a film", where="--codec", next_step="Choose another codec")
    info = open_source(path, interlaced=options.interlaced, fps=options.fps).info
    check_ordinary(info, "--preview", "Colour a part with --start and --end instead")
    check_told_by_time(options)
    begin_s, end_s = options.span_s
    if not (info.duration_s or end_s):
        raise OptionError("the film does not say how long it is", where=os.fspath(path), next_step="Give --end")
    begin_s, end_s = max(begin_s or 0.0, info.begins_s), min(end_s or info.ends_s, info.ends_s or end_s or 0.0)
    check_span(info, Span(begin_s, end_s))
    spans = middles(begin_s, end_s, 1 / float(info.rate))
    names = [target.with_name(f"{target.stem}-preview-{number}{target.suffix}") for number in range(1, len(spans) + 1)]
    sheet = target.with_name(f"{target.stem}-preview.png")
    for name in names:
        check_paths(path, name, options)
    require_free(path, sheet, options)
    parts = []
    for name, (start, end) in zip(names, spans, strict=True):
        chosen = options.model_copy(update={"start": start, "end": end})
        parts.append(colorizer.with_options(chosen)(path, name))
    save_photo(labelled(Photo(contact_sheet([part.path for part in parts])), "preview"), sheet)
    return Preview(tuple(parts), sheet)


def check_told_by_time(options: FilmOptions) -> None:
    """Raise OptionError where something is told by a frame's number: each part counts from its own beginning."""
    told = {"--cuts": bool(options.cuts and CutsFile.read(options.cuts).by_number)}
    told["--keyframes"] = bool(options.keyframes and FrameFiles.read(options.keyframes).by_number)
    told["--hints"] = bool(options.hints and FrameFiles.read(options.hints, "--hints", HINT_ENDINGS).by_number)
    for name, by_number in told.items():
        if by_number:
            raise OptionError(
                "frames are told by number, and each part of a preview counts from its own first one",
                where=name,
                next_step="Name them by time, such as 12.5s",
            )


def middles(begin_s: float, end_s: float, frame_s: float) -> list[tuple[float, float]]:
    """Return (start, end) of the part in the middle of each fifth; in short films fewer parts, of a frame at least."""
    parts = max(1, min(PARTS, round((end_s - begin_s) / frame_s)))
    fifth = (end_s - begin_s) / parts
    length = min(PART_S, fifth)
    # A moment before frames that begin with their part, however the seconds are rounded.
    centres = [begin_s + (k + 0.5) * fifth - 1e-6 for k in range(parts)]
    return [(max(0.0, centre - length / 2), centre + length / 2) for centre in centres]


def contact_sheet(films: list[Path]) -> npt.NDArray[np.uint8]:
    """Return a picture with a row of frames, evenly spread, for each film. Shape: (H, W, 3) uint8."""
    rows = [np.concatenate(_spread_frames(film), axis=1) for film in films]
    width = max(row.shape[1] for row in rows)
    return np.concatenate([np.pad(row, ((0, 0), (0, width - row.shape[1]), (0, 0))) for row in rows])


def _spread_frames(film: Path) -> list[npt.NDArray[np.uint8]]:
    import av

    with av.open(spelled_path(film)) as container:
        stream = container.streams.video[0]
        wanted = {round(k) for k in np.linspace(0, max(0, stream.frames - 1), FRAMES_A_PART)} if stream.frames else {0}
        kept = []
        for number, frame in enumerate(container.decode(stream)):
            if number in wanted:
                picture = Image.fromarray(frame.to_ndarray(format="rgb24"))
                height = max(1, round(picture.height * SHEET_FRAME_WIDTH / picture.width))
                kept.append(np.asarray(picture.resize((SHEET_FRAME_WIDTH, height), Image.Resampling.LANCZOS)))
    return kept
