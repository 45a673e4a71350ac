"""What all option sets share: frozen, strict, errors in photochrom's own words; and what options are about."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from photochrom.errors import OptionError
from photochrom.spelling import did_you_mean


class Topic(StrEnum):
    """What an option is about: the parts of a verb's help, in the order of a person's needs."""

    OUT = "In and out"
    LOOK = "How it looks"
    RESTORING = "Restoring"
    FILES = "Files"
    COMPUTER = "This computer"
    EXPERTS = "For experts"


class Options(BaseModel):
    """The base of all option sets: frozen, strict about unknown keys, errors in photochrom's own words.

    ``topic`` is that of all fields that are not annotated with another.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    topic: ClassVar[Topic] = Topic.LOOK

    @classmethod
    def checked(cls, /, **values: Any) -> Self:
        """Return the options, or raise one OptionError that names the first wrong option and the next step."""
        try:
            return cls(**values)
        except ValidationError as error:
            raise option_error(cls, error) from None


def option_error(model: type[BaseModel], error: ValidationError) -> OptionError:
    """Return the first thing that pydantic found wrong, in one line."""
    first = error.errors()[0]
    name = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        return OptionError("unknown option", where=name[:100], next_step=did_you_mean(name, model.model_fields))
    message = str(first["msg"]).replace("Input should", "should").partition(", unable to parse")[0]
    return OptionError(f"{message}, not {repr(first['input'])[:100]}", where=name)
