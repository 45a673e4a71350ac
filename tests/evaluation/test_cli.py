"""`photochrom evaluate`: the whole way with a real, tiny model file; bad input is one line and an exit code."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from photochrom.cli.app import run
from photochrom.errors import EXIT_OK, EXIT_SOME_FAILED, EXIT_USAGE
from photochrom.evaluation import cost
from photochrom.evaluation.photographs import greyed
from tests.evaluation.conftest import samples, tint, write_pictures

QUICK = ("--no-features", "--no-stress", "--no-squash", "--no-cost")


@pytest.mark.slow
def test_a_model_and_another_tool_share_one_table(
    photo_folder: Path, tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tool = write_pictures(tmp_path / "tool", {name: tint(greyed(rgb)) for name, rgb in samples().items()})
    report = tmp_path / "report"
    words = ["evaluate", photo_folder, "--model", tiny_model, "--pairs", photo_folder, tool, "--report", report]
    assert run([*map(str, words), *QUICK, "--reliability"]) == EXIT_OK
    out = capsys.readouterr().out
    assert "tiny" in out
    assert str(report / "index.html") in out
    summary = json.loads((report / "scoreboard.json").read_text())
    assert list(summary["views"]) == ["native"]
    assert list(summary["views"]["native"]) == ["tiny", "tool", "grey", "truth, JPEG chroma", "truth"]
    assert summary["views"]["native"]["tiny"]["luma_error"]["value"] == 0
    assert list(summary["reliability"]) == ["tiny"]
    assert len(summary["rows"]["tiny"]["sha256"]) == 64


def test_pairs_alone_need_no_model(photo_folder: Path, tmp_path: Path) -> None:
    tool = write_pictures(tmp_path / "tool", samples())
    report = tmp_path / "report"
    assert run(["evaluate", "--pairs", str(photo_folder), str(tool), "--report", str(report), *QUICK, "-q"]) == EXIT_OK
    rows = json.loads((report / "scoreboard.json").read_text())["views"]["native"]
    assert rows["tool"]["ciede2000"]["value"] == 0


@pytest.mark.slow
def test_an_unreadable_photograph_is_named_and_the_others_are_measured(
    photo_folder: Path, tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (photo_folder / "broken.jpg").write_bytes(b"\xff\xd8\xff")
    words = ["evaluate", str(photo_folder), "--model", str(tiny_model), "--report", str(tmp_path / "r"), *QUICK, "-q"]
    assert run(words) == EXIT_SOME_FAILED
    assert capsys.readouterr().err == "photochrom: broken.jpg: not a picture, or damaged. It was left out.\n"
    assert json.loads((tmp_path / "r" / "scoreboard.json").read_text())["photographs"] == 5


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "exit_code", "line"),
    [
        (["--report", "{tmp}/r"], EXIT_USAGE, "a folder of colour photographs is needed"),
        (["{tmp}/absent", "--report", "{tmp}/r"], EXIT_SOME_FAILED, "no such folder"),
        (["{photos}", "--report", "{tmp}/r", "--limit", "0"], EXIT_USAGE, "--limit: at least one photograph"),
        (["{photos}", "--report", "{tmp}/r", "--model", "nonesuch"], EXIT_USAGE, "nonesuch"),
        (
            ["{photos}", "--pairs", "{tmp}", "{photos}", "--report", "{tmp}/r"],
            EXIT_USAGE,
            "the truth must be one folder",
        ),
        (["--pairs", "{photos}", "{photos}/sub", "--report", "{tmp}/r"], EXIT_USAGE, "do not match: 5 missing"),
        (["{photos}", "--labels", "{tmp}/absent.csv", "--report", "{tmp}/r"], EXIT_USAGE, "the labels cannot be read"),
    ],
)
def test_bad_input_is_one_line(
    words: list[str],
    exit_code: int,
    line: str,
    photo_folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    filled = [word.format(tmp=tmp_path, photos=photo_folder) for word in words]
    assert run(["evaluate", *filled, *QUICK]) == exit_code
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert err.startswith("photochrom: ")
    assert line in err
    assert not (tmp_path / "r" / "index.html").exists()


@pytest.mark.slow
def test_cost_is_measured_in_a_process_of_its_own(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cost, "LARGE_MEGAPIXELS", 2)
    figures = cost.measure_cost(str(tiny_model))
    assert figures.keys() == cost.FIGURES.keys()  # what the page shows
    assert figures["seconds_at_1_mp"] > 0
    if figures["idle_mb"] is not None:  # Windows does not tell
        assert 20 < figures["idle_mb"] < figures["peak_mb_at_1_mp"]
        assert 3 < figures["peak_mb_per_further_mp"] < 400


def test_a_cost_that_cannot_be_measured_costs_no_other_figure(
    photo_folder: Path,
    tiny_model: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(cost, "LIMIT_S", 0.01)
    words = ["evaluate", str(photo_folder), "--model", str(tiny_model), "--report", str(tmp_path / "r"), "--limit", "1"]
    assert run([*words, *QUICK[:-1]]) == EXIT_SOME_FAILED
    assert "its cost cannot be measured (1 megapixels took longer than 0.01 s)" in capsys.readouterr().err
    summary = json.loads((tmp_path / "r" / "scoreboard.json").read_text())
    assert summary["photographs"] == 1
    assert summary["cost"] == {}


@pytest.mark.posix
def test_names_that_are_no_utf_8_are_measured_and_written(tmp_path: Path, tiny_model: Path) -> None:
    folder = write_pictures(tmp_path / "set", {"a.png": samples()["coffee.png"]})
    try:
        os.rename(os.fsencode(folder / "a.png"), os.fsencode(folder) + b"/\xff<a>.png")
    except OSError:
        pytest.skip("this file system has no such names")
    out = tmp_path / "r"
    words = ["evaluate", str(folder), "--model", str(tiny_model), "--report", str(out), "--limit", "1", "-q"]
    assert run([*words, "--no-features", "--no-squash", "--no-cost"]) == EXIT_OK
    assert json.loads((out / "scoreboard.json").read_text(encoding="utf-8"))["photographs"] == 1
    assert "\\udcff<a>.png,native,tiny" in (out / "photographs.csv").read_text(encoding="utf-8")
    assert "\\udcff&lt;a&gt;.png" in (out / "index.html").read_text(encoding="utf-8")
