"""A fixed set of held-out photographs, and figures of what a generator makes of them that betray a spoiled GAN.

Each figure is kept per photograph, so that bands can be bootstrapped over photographs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from photochrom.color import chroma, colorfulness, lab_from_srgb
from photochrom.metrics import kernel_distance
from photochrom.train.data import BatchSource
from photochrom.train.losses import balanced_accuracy
from photochrom.train.objectives import Objectives
from photochrom.train.perceptual import PerceptualLoss

BATCH = 16
NOISE_SIGMA = 0.01
SMALLEST_SKIN_SHARE = 0.01
# Full-range 8-bit Cb and Cr, less 128, in which skin of all shades lies.
# Source: Chai, Ngan 1999, "Face segmentation using skin-color map in videophone applications", section III.
SKIN_CB, SKIN_CR = (-51, -1), (5, 45)
SKIN_LUMA = (0.15, 0.95)

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Measurement:
    """What one look found. ``distance`` is a kernel distance (KID) x 1000; the others hold one value per photograph."""

    distance: float
    per_photo: dict[str, list[float]]
    critic_accuracy: float


class Probe:
    """The photographs, what they should look like, and the network in whose features sets are compared.

    ``count`` of the source's photographs are taken, in its order, after leaving out the ``first``.
    """

    def __init__(
        self,
        source: BatchSource,
        objectives: Objectives,
        size_px: int,
        count: int,
        network: PerceptualLoss,
        first: int = 0,
    ) -> None:
        self.objectives, self.size_px = objectives, size_px
        self.network = network.to(objectives.runtime.device)
        positions = np.array_split(np.arange(first, min(first + count, len(source.photos))), -(-count // BATCH))
        self.photos: list[Tensor] = []
        truths: list[Tensor] = []
        for chosen in positions:
            if len(chosen):
                batch = source.at(size_px, 0, [int(position) for position in chosen])
                photo, rgb, ab = (torch.from_numpy(array) for array in (batch.photo, batch.rgb, batch.ab))
                self.photos.append(photo)
                truths.append(objectives.task.truth_of(photo, rgb, ab).clamp(0, 1))
        self.truth_features = np.concatenate([self._features(truth) for truth in truths])
        self.truth = np.concatenate([_channels_last(truth) for truth in truths])
        self.skin = [skin_mask(rgb) for rgb in self.truth]

    @torch.no_grad()
    def _features(self, rgb: Tensor) -> npt.NDArray[np.float32]:
        coarsest = self.network.maps(rgb.to(self.objectives.runtime.device))[-1]
        return np.asarray(coarsest.mean(dim=(2, 3)).cpu().numpy())

    def measure(self, net: nn.Module, critic: nn.Module | None) -> Measurement:
        """Return the figures of a generator (its averaged weights), and the critic's balanced accuracy on them."""
        painted = [self._paint(net, photo) for photo in self.photos]
        pictures = np.concatenate([_channels_last(rgb) for rgb in painted])
        features = np.concatenate([self._features(rgb) for rgb in painted])
        jitter = np.concatenate([self._jitter(net, *pair) for pair in zip(self.photos, painted, strict=True)])
        drift = [skin_drift(*trio) for trio in zip(pictures, self.truth, self.skin, strict=True)]
        surplus = [colorfulness(made) - colorfulness(true) for made, true in zip(pictures, self.truth, strict=True)]
        return Measurement(
            distance=1000 * kernel_distance(features, self.truth_features, paired=True),
            per_photo={
                "skin_hue_drift": [hue for hue, _ in drift if not np.isnan(hue)],
                "skin_chroma_drift": [size for _, size in drift if not np.isnan(size)],
                "jitter": jitter.tolist(),
                "colourfulness_surplus": surplus,
            },
            critic_accuracy=self._critic_accuracy(critic, painted),
        )

    def _paint(self, net: nn.Module, photo: Tensor) -> Tensor:
        return self.objectives.generate(net, photo.to(self.objectives.runtime.device)).cpu()

    def _jitter(self, net: nn.Module, photo: Tensor, painted: Tensor) -> Floats:
        """Return how much each picture's chroma moves (Cb, Cr in codes) when its input moves by next to nothing."""
        noise = torch.randn(photo.shape, generator=torch.Generator().manual_seed(0)) * NOISE_SIGMA
        shifted = self._paint(net, photo.roll(1, dims=3)).roll(-1, dims=3)
        noisy = self._paint(net, (photo + noise).clamp(0, 1))
        smaller = nn.functional.interpolate(photo, scale_factor=1 - 32 / self.size_px, mode="area")
        resized = nn.functional.interpolate(self._paint(net, smaller), size=photo.shape[-2:], mode="bilinear")
        reference = chroma(_channels_last(painted))
        moved = [np.abs(chroma(_channels_last(rgb)) - reference)[:, :, 2:-2] for rgb in (shifted, noisy, resized)]
        return np.asarray(255 * np.mean([part.mean(axis=(1, 2, 3)) for part in moved], axis=0), dtype=np.float64)

    def _critic_accuracy(self, critic: nn.Module | None, painted: list[Tensor]) -> float:
        if critic is None:
            return float("nan")
        device, was_training = self.objectives.runtime.device, critic.training
        critic.eval()
        truths = torch.from_numpy(np.ascontiguousarray(np.moveaxis(self.truth, -1, 1)))
        with torch.no_grad():
            real = torch.cat([critic(rgb.to(device)).flatten() for rgb in torch.split(truths, BATCH)])
            generated = torch.cat([critic(rgb.to(device)).flatten() for rgb in painted])
        critic.train(was_training)
        return balanced_accuracy(real, generated)


def skin_mask(rgb: npt.NDArray[np.float32]) -> npt.NDArray[np.bool_]:
    """Return where a true photograph shows skin colours: (H, W, 3), 0..1 -> (H, W)."""
    cb, cr = np.moveaxis(chroma(rgb) * 255, -1, 0)
    bright = rgb @ np.array([0.299, 0.587, 0.114], dtype=rgb.dtype)
    inside = (cb > SKIN_CB[0]) & (cb < SKIN_CB[1]) & (cr > SKIN_CR[0]) & (cr < SKIN_CR[1])
    return np.asarray(inside & (bright > SKIN_LUMA[0]) & (bright < SKIN_LUMA[1]))


def skin_drift(
    picture: npt.NDArray[np.float32], truth: npt.NDArray[np.float32], skin: npt.NDArray[np.bool_]
) -> tuple[float, float]:
    """Return how far skin's mean hue (degrees) and chroma (Lab units) are from the truth's; NaN without skin."""
    if skin.mean() < SMALLEST_SKIN_SHARE:
        return float("nan"), float("nan")
    means = [lab_from_srgb(rgb[skin])[:, 1:].mean(axis=0) for rgb in (picture, truth)]
    hues = [np.degrees(np.arctan2(b, a)) for a, b in means]
    hue = abs((hues[0] - hues[1] + 180) % 360 - 180)
    return float(hue), float(abs(np.hypot(*means[0]) - np.hypot(*means[1])))


def _channels_last(rgb: Tensor) -> npt.NDArray[np.float32]:
    return np.asarray(rgb.permute(0, 2, 3, 1).numpy(), dtype=np.float32)
