"""A run that SIGKILL ends in the midst: nothing half-written is seen, and the result has an undisturbed run's bytes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest

from tests.film.films import two_shots, write_film
from tests.film.test_resume import colored

pytestmark = [pytest.mark.slow, pytest.mark.posix]

# Runs in a process of its own, which ends itself as nobody can hinder: between two instructions, nothing is tidied up.
DOOMED = """
import os, signal, sys
from pathlib import Path
from photochrom.film import pipeline, segments, session, encoding
from tests.film import test_resume
pipeline.SEGMENT_FRAMES, moment, calls = 8, sys.argv[3], []
from photochrom.film import passages
passages.LONGEST = 5
RESTORING = {"codec": "ffv1", "restore": True} if "--restore" in sys.argv else {}

def dies_before(module, name, when):
    really = getattr(module, name)
    def deadly(*arguments, **named):
        if when(*arguments):
            os.kill(os.getpid(), signal.SIGKILL)
        return really(*arguments, **named)
    setattr(module, name, deadly)

def nth(number):
    def when(*_):
        calls.append(1)
        return len(calls) == number
    return when

if moment == "a frame is encoded":
    dies_before(encoding.SegmentWriter, "write", nth(15 + 2))
elif moment == "a segment is put in place":
    dies_before(segments, "put_in_place", lambda source, target: target.name == "00001.mp4")
elif moment == "its record is written":
    dies_before(segments, "write_whole", lambda path, data: path.name == "00001.json")
else:
    really = session.join
    def half(joint, target):
        really(joint, target)
        os.truncate(target, target.stat().st_size // 2)
        os.kill(os.getpid(), signal.SIGKILL)
    session.join = half
test_resume.colored(Path(sys.argv[1]), Path(sys.argv[2]), **RESTORING)
"""


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("film")
    return write_film(folder / "in.mkv", two_shots(16), sound=True, codec="libx264", options={"crf": "12"})


@pytest.fixture
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("photochrom.film.pipeline.SEGMENT_FRAMES", 8)
    monkeypatch.setattr("photochrom.film.passages.LONGEST", 5)


@pytest.fixture(scope="module")
def undisturbed(film: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    target = tmp_path_factory.mktemp("whole") / "out.mp4"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("photochrom.film.pipeline.SEGMENT_FRAMES", 8)
        patch.setattr("photochrom.film.passages.LONGEST", 5)
        colored(film, target)
    return target.read_bytes()


def run_until_killed(film: Path, target: Path, moment: str, *more: str) -> None:
    """Colour a film in a process that SIGKILL ends."""
    here = os.pathsep.join(filter(None, [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH")]))
    command = [sys.executable, "-c", DOOMED, str(film), str(target), moment, *more]
    done = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": here}, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == -signal.SIGKILL, done.stderr


@pytest.mark.parametrize(
    ("moment", "kept"),
    [
        ("a frame is encoded", 10),
        ("a segment is put in place", 10),
        ("its record is written", 10),
        ("packets are joined", 32),
    ],
)
@pytest.mark.usefixtures("_short")
def test_what_is_killed_goes_on_to_the_same_bytes_and_shows_nothing_half_written(
    moment: str, kept: int, film: Path, undisturbed: bytes, tmp_path: Path
) -> None:
    target = tmp_path / "out.mp4"
    run_until_killed(film, target, moment)
    # What a person sees is nothing; what is hidden says of itself what counts, and that plays.
    assert [path.name for path in tmp_path.iterdir() if not path.name.startswith(".")] == []
    work = tmp_path / ".photochrom-film-out.mp4"
    for record in work.glob("0*.json"):
        with av.open(str(record.with_suffix(".mp4"))) as segment:
            assert sum(1 for _ in segment.decode(video=0)) > 0
    result = colored(film, target)
    assert result.resumed == kept
    assert target.read_bytes() == undisturbed
    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4"]


@pytest.mark.usefixtures("_short")
def test_a_worn_film_that_is_restored_survives_a_kill_to_the_byte(tmp_path: Path) -> None:
    random, lumas = np.random.default_rng(0), []
    for luma in two_shots(16):
        worn = luma * random.uniform(0.8, 1.2) + random.normal(0, 6, luma.shape)
        row, column = random.integers(0, 56), random.integers(0, 88)
        worn[row : row + 5, column : column + 5] = 235  # dust that lives one frame
        lumas.append(np.clip(worn, 16, 235).astype(np.uint8))
    film = write_film(tmp_path / "in.mkv", lumas)
    undisturbed = colored(film, tmp_path / "whole.mkv", codec="ffv1", restore=True)
    target = tmp_path / "out.mkv"
    run_until_killed(film, target, "a frame is encoded", "--restore")
    result = colored(film, target, codec="ffv1", restore=True)
    assert result.resumed > 0
    assert target.read_bytes() == (tmp_path / "whole.mkv").read_bytes()
    assert [note for note in result.notes if "dust" in note] == [n for n in undisturbed.notes if "dust" in n] != []
