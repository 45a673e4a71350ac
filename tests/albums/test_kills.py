"""Kill -9 at a hundred moments, several runs at once, Ctrl-C from outside: nothing is ever lost or half-written.

One helper process imports everything and forks for each trial, which costs milliseconds instead of a fresh start.
Half of the kills come at the n-th file operation, counted by an audit hook, so that no moment between "opened",
"flushed", "promised" and "renamed" is left out; the other half at random times.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.files.makers import pillow_bytes, textured

pytestmark = pytest.mark.posix

HELPER = """
import json, os, random, signal, sys, time
from dataclasses import replace
from pathlib import Path
import numpy as np
from photochrom.albums.plan import plan
from photochrom.albums.batch import run_batch
from photochrom.albums.results import BatchSettings
from photochrom.albums.manifest import Manifest
from photochrom.options import OutputOptions
from photochrom.files.provenance import Provenance

ALBUM, OUT = Path(sys.argv[1]), Path(sys.argv[2])
SETTINGS = BatchSettings(Provenance("fake", "00", "1"), OutputOptions(format="bmp"))

class Result:
    def __init__(self, photo):
        self.photo, self.notes, self.companions, self.source_type, self.is_skipped = photo, (), (), "", False

def color(photo):
    time.sleep(0.001)
    return Result(replace(photo, pixels=np.repeat(photo.pixels[..., :1], 3, axis=2) // 2))

def run(workers=2):
    planned = plan([ALBUM], OUT, format="bmp")
    return run_batch(planned.jobs, color, SETTINGS, manifest=planned.manifest, workers=workers)

def child(work):
    process = os.fork()
    if process == 0:
        try:
            work()
            os._exit(0)
        except BaseException:
            import traceback
            traceback.print_exc()
            os._exit(1)
    return process

def die_at(number):
    left = [number]
    def count(event, arguments):
        if event in ("open", "os.rename", "os.remove", "os.mkdir", "os.listdir", "os.scandir"):
            left[0] -= 1
            if left[0] <= 0:
                os.kill(os.getpid(), signal.SIGKILL)
    def work():
        sys.addaudithook(count)
        run()
    return work
"""

KILLS = (
    HELPER
    + """
import hashlib
chance = random.Random(7)
killed = trials = 0
while killed < 100 and trials < 400:
    trials += 1
    if len(list(OUT.rglob("*.bmp"))) > chance.randrange(4, 16):  # begin the album anew
        for path in sorted(OUT.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
    if trials % 2:
        process = child(die_at(chance.randrange(1, 250)))
    else:
        process = child(run)
        time.sleep(chance.random() * 0.15)
        os.kill(process, signal.SIGKILL)
    if os.waitpid(process, 0)[1] != signal.SIGKILL:
        continue
    killed += 1
    files = {path.relative_to(OUT).as_posix(): path.read_bytes() for path in OUT.rglob("*.bmp")}
    found = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    print(json.dumps(found), flush=True)
assert os.waitpid(child(run), 0)[1] == 0
"""
)

AT_ONCE = (
    HELPER
    + """
processes = [child(run) for _ in range(4)]
def summary():
    found = run()
    assert (found.failed, found.left) == (0, 0), found
assert [os.waitpid(process, 0)[1] for process in processes] == [0] * 4
os.waitpid(child(summary), 0)
def all_well():
    for number in range(3):
        summary()
again = [child(all_well) for _ in range(3)]
assert [os.waitpid(process, 0)[1] for process in again] == [0] * 3
"""
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Twelve small photographs in two folders."""
    return write_album(tmp_path / "album")


def write_album(path: Path) -> Path:
    for number in range(12):
        file = path / ("one" if number % 2 else "two") / f"{number}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(pillow_bytes(textured(20 + number, 30, channels=1), "PNG"))
    return path


def helper(program: str, folder: Path, out: Path) -> str:
    command = [sys.executable, "-W", "error", "-c", program, str(folder), str(out)]
    one_thread = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}  # forking beside other threads is warned of
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False, env=one_thread)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def hashes(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.mark.slow
def test_a_hundred_kills_lose_nothing(folder: Path, tmp_path: Path) -> None:
    originals = hashes(folder)
    helper(HELPER + "run()", folder, tmp_path / "clean")
    expected = hashes(tmp_path / "clean")
    assert len(expected) == 12
    out = tmp_path / "out"
    out.mkdir()
    after_each_kill = [json.loads(line) for line in helper(KILLS, folder, out).splitlines()]
    assert len(after_each_kill) == 100
    for found in after_each_kill:
        assert found.items() <= expected.items(), "a result was neither whole nor absent"
    assert len({len(found) for found in after_each_kill}) > 5, "the kills came at too few different moments"
    assert hashes(out) == expected
    assert hashes(folder) == originals
    assert not list(out.rglob("*.part"))


@pytest.mark.slow
def test_several_runs_at_once_on_one_album(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    originals = hashes(folder)
    helper(AT_ONCE, folder, out)
    helper(HELPER + "run()", folder, tmp_path / "clean")
    assert hashes(out) == hashes(tmp_path / "clean")
    assert hashes(folder) == originals
    assert not list(out.rglob("*.part"))
