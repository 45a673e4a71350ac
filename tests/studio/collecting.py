"""What sources say in words: every text that an expression may come to, with 7 for each value that is no text of ours.

Texts are followed through f-strings, sums, choices (`a if b else c`, `a or b`), names that were given one before, and
functions of the same module that return one. So what is put together from parts is met in each of its forms.
"""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from photochrom import errors
from photochrom.studio import problems, stopping

KINDS = {
    name
    for home in (errors, problems, stopping)
    for name, value in vars(home).items()
    if isinstance(value, type) and issubclass(value, errors.PhotochromError)
}
NAMED_FIRST = {"HttpError", "PydanticCustomError"}
"""Errors whose first argument is a status, or a kind."""
PACKAGES = Path(errors.__file__).parent.parent
MOST_FORMS, DEEPEST = 64, 6
VALUE, FIELD = "7", re.compile(r"\{\w+\}")
SEVERAL_TEXTS = "tuple[str, ...]"


class Module:
    """A source file, and what its expressions may say."""

    def __init__(self, path: Path) -> None:
        self.tree = ast.parse(path.read_text(encoding="utf-8"))
        functions = [node for node in ast.walk(self.tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
        self.functions = {function.name: function for function in functions}
        # The innermost function of each node: outer ones are walked first.
        self.home = {node: function for function in functions for node in ast.walk(function)}

    def texts(self, node: ast.expr, depth: int = 0) -> list[str]:
        """All that an expression may say."""
        found: Iterable[str] = ()
        if isinstance(node, ast.Constant):
            found = [str(node.value)]
        elif depth == DEEPEST:
            found = [VALUE]
        elif isinstance(node, ast.JoinedStr):
            found = map("".join, itertools.product(*(self._part(part, depth) for part in node.values)))
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            found = map("".join, itertools.product(self.texts(node.left, depth + 1), self.texts(node.right, depth + 1)))
        else:
            found = [text for part in self._parts(node) for text in self.texts(part, depth + 1)]
        return list(dict.fromkeys(itertools.islice(found, MOST_FORMS))) or [VALUE]

    def _part(self, part: ast.expr, depth: int) -> list[str]:
        if not isinstance(part, ast.FormattedValue):
            return self.texts(part, depth)
        written = ast.unparse(part.format_spec) if part.format_spec else ""
        return [VALUE + "%" * written.endswith(("%'", '%"'))] if written else self.texts(part.value, depth + 1)

    def _parts(self, node: ast.expr) -> list[ast.expr]:
        """The expressions one of which another one comes to."""
        if isinstance(node, ast.IfExp):
            return [node.body, node.orelse]
        if isinstance(node, ast.BoolOp):
            return node.values
        if isinstance(node, ast.Name):
            return self._given(node)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in self.functions:
            function = self.functions[node.func.id]
            if function.returns is not None and ast.unparse(function.returns) == "str":
                return [one.value for one in ast.walk(function) if isinstance(one, ast.Return) and one.value]
        return []

    def _given(self, name: ast.Name) -> list[ast.expr]:
        for scope in (self.home.get(name), self.tree):
            given = [
                node.value
                for node in (ast.walk(scope) if scope else ())
                if isinstance(node, ast.Assign | ast.AnnAssign | ast.NamedExpr) and node.value is not None
                and _names(node, name.id)
            ]  # fmt: skip
            if given:
                return given
        return [ast.Constant(text) for text in self._imported(name.id)]

    def _imported(self, name: str) -> list[str]:
        """What a constant of another module of ours says."""
        for node in self.tree.body:
            if isinstance(node, ast.ImportFrom) and any((one.asname or one.name) == name for one in node.names):
                home = PACKAGES / f"{(node.module or '').replace('.', '/')}.py"
                body = ast.parse(home.read_text(encoding="utf-8")).body if home.is_file() else []
                given = [one.value for one in body if isinstance(one, ast.Assign) and _names(one, name)]
                return [str(value.value) for value in given if isinstance(value, ast.Constant)]
        return []

    def errors(self) -> Iterator[tuple[int, str]]:
        """Yield the line and the sentence of each error of ours that is made, raised at once or handed back."""
        for node in ast.walk(self.tree):
            if not isinstance(node, ast.Call):
                continue
            name = ast.unparse(node.func).rpartition(".")[2]
            told = node.args[1:] if name in NAMED_FIRST else node.args if name in KINDS else []
            for text in self.texts(told[0]) if told else ():
                yield node.lineno, FIELD.sub(VALUE, text) if name == "PydanticCustomError" else text

    def notes(self) -> Iterator[tuple[int, str]]:
        """Yield the line and the text of each note: what is called so, appended to what is, or returned as one."""
        for node in ast.walk(self.tree):
            for leaf in (leaf for given in self._noted(node) for leaf in _leaves(given)):
                for text in self.texts(leaf):
                    yield leaf.lineno, text

    def _noted(self, node: ast.AST) -> Iterator[ast.expr]:
        if isinstance(node, ast.Call):
            if ast.unparse(node.func).endswith(("notes.append", "notes.extend")):
                yield from node.args
            yield from (word.value for word in node.keywords if _is_note(word.arg or ""))
        elif isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign) and node.value is not None:
            for target in _targets(node):
                if _is_note(ast.unparse(target)):
                    yield node.value
                elif isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                    pairs = zip(target.elts, node.value.elts, strict=False)
                    yield from (value for one, value in pairs if _is_note(ast.unparse(one)))
        elif isinstance(node, ast.Return | ast.Yield) and node.value is not None and node in self.home:
            yield from self._returned(node.value, self.home[node])

    def _returned(self, value: ast.expr, function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[ast.expr]:
        """Yield what a function named for notes returns, and the texts beside what another one does."""
        kind = ast.unparse(function.returns) if function.returns else ""
        if _is_note(function.name):
            yield value
        elif SEVERAL_TEXTS in kind and kind != SEVERAL_TEXTS and isinstance(value, ast.Tuple):
            yield from (one for one in value.elts if isinstance(one, ast.Tuple | ast.List | ast.IfExp))


def _targets(node: ast.Assign | ast.AnnAssign | ast.AugAssign | ast.NamedExpr) -> list[ast.expr]:
    return node.targets if isinstance(node, ast.Assign) else [node.target]


def _names(node: ast.Assign | ast.AnnAssign | ast.NamedExpr, name: str) -> bool:
    return any(isinstance(one, ast.Name) and one.id == name for one in _targets(node))


def _is_note(name: str) -> bool:
    return name.rpartition(".")[2].strip("_").endswith(("note", "notes"))


def _leaves(value: ast.expr) -> Iterator[ast.expr]:
    """Yield the expressions of texts in one of texts, lists and choices."""
    if isinstance(value, ast.Tuple | ast.List):
        parts = value.elts
    elif isinstance(value, ast.IfExp):
        parts = [value.body, value.orelse]
    elif isinstance(value, ast.Starred):
        parts = [value.value]
    elif isinstance(value, ast.ListComp | ast.GeneratorExp):
        parts = [value.elt]
    elif isinstance(value, ast.BinOp) and isinstance(value.left, ast.Tuple | ast.List):
        parts = [value.left, value.right]
    else:
        if isinstance(value, ast.JoinedStr | ast.BinOp) or (isinstance(value, ast.Constant) and value.value):
            yield value
        return
    for part in parts:
        yield from _leaves(part)
