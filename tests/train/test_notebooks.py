from pathlib import Path

import nbformat
import pytest

import photochrom
from tests.train.conftest import make_photo, write_config

pytestmark = pytest.mark.slow

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
SOURCE = Path(photochrom.__file__).parents[1]
RESTORE = '[task]\ninput = "relit"\ntarget = "rgb"\n[loss]\npixel = 1.0\n'


def pictures_of(name: str, folder: Path = NOTEBOOKS) -> int:
    """Run a notebook, in a folder, and return how many pictures it shows inline."""
    from nbclient import NotebookClient

    notebook = nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells)
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(folder)}}).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return sum("image/png" in output.get("data", {}) for output in outputs)


@pytest.fixture(autouse=True)
def found_by_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(SOURCE))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("name", "extra"), [("train-colorization", ""), ("train-restoration", RESTORE)])
def test_training_notebooks_run_and_show_pictures(
    name: str, extra: str, shard: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = write_config(tmp_path / "tiny.toml", shard, tmp_path / "run", extra)
    monkeypatch.setenv("PHOTOCHROM_CONFIG", str(config))
    assert pictures_of(name) == 2


@pytest.mark.filterwarnings("ignore")
def test_the_visualizing_notebook_shows_pictures(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_photo(1).save(tmp_path / "photo.png")
    monkeypatch.setenv("PHOTOCHROM_PHOTO", str(tmp_path / "photo.png"))
    monkeypatch.setenv("PHOTOCHROM_MODEL", str(tiny_model))
    assert pictures_of("visualize") == 2
