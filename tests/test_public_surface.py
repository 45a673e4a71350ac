"""What `import photochrom` promises: these names, and next to no cost."""

from __future__ import annotations

import inspect
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import get_overloads

import pytest
from pydantic import BaseModel

import photochrom

ROOT = Path(__file__).parent.parent
PUBLIC = {
    "ColorizeOptions",
    "ColorizeResult",
    "Colorizer",
    "Engine",
    "EngineOptions",
    "FakeEngine",
    "FilmColorizer",
    "FilmError",
    "FilmNotFoundError",
    "FilmOptions",
    "FilmResult",
    "Hint",
    "HintSheet",
    "read_hints",
    "Limits",
    "MissingExtraError",
    "ModelError",
    "ModelFileError",
    "ModelNotInstalledError",
    "ModelSpec",
    "OptionError",
    "OutputError",
    "OutputOptions",
    "Photo",
    "PhotoError",
    "PhotoNotFoundError",
    "PhotoTooLargeError",
    "PhotochromError",
    "RestoreOptions",
    "RestoreResult",
    "Restorer",
    "TrainingError",
    "UnknownModelError",
    "UnreadableFilmError",
    "UnreadablePhotoError",
    "UnsupportedFilmError",
    "UnsupportedPhotoError",
    "__version__",
    "colorize",
    "colorize_film",
    "open_photo",
    "restore",
    "save_photo",
}
HEAVY = {"torch", "onnxruntime", "onnx", "numpy", "PIL", "pyvips", "pydantic", "cyclopts", "rich", "skimage", "scipy"}
HEAVY |= {"av", "cv2"}


def modules_after(code: str) -> set[str]:
    """Return the top-level modules loaded in a fresh process by some code."""
    program = f"{code}\nimport json, sys\nprint(json.dumps([m.split('.')[0] for m in sys.modules]))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=200)
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_the_public_names_are_these() -> None:
    assert set(photochrom.__all__) == PUBLIC
    assert set(dir(photochrom)) == PUBLIC


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_every_public_name_loads_and_is_documented(name: str) -> None:
    value = getattr(photochrom, name)
    assert name == "__version__" or value.__doc__


# What public functions take besides the fields of their options.
NO_OPTIONS = {"picture", "restore", "mask"}


@pytest.mark.parametrize(
    ("function", "options"),
    [(photochrom.colorize, photochrom.ColorizeOptions), (photochrom.restore, photochrom.RestoreOptions)],
)
def test_signatures_repeat_the_options_as_they_are_declared(
    function: Callable[..., object], options: type[BaseModel]
) -> None:
    taken = {name: p for name, p in inspect.signature(function).parameters.items() if name not in NO_OPTIONS}
    assert {name: p.default for name, p in taken.items()} == {
        name: options.model_fields[name].default for name in taken
    }
    for overload in get_overloads(function):
        parameters = inspect.signature(overload).parameters
        assert list(parameters) == list(inspect.signature(function).parameters)
        assert {name: parameters[name].annotation for name in taken} == {n: p.annotation for n, p in taken.items()}


@pytest.mark.parametrize(
    "function", [photochrom.Colorizer, photochrom.Restorer, photochrom.FilmColorizer, photochrom.colorize_film]
)
def test_sessions_leave_defaults_to_the_options(function: Callable[..., object]) -> None:
    """No session says again what an option is when it is left out: options are None, and their class decides."""
    defaults = [p.default for p in inspect.signature(function).parameters.values()]
    assert {default for default in defaults if default is not inspect.Parameter.empty} <= {None, False}


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'colourize'"):
        _ = photochrom.colourize  # type: ignore[attr-defined]


def test_every_public_error_is_in_the_tree() -> None:
    errors = [getattr(photochrom, name) for name in PUBLIC if name.endswith("Error")]
    assert all(issubclass(error, photochrom.PhotochromError) for error in errors)


def test_the_version_is_the_packages() -> None:
    declared = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE)
    assert declared is not None
    assert declared[1] == photochrom.__version__


def test_importing_loads_nothing_heavy() -> None:
    assert modules_after("import photochrom") & HEAVY == set()


@pytest.mark.slow
def test_an_error_or_an_option_needs_no_engine() -> None:
    assert modules_after("import photochrom; photochrom.OptionError; photochrom.Limits()") & (HEAVY - {"pydantic"}) <= {
        "rich"
    }


@pytest.mark.slow
def test_help_loads_no_engine_and_no_arrays() -> None:
    loaded = modules_after("from photochrom.cli.app import run; run(['--help'])")
    assert loaded & {"torch", "onnxruntime", "numpy", "PIL", "pyvips", "pydantic"} == set()


@pytest.mark.slow
def test_colouring_never_imports_torch(tiny_model: Path, tmp_path: Path) -> None:
    source = tmp_path / "grey.png"
    code = (
        "import numpy as np, photochrom\n"
        "from PIL import Image\n"
        "from photochrom.cli.app import run\n"
        f"Image.fromarray(np.full((40, 50), 90, np.uint8)).save({str(source)!r})\n"
        f"assert run(['colorize', {str(source)!r}, '--model', {str(tiny_model)!r}, '--quiet']) == 0\n"
        f"photochrom.colorize({str(source)!r}, model={str(tiny_model)!r})"
    )
    loaded = modules_after(code)
    assert "onnxruntime" in loaded
    assert loaded & {"torch", "onnx", "skimage", "scipy", "cv2"} == set()
