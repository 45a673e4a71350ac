"""The documentation's site with its versions side by side: ``python scripts/build_site.py site``.

This tree becomes the site, and each of the newest tags ``v*`` a folder of it, made from its own documents and code.
Each page gets a switch, of which there is one copy at the top; it asks nobody for anything, and works from a disk.
"""

from __future__ import annotations

import argparse
import io
import itertools
import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

MOST = 5
"""Tags that are kept: each is some 25 MB, with the page that needs no server."""
HERE = "latest"
SWITCH = """\
// Written by scripts/build_site.py: a list of versions in the sidebar; choosing one opens its first page.
(() => {
  const versions = %s;
  const root = new URL(".", document.currentScript.src);
  const here = versions.findLast((version) => location.href.startsWith(new URL(version.path, root)));
  const select = document.createElement("select");
  select.setAttribute("aria-label", "Version of photochrom");
  for (const version of versions) {
    select.add(new Option(version.name, version.path, false, version === here));
  }
  select.onchange = () => { location.href = new URL(select.value + "index.html", root); };
  const nav = document.createElement("nav");
  nav.style.padding = "0.5rem 1rem";
  nav.append(select);
  addEventListener("DOMContentLoaded", () => (document.querySelector(".sidebar-sticky") ?? document.body).append(nav));
})();
"""


def build_site(repository: Path, out: Path) -> list[str]:
    """Build the site, and return the names of its versions, this tree's first.

    Raises:
        subprocess.CalledProcessError: a version's documents cannot be built without a warning.
    """
    tags = tags_of(repository)
    sphinx(repository, out)
    for tag in tags:
        with TemporaryDirectory() as folder:
            packed = ["git", "archive", "--format=zip", tag]
            archive = subprocess.run(packed, cwd=repository, capture_output=True, check=True).stdout
            with zipfile.ZipFile(io.BytesIO(archive)) as members:
                members.extractall(folder)
            sphinx(Path(folder), out / tag)
    write_switch(out, tags)
    return [HERE, *tags]


def tags_of(repository: Path) -> list[str]:
    """Return the newest tags of releases that have documents, the newest first."""
    listed = subprocess.run(
        ["git", "tag", "--list", "v*", "--sort=-version:refname"], cwd=repository, capture_output=True, check=True
    )
    tags = [tag for tag in listed.stdout.decode().split() if re.fullmatch(r"v\d+(\.\d+)*", tag)]
    return list(itertools.islice((tag for tag in tags if _has_documents(repository, tag)), MOST))


def _has_documents(repository: Path, tag: str) -> bool:
    command = ["git", "cat-file", "-e", f"{tag}:docs/conf.py"]
    return subprocess.run(command, cwd=repository, capture_output=True, check=False).returncode == 0


def sphinx(tree: Path, out: Path) -> None:
    """Build one tree's documents with its own code, a warning being an error."""
    options = ["-q", "-W", "--keep-going", "-b", "html"]
    command = [sys.executable, "-m", "sphinx", *options, "docs", os.fspath(out.resolve())]
    subprocess.run(command, cwd=tree, env={**os.environ, "PYTHONPATH": os.fspath(tree / "src")}, check=True)


def write_switch(out: Path, tags: Sequence[str]) -> None:
    """Write the switch, and name it in each page that Sphinx made; with one version there is nothing to switch."""
    if not tags:
        return
    versions = [{"name": HERE, "path": ""}, *({"name": tag, "path": f"{tag}/"} for tag in tags)]
    (out / "versions.js").write_text(SWITCH % json.dumps(versions), encoding="utf-8")
    for page in out.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        if "documentation_options.js" not in text:  # the live page, which is none of Sphinx's
            continue
        up = "../" * (len(page.relative_to(out).parts) - 1)
        page.write_text(text.replace("</head>", f'<script src="{up}versions.js"></script></head>', 1), encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    """Build the site that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    out = parser.parse_args(arguments).out
    print(" ".join(build_site(Path(__file__).resolve().parent.parent, out)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
