"""ONNX Runtime Web, which runs the model in a browser: where its two files come from, and that they are the right ones.

It is MIT-licensed, 14 MB, and not part of this package: it comes from npm's package of that name, which is fetched when
somebody asks for it, or brought along as a file. Whatever the source, only files with the hashes below are taken.
"""

from __future__ import annotations

import hashlib
import os
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from photochrom.computer.downloads import Progress, PublishedFile, fetch
from photochrom.engines.hub import cache_folder
from photochrom.errors import MissingExtraError, ModelFileError

NAME, VERSION = "onnxruntime-web", "1.30.0"
PACKAGE_FILE = f"{NAME}-{VERSION}.tgz"
PACKAGE_BYTES = 33_106_585
PACKAGE_SHA256 = "d2228df7e4616bc3348bf504ee888f3bec43789a273f0a63f3e68d203ce3bf71"
REGISTRY, REGISTRY_VARIABLE = "https://registry.npmjs.org", "npm_config_registry"  # npm's own address and variable


@dataclass(frozen=True, slots=True)
class RuntimeFile:
    """One file of the package, and what it must be."""

    name: str
    bytes: int
    sha256: str


SCRIPT = RuntimeFile(
    "ort.wasm.bundle.min.mjs", 73_054, "11e64bd8ffe11bd1a2a2f0d6275fdfbbba7262f0b76b99b53d228a8a22ef3d90"
)
WASM = RuntimeFile(
    "ort-wasm-simd-threaded.wasm", 14_239_897, "3398c10d07d229bd91b364548e130e0e51a8e5704b88c7c083ebbeb78842dee2"
)
FOLDER_IN_PACKAGE = "package/dist"


@dataclass(frozen=True, slots=True)
class BrowserRuntime:
    """The contents of the two files, checked."""

    script: bytes
    wasm: bytes


def runtime_package() -> PublishedFile:
    """Return where the package may be had; npm's variable ``npm_config_registry`` names another registry."""
    registry = (os.environ.get(REGISTRY_VARIABLE) or REGISTRY).rstrip("/")
    otherwise = f"photochrom studio --export-page DIR --runtime {PACKAGE_FILE}"
    mirrors = (f"{registry}/{NAME}/-/{PACKAGE_FILE}",)
    return PublishedFile(NAME, PACKAGE_FILE, PACKAGE_BYTES, PACKAGE_SHA256, mirrors, otherwise)


def kept_package() -> Path:
    """Return where a fetched package is kept, whether it is there or not."""
    return cache_folder() / "downloads" / PACKAGE_FILE


def fetch_runtime(progress: Progress | None = None) -> Path:
    """Return the package's path in the cache folder, fetched unless it is there. The only thing here that goes online.

    Raises:
        ModelError: it could not be had; the line says why.
    """
    return fetch(runtime_package(), kept_package().parent, progress=progress)


def read_runtime(source: Path | None = None) -> BrowserRuntime:
    """Return ONNX Runtime Web from npm's package, or a folder that has its two files; by default what was fetched.

    Raises:
        MissingExtraError: nothing has been fetched, and no source is given.
        ModelFileError: a file is not there, cannot be read, or is not the one that this version of photochrom knows.
    """
    path = source or kept_package()
    if source is None and not path.is_file():
        raise MissingExtraError(
            f"the page needs {NAME} {VERSION} (MIT), which is not on this computer",
            next_step=f"Fetch it from npm, {PACKAGE_BYTES / 1e6:.0f} MB, with --fetch-runtime, or give --runtime FILE.",
        )
    try:
        if path.is_dir():
            return BrowserRuntime(_in_folder(path, SCRIPT), _in_folder(path, WASM))
        with tarfile.open(path) as package:
            return BrowserRuntime(_in_package(package, SCRIPT), _in_package(package, WASM))
    except (OSError, EOFError, KeyError, tarfile.TarError) as error:
        reason = getattr(error, "strerror", None) or "it is no package of npm's"
        raise _wrong(f"cannot be read ({reason})", path) from None
    except _WrongFileError as error:
        raise _wrong(str(error), path) from None


class _WrongFileError(Exception):
    """Which file is not the one expected."""


def _in_folder(folder: Path, wanted: RuntimeFile) -> bytes:
    places = [folder / wanted.name, folder / "dist" / wanted.name, folder / FOLDER_IN_PACKAGE / wanted.name]
    found = next((path for path in places if path.is_file()), places[0])
    with found.open("rb") as file:
        return _checked(file, wanted)


def _in_package(package: tarfile.TarFile, wanted: RuntimeFile) -> bytes:
    file = package.extractfile(f"{FOLDER_IN_PACKAGE}/{wanted.name}")
    if file is None:
        raise KeyError(wanted.name)
    return _checked(file, wanted)


def _checked(file: IO[bytes], wanted: RuntimeFile) -> bytes:
    content = file.read(wanted.bytes + 1)
    if hashlib.sha256(content).hexdigest() != wanted.sha256:
        raise _WrongFileError(f"its {wanted.name} is not that of version {VERSION}")
    return content


def _wrong(what: str, path: Path) -> ModelFileError:
    return ModelFileError(what, where=str(path), next_step=f"Give npm's package {PACKAGE_FILE}, or --fetch-runtime.")
