"""The command line: every bad input is one clear line and a fitting exit code, and other files are still done."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import photochrom
from photochrom.cli.app import VERBS, run
from photochrom.cli.colorize import colorize
from photochrom.cli.doctor import EXTRAS, required
from photochrom.cli.help import topics
from photochrom.cli.restore import restore
from photochrom.errors import EXIT_NOT_INSTALLED, EXIT_OK, EXIT_SOME_FAILED, EXIT_USAGE
from photochrom.files.provenance import read_provenance
from photochrom.options import Topic
from tests.tiny_model import write_tiny_model

ROOT = Path(__file__).parents[2]


@pytest.fixture
def cli(tiny_model: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Return a function that runs `photochrom ARGUMENTS`, colouring with the tiny model: exit code, stdout, stderr."""

    def call(*arguments: object) -> tuple[int, str, str]:
        words = [str(argument) for argument in arguments]
        if words[:1] == ["colorize"] and "--model" not in words:
            words += ["--model", str(tiny_model)]
        exit_code = run(words)
        captured = capsys.readouterr()
        return exit_code, captured.out, captured.err

    return call


Cli = Callable[..., tuple[int, str, str]]
MakePhoto = Callable[..., Path]


def one_line(err: str) -> str:
    """Return the only line of stderr; fail if there are more, or a traceback."""
    assert err.count("\n") == 1, err
    assert "Traceback" not in err
    assert err.startswith("photochrom: ")
    return err


def names_in(folder: Path) -> list[str]:
    """Return the files of a folder and its subfolders, without hidden ones."""
    files = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return sorted(name for name in files if not name.startswith("."))


def test_a_file_is_coloured_next_to_itself(cli: Cli, make_photo: MakePhoto) -> None:
    source = make_photo("grandma.png")
    before = source.read_bytes()
    exit_code, out, err = cli("colorize", source)
    target = source.with_name("grandma-color.png")
    assert (exit_code, err) == (EXIT_OK, "")
    assert str(target) in out
    assert source.read_bytes() == before
    with Image.open(target) as image, Image.open(source) as original:
        assert image.mode == "RGB"
        assert np.array_equal(np.asarray(image.convert("L")), np.asarray(original))
        assert np.ptp(np.asarray(image), axis=-1).max() > 10


def test_a_single_output_name_is_used_and_decides_the_format(cli: Cli, make_photo: MakePhoto, tmp_path: Path) -> None:
    assert cli("colorize", make_photo("a.png"), "-o", tmp_path / "out.tif")[0] == EXIT_OK
    with Image.open(tmp_path / "out.tif") as image:
        assert image.format == "TIFF"


def test_folders_are_mirrored(cli: Cli, make_photo: MakePhoto, tmp_path: Path) -> None:
    make_photo("album/a.png")
    make_photo("album/1930/b.jpg")
    (tmp_path / "album" / "notes.txt").write_text("no picture")
    assert cli("colorize", tmp_path / "album", "-o", tmp_path / "out")[0] == EXIT_OK
    assert names_in(tmp_path / "out") == ["1930/b.jpg", "a.png"]


def test_a_second_run_on_a_folder_does_only_what_is_new(cli: Cli, make_photo: MakePhoto, tmp_path: Path) -> None:
    make_photo("album/a.png")
    arguments = ("colorize", tmp_path / "album", "-o", tmp_path / "out")
    cli(*arguments)
    before = (tmp_path / "out" / "a.png").stat().st_mtime_ns
    make_photo("album/b.png")
    exit_code, out, err = cli(*arguments)
    assert (exit_code, err) == (EXIT_OK, "")
    assert "a.png (done before)" in out
    assert "1 coloured, 1 done before, 0 failed" in out
    assert (tmp_path / "out" / "a.png").stat().st_mtime_ns == before
    assert "2 coloured" in cli(*arguments, "--vividness", 0.5)[1]  # other settings, other pictures


