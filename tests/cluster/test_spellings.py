"""One folder spelt in two ways is one folder: originals stay, results are not coloured again, and nobody's are lost."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

pytest.importorskip("pyarrow", reason="the extra cluster")

from pyarrow import fs

from photochrom.cli.app import run as run_cli
from photochrom.cluster.addresses import open_folder
from photochrom.cluster.errand import Errand, check_storage, originals
from photochrom.cluster.here import run_here
from photochrom.cluster.records import Record
from photochrom.errors import EXIT_OK, EXIT_SOME_FAILED, EXIT_USAGE, OptionError
from photochrom.options import ColorizeOptions, OutputOptions
from tests.albums.test_batch import write

Spell = Callable[[Path], str]


def with_dots(path: Path) -> str:
    return f"{path.parent}/./{path.name}/../{path.name}"


def over_a_link(path: Path) -> str:
    link = path.parent / "link"
    link.symlink_to(path, target_is_directory=True)
    return str(link)


SPELLINGS = [
    Path.as_uri,
    os.path.relpath,
    with_dots,
    lambda path: f"{path}/",
    lambda path: f"file://localhost{path}/",
    lambda path: f"file:///%{ord(str(path)[1]):02x}{str(path)[2:]}",
    pytest.param(over_a_link, marks=pytest.mark.posix),
]


@pytest.fixture
def album(tmp_path: Path) -> Path:
    write(tmp_path / "album/a.png", 1)
    write(tmp_path / "album/deep/b.png", 2)
    return tmp_path / "album"


@pytest.fixture
def batch(tiny_model: Path) -> Callable[..., int]:
    def run(source: object, target: object, *options: str) -> int:
        return run_cli(["batch", str(source), str(target), "--model", str(tiny_model), *options])

    return run


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*.*")
        if path.is_file() and ".photochrom" not in path.parts
    }


@pytest.mark.parametrize("spell", SPELLINGS)
def test_the_folder_of_the_photographs_is_refused_however_it_is_spelt(
    spell: Spell, album: Path, batch: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    before = contents(album)
    spelt = spell(album)
    assert batch(album, spelt, "--overwrite") == EXIT_SOME_FAILED
    assert capsys.readouterr().err == (
        f"photochrom: {spelt}: is the folder of the photographs. Choose another folder\n"
    )
    assert contents(album) == before
    assert not (album / ".photochrom").exists()


@pytest.mark.slow
@pytest.mark.parametrize("spell", SPELLINGS)
def test_results_inside_the_album_are_not_coloured_again(
    spell: Spell, album: Path, batch: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    (album / "out").mkdir()
    spelt = spell(album / "out")
    for said in ("2 coloured, 0 done before", "0 coloured, 2 done before"):
        assert batch(album, spelt) == EXIT_OK
        assert said in capsys.readouterr().out
    assert sorted(contents(album)) == ["a.png", "deep/b.png", "out/a.png", "out/deep/b.png"]


def test_a_folder_of_results_that_is_made_meanwhile_is_not_entered(album: Path) -> None:
    target = album / "out"
    found = originals(Errand(str(album), target.as_uri(), "x"))
    first = next(found)
    write(target / "c.png", 3)
    assert sorted([first.name, *(one.name for one in found)]) == ["a.png", "deep/b.png"]


def test_no_result_lies_among_the_photographs_when_their_folder_is_inside(
    album: Path, batch: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    write(album / "album/a.png", 4)  # whose result would be called as the first photograph is
    before = contents(album)
    assert batch(album, album.parent, "--overwrite") == EXIT_SOME_FAILED
    assert f"{album.parent}/album/a.png: would lie among the photographs. Choose another folder" in (
        capsys.readouterr().err
    )
    assert contents(album) == before
    assert (album.parent / "a.png").exists()


@pytest.mark.posix
def test_a_link_in_the_folder_of_results_leads_to_no_original(
    album: Path, batch: Callable[..., int], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    before = contents(album)
    (tmp_path / "out").mkdir()
    (tmp_path / "out/deep").symlink_to(album / "deep", target_is_directory=True)
    assert batch(album, tmp_path / "out", "--overwrite") == EXIT_SOME_FAILED
    assert "deep/b.png: would lie among the photographs" in capsys.readouterr().err
    assert contents(album) == before


def test_a_photograph_made_elsewhere_stays_though_overwriting_is_asked_for(
    album: Path, batch: Callable[..., int], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    write(tmp_path / "out/a.png", 5)
    foreign = (tmp_path / "out/a.png").read_bytes()
    assert batch(album, tmp_path / "out", "--overwrite") == EXIT_SOME_FAILED
    assert "a.png: is a photograph that photochrom did not make, and perhaps an original" in capsys.readouterr().err
    assert (tmp_path / "out/a.png").read_bytes() == foreign
    assert (tmp_path / "out/deep/b.png").exists()


@pytest.mark.slow
def test_a_second_album_does_not_replace_the_results_of_the_first(
    album: Path, batch: Callable[..., int], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    other, out = tmp_path / "other", tmp_path / "out"
    write(other / "a.png", 6)
    write(other / "c.png", 7)
    assert batch(album, out) == EXIT_OK
    first = (out / "a.png").read_bytes()
    capsys.readouterr()
    for _ in range(2):
        assert batch(other, out) == EXIT_SOME_FAILED
        err = capsys.readouterr().err
        assert err.count("\n") == 1
        assert f"{out}/a.png: exists already, made from a photograph of file://{os.path.realpath(album)}" in err
        assert "Use --overwrite to replace it" in err
        assert (out / "a.png").read_bytes() == first
    assert (out / "c.png").exists()
    assert batch(album, out) == EXIT_OK
    assert "0 coloured, 2 done before" in capsys.readouterr().out
    assert batch(other, out, "--overwrite") == EXIT_OK
    assert (out / "a.png").read_bytes() != first


@pytest.mark.slow
def test_an_album_that_was_moved_goes_on(
    album: Path, batch: Callable[..., int], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert batch(album, tmp_path / "out") == EXIT_OK
    album.rename(tmp_path / "moved")
    capsys.readouterr()
    assert batch(tmp_path / "moved", tmp_path / "out") == EXIT_OK
    assert "0 coloured, 2 done before" in capsys.readouterr().out
    assert batch(tmp_path / "moved", tmp_path / "out", "--vividness", "0.1") == EXIT_OK
    assert "2 coloured, 0 done before" in capsys.readouterr().out


def test_two_workers_of_two_albums_do_not_replace_each_others_results(
    album: Path, tmp_path: Path, tiny_model: Path
) -> None:
    """The record of the first appears while the second is at work."""
    write(tmp_path / "other/a.png", 6)
    out, color = tmp_path / "out", ColorizeOptions(model=str(tiny_model))
    first = Errand(str(album), str(out), "x", color, writing=OutputOptions(format="png"))
    second = dataclasses.replace(first, source=str(tmp_path / "other"))
    begun = list(originals(second))
    run_here(first, originals(first), workers=1, on_report=lambda _: None)
    record = Record.read(open_folder(str(out)), "a.png")
    assert record is not None
    assert record.source == f"file://{os.path.realpath(album)}"
    errors: list[str] = []
    run_here(second, begun, workers=1, on_report=lambda report: errors.append(report.error))
    assert len(errors) == 1
    assert "exists already" in errors[0]
    assert Record.read(open_folder(str(out)), "a.png") == record


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> None:
    storage = SimpleNamespace(type_name="s3")
    monkeypatch.setattr(fs, "FileSystem", SimpleNamespace(from_uri=lambda _: (storage, "")))


@pytest.mark.usefixtures("stub")
@pytest.mark.parametrize(
    "spelt",
    ["s3://b/a b", "s3://b/a%20b", "s3://b/a%20b/", "s3://key:secret@b/a b", "s3://b/%61%20b", "s3://b//a b?region=x"],
)
def test_a_folder_of_a_storage_is_one_however_it_is_spelt(spelt: str) -> None:
    one, other = open_folder("s3://b/a b"), open_folder(spelt)
    assert (one.place, one.address, one.home) == (other.place, other.address, other.home)
    assert one.address == "s3://b/a b"
    assert open_folder("s3://b/a b/out").place in {*open_folder("s3://b").places_above("a b/out/x.png")}
    assert open_folder("s3://b/a").place not in {*other.places_above("out/x.png")}
    assert run_cli(["batch", "s3://b/a b", spelt, "--overwrite"]) == EXIT_SOME_FAILED


@pytest.mark.usefixtures("stub")
def test_a_name_with_a_hash_is_a_name() -> None:
    assert open_folder("s3://b/album#1").address == "s3://b/album#1"


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("", "IN: is empty. Leave it out, or say what it is to be"),
        ("file://album", "file://album: is no folder on a disk. Write file:///FOLDER, a ? as %3F"),
        ("file:///album?x", "file:///album?x: is no folder on a disk. Write file:///FOLDER, a ? as %3F"),
    ],
)
def test_addresses_that_would_mean_another_folder_are_refused(
    address: str, expected: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(OptionError):
        open_folder(address)
    assert run_cli(["batch", address, str(tmp_path)]) == EXIT_USAGE
    assert capsys.readouterr().err == f"photochrom: {expected}\n"
    assert list(tmp_path.iterdir()) == []


def test_storage_and_disk_are_two_places(album: Path) -> None:
    assert open_folder(str(album)).place not in {("s3", "b"), ("disk", str(album))}
    check_storage(Errand(str(album), str(album / "out"), "x"))
