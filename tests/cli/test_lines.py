"""Names that would move the cursor, tables that would compute, output that is full or closed, and signals."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from photochrom.cli.app import run
from photochrom.cli.lines import CONTROLS, DIRECTIONS, visible
from photochrom.errors import EXIT_OK, EXIT_SOME_FAILED, EXIT_TERMINATED
from photochrom.spelling import inert_cell

pytestmark = pytest.mark.posix
NASTY = "gran\x1b[2J\x1b]0;owned\x07\nphotochrom: all is well\x9b31m\u202egnp.png"


@pytest.fixture
def tiny(tiny_model: Path, tmp_path: Path) -> list[str]:
    """A command line that colours one photograph of a nasty name."""
    source = tmp_path / NASTY
    Image.new("L", (48, 40), 90).save(source, "PNG")
    return ["colorize", str(source), "-o", str(tmp_path / "out"), "--model", str(tiny_model)]


def started(arguments: list[str], **options: object) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "photochrom", *arguments], **options)  # type: ignore[call-overload,no-any-return]


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(st.text())
def test_what_is_shown_has_no_controls_and_says_which_were_there(text: str) -> None:
    import unicodedata

    shown = visible(text)
    assert not any(letter in DIRECTIONS or unicodedata.category(letter) in CONTROLS for letter in shown)
    assert (shown == text) == (shown.encode("utf-8", "surrogatepass") == text.encode("utf-8", "surrogatepass"))


def test_names_are_shown_on_one_line_whether_all_is_well_or_not(
    tiny: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tiny) == EXIT_OK
    out = capsys.readouterr().out
    assert run(tiny) == EXIT_SOME_FAILED  # exists already
    err = capsys.readouterr().err
    for text in (out, err):
        assert text.count("\n") == 1
        assert not set(text) & set("\x1b\x07\x9b\u202e")
        assert "gran\\x1b[2J" in text


@pytest.mark.slow
def test_names_that_no_encoding_has_are_shown(tmp_path: Path, tiny_model: Path) -> None:
    source = os.fsencode(tmp_path) + b"/\xff\xfe.png"
    Image.new("L", (48, 40), 90).save(tmp_path / "a.png")
    os.rename(tmp_path / "a.png", source)
    command = ["colorize", os.fsdecode(source), "-o", str(tmp_path / "ü"), "--model", str(tiny_model)]
    ascii_only = {**os.environ, "PYTHONIOENCODING": "ascii"}
    with started(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ascii_only) as process:
        out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, b"")
    assert b"\\udcff\\udcfe.png -> " in out


@pytest.mark.parametrize(
    "name", ["=HYPERLINK(1)", "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "|x", "%x", "\uff1d1", "\n=1"]
)
def test_cells_that_begin_like_formulas_are_made_text(name: str) -> None:
    assert inert_cell(name) == "'" + name


@pytest.mark.parametrize("cell", ["a=b", "-0.5", "+3", "-inf", 4, 0.25, None, "", "photo.png"])
def test_other_cells_stay_as_they_are(cell: object) -> None:
    assert inert_cell(cell) == cell


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_output_costs_no_photograph_and_is_told(tiny: list[str], tmp_path: Path) -> None:
    with (
        Path("/dev/full").open("wb") as full,
        started(tiny, stdout=full, stderr=subprocess.PIPE) as process,
    ):
        _, err = process.communicate(timeout=60)
    assert process.returncode == EXIT_SOME_FAILED
    assert err.count(b"\n") == 1
    assert b"standard output: cannot be written (No space left on device)" in err
    assert len(list((tmp_path / "out").glob("*.png"))) == 1


@pytest.mark.slow
@pytest.mark.parametrize("closed", ["all", "full stderr"])
def test_closed_streams_cost_no_photograph_and_get_no_result_written_into(
    tiny: list[str], tmp_path: Path, closed: str
) -> None:
    redirected = {"all": "<&- >&- 2>&-", "full stderr": "2>/dev/full"}[closed]
    script = f'exec "$0" -m photochrom "$@" {redirected}'
    command = ["sh", "-c", script, sys.executable]
    done = subprocess.run([*command, *tiny], capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    [result] = (tmp_path / "out").glob("*.png")
    with Image.open(result) as picture:
        assert picture.mode == "RGB"


ALBUM = """
import os, signal, sys, threading
from pathlib import Path
from photochrom.albums.plan import plan
from photochrom.albums.results import BatchSettings
from photochrom.cli.app import end_on_signals
from photochrom.cli.runs import run_planned
from photochrom.files.provenance import Provenance
from tests.albums.test_batch import redden

def redden_and_signal(photo):
    os.kill(os.getpid(), getattr(signal, sys.argv[3]))
    return redden(photo)

end_on_signals()
album, out = Path(sys.argv[1]), Path(sys.argv[2])
planned = plan([album], out, format=None)
settings = BatchSettings(Provenance("fake", "0", "1"))
sys.exit(run_planned(planned, redden_and_signal, settings, workers=1, report=None, quiet=False, done="coloured"))
"""


@pytest.mark.slow
@pytest.mark.parametrize(("name", "code"), [("SIGTERM", 143), ("SIGHUP", 143), ("SIGINT", 130)])
def test_an_album_that_is_told_to_end_finishes_what_it_began_and_says_so(tmp_path: Path, name: str, code: int) -> None:
    for number in range(6):
        Image.new("L", (20, 20), 40 * number).save(tmp_path / f"{number}.png")
    command = [sys.executable, "-c", ALBUM, str(tmp_path), str(tmp_path / "out"), name]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=False, cwd=Path(__file__).parents[2]
    )
    assert done.returncode == code, done.stderr
    assert "Run the same command again to go on" in done.stderr
    assert done.stderr.count("\n") == 1
    assert not list((tmp_path / "out").glob("*.part"))


def test_a_verb_that_is_told_to_end_says_so() -> None:
    program = (
        "import os, signal\nfrom photochrom.cli import app\napp.end_on_signals()\n"
        "app.build_app = lambda: lambda _: os.kill(os.getpid(), signal.SIGTERM)\nraise SystemExit(app.run([]))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == EXIT_TERMINATED
    assert done.stderr == "photochrom: stopped by the system or another program\n"


def test_a_run_that_is_told_to_end_while_it_starts_ends(tiny: list[str]) -> None:
    with started(tiny, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=60)
    assert process.returncode in (143, -signal.SIGTERM)
    assert b"Traceback" not in err
