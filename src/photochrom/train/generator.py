"""The generator that a configuration describes, and its critic."""

from __future__ import annotations

from torch import Tensor, nn

from photochrom.nets.critics import Critic, build_patch_critic, build_progressive_critic
from photochrom.nets.damage import build_damage_net
from photochrom.nets.generators import DECODER_SIZES, ColorNet, build_color_net, grow_color_net
from photochrom.nets.palette import Palette
from photochrom.nets.photo_nets import build_photo_net
from photochrom.nets.polarity import build_polarity_net
from photochrom.nets.projected import ProjectedCritic
from photochrom.nets.restoration import build_restoration_net, with_fresh_blocks
from photochrom.nets.tone import ToneNet, build_tone_net, with_fresh_parts
from photochrom.train.config import TrainConfig


def color_stride(config: TrainConfig) -> int:
    """Return how many pixels of the input share one of the colours that a configuration's network answers with."""
    return DECODER_SIZES[config.model.decoder].stride if config.model.decoder in DECODER_SIZES else 2


def build_generator(config: TrainConfig, palette: Palette | None, *, pretrained: bool) -> nn.Module:
    """Return the generator a configuration describes; ``palette`` is needed for target ``color``."""
    model, task = config.model, config.task
    pretrained = pretrained and model.pretrained
    if task.target == "tone":
        return build_tone_net(model.decoder, model.backbone, pretrained=pretrained)
    if task.target == "mask":
        return build_damage_net(model.backbone, pretrained=pretrained)
    if task.target == "polarity":
        return build_polarity_net(model.backbone, pretrained=pretrained)
    if model.backbone == "none" or task.target == "fill":
        return build_restoration_net("inpaint" if task.target == "fill" else "noise", model.decoder)
    if task.target == "color":
        assert palette is not None
        return build_color_net(
            model.backbone,
            model.decoder,
            palette,
            width=model.width,
            queries=model.queries,
            hears=model.hears,
            spreads=model.spreads,
            agrees=model.agrees,
            afar=model.agrees_afar,
            pretrained=pretrained,
            weights=model.backbone_weights,
        )
    return build_photo_net(
        model.backbone,
        model.decoder,
        3 if task.target == "rgb" else 1,
        width=model.width,
        corrects=task.corrects,
        pretrained=pretrained,
        weights=model.backbone_weights,
    )


def build_critic(config: TrainConfig) -> Critic:
    """Return the critic a configuration describes."""
    critic = config.critic
    if critic.kind == "projected":
        return ProjectedCritic(critic.network, critic.width)
    build = build_patch_critic if critic.kind == "patch" else build_progressive_critic
    return build(critic.width, critic.blocks)


def grown(net: nn.Module, state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the weights of a smaller network with what it lacks of ``net``; others come back as they are."""
    if isinstance(net, ColorNet):
        return grow_color_net(net, state)
    return with_fresh_parts(net, state) if isinstance(net, ToneNet) else with_fresh_blocks(net, state)
