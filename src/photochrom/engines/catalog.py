"""The model cards: which models there are, as data in ``catalog.toml``."""

from __future__ import annotations

import functools
import tomllib
from importlib.resources import files
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from photochrom.errors import UnknownModelError
from photochrom.spelling import did_you_mean


class ModelCard(BaseModel):
    """What is known of a model without opening its file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    kind: Literal["color", "tone", "noise", "damage", "inpaint", "polarity"]
    contract: str
    file: str = Field(pattern=r"^[A-Za-z0-9._-]+\.onnx$", description="A bare file name: no folders, so no way out.")
    sha256: str = Field(pattern=r"^([0-9a-f]{64})?$")
    weights_sha256: str = Field(default="", pattern=r"^([0-9a-f]{64})?$", description="Of weights beside the file.")
    embedded: bool = False
    licence: str
    summary: str
    trained_on: str = ""
    paper: str = ""


@functools.cache
def model_cards() -> dict[str, ModelCard]:
    """Return every known model by name."""
    text = files("photochrom.engines").joinpath("catalog.toml").read_text(encoding="utf-8")
    return {name: ModelCard(name=name, **entry) for name, entry in tomllib.loads(text).items()}


def find_card(name: str) -> ModelCard:
    """Return the card of a model; raise UnknownModelError with the closest known name."""
    cards = model_cards()
    if name not in cards:
        raise UnknownModelError("no such model", where=name, next_step=did_you_mean(name, cards))
    return cards[name]
