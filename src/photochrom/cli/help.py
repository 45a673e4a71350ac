"""Help in the order of a person's needs: what goes in and out, how it looks, and last what only experts ask for."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, get_args, get_type_hints

if TYPE_CHECKING:
    from cyclopts.help import HelpEntry, HelpPanel
    from rich.console import Console, ConsoleOptions

    from photochrom.options import Topic


class _Help:
    """What both kinds of help leave to the parser: the first line, which its own formatter alone calls "Usage:"."""

    def render_usage(self, console: Console, options: ConsoleOptions, usage: object) -> None:
        """Print the line on how the verb is called."""
        from cyclopts.help import DefaultFormatter

        DefaultFormatter().render_usage(console, options, usage)


class HelpByTopic(_Help):
    """Shows a verb's options in a panel per topic, in the order of `Topic`.

    An option's topic is declared with it: in its options' class, or as an annotation of the verb's own parameter; one
    without is about what goes in and out.

    Args:
        path: of the verb's function, "module:name"; imported when help is shown.
    """

    def __init__(self, path: str) -> None:
        self.path = path

    def __call__(self, console: Console, options: ConsoleOptions, panel: HelpPanel) -> None:
        """Print one panel, or the several that it becomes."""
        from cyclopts.help import DefaultFormatter

        show = DefaultFormatter()
        if panel.format != "parameter" or not any(entry.positive_names for entry in panel.entries):
            show(console, options, panel)
            return
        from photochrom.options import Topic  # pydantic, which other help can do without

        module, _, name = self.path.partition(":")
        known = topics(getattr(importlib.import_module(module), name))
        for topic in Topic:
            entries = [_plain(entry) for entry in panel.entries if known.get(_field(entry), Topic.OUT) is topic]
            if entries:
                show(console, options, panel.copy(title=topic.value, entries=entries))


class HelpForFilms(_Help):
    """Shows the options of colouring without those that are refused for films."""

    def __call__(self, console: Console, options: ConsoleOptions, panel: HelpPanel) -> None:
        """Print one panel."""
        from cyclopts.help import DefaultFormatter

        from photochrom.cli.idle import OF_PHOTOGRAPHS

        entries = [entry for entry in panel.entries if _field(entry) not in {*OF_PHOTOGRAPHS, "colored"}]
        DefaultFormatter()(console, options, panel.copy(entries=entries))


def topics(verb: Callable[..., object]) -> dict[str, Topic]:
    """Return the topic of each option of a verb, by the name of its field or parameter."""
    from photochrom.options import Options, Topic

    found: dict[str, Topic] = {}
    hints = get_type_hints(verb, include_extras=True)
    for name in inspect.signature(verb).parameters:
        kind, *marks = get_args(hints[name]) or (hints[name],)
        if isinstance(kind, type) and issubclass(kind, Options):
            for field, info in kind.model_fields.items():
                found[field] = next((mark for mark in info.metadata if isinstance(mark, Topic)), kind.topic)
        else:
            found[name] = next((mark for mark in marks if isinstance(mark, Topic)), Topic.OUT)
    return found


def _field(entry: HelpEntry) -> str:
    return entry.positive_names[0].removeprefix("--").replace("-", "_") if entry.positive_names else ""


def _plain(entry: HelpEntry) -> HelpEntry:
    """Return an entry without what is plain: that a switch is off until it is given."""
    return entry.copy(default=None, negative_names=()) if entry.default == "False" else entry
