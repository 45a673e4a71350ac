"""Results: how a finished photograph, and what belongs beside it, get to disk whole or not at all.

Each is written aside, promised in the manifest with its hash, and put in place by a rename; companions before the
result, so that where that is, they are.
"""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from photochrom.albums.album import Job, fitted_name
from photochrom.albums.claims import is_companion_of, is_earlier_result
from photochrom.albums.entries import Entry
from photochrom.albums.manifest import COMPANION_SEPARATOR, Manifest, file_sha256
from photochrom.albums.recipe import Recipe, read_recipe, recipe_path
from photochrom.albums.replacing import refuse_photograph
from photochrom.coloring.reference import Matched
from photochrom.computer.hashes import sha256_of_values
from photochrom.computer.names import reachable
from photochrom.errors import OptionError, OutputError, PhotochromError
from photochrom.files.codecs.atomic import Aside, output_error, write_whole
from photochrom.files.codecs.formats import photo_format, usual_suffix
from photochrom.files.codecs.signatures import HEAD_BYTES
from photochrom.files.codecs.source import open_source
from photochrom.files.companions import Companion
from photochrom.files.credentials import Credentials, signed
from photochrom.files.originals import Originals
from photochrom.files.photo import Photo
from photochrom.files.provenance import Provenance
from photochrom.files.reading import takes_all_pages
from photochrom.files.writing import format_of_path, write_photo
from photochrom.hints.sheet import HINTS_SUFFIX, HintSheet, read_hints
from photochrom.options import Limits, OutputOptions, ReadingOptions

NOT_SHAPING = {"overwrite", "certificate", "private_key"}
"""Options of writing that do not change a result's picture; a signer is told by the certificate itself."""


