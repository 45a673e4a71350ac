"""One hint: where in a photograph somebody knows the colour, and which colour it is.

Coordinates are relative to the upright picture: (0, 0) is its upper left corner, (1, 1) its lower right one. Lengths
are shares of its short side.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from photochrom.errors import OptionError
from photochrom.hints.painted import LARGEST_PAINTED, NoPaintingError, painted_pixels
from photochrom.hints.words import UnknownColorError, ab_of
from photochrom.options import Options, option_error

MOST_HINTS = 1000
MOST_POINTS = 10_000
MOST_PAINTED = 20
"""Painted hints: each is a picture to be decoded for every grid, and one of them may hold any number of colours."""

Share = Annotated[float, Field(ge=0.0, le=1.0, allow_inf_nan=False)]
Place = tuple[float, float]
SHAPES = ("point", "stroke", "region", "painted")


class Hint(Options):
    """A colour that somebody knows, and where. Exactly one of point, stroke, region and painted says where."""

    point: Place | None = Field(default=None, description="x, y: a spot.")
    stroke: tuple[Place, ...] | None = Field(default=None, description="Corners of a line that was drawn.")
    region: tuple[Place, ...] | None = Field(default=None, description="Corners of an area that is filled.")
    painted: str | None = Field(
        default=None,
        max_length=LARGEST_PAINTED,
        description="A small PNG in base64, of the photograph's aspect: its opaque pixels are hints of their own "
        "colours. Written by photochrom for a picture of hints.",
    )
    color: str | tuple[float, float] | None = Field(
        default=None,
        description="The colour: a CSS colour word, #rrggbb, rgb(), hsl(), or Lab a*, b*. Its lightness is not used.",
    )
    width: Share = Field(
        default=0.0, description="Of a stroke, or a point's diameter, as a share of the short side; 0 is the finest."
    )
    reach: Share = Field(
        default=0.15,
        description="How far along the thing it lies on the colour is held, whatever the net says; share of the short "
        "side. Edges stop it.",
    )
    weight: float = Field(
        default=1.0, gt=0.0, le=1.0, allow_inf_nan=False, description="How sure the colour is: 1 is obeyed."
    )
    by: Literal["person", "reference"] = Field(
        default="person", description="Who says so: a person, or a reference photograph that matches there."
    )

    @model_validator(mode="after")
    def _means_something(self) -> Self:
        given = [name for name in SHAPES if getattr(self, name) is not None]
        if len(given) != 1:
            found = " and ".join(given) or "none"
            raise PydanticCustomError("hint", "a hint is one of {shapes}, not {found}", _texts(SHAPES, found))
        for x, y in self.places:
            if not (0 <= x <= 1 and 0 <= y <= 1):
                raise PydanticCustomError(
                    "hint", "({x}, {y}) lies outside the picture, whose sides run from 0 to 1", {"x": x, "y": y}
                )
        least = {"stroke": 2, "region": 3}.get(given[0], 0)
        if len(self.places) < least:
            few = {"kind": given[0], "least": least}
            raise PydanticCustomError("hint", "a {kind} has at least {least} corners", few)
        if (self.color is None) != (given == ["painted"]):
            raise PydanticCustomError("hint", "a hint has a color, unless it is painted", {})
        try:
            if self.color is not None:
                ab_of(self.color)
            elif self.painted is not None:
                painted_pixels(self.painted)
        except (UnknownColorError, NoPaintingError) as error:
            raise PydanticCustomError("hint", "{reason}", {"reason": str(error)}) from None
        return self

    @property
    def places(self) -> tuple[Place, ...]:
        """All places that it names, as (x, y)."""
        return (self.point,) if self.point else self.stroke or self.region or ()

    @property
    def ab(self) -> tuple[float, float]:
        """Lab a*, b* of the colour; a painted hint has its own at each pixel."""
        return ab_of(self.color) if self.color is not None else (0.0, 0.0)

    @classmethod
    def checked(cls, **values: Any) -> Self:
        """Return the hint, or raise one OptionError that names what is wrong with it and the next step."""
        try:
            return cls(**values)
        except ValidationError as error:
            raise hint_error(error) from None

    def as_json(self) -> dict[str, object]:
        """Return what differs from the defaults, for a file."""
        return self.model_dump(mode="json", exclude_defaults=True)


def checked_hints(hints: Sequence[Hint | Mapping[str, Any]], where: str = "hints") -> tuple[Hint, ...]:
    """Return hints, those given as mappings turned into them.

    Raises:
        OptionError: one is wrong, or there are thousands.
    """
    if len(hints) > MOST_HINTS:
        raise OptionError(
            f"{len(hints)} hints are more than the {MOST_HINTS} that are taken",
            where=where,
            next_step="Give a picture of hints instead (a transparent PNG): it may hold any number",
        )
    made = []
    for number, hint in enumerate(hints, 1):
        try:
            made.append(hint if isinstance(hint, Hint) else Hint(**hint))
        except ValidationError as error:
            raise hint_error(error, f"{where}, hint {number}") from None
        except TypeError:
            raise OptionError("is not a hint", where=f"{where}, hint {number}", next_step="See docs/hints.md") from None
    if (count := sum(len(hint.places) for hint in made)) > MOST_POINTS:
        raise OptionError(
            f"{count} corners are more than the {MOST_POINTS} that are taken",
            where=where,
            next_step="Draw with fewer corners, or give a picture of hints",
        )
    if (count := sum(hint.painted is not None for hint in made)) > MOST_PAINTED:
        raise OptionError(
            f"{count} painted hints are more than the {MOST_PAINTED} that are taken",
            where=where,
            next_step="Paint all of them on one picture",
        )
    return tuple(made)


def hint_error(error: ValidationError, where: str = "hint", model: type[Options] | None = None) -> OptionError:
    """Return the first thing that is wrong with a hint, or with another model's values, in one line."""
    first = error.errors()[0]
    if first["type"] == "hint":
        what, _, next_step = str(first["msg"]).partition(". ")
        return OptionError(what, where=where, next_step=next_step)
    other = option_error(model or Hint, error)
    return OptionError(f"{other.where.split('.')[0]} {other.what}", where=where, next_step=other.next_step)


def _texts(shapes: Sequence[str], found: str) -> dict[str, Any]:
    return {"shapes": ", ".join(shapes), "found": found}
