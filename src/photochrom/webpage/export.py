"""Write the page into a folder: whole, or as it was before, and never over what somebody else put there."""

from __future__ import annotations

import contextlib
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from photochrom.engines.hub import find_model
from photochrom.engines.onnx import OnnxEngine
from photochrom.errors import OptionError, OutputError
from photochrom.files.codecs.atomic import output_error, write_whole
from photochrom.options import DEFAULT_MODEL, EngineOptions
from photochrom.version import VERSION
from photochrom.webpage.bundle import bundle_page
from photochrom.webpage.runtime import BrowserRuntime

MANIFEST = "photochrom-page.json"
FORMAT = "photochrom-page/1"


@dataclass(frozen=True, slots=True)
class ExportedPage:
    """A page that was written.

    Attributes:
        folder: where.
        files: how many.
        bytes: of all of them together.
        model: name of the model.
        sha256: hash of its file.
    """

    folder: Path
    files: int
    bytes: int
    model: str
    sha256: str


def export_page(
    folder: Path, runtime: BrowserRuntime, *, model: str = DEFAULT_MODEL, overwrite: bool = False
) -> ExportedPage:
    """Write a page that colours photographs in the browser; any web host can serve it, under any path.

    A page that was exported there before is brought up to date: new files first, then those that name them, then old
    ones are removed, so that visitors find a whole page at any time. Files that are not the page's stay.

    Args:
        folder: made if need be.
        runtime: see ``runtime.read_runtime``.
        model: a colour model with a distribution over colours, by name or file; its hash goes into the page.
        overwrite: replace files that are there and are not, or no longer, as they were exported.

    Raises:
        OptionError: the model is of another kind.
        ModelError: it is not here, or damaged.
        OutputError: the folder cannot be written, or a file in it is not ours to replace.
    """
    file = find_model(model)
    engine = OnnxEngine(file.path, expected_sha256=file.sha256, options=EngineOptions(threads=1))
    spec = engine.spec
    engine.close()
    if not spec.bins_ab or spec.single_view:
        raise OptionError(f"the page cannot run the model {spec.name}", where="model", next_step="Leave --model out.")
    files = bundle_page(file.path.read_bytes(), spec, runtime)
    written = {path: hashlib.sha256(content).hexdigest() for path, content in files.items()}
    before = _exported_before(folder)
    if not overwrite:
        _refuse_foreign(folder, written, before)
    _write(folder, {path: content for path, content in files.items() if _hash_of(folder / path) != written[path]})
    manifest = {"format": FORMAT, "version": VERSION, "model": spec.name, "model_sha256": spec.sha256, "files": written}
    write_whole(folder / MANIFEST, (json.dumps(manifest, indent=1) + "\n").encode())
    _remove(folder, [path for path in before if path not in written], before)
    return ExportedPage(folder, len(files), sum(map(len, files.values())), spec.name, spec.sha256)


def _exported_before(folder: Path) -> dict[str, str]:
    """Return the files, with their hashes, that an earlier export wrote there; none if it cannot be told."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        if manifest["format"] != FORMAT:
            return {}
        files = {str(path): str(sha256) for path, sha256 in manifest["files"].items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return {}
    return {path: sha256 for path, sha256 in files.items() if _is_inside(path)}


def _is_inside(path: str) -> bool:
    parts = PurePosixPath(path).parts
    return bool(parts) and ".." not in parts and not PurePosixPath(path).is_absolute() and "\\" not in path


def _refuse_foreign(folder: Path, written: dict[str, str], before: dict[str, str]) -> None:
    """Raise OutputError for a file that would be replaced although it is not as the export left it."""
    for path, sha256 in written.items():
        found = _hash_of(folder / path)
        if found not in (None, sha256, before.get(path)):
            known = path in before
            raise OutputError(
                "was changed since it was exported" if known else "is there already, and is not an exported page's",
                where=str(folder / path),
                next_step="Choose another folder, or use --overwrite",
            )


def _hash_of(path: Path) -> str | None:
    """Return the hash of a file's bytes, None where there is none, "" for what is no file."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except FileNotFoundError:
        return None
    except OSError:
        return ""


def _write(folder: Path, files: dict[str, bytes]) -> None:
    for path, content in files.items():
        target = folder / path
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise output_error(error, folder) from None
        write_whole(target, content)


def _remove(folder: Path, paths: list[str], hashes: dict[str, str]) -> None:
    """Remove what only the earlier page needed; what was changed since, or cannot be removed, stays."""
    for path in paths:
        target = folder / path
        if _hash_of(target) == hashes[path]:
            with contextlib.suppress(OSError):
                target.unlink()
            with contextlib.suppress(OSError):  # not empty yet, or holding something else
                target.parent.rmdir()
