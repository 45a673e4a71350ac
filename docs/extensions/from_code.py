"""Pages that are made from the code: options from their models, verbs from the command line, errors from their tree."""

from __future__ import annotations

import importlib
import inspect
import re
from typing import TYPE_CHECKING, Any

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.util.docutils import SphinxDirective

if TYPE_CHECKING:
    from sphinx.application import Sphinx


BOUNDS = (("ge", "at least"), ("gt", "above"), ("le", "at most"))


class FromCode(SphinxDirective):
    """A directive whose Markdown is made by a function."""

    has_content = False
    optional_arguments = 1

    def lines(self) -> list[str]:
        """Return the Markdown."""
        raise NotImplementedError

    def run(self) -> list[nodes.Node]:
        """Parse the lines in place."""
        node = nodes.container()
        self.state.nested_parse(StringList(self.lines(), source="from the code"), self.content_offset, node)
        return list(node.children)


class OptionTable(FromCode):
    """``{options} photochrom.options:ColorizeOptions``: a definition for each field, with default and limits."""

    required_arguments = 1
    command_line = True

    def lines(self) -> list[str]:
        """Return a definition list."""
        module, name = self.arguments[0].split(":")
        model: Any = getattr(importlib.import_module(module), name)
        found: list[str] = []
        for field, info in model.model_fields.items():
            default = info.get_default()
            limits = [
                f"{word} {getattr(one, kind)}" for one in info.metadata for kind, word in BOUNDS if hasattr(one, kind)
            ]
            told = "required" if info.is_required() else f"default {default!r}" if default is not None else "no default"
            names = [f"`{field}`", *([f"`--{field.replace('_', '-')}`"] if self.command_line else [])]
            found += [f"{', '.join(names)} ({'; '.join([told, *limits])})"]
            found += [f": {info.description}", ""]
        return found


class FieldTable(OptionTable):
    """``{fields} photochrom.hints.hint:Hint``: the same of a model that the command line has no options of."""

    command_line = False


class VerbTable(FromCode):
    """``{verbs}``: what the command line does, from its table."""

    def lines(self) -> list[str]:
        """Return a table."""
        from photochrom.cli.app import VERBS

        rows = [f"| `photochrom {name}` | {text} |" for name, _, text in VERBS]
        return ["| verb | what it does |", "|---|---|", *rows]


class ErrorTree(FromCode):
    """``{errors}``: the tree of errors, as its module draws it, and the exit codes."""

    def lines(self) -> list[str]:
        """Return the tree in a block, and a table."""
        from photochrom import errors

        tree = [line for line in (errors.__doc__ or "").splitlines() if line.startswith("    ")]
        codes = re.findall(r"^(EXIT_\w+) = (\d+)  # (.+)$", inspect.getsource(errors), flags=re.MULTILINE)
        rows = [f"| {code} | `{name}` | {meaning} |" for name, code, meaning in codes]
        return [
            "```text",
            *[line[4:] for line in tree],
            "```",
            "",
            "| exit code | in `photochrom.errors` | when |",
            "|---|---|---|",
            *rows,
        ]


def setup(app: Sphinx) -> dict[str, bool]:
    """Let Sphinx know the directives."""
    app.add_directive("options", OptionTable)
    app.add_directive("fields", FieldTable)
    app.add_directive("verbs", VerbTable)
    app.add_directive("errors", ErrorTree)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
