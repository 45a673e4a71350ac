"""Colour films greyed, coloured in several ways, and compared with themselves.

Beside our colouring stand the truth, grey, what photographs get (each frame by itself), and that smoothed by a plain
running mean. All on the small grid of about 320 x 180, with the same motion for all; the full size is laid over it as
``chroma`` says, the same for every row.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from photochrom.engines.base import Engine
from photochrom.errors import UnsupportedFilmError
from photochrom.film.checks import damage_notes, shown_size
from photochrom.film.containers import Reading, open_container, picture_stream, read_frames
from photochrom.film.keyframes import Viewer, color_source
from photochrom.film.matrices import Codes, Matrix, Plane
from photochrom.film.measuring import FilmScores
from photochrom.film.options import FilmOptions
from photochrom.film.passages import Passage, Sight, passage_length, passages, small_grey
from photochrom.film.planes import chroma_of, luma_of
from photochrom.film.shots import CutsFile
from photochrom.film.sources import FilmFile
from photochrom.film.steadiness import Colours, color_passage
from photochrom.options import ColorizeOptions, Limits

TRUTH, GREY, FRAMES, MEAN, FILM = "truth", "grey", "frame by frame", "running mean", "film"
TOLD = "film, net told"  # for models that hear
ROWS = (TRUTH, GREY, FRAMES, MEAN, FILM)
# Frames on either side that the running mean takes in.
MEAN_RADIUS = 3
GREY_COLORFULNESS = 1.0  # of the truth, below which a film has no colours; those in colour have 10 to 60


@dataclass(slots=True)
class FilmContest:
    """What was measured of one film.

    Attributes:
        path: of the film.
        frames: measured.
        cuts: found.
        key_frames: that the net saw for our colouring; for frame by frame it saw all.
        notes: what could not be read of it, and was not measured.
        rows: name of the colouring -> measure -> value; see ``measuring.FilmScores.means``.
    """

    path: Path
    frames: int = 0
    cuts: int = 0
    key_frames: int = 0
    notes: list[str] = field(default_factory=list)
    rows: dict[str, dict[str, float]] = field(default_factory=dict)

    @property
    def is_grey(self) -> bool:
        """Whether the truth has no colours to compare with."""
        return self.rows[TRUTH]["colorfulness"] < GREY_COLORFULNESS


def measure_film(
    path: Path,
    engine: Engine,
    *,
    color: ColorizeOptions | None = None,
    options: FilmOptions | None = None,
    most_frames: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> FilmContest:
    """Return the measures of one colour film.

    Args:
        path: of the film.
        engine: runs the model.
        color: how frames are coloured.
        options: key-frame spacing.
        most_frames: measure at most this many, from the first on.
        progress: called with the frames done.

    Raises:
        FilmError: it cannot be read.

    Cost: a run of the net for each frame, and about 0.2 s.
    """
    options = options or FilmOptions()
    source = FilmFile.open(path, "deinterlace", Limits())
    info, codes = source.info, source.info.layout.codes
    if info.transfer.is_hdr:
        raise UnsupportedFilmError(
            "is HDR, and colours are compared in ordinary pictures only",
            where=str(path),
            next_step="Convert it to BT.709 first",
        )
    matrix = Matrix.of_tag(info.matrix)
    viewer = Viewer.of(engine, color or ColorizeOptions(), matrix, codes, shown_size(info), info.quarter_turns)
    truths: dict[int, Plane] = {}
    reading = Reading()
    sights = itertools.islice(_sights(source, matrix, truths, reading), most_frames)
    hears = engine.spec.hears
    scores = {name: FilmScores(matrix) for name in (*ROWS, *([TOLD] if hears else []))}
    contest, layers, told_layers = FilmContest(path), dict[str, Colours](), dict[str, Colours]()
    longest = passage_length(info.width, info.height, codes.bits)
    for passage in passages(sights, longest, CutsFile()):
        grids = [Codes(8, codes.full).luma(sight.grey) for sight in passage.sights]
        net = [Colours(*viewer.colours(sight.luma, grid)) for sight, grid in zip(passage.sights, grids, strict=True)]
        made = color_passage(passage.motions, passage.link, layers, lambda k, _: net[k], options.key_spacing, {})  # noqa: B023 - used at once
        layers = made.layers
        alone = [colours.chroma for colours in net]
        ours = {FILM: [colours.chroma for colours in made.frames]}
        if hears:
            source_told = color_source(viewer, [sight.luma for sight in passage.sights], grids.__getitem__, told=True)
            told = color_passage(passage.motions, passage.link, told_layers, source_told, options.key_spacing, {})
            told_layers = told.layers
            ours[TOLD] = [colours.chroma for colours in told.frames]
        _score(scores, passage, grids, truths, alone, ours)
        contest.frames += len(passage.sights)
        contest.cuts += passage.cut
        contest.key_frames += len(made.keys)
        if progress:
            progress(contest.frames)
    contest.rows = {name: score.means() for name, score in scores.items()}
    contest.notes = damage_notes(reading, contest.frames, min(info.frames, most_frames or info.frames))
    return contest


def _score(
    scores: dict[str, FilmScores],
    passage: Passage,
    grids: list[Plane],
    truths: dict[int, Plane],
    alone: list[Plane],
    ours: dict[str, list[Plane]],
) -> None:
    for k, sight in enumerate(passage.sights):
        truth = truths.pop(sight.number)
        motion = passage.motions[k - 1] if k else passage.link
        around = alone[max(0, k - MEAN_RADIUS) : k + MEAN_RADIUS + 1]
        mean = np.asarray(np.mean(around, axis=0), np.float32)
        colourings = {TRUTH: truth, GREY: np.zeros_like(truth), FRAMES: alone[k], MEAN: mean}
        colourings |= {name: frames[k] for name, frames in ours.items()}
        for name, chroma in colourings.items():
            scores[name].add(grids[k], chroma, truth, motion)


def _sights(source: FilmFile, matrix: Matrix, truths: dict[int, Plane], reading: Reading) -> Iterator[Sight]:
    """Yield the frames greyed, and put their true chroma on the grid into ``truths``."""
    import cv2

    layout = source.info.layout
    with open_container(source.info.path) as container:
        stream = picture_stream(container, str(source.info.path))
        for number, frame in enumerate(read_frames(container, stream, reading)):
            luma = luma_of(frame, layout)
            grey = small_grey(luma, layout.codes)
            chroma = chroma_of(frame, layout, matrix)
            size = (grey.shape[1], grey.shape[0])
            if chroma is None:
                truths[number] = np.zeros((*grey.shape, 2), np.float32)
            else:
                shrinks = chroma.shape[1] > size[0]
                how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
                truths[number] = np.asarray(cv2.resize(chroma, size, interpolation=how), np.float32)
            assert frame.pts is not None
            yield Sight(number, frame.pts, 1, luma, grey)
