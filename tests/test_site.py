"""The documentation's site is made without a warning, its snippets run, and the notebooks for strangers do too."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

import photochrom
from photochrom.cli.app import VERBS
from photochrom.options import ColorizeOptions
from tests.albums.test_batch import write

ROOT = Path(__file__).parent.parent
OPTIONS = (ROOT / "docs" / "reference" / "options.md").read_text(encoding="utf-8")
NOTEBOOKS = ("photograph", "album", "film", "finetune")


@pytest.mark.slow
def test_the_site_is_made_without_a_warning_and_from_the_code(tmp_path: Path) -> None:
    pytest.importorskip("furo", reason="the extra docs")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html", "docs", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=200)
    assert done.returncode == 0, done.stderr

    def text_of(page: str) -> str:
        return re.sub("<[^>]+>", "", (tmp_path / "reference" / page).read_text(encoding="utf-8"))

    options, verbs = text_of("options.html"), text_of("command-line.html")
    assert all(f"--{name.replace('_', '-')}" in options for name in ColorizeOptions.model_fields)
    assert all(f"photochrom {name}" in verbs for name, _, _ in VERBS)
    errors, python = text_of("errors.html"), (tmp_path / "reference/python.html").read_text(encoding="utf-8")
    for name in photochrom.__all__:
        place = getattr(photochrom, name)
        told = f'id="{getattr(place, "__module__", "")}.{name}"' in python
        assert told or name == "__version__" or name in errors or f":{name}" in OPTIONS, name
    pages = {path.relative_to(ROOT / "docs").with_suffix(".html") for path in (ROOT / "docs").rglob("*.md")}
    assert [page for page in pages if not (tmp_path / page).is_file()] == []


def test_every_command_that_the_documents_show_is_one() -> None:
    verbs = {name for name, _, _ in VERBS}
    for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        for block in re.findall(r"```sh\n(.*?)```", page.read_text(encoding="utf-8"), flags=re.DOTALL):
            shown = set(re.findall(r"(?:^|\buvx |&& )photochrom ([a-z-]+)", block, flags=re.MULTILINE))
            assert shown <= verbs, page.name


def cells_of(name: str) -> list[tuple[str, list[str]]]:
    """Return the code cells of a notebook with their tags."""
    content = json.loads((ROOT / "notebooks" / f"{name}.ipynb").read_text(encoding="utf-8"))
    cells = [cell for cell in content["cells"] if cell["cell_type"] == "code"]
    assert not any(cell["outputs"] or cell["execution_count"] for cell in cells)
    return [("".join(cell["source"]), cell["metadata"].get("tags", [])) for cell in cells]


def run_notebook(name: str, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Run the cells but for the one that installs, and return what they show."""
    shown: list[object] = []
    display = ModuleType("IPython.display")
    display.display = shown.append  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    names: dict[str, object] = {}
    for source, tags in cells_of(name):
        if "install" not in tags:
            exec(compile(source, name, "exec"), names)  # noqa: S102
    return shown


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_one_cell_installs_and_one_runs(name: str) -> None:
    (install, tags), (work, _) = cells_of(name)
    assert tags == ["install"]
    assert re.fullmatch(r'%pip install --quiet "photochrom(\[\w+\])?"', install)
    compile(work, name, "exec")


def test_the_photographs_notebook_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny_model: Path, make_photo: object
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PHOTOCHROM_PHOTO", str(make_photo("p.png")))  # type: ignore[operator]
    monkeypatch.setenv("PHOTOCHROM_MODEL", str(tiny_model))
    (picture,) = run_notebook("photograph", monkeypatch)
    assert np.asarray(picture).shape == (96, 128, 3)


@pytest.mark.slow
def test_the_albums_notebook_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny_model: Path) -> None:
    write(tmp_path / "album/deep/a.png")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PHOTOCHROM_MODEL", str(tiny_model))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")]))
    run_notebook("album", monkeypatch)
    assert (tmp_path / "coloured/deep/a.png").is_file()


@pytest.mark.slow
def test_the_films_notebook_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny_model: Path) -> None:
    pytest.importorskip("av", reason="the extra film")
    frames = tmp_path / "frames"
    frames.mkdir()
    ramp = np.add.outer(np.arange(96), np.arange(128)).astype(np.uint8)
    for number in range(4):
        Image.fromarray(np.roll(ramp, number, axis=1)).save(frames / f"{number:04}.png")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PHOTOCHROM_MODEL", str(tiny_model))
    monkeypatch.setenv("PHOTOCHROM_FILM", str(frames))
    run_notebook("film", monkeypatch)
    assert (tmp_path / "coloured.mp4").stat().st_size > 1000
