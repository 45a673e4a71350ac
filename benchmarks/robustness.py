"""Hostile files and sudden deaths: how many were survived.

    python benchmarks/robustness.py [--mutants 400] [--seed 0]

Fuzzes every format with mutated files, each slice in a process of its own with a bound on memory, and kills runs on an
album a hundred times, by the same code as the tests; only with other seeds, and as many mutants as are asked for. Stops
at the first file that is neither a picture nor one clear line.
"""

from __future__ import annotations

import argparse
import ast
import json
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.files.test_kills import HELPER, KILLS, hashes, helper, write_album

from tests.files.makers import one_of_each
from tests.files.test_hostile import run_child


def fuzz(mutants: int, seed: int) -> None:
    """Open mutants of one file of each format and print what became of them."""
    start, outcomes = time.perf_counter(), Counter[str]()
    for name in one_of_each():
        done = run_child([name], seed, mutants)
        if done.returncode or done.stderr:
            raise SystemExit(f"{name}, seed {seed}: exit {done.returncode}\n{done.stderr[-3000:]}")
        found = Counter(ast.literal_eval(done.stdout.split(" ", 1)[1]))
        outcomes += found
        print(f"  {name:18} {found['picture']:5} pictures, {found.total() - found['picture']:5} refused in one line")
    seconds = time.perf_counter() - start
    refused = outcomes.total() - outcomes["picture"]
    print(f"{outcomes.total()} hostile files in {seconds:.0f} s: {outcomes['picture']} pictures, {refused} refused")
    print(f"  by kind: {dict(outcomes.most_common())}; no crash, hang, traceback, or memory over the bound")


def kill() -> None:
    """Kill a hundred runs on an album; compare every result with those of a run that was left alone."""
    with tempfile.TemporaryDirectory() as name:
        album, out = write_album(Path(name) / "album"), Path(name) / "out"
        originals = hashes(album)
        helper(HELPER + "run()", album, Path(name) / "clean")
        whole = hashes(Path(name) / "clean")
        out.mkdir()
        after = [json.loads(line) for line in helper(KILLS, album, out).splitlines()]
        damaged = sum(not found.items() <= whole.items() for found in after)
        complete = hashes(out) == whole and not list(out.rglob("*.part"))
        kept = hashes(album) == originals
    print(
        f"{len(after)} runs killed: {damaged} left a damaged result; after a rerun the album is "
        f"{'complete' if complete else 'NOT COMPLETE'}; originals {'byte-identical' if kept else 'CHANGED'}"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mutants", type=int, default=400, help="of each of the files")
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    fuzz(chosen.mutants, chosen.seed)
    kill()
