"""BM3D, written from the papers, as a baseline for the noise stage: groups of similar blocks, filtered together.

The authors' own package is free for non-commercial use only, so it is not used here. Sources: Dabov, Foi, Katkovnik,
Egiazarian 2007, "Image denoising by sparse 3-D transform-domain collaborative filtering" (the two steps, table I for
the parameters); Lebrun 2012, "An Analysis and Implementation of the BM3D Image Denoising Method" (colour: blocks are
matched on the luma). Orthonormal DCT within blocks, Haar wavelet across them.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Planes = npt.NDArray[np.float32]
BLOCK, STEP, RADIUS, GROUP = 8, 3, 14, 16
HARD_THRESHOLD = 2.7


def bm3d(noisy: Planes, sigma: float) -> Planes:
    """Return the denoised picture.

    Args:
        noisy: (C, H, W), 0..1; blocks are matched on the first plane.
        sigma: standard deviation of the noise in each plane, of 1.

    Cost: about a second for 128 x 128 pixels in three planes.
    """
    places = _places(noisy.shape[1:])
    basic = _filtered(noisy, noisy, _matches(noisy[0], places), sigma, wiener=False)
    return _filtered(noisy, basic, _matches(basic[0], places), sigma, wiener=True)


def _places(shape: tuple[int, ...]) -> npt.NDArray[np.intp]:
    """Return (N, 2): the corners of the reference blocks, the last row and column included."""
    axes = [np.unique([*range(0, length - BLOCK, STEP), length - BLOCK]) for length in shape]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 2)


def _matches(plane: npt.NDArray[np.float32], places: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """Return (N, GROUP, 2): the corners of the blocks most similar to each reference block, itself first."""
    height, width = plane.shape
    offsets = [(y, x) for y in range(-RADIUS, RADIUS + 1) for x in range(-RADIUS, RADIUS + 1)]
    offsets.sort(key=lambda offset: offset != (0, 0))
    padded = np.pad(plane, RADIUS, constant_values=np.float32(1e3))  # blocks beyond the border are never similar
    distances = np.empty((len(offsets), len(places)), np.float32)
    for k, (y, x) in enumerate(offsets):
        moved = padded[RADIUS + y : RADIUS + y + height, RADIUS + x : RADIUS + x + width]
        sums = np.pad(((plane - moved) ** 2).cumsum(axis=0, dtype=np.float64).cumsum(axis=1), ((1, 0), (1, 0)))
        top, left = places.T
        distances[k] = (
            sums[top + BLOCK, left + BLOCK] - sums[top, left + BLOCK] - sums[top + BLOCK, left] + sums[top, left]
        )
    distances[0] = -1
    chosen = np.argpartition(distances, GROUP, axis=0)[:GROUP]
    order = np.argsort(np.take_along_axis(distances, chosen, axis=0), axis=0)
    return places[:, None] + np.array(offsets)[np.take_along_axis(chosen, order, axis=0).T]


def _filtered(noisy: Planes, guide: Planes, groups: npt.NDArray[np.intp], sigma: float, *, wiener: bool) -> Planes:
    """Return the weighted mean of all filtered blocks."""
    dct, haar, window = _dct(), _haar(), np.outer(np.kaiser(BLOCK, 2), np.kaiser(BLOCK, 2)).astype(np.float32)
    rows = groups[..., 0, None, None] + np.arange(BLOCK)[:, None]
    columns = groups[..., 1, None, None] + np.arange(BLOCK)
    flat = np.broadcast_to(rows * noisy.shape[2] + columns, (*groups.shape[:2], BLOCK, BLOCK)).ravel()
    out = np.zeros_like(noisy)
    for channel in range(len(noisy)):
        spectrum = _forward(noisy[channel][rows, columns], dct, haar)
        if wiener:
            power = _forward(guide[channel][rows, columns], dct, haar) ** 2
            gain = power / (power + sigma**2)
            kept = (gain**2).sum(axis=(1, 2, 3))
        else:
            gain = (np.abs(spectrum) > HARD_THRESHOLD * sigma).astype(np.float32)
            kept = gain.sum(axis=(1, 2, 3))
        blocks = _backward(spectrum * gain, dct, haar)
        weight = (1 / np.maximum(kept, 1))[:, None, None, None].astype(np.float32) * window
        total = np.bincount(flat, (blocks * weight).ravel(), minlength=noisy[channel].size)
        weights = np.bincount(flat, np.broadcast_to(weight, blocks.shape).ravel(), minlength=noisy[channel].size)
        out[channel] = (total / np.maximum(weights, 1e-8)).reshape(noisy.shape[1:])
    return np.clip(out, 0, 1)


def _forward(blocks: Planes, dct: Planes, haar: Planes) -> Planes:
    return np.asarray(np.einsum("kg,ngij->nkij", haar, dct @ blocks @ dct.T, optimize=True), np.float32)


def _backward(spectrum: Planes, dct: Planes, haar: Planes) -> Planes:
    return np.asarray(dct.T @ np.einsum("kg,nkij->ngij", haar, spectrum, optimize=True) @ dct, np.float32)


def _dct() -> Planes:
    index = np.arange(BLOCK)
    matrix = np.sqrt(2 / BLOCK) * np.cos(np.pi * (2 * index + 1) * index[:, None] / (2 * BLOCK))
    matrix[0] /= np.sqrt(2)
    return matrix.astype(np.float32)


def _haar() -> Planes:
    """Return the orthonormal Haar transform of GROUP values."""
    matrix = np.ones((1, 1))
    while len(matrix) < GROUP:
        matrix = np.vstack([np.kron(matrix, [1, 1]), np.kron(np.eye(len(matrix)), [1, -1])]) / np.sqrt(2)
    return matrix.astype(np.float32)
