"""Masks on the command line: each is one picture's, and what is asked for later is made later."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from photochrom.albums.results import BatchSettings
from photochrom.errors import EXIT_OK, EXIT_SOME_FAILED
from photochrom.files.provenance import Provenance
from tests.restoration.conftest import Cli

DAMAGE_ONLY = ("--noise", "never", "--tone", "never")
REFUSED = "m.tif: has several pages, and a mask is for one picture. Say which with --page\n"


@pytest.fixture
def pages(tmp_path: Path, camera: np.ndarray) -> Path:
    """A TIFF of two pages, scratched in different rows."""
    pictures = []
    for row in (20, 60):
        picture = np.minimum(camera[:100, :120], 200)
        picture[row : row + 2, 10:110] = 255
        pictures.append(Image.fromarray(picture))
    pictures[0].save(tmp_path / "m.tif", save_all=True, append_images=pictures[1:])
    return tmp_path / "m.tif"


@pytest.fixture
def album(tmp_path: Path, scratched: tuple[np.ndarray, np.ndarray]) -> Path:
    (tmp_path / "album").mkdir()
    Image.fromarray(scratched[0][:256, :300]).save(tmp_path / "album" / "a.png")
    return tmp_path / "album"


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))


@pytest.mark.parametrize("verb", [["restore"], ["colorize", "--restore"]])
def test_a_mask_is_not_laid_on_every_page(verb: list[str], cli: Cli, pages: Path, tmp_path: Path) -> None:
    Image.new("L", (120, 100)).save(tmp_path / "mask.png")
    arguments = (*verb, pages, "-o", tmp_path / "out.tif", "--mask", tmp_path / "mask.png", *DAMAGE_ONLY)
    exit_code, _, err = cli(*arguments)
    assert exit_code == EXIT_SOME_FAILED
    assert err.endswith(REFUSED)
    assert err.count("\n") == 1
    assert names_in(tmp_path) == ["m.tif", "mask.png"]
    assert cli(*arguments, "--page", 2)[0] == EXIT_OK
    assert names_in(tmp_path) == ["m.tif", "mask.png", "out.tif"]


def test_a_mask_that_is_written_is_the_one_of_the_page_that_is_named(cli: Cli, pages: Path, tmp_path: Path) -> None:
    arguments = ("restore", pages, "-o", tmp_path / "out.tif", "--mask-out", tmp_path / "mask.png", *DAMAGE_ONLY)
    exit_code, _, err = cli(*arguments)
    assert exit_code == EXIT_SOME_FAILED
    assert err.endswith(REFUSED)
    assert names_in(tmp_path) == ["m.tif"]
    assert cli(*arguments, "--page", 1)[0] == EXIT_OK
    marked = np.asarray(Image.open(tmp_path / "mask.png")).any(axis=1)
    assert (bool(marked[20]), bool(marked[60])) == (True, False)


def test_of_a_result_of_one_page_there_is_one_mask(cli: Cli, pages: Path, tmp_path: Path) -> None:
    arguments = ("restore", pages, "-o", tmp_path / "out.png", "--mask-out", tmp_path / "mask.png", *DAMAGE_ONLY)
    assert cli(*arguments)[0] == EXIT_OK
    assert names_in(tmp_path) == ["m.tif", "mask.png", "out.png"]


@pytest.mark.slow
def test_masks_that_are_asked_for_later_are_made(cli: Cli, album: Path, tmp_path: Path) -> None:
    arguments = ("restore", album, "-o", tmp_path / "out", *DAMAGE_ONLY)
    assert cli(*arguments)[0] == EXIT_OK
    assert names_in(tmp_path / "out") == ["a.png"]
    assert cli(*arguments, "--keep-mask")[0] == EXIT_OK
    assert names_in(tmp_path / "out") == ["a-mask.png", "a.png"]
    assert cli(*arguments, "--keep-mask", "--report", tmp_path / "report")[0] == EXIT_OK
    assert json.loads((tmp_path / "report").read_text())["status"] == "skipped"


@pytest.mark.slow
def test_what_restoring_before_colouring_fills_is_kept_too(cli: Cli, album: Path, tmp_path: Path) -> None:
    arguments = ("colorize", album, "-o", tmp_path / "out", "--restore", *DAMAGE_ONLY)
    assert cli(*arguments)[0] == EXIT_OK
    assert names_in(tmp_path / "out") == ["a.png"]
    assert cli(*arguments, "--keep-mask")[0] == EXIT_OK
    assert names_in(tmp_path / "out") == ["a-mask.png", "a.png"]
    with Image.open(tmp_path / "out" / "a-mask.png") as mask:
        assert (mask.mode, mask.size, mask.getextrema()) == ("L", (300, 256), (0, 255))


@pytest.mark.slow
def test_a_mask_that_is_to_go_to_a_file_is_made_though_the_result_is_done(
    cli: Cli, album: Path, tmp_path: Path
) -> None:
    arguments = ("restore", album, "-o", tmp_path / "out", *DAMAGE_ONLY)
    assert cli(*arguments)[0] == EXIT_OK
    assert cli(*arguments, "--mask-out", tmp_path / "mask.png")[0] == EXIT_OK
    with Image.open(tmp_path / "mask.png") as mask:
        assert (mask.size, mask.getextrema()) == ((300, 256), (0, 255))
    assert cli(*arguments)[0] == EXIT_OK


def test_albums_restored_before_masks_counted_stay_up_to_date() -> None:
    settings = BatchSettings(Provenance("fake", "00" * 32, "1", {"tone": "auto"}, "restore"))
    assert settings.sha256 == "123ec48276309743d618b3ea37643c8d05955e1d58b979f77ad20bc7a72d0956"


def test_masks_that_are_asked_for_later_are_made_in_a_storage_too(cli: Cli, album: Path, tmp_path: Path) -> None:
    arguments = ("batch", album, tmp_path / "out", "--only-restore", *DAMAGE_ONLY)
    assert cli(*arguments)[0] == EXIT_OK
    assert names_in(tmp_path / "out") == ["a.png"]
    assert cli(*arguments, "--keep-mask")[0] == EXIT_OK
    assert names_in(tmp_path / "out") == ["a-mask.png", "a.png"]
