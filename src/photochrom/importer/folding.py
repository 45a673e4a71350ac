"""Plain kernels out of a state dict: spectral norm, weight norm and batch norm worked into the weights, in numpy.

A folded network computes the same function with fewer steps and no normalisation at run time.
Source: Miyato et al. 2018, algorithm 1 (spectral norm); Salimans, Kingma 2016, equation 2 (weight norm); Ioffe,
Szegedy 2015, section 3.1 (batch norm as a linear step, once its statistics are fixed).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

Weights = npt.NDArray[np.float32]
State = Mapping[str, npt.NDArray[np.generic]]

BATCH_NORM_EPSILON = 1e-5
SPECTRAL_EPSILON = 1e-12


def floats(state: State, name: str) -> Weights:
    """Return one entry of a state dict as float32."""
    return np.ascontiguousarray(state[name], dtype=np.float32)


def kernel(state: State, stem: str) -> Weights:
    """Return the kernel that the convolution ``stem`` applies in evaluation, whatever norm it is stored under."""
    if f"{stem}.weight" in state:  # plain, or the ready buffer that torch 0.4 stored beside weight_orig
        return floats(state, f"{stem}.weight")
    if f"{stem}.weight_orig" in state:
        return _spectral_kernel(state, stem)
    return _weight_norm_kernel(state, stem)


def _spectral_kernel(state: State, stem: str) -> Weights:
    original, u = floats(state, f"{stem}.weight_orig"), floats(state, f"{stem}.weight_u")
    matrix = original.reshape(original.shape[0], -1)
    if f"{stem}.weight_v" in state:
        v = floats(state, f"{stem}.weight_v")
    else:
        v = matrix.T @ u
        v /= np.linalg.norm(v) + SPECTRAL_EPSILON
    return np.asarray(original / np.float32(u @ (matrix @ v)), dtype=np.float32)


def _weight_norm_kernel(state: State, stem: str) -> Weights:
    gains, direction = floats(state, f"{stem}.weight_g"), floats(state, f"{stem}.weight_v")
    lengths = np.sqrt((direction.reshape(direction.shape[0], -1) ** 2).sum(axis=1)).reshape(gains.shape)
    return np.asarray(direction * (gains / lengths), dtype=np.float32)


def bias(state: State, stem: str) -> Weights | None:
    """Return the bias of the convolution ``stem``, or None where it has none."""
    return floats(state, f"{stem}.bias") if f"{stem}.bias" in state else None


def batch_norm(state: State, stem: str) -> tuple[Weights, Weights]:
    """Return (scale, shift) per channel, so that the norm ``stem`` is ``x * scale + shift``."""
    weight, offset, mean, variance = (
        np.asarray(state[f"{stem}.{name}"], dtype=np.float64)
        for name in ("weight", "bias", "running_mean", "running_var")
    )
    scale = weight / np.sqrt(variance + BATCH_NORM_EPSILON)
    return scale.astype(np.float32), (offset - mean * scale).astype(np.float32)


def norm_after(conv: Weights, offset: Weights | None, scale: Weights, shift: Weights) -> tuple[Weights, Weights]:
    """Return kernel and bias of a convolution followed by ``x * scale + shift``."""
    scaled = conv * scale.reshape(-1, *([1] * (conv.ndim - 1)))
    return scaled, shift if offset is None else offset * scale + shift


def norm_before(conv: Weights, offset: Weights | None, scale: Weights, shift: Weights) -> tuple[Weights, Weights]:
    """Return kernel and bias of an unpadded convolution preceded by ``x * scale + shift``.

    Only for kernels that see no padding (1x1): the norm would shift the padding's zeros too.
    """
    moved = np.tensordot(conv.sum(axis=tuple(range(2, conv.ndim))), shift, axes=1).astype(np.float32)
    scaled = conv * scale.reshape(1, -1, *([1] * (conv.ndim - 2)))
    return scaled, moved if offset is None else offset + moved
