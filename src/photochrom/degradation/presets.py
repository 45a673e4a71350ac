"""Presets: which kinds of degradation happen together, how often and how strongly. They are data, in presets.toml."""

from __future__ import annotations

import functools
import tomllib
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from photochrom.degradation.kinds import KINDS
from photochrom.errors import OptionError
from photochrom.spelling import did_you_mean

# Factors on the size of fine structures: smaller ones are not seen, and larger ones are not fine.
SMALLEST_PX, LARGEST_PX = 0.1, 10


class Dose(BaseModel):
    """How often and how strongly one kind happens."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    chance: float = Field(default=1.0, ge=0, le=1, description="Share of pictures it happens to.")
    strength: tuple[float, float] = Field(default=(0.3, 1.0), description="Range of the strength, within 0..1.")
    lasts: Literal["frame", "texture", "film", "drift"] = Field(
        default="frame",
        description="In film: anew in each frame; as strong in each but of other specks; the same in all; or the same, "
        "and drifting sideways. Photographs know no difference.",
    )

    @field_validator("strength")
    @classmethod
    def _is_a_range(cls, strength: tuple[float, float]) -> tuple[float, float]:
        if not 0 <= strength[0] <= strength[1] <= 1:
            raise ValueError("must be two rising numbers within 0..1")
        return strength


class Preset(BaseModel):
    """A mixture of kinds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    summary: str = Field(default="", description="What it looks like, in a sentence.")
    untouched: float = Field(default=0.0, ge=0, le=1, description="Share of pictures to which nothing happens.")
    grey: float = Field(default=0.0, ge=0, le=1, description="Share of pictures that are made black-and-white first.")
    disorder: float = Field(
        default=1.5,
        ge=0,
        allow_inf_nan=False,
        description="How freely the order is drawn: 0 keeps camera, print, hands, scan; 1.5 mixes neighbours.",
    )
    px: tuple[float, float] = Field(
        default=(1.0, 1.0), description="Range of the factor on the size of fine structures, within 0.1..10."
    )
    kinds: dict[str, Dose] = Field(description="Dose of each kind, by name.")

    @field_validator("px")
    @classmethod
    def _is_a_size(cls, px: tuple[float, float]) -> tuple[float, float]:
        if not SMALLEST_PX <= px[0] <= px[1] <= LARGEST_PX:
            raise ValueError(f"must be two rising numbers within {SMALLEST_PX}..{LARGEST_PX}")
        return px

    @field_validator("kinds")
    @classmethod
    def _are_known(cls, kinds: dict[str, Dose]) -> dict[str, Dose]:
        for name in kinds:
            if name not in KINDS:
                raise ValueError(f"no kind {name!r}. {did_you_mean(name, list(KINDS))}")
        return kinds


@functools.cache
def presets() -> dict[str, Preset]:
    """Return the presets that come with photochrom, by name."""
    text = Path(__file__).with_name("presets.toml").read_text(encoding="utf-8")
    return {name: Preset.model_validate(table) for name, table in tomllib.loads(text).items()}


def load_preset(name: str) -> Preset:
    """Return the preset of that name, or the one in a TOML file of that path.

    Raises:
        OptionError: there is no such preset or file, or the file is not a preset; the message names the key.
    """
    if not name.endswith(".toml"):
        if name not in presets():
            raise OptionError(
                f"no preset {name!r}",
                next_step=did_you_mean(name, list(presets())) or f"Choose one of {', '.join(presets())}",
            )
        return presets()[name]
    try:
        return Preset.model_validate(tomllib.loads(Path(name).read_text(encoding="utf-8")))
    except OSError as error:
        raise OptionError("cannot read the preset", where=name, next_step=str(error.strerror)) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise OptionError(f"not a TOML file ({error})", where=name) from error
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "the file"
        raise OptionError(f"{key}: {first['msg']}", where=name) from error
