"""Stand-in models, sessions with them, and photographs of scikit-image, clean and damaged."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from skimage import data

from photochrom.engines.restoration import CURRENT, OnnxStage
from photochrom.options import RestoreOptions
from photochrom.restorer import Restorer
from tests.restoration.stand_in_stages import write_stand_ins


@pytest.fixture(scope="session")
def stage_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The four stand-in models' files, by kind."""
    return write_stand_ins(tmp_path_factory.mktemp("stages"))


@pytest.fixture(scope="session")
def stages(stage_files: dict[str, Path]) -> Iterator[dict[str, OnnxStage]]:
    """The four stand-in models, loaded, by kind."""
    engines = {kind: OnnxStage(path, CURRENT[kind]) for kind, path in stage_files.items()}
    yield engines
    for engine in engines.values():
        engine.close()


@pytest.fixture
def restorer_for(stages: dict[str, OnnxStage]) -> Callable[..., Restorer]:
    """Return a function that makes a session with the stand-in models and some options."""
    return lambda **options: Restorer(RestoreOptions.checked(**options), engines=stages)


@pytest.fixture(scope="session")
def camera() -> np.ndarray:
    """(512, 512) uint8: a true black-and-white photograph."""
    return np.asarray(data.camera())


@pytest.fixture(scope="session")
def coffee() -> np.ndarray:
    """(400, 600, 3) uint8: a photograph in colour."""
    return np.asarray(data.coffee())


@pytest.fixture
def scratched(camera: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A photograph with white scratches of two pixels, and where they are."""
    damage = np.zeros(camera.shape, bool)
    damage[40:480, 200:202] = True
    rows = np.arange(60, 400)
    damage[rows, rows + 50] = damage[rows, rows + 51] = True
    return np.where(damage, 255, np.minimum(camera, 235)).astype(np.uint8), damage