@dataclass(frozen=True, slots=True)
class BatchSettings:
    """What is the same for all photographs of a run.

    Attributes:
        provenance: written into each result, and part of what decides whether a result is up to date.
        writing: how results are written.
        limits: what one photograph may cost.
        reading: how photographs are read.
        keep_recipe: whether each result gets a recipe beside it.
        keep_hints: whether each result that was made with hints gets them beside it.
        keep_mask: whether each restored result gets beside it what was filled.
        mask_out: whether what is filled of the run's one photograph goes to a file that was named.
        hints_sha256: hash of the file of hints, of one photograph.
        sheet: these hints, once the photograph is read, with those that references give.
        references_sha256: hash of the reference photographs, of all results.
        match: finds what references say of a photograph.
        told: what was decided about hints.
    """

    provenance: Provenance
    writing: OutputOptions = field(default_factory=OutputOptions)
    limits: Limits = field(default_factory=Limits)
    reading: ReadingOptions = field(default_factory=ReadingOptions)
    keep_recipe: bool = False
    keep_hints: bool = False
    keep_mask: bool = False
    mask_out: bool = False
    hints_sha256: str = ""
    sheet: HintSheet | None = None
    references_sha256: str = ""
    match: Callable[[Photo], Matched] | None = field(default=None, repr=False, compare=False)
    told: tuple[str, ...] = ()
    credentials: Credentials | None = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Read the credentials that ``writing`` names.

        Raises:
            OptionError: they cannot be read, or a recipe is wanted as well.
        """
        object.__setattr__(self, "credentials", Credentials.of(self.writing))
        if self.credentials and self.keep_recipe:
            raise OptionError(
                "a signed result is never the same bytes twice, so it can have no recipe",
                where="recipe",
                next_step="Leave out --recipe or --certificate",
            )

    @property
    def sha256(self) -> str:
        """Return a hash of everything that shapes a result."""
        shaping = self.writing.model_dump(exclude=NOT_SHAPING)
        signer = hashlib.sha256(self.credentials.certificate).hexdigest() if self.credentials else ""
        told = [asdict(self.provenance), shaping, self.keep_recipe, signer]
        if self.reading != ReadingOptions():  # albums of before there was a choice stay up to date
            told.append(self.reading.model_dump())
        if self.hints_sha256:
            told += [self.hints_sha256, self.keep_hints]
        if self.keep_mask:  # likewise
            told.append({"keep_mask": True})
        return sha256_of_values(told)

    @property
    def run_sha256(self) -> str:
        """Return the hash without what is one photograph's own: the same for all of a run."""
        return replace(self, hints_sha256=self.references_sha256).sha256

    @property
    def made(self) -> Provenance:
        """What a result says of its making, hints included."""
        return self.provenance.with_hints(self.sheet.summary) if self.sheet else self.provenance

    def for_job(self, job: Job) -> BatchSettings:
        """Return the settings of one photograph: its hints are a part of what shapes its result."""
        parts = [file_sha256(job.hints) if job.hints else "", self.references_sha256]
        return replace(self, hints_sha256=hashlib.sha256("".join(parts).encode()).hexdigest()) if any(parts) else self

    def refuse_pages(self, job: Job, page: Photo) -> None:
        """Raise OptionError where what is one picture's, hints or a mask, would be that of several pages.

        ``page`` is the first of those that are read.
        """
        if page.page_count < 2 or not takes_all_pages(format_of_path(job.target), self.reading):
            return
        if job.hints or self.match:
            what = "has several pages, and hints are for one picture"
        elif self.mask_out or self._is_given_a_mask:
            what = "has several pages, and a mask is for one picture"
        else:
            return
        raise OptionError(what, where=str(job.source), next_step="Say which with --page")

    @property
    def _is_given_a_mask(self) -> bool:
        settings = self.provenance.settings
        restoring = settings.get("restore")
        return "mask_sha256" in (restoring if isinstance(restoring, dict) else settings)

    def with_sheet(self, job: Job, photo: Photo) -> BatchSettings:
        """Return the settings with the photograph's hints read.

        Raises:
            PhotochromError: they cannot be read, or are another photograph's.
        """
        if job.hints is None and self.match is None:
            return self
        given = read_hints(job.hints, photo, limits=self.limits).hints if job.hints else ()
        matched = self.match(photo) if self.match else None
        hints = [*(matched.hints if matched else ()), *given]  # what a person says counts, whatever is matched
        sheet = HintSheet.for_photo(photo, hints) if hints else None
        return replace(self, sheet=sheet, told=(matched.note,) if matched else ())


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the results of a run must not disturb.

    Attributes:
        manifest: which files in the output folder are ours.
        targets: the places of the run's results.
        originals: the run's photographs, and whatever else it reads.
    """

    manifest: Manifest | None = None
    targets: frozenset[Path] = frozenset()
    originals: Originals = field(default_factory=Originals)


def refuse_existing(job: Job, source_sha256: str, settings: BatchSettings, around: Surroundings) -> None:
    """Raise OutputError where writing the result or its recipe would cost a file that is not ours to replace."""
    around.originals.refuse(job.target)
    if settings.keep_recipe:
        _refuse_other_than(read_recipe, "recipe", recipe_path(job.target), settings, around)
    if settings.keep_hints and settings.hints_sha256:
        _refuse_other_than(read_hints, "file of hints", kept_hints_path(job.target), settings, around)
    if not os.path.lexists(reachable(job.target)):
        return
    if settings.writing.overwrite:
        refuse_photograph(job, around.manifest)
    elif not (around.manifest and is_earlier_result(job, settings.provenance.task, source_sha256, around.manifest)):
        raise OutputError("exists already", where=str(job.target), next_step="Use --overwrite to replace it")


def kept_hints_path(target: Path) -> Path:
    """Return where the hints that a result was made with are kept."""
    return target.with_name(fitted_name(target.name, HINTS_SUFFIX))


def _refuse_other_than(
    read: Callable[[Path], object], kind: str, path: Path, settings: BatchSettings, around: Surroundings
) -> None:
    around.originals.refuse(path)
    if not os.path.lexists(path) or settings.writing.overwrite:
        return
    try:
        read(path)
    except PhotochromError as error:
        what = f"exists already, and is no {kind}"
        raise OutputError(what, where=str(path), next_step="Use --overwrite to replace it") from error


def begun(target: Path) -> Aside:
    """Return a result's file, begun aside, in a folder made where there was none."""
    try:
        Path(reachable(target.parent)).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise output_error(error, target.parent) from error
    return Aside(target)


def write_result(aside: Aside, job: Job, pages: list[Photo], settings: BatchSettings) -> tuple[str, ...]:
    """Encode the pages of one result, signed if there are credentials, and return notes of what its format lost.

    Raises:
        OutputError: the format cannot hold it, or the disk.
    """
    format = settings.writing.format or format_of_path(job.target)
    writing, made = settings.writing, settings.made
    if not settings.credentials:
        return write_photo(pages, aside.handle, format, options=writing, provenance=made)
    buffer = io.BytesIO()
    lost = write_photo(pages, buffer, format, options=writing, provenance=made)
    aside.handle.write(_signed(buffer.getvalue(), job, settings, settings.credentials))
    return lost


