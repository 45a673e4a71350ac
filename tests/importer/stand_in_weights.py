"""Deterministic stand-in weights for the published generators, made from parameter names and shapes alone.

The published files are large downloads under their own addresses; these weights can be made anywhere, and the numbers
in ``expected.npz`` beside this file are what the original implementation answers with them. Each array comes from a
Philox generator seeded with the CRC-32 of its name, so no array depends on another or on the order of names.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pytest

if TYPE_CHECKING:
    from torch import nn

Array = npt.NDArray[np.generic]
Shape = tuple[int, ...]
POWER_ITERATIONS = 30

# Set this to 1 to run also the tests that need gigabytes of memory or more than a few seconds each.
SLOW = os.environ.get("PHOTOCHROM_SLOW_TESTS", "") == "1"
slow = pytest.mark.skipif(not SLOW, reason="slow; set PHOTOCHROM_SLOW_TESTS=1 to run it")


def weights_for(make: Callable[[], nn.Module]) -> dict[str, Array]:
    """Return stand-in weights for the network that ``make`` returns."""
    import torch

    with torch.device("meta"):
        network = make()
    return stand_in_weights({name: tuple(value.shape) for name, value in network.state_dict().items()})


def saved_as_published(weights: Mapping[str, Array], path: Path) -> Path:
    """Write what the published files hold: {'model', 'opt'} in torch's older container, a slice in the optimizer."""
    import torch

    model = {name: torch.from_numpy(np.asarray(array)) for name, array in weights.items()}
    optimizer = {"state": {}, "param_groups": [{"lr": slice(1e-7, 1e-4), "betas": (0.0, 0.99)}]}
    torch.save({"model": model, "opt": optimizer}, path, _use_new_zipfile_serialization=False)
    return path


def stand_in_weights(shapes: Mapping[str, Shape]) -> dict[str, Array]:
    """Return {name: array} with plausible magnitudes, so that nothing saturates and every layer matters."""
    names = [name for name in shapes if not name.endswith((".weight_u", ".weight_g"))]
    spectral = {name.removesuffix("_u") + "_v" for name in shapes if name.endswith(".weight_u")}
    weights = {name: _drawn(name, shapes) for name in names if name not in spectral}
    for name in shapes:
        stem = name.rpartition(".")[0]
        if name.endswith(".weight_u"):
            weights[name], weights[f"{stem}.weight_v"] = _singular_vectors(name, weights[f"{stem}.weight_orig"])
        elif name.endswith(".weight_g"):
            weights[name] = _gains(name, weights[f"{stem}.weight_v"]).reshape(shapes[name])
    return {name: weights[name] for name in shapes}


def _random(name: str) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(zlib.crc32(name.encode())))


def _drawn(name: str, shapes: Mapping[str, Shape]) -> Array:
    stem, _, kind = name.rpartition(".")
    shape = shapes[name]
    of_norm = f"{stem}.running_mean" in shapes
    if kind == "num_batches_tracked":
        return np.array(1, np.int64)
    if kind == "gamma":
        return np.full(shape, 0.7, np.float32)
    if kind == "running_var":
        return _random(name).uniform(0.7, 1.3, shape).astype(np.float32)
    if kind == "weight" and of_norm:
        return _random(name).uniform(*_norm_range(stem, shapes), shape).astype(np.float32)
    if kind == "running_mean" or (kind == "bias" and of_norm):
        deviation = 0.1
    elif kind == "bias":
        deviation = 0.05
    else:
        deviation = float(np.sqrt(1.0 / int(np.prod(shape[1:]))))
    return (_random(name).standard_normal(shape) * deviation).astype(np.float32)


def _norm_range(stem: str, shapes: Mapping[str, Shape]) -> tuple[float, float]:
    """Return the range of a norm's weights: small for the last norm of a residual block, lest the sum grow."""
    bottleneck = f"{stem[:-1]}3.weight" in shapes
    closes_residual = stem.endswith("bn3") or (stem.endswith("bn2") and not bottleneck)
    return (0.3, 0.5) if closes_residual else (0.6, 1.4)


def _singular_vectors(name: str, kernel: Array) -> tuple[Array, Array]:
    matrix = kernel.reshape(kernel.shape[0], -1).astype(np.float64)
    left = np.abs(_random(name).standard_normal(matrix.shape[0]))
    right = np.zeros(matrix.shape[1])
    for _ in range(POWER_ITERATIONS):
        right = matrix.T @ left
        right /= np.linalg.norm(right)
        left = matrix @ right
        left /= np.linalg.norm(left)
    return left.astype(np.float32), right.astype(np.float32)


def _gains(name: str, direction: Array) -> Array:
    rows = direction.reshape(direction.shape[0], -1).astype(np.float64)
    lengths = np.sqrt((rows**2).sum(axis=1))
    return (lengths * _random(name).uniform(0.8, 1.2, lengths.shape)).astype(np.float32)
