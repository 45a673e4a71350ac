"""A network with its optimizer: one careful step, whatever the loss."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from photochrom.nets.critics import Critic
from photochrom.nets.hints import SCALARS, SCALARS_RATE
from photochrom.train.config import Stage
from photochrom.train.monitor import Log
from photochrom.train.muon import Muon, is_matrix
from photochrom.train.runtime import Runtime
from photochrom.train.schedule import rate_share
from photochrom.train.sections import OptimizerSection

Part = tuple[Tensor, Log]


class NotANumberError(Exception):
    """A loss or a gradient is not a finite number; the network has not been changed."""


class Learner:
    """A network that learns: layer-wise rates, accumulation, averaging over processes, clipping, AdamW or Muon."""

    def __init__(
        self,
        name: str,
        net: nn.Module,
        runtime: Runtime,
        options: OptimizerSection,
        betas: tuple[float, float],
    ) -> None:
        self.name, self.net, self.runtime, self.clip_norm = name, net, runtime, options.clip_norm
        self.optimizer = build_optimizer(net, options, betas)
        self.scaler = torch.amp.GradScaler(runtime.device.type, enabled=runtime.precision == torch.float16)

    def set_rates(self, stage: Stage, step: int) -> float:
        """Give each group of layers its rate at this step of a stage; return the share of the peak."""
        share = rate_share(stage, step)
        early = stage.lr_backbone if stage.lr_backbone_early is None else stage.lr_backbone_early
        rates = {"critic": stage.lr_critic, "decoder": stage.lr_decoder, "late": stage.lr_backbone, "early": early}
        for group in self.optimizer.param_groups:
            group["lr"] = share * rates[group["part"]] * group["times"]
        return share

    def step(self, parts: Iterable[Part], count: int) -> Log:
        """Take one optimizer step on the mean of ``count`` losses, each computed when its turn comes.

        Returns:
            The figures that came with the losses, averaged, and the gradient's norm before clipping.

        Raises:
            NotANumberError: a loss or the gradient is not finite.
        """
        self.optimizer.zero_grad(set_to_none=True)
        figures: Log = {}
        is_bad, taken = False, 0
        for loss, part_figures in parts:
            taken += 1
            is_bad |= not math.isfinite(loss.item())
            self.scaler.scale(loss / count).backward()  # type: ignore[no-untyped-call]
            for key, value in part_figures.items():
                figures[key] = figures.get(key, 0.0) + float(value) / count
        assert taken == count, f"{taken} parts, {count} were promised"  # else the mean would be too small
        trained = [parameter for group in self.optimizer.param_groups for parameter in group["params"]]
        self.runtime.average_gradients(trained)
        self.scaler.unscale_(self.optimizer)
        norm = nn.utils.clip_grad_norm_(trained, self.clip_norm).item()
        # With float16 an overflow now and then is how the loss scale is found; the scaler skips that step.
        is_bad |= not math.isfinite(norm) and not self.scaler.is_enabled()
        # All processes stop, or none: one that stopped alone would leave the others waiting for it.
        if self.runtime.agree(is_bad):
            raise NotANumberError(self.name)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        prefix = "" if self.name == "generator" else f"{self.name}_"
        return figures | {f"{prefix}gradient_norm": norm}


def build_optimizer(net: nn.Module, options: OptimizerSection, betas: tuple[float, float]) -> torch.optim.AdamW:
    """Return the optimizer over the groups early, late (backbone) and decoder, or critic; only kernels decay.

    The scalars of ``HintSpread`` learn at a multiple of their group's rate.

    Source: Loshchilov, Hutter 2019, "Decoupled Weight Decay Regularization", algorithm 2.
    """
    groups: list[dict[str, Any]] = []
    for part in ("early", "late", "decoder", "critic"):
        kinds: dict[tuple[float, float, bool], list[nn.Parameter]] = {}
        for name, parameter in net.named_parameters():
            if part_of(net, name) == part:
                decay = options.weight_decay if parameter.ndim > 1 and not is_scalar(name) else 0.0
                matrix = options.kind == "muon" and part != "critic" and is_matrix(name, parameter)
                times = SCALARS_RATE if is_scalar(name) else 1
                kinds.setdefault((decay, times, matrix), []).append(parameter)
        for (decay, times, matrix), chosen in kinds.items():
            group = {"params": chosen, "part": part, "weight_decay": decay, "times": times, "is_matrix": matrix}
            groups.append(group | {"lr": 0.0})
    if options.kind == "muon":
        return Muon(groups, betas=betas, eps=1e-7)
    return torch.optim.AdamW(groups, betas=betas, eps=1e-7, fused=True)


def is_scalar(parameter: str) -> bool:
    """Return whether a parameter is a number of ``HintSpread`` rather than a kernel or bias."""
    return parameter.rpartition(".")[2] in SCALARS


def part_of(net: nn.Module, parameter: str) -> str:
    """Return the group of layers a parameter belongs to: early or late backbone, decoder, or critic."""
    if isinstance(net, Critic):
        return "critic"
    backbone = backbone_of(net)
    _, found, inside = parameter.partition("backbone.")
    if backbone is None or not found:
        return "decoder"
    return "early" if inside.startswith(backbone.early) else "late"  # type: ignore[arg-type]


def backbone_of(net: nn.Module) -> nn.Module | None:
    """Return the pretrained part of a generator, if it has one: its own, or its U-Net's."""
    backbone: nn.Module | None = getattr(getattr(net, "unet", net), "backbone", None)
    return backbone


def set_training(net: nn.Module, stage: Stage) -> None:
    """Set a generator to training mode, its backbone frozen where the stage's rate for it is 0."""
    frozen = stage.lr_backbone == 0
    net.train().requires_grad_(True)
    backbone = backbone_of(net)
    if backbone is None:
        return
    backbone.requires_grad_(not frozen).train(not frozen)
    if stage.lr_backbone_early == 0:
        # Nothing flows back into it: a third of the backbone's work, in its largest maps.
        for name, parameter in backbone.named_parameters():
            if name.startswith(backbone.early):  # type: ignore[arg-type]
                parameter.requires_grad_(False)
    for norm in backbone.modules():
        if isinstance(norm, nn.BatchNorm2d):
            _set_norm(norm, stage, frozen=frozen)


def _set_norm(norm: nn.BatchNorm2d, stage: Stage, *, frozen: bool) -> None:
    if stage.rests_norms:
        norm.eval()
    elif frozen and stage.trains_frozen_norms:
        norm.train()


@torch.no_grad()
def update_average(average: nn.Module, net: nn.Module, decay: float, steps_done: int) -> None:
    """Move the average towards the network; early on faster, so that it forgets the random start.

    Source: Tarvainen, Valpola 2017, "Mean teachers are better role models" (weight averaging).
    """
    decay = min(decay, (1 + steps_done) / (10 + steps_done))
    torch._foreach_lerp_(list(average.parameters()), list(net.parameters()), 1 - decay)
    for kept, current in zip(average.buffers(), net.buffers(), strict=True):
        kept.copy_(current)
