"""A training run as data: what ``photochrom train CONFIG.toml`` reads.

Any photo-to-photo task is a choice of ``task.input`` (what is done to a photograph before the network sees it) and
``task.target`` (what it should give back), and a list of stages. The other tables are in ``sections``.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationError, model_validator

from photochrom.degradation.ageing import AgeOptions
from photochrom.errors import OptionError
from photochrom.train.sections import (
    CriticSection,
    DataSection,
    HintsSection,
    InflectionSection,
    LooksAt,
    LossSection,
    ModelSection,
    OptimizerSection,
    RunSection,
    Section,
    TaskSection,
)

# Targets that bring a loss of their own.
OWN_LOSSES = ("color", "tone", "mask", "fill", "polarity")


class Stage(Section):
    """One part of the schedule at one input size."""

    name: str = Field(description="Name in the log.")
    kind: Literal["generator", "critic", "joint"] = Field(
        default="generator",
        description="generator: alone; critic: alone, on saved generations; joint: one against the other.",
    )
    size_px: int = Field(ge=32, multiple_of=32, description="Side of the square crops.")
    sizes_px: tuple[Annotated[int, Field(ge=32, multiple_of=32)], ...] = Field(
        default=(),
        description="Sides that batches are drawn from, the largest of them size_px; else all have that one.",
    )
    batch: int = Field(ge=1, description="Photographs per step, over all processes.")
    photos_seen: int = Field(ge=1, description="Photographs in this stage, repeats counted.")
    lr_decoder: float = Field(default=0.0, ge=0, description="Peak learning rate of decoder and head.")
    lr_backbone: float = Field(default=0.0, ge=0, description="Peak rate of the backbone; 0 freezes it.")
    lr_backbone_early: float | None = Field(
        default=None,
        ge=0,
        description="Peak rate of the backbone down to stride 8, 0 freezes it; else that of the backbone.",
    )
    lr_critic: float = Field(default=0.0, ge=0, description="Peak rate of the critic.")
    schedule: Literal["one-cycle", "cosine", "constant"] = Field(default="one-cycle", description="Shape of the rates.")
    warmup: float = Field(default=0.1, ge=0, lt=1, description="Share of the stage that rises to the peak (one-cycle).")
    final_lr: float = Field(default=0.02, ge=0, le=1, description="Rate at the end, as a share of the peak.")
    rests_norms: bool = Field(
        default=False,
        description="The backbone's norms keep their statistics while it learns: quicker on a CPU, since their scales "
        "move into the kernels, and training sees what inference will.",
    )
    accumulate: int = Field(default=1, ge=1, description="Parts a step's batch is worked through in, to save memory.")
    trains_frozen_norms: bool = Field(
        default=False, description="The statistics of a frozen backbone's batch norms follow the photographs."
    )
    turns: Literal["alternate", "switcher"] = Field(
        default="alternate",
        description="joint: one step each (TTUR), or the generator only when the critic is caught up.",
    )
    threshold: float = Field(default=0.65, gt=0, description="switcher: the critic's loss below which it is caught up.")
    generations: int = Field(default=0, ge=0, description="critic: how many pictures to save; 0: one per photograph.")

    @model_validator(mode="after")
    def _has_rates(self) -> Self:
        if self.kind != "critic" and self.lr_decoder == 0:
            raise ValueError("a generator needs lr_decoder above 0")
        if self.kind != "generator" and self.lr_critic == 0:
            raise ValueError("a critic needs lr_critic above 0")
        if self.lr_backbone == 0 and self.lr_backbone_early:
            raise ValueError("lr_backbone_early needs lr_backbone, too: 0 freezes the whole backbone")
        if self.kind == "critic" and self.sizes_px:
            raise ValueError("a critic stage has one size: its generations are painted at size_px")
        if self.batch % self.accumulate:
            raise ValueError("batch must be a multiple of accumulate")
        if self.sizes_px and max(self.sizes_px) != self.size_px:
            raise ValueError("size_px must be the largest of sizes_px")
        return self

    @property
    def sides_px(self) -> tuple[int, ...]:
        """Sides of the square crops that batches are drawn from."""
        return self.sizes_px or (self.size_px,)

    @property
    def steps(self) -> int:
        """Optimizer steps in this stage, of generator and critic together."""
        return max(1, self.photos_seen // self.batch)


class Cycle(Section):
    """Stages that are done several times over, as NoGAN's critic and joint phases are."""

    first: str = Field(description="Name of the first stage of the cycle.")
    last: str = Field(description="Name of its last stage.")
    times: int = Field(ge=1, le=100, description="How often in all.")


