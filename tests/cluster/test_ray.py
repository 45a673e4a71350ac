"""A Ray cluster of two workers on this computer: one is killed, one photograph kills whoever takes it; films by shots.

Ray gives its own processes 30 seconds to begin, which a busy computer does not keep, so this runs when it is asked for:

    PHOTOCHROM_RAY_TESTS=1 pytest tests/cluster/test_ray.py
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from photochrom.errors import EXIT_OK, EXIT_SOME_FAILED
from photochrom.film import pipeline
from photochrom.film.session import FilmColorizer
from photochrom.options import ColorizeOptions
from tests.albums.test_batch import write
from tests.film.test_stretches import film_of

pytestmark = [
    pytest.mark.slow,
    pytest.mark.posix,
    pytest.mark.skipif(find_spec("ray") is None, reason="the extra cluster"),
    pytest.mark.skipif("PHOTOCHROM_RAY_TESTS" not in os.environ, reason="set PHOTOCHROM_RAY_TESTS=1"),
]

HOOK = """
import os, pathlib
from photochrom.cluster import worker
really, once = worker.Worker._staged, pathlib.Path(os.environ["PHOTOCHROM_TEST_ONCE"])
def staged(self, photo, *more):
    first = photo.name == "b.png" and not once.exists()
    if photo.name == "poison.png" or first:
        once.touch()
        os.kill(os.getpid(), 9)
    return really(self, photo, *more)
worker.Worker._staged = staged
"""
FILM_HOOK = """
import os, pathlib
from photochrom.cluster import films
from photochrom.film import passages, pipeline
pipeline.SEGMENT_FRAMES, pipeline.SHOT_FRAMES, passages.LONGEST = 6, 4, 3
really, once = films.SharedWork.commit, pathlib.Path(os.environ["PHOTOCHROM_TEST_ONCE"])
def commit(self, *more):
    really(self, *more)
    if not once.exists():
        once.touch()
        os.kill(os.getpid(), 9)
films.SharedWork.commit = commit
"""


def batch_on_two_workers(tmp_path: Path, model: Path, hook: str, *more: str) -> subprocess.CompletedProcess[str]:
    """Do ``in`` on a cluster whose workers run ``hook`` when they start, as any Python does with sitecustomize."""
    (tmp_path / "hooks").mkdir()
    # So the kills come from inside, at a known moment.
    (tmp_path / "hooks" / "sitecustomize.py").write_text(
        "import sys\nif any('default_worker' in part for part in sys.orig_argv):\n    exec(" + repr(hook) + ")\n"
    )
    paths = os.pathsep.join([str(tmp_path / "hooks"), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {**os.environ, "PYTHONPATH": paths, "PHOTOCHROM_TEST_ONCE": str(tmp_path / "once")}
    command = [sys.executable, "-m", "photochrom", "batch", str(tmp_path / "in"), str(tmp_path / "out"), *more]
    command += ["--ray-address", "local", "--workers", "2", "--model", str(model), "--report", str(tmp_path / "r")]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=220, check=False)


def test_a_film_done_by_shots_survives_a_killed_worker_to_the_byte(
    tmp_path: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "SEGMENT_FRAMES", 6)
    monkeypatch.setattr(pipeline, "SHOT_FRAMES", 4)
    monkeypatch.setattr("photochrom.film.passages.LONGEST", 3)
    (tmp_path / "in").mkdir()
    (tmp_path / "alone").mkdir()
    film = film_of(tmp_path / "in/reel.mkv", 10, 4, 5, 8)
    with FilmColorizer(color=ColorizeOptions(model=str(tiny_model))) as colorizer:
        colorizer(film, tmp_path / "alone/reel.mkv")
    done = batch_on_two_workers(tmp_path, tiny_model, FILM_HOOK, "--films")
    assert done.returncode == EXIT_OK, done.stderr
    assert (tmp_path / "once").exists()
    assert (tmp_path / "out/reel.mkv").read_bytes() == (tmp_path / "alone/reel.mkv").read_bytes()
    (report,) = (json.loads(line) for line in (tmp_path / "r").read_text().splitlines())
    assert report["status"] == "done"


def test_a_cluster_does_each_photograph_once_and_gives_up_on_poison(tmp_path: Path, tiny_model: Path) -> None:
    for seed, name in enumerate(["a.png", "b.png", "c.png", "d.png", "e.png", "f.png", "poison.png", "z.png"]):
        write(tmp_path / "in" / name, seed)
    done = batch_on_two_workers(tmp_path, tiny_model, HOOK)
    reports = [json.loads(line) for line in (tmp_path / "r").read_text().splitlines()]
    assert done.returncode == EXIT_SOME_FAILED, done.stderr
    assert sorted(Path(report["source"]).name for report in reports) == sorted(os.listdir(tmp_path / "in"))
    failed = [report for report in reports if report["status"] == "failed"]
    assert [Path(report["source"]).name for report in failed] == ["poison.png"]
    assert "its worker was killed 3 times" in failed[0]["error"]
    assert sorted(path.name for path in (tmp_path / "out").glob("*.png")) == [f"{name}.png" for name in "abcdefz"]
    assert (tmp_path / "once").exists()
