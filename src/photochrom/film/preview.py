"""A look ahead: some seconds from the middle of each fifth of a film, coloured, and a sheet of their frames."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from photochrom.errors import OptionError
from photochrom.files.photo import Photo
from photochrom.files.writing import save_photo
from photochrom.film.checks import check_ordinary
from photochrom.film.results import FilmResult
from photochrom.film.session import FilmColorizer
from photochrom.film.sources import open_source

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
        OptionError: the film does not say how long it is, or pictures are asked for.
        FilmError, OutputError: as in calling the colorizer.
    """
    path, target = Path(film), Path(target)
    options = colorizer.options
    if options.codec == "frames":
        raise OptionError("a preview is a film", where="--codec", next_step="Choose another codec")
    info = open_source(path, interlaced=options.interlaced, fps=options.fps).info
    check_ordinary(info, "--preview", "Colour a part with --start and --end instead")
    if not info.duration_s:
        raise OptionError(
            "the film does not say how long it is", where=os.fspath(path), next_step="Give --start and --end"
        )
    parts = []
    for number, (start, end) in enumerate(middles(info.duration_s), 1):
        name = target.with_name(f"{target.stem}-preview-{number}{target.suffix}")
        chosen = options.model_copy(update={"start": start, "end": end})
        parts.append(colorizer.with_options(chosen)(path, name))
    sheet = target.with_name(f"{target.stem}-preview.png")
    save_photo(Photo(contact_sheet([part.path for part in parts])), sheet)
    return Preview(tuple(parts), sheet)


def middles(duration_s: float) -> list[tuple[float, float]]:
    """Return (start, end) of the part in the middle of each fifth; in short films the fifths themselves."""
    fifth = duration_s / PARTS
    length = min(PART_S, fifth)
    return [((k + 0.5) * fifth - length / 2, (k + 0.5) * fifth + length / 2) for k in range(PARTS)]


def contact_sheet(films: list[Path]) -> npt.NDArray[np.uint8]:
    """Return a picture with a row of frames, evenly spread, for each film. Shape: (H, W, 3) uint8."""
    rows = [np.concatenate(_spread_frames(film), axis=1) for film in films]
    width = max(row.shape[1] for row in rows)
    return np.concatenate([np.pad(row, ((0, 0), (0, width - row.shape[1]), (0, 0))) for row in rows])


def _spread_frames(film: Path) -> list[npt.NDArray[np.uint8]]:
    import av

    with av.open(os.fspath(film)) as container:
        stream = container.streams.video[0]
        wanted = {round(k) for k in np.linspace(0, max(0, stream.frames - 1), FRAMES_A_PART)} if stream.frames else {0}
        kept = []
        for number, frame in enumerate(container.decode(stream)):
            if number in wanted:
                picture = Image.fromarray(frame.to_ndarray(format="rgb24"))
                height = max(1, round(picture.height * SHEET_FRAME_WIDTH / picture.width))
                kept.append(np.asarray(picture.resize((SHEET_FRAME_WIDTH, height), Image.Resampling.LANCZOS)))
    return kept