class TrainConfig(Section):
    """The whole file."""

    run: RunSection
    data: DataSection
    task: TaskSection = TaskSection()
    model: ModelSection = ModelSection()
    critic: CriticSection = CriticSection()
    loss: LossSection = LossSection()
    hints: HintsSection = HintsSection()
    age: AgeOptions = AgeOptions()
    optimizer: OptimizerSection = OptimizerSection()
    inflection: InflectionSection = InflectionSection()
    stages: tuple[Stage, ...] = Field(min_length=1)
    cycles: tuple[Cycle, ...] = ()

    @model_validator(mode="after")
    def _is_trainable(self) -> Self:
        teaches = bool(self.loss.weights(LooksAt.PICTURE))
        if self.task.target in OWN_LOSSES:
            teaches = teaches or bool(self.loss.weights(LooksAt.ANSWER))
        # Of photographs that come with hints a critic is not asked: there may be batches of such alone.
        asks_critic = bool(self.loss.critic_share) and not self.model.hears
        for stage in self.stages:
            if not teaches and (stage.kind == "generator" or (stage.kind == "joint" and not asks_critic)):
                raise ValueError(f"stage {stage.name!r}: every loss has weight 0: set loss.pixel or loss.perceptual")
        if (self.model.queries or self.model.hears) and self.task.target != "color":
            raise ValueError("model.queries and model.hears are of networks of target color")
        if self.model.spreads and not self.model.hears:
            raise ValueError("model.spreads is of networks that take hints: set model.hears, too")
        if self.task.at_answer_size and (self.task.target != "color" or self.has_critic or self.loss.perceptual):
            raise ValueError("task.at_answer_size is for target color, without a critic or a perceptual loss")
        if self.task.target in ("mask", "polarity") and self.model.decoder != ModelSection().decoder:
            target = self.task.target
            raise ValueError(f"model.decoder has no meaning for target {target}: its network comes in one size")
        return self

    @model_validator(mode="after")
    def _has_its_cycles(self) -> Self:
        names = [stage.name for stage in self.stages]
        for cycle in self.cycles:
            if names.count(cycle.first) != 1 or names.count(cycle.last) != 1:
                raise ValueError(f"cycles name stages that exist once: {cycle.first!r}, {cycle.last!r}")
            if names.index(cycle.first) > names.index(cycle.last):
                raise ValueError(f"the cycle's first stage {cycle.first!r} comes after its last {cycle.last!r}")
        return self

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        target, model, critic = self.task.target, self.model, self.critic
        if model.backbone == "none" and target not in ("rgb", "tone", "fill"):
            raise ValueError(f"target {target} needs a backbone: model.backbone none is for rgb, tone and fill")
        if model.backbone == "none" and target == "rgb" and self.task.input not in ("worn", "relit"):
            raise ValueError(f"model.backbone none takes colour: input {self.task.input} is grey")
        if model.backbone != "none" and target in ("rgb", "luma") and model.decoder in ("quarter", "test-quarter"):
            raise ValueError(f"decoder {model.decoder} ends at a quarter of the size: target {target} needs another")
        if target == "fill" and self.has_critic:
            raise ValueError("target fill has no stages with a critic: its pictures are made of holes, too")
        least_px = 8 * 2**critic.blocks
        for stage in self.stages:
            if stage.kind != "generator" and critic.kind != "projected" and min(stage.sides_px) < least_px:
                raise ValueError(
                    f"stage {stage.name!r}: critic.blocks {critic.blocks} need pictures of {least_px} px at least"
                )
        return self

    @property
    def schedule(self) -> tuple[Stage, ...]:
        """The stages in the order they are run, cycles written out."""
        stages = list(self.stages)
        names = [stage.name for stage in self.stages]
        for cycle in sorted(self.cycles, key=lambda cycle: -names.index(cycle.first)):
            begin, end = names.index(cycle.first), names.index(cycle.last) + 1
            stages[begin:end] = stages[begin:end] * cycle.times
        return tuple(stages)

    @property
    def has_critic(self) -> bool:
        """Whether any stage trains a critic."""
        return any(stage.kind != "generator" for stage in self.stages)


def load_config(path: Path) -> TrainConfig:
    """Return the configuration in a TOML file; relative paths in it are relative to the working folder.

    Raises:
        OptionError: the file is missing, not TOML, or has an unknown key or a bad value; each is named.
    """
    try:
        return TrainConfig.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise OptionError("cannot read the configuration", where=str(path), next_step=str(error.strerror)) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise OptionError(f"not a TOML file ({error})", where=str(path)) from error
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "the file"
        raise OptionError(
            f"{key}: {first['msg']}", where=str(path), next_step="See configs/ for complete examples"
        ) from error