def test_results_beside_their_photographs_are_not_coloured_again(
    cli: Cli, make_photo: MakePhoto, tmp_path: Path
) -> None:
    make_photo("album/a.png")
    make_photo("album/rose-color.png")  # a photograph that happens to be called so
    assert cli("colorize", tmp_path / "album")[0] == EXIT_OK
    cli("colorize", tmp_path / "album", "--overwrite")
    assert names_in(tmp_path / "album") == ["a-color.png", "a.png", "rose-color-color.png", "rose-color.png"]


def test_photographs_of_one_name_from_two_folders_both_survive(cli: Cli, make_photo: MakePhoto, tmp_path: Path) -> None:
    sources = make_photo("one/a.png"), make_photo("two/a.png")
    assert cli("colorize", *sources, "-o", tmp_path / "out")[0] == EXIT_OK
    assert names_in(tmp_path / "out") == ["a-2.png", "a.png"]


def test_the_report_has_a_line_for_each(cli: Cli, make_photo: MakePhoto, tmp_path: Path) -> None:
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"no")
    report = tmp_path / "report.jsonl"
    cli("colorize", make_photo("a.png"), bad, "-o", tmp_path / "out", "--report", report)
    lines = {line["source"]: line for line in map(json.loads, report.read_text().splitlines())}
    assert {Path(source).name: line["status"] for source, line in lines.items()} == {
        "a.png": "done",
        "bad.png": "failed",
    }


def test_a_recipe_makes_the_same_file_again(cli: Cli, make_photo: MakePhoto, tmp_path: Path, tiny_model: Path) -> None:
    target = tmp_path / "out.png"
    cli("colorize", make_photo("a.png"), "-o", target, "--vividness", 0.7, "--recipe")
    recipe = tmp_path / "out.png.recipe.json"
    assert str(tiny_model) not in recipe.read_text()
    first = target.read_bytes()
    target.unlink()
    exit_code, out, _ = cli("redo", recipe, "--model", tiny_model)
    assert exit_code == EXIT_OK
    assert "identical" in out
    assert target.read_bytes() == first
    other = write_tiny_model(tmp_path / "other.onnx", scale=10)
    exit_code, _, err = cli("redo", recipe, "--model", other)
    assert exit_code == EXIT_NOT_INSTALLED
    assert "not the model that the recipe names" in one_line(err)


def test_a_result_says_how_it_was_made(cli: Cli, make_photo: MakePhoto, tmp_path: Path) -> None:
    cli("colorize", make_photo("a.png"), "-o", tmp_path / "out.png", "--vividness", 0.7)
    provenance = read_provenance(photochrom.open_photo(tmp_path / "out.png").metadata.xmp)
    assert provenance is not None
    assert provenance.model == "tiny"
    assert provenance.settings["vividness"] == 0.7
    assert provenance.version == photochrom.__version__


def test_names_that_would_collide_both_survive(cli: Cli, make_photo: MakePhoto, tmp_path: Path) -> None:
    sources = make_photo("a.png"), make_photo("a.jpg")
    assert cli("colorize", *sources, "-o", tmp_path / "out", "--format", "png")[0] == EXIT_OK
    assert len(list((tmp_path / "out").iterdir())) == 2


def test_an_output_is_replaced_only_when_asked(cli: Cli, make_photo: MakePhoto, tmp_path: Path) -> None:
    source, target = make_photo("a.png"), tmp_path / "b.png"
    target.write_bytes(b"precious")
    exit_code, _, err = cli("colorize", source, "-o", target)
    assert exit_code == EXIT_SOME_FAILED
    assert "exists already" in one_line(err)
    assert "--overwrite" in err
    assert target.read_bytes() == b"precious"
    assert cli("colorize", source, "-o", target, "--overwrite")[0] == EXIT_OK
    assert target.read_bytes() != b"precious"


