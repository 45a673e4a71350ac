"""Hostile files and sudden deaths: how many were survived.

    python benchmarks/robustness.py [--mutants 400] [--seed 0] [--only fuzz truths odd bombs cuts checkpoints kills]
                                    [--pictures 12]

Fuzzes every format with mutated files, each slice in a process of its own with a bound on memory; reads files whose
picture is known, harmed in five ways, and files that are often read wrongly, and compares with the truth
(`truths.py`); opens and writes
again small files that ask for gigabytes or minutes; cuts a hundred files between their header and their pixels; reads
pickles that are bombs; and kills runs on an album a hundred times. By the code of the tests, only with other seeds,
and as many mutants as are asked for. Stops at the first file that is neither a picture nor one clear line.
"""

from __future__ import annotations

import argparse
import ast
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.albums.test_kills import HELPER, KILLS, hashes, helper, write_album
from tests.files import test_cut_files
from tests.files.makers import one_of_each
from tests.files.test_hostile import run_child
from tests.importer.test_hostile_checkpoints import HOSTILE


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


def truths(count: int, seed: int) -> None:
    """Harm files whose picture is known, and print how many were refused, read rightly, and read wrongly."""
    told = [line.split("|") for line in child(TRUTHS.format(count=count, seed=seed)).splitlines()]
    sums = Counter[str]()
    print("| format | harm | files | refused | right | slightly off | another's | wrong |", "|---" * 8 + "|", sep="\n")
    for kind, harm, *numbers in told[:-1]:
        refused, right, slight, another, wrong = counts = list(map(int, numbers))
        sums.update(refused=refused, right=right, slight=slight, another=another, wrong=wrong)
        print("|", " | ".join(map(str, (kind, harm, sum(counts), *counts))), "|")
    seconds, megabytes = (float(figure) for figure in told[-1])
    print(
        f"{sums.total()} harmed files: {sums['refused']} refused in one line, {sums['right'] + sums['slight']} read as "
        f"they were or with a few pixels off, {sums['another']} of another picture in files that keep their rules, "
        f"{sums['wrong']} wrong; at most {seconds:.2f} s of processor time each, "
        f"{megabytes:.0f} MB for all in one process"
    )


def odd(count: int, seed: int) -> None:
    """Read files that are often read wrongly."""
    found = [line.split("|") for line in child(ODD.format(count=count, seed=seed)).splitlines()]
    sums = Counter(result for _, result in found)
    for kind, result in found:
        if result == "WRONG":
            print(f"  WRONG: {kind}")
    print(f"{len(found)} files of {len({kind for kind, _ in found})} odd kinds: {dict(sums)}")


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


def bombs() -> None:
    """Open and write again each small file that asks for much; print what they cost at most."""
    lines = [line.split("|") for line in child(BOMBS).splitlines()]
    refused = sum(said.startswith("refused") for _, said, _, _ in lines)
    without = sum("left out" in said for _, said, _, _ in lines)
    seconds, megabytes = max(float(line[2]) for line in lines), max(int(line[3]) for line in lines) / 1000
    print(
        f"{len(lines)} bombs of up to 2 MB, read and written twice: {refused} refused in one line, {without} without "
        f"what was too much, with a note; at most {seconds:.2f} s of processor time each, {megabytes:.0f} MB for all"
    )


def cuts() -> None:
    """Cut a hundred files while they are read."""
    with tempfile.TemporaryDirectory() as name:
        refused = sum(int(child(CUT.format(folder=name, piecewise=piecewise))) for piecewise in (False, True))
    print(f"{test_cut_files.CUTS} files cut while read: {refused} told about in one line each, none ended the process")


def checkpoints() -> None:
    """Read the pickles that are bombs."""
    with tempfile.TemporaryDirectory() as name:
        refused = len(child(CHECKPOINTS.format(folder=name)).splitlines())
    print(f"{len(HOSTILE)} hostile checkpoints: {refused} refused in one line each")


TRUTHS = """
import time
from collections import Counter
import numpy as np
from benchmarks.truths import *
from photochrom.evaluation.cost import peak_mb
random, found, longest = np.random.default_rng({seed}), Counter(), 0.0
for kind, make in harmed_kinds().items():
    for picture in pictures().values():
        for _ in range({count}):
            truth = cut_from(picture, random)
            data = make(truth)
            truth = open_photo(data).pixels.squeeze()
            for harm, harmed in harms(data, random):
                start = time.process_time()
                found[kind, harm, outcome(harmed, truth, data)] += 1
                longest = max(longest, time.process_time() - start)
for kind, harm in dict.fromkeys((kind, harm) for kind, harm, _ in found):
    numbers = [found[kind, harm, result] for result in ("refused", "right", "slightly off", "another's", "WRONG")]
    print(kind, harm, *numbers, sep="|")
print(longest, peak_mb(), sep="|")
"""
ODD = """
import numpy as np
from benchmarks.truths import *
random = np.random.default_rng({seed})
for _ in range({count}):
    for kind, data, truth in odd_kinds(random):
        print(kind, outcome(data, truth), sep="|")
"""
BOMBS = "from tests.files.test_budgets import open_all; open_all()"
CUT = """
from pathlib import Path
from tests.files.test_cut_files import cut_all
print(cut_all(Path({folder!r}), piecewise={piecewise}))
"""
CHECKPOINTS = "from tests.importer.test_hostile_checkpoints import read_all; read_all({folder!r})"


def child(program: str) -> str:
    """Return what a program prints in a process of its own; stop where it dies."""
    root = Path(__file__).parent.parent
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=root)
    if done.returncode:
        raise SystemExit(f"exit {done.returncode}: {program}\n{done.stdout[-500:]}{done.stderr[-3000:]}")
    return done.stdout.removesuffix("all\n").strip()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mutants", type=int, default=400, help="of each of the files")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--pictures", type=int, default=12, help="of each kind whose truth is known, twice in grey and colour"
    )
    whole = {"bombs": bombs, "cuts": cuts, "checkpoints": checkpoints, "kills": kill}
    sized = {"fuzz": fuzz, "truths": truths, "odd": odd}
    parts = [*sized, *whole]
    parser.add_argument("--only", nargs="+", choices=parts, default=parts)
    chosen = parser.parse_args()
    for part in chosen.only:
        if part in whole:
            whole[part]()
        else:
            sized[part](chosen.mutants if part == "fuzz" else chosen.pictures, chosen.seed)
