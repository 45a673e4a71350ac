"""Find a model's file: embedded in the package, in the cache folder, or at a path that was given. Never online."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from photochrom.catalog import ModelCard, find_card
from photochrom.errors import ModelNotInstalledError

WEIGHTS = Path(__file__).parent / "weights"
CACHE_VARIABLE = "PHOTOCHROM_CACHE"


@dataclass(frozen=True, slots=True)
class ModelFile:
    """Where a model lies; ``sha256`` is what its bytes must hash to, or empty for a file given by path."""

    name: str
    path: Path
    sha256: str
    card: ModelCard | None


def cache_folder() -> Path:
    """Return the folder for models that are not embedded; the variable PHOTOCHROM_CACHE moves it."""
    if chosen := os.environ.get(CACHE_VARIABLE):
        return Path(chosen)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "photochrom"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "photochrom"
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "photochrom"


def card_path(card: ModelCard) -> Path:
    """Return where the file of a known model belongs, whether it is there or not."""
    return (WEIGHTS if card.embedded else cache_folder() / "models") / card.file


def find_model(name: str) -> ModelFile:
    """Return the file of a model given by name, or by the path of an ``.onnx`` file.

    Raises:
        UnknownModelError: no model has that name.
        ModelNotInstalledError: the model is known, or a path was given, but the file is not there.
    """
    if looks_like_path(name):
        path = Path(name).expanduser()
        if not path.is_file():
            raise ModelNotInstalledError("no such model file", where=name, next_step="Check the path.")
        return ModelFile(name=path.stem, path=path, sha256="", card=None)
    card = find_card(name)
    path = card_path(card)
    if not path.is_file():
        step = "Install photochrom again." if card.embedded else f"Put the file at {path}."
        raise ModelNotInstalledError("the model's file is not on this computer", where=name, next_step=step)
    return ModelFile(name=card.name, path=path, sha256=card.sha256, card=card)


def looks_like_path(name: str) -> bool:
    """Return whether a model argument is meant as a file rather than a catalogue name."""
    return name.endswith(".onnx") or os.sep in name or "/" in name
