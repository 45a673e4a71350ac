"""Find a model's file: embedded in the package, in the cache folder, or at a path that was given. Never online."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from photochrom.engines.catalog import ModelCard, find_card, model_cards
from photochrom.errors import ModelNotInstalledError

WEIGHTS = Path(__file__).parent / "weights"
CACHE_VARIABLE = "PHOTOCHROM_CACHE"
NO_HOME = Path(os.devnull)
"""Stands for the home of a user who has none, as in containers: in it nothing is found, and nothing can be written."""


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
    home = Path(os.path.expanduser("~"))
    home = home if home.is_absolute() else NO_HOME
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local") / "photochrom"
    if sys.platform == "darwin":
        return home / "Library" / "Caches" / "photochrom"
    named = Path(os.environ.get("XDG_CACHE_HOME", ""))  # which counts where it is absolute, says its specification
    return (named if named.is_absolute() else home / ".cache") / "photochrom"


def card_path(card: ModelCard) -> Path:
    """Return where the file of a known model belongs, whether it is there or not."""
    return (WEIGHTS if card.embedded else models_folder() / card.name) / card.file


def models_folder() -> Path:
    """Return where installed models lie, one folder each."""
    return cache_folder() / "models"


def installed_models() -> dict[str, ModelFile]:
    """Return the models in the cache by name; a folder with a card that cannot be read is passed over.

    So is one that has the name of an embedded model: nothing takes the place of what photochrom itself brings.
    """
    found = {}
    for path in sorted(models_folder().glob("*/card.json")):
        card = _card_in(path)
        if card is not None and card.name == path.parent.name and not is_embedded(card.name):
            found[card.name] = ModelFile(card.name, path.parent / card.file, card.sha256, card)
    return found


def is_embedded(name: str) -> bool:
    """Return whether a model of that name comes with photochrom."""
    card = model_cards().get(name)
    return card is not None and card.embedded


def _card_in(path: Path) -> ModelCard | None:
    """Return the card that an import wrote, or None where there is none that can be read."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        card = ModelCard(**{key: value for key, value in content.items() if key in ModelCard.model_fields})
        return card.model_copy(update={"embedded": False})  # whatever it says, it lies in a folder of its own
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):
        return None


def find_model(name: str) -> ModelFile:
    """Return the file of a model given by name, or by the path of an ``.onnx`` file.

    Raises:
        UnknownModelError: no model has that name.
        ModelNotInstalledError: the model is known, or a path was given, but the file is not there.
    """
    if looks_like_path(name):
        path = Path(os.path.expanduser(name))
        if not path.is_file():
            raise ModelNotInstalledError("no such model file", where=name, next_step="Check the path.")
        card = _card_in(path.with_name("card.json"))  # an imported model has its card beside it
        if card is not None and card.file == path.name:
            return ModelFile(card.name, path, card.sha256, card)
        return ModelFile(name=path.stem, path=path, sha256="", card=None)
    if installed := installed_models().get(name):
        return installed
    card = find_card(name)
    path = card_path(card)
    if not path.is_file():
        step = "Install photochrom again." if card.embedded else f"Get it with: photochrom models pull {name}"
        raise ModelNotInstalledError("the model's file is not on this computer", where=name, next_step=step)
    return ModelFile(name=card.name, path=path, sha256=card.sha256, card=card)


def looks_like_path(name: str) -> bool:
    """Return whether a model argument is meant as a file rather than a catalogue name."""
    return name.endswith(".onnx") or os.sep in name or "/" in name
