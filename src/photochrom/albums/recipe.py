"""Recipes: a small JSON file beside a result that says how to make exactly that file again.

The same photograph, model and settings give the same bytes on the same versions of the software. A recipe names all
of them by hash, so that a difference is noticed and not guessed at.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import NoneType
from typing import TYPE_CHECKING, Any, Self

from photochrom.albums.album import fitted_name
from photochrom.albums.manifest import file_sha256
from photochrom.albums.outputs import refuse_contradiction
from photochrom.errors import OptionError, OutputError, PhotochromError, PhotoNotFoundError, UnreadablePhotoError
from photochrom.files.codecs.atomic import Aside
from photochrom.files.codecs.source import PhotoSource, open_source
from photochrom.files.originals import Originals
from photochrom.files.provenance import COLORIZE, RESTORE, Provenance
from photochrom.files.reading import read_pages_for
from photochrom.files.writing import format_of_path, write_photo
from photochrom.options import Limits, OutputOptions, ReadingOptions

if TYPE_CHECKING:
    from collections.abc import Callable

    from photochrom.albums.finished import MakeOne

RECIPE_SUFFIX = ".recipe.json"
RECIPE_VERSION = 1
LARGEST_RECIPE_BYTES = 8_000_000  # a painted hint may be a megabyte
LONGEST_TEXT = 4_096


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one result was made.

    Attributes:
        source: path of the photograph, relative to the recipe.
        source_sha256: its hash.
        target: name of the result, beside the recipe.
        target_sha256: its hash.
        model: name of the model.
        model_sha256: hash of its file.
        version: photochrom's version.
        settings: the options of colouring or restoring.
        writing: the options of writing.
        reading: the options of reading, where they are not the usual ones.
        hints: the colours that a person gave, each as in a file of hints.
        task: "colorize" or "restore".
        recipe: version of this layout.
    """

    source: str
    source_sha256: str
    target: str
    target_sha256: str
    model: str
    model_sha256: str
    version: str
    settings: dict[str, Any] = field(default_factory=dict)
    writing: dict[str, Any] = field(default_factory=dict)
    reading: dict[str, Any] = field(default_factory=dict)
    hints: list[dict[str, Any]] = field(default_factory=list)
    task: str = COLORIZE
    recipe: int = RECIPE_VERSION

    @classmethod
    def of(
        cls,
        source: Path,
        source_sha256: str,
        target: Path,
        target_sha256: str,
        made: Provenance,
        writing: OutputOptions,
        reading: ReadingOptions | None = None,
    ) -> Self:
        """Return the recipe of a result."""
        return cls(
            source=_relative(source, target.parent),
            source_sha256=source_sha256,
            target=target.name,
            target_sha256=target_sha256,
            model=made.model,
            model_sha256=made.model_sha256,
            version=made.version,
            settings=dict(made.settings),
            task=made.task,
            reading=reading.model_dump(exclude_defaults=True) if reading else {},
            writing=writing.model_dump(exclude={"overwrite", "certificate", "private_key"}),
        )

    @property
    def provenance(self) -> Provenance:
        """Return what the result says about its making."""
        return Provenance(self.model, self.model_sha256, self.version, self.settings, self.task)

    def as_json(self) -> bytes:
        """Return the file's bytes."""
        return (json.dumps(asdict(self), indent=2, sort_keys=True) + "\n").encode()


@dataclass(frozen=True, slots=True)
class Redone:
    """A result made again.

    Attributes:
        path: where it was written.
        identical: whether it is byte for byte the file the recipe was written with.
        notes: what was decided, and what may explain a difference.
    """

    path: Path
    identical: bool
    notes: tuple[str, ...]


def recipe_path(target: Path) -> Path:
    """Return where the recipe of a result lies."""
    return target.with_name(fitted_name(target.name, RECIPE_SUFFIX))


def read_recipe(path: Path) -> Recipe:
    """Return a recipe from its file.

    Raises:
        PhotoNotFoundError: there is no such file.
        OptionError: it is not a recipe, or of a later layout.
    """
    try:
        with open_source(path, LARGEST_RECIPE_BYTES) as file:
            values = json.loads(file.read_all())
        if not isinstance(values, dict) or values.get("recipe") != RECIPE_VERSION:
            raise ValueError(f"of another layout than {RECIPE_VERSION}")
        return _checked(Recipe(**values))
    except FileNotFoundError as error:
        raise PhotoNotFoundError("there is no such recipe", where=str(path), next_step="Check the path") from error
    except (OSError, ValueError, TypeError, RecursionError) as error:
        reason = error.what if isinstance(error, PhotochromError) else error
        raise OptionError(
            f"this is not a recipe ({reason})", where=str(path), next_step="Give a file that ends in .recipe.json"
        ) from error


