"""One plain layout for models that others publish: a folder that is a Hugging Face repository, too.

    NAME/README.md      the card: front matter that the Hugging Face Hub reads, then prose
    NAME/card.json      the card as data, :class:`photochrom.engines.catalog.ModelCard`
    NAME/NAME.onnx      the model, and NAME.weights where it has its weights beside it
    NAME/SHA256SUMS     the hash of each file, as `sha256sum -c` reads it
    NAME/LICENSE        where one is given
    index.json          which models there are, with sizes and hashes; a signature may lie beside it

A museum puts the folder on any web server; nothing of it is ours but the names.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from photochrom.computer.hashes import sha256_of
from photochrom.engines.catalog import ModelCard
from photochrom.engines.weights_file import WEIGHTS_SUFFIX
from photochrom.errors import ModelFileError, OptionError
from photochrom.files.codecs.atomic import write_whole
from photochrom.importer.installation import checked_name

INDEX_FILE, CARD_FILE, TEXT_FILE, SUMS_FILE, LICENCE_FILE = (
    "index.json",
    "card.json",
    "README.md",
    "SHA256SUMS",
    "LICENSE",
)
INDEX_VERSION = 1
FRONT_MATTER = """---
license: {licence}
library_name: photochrom
tags:
- {kind}
- onnx
- photo-restoration
---
"""


@dataclass(frozen=True, slots=True)
class Pushed:
    """What was written: the folder, and the index that names it."""

    folder: Path
    index: Path


def push_model(
    model: Path, card: ModelCard, place: Path, *, text: str = "", licence: Path | None = None, overwrite: bool = False
) -> Pushed:
    """Write a model as a folder of the layout, and into the index of the place.

    Args:
        model: the .onnx file; its weights may lie beside it, in a file of the same name that ends in .weights.
        card: what is known of it; its file and hash are filled in.
        place: where models are published from; made if need be.
        text: the card in prose, Markdown; left out, the summary.
        licence: the licence's text.
        overwrite: replace a model of that name.

    Raises:
        OptionError: a model of that name is there, or its name or a file's is none that an index can hold.
        ModelFileError: the place's index is none.
        OutputError, OSError: it cannot be written.
    """
    folder, index_path = place / checked_name(card.name), place / INDEX_FILE
    if card.name.startswith(INDEX_FILE):
        raise OptionError("is the name of the index", where=card.name, next_step="Choose another --name")
    beside = [path for path in (model, model.with_suffix(WEIGHTS_SUFFIX)) if path.is_file()]
    sha256 = {path.suffix: sha256_of(path) for path in beside}
    card = card.model_copy(
        update={
            "file": model.name,
            "sha256": sha256.get(model.suffix, ""),
            "weights_sha256": sha256.get(WEIGHTS_SUFFIX, ""),
            "embedded": False,
        }
    )
    data = {key: value for key, value in card.model_dump().items() if key != "embedded"}
    entry = _checked_entry(card.name, data, beside)
    terms = licence.read_bytes() if licence else None
    entries = read_index(index_path.read_bytes(), str(index_path)) if index_path.exists() else {}
    if folder.exists() and not overwrite:
        raise OptionError("a model of that name is there", where=str(folder), next_step="Use --overwrite, or --name")
    folder.mkdir(parents=True, exist_ok=True)
    for path in beside:
        shutil.copyfile(path, folder / path.name)
    write_whole(folder / CARD_FILE, _json(data))
    front = FRONT_MATTER.format(licence=card.licence.lower(), kind=card.kind)
    write_whole(folder / TEXT_FILE, (front + (text or f"\n# {card.name}\n\n{card.summary}\n")).encode())
    if terms is not None:
        write_whole(folder / LICENCE_FILE, terms)
    named = sorted(path for path in folder.iterdir() if path.name != SUMS_FILE and path.is_file())
    write_whole(folder / SUMS_FILE, "".join(f"{sha256_of(path)}  {path.name}\n" for path in named).encode())
    entries[card.name] = entry
    write_whole(index_path, _json({"photochrom_index": INDEX_VERSION, "models": entries}))
    return Pushed(folder, index_path)


def _checked_entry(name: str, card: dict[str, Any], files: list[Path]) -> dict[str, Any]:
    """Return a model's entry; one that nobody would believe would make the whole index unreadable."""
    named = [{"file": path.name, "bytes": path.stat().st_size, "sha256": sha256_of(path)} for path in files]
    entry = {"card": card, "files": named, "at": f"{name}/"}
    try:
        _check_entry(name, entry)
    except ValueError as error:
        raise unpublishable(files) from error
    return entry


def unpublishable(files: list[Path]) -> OptionError:
    """Return the error to raise for a model's files of which an index cannot hold one."""
    return OptionError(
        "an index cannot hold a file of that name, or an empty one",
        where=", ".join(path.name for path in files),
        next_step="Name them by letters of English, digits, dots, dashes and underscores",
    )


def read_index(data: bytes, where: str) -> dict[str, Any]:
    """Return the entries of an index by name, each checked as far as it will be believed.

    Raises:
        ModelFileError: it is none, or of a later version.
    """
    try:
        values = json.loads(data)
        version, models = values["photochrom_index"], values["models"]
        if version == INDEX_VERSION:
            for name, entry in models.items():
                _check_entry(name, entry)
            return dict(models)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ModelFileError(
            "is no index of models", where=where, next_step="Write one with: photochrom models push"
        ) from error
    raise ModelFileError(f"is an index of version {version}", where=where, next_step="Install a newer photochrom")


def _check_entry(name: str, entry: dict[str, Any]) -> None:
    """Raise ValueError for an entry whose names lead out of its folder, or that lacks a hash."""
    card = ModelCard(**{key: value for key, value in entry["card"].items() if key in ModelCard.model_fields})
    names = [file["file"] for file in entry["files"]]
    bare = all(Path(one).name == one and one not in {"", ".", ".."} and "\\" not in one for one in names)
    hashed = all(len(bytes.fromhex(file["sha256"])) == 32 for file in entry["files"])
    counted = all(isinstance(file["bytes"], int) and file["bytes"] > 0 for file in entry["files"])
    if checked_name(card.name) != name or not bare or not hashed or not counted or card.file not in names:
        raise ValueError(name)
    if not all(text.isprintable() for text in [entry["at"], *names]):
        raise ValueError(entry["at"])


def _json(data: object) -> bytes:
    return json.dumps(data, indent=2, sort_keys=True).encode() + b"\n"
