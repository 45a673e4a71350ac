"""One film on its way: what is found out, and checked, before its first frame is coloured."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from photochrom.colorizer import Colorizer
from photochrom.film import checks
from photochrom.film.containers import FilmInfo
from photochrom.film.encoding import output_layout
from photochrom.film.given import FrameFiles, check_readable
from photochrom.film.options import FilmOptions, Span
from photochrom.film.planes import Layout
from photochrom.film.shots import CutsFile
from photochrom.film.sources import FilmFile, PictureFolder, open_source
from photochrom.film.told import Told
from photochrom.film.trial import try_writing
from photochrom.options import Limits


@dataclass(slots=True)
class Job:
    """One film on its way through a session.

    Attributes:
        source: gives its frames.
        target: of the result.
        layout: of the result's frames.
        span: which part of the film.
        notes: what was decided.
        cuts: what somebody says of cuts.
        given: frames that somebody has coloured.
        told: hints for frames, and reference photographs.
    """

    source: FilmFile | PictureFolder
    target: Path
    layout: Layout
    span: Span
    notes: list[str] = field(default_factory=list)
    cuts: CutsFile = field(default_factory=CutsFile)
    given: FrameFiles = field(default_factory=FrameFiles)
    told: Told = field(default_factory=Told)

    @property
    def info(self) -> FilmInfo:
        """What the film says of itself."""
        return self.source.info

    @property
    def original(self) -> Path | None:
        """The file that sound and the rest are copied from; None for a folder of pictures."""
        return self.info.path if isinstance(self.source, FilmFile) else None


def look_at(path: Path, target: Path, options: FilmOptions, colorizer: Colorizer, limits: Limits) -> Job:
    """Look at a film and at what is asked for; everything that can fail before the first frame fails here.

    Raises:
        FilmError, OptionError, OutputError: as `FilmColorizer` says.
    """
    source = open_source(path, interlaced=options.interlaced, fps=options.fps, limits=limits)
    notes = list(source.info.notes)
    notes += checks.check_grey(source, recolor=options.recolor)
    if options.codec == "frames":
        checks.check_ordinary(source.info, "--codec frames", "Choose --codec ffv1, or convert it to BT.709 first")
        layout = source.info.layout.with_output("444", source.info.layout.codes.bits)
        notes.append("sound and subtitles are not in a folder of pictures")
    else:
        layout, more = output_layout(source.info, options)
        notes += more
    cuts = CutsFile.read(options.cuts) if options.cuts else CutsFile()
    given = FrameFiles.read(options.keyframes) if options.keyframes else FrameFiles()
    told = Told.read(options, colorizer, limits)
    for files in (given, told.hints):
        check_readable(files, checks.shown_size(source.info), limits)
    job = Job(source, target, layout, options.span, notes, cuts, given, told)
    checks.check_span(job.info, job.span)
    checks.check_room(job.info, target, options)
    if options.codec != "frames":
        notes += checks.check_time_base(job.info, target)
        try_writing(job.info, layout, target, options, job.original, fields=source.fields_kept)
    return job
