import json
import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from PIL import Image

from photochrom.cli.app import run
from photochrom.errors import EXIT_NOT_INSTALLED, EXIT_OK, EXIT_SOME_FAILED, EXIT_USAGE
from tests.train.conftest import write_config


@pytest.mark.slow
def test_train_then_export_then_colour(
    exported_run: tuple[Path, Path, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, model, said = exported_run
    assert "next: photochrom export" in said
    assert "sha256" in said
    assert "parity" in said
    assert len((folder / "log.jsonl").read_text().splitlines()) >= 3
    assert list((folder / "tensorboard").glob("events*"))
    grey = tmp_path / "grey.png"
    Image.fromarray(np.tile(np.arange(96, dtype=np.uint8) * 2, (64, 1))).save(grey)
    assert run(["colorize", str(grey), "-o", str(tmp_path / "out.png"), "--model", str(model)]) == EXIT_OK
    with Image.open(tmp_path / "out.png") as coloured:
        assert coloured.size == (96, 64)
    capsys.readouterr()
    assert run(["export", str(folder), "-o", str(model)]) == EXIT_USAGE
    assert "exists already" in capsys.readouterr().err


def spoken_of(model: Path) -> dict[str, Any]:
    said = {entry.key: entry.value for entry in onnx.load(model).metadata_props}
    header: dict[str, Any] = json.loads(said["photochrom"])
    return header


@pytest.mark.slow
def test_a_model_exported_again_says_what_it_said_unless_told_otherwise(
    exported_run: tuple[Path, Path, str], tmp_path: Path
) -> None:
    first, second, third = (tmp_path / f"{name}.onnx" for name in ("first", "second", "third"))
    told = {"licence": "CC-BY-4.0", "trained_on": "Our prints.", "gain": 1.5, "detail_px": 96, "temperature": 0.25}
    words = [f"--{name.replace('_', '-')}={value}" for name, value in told.items()]
    assert run(["export", str(exported_run[0]), "-o", str(first), "--trust-frequencies", "0.5", *words]) == EXIT_OK
    assert run(["export", str(first), "-o", str(second)]) == EXIT_OK
    assert spoken_of(second) == spoken_of(first)
    assert spoken_of(second).items() >= told.items()
    assert spoken_of(second)["rebalancing_left"] == 0.5
    assert run(["export", str(first), "-o", str(third), "--gain", "2", "--trust-frequencies", "0"]) == EXIT_OK
    assert spoken_of(third) == spoken_of(first) | {"gain": 2.0, "rebalancing_left": 1.0}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("source", "words", "line"),
    [
        ("run", ["--gain", "0"], "gain: should be greater than 0, not 0.0"),
        ("run", ["--gain", "nan"], "gain: should be less than or equal to 4, not nan"),
        ("run", ["--render-px", "5000"], "render_px: should be less than or equal to 1024, not 5000"),
        ("run", ["--noisy", "2"], "--noisy: does not concern models of contract color/2. Leave it out."),
        ("photochrom-polarity", ["--negative", "7"], "negative: should be less than or equal to 1, not 7.0"),
        (
            "photochrom-polarity",
            ["--gain", "2"],
            "--gain: does not concern models of contract polarity/1. Leave it out.",
        ),
    ],
)
def test_a_file_that_no_engine_would_take_is_not_written(
    exported_run: tuple[Path, Path, str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    source: str,
    words: list[str],
    line: str,
) -> None:
    started = str(exported_run[0]) if source == "run" else source
    assert run(["export", started, "-o", str(tmp_path / "out.onnx"), *words]) == EXIT_USAGE
    assert capsys.readouterr().err == f"photochrom: {line}\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.posix
@pytest.mark.slow
def test_a_signal_saves_and_says_how_to_go_on(
    shard: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from photochrom.cli.train import Display

    def show_and_stop(_display: Display, _line: dict[str, object]) -> None:
        os.kill(os.getpid(), signal.SIGTERM)

    config = write_config(tmp_path / "tiny.toml", shard, tmp_path / "run")
    with monkeypatch.context() as patch:
        patch.setattr(Display, "show_step", show_and_stop)
        assert run(["train", str(config), "--quiet"]) == EXIT_OK
    assert f"photochrom train {config} --resume" in capsys.readouterr().err
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    assert run(["train", str(config)]) == EXIT_SOME_FAILED
    assert "--resume" in capsys.readouterr().err
    assert run(["train", str(config), "--resume"]) == EXIT_OK
    assert "trained on 6 photographs" in capsys.readouterr().out
    lines = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines if "loss" in line] == [1, 2, 3]


@pytest.mark.parametrize(
    ("arguments", "exit_code", "said"),
    [
        (["train", "absent.toml"], EXIT_USAGE, "cannot read the configuration"),
        (["export", "absent", "-o", "x.onnx"], EXIT_SOME_FAILED, "no checkpoint here"),
        (["export", "absent", "-o", "x.bin"], EXIT_USAGE, "ends in .onnx"),
    ],
)
def test_wrong_arguments_are_one_line(
    arguments: list[str], exit_code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == exit_code
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    "verb", [["train", "x.toml"], ["export", "run", "-o", "x.onnx"], ["finetune", "x", "-o", "x.onnx"]]
)
def test_a_missing_extra_is_named(
    verb: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "torch" else object())
    assert run(verb) == EXIT_NOT_INSTALLED
    assert "pip install 'photochrom[train]'" in capsys.readouterr().err
