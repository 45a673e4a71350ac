"""Make a published generator in torch from arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional

from photochrom.nets.ddcolor import UNUSED_HEAD, ddcolor_large, ddcolor_tiny
from photochrom.nets.deoldify import artistic, stable
from photochrom.nets.deoldify_2018 import unet_2018

NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "artistic": artistic,
    "stable": stable,
    "unet-2018": unet_2018,
    "ddcolor-large": ddcolor_large,
    "ddcolor-tiny": ddcolor_tiny,
}


def load_generator(network: str, arrays: Mapping[str, npt.NDArray[np.generic]]) -> nn.Module:
    """Return the network in evaluation mode, sharing memory with ``arrays``; raise RuntimeError unless all fit.

    Args:
        network: one of NETWORKS; "stable" also for video.
        arrays: the state dict; counters of batches may be missing, and what torch 0.4 did not store is worked out.
    """
    with torch.device("meta"):
        generator = NETWORKS[network]()
    wanted = generator.state_dict()
    state = {name: torch.from_numpy(np.asarray(array)) for name, array in arrays.items()}
    for name, like in wanted.items():
        if name.endswith("num_batches_tracked"):
            state.setdefault(name, torch.zeros_like(like, device="cpu"))
        elif name.endswith(".weight_v") and name not in state:
            state[name] = _power_vector(state, name.removesuffix("_v"))
        if name in state and state[name].shape != like.shape and state[name].numel() == like.numel() == 1:
            state[name] = state[name].reshape(like.shape)
    generator.load_state_dict(
        {name: value for name, value in state.items() if name in wanted or not _is_spare(name, state)}, assign=True
    )
    return generator.eval()


def _power_vector(state: dict[str, torch.Tensor], stem: str) -> torch.Tensor:
    """Return v of a spectral norm of torch 0.4, scaled so that the kernel comes out as the one stored ready.

    That torch kept W / sigma itself (``weight``) and used it in evaluation. In double precision: a norm of millions
    of numbers in single precision is off by 1e-5.
    """
    matrix, u = state[f"{stem}_orig"].flatten(1).double(), state[f"{stem}_u"].double()
    v = functional.normalize(matrix.t() @ u, dim=0)
    if stem in state:
        sigma = matrix.norm() / state[stem].double().norm()
        v *= sigma / torch.dot(u, matrix @ v)
    return v.float()


def _is_spare(name: str, state: dict[str, torch.Tensor]) -> bool:
    """Return whether an entry may be left over: torch 0.4's ready kernels, a classifier that DDColor never runs."""
    return name.startswith(UNUSED_HEAD) or (name.endswith(".weight") and f"{name}_orig" in state)
