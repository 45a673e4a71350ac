"""What is named to be written beside results takes the place of no photograph, whatever verb writes it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from photochrom.cli.app import run
from photochrom.cli.targets import refuse_targets
from photochrom.errors import EXIT_OK, EXIT_SOME_FAILED, EXIT_USAGE, OptionError, OutputError
from photochrom.files.made_here import labelled
from photochrom.files.metadata import Metadata
from photochrom.files.photo import Photo
from photochrom.files.reading import open_photo
from photochrom.files.writing import save_photo
from tests.albums.test_batch import write
from tests.files.makers import textured

Cli = Callable[..., int]
DUST = ["--kind", "dust", "--quiet"]
TONED = ["--damage", "never", "--noise", "never", "--tone", "never", "--neutralize", "--quiet"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three photographs that nobody has a second copy of."""
    for name in ("a.png", "b.png", "b.jpg"):
        Image.fromarray(textured()[..., 0]).save(tmp_path / name)
    return tmp_path


@pytest.fixture
def cli(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    monkeypatch.chdir(folder)
    return lambda *arguments: run([str(argument) for argument in arguments])


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


ASK = ["ask", "a.png", "--model", "HEARING"]
RESTORE = ["restore", "a.png", "-o", "r.png", *TONED]
DEGRADE = ["degrade", "a.png", *DUST]


@pytest.mark.parametrize("overwrite", [[], ["--overwrite"]])
@pytest.mark.parametrize(
    "command",
    [
        [*DEGRADE, "-o", "b.png"],
        [*DEGRADE, "-o", "b.jpg"],
        [*DEGRADE, "-o", "x.png", "--mask-out", "b.png"],
        [*DEGRADE, "--sheet", "b.png"],
        [*ASK, "--picture", "b.png"],
        [*ASK, "--json", "b.jpg"],
        [*ASK, "--answer", "1=a", "-o", "b.png"],
        [*RESTORE, "--mask-out", "b.png"],
    ],
)
def test_a_photograph_named_outright_stays(
    command: list[str],
    overwrite: list[str],
    folder: Path,
    cli: Cli,
    hearing_model: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    before = contents(folder)
    words = [str(hearing_model) if word == "HEARING" else word for word in [*command, *overwrite]]
    assert cli(*words) == EXIT_SOME_FAILED
    said = {
        False: r"photochrom: b\.(png|jpg): exists already\. Use --overwrite to replace it\n",
        True: r"photochrom: b\.(png|jpg): is a photograph that photochrom did not make, and perhaps an original\. "
        r"Choose another name, or remove it yourself\n",
    }[bool(overwrite)]
    assert re.fullmatch(said, capsys.readouterr().err)
    assert contents(folder) == before


@pytest.mark.slow
def test_what_degrade_has_written_is_replaced_when_that_is_asked_for(folder: Path, cli: Cli) -> None:
    command = ["degrade", "a.png", *DUST, "-o", "old.png", "--mask-out", "mask.tif", "--sheet", "kinds.webp"]
    assert cli(*command) == EXIT_OK
    made = contents(folder)
    assert cli(*command) == EXIT_SOME_FAILED
    assert contents(folder) == made
    assert cli(*command, "--overwrite", "--seed", "3", "--no-keep-metadata") == EXIT_OK
    assert contents(folder)["old.png"] != made["old.png"]
    assert cli(*command, "--overwrite", "--seed", "3") == EXIT_OK


@pytest.mark.slow
def test_what_ask_and_restore_have_written_is_replaced_when_that_is_asked_for(
    folder: Path, cli: Cli, hearing_model: Path
) -> None:
    ask = ["ask", "a.png", "--model", hearing_model, "--picture", "q.png", "--json", "q.json"]
    restore = [*RESTORE, "--mask-out", "mask.png"]
    for command in (ask, restore):
        assert cli(*command) == EXIT_OK
        assert cli(*command) == EXIT_SOME_FAILED
        assert cli(*command, "--overwrite") == EXIT_OK


def test_what_is_no_photograph_is_replaced_when_that_is_asked_for(folder: Path, cli: Cli) -> None:
    (folder / "x.png").write_text("no photograph")
    assert cli(*DEGRADE, "-o", "x.png") == EXIT_SOME_FAILED
    assert cli(*DEGRADE, "-o", "x.png", "--overwrite") == EXIT_OK
    assert open_photo(folder / "x.png").width > 0


def test_painted_hints_are_not_replaced_by_answers(
    folder: Path, cli: Cli, hearing_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Image.new("RGBA", (8, 8)).save(folder / "a.hints.png")
    before = contents(folder)
    hints = ["--hints", "a.hints.png", "--answer", "1=a", "-o", "a.hints.png", "--overwrite"]
    assert cli("ask", "a.png", "--model", hearing_model, *hints) == EXIT_SOME_FAILED
    assert "is a photograph that photochrom did not make" in capsys.readouterr().err
    assert contents(folder) == before


@pytest.mark.posix
def test_links_are_replaced_and_lead_to_no_original(folder: Path, cli: Cli) -> None:
    before = (folder / "b.png").read_bytes()
    (folder / "link.png").symlink_to(folder / "b.png")
    (folder / "itself.png").symlink_to(folder / "a.png")
    assert cli(*DEGRADE, "-o", "link.png") == EXIT_SOME_FAILED
    assert cli(*DEGRADE, "-o", "itself.png", "--overwrite") == EXIT_SOME_FAILED
    assert cli(*DEGRADE, "-o", "link.png", "--overwrite") == EXIT_OK
    assert not (folder / "link.png").is_symlink()
    assert (folder / "b.png").read_bytes() == before


def test_two_files_of_one_name_are_refused_however_it_is_spelt(folder: Path) -> None:
    (folder / "sub").mkdir()
    same = folder / "sub" / ".." / "x.png"
    with pytest.raises(OptionError, match="would be overwritten: two files are to have one name"):
        refuse_targets([folder / "x.png", None, same], read=[], overwrite=True)
    with pytest.raises(OutputError, match="is the photograph itself"):
        refuse_targets([folder / "sub" / ".." / "a.png"], read=[folder / "a.png"], overwrite=True)


@pytest.mark.parametrize("packet", [None, b"<no XMP", b"\xff\xfe"])
def test_a_label_is_written_whatever_the_photograph_said(packet: bytes | None, tmp_path: Path) -> None:
    photo = Photo(textured(), metadata=Metadata(xmp=packet))
    save_photo(labelled(photo, "degrade"), tmp_path / "x.png")
    refuse_targets([tmp_path / "x.png"], read=[], overwrite=True)
    assert b"degrade" in (open_photo(tmp_path / "x.png").metadata.xmp or b"")


@pytest.fixture
def album(folder: Path, tiny_model: Path, cli: Cli) -> Path:
    write(folder / "in/a.png", 1)
    write(folder / "in/deep/b.png", 2)
    assert cli("colorize", "in", "-o", "out", "--model", tiny_model, "--quiet") == EXIT_OK
    write(folder / "in/c.png", 3)
    return folder / "in"


NO_LIST = "exists already, and is no list of the album's names. Choose another name"


@pytest.mark.slow
@pytest.mark.usefixtures("album")
@pytest.mark.parametrize("verb", ["check", "merge"])
@pytest.mark.parametrize(
    ("left", "said"),
    [
        ("in/a.png", "in/a.png: is the photograph itself. Choose another output: originals are never written to"),
        ("in/../in/deep/b.png", "is the photograph itself, in/deep/b.png"),
        ("b.jpg", NO_LIST),
        ("out/a.png", NO_LIST),
        ("out/.photochrom-album.jsonl", NO_LIST),
        ("letter.txt", NO_LIST),
        ("other.txt", NO_LIST),
    ],
)
def test_names_of_what_is_left_replace_nothing_but_such_lists(
    verb: str, left: str, said: str, folder: Path, cli: Cli, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "letter.txt").write_text("Dear grandmother,\na.png\n")
    (folder / "other.txt").write_text("x.png\ny.png\n")  # of another album
    before = contents(folder)
    assert cli("albums", verb, "in", "out", "--left", left) == EXIT_SOME_FAILED
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1
    assert contents(folder) == before


@pytest.mark.usefixtures("album")
def test_a_list_of_names_is_replaced(folder: Path, cli: Cli) -> None:
    for earlier in (b"", b"a.png\r\ngone.png\r\n", b"a.png\0gone\n.png\0", b"c.png\n" + b"a.png\n" * 20_000):
        (folder / "left").write_bytes(earlier)
        assert cli("albums", "check", "in", "out", "--left", "left", "--quiet") == EXIT_SOME_FAILED
        assert (folder / "left").read_bytes() == b"c.png\n"


def test_exit_codes_tell_usage_from_what_is_there(folder: Path, cli: Cli) -> None:
    assert cli(*DEGRADE, "-o", "x.png", "--mask-out", "./x.png") == EXIT_USAGE
    assert not (folder / "x.png").exists()
