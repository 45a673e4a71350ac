"""Empty arguments, as an unset variable of a script leaves them: to Python an empty path is the current folder."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

from cyclopts import App, ArgumentCollection
from cyclopts.utils import UNSET

from photochrom.errors import OptionError


def refuse_empty(_: App, __: tuple[str, ...], arguments: ArgumentCollection) -> None:
    """Raise OptionError where a path or a text was given as an empty one; the parser asks this before each verb.

    A text may be empty where it is unless something else is said (``--trained-on ""``).
    """
    for argument in arguments:
        wanted = _kinds(argument.hint) & {Path, str}
        if not wanted or argument.field_info.default == "":
            continue
        for token in argument.tokens:
            if token.value == "" and token.implicit_value is UNSET:
                what, next_step = "is empty", "Leave it out, or say what it is to be"
                if Path in wanted:
                    what, next_step = "an empty name", "Name a file or folder; `.` is the folder that you are in"
                raise OptionError(what, where=token.keyword or argument.name, next_step=next_step)


def _kinds(hint: object) -> set[object]:
    """Return what a type is made of: of ``list[Path] | None``, Path among others."""
    return {hint}.union(*map(_kinds, get_args(hint)))
