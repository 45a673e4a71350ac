"""The public way in: `colorize_film` for one film, `FilmColorizer` for a session that is loaded once and reused."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from photochrom.colorizer import Colorizer
from photochrom.computer.systems import put_in_place
from photochrom.engines.base import Engine
from photochrom.errors import MissingExtraError
from photochrom.files.provenance import Provenance
from photochrom.film import checks
from photochrom.film.containers import Reading
from photochrom.film.encoding import color_range, container_of, encoder_settings, is_lossless
from photochrom.film.job import Job, look_at
from photochrom.film.joining import Joint, Piece, join
from photochrom.film.keyframes import Viewer, require_hearing
from photochrom.film.matrices import BT601, Matrix
from photochrom.film.motion import one_thread_each
from photochrom.film.options import RESTORING, FilmOptions
from photochrom.film.painting import Painter
from photochrom.film.pipeline import Film, color_segments
from photochrom.film.restoring import Findings
from photochrom.film.results import FilmResult, Progress
from photochrom.film.segments import WorkFolder, disk_error
from photochrom.film.stamps import metadata_tags, stamped
from photochrom.film.transfers import Transfer
from photochrom.film.treatment import Stages, restorer_for
from photochrom.film.writers import EncodedSegment, PictureSegment, Writer, master_suffix, remove_beyond, segment_suffix
from photochrom.options import ColorizeOptions, EngineOptions, Limits
from photochrom.restorer import Restorer
from photochrom.session import Session


class FilmColorizer(Session):
    """A loaded model, and how films are coloured with it. A context manager.

    Args:
        model: a name from `photochrom models list`, or the path of an .onnx file.
        options: how a film is read, kept steady and written.
        color: how key frames are coloured, as for photographs.
        engine: what runs the model, for tests (`FakeEngine`) and other runtimes.
        engine_options: threads and device of the engine that is made when none is given.
        limits: what a film may ask of this computer.
        restorer: whose tone and noise networks restore film, where options ask for that; its caller closes it.
            Left out, they are loaded.

    Raises:
        MissingExtraError: the extra `film` is not installed.
        ModelError: the model cannot be loaded.
        OptionError: options contradict each other.
    """

    def __init__(
        self,
        model: str | os.PathLike[str] | None = None,
        options: FilmOptions | None = None,
        *,
        color: ColorizeOptions | None = None,
        engine: Engine | None = None,
        engine_options: EngineOptions | None = None,
        limits: Limits | None = None,
        restorer: Restorer | None = None,
    ) -> None:
        require_film_extra()
        self.options = options or FilmOptions()
        self.limits = limits or Limits()
        checks.check_options(self.options)
        self._colorizer = Colorizer(model, color, engine=engine, engine_options=engine_options)
        self._restorer, self._owns_restorer = restorer_for(self.options, restorer, engine_options), restorer is None
        if self.options.tell_net:
            require_hearing(self._colorizer.engine)

    def __call__(
        self, film: str | os.PathLike[str], target: str | os.PathLike[str], progress: Progress | None = None
    ) -> FilmResult:
        """Colour a film file, or a folder of its frames, and return what was decided.

        A run that is ended goes on where it was when it is called again with the same options. On KeyboardInterrupt
        what is finished is joined as NAME-unfinished, and the interrupt goes on to the caller.

        Raises:
            FilmError: the film cannot be read, or is of a kind that is refused.
            OptionError: the codec or the container cannot hold what is asked for.
            OutputError: the result cannot be written there.
        """
        with one_thread_each():
            return self._run(Path(film), Path(target), progress)

    def _run(self, path: Path, target: Path, progress: Progress | None) -> FilmResult:
        started = time.perf_counter()
        job = self.look_at(path, target)
        work = WorkFolder(checks.work_target(target, self.options), self.plan(job))
        try:
            resumed = sum(record.frames for record in work.records)
            if work.restarted:
                job.notes.append("begun anew: the film or the options have changed since an earlier run")
            return self._color(job, work, resumed, started, progress)
        finally:
            work.release()

    def look_at(self, path: Path, target: Path) -> Job:
        """Look at a film and at what is asked for; raise what calling this would raise before the first frame."""
        checks.check_paths(path, target, self.options)
        job = look_at(path, target, self.options, self._colorizer, self.limits)
        if self._restorer and job.info.transfer.is_hdr:
            job.notes.append("tone and noise networks left alone: they know ordinary pictures, and this is HDR")
        return job

    def color_stretch(self, job: Job, work: WorkFolder, progress: Callable[[int], None]) -> None:
        """Colour what a work folder has not of its stretch of a film, and join nothing."""
        with one_thread_each():
            color_segments(self._film(job, work), Reading(), progress)

    def _color(self, job: Job, work: WorkFolder, resumed: int, started: float, progress: Progress | None) -> FilmResult:
        film, base = self._film(job, work), job.info.time_base
        if work.records:
            for files in (job.given, job.told.hints):
                files.met_before(resumed, float(work.records[-1].last_pts * base))
        reading, expected = Reading(), checks.expected_frames(job.info, job.span)
        try:
            fidelity = color_segments(film, reading, lambda done: progress(done, expected) if progress else None)
        except KeyboardInterrupt:
            self._leave_unfinished(job, work)
            raise
        frames = sum(record.frames for record in work.records)
        checks.check_frames(frames, job.info)
        notes = [*job.notes, *checks.reading_notes(job.source, reading, frames, expected), *self._luma_note(fidelity)]
        notes += film.findings.notes
        unmet = job.cuts.unmet(frames, *(float(pts * base) for pts in work.span_pts))
        notes += [f"no frame was met for {name}" for name in [*unmet, *(path.name for path in film.given.left)]]
        notes += film.told.notes
        master = None
        if self.options.codec == "frames":
            # The folder was empty, or of this program's making, or may be overwritten: `check_paths` has seen to that.
            if removed := remove_beyond(job.target, frames):
                notes.append(f"begun anew: {removed} pictures of an earlier film removed")
        else:
            # What goes on after a kill finds nothing of its own in place: both are moved there at the very end.
            if self.options.keep_masters:
                master = checks.master_name(job.target)
                kept, _ = self._joined(job, work, master, master_suffix(self.options))
            joined, more = self._joined(job, work, job.target, segment_suffix(self.options))
            notes += more
            if master:
                _put(kept, master)
            _put(joined, job.target)
        cuts = tuple(number for record in work.records for number in record.cuts)
        keys = sum(record.keys for record in work.records)
        if work.left_unfinished:
            checks.unfinished_name(job.target).unlink(missing_ok=True)
        work.remove()
        return FilmResult(
            path=job.target,
            frames=frames,
            cuts=cuts,
            key_frames=keys,
            resumed=resumed,
            luma_psnr_db=min(fidelity) if fidelity else None,
            notes=tuple(notes),
            seconds=time.perf_counter() - started,
            master=master,
        )

    def _leave_unfinished(self, job: Job, work: WorkFolder) -> None:
        """Join what is finished, to look at; never over something that is not ours."""
        target = checks.unfinished_name(job.target)
        if not work.records or self.options.codec == "frames" or (target.exists() and not work.left_unfinished):
            return
        joined, _ = self._joined(job, work, target, segment_suffix(self.options))
        _put(joined, target)
        work.left_unfinished = True

    def _film(self, job: Job, work: WorkFolder) -> Film:
        info, options = job.info, self.options
        matrix = Matrix.of_tag(BT601 if options.codec == "frames" else info.matrix)
        shown = checks.shown_size(info)
        colorizer = self._colorizer
        codes, transfer = info.layout.codes, Transfer() if options.codec == "frames" else info.transfer
        painter = Painter(matrix, codes, job.layout, transfer)
        seen = painter.shown_matrix, codes, shown, info.quarter_turns, transfer
        viewer = Viewer.of(colorizer.engine, colorizer.options, *seen)

        def new_writer() -> Writer:
            if options.codec == "frames":
                return PictureSegment(job.target, painter, self._provenance)
            return EncodedSegment(work, options, info, painter, job.source.fields_kept)

        findings = Findings.of(work.records[-1].restored if work.records else ())
        known = job.cuts, job.given, job.told
        stages = Stages(self._restorer, codes) if self._restorer and not info.transfer.is_hdr else None
        return Film(job.source, job.span, viewer, painter, options, *known, new_writer, work, findings, stages)

    def _joined(self, job: Job, work: WorkFolder, target: Path, suffix: str) -> tuple[Path, tuple[str, ...]]:
        """Join the finished segments into a file of the work folder that becomes ``target``; return it, and notes."""
        pieces = [Piece(work.segment(n, suffix), record.first_pts) for n, record in enumerate(work.records)]
        container = container_of(target)
        provenance = self._provenance
        tags = metadata_tags(provenance, container)
        joint = Joint(
            pieces=pieces,
            info=job.info,
            original=job.original,
            container=container,
            color_range=color_range(job.layout, job.info),
            fields=job.source.fields_kept,
            span=job.span,
            without=self.options.without,
            tags=tags,
        )
        joined = work.path / f"{'master' if target == checks.master_name(job.target) else 'joined'}{target.suffix}"
        try:
            notes = join(joint, joined)
            stamped(joined, provenance, container)
        except OSError as error:
            raise disk_error(error, target) from error
        return joined, notes

    @property
    def _provenance(self) -> Provenance:
        """What results say of their making; of restoring only what shapes it."""
        made, options = self._colorizer.provenance, self.options
        if not options.restore:
            return made
        restored: dict[str, object] = {name: getattr(options, name) for name in RESTORING}
        if self._restorer:
            whose = self._restorer.provenance
            restored |= {"models": whose.model, "models_sha256": whose.model_sha256}
        return replace(made, settings={**made.settings, "restore": restored})

    def plan(self, job: Job) -> dict[str, object]:
        """Return what shapes the result, for a later run to tell whether it may go on."""
        files = {str(path): checks.fingerprint(path) for path in self.options.files_read}
        return {"film": checks.fingerprint(job.info.path), "target": job.target.name, "files": files, **self.settings}

    @property
    def settings(self) -> dict[str, object]:
        """What shapes the results of all films."""
        provenance = self._provenance
        return {
            "options": self.options.model_dump(mode="json", exclude={"overwrite", "recolor"}),
            "model": [provenance.model, provenance.model_sha256, provenance.version],
            "color": json.loads(json.dumps(provenance.settings, default=str)),
            "encoder": encoder_settings(self.options) if self.options.codec != "frames" else {},
            "libraries": checks.library_versions(),
        }

    def _luma_note(self, fidelity: list[float]) -> list[str]:
        if self.options.codec == "frames" or not fidelity:
            return []
        worst = min(fidelity)
        if worst == float("inf"):
            whose = "the restored film's" if self.options.restore else "the film's"
            return [f"luma: every sample is {whose} (looked at in each segment)"]
        assert not is_lossless(self.options), "a lossless codec changed the luma"
        changed = f"changed a little by {self.options.codec} ({worst:.1f} dB)"
        return [f"luma: {changed}; --codec ffv1 or --crf 0 keeps every sample"]

    def with_options(self, options: FilmOptions) -> FilmColorizer:
        """Return a colorizer with other film options and the same model, which stays this one's to close."""
        colorizer = self._colorizer
        return FilmColorizer(
            options=options,
            color=colorizer.options,
            engine=colorizer.engine,
            limits=self.limits,
            restorer=self._restorer,
        )

    def close(self) -> None:
        """Release the model's memory."""
        self._colorizer.close()
        if self._restorer and self._owns_restorer:
            self._restorer.close()


def _put(joined: Path, target: Path) -> None:
    """Move a joined film to its place."""
    try:
        put_in_place(joined, target)
    except OSError as error:
        raise disk_error(error, target) from error


def require_film_extra() -> None:
    """Return if what reads and follows film is installed; raise MissingExtraError where it is not."""
    import importlib.util

    for module in ("av", "cv2"):
        if importlib.util.find_spec(module) is None:
            raise MissingExtraError(
                f"film needs {module}, which is not installed", next_step="Run: pip install 'photochrom[film]'"
            )


def colorize_film(
    film: str | os.PathLike[str],
    target: str | os.PathLike[str],
    *,
    options: FilmOptions | None = None,
    color: ColorizeOptions | None = None,
    progress: Progress | None = None,
) -> FilmResult:
    """Colour one film: a file, or a folder of its frames, into a file, or (``codec="frames"``) into a folder.

    Loads the model each time: for several films use a `FilmColorizer`, which says what is raised.
    """
    with FilmColorizer(options=options, color=color) as colorizer:
        return colorizer(film, target, progress)
