"""Build wheel and source distribution twice, and give them out only if both are the same, bit for bit, and small.

    python scripts/build_packages.py dist

Their times are those of the last commit (SOURCE_DATE_EPOCH), so anybody who builds this commit gets the same files.
`--no-isolation` builds with what is installed, instead of fetching hatchling anew.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
LARGEST_BYTES = {".whl": 40_000_000, ".gz": 30_000_000}


def build(source: Path, out: Path, epoch: str, *, isolated: bool) -> dict[str, str]:
    """Build both, and return their hashes by name."""
    command = [
        sys.executable,
        "-m",
        "build",
        "--outdir",
        str(out),
        *([] if isolated else ["--no-isolation"]),
        str(source),
    ]
    environment = {**os.environ, "SOURCE_DATE_EPOCH": epoch}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stdout[-2000:] + done.stderr[-2000:])
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(out.iterdir())}


def commit_time() -> str:
    """Return the time of the last commit, in seconds since 1970."""
    if given := os.environ.get("SOURCE_DATE_EPOCH"):
        return given
    done = subprocess.run(["git", "log", "-1", "--format=%ct"], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def copied_tree(folder: Path) -> Path:
    """Return a copy of what is tracked: nothing that lies about gets into a package."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    for name in filter(None, listed.decode().split("\0")):
        if (ROOT / name).is_file():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, target)
    return folder


def check_sizes(out: Path) -> list[str]:
    """Return a line for each package that is too large."""
    return [
        f"{path.name} has {path.stat().st_size / 1e6:.1f} MB, over {LARGEST_BYTES[path.suffix] / 1e6:.0f}"
        for path in sorted(out.iterdir())
        if path.stat().st_size > LARGEST_BYTES[path.suffix]
    ]


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, help="folder to put them into")
    parser.add_argument("--no-isolation", action="store_true", help="use the installed hatchling")
    options = parser.parse_args(arguments)
    epoch = commit_time()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made = []
        for number in ("first", "second"):
            source, out = copied_tree(folder / number / "photochrom"), folder / number / "dist"
            out.mkdir()
            made.append(build(source, out, epoch, isolated=not options.no_isolation))
        if made[0] != made[1]:
            raise SystemExit(f"not reproducible:\n{made[0]}\n{made[1]}")
        if wrong := check_sizes(folder / "first" / "dist"):
            raise SystemExit("\n".join(wrong))
        options.out.mkdir(parents=True, exist_ok=True)
        for path in sorted((folder / "first" / "dist").iterdir()):
            shutil.copy(path, options.out)
            print(f"{path.name}  {path.stat().st_size / 1e6:.1f} MB  sha256 {made[0][path.name]}")


if __name__ == "__main__":
    main()