def _checked(recipe: Recipe) -> Recipe:
    """Return the recipe; raise ValueError or TypeError for a value of another kind than Recipe.of writes."""
    for name, kind in {"settings": dict, "writing": dict, "reading": dict, "hints": list, "recipe": int}.items():
        if type(getattr(recipe, name)) is not kind:
            raise ValueError(f"{name} is of another kind")
    for name in ("source", "source_sha256", "target", "target_sha256", "model", "model_sha256", "version", "task"):
        value = getattr(recipe, name)
        if not isinstance(value, str) or "\0" in value or len(value) > LONGEST_TEXT:
            raise ValueError(f"{name} is no text")
        os.fsencode(value)
    if recipe.task not in (COLORIZE, RESTORE):
        raise ValueError(f"of an unknown task, {recipe.task[:20]!r}")
    if not Path(recipe.target).name.strip("."):
        raise ValueError("target is no name")
    if not isinstance(recipe.settings.get("restore", {}), dict | NoneType):
        raise TypeError("settings of restoring are of another kind")
    return recipe


def redo(
    path: Path,
    make_one_for: Callable[[Recipe], MakeOne],
    *,
    output: Path | None = None,
    source: Path | None = None,
    limits: Limits | None = None,
) -> Redone:
    """Make a result again from its recipe.

    Args:
        path: the recipe.
        make_one_for: returns the colouring callable for the recipe's model and settings; it checks the model's hash.
        output: where to write; the recipe's own result where left out. A file that is there already is only replaced
            if it is the recipe's result or identical to what was made again.
        source: the photograph, where it is no longer where the recipe says.
        limits: what the photograph may cost.

    Raises:
        UnreadablePhotoError: the photograph is not the one the recipe was written for.
        PhotochromError: as in reading, colouring and writing.
    """
    recipe, limits = read_recipe(path), limits or Limits()
    target = output or path.with_name(Path(recipe.target).name)
    reading = ReadingOptions.checked(**recipe.reading)
    writing, format = OutputOptions.checked(**recipe.writing), format_of_path(target)
    if output and writing.format:
        refuse_contradiction(output, writing.format)
    given = source or path.parent / recipe.source
    Originals.of([given, path]).refuse(target)
    with open_source(given, limits.max_file_bytes) as original:
        _check_source(original, recipe)
        make_one = make_one_for(recipe)
        colored = [make_one(page) for page in read_pages_for(original, format, limits=limits, reading=reading)]
    with Aside(target) as aside:
        lost = write_photo(
            [page.photo for page in colored],
            aside.handle,
            writing.format or format,
            options=writing,
            provenance=recipe.provenance.of_pages(page.source_type for page in colored),
        )
        made_sha256 = aside.measured()[0]
        identical = made_sha256 == recipe.target_sha256
        notes = [*(note for page in colored for note in page.notes), *lost]
        if not identical:
            notes.append("not identical: another version of photochrom or of its libraries made the first one")
            if output is None and target.exists():
                raise OptionError(
                    "the result made again differs from the recipe's",
                    where=str(target),
                    next_step="Give --output to keep both",
                )
        Originals.of([given, path]).refuse(target)
        if os.path.lexists(target) and file_sha256(target) not in {made_sha256, recipe.target_sha256}:
            raise OutputError("exists already", where=str(target), next_step="Choose another --output")
        aside.put_in_place()
    return Redone(target, identical, tuple(dict.fromkeys(notes)))


def _check_source(original: PhotoSource, recipe: Recipe) -> None:
    if original.sha256() != recipe.source_sha256:
        raise UnreadablePhotoError(
            "this is not the photograph that the recipe was written for",
            where=original.name,
            next_step="Give the original with --source",
        )


def _relative(source: Path, folder: Path) -> str:
    try:
        return Path(os.path.relpath(source, folder)).as_posix()
    except ValueError:  # another drive
        return source.absolute().as_posix()
