"""Stand-in models, sessions with them, and photographs of scikit-image, clean and damaged."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from skimage import data

from photochrom import restorer
from photochrom.cli.app import run
from photochrom.engines.hub import ModelFile
from photochrom.engines.restoration import CURRENT, OnnxStage
from photochrom.options import RestoreOptions
from photochrom.restorer import Restorer
from tests.restoration.stand_in_stages import write_stand_ins

Cli = Callable[..., tuple[int, str, str]]


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


@pytest.fixture
def cli(
    stage_files: dict[str, Path],
    tiny_model: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Cli:
    """Return a function that runs `photochrom ARGUMENTS` with the stand-in models: exit code, stdout, stderr."""
    by_name = {f"photochrom-{kind}": path for kind, path in stage_files.items()}
    monkeypatch.setattr(restorer, "find_model", lambda name: ModelFile(name, by_name[name], "", None))

    def call(*arguments: object) -> tuple[int, str, str]:
        words = [str(argument) for argument in arguments]
        if words[:1] == ["colorize"] or "coloured.png.recipe.json" in words[-1]:
            words += ["--model", str(tiny_model)]
        exit_code = run(words)
        captured = capsys.readouterr()
        return exit_code, captured.out, captured.err

    return call


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
