"""Weights that others publish and a person downloads once: where they are, and how a file of them is read safely.

Nothing here goes online. A network whose weights are not in a pip package names the address and the beginning of
the file's SHA-256 (the publisher puts it in the file's name), and reads the file a configuration points to.
"""

from __future__ import annotations

import hashlib
import pickle
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from photochrom.errors import ModelFileError, OptionError

# sRGB 0..1, as these networks were trained with.
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class PublishedWeights:
    """One published file, and the first eight digits of its SHA-256."""

    url: str
    sha256_begins: str


PUBLISHED = {
    name: PublishedWeights(f"https://download.pytorch.org/models/{name}-{digits}.pth", digits)
    for name, digits in {
        "resnet34": "b627a593",
        "resnet101": "63fe2227",
        "vgg16": "397923af",
        "vgg16_bn": "6c64b313",
    }.items()
}


def read_published(name: str, path: Path | None) -> dict[str, Tensor]:
    """Return the state dict in a downloaded file (.pth or .safetensors); no code in it is run.

    Raises:
        OptionError: no file was given, or it is not there; the message names the address to download.
        ModelFileError: the file is damaged, holds more than tensors, or has the published name but other bytes.
    """
    published = PUBLISHED[name]
    download = f"Download {published.url} (SHA-256 begins {published.sha256_begins}) and name the file"
    if path is None:
        raise OptionError(f"the weights of {name} are a file that was not given", next_step=download)
    if not path.is_file():
        raise OptionError(f"no such file with the weights of {name}", where=str(path), next_step=download)
    if path.name == Path(published.url).name:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        if not digest.startswith(published.sha256_begins):
            raise ModelFileError("not the published weights (sha256 differs)", where=str(path), next_step=download)
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        state = torch.load(path, weights_only=True, map_location="cpu")
    except (OSError, SafetensorError, RuntimeError, EOFError, pickle.UnpicklingError, ValueError, KeyError) as error:
        raise ModelFileError("the weights cannot be read safely", where=str(path), next_step=download) from error
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise ModelFileError("the file holds something other than tensors", where=str(path), next_step=download)
    return state


def load_strictly(net: torch.nn.Module, state: dict[str, Tensor], where: str) -> None:
    """Fill a network with a state dict that must fit exactly; raise ModelFileError where it does not."""
    try:
        net.load_state_dict(state)
    except RuntimeError as error:
        raise ModelFileError("the weights are of another network", where=where) from error
