"""Benchmarks and scripts, which nobody runs every day, name what the package has."""

from __future__ import annotations

import ast
import functools
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted([*ROOT.glob("benchmarks/*.py"), *ROOT.glob("scripts/*.py")])


@functools.cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@functools.cache
def names_of(module: str) -> frozenset[str]:
    """What a module of the package or of the benchmarks has, by its text alone."""
    base = ROOT.joinpath("src" if module.startswith("photochrom") else "", *module.split("."))
    path = base.with_suffix(".py") if base.with_suffix(".py").exists() else base / "__init__.py"
    found = {one.stem for one in base.glob("*") if one.is_dir() or one.suffix == ".py"}
    for node in ast.walk(tree_of(path)) if path.exists() else ():
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.add(node.value)  # what is imported when it is first asked for
    return frozenset(found)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_what_is_imported_is_there(path: Path) -> None:
    asked = [
        (node.module, alias.name)
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(("photochrom", "benchmarks", "tests"))
        for alias in node.names
    ]
    assert [f"{module}.{name}" for module, name in asked if name not in names_of(str(module))] == []
