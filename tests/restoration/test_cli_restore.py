"""`photochrom restore` and `colorize --restore`: files, folders, masks, recipes, reports, exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PIL.TiffImagePlugin import ImageFileDirectory_v2

import photochrom
from photochrom.cli.app import run
from photochrom.errors import EXIT_NOT_INSTALLED, EXIT_OK, EXIT_SOME_FAILED, EXIT_USAGE
from photochrom.files.provenance import ALGORITHMICALLY_ENHANCED, read_provenance
from photochrom.luma import luma_codes
from tests.restoration.conftest import Cli


@pytest.fixture
def album(tmp_path: Path, scratched: tuple[np.ndarray, np.ndarray]) -> Path:
    folder = tmp_path / "album"
    (folder / "1930").mkdir(parents=True)
    Image.fromarray(scratched[0][:256, :300]).save(folder / "a.png")
    Image.fromarray(scratched[0][100:400, 100:300]).save(folder / "1930" / "b.tif")
    return folder


def names_in(folder: Path) -> list[str]:
    files = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return sorted(name for name in files if not name.startswith("."))


def test_a_file_is_restored_next_to_itself(cli: Cli, album: Path) -> None:
    before = (album / "a.png").read_bytes()
    exit_code, out, err = cli("restore", album / "a.png")
    assert (exit_code, err) == (EXIT_OK, "")
    assert "damage:" in out
    assert "% of the picture filled" in out
    assert (album / "a.png").read_bytes() == before
    with Image.open(album / "a-restored.png") as image:
        assert image.mode == "L"


@pytest.mark.slow
def test_folders_are_mirrored_and_go_on_where_they_stopped(cli: Cli, album: Path, tmp_path: Path) -> None:
    arguments = ("restore", album, "-o", tmp_path / "out")
    exit_code, out, err = cli(*arguments)
    assert (exit_code, err) == (EXIT_OK, "")
    assert names_in(tmp_path / "out") == ["1930/b.tif", "a.png"]
    assert "2 restored, 0 done before" in out
    assert "0 restored, 2 done before" in cli(*arguments)[1]
    assert "2 restored, 0 done before" in cli(*arguments, "--noise", "never")[1]


@pytest.mark.slow
def test_results_beside_photographs_are_not_restored_again_but_may_be_coloured(cli: Cli, album: Path) -> None:
    assert cli("restore", album, "--keep-mask")[0] == EXIT_OK
    first = names_in(album)
    assert first == [
        "1930/b-restored-mask.png",
        "1930/b-restored.tif",
        "1930/b.tif",
        "a-restored-mask.png",
        "a-restored.png",
        "a.png",
    ]
    cli("restore", album, "--keep-mask", "--overwrite")
    assert names_in(album) == first
    assert cli("colorize", album)[0] == EXIT_OK
    assert "a-restored-color.png" in names_in(album)
    assert "a-restored-mask-color.png" not in names_in(album)
    coloured = names_in(album)
    cli("restore", album, "--overwrite")
    assert names_in(album) == coloured


@pytest.mark.slow
def test_the_mask_is_written_changed_by_hand_and_given_back(cli: Cli, album: Path, tmp_path: Path) -> None:
    mask = tmp_path / "mask.png"
    assert cli("restore", album / "a.png", "-o", tmp_path / "1.png", "--mask-out", mask)[0] == EXIT_OK
    marked = np.asarray(Image.open(mask)).copy()
    assert set(np.unique(marked)) == {0, 255}
    marked[:, :100] = 0
    marked[10:40, 10:40] = 255
    Image.fromarray(marked).save(tmp_path / "drawn.png")
    exit_code, out, _ = cli(
        "restore", album / "a.png", "-o", tmp_path / "2.png", "--mask", tmp_path / "drawn.png", "--tone", "never"
    )
    assert exit_code == EXIT_OK
    assert "as the mask says" in out
    before, after = (np.asarray(Image.open(path)) for path in (album / "a.png", tmp_path / "2.png"))
    assert np.array_equal(after[marked == 0], before[marked == 0])
    assert (after[marked > 0] != before[marked > 0]).any()


@pytest.mark.parametrize(
    ("arguments", "said", "code"),
    [
        (["ALBUM", "-o", "OUT", "--mask", "A"], "one mask cannot belong to several", 2),
        (["ALBUM", "-o", "OUT", "--mask-out", "m.png"], "Use --keep-mask", 2),
        (["A", "--mask-out", "A", "--overwrite"], "already the name of something else", 2),
        (["A", "--mask-out", "mask.jpg"], "a mask is written as one of .png", 2),
        (["A", "--mask", "none.png"], "no such file", 1),
        (["A", "--mask", "B"], "the mask has 200 x 300 pixels, the photograph 300 x 256", 1),
        (["A", "--damage", "never", "--noise", "never", "--tone", "never"], "every stage is switched off", 2),
        (["A", "--damage", "sometimes"], "damage", 2),
        (["A", "--noise-strength", "1.5"], "noise-strength", 2),
        (["none.png"], "no such file", 1),
    ],
)
def test_every_bad_input_is_one_line_and_leaves_nothing(
    arguments: list[str], said: str, code: int, cli: Cli, album: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    before = names_in(tmp_path)
    names = {"ALBUM": album, "A": album / "a.png", "B": album / "1930" / "b.tif", "OUT": tmp_path / "out"}
    exit_code, _, err = cli("restore", *(names.get(word, word) for word in arguments))
    assert exit_code == code
    assert said in err
    assert err.count("\n") == 1
    assert names_in(tmp_path) == before


def test_a_bad_file_does_not_stop_the_others(cli: Cli, album: Path, tmp_path: Path) -> None:
    (album / "bad.png").write_bytes(b"no picture")
    exit_code, out, err = cli("restore", album, "-o", tmp_path / "out", "--report", tmp_path / "report.jsonl")
    assert exit_code == EXIT_SOME_FAILED
    assert "bad.png" in err
    assert "2 restored" in out
    lines = [json.loads(line) for line in (tmp_path / "report.jsonl").read_text().splitlines()]
    assert sorted(line["status"] for line in lines) == ["done", "done", "failed"]
    assert all(any(note.startswith("damage:") for note in line["notes"]) for line in lines if line["status"] == "done")


def test_metadata_is_kept_and_the_making_told(cli: Cli, tmp_path: Path, camera: np.ndarray) -> None:
    noisy = np.clip(camera + np.random.default_rng(0).normal(0, 12, camera.shape), 0, 240).astype(np.uint8)
    tags = ImageFileDirectory_v2()
    tags[270] = "grandmother, 1931"
    Image.fromarray(noisy).save(tmp_path / "a.tif", tiffinfo=tags, dpi=(600, 600))
    assert cli("restore", tmp_path / "a.tif", "-o", tmp_path / "out.tif", "--noise-strength", 0.8)[0] == EXIT_OK
    with Image.open(tmp_path / "out.tif") as image:
        assert image.tag_v2[270] == "grandmother, 1931"
        assert image.info["dpi"] == (600, 600)
    made = read_provenance(photochrom.open_photo(tmp_path / "out.tif").metadata.xmp)
    assert made is not None
    assert made.source_type == ALGORITHMICALLY_ENHANCED
    assert made.settings["noise_strength"] == 0.8


@pytest.mark.slow
def test_16_bits_and_every_page_of_a_tiff_are_restored(
    cli: Cli, tmp_path: Path, scratched: tuple[np.ndarray, ...]
) -> None:
    pages = [Image.fromarray(scratched[0][k : k + 200].astype(np.uint16) * 257) for k in (0, 100)]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    assert cli("restore", tmp_path / "a.tif", "-o", tmp_path / "out.tif")[0] == EXIT_OK
    out = [photochrom.open_photo(tmp_path / "out.tif", page=page) for page in (0, 1)]
    assert [page.pixels.dtype for page in out] == [np.uint16, np.uint16]
    assert [page.pixels.shape for page in out] == [(200, 512, 1)] * 2


@pytest.mark.slow
@pytest.mark.parametrize("drawn", [False, True])
def test_a_recipe_makes_the_same_file_again(drawn: bool, cli: Cli, album: Path, tmp_path: Path) -> None:
    target, mask = tmp_path / "out.png", []
    if drawn:
        marks = np.zeros((256, 300), np.uint8)
        marks[50:60, 50:200] = 255
        Image.fromarray(marks).save(tmp_path / "mask.png")
        mask = ["--mask", tmp_path / "mask.png"]
    assert cli("restore", album / "a.png", "-o", target, "--recipe", "--noise", "always", *mask)[0] == EXIT_OK
    recipe = tmp_path / "out.png.recipe.json"
    exit_code, out, _ = cli("redo", recipe, "-o", tmp_path / "again.png", *mask)
    assert exit_code == EXIT_OK, out
    assert ": identical" in out
    assert target.read_bytes() == (tmp_path / "again.png").read_bytes()
    if drawn:
        assert "was made with a hand-drawn mask" in cli("redo", recipe, "-o", tmp_path / "3.png")[2]
        assert "is not the mask" in cli("redo", recipe, "-o", tmp_path / "3.png", "--mask", album / "a.png")[2]


@pytest.mark.slow
def test_a_recipe_from_before_there_was_a_choice_makes_the_same_file(cli: Cli, album: Path, tmp_path: Path) -> None:
    """What was done then without being asked is a setting now: coloured photographs recoloured, writing filled."""
    made = ("--colored", "recolor", "--restore", "--noise", "never", "--fill-writing", "--recipe")
    assert cli("colorize", album / "a.png", "-o", tmp_path / "coloured.png", *made)[0] == EXIT_OK
    recipe = tmp_path / "coloured.png.recipe.json"
    told = json.loads(recipe.read_text())
    assert told["settings"].pop("colored") == "recolor"
    assert told["settings"]["restore"].pop("fill_writing") is True
    recipe.write_text(json.dumps(told))
    assert cli("redo", "-o", tmp_path / "again.png", recipe)[2] == ""
    with Image.open(tmp_path / "coloured.png") as first, Image.open(tmp_path / "again.png") as second:
        assert np.array_equal(first, second)  # the file says of itself what its recipe does, which now is less


@pytest.mark.slow
def test_colorize_restores_first_and_says_both(cli: Cli, album: Path, tmp_path: Path) -> None:
    target = tmp_path / "coloured.png"
    arguments = ("colorize", album / "a.png", "-o", target, "--restore", "--noise", "never", "--recipe")
    exit_code, out, err = cli(*arguments)
    assert (exit_code, err) == (EXIT_OK, "")
    assert "% of the picture filled" in out
    assert cli("restore", album / "a.png", "-o", tmp_path / "grey.png", "--noise", "never")[0] == EXIT_OK
    restored = photochrom.open_photo(tmp_path / "grey.png").pixels[..., 0]
    assert np.array_equal(luma_codes(photochrom.open_photo(target).pixels), restored)
    made = read_provenance(photochrom.open_photo(target).metadata.xmp)
    assert made is not None
    assert made.settings["restore"]["noise"] == "never"
    exit_code, out, _ = cli("redo", "-o", tmp_path / "again.png", tmp_path / "coloured.png.recipe.json")
    assert exit_code == EXIT_OK, out


@pytest.mark.slow
def test_an_album_coloured_with_restoring_is_another_than_without(cli: Cli, album: Path, tmp_path: Path) -> None:
    arguments = ("colorize", album, "-o", tmp_path / "out")
    assert "2 coloured" in cli(*arguments)[1]
    assert "2 coloured" in cli(*arguments, "--restore")[1]
    assert "0 coloured, 2 done before" in cli(*arguments, "--restore")[1]
    assert "2 coloured" in cli(*arguments, "--restore", "--damage", "never")[1]


def test_restoring_options_without_restoring_are_an_error(cli: Cli, album: Path) -> None:
    exit_code, _, err = cli("colorize", album / "a.png", "--noise", "never")
    assert exit_code == EXIT_USAGE
    assert "--noise: needs --restore" in err


def test_colouring_with_every_stage_of_restoring_switched_off_is_wrong_usage(cli: Cli, album: Path) -> None:
    off = ["--damage", "never", "--noise", "never", "--tone", "never"]
    exit_code, _, err = cli("colorize", album / "a.png", "--restore", *off)
    assert exit_code == EXIT_USAGE
    assert "every stage is switched off" in err
    assert names_in(album) == ["1930/b.tif", "a.png"]


def test_a_missing_model_is_told_before_anything_is_written(
    cli: Cli, album: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    monkeypatch.setattr("photochrom.engines.hub.WEIGHTS", tmp_path)
    exit_code = run(["restore", str(album / "a.png")])
    assert exit_code == EXIT_NOT_INSTALLED
    assert names_in(album) == ["1930/b.tif", "a.png"]


def test_the_models_are_listed_and_shown(cli: Cli, stage_files: dict[str, Path]) -> None:
    listed = cli("models", "list")[1]
    assert all(f"photochrom-{kind}" in listed for kind in stage_files)
    exit_code, out, _ = cli("models", "show", stage_files["noise"])
    assert exit_code == EXIT_OK
    assert "noise/1" in out
    assert "stand-in-noise" not in cli("models", "show", stage_files["tone"])[1]
