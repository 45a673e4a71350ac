"""The list that a release goes through, as far as a program can: the first line that does not hold ends it.

    python scripts/release.py 1.0.0

Nothing is published by it: when all is well it writes the source distribution's hash into the recipes, and says which
tag to push; the work flow `release.yml` does the rest. The tag is that of the commit that was checked: a package's
times are its commit's, and the recipes, which are no part of it, are committed afterwards.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parent.parent
RECIPES = ("conda/recipe.yaml", "homebrew/photochrom.rb")


def said(*command: str) -> str:
    """Return what a command says; fail with its last lines where it does."""
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}:\n{(done.stdout + done.stderr)[-2000:]}")
    return done.stdout


def clean_tree(_: str) -> str:
    """The tree has no changes that are not committed, and is on main."""
    changed, branch = said("git", "status", "--porcelain"), said("git", "branch", "--show-current").strip()
    return changed or ("" if branch == "main" else f"on {branch}, not on main")


def one_version(version: str) -> str:
    """pyproject.toml, the package, the citation and the recipes name this version."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    text = (ROOT / "src/photochrom/version.py").read_text(encoding="utf-8")
    package = re.search(r'VERSION = "([^"]+)"', text)
    named = {"pyproject.toml": project, "version.py": package[1] if package else ""}
    for name, pattern in (
        ("CITATION.cff", r"^version: (\S+)"),
        ("packaging/conda/recipe.yaml", r'^  version: "([^"]+)"'),
        ("packaging/homebrew/photochrom.rb", r"photochrom-([\d.]+)\.tar\.gz"),
    ):
        found = re.search(pattern, (ROOT / name).read_text(encoding="utf-8"), flags=re.MULTILINE)
        named[name] = found[1] if found else ""
    return "; ".join(f"{name} has {what or 'none'}" for name, what in named.items() if what != version)


def changelog_tells(version: str) -> str:
    """The changelog has a dated section for this version."""
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    dated = rf"^## \[{re.escape(version)}\] - \d{{4}}-\d\d-\d\d$"
    return "" if re.search(dated, text, flags=re.MULTILINE) else "it has none"


def is_new(version: str) -> str:
    """No tag of this version is there yet."""
    return f"v{version} is there" if f"v{version}" in said("git", "tag", "--list").split() else ""


def tests_pass(_: str) -> str:
    """.ci/run passes: tests, lint, types, layers, documents, packages, a user's installation."""
    said("bash", ".ci/run")
    return ""


def packages_are_the_same(_: str) -> str:
    """Wheel and source distribution are the same bits twice, and small."""
    said(sys.executable, "scripts/build_packages.py", "--no-isolation", "dist")
    return ""


def fill_recipes(root: Path, version: str) -> list[Path]:
    """Write the hash of ``dist/photochrom-VERSION.tar.gz`` into the recipes; return those that have changed.

    Builds are reproducible (`packages_are_the_same`), so this is also the hash of what the work flow will publish.
    """
    digest = hashlib.sha256((root / f"dist/photochrom-{version}.tar.gz").read_bytes()).hexdigest()
    changed = []
    for name in RECIPES:
        path = root / "packaging" / name
        text = path.read_text(encoding="utf-8")
        filled, count = re.subn(r'(sha256:? ")[0-9a-f]{64}"', rf'\g<1>{digest}"', text)
        if count != 1:
            raise SystemExit(f"{path}: {count} places for the distribution's hash, not one")
        if filled != text:
            path.write_text(filled, encoding="utf-8")
            changed.append(path)
    return changed


CHECKS: list[Callable[[str], str]] = [
    clean_tree,
    one_version,
    changelog_tells,
    is_new,
    packages_are_the_same,
    tests_pass,
]


def next_steps(version: str, commit: str, changed: list[Path]) -> list[str]:
    """Return what is left to do, in its order."""
    steps = [f"git tag -s v{version} {commit} && git push origin v{version}"]
    if changed:
        names = " ".join(path.relative_to(ROOT).as_posix() for path in changed)
        told = "once PyPI shows the same hash; with it the site gets its new version"
        steps.append(f"git commit -m 'Recipes of {version}' {names} && git push origin main    # {told}")
    return steps


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("version", help="such as 1.0.0")
    version = parser.parse_args().version
    for check in CHECKS:
        wrong = check(version)
        print(f"{'FAIL' if wrong else 'ok  '}  {check.__doc__}", flush=True)
        if wrong:
            raise SystemExit(wrong)
    commit = said("git", "rev-parse", "--short", "HEAD").strip()
    print("Now:", *next_steps(version, commit, fill_recipes(ROOT, version)), sep="\n    ")


if __name__ == "__main__":
    main()
