"""The two losses of a run: what the generator minimises, and what the critic minimises."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from photochrom.nets.recompute import call, recompute
from photochrom.train.color_difference import color_difference_loss
from photochrom.train.config import TrainConfig
from photochrom.train.learner import Part
from photochrom.train.losses import (
    adversarial_loss,
    balanced_accuracy,
    colorfulness_loss,
    critic_loss,
    decibel_loss,
    pixel_loss,
)
from photochrom.train.perceptual import PerceptualLoss
from photochrom.train.runtime import Runtime
from photochrom.train.sections import LooksAt, LossSection
from photochrom.train.tasks import Task, TensorBatch

PictureLoss = Callable[[Tensor, Tensor], Tensor]

# The losses that look at the picture, by the field of their weight in ``LossSection``: what makes the function of
# picture and truth, (B, 3, H, W) twice -> scalar, of the section's options. Those of answers are the tasks' own.
OF_PICTURE: dict[str, Callable[[LossSection], PictureLoss]] = {
    "pixel": lambda _: pixel_loss,
    "difference": lambda _: color_difference_loss,
    "decibel": lambda _: decibel_loss,
    "colorfulness": lambda _: colorfulness_loss,
    "perceptual": lambda of: PerceptualLoss(of.network, of.network_weights, of.levels, of.level_weights),
}


class Objectives:
    """The weighted losses of a configuration."""

    def __init__(self, config: TrainConfig, task: Task, runtime: Runtime) -> None:
        self.loss, self.pixel_share, self.task, self.runtime = config.loss, config.optimizer.pixel_share, task, runtime
        # Networks that only look at the picture keep activations too, as many as the generator.
        self.look = recompute if config.run.recompute else call
        self.of_picture = {name: OF_PICTURE[name](self.loss) for name in self.loss.weights(LooksAt.PICTURE)}
        self.networks = [loss.to(runtime.device) for loss in self.of_picture.values() if isinstance(loss, nn.Module)]

    def generator_part(
        self, net: nn.Module, batch: TensorBatch, rng: torch.Generator, critic: nn.Module | None
    ) -> Part:
        """Return the generator's loss on a batch and its parts as figures; ``critic`` joins in joint stages."""
        paints = bool(self.of_picture) or critic is not None
        with self.runtime.autocast():
            own, picture = self.task.answer(net, batch, rng=rng, pixel_share=self.pixel_share, paints=paints)
            losses = [(name, self.loss.distribution, loss) for name, loss in own.items()]
            if paints:
                losses += self._picture_losses(picture, self.task.truth_of_answer(batch))
            if critic is not None and self.loss.critic_share:
                losses += self._opinions(critic, picture[self.task.judged(batch)])
        counted = [(name, weight * loss.float()) for name, weight, loss in losses if weight]
        total: Tensor = sum((loss for _, loss in counted[1:]), start=counted[0][1])
        figures = {name: loss.item() for name, loss in counted} if len(counted) > 1 else {}
        return total, {"loss": total.item()} | figures

    def _picture_losses(self, picture: Tensor, truth: Tensor) -> list[tuple[str, float, Tensor]]:
        losses = []
        for name, weight in self.loss.weights(LooksAt.PICTURE).items():
            loss = self.of_picture[name]
            seen = self.look(loss, picture, truth) if isinstance(loss, nn.Module) else loss(picture.float(), truth)
            losses.append((name, weight, seen))
        return losses

    def _opinions(self, critic: nn.Module, pictures: Tensor) -> list[tuple[str, float, Tensor]]:
        if not len(pictures):
            return []
        opinion = adversarial_loss(self.loss.adversarial, self.look(critic, pictures).float())
        return [("adversarial", self.loss.critic_share, opinion)]

    def critic_part(self, critic: nn.Module, real: Tensor, generated: Tensor) -> Part:
        """Return the critic's loss on real and generated pictures, with its balanced accuracy."""
        with self.runtime.autocast():
            real_logits, generated_logits = critic(real).float(), critic(generated).float()
        loss = critic_loss(self.loss.adversarial, real_logits, generated_logits)
        return loss, {"critic_loss": loss.item(), "critic_accuracy": balanced_accuracy(real_logits, generated_logits)}

    @torch.no_grad()
    def generate(self, net: nn.Module, photo: Tensor) -> Tensor:
        """Return the generator's pictures in evaluation mode, clamped to 0..1, without gradients."""
        was_training = [module for module in net.modules() if module.training]
        net.eval()
        with self.runtime.autocast():
            pictures = self.task.picture(net, photo).float().clamp(0, 1)
        # Module by module: a frozen backbone inside a training network stays in evaluation mode.
        for module in was_training:
            module.training = True
        return pictures
