import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data

from tests.train.test_notebooks import SOURCE, pictures_of

pytestmark = pytest.mark.slow


@pytest.mark.filterwarnings("ignore")
def test_the_notebook_asks_takes_answers_and_learns_from_a_reference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    colored = Image.fromarray(data.astronaut()).resize((192, 192))
    colored.save(tmp_path / "reference.png")
    Image.fromarray(np.asarray(colored.convert("L"))).save(tmp_path / "photo.png")
    monkeypatch.setenv("PYTHONPATH", os.fspath(SOURCE))
    monkeypatch.setenv("PHOTOCHROM_PHOTO", str(tmp_path / "photo.png"))
    monkeypatch.setenv("PHOTOCHROM_REFERENCE", str(tmp_path / "reference.png"))
    assert pictures_of("hints", tmp_path) == 4
    assert (tmp_path / "photo.hints.json").exists()
