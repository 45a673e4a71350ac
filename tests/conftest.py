"""Fixtures that every test file may use: pictures made here, and a tiny real ONNX model of the colour contract."""

from __future__ import annotations

import copy
import gc
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import cyclopts
import numpy as np
import pytest
from cyclopts.argument import ArgumentCollection
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.tiny_model import write_tiny_model

settings.register_profile("photochrom", derandomize=True, deadline=None)
settings.load_profile("photochrom")

pytest_plugins = ["tests.importer.published"]  # an imported generator, for the tests of several wings


def pytest_configure() -> None:
    """Hear signals that whoever started the tests let go unheard (nohup, a shell's background): tests send them."""
    for name, usual in (("SIGINT", signal.default_int_handler), ("SIGHUP", signal.SIG_DFL)):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, usual)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Function]) -> None:
    """Count as slow whatever asks for a browser, or for the published generator, whose 255 MB take seconds to make.

    And skip on Windows what is marked as needing POSIX.
    """
    for item in items:
        if {"artistic_weights", "browser"}.intersection(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.slow)
        if os.name != "posix" and item.get_closest_marker("posix"):
            item.add_marker(pytest.mark.skip(reason="signals, links, pipes or permissions of POSIX"))


def pytest_collection_finish() -> None:
    """Let the garbage collector pass over what collecting made: a million objects that stay, looked at each time.

    Hypothesis looks for its generator of numbers when it first runs, and on Python 3.14 warns that it is nobody's where
    the collector passes over it: so that comes before.
    """
    given(st.none())(lambda _: None)()
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def scheduling() -> Iterator[None]:
    """No test leaves this process real-time: all that is started after it would be, too, and hold every core."""
    ask = getattr(os, "sched_getscheduler", lambda _: None)
    before = ask(0)
    yield
    assert ask(0) == before


@pytest.fixture(scope="session", autouse=True)
def options_read_once() -> Iterator[None]:
    """A verb's options are read from its signature once: a program does so once as well, and it takes 50 ms."""
    read, known = cyclopts.App.assemble_argument_collection, {}

    def remembered(app: cyclopts.App, **how: object) -> ArgumentCollection:
        key = (app.default_command, app.name, *sorted(how.items()))
        if key not in known:
            known[key] = read(app, **how)
        copies = {id(argument): copy.copy(argument) for argument in known[key]}
        for argument in copies.values():
            argument.tokens = []
            argument.children = ArgumentCollection(copies[id(child)] for child in argument.children)
        return ArgumentCollection(copies.values())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cyclopts.App, "assemble_argument_collection", remembered)
        yield


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An ONNX file of the colour contract, a few hundred bytes, made by hand."""
    return write_tiny_model(tmp_path_factory.mktemp("models") / "tiny.onnx")


@pytest.fixture(scope="session")
def grey_ramp() -> np.ndarray:
    """(96, 128) uint8 with every tone, edges and texture."""
    rows, columns = np.mgrid[:96, :128]
    picture = columns * 2 + 20 * ((rows // 16 + columns // 16) % 2) + (rows * 7 + columns * 13) % 5
    return np.clip(picture, 0, 255).astype(np.uint8)


@pytest.fixture
def make_photo(tmp_path: Path, grey_ramp: np.ndarray) -> Callable[..., Path]:
    """Return a function that writes a small grey picture under a name and gives its path."""

    def write(name: str = "photo.png", **save_options: object) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(grey_ramp).save(path, **save_options)
        return path

    return write


@pytest.fixture(scope="session")
def hearing_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An ONNX file of the contract color/2, made by hand: it adds what it is told to what it sees."""
    return write_tiny_model(tmp_path_factory.mktemp("models") / "hearing.onnx", hears=True)
