"""Hints beside the photographs and films of the studio's folder."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pytest

from photochrom.errors import OptionError
from photochrom.film.given import FrameFiles
from photochrom.hints.sheet import HINTS_SUFFIX, read_hints
from photochrom.studio import hintfiles

RED, BLUE = [{"point": [0.5, 0.5], "color": "red"}], [{"stroke": [[0.1, 0.1], [0.2, 0.2]], "color": "blue"}]


def test_photographs_of_one_name_have_files_of_their_own(tmp_path: Path) -> None:
    jpeg, png = tmp_path / "gran.jpg", tmp_path / "gran.png"
    both, elsewhere = [str(jpeg), str(png)], str(tmp_path / "sub" / "gran.png")
    assert hintfiles.photo_file(jpeg, [str(jpeg), elsewhere]).name == "gran.hints.json"
    assert hintfiles.photo_file(jpeg, both).name == "gran.jpg.hints.json"
    assert hintfiles.photo_file(png, both).name == "gran.png.hints.json"
    (tmp_path / "gran.jpg.hints.json").touch()
    assert hintfiles.photo_file(jpeg, [str(jpeg)]).name == "gran.jpg.hints.json"


def test_a_films_hints_are_the_command_lines_and_come_and_go(tmp_path: Path) -> None:
    folder = hintfiles.film_folder(tmp_path / "reel.mkv")
    assert folder.name == "reel.hints"
    assert hintfiles.read_film_folder(folder) == {}
    hintfiles.keep_film_folder(folder, {}, {"0.120": RED, "3.040": BLUE, "9.000": []})
    given = FrameFiles.read(folder, "--hints", (HINTS_SUFFIX,))
    assert sorted(given.by_time) == [0.12, 3.04]
    assert hintfiles.read_film_folder(folder) == {"0.120": RED, "3.040": BLUE}
    hintfiles.keep_film_folder(folder, {"0.120": RED, "3.040": BLUE}, {"3.040": RED})
    assert hintfiles.read_film_folder(folder) == {"3.040": RED}
    hintfiles.keep_film_folder(folder, {"3.040": RED}, {})
    assert not folder.exists()


def test_what_is_not_the_studios_is_neither_lost_nor_forgotten(tmp_path: Path) -> None:
    folder = tmp_path / "reel.hints"
    folder.mkdir()
    (folder / "000007.hints.json").write_bytes(hintfiles.sheet_of(BLUE))
    made = hintfiles.folder_for({"0.120": RED}, tmp_path / "made", folder)
    assert made is not None
    assert sorted(path.name for path in made.iterdir()) == ["0.120s.hints.json", "000007.hints.json"]
    hintfiles.keep_film_folder(folder, {"0.120": RED}, {})
    assert [path.name for path in folder.iterdir()] == ["000007.hints.json"]
    (folder / "1.000s.hints.json").write_text("somebody's letter")
    with pytest.raises(OptionError, match="is not a file of hints"):
        hintfiles.read_film_folder(folder)
    with pytest.raises(OptionError, match="is not a file of hints"):
        hintfiles.keep_film_folder(folder, {"1.000": RED}, {})
    assert (folder / "1.000s.hints.json").exists()
    assert hintfiles.folder_for({"0.120": []}, tmp_path / "made", None) is None


def test_a_films_hints_are_packed_as_a_folder(tmp_path: Path) -> None:
    archive = zipfile.ZipFile(io.BytesIO(hintfiles.zipped_frames({"0.120": RED, "1.000": []}, "reel")))
    archive.extractall(tmp_path)
    (path,) = tmp_path.rglob("*.json")
    assert path.relative_to(tmp_path).as_posix() == "reel.hints/0.120s.hints.json"
    assert [hint.as_json() for hint in read_hints(path).hints] == RED
    assert json.loads(path.read_bytes())["photo"] is None