def test_the_photograph_itself_is_never_replaced(cli: Cli, make_photo: MakePhoto) -> None:
    source = make_photo("a.png")
    before = source.read_bytes()
    exit_code, _, err = cli("colorize", source, "-o", source, "--overwrite")
    assert exit_code == EXIT_SOME_FAILED
    assert "itself" in one_line(err)
    assert source.read_bytes() == before


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.jpg", b""),
        ("text.jpg", b"this is no photograph at all"),
        ("page.png", b"<!doctype html><html></html>"),
        ("zip.jpg", b"PK\x03\x04" + bytes(60)),
    ],
)
def test_what_is_no_image_is_one_line_and_the_others_are_done(
    cli: Cli, make_photo: MakePhoto, tmp_path: Path, name: str, content: bytes
) -> None:
    bad = tmp_path / name
    bad.write_bytes(content)
    exit_code, _, err = cli("colorize", bad, make_photo("good.png"), "-o", tmp_path / "out")
    assert exit_code == EXIT_SOME_FAILED
    assert str(bad) in err.splitlines()[0]
    assert "Traceback" not in err
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["good.png"]


@pytest.mark.parametrize("suffix", ["png", "jpg", "tif", "webp"])
def test_a_truncated_image_is_one_line(cli: Cli, make_photo: MakePhoto, tmp_path: Path, suffix: str) -> None:
    path = make_photo(f"cut.{suffix}")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    exit_code, _, err = cli("colorize", path, "-o", tmp_path / f"out.{suffix}")
    assert exit_code == EXIT_SOME_FAILED
    assert str(path) in one_line(err)
    assert not (tmp_path / f"out.{suffix}").exists()


