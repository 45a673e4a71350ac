"""Fixtures shared by the tests of generators: the published network with stand-in weights, and a tiny one.

Tests of the first are slow, all of them: it has 64 million weights. What any generator shows is asked of the second.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from photochrom.engines.generator import GeneratorEngine
from photochrom.importer.installation import ImportedModel, import_model
from photochrom.importer.layouts import artistic_layout
from tests.importer.stand_in_weights import Array, saved_as_published, stand_in_weights
from tests.tiny_generator import write_tiny_generator


@pytest.fixture(scope="session")
def expected() -> dict[str, Array]:
    """Return inputs, and answers of the original implementation with stand-in weights."""
    with np.load(Path(__file__).with_name("expected.npz")) as stored:
        return dict(stored)


@pytest.fixture(scope="session")
def tiny_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a cache folder in which a tiny generator is installed as the artistic one; nobody writes to it."""
    folder = tmp_path_factory.mktemp("tiny-cache")
    write_tiny_generator(folder / "models" / "deoldify-artistic")
    return folder


@pytest.fixture(scope="session")
def tiny_generator(tiny_cache: Path) -> Path:
    """Return the folder of that generator."""
    return tiny_cache / "models" / "deoldify-artistic"


@pytest.fixture(scope="session")
def tiny_engine(tiny_generator: Path) -> Iterator[GeneratorEngine]:
    """Return a loaded engine of that generator."""
    engine = GeneratorEngine(tiny_generator / "model.onnx")
    yield engine
    engine.close()


@pytest.fixture(scope="session")
def artistic_weights() -> dict[str, Array]:
    """Return stand-in weights of the artistic generator (255 MB)."""
    return stand_in_weights(artistic_layout())


@pytest.fixture(scope="session")
def published_artistic(artistic_weights: dict[str, Array], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file like ColorizeArtistic_gen.pth, with stand-in weights."""
    return saved_as_published(artistic_weights, tmp_path_factory.mktemp("published") / "ColorizeArtistic_gen.pth")


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a cache folder that the tests of one session share."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def imported_artistic(published_artistic: Path, cache: Path) -> ImportedModel:
    """Return the artistic generator with stand-in weights, imported once for all tests."""
    return import_model(published_artistic, cache / "models")


@pytest.fixture(scope="session")
def artistic_engine(imported_artistic: ImportedModel) -> Iterator[GeneratorEngine]:
    """Return a loaded engine of the imported artistic generator."""
    engine = GeneratorEngine(imported_artistic.folder / "model.onnx")
    yield engine
    engine.close()
