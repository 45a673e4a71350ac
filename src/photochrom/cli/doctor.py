"""`photochrom doctor`: is this installation able to work, and which command fixes what is missing?"""

from __future__ import annotations

import importlib.metadata
import platform
import re
import time
from collections.abc import Iterator

import numpy as np

from photochrom.cli.lines import say
from photochrom.computer.cores import usable_cores
from photochrom.computer.hashes import sha256_of
from photochrom.engines.catalog import model_cards
from photochrom.engines.hub import cache_folder, card_path, installed_models
from photochrom.engines.weights_file import REINSTALL, WEIGHTS_SUFFIX
from photochrom.errors import EXIT_NOT_INSTALLED, EXIT_OK, EXIT_SOME_FAILED, PhotochromError
from photochrom.files.photo import Photo
from photochrom.luma import luma_codes
from photochrom.version import VERSION

# What each extra of pyproject.toml is for; which packages it brings is read from the installation.
EXTRAS = {
    "heic": "HEIC photographs",
    "raw": "camera RAW",
    "codecs": "TIFF with lossless JPEG, JPEG XR, LERC and the like",
    "c2pa": "content credentials",
    "film": "films",
    "studio": "the studio, and photographs over HTTP",
    "hub": "signatures of model indexes",
    "docs": "the documentation's site",
    "cluster": "albums in the cloud, and Ray clusters",
    "train": "training and export",
    "import": "DeOldify's and DDColor's weights",
    "deoldify": "DeOldify's programming interface",
}
SELF_TEST_SIDE = 512
REMEDY = "Install photochrom again."


def doctor(*, model: str | None = None) -> int:
    """Check versions, engine, threads, model files and hashes, colour a test picture, and name missing extras.

    Args:
        model: Only measure this model on this computer: time and memory for several sizes of the net's copy.
    """
    if model is not None:
        from photochrom.cli.model_cost import print_model_cost

        return print_model_cost(model)
    say(f"photochrom {VERSION}, Python {platform.python_version()}, {platform.platform()}")
    exit_code = EXIT_OK
    for ok, line, code in _checks():
        say(f"{'ok  ' if ok else 'FAIL'}  {line}")
        if not ok:
            exit_code = max(exit_code, code)
    for extra, purpose in EXTRAS.items():
        missing = [package for package in required(extra) if _version(package) is None]
        if missing:
            say(f"-     {purpose}: not installed ({', '.join(missing)}). pip install 'photochrom[{extra}]'")
        else:
            say(f"ok    {purpose}: installed")
    return exit_code


def _checks() -> Iterator[tuple[bool, str, int]]:
    """Yield (fine, line, exit code if not) for each check that matters for colouring."""
    for package in required():
        version = _version(package)
        told = f"{package} {version}" if version else f"{package} is missing. pip install {package}"
        yield version is not None, told, EXIT_NOT_INSTALLED
    yield True, f"{usable_cores()} cores usable, models beyond the embedded in {cache_folder()}", EXIT_OK
    yield from _check_models()
    yield _self_test()


def required(extra: str = "") -> list[str]:
    """Return the packages that this installation, or one of its extras, needs, as its metadata say."""
    try:
        lines = importlib.metadata.requires("photochrom") or []
    except importlib.metadata.PackageNotFoundError:
        return ["photochrom"]  # run from a folder: nothing says what it needs
    wanted = [line for line in lines if re.findall(r"extra == ['\"]([^'\"]+)", line) == ([extra] if extra else [])]
    names = (re.match(r"[\w.-]+", line) for line in wanted)
    return [name[0] for name in names if name]


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _check_models() -> Iterator[tuple[bool, str, int]]:
    imported = {name: file.card for name, file in installed_models().items() if file.card is not None}
    for card in (model_cards() | imported).values():
        path = card_path(card)
        if not path.is_file():
            if card.embedded and card.sha256:
                yield False, f"model {card.name} is missing. {REMEDY}", EXIT_NOT_INSTALLED
            continue
        digest, weights = sha256_of(path), path.with_suffix(WEIGHTS_SUFFIX)
        fine = digest == card.sha256
        if card.weights_sha256:
            fine = fine and weights.is_file() and sha256_of(weights) == card.weights_sha256
        verdict = "as published" if fine else f"NOT the published one. {REMEDY if card.embedded else REINSTALL}"
        yield fine, f"model {card.name}: {path}, sha256 {digest[:16]}, {verdict}", EXIT_NOT_INSTALLED


def _self_test() -> tuple[bool, str, int]:
    """Colour a generated picture with the default model and look whether it kept its promises."""
    start = time.perf_counter()
    ramp = np.linspace(0, 255, SELF_TEST_SIDE).astype(np.uint8)
    grey = np.broadcast_to(ramp, (SELF_TEST_SIDE, SELF_TEST_SIDE))[..., None]
    try:
        from photochrom.colorizer import Colorizer  # an engine, which the lines before do without

        with Colorizer() as colorizer:
            result = colorizer.run(Photo(grey))
            engine = colorizer.engine.description
    except PhotochromError as error:
        return False, f"self test: {error}", error.exit_code
    kept = bool((luma_codes(result.photo.pixels) == grey[..., 0]).all())
    seconds = time.perf_counter() - start
    verdict = "luma kept exactly" if kept else "LUMA CHANGED. Please report this."
    return kept, f"self test: {seconds:.2f} s, {verdict}; {engine}", EXIT_SOME_FAILED
