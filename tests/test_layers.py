"""The house holds: import-linter's contracts, no circle anywhere, and the table that ARCHITECTURE.md shows."""

from __future__ import annotations

import graphlib
import subprocess
import sys
import tomllib
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src" / "photochrom"
MOST_AT_THE_TOP = 14
LONGEST_TABLE = 10


@pytest.fixture(scope="module")
def contracts() -> list[dict]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return settings["tool"]["importlinter"]["contracts"]


@pytest.fixture(scope="module")
def imports() -> dict[str, set[str]]:
    """Which module imports which, at its top or inside a function; imports for annotations alone left out."""
    graph = grimp.build_graph("photochrom", exclude_type_checking_imports=True, cache_dir=None)
    return {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}


def test_nothing_imports_upwards_and_colouring_needs_no_torch() -> None:
    program = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    command = [sys.executable, "-c", program, "--no-cache", "--no-logo"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=200)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


def test_no_contract_has_exceptions(contracts: list[dict]) -> None:
    assert not [contract["name"] for contract in contracts if "ignore_imports" in contract]
    assert contracts[0]["exhaustive"]


def test_no_module_comes_back_to_itself(imports: dict[str, set[str]]) -> None:
    graphlib.TopologicalSorter(imports).prepare()


@pytest.mark.parametrize(
    ("importer", "imported"),
    [("photochrom.color", "photochrom.coloring.pipeline"), ("photochrom.cli.app", "photochrom.cli")],
)
def test_a_circle_would_be_found(imports: dict[str, set[str]], importer: str, imported: str) -> None:
    with pytest.raises(graphlib.CycleError):
        graphlib.TopologicalSorter(imports | {importer: {*imports[importer], imported}}).prepare()


def test_wings_are_packages_and_few_modules_lie_beside_them() -> None:
    assert len(list(PACKAGE.glob("*.py"))) <= MOST_AT_THE_TOP
    wings = [path for path in PACKAGE.iterdir() if path.is_dir() and any(path.glob("*.py"))]
    doors = {wing.name: (wing / "__init__.py").read_text(encoding="utf-8") for wing in wings}
    assert [name for name, text in doors.items() if not text.startswith('"""')] == []


def test_architecture_shows_the_table_that_is_checked(contracts: list[dict]) -> None:
    layers = contracts[0]["layers"]
    assert len(layers) <= LONGEST_TABLE
    table = "\n".join(f"    {layer}" for layer in layers)
    assert f"\n\n{table}\n\n" in (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
