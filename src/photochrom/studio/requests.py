"""What a caller may ask for: the command line's options as one flat set per task, made from the same declarations.

Left out are those that name files of this computer or concern what is not the caller's: a path from outside is never
opened, so models are given by name alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import BeforeValidator, Field, create_model

from photochrom.engines.hub import looks_like_path
from photochrom.errors import OptionError, UnknownModelError
from photochrom.hints.hint import Hint, checked_hints
from photochrom.options import ColorizeOptions, Options, OutputOptions, ReadingOptions, RestoreOptions

Task = Literal["colorize", "restore"]
ID_PATTERN = r"^[A-Za-z0-9_-]{16,32}$"
NOT_A_CALLERS = frozenset({"certificate", "private_key", "overwrite", "max_memory"})
KEEPING = "Write {what} too; fetched from the job's files."
Chosen = TypeVar("Chosen", bound=Options)


def _hints_from_text(value: Any) -> Any:
    """Return hints of a JSON text, a file of hints or a list; raise OptionError in the words of the hints' wing."""
    if isinstance(value, str | bytes):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            raise OptionError("is not a file of hints (no JSON)", where="hints") from None
    if isinstance(value, dict):
        value = value.get("hints")
    if not isinstance(value, list | tuple):
        raise OptionError('is not a file of hints: it has no "hints": [...]', where="hints")
    return checked_hints(value)


Hints = Annotated[tuple[Hint, ...], BeforeValidator(_hints_from_text)]


class Asked(Options):
    """What every task takes besides its options."""

    recipe: bool = Field(default=False, description=KEEPING.format(what="a recipe for `photochrom redo`"))

    @classmethod
    def checked(cls, /, **values: Any) -> Self:
        """Return what was asked for, or raise one OptionError that names the first wrong option."""
        asked = super().checked(**values)
        for name in cls.model_fields:
            value = getattr(asked, name)
            if name.endswith("model") and isinstance(value, str) and looks_like_path(value):
                raise UnknownModelError("no such model", where=value[:100], next_step="Give a name from /v1/models")
        return asked

    def part(self, options: type[Chosen]) -> Chosen:
        """Return the options of one kind among those that were asked for."""
        names = options.model_fields.keys() & type(self).model_fields.keys()
        return options(**{name: getattr(self, name) for name in names})


def _fields(kinds: Iterable[type[Options]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for kind in kinds:
        for name, info in kind.model_fields.items():
            if name not in NOT_A_CALLERS:
                found[name] = (info.annotation, info)
    return found


ColorizeRequest = create_model(
    "ColorizeRequest",
    __base__=Asked,
    __doc__="The options of `photochrom colorize`, by the same names.",
    restore=(bool, Field(default=False, description="Restore the photograph first, then colour the restored luma.")),
    keep_hints=(bool, Field(default=False, description=KEEPING.format(what="the hints that were used"))),
    hints=(Hints, Field(default=(), description="Colours that somebody knows: the contents of a file of hints.")),
    **_fields([ColorizeOptions, RestoreOptions, ReadingOptions, OutputOptions]),
)
RestoreRequest = create_model(
    "RestoreRequest",
    __base__=Asked,
    __doc__="The options of `photochrom restore`, by the same names.",
    **_fields([RestoreOptions, ReadingOptions, OutputOptions]),
)
REQUESTS: dict[Task, type[Asked]] = {"colorize": ColorizeRequest, "restore": RestoreRequest}


def checked_request(task: str, values: dict[str, Any]) -> Asked:
    """Return what was asked for; raise OptionError for an unknown task or a wrong option."""
    request = REQUESTS.get(task)  # type: ignore[call-overload]
    if request is None:
        raise OptionError(f"should be colorize or restore, not {task[:40]!r}", where="task")
    checked: Asked = request.checked(**values)
    return checked
