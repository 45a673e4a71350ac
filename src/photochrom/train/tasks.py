"""What a generator is asked for: colours under a luma, a whole photograph, or its clean luma.

The tasks of restoration networks are in ``restoring.py``, the table of all in ``targets.py``.

A task knows how to build its network, what picture an answer makes, and what picture would have been right; losses,
critics and stages know only pictures.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import cast

import torch
from torch import Tensor, nn

from photochrom.nets.generators import ColorNet
from photochrom.nets.paint import ab_of_srgb, luma_of, paint
from photochrom.train.data import Batch
from photochrom.train.losses import color_distribution_loss
from photochrom.train.runtime import Runtime
from photochrom.train.sections import TaskSection


@dataclass(frozen=True)
class TensorBatch:
    """A batch on the run's device.

    ``photo`` (B, C, S, S) goes in, ``hints`` (B, 3, S, S) beside it; ``rgb`` (B, 3, S, S) is right, and so are ``ab``
    (B, 2, s, s) and ``mask`` (B, 1, S, S).
    """

    photo: Tensor
    rgb: Tensor
    ab: Tensor
    mask: Tensor = field(default_factory=lambda: torch.empty(0))
    hints: Tensor = field(default_factory=lambda: torch.empty(0))

    @classmethod
    def of(cls, batch: Batch, device: torch.device) -> TensorBatch:
        """Return a batch of arrays on a device."""
        return cls(*(torch.from_numpy(getattr(batch, part.name)).to(device) for part in fields(cls)))

    def parts(self, count: int) -> list[TensorBatch]:
        """Return the batch in ``count`` equal parts."""
        chunks = [getattr(self, part.name).chunk(count) for part in fields(self)]
        return [TensorBatch(*parts) for parts in zip(*chunks, strict=True)]


class Task:
    """Target ``rgb`` or ``luma``: the network's output is the picture."""

    def __init__(self, options: TaskSection) -> None:
        self.options = options

    def answer(
        self,
        net: nn.Module,
        batch: TensorBatch,
        *,
        rng: torch.Generator,  # noqa: ARG002 - other tasks draw pixels
        pixel_share: float,  # noqa: ARG002
        paints: bool,  # noqa: ARG002
    ) -> tuple[dict[str, Tensor], Tensor]:
        """Return the task's own losses by name and the generated picture (B, 3, S, S), with gradients."""
        return {}, self.picture(net, batch.photo)

    def picture(self, net: nn.Module, photo: Tensor) -> Tensor:
        """Return the generated picture: (B, C, S, S) -> (B, 3, S, S), sRGB about 0..1."""
        painted: Tensor = net(photo)
        return painted.float().expand(-1, 3, -1, -1)

    def shown(self, net: nn.Module, batch: TensorBatch) -> Tensor:
        """Return what validation looks at, (B, 3, S, S), 0..1: the generated picture."""
        return self.picture(net, batch.photo).clamp(0, 1)

    def figures(self, shown: Tensor, batch: TensorBatch) -> dict[str, Tensor]:
        """Return what validation measures, (B,) each: PSNR (dB) of the generated pictures and of the inputs."""
        truth = self.truth(batch)
        return {"psnr": psnr(shown, truth), "psnr_input": psnr(batch.photo.expand(-1, 3, -1, -1), truth)}

    def truth(self, batch: TensorBatch) -> Tensor:
        """Return the picture that would have been right, (B, 3, S, S)."""
        return self.truth_of(batch.photo, batch.rgb, batch.ab)

    def truth_of_answer(self, batch: TensorBatch) -> Tensor:
        """Return what the picture that ``answer`` gives is compared with, of the same shape."""
        return self.truth(batch)

    def real(self, batch: TensorBatch) -> Tensor:
        """Return what a critic is told is real, (B, 3, S, S), 0..1."""
        return self.truth(batch)

    def judged(self, batch: TensorBatch) -> Tensor:
        """Return of which pictures a critic's opinion counts, (B,) of bool: of all."""
        return torch.ones(len(batch.photo), dtype=torch.bool, device=batch.photo.device)

    def truth_of(self, photo: Tensor, rgb: Tensor, ab: Tensor) -> Tensor:  # noqa: ARG002 - as for other tasks
        """Return the same from a batch's parts."""
        return luma_of(rgb).expand(-1, 3, -1, -1) if self.options.target == "luma" else rgb


class ColorTask(Task):
    """Target ``color``: a distribution over a*b*. Pictures are the annealed mean under the luma that was given.

    The right picture is painted the same way, under the same luma: grain or fading then tell a critic nothing.
    """

    def __init__(self, options: TaskSection, runtime: Runtime) -> None:
        super().__init__(options)
        self.runtime = runtime

    def answer(
        self, net: nn.Module, batch: TensorBatch, *, rng: torch.Generator, pixel_share: float, paints: bool
    ) -> tuple[dict[str, Tensor], Tensor]:
        """Return the distribution loss, and the picture if it is wanted (else the input)."""
        net = cast("ColorNet", net)
        features = net.features(batch.photo, batch.hints if net.hears else None)
        loss = color_distribution_loss(
            net, features.read, batch.ab, pixel_share=pixel_share, rng=rng, average=self.runtime.mean
        )
        if not paints:
            return {"distribution": loss}, batch.photo
        return {"distribution": loss}, self._paint(net, self._seen(batch), net.answer(features, batch.photo))

    def truth_of_answer(self, batch: TensorBatch) -> Tensor:
        """Return the luma as given, in its true colours."""
        return paint(self._seen(batch), batch.ab)

    def real(self, batch: TensorBatch) -> Tensor:
        """Return the luma as given, in the photograph's own colours: never in one that hints invented."""
        stride = batch.photo.shape[-1] // batch.ab.shape[-1]
        return paint(batch.photo, ab_of_srgb(nn.functional.avg_pool2d(batch.rgb, stride)))

    def judged(self, batch: TensorBatch) -> Tensor:
        """Return which pictures came without hints: a critic must not talk the network out of what it was told."""
        everywhere = super().judged(batch)
        return everywhere if batch.hints.numel() == 0 else (batch.hints == 0).flatten(1).all(dim=1)

    def _seen(self, batch: TensorBatch) -> Tensor:
        """Return the luma that losses see colours under, which are no finer than the answer."""
        stride = batch.photo.shape[-1] // batch.ab.shape[-1]
        return nn.functional.avg_pool2d(batch.photo, stride) if self.options.at_answer_size else batch.photo

    def picture(self, net: nn.Module, photo: Tensor) -> Tensor:
        """Return the photograph in the network's colours."""
        return self._paint(cast("ColorNet", net), photo, net(photo))

    def _paint(self, net: ColorNet, photo: Tensor, logits: Tensor) -> Tensor:
        return paint(photo, net.palette.decode(logits.float(), self.options.anneal))

    def truth_of(self, photo: Tensor, rgb: Tensor, ab: Tensor) -> Tensor:  # noqa: ARG002 - as for other tasks
        """Return the photograph's luma as given, in its true colours."""
        return paint(photo, ab)


def psnr(picture: Tensor, truth: Tensor) -> Tensor:
    """Return the peak signal-to-noise ratio of each picture, dB: two (B, 3, H, W), 0..1 -> (B,); at most 60."""
    return -10 * (picture - truth).square().mean(dim=(1, 2, 3)).clamp(min=1e-6).log10()
