"""What restoration networks are asked for: corrected tones, a mask of damage, filled holes.

Noise needs no task of its own: it is target ``rgb`` with the pixel loss.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from photochrom.errors import TrainingError
from photochrom.holes import POSSIBLE, SUREST
from photochrom.nets.damage import DamageNet
from photochrom.nets.paint import luma_of
from photochrom.nets.tone import correct
from photochrom.train.runtime import Runtime
from photochrom.train.sections import TaskSection
from photochrom.train.tasks import Task, TensorBatch
from photochrom.train.trained import load_trained

# How much colour differences count beside those of all channels, and rough fields beside both.
CHROMA_SHARE, ROUGHNESS_SHARE = 0.5, 0.02


class ToneTask(Task):
    """Target ``tone``: curves and fields; the loss is taken on the picture they make."""

    def answer(
        self,
        net: nn.Module,
        batch: TensorBatch,
        *,
        rng: torch.Generator,  # noqa: ARG002 - one signature for all tasks
        pixel_share: float,  # noqa: ARG002
        paints: bool,  # noqa: ARG002
    ) -> tuple[dict[str, Tensor], Tensor]:
        """Return the tone loss and the corrected picture."""
        curves, gain, offset = net(batch.photo)
        corrected = correct(batch.photo, curves, gain, offset)
        loss = tone_loss(corrected, batch.rgb) + ROUGHNESS_SHARE * (roughness(gain.log()) + roughness(offset))
        return {"tone": loss}, corrected

    def picture(self, net: nn.Module, photo: Tensor) -> Tensor:
        """Return the corrected picture."""
        return correct(photo, *net(photo))


def tone_loss(corrected: Tensor, truth: Tensor) -> Tensor:
    """Return the mean absolute difference of two pictures (B, 3, H, W), with that of their chroma on top.

    Both are averaged over 4x4 pixels first: grain and scratches are other networks' business.
    """
    corrected, truth = (nn.functional.avg_pool2d(picture, 4) for picture in (corrected, truth))
    chroma, true_chroma = corrected - luma_of(corrected), truth - luma_of(truth)
    return (corrected - truth).abs().mean() + CHROMA_SHARE * (chroma - true_chroma).abs().mean()


def roughness(field: Tensor) -> Tensor:
    """Return the mean square difference of neighbouring cells of (B, C, h, w)."""
    return field.diff(dim=2).square().mean() + field.diff(dim=3).square().mean()


class MaskTask(Task):
    """Target ``mask``: the probability that damage hides a pixel."""

    def answer(
        self,
        net: nn.Module,
        batch: TensorBatch,
        *,
        rng: torch.Generator,  # noqa: ARG002 - one signature for all tasks
        pixel_share: float,  # noqa: ARG002
        paints: bool,  # noqa: ARG002
    ) -> tuple[dict[str, Tensor], Tensor]:
        """Return cross-entropy and overlap losses, and the mask as a picture."""
        logits = net(batch.photo).float()
        surprise = nn.functional.binary_cross_entropy_with_logits(logits, batch.mask)
        probability = logits.sigmoid()
        return {"surprise": 2 * surprise, "overlap": dice_loss(probability, batch.mask)}, probability.expand(
            -1, 3, -1, -1
        )

    def picture(self, net: nn.Module, photo: Tensor) -> Tensor:
        """Return the probabilities as a picture."""
        return net(photo).sigmoid().expand(-1, 3, -1, -1)  # type: ignore[no-any-return]

    def truth(self, batch: TensorBatch) -> Tensor:
        """Return the true mask as a picture."""
        return batch.mask.expand(-1, 3, -1, -1)

    def figures(self, shown: Tensor, batch: TensorBatch) -> dict[str, Tensor]:
        """Return intersection and union at one half, per picture; and what is marked of undamaged pictures."""
        found, true = shown[:, :1] > 0.5, batch.mask > 0.5
        counts = {"intersection": found & true, "union": found | true}
        figures = {name: count.float().mean(dim=(1, 2, 3)) for name, count in counts.items()}
        is_clean = ~true.flatten(1).any(dim=1)
        marked = found.float().mean(dim=(1, 2, 3))
        return figures | {"marked_clean": torch.where(is_clean, marked, torch.nan)}


def dice_loss(probability: Tensor, truth: Tensor) -> Tensor:
    """Return 1 - 2 |A B| / (|A| + |B|): half over the whole batch, half the mean over pictures that have damage.

    Over the batch, because a picture without damage has nothing to overlap; picture by picture, because few specks
    of dust would not be missed beside another picture's tears.
    Shapes: (B, 1, H, W) twice -> scalar.
    Source: Milletari, Navab, Ahmadi 2016, "V-Net: Fully Convolutional Neural Networks for Volumetric Medical Image
    Segmentation", section 3, without the squares.
    """
    both = (probability * truth).sum(dim=(1, 2, 3))
    either = (probability + truth).sum(dim=(1, 2, 3))
    is_damaged = truth.flatten(1).any(dim=1)
    batch_loss = 1 - (2 * both.sum() + 1) / (either.sum() + 1)
    if not is_damaged.any():
        return batch_loss
    own_losses = 1 - (2 * both + 1) / (either + 1)
    return (batch_loss + own_losses[is_damaged].mean()) / 2


class FillTask(Task):
    """Target ``fill``: what the holes hid. What the network sees is the damaged picture; in holes it is blind.

    With a finder it is also shown what that one takes for damage, and learns which of it is none.
    """

    def __init__(self, options: TaskSection, runtime: Runtime) -> None:
        super().__init__(options)
        self.runtime = runtime
        self.finder: nn.Module | None = None
        if options.finder is not None:
            self.finder = load_trained(options.finder).net.requires_grad_(False)
            if not isinstance(self.finder, DamageNet):
                raise TrainingError(
                    "does not find damage", where=str(options.finder), next_step="Name one of target mask"
                )

    def answer(
        self,
        net: nn.Module,
        batch: TensorBatch,
        *,
        rng: torch.Generator,
        pixel_share: float,  # noqa: ARG002 - one signature for all tasks
        paints: bool,  # noqa: ARG002
    ) -> tuple[dict[str, Tensor], Tensor]:
        """Return the mean absolute difference inside the holes, and the whole picture with them filled."""
        mask = misjudged(batch.mask, self.options.mask_error, rng)
        if self.finder is not None:
            is_found = torch.rand(len(mask), 1, 1, 1, generator=rng).to(mask.device) < self.options.found_share
            mask = torch.where(is_found, found_damage(self.finder, batch.photo), mask)
        filled = self._filled(net, batch, mask)
        hole = mask > 0
        difference = ((filled - batch.rgb).abs() * hole).sum()
        # By the mean count over processes, so that a pixel counts as much whichever process has it.
        return {"fill": difference / self.runtime.mean(3 * hole.sum().float()).clamp(min=1)}, filled

    def shown(self, net: nn.Module, batch: TensorBatch) -> Tensor:
        """Return the clean picture with its holes filled."""
        return self._filled(net, batch, batch.mask).clamp(0, 1)

    def _filled(self, net: nn.Module, batch: TensorBatch, mask: Tensor) -> Tensor:
        filled: Tensor = net(batch.photo, mask)
        return batch.rgb + (filled.float() - batch.rgb) * (mask > 0)

    def figures(self, shown: Tensor, batch: TensorBatch) -> dict[str, Tensor]:
        """Return PSNR inside the holes (dB), and of the damage itself there."""
        return {
            "psnr_holes": hole_psnr(shown, batch.rgb, batch.mask),
            "psnr_input": hole_psnr(batch.photo, batch.rgb, batch.mask),
        }


@torch.no_grad()
def found_damage(finder: nn.Module, photo: Tensor) -> Tensor:
    """Return the probability of damage where it is possible, 0 elsewhere: (B, 3, H, W) -> (B, 1, H, W)."""
    probability: Tensor = finder.to(photo.device)(photo).float().sigmoid()
    return (probability * (probability >= POSSIBLE)).clamp(max=SUREST)


def misjudged(mask: Tensor, share: float, rng: torch.Generator) -> Tensor:
    """Return a mask as a network finds it: a pixel narrower in some regions, a pixel wider in others, right elsewhere.

    So the network that fills meets damage that was missed beside its holes, and learns not to spread it.
    Shapes: (B, 1, H, W) of 0 and 1 -> the same. ``share``: of the picture that is not right.
    """
    if not share:
        return mask
    coarse = torch.rand(len(mask), 1, 6, 6, generator=rng).to(mask.device)
    field = nn.functional.interpolate(coarse, mask.shape[-2:], mode="nearest")
    wider, narrower = nn.functional.max_pool2d(mask, 3, 1, 1), -nn.functional.max_pool2d(-mask, 3, 1, 1)
    return torch.where(field < share / 2, narrower, torch.where(field > 1 - share / 2, wider, mask))


def hole_psnr(picture: Tensor, truth: Tensor, mask: Tensor) -> Tensor:
    """Return the PSNR (dB) of each picture where the mask is 1; not a number where there is no hole."""
    holes = 3 * mask.sum(dim=(1, 2, 3))
    error = ((picture - truth).square() * mask).sum(dim=(1, 2, 3)) / holes
    return -10 * error.clamp(min=1e-6).log10()
