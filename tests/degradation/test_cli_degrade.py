from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from photochrom.cli.app import run
from photochrom.errors import EXIT_OK
from tests.train.conftest import make_photo


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    make_photo(3, (120, 90)).save(path)
    return path


def test_degrade_writes_picture_and_mask_and_says_what_happened(
    photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [tmp_path / f"{name}.png" for name in ("old", "again", "mask")]
    command = ["degrade", str(photo), "--preset", "flood", "--seed", "4"]
    assert run([*command, "-o", str(files[0]), "--mask-out", str(files[2])]) == EXIT_OK
    said = capsys.readouterr().out
    assert "stains" in said
    assert "hidden" in said
    assert run([*command, "-o", str(files[1]), "--quiet"]) == EXIT_OK
    assert capsys.readouterr().out == ""
    assert files[0].read_bytes() == files[1].read_bytes()
    with Image.open(files[2]) as mask:
        assert mask.size == (120, 90)
        assert set(np.unique(np.asarray(mask.convert("L")))) == {0, 255}


def test_single_kinds_and_sixteen_bits(photo: Path, tmp_path: Path) -> None:
    out = tmp_path / "scratched.jpg"
    assert run(["degrade", str(photo), "--kind", "scratches", "--kind", "dust", "-o", str(out), "-q"]) == EXIT_OK
    assert out.stat().st_size > 500
    deep = tmp_path / "deep.png"
    Image.fromarray((np.arange(64 * 64, dtype=np.uint16) * 15).reshape(64, 64)).save(deep)
    faded = tmp_path / "faded.png"
    assert run(["degrade", str(deep), "--kind", "fading", "-o", str(faded), "-q"]) == EXIT_OK
    import pyvips

    assert pyvips.Image.new_from_file(str(faded)).format == "ushort"


def test_the_sheet_and_the_list(photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sheet = tmp_path / "kinds.png"
    assert run(["degrade", str(photo), "--sheet", str(sheet)]) == EXIT_OK
    with Image.open(sheet) as picture:
        assert picture.width > 6 * 120
    capsys.readouterr()
    assert run(["degrade", "--list"]) == EXIT_OK
    listed = capsys.readouterr().out
    assert "attic" in listed
    assert "scanner-lines" in listed


def test_what_a_copy_lacks_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pages = [Image.fromarray(np.full((40, 50), level, np.uint8)) for level in (90, 160)]
    pages[0].save(tmp_path / "pages.tif", save_all=True, append_images=pages[1:])
    clear = np.full((40, 50, 4), 120, np.uint8)
    Image.fromarray(clear).save(tmp_path / "clear.png")
    for name, said in (("pages.tif", "page 1 of 2"), ("clear.png", "JPEG holds no transparency: laid on white")):
        target = tmp_path / f"{name}.jpg"
        assert run(["degrade", str(tmp_path / name), "--kind", "fading", "-o", str(target)]) == EXIT_OK
        assert said in capsys.readouterr().out


def test_strength_is_that_of_the_kinds_on_a_sheet(photo: Path, tmp_path: Path) -> None:
    sheets = [tmp_path / f"{strength}.png" for strength in ("0.1", "0.9")]
    for sheet in sheets:
        assert run(["degrade", str(photo), "--sheet", str(sheet), "--strength", sheet.stem, "-q"]) == EXIT_OK
    assert sheets[0].read_bytes() != sheets[1].read_bytes()


def test_a_sheet_of_some_kinds(photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    few, all_of_them = tmp_path / "few.png", tmp_path / "all.png"
    kinds = ["--kind", "dust", "--kind", "mould"]
    assert run(["degrade", str(photo), "--sheet", str(few), *kinds]) == EXIT_OK
    assert capsys.readouterr().out.endswith("2 kinds\n")
    assert run(["degrade", str(photo), "--sheet", str(all_of_them), "-q"]) == EXIT_OK
    with Image.open(few) as picture, Image.open(all_of_them) as larger:
        assert picture.width == larger.width
        assert picture.height < larger.height / 3


@pytest.mark.parametrize("line", ["px = [0, 0]", "px = [2, 1]", "px = [nan, nan]", "px = [1, 1e6]", "disorder = inf"])
def test_a_preset_that_cannot_be_is_one_line(
    line: str, photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    preset = tmp_path / "mine.toml"
    preset.write_text(f"{line}\n[kinds]\ndust = {{}}\n", encoding="utf-8")
    assert run(["degrade", str(photo), "--preset", str(preset), "-o", str(tmp_path / "x.png")]) != EXIT_OK
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert f"mine.toml: {line.split(maxsplit=1)[0]}: " in said[0]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["{photo}", "--mask-out", "{folder}/x.jpg", "--kind", "dust"], "a mask is written as one of"),
        (["{photo}"], "nothing to write"),
        (["-o", "{folder}/x.png"], "no photograph is given"),
        (["{photo}", "-o", "{photo}"], "originals are never written to"),
        (["{photo}", "-o", "{folder}/a.png", "--mask-out", "{folder}/a.png"], "would be overwritten"),
        (["{photo}", "-o", "{folder}/x.txt"], "cannot write files of type '.txt'"),
        (["{photo}", "-o", "{folder}/x.png", "--preset", "atic"], "Did you mean 'attic'"),
        (["{photo}", "-o", "{folder}/x.png", "--kind", "dist"], "Did you mean 'dust'"),
        (["{photo}", "-o", "{folder}/x.png", "--kind", "dust", "--preset", "film"], "one or the other"),
        (["{photo}", "-o", "{folder}/x.png", "--strength", "0.5"], "goes with --kind"),
        (["{folder}/none.png", "-o", "{folder}/x.png"], "none.png"),
    ],
)
def test_wrong_use_is_one_line_and_writes_nothing(
    photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], said: str
) -> None:
    before = photo.read_bytes()
    assert run(["degrade", *(option.format(photo=photo, folder=tmp_path) for option in options)]) != 0
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert said in lines[0]
    assert [path.name for path in tmp_path.iterdir()] == ["photo.png"]
    assert photo.read_bytes() == before