def _signed(data: bytes | bytearray, job: Job, settings: BatchSettings, credentials: Credentials) -> bytes:
    format = settings.writing.format or format_of_path(job.target)
    with open_source(job.source, settings.limits.max_file_bytes) as source:
        content = source.read_all()
    kind = photo_format(content[:HEAD_BYTES], job.source.name) or ""
    return signed(data, format, settings.made, credentials, original=(content, kind, job.source.name))


def _by_mark(pages: Sequence[Sequence[Companion]]) -> dict[str, list[Companion]]:
    """Return the companions of all pages of a photograph, by mark."""
    found: dict[str, list[Companion]] = {}
    for companion in (companion for page in pages for companion in page):
        found.setdefault(companion.mark, []).append(companion)
    return found


def store_companions(
    job: Job,
    pages: Sequence[Sequence[Companion]],
    source_sha256: str,
    settings: BatchSettings,
    around: Surroundings,
) -> None:
    """Write what belongs beside a result, before the result: where that is whole, these are."""
    stored = set[Path]()
    for mark, pictures in _by_mark(pages).items():
        first, writing, suffix = pictures[0], settings.writing, job.target.suffix
        if first.format and len(pictures) == 1:  # several pages need the result's own format
            writing, suffix = writing.model_copy(update={"format": first.format}), usual_suffix(first.format)
        target = job.target.with_name(fitted_name(job.stem or job.target.stem, mark + suffix))
        if target in around.targets:
            raise OutputError(
                "is another photograph's result", where=str(target), next_step="Write it into a folder of its own"
            )
        beside = Job(job.source, target, f"{job.key}{COMPANION_SEPARATOR}{mark}", album=job.album)
        made = replace(settings.provenance, settings={**settings.provenance.settings, **first.settings})
        repeatable = settings.keep_recipe and bool(first.settings)  # a recipe makes pictures in colour
        if not first.settings:  # what is signed is a picture in colour, too
            writing = writing.model_copy(update={"certificate": None, "private_key": None})
        written = replace(settings, provenance=made, writing=writing, keep_recipe=repeatable)
        refuse_existing(beside, source_sha256, written, around)
        with begun(target) as aside:
            write_result(aside, beside, [picture.photo for picture in pictures], written)
            store(aside, beside, source_sha256, written, around)
        stored.add(target)
    if around.manifest:
        task = settings.provenance.task
        outdated = [
            path
            for name in around.manifest.companions_of(job.key)
            if (path := around.manifest.path_of(name)) not in stored | around.targets
            and is_companion_of(name, job, task, source_sha256, around.manifest)
        ]
        _remove_outdated(outdated, around.originals)


def _remove_outdated(paths: Sequence[Path], originals: Originals) -> None:
    """Remove the companions of an earlier result that the new one has not, with their recipes."""
    for path in paths:
        recipe = recipe_path(path)
        try:
            originals.refuse(path)
            if recipe.exists() and read_recipe(recipe).target_sha256 == file_sha256(path):
                recipe.unlink()
            path.unlink()
        except (OSError, PhotochromError):
            continue  # it is in nobody's way


def store(aside: Aside, job: Job, source_sha256: str, settings: BatchSettings, around: Surroundings) -> None:
    """Promise a written result in the manifest, and put it in place, if that is still nobody else's."""
    target_sha256, size = aside.measured()
    refuse_existing(job, source_sha256, settings, around)
    if around.manifest:
        name = around.manifest.name_of(job.target)
        made_by = {"version": settings.provenance.version, "run_sha256": settings.run_sha256}
        of = {"album": around.manifest.place_of(job.album) if job.album else "", "task": settings.provenance.task}
        entry = Entry(job.key, source_sha256, settings.sha256, name, target_sha256, size, **made_by, **of)
        around.manifest.promise(entry)
    if settings.keep_recipe:
        made, writing = settings.made, settings.writing
        recipe = Recipe.of(job.source, source_sha256, job.target, target_sha256, made, writing, settings.reading)
        told = [hint.as_json() for hint in settings.sheet.hints] if settings.sheet else []
        write_whole(recipe_path(job.target), replace(recipe, hints=told).as_json())
    if settings.keep_hints and settings.sheet:
        write_whole(kept_hints_path(job.target), settings.sheet.as_json())
    aside.put_in_place()