def test_an_absent_file_and_an_empty_folder_are_one_line_each(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for path in (tmp_path / "none.jpg", tmp_path / "empty"):
        exit_code, _, err = cli("colorize", path)
        assert exit_code == EXIT_SOME_FAILED
        assert str(path) in one_line(err)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root reads and writes everything")
def test_an_unreadable_file_and_an_unwritable_folder(cli: Cli, make_photo: MakePhoto, tmp_path: Path) -> None:
    secret = make_photo("secret.png")
    secret.chmod(0)
    exit_code, _, err = cli("colorize", secret)
    assert exit_code == EXIT_SOME_FAILED
    assert str(secret) in one_line(err)
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    exit_code, _, err = cli("colorize", make_photo("a.png"), "-o", locked)
    assert exit_code == EXIT_SOME_FAILED
    assert str(locked) in one_line(err)


def test_an_output_below_a_file_is_one_line(cli: Cli, make_photo: MakePhoto, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    exit_code, _, err = cli("colorize", make_photo("a.png"), "-o", tmp_path / "file" / "out.png")
    assert exit_code == EXIT_SOME_FAILED
    assert str(tmp_path / "file") in one_line(err)


def test_several_photographs_into_one_file_are_refused(cli: Cli, make_photo: MakePhoto, tmp_path: Path) -> None:
    (tmp_path / "out.png").write_bytes(b"precious")
    exit_code, _, err = cli("colorize", make_photo("a.png"), make_photo("b.png"), "-o", tmp_path / "out.png")
    assert exit_code == EXIT_USAGE
    assert "folder" in one_line(err)


@pytest.mark.parametrize(
    ("arguments", "exit_code", "expected"),
    [
        (["colorize", "a.png", "--vividnes", "2"], EXIT_USAGE, "Did you mean --vividness?"),
        (
            ["colorize", "a.png", "--vividness", "9"],
            EXIT_USAGE,
            "--vividness: should be less than or equal to 3, not '9'",
        ),
        (["colorize", "a.png", "--vividness", "strong"], EXIT_USAGE, "--vividness"),
        (["colorize", "a.png", "--format", "gif"], EXIT_USAGE, "--format"),
        (["colorize", "a.png", "--model", "photochrom-colr"], EXIT_USAGE, "Did you mean 'photochrom-color'?"),
        (["colorize", "a.png", "--model", "absent.onnx"], EXIT_NOT_INSTALLED, "absent.onnx: no such model file"),
        (["colorize", "a.png", "--device", "cuda"], EXIT_USAGE, "no cuda support"),
        (["colorize"], EXIT_USAGE, "requires an argument"),
        (["colourise", "a.png"], EXIT_USAGE, "Did you mean 'colorize'?"),
        (["models", "shwo"], EXIT_USAGE, "show"),
        (["models", "show", "photochrom-colr"], EXIT_USAGE, "Did you mean"),
    ],
)
def test_wrong_usage_is_one_line(cli: Cli, arguments: list[str], exit_code: int, expected: str) -> None:
    code, out, err = cli(*arguments)
    assert code == exit_code
    assert out == ""
    assert expected in one_line(err)


def test_a_file_that_is_no_model_is_one_line(cli: Cli, make_photo: MakePhoto, tmp_path: Path) -> None:
    fake = tmp_path / "fake.onnx"
    fake.write_bytes(b"junk")
    exit_code, _, err = cli("colorize", make_photo("a.png"), "--model", fake)
    assert exit_code == EXIT_NOT_INSTALLED
    assert str(fake) in one_line(err)


def test_the_pixel_limit_holds_and_can_be_raised(cli: Cli, make_photo: MakePhoto, tmp_path: Path) -> None:
    source = make_photo("a.png")
    exit_code, _, err = cli("colorize", source, "-o", tmp_path / "x.png", "--max-pixels", 1000)
    assert exit_code == EXIT_SOME_FAILED
    assert "128 x 96" in one_line(err)
    assert cli("colorize", source, "-o", tmp_path / "x.png", "--max-pixels", 20000)[0] == EXIT_OK


def test_options_reach_the_picture(cli: Cli, make_photo: MakePhoto, tmp_path: Path) -> None:
    source = make_photo("a.png")
    cli("colorize", source, "-o", tmp_path / "grey.png", "--vividness", 0)
    cli("colorize", source, "-o", tmp_path / "color.png", "--no-keep-metadata", "--quiet")
    with Image.open(tmp_path / "grey.png") as grey, Image.open(tmp_path / "color.png") as color:
        assert np.ptp(np.asarray(grey), axis=-1).max() <= 1
        assert np.ptp(np.asarray(color), axis=-1).max() > 10


def test_notes_are_told_and_quiet_is_quiet(cli: Cli, make_photo: MakePhoto, tmp_path: Path) -> None:
    source = make_photo("a.png")
    assert "colours weakened" in cli("colorize", source, "-o", tmp_path / "a1.png", "--chroma-ceiling", 5)[1]
    assert cli("colorize", source, "-o", tmp_path / "a2.png", "--quiet")[1] == ""


def test_models_are_listed_and_shown(cli: Cli, tiny_model: Path) -> None:
    assert "photochrom-color (default)" in cli("models", "list")[1]
    exit_code, out, _ = cli("models", "show", tiny_model)
    assert exit_code == EXIT_OK
    assert "render_px      64" in out
    assert "sha256" in out


def test_version_and_help(cli: Cli) -> None:
    assert cli("--version")[1].strip() == photochrom.__version__
    exit_code, out, _ = cli("--help")
    assert exit_code == EXIT_OK
    assert all(name in out for name, _, _ in VERBS)


@pytest.mark.slow
@pytest.mark.parametrize("verb", [name for name, _, _ in VERBS])
def test_every_verb_has_help(cli: Cli, verb: str) -> None:
    exit_code, out, err = cli(verb, "--help")
    assert (exit_code, err) == (EXIT_OK, "")
    assert f"photochrom {verb}" in out


@functools.cache
def help_lines(verb: str) -> list[str]:
    """Return a verb's help on a hundred columns; laying it out takes half a second."""
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(io.StringIO()) as shown:
        patch.setenv("COLUMNS", "100")
        assert run([verb, "--help"]) == EXIT_OK
    return shown.getvalue().splitlines()


@pytest.mark.slow
@pytest.mark.parametrize(("verb", "after"), [("colorize", Topic.RESTORING), ("restore", Topic.FILES)])
def test_help_comes_in_the_order_of_needs(verb: str, after: Topic) -> None:
    lines = help_lines(verb)
    heads = {topic: k for topic in Topic for k, line in enumerate(lines) if line.startswith(f"╭─ {topic.value} ─")}
    assert list(heads) == sorted(heads, key=heads.__getitem__)
    assert set(Topic) - heads.keys() <= {Topic.LOOK}
    assert heads[after] <= 50  # on the first screen is what nine of ten look for
    shown = re.findall(r"^│ (--[a-z-]+)", "\n".join(lines), re.MULTILINE)
    assert len(set(shown)) == len(shown)
    first = "\n".join(lines[: heads[after]])
    for option in ("--output", "--overwrite", "--format", *(["--vividness"] if verb == "colorize" else ["--mask"])):
        assert option in first
    assert "--size" not in first
    assert "--max-pixels" not in first


@pytest.mark.slow
@pytest.mark.parametrize("verb", [colorize, restore])
def test_no_option_is_missing_from_the_help(verb: Callable[..., int]) -> None:
    words = "\n".join(help_lines(verb.__name__))
    options = topics(verb).keys() - {"inputs"}
    assert {name for name in options if f"--{name.replace('_', '-')}" not in words} == set()


@pytest.mark.slow
def test_doctor_checks_everything_and_colours(cli: Cli, tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = photochrom.Colorizer
    monkeypatch.setattr(photochrom, "Colorizer", lambda: original(tiny_model))
    _, out, _ = cli("doctor")
    assert "luma kept exactly" in out
    assert "ONNX Runtime" in out
    assert "cores usable" in out


def test_doctor_fails_when_the_model_is_missing(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("photochrom.engines.hub.WEIGHTS", tmp_path)
    exit_code, out, _ = cli("doctor")
    assert exit_code == EXIT_NOT_INSTALLED
    assert "FAIL" in out


@pytest.mark.parametrize("harm", ["cut", "gone", "none"])
def test_doctor_looks_at_the_weights_beside_a_model(
    cli: Cli, tiny_generator: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, harm: str
) -> None:
    folder = tmp_path / "models" / "deoldify-artistic"
    shutil.copytree(tiny_generator, folder)
    card, weights = json.loads((folder / "card.json").read_text()), folder / "model.weights"
    card["weights_sha256"] = hashlib.sha256(weights.read_bytes()).hexdigest()
    (folder / "card.json").write_text(json.dumps(card))
    if harm == "cut":
        weights.write_bytes(weights.read_bytes()[:-1])
    elif harm == "gone":
        weights.unlink()
    monkeypatch.setenv("PHOTOCHROM_CACHE", str(tmp_path))
    monkeypatch.setattr("photochrom.cli.doctor._self_test", lambda: (True, "", EXIT_OK))
    exit_code, out, _ = cli("doctor")
    line = next(line for line in out.splitlines() if "model deoldify-artistic:" in line)
    told = "as published" if harm == "none" else "NOT the published one. Import or pull the model again."
    assert line.endswith(told)
    assert (exit_code == EXIT_OK) == (harm == "none")


def test_doctor_names_the_command_for_a_missing_extra(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    needs = ["numpy>=1.26", "no-such-package>=1; extra == 'heic'", "pillow[x]>=11", "numpy>=1; extra == 'raw'"]
    monkeypatch.setattr("importlib.metadata.requires", lambda name: needs)
    monkeypatch.setattr("photochrom.cli.doctor._self_test", lambda: (True, "", EXIT_OK))
    out = cli("doctor")[1]
    assert "HEIC photographs: not installed (no-such-package). pip install 'photochrom[heic]'" in out
    assert "camera RAW: installed" in out
    assert "ok    numpy" in out
    assert "ok    pillow" in out


def test_doctor_knows_every_package_and_extra() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert set(required()) == {re.match(r"[\w.-]+", line)[0] for line in declared["dependencies"]}
    assert EXTRAS.keys() == declared["optional-dependencies"].keys() - {"test"}


@pytest.mark.slow
def test_the_whole_process_colours_and_leaves_with_its_exit_code(make_photo: MakePhoto, tiny_model: Path) -> None:
    source = make_photo("a.png")
    command = [sys.executable, "-m", "photochrom", "colorize", str(source), "--model", str(tiny_model)]
    first = subprocess.run(command, capture_output=True, text=True, check=False, timeout=200)
    assert (first.returncode, first.stderr) == (EXIT_OK, "")
    again = subprocess.run(command, capture_output=True, text=True, check=False, timeout=200)
    assert again.returncode == EXIT_SOME_FAILED
    assert "exists already" in one_line(again.stderr)
