"""A training run as data: what ``photochrom train CONFIG.toml`` reads."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from photochrom.errors import OptionError
from photochrom.train.degrade import AgeOptions


class Section(BaseModel):
    """A table of the configuration: unknown keys are errors, values never change."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ModelSection(Section):
    """The network."""

    name: str = Field("photochrom-color", description="Name the exported model carries.")
    backbone: str = Field("lite0", description="Backbone: lite0, lite1 or lite2.")
    decoder: str = Field("base", description="Decoder size: test, small, base or large.")
    rebalancing: float = Field(0.5, ge=0, le=1, description="Lambda of the colour rebalancing; 1 trusts frequencies.")
    init: Path | None = Field(None, description="Weights (safetensors) of the same architecture to start from.")


class DataSection(Section):
    """The photographs."""

    photos: tuple[Path, ...] = Field(description="Tar shards or folders of photographs; shell patterns allowed.")
    validation_photos: int = Field(256, ge=0, description="Photographs held out of training, for the validation loss.")
    min_chroma: float = Field(4.0, ge=0, description="Photographs of lower mean Lab chroma are skipped as grey.")
    cache_gb: float = Field(5.0, ge=0, description="Memory for decoded photographs; 0 decodes each time.")
    zoom: float = Field(1.4, ge=1, description="A crop shows between 1/zoom and all of the short side.")
    workers: int = Field(1, ge=1, description="Threads that prepare batches.")


class OptimizerSection(Section):
    """AdamW and what surrounds it."""

    betas: tuple[float, float] = Field((0.9, 0.98), description="AdamW's averaging factors.")
    weight_decay: float = Field(0.01, ge=0, description="Decoupled weight decay, on kernels only.")
    clip_norm: float = Field(2.0, gt=0, description="Largest norm of the whole gradient.")
    ema_decay: float = Field(0.999, ge=0, lt=1, description="Memory of the weight average that is exported.")
    pixel_share: float = Field(0.25, gt=0, le=1, description="Share of pixels, drawn anew each step, in the loss.")


class Stage(Section):
    """One part of the schedule at one input size."""

    name: str = Field(description="Name in the log.")
    size_px: int = Field(ge=32, multiple_of=32, description="Side of the square crops.")
    batch: int = Field(ge=1, description="Photographs per step.")
    photos_seen: int = Field(ge=1, description="Photographs in this stage, repeats counted.")
    lr_decoder: float = Field(gt=0, description="Peak learning rate of decoder and head.")
    lr_backbone: float = Field(ge=0, description="Peak learning rate of the backbone; 0 freezes it.")
    schedule: Literal["one-cycle", "cosine", "constant"] = Field("one-cycle", description="Shape of the rate.")
    warmup: float = Field(0.1, ge=0, lt=1, description="Share of the stage spent rising to the peak (one-cycle).")
    final_lr: float = Field(0.02, ge=0, le=1, description="Rate at the stage's end, as a share of its peak.")

    @property
    def steps(self) -> int:
        """Optimizer steps in this stage."""
        return max(1, self.photos_seen // self.batch)


class RunSection(Section):
    """Where a run lives and how often it speaks."""

    folder: Path = Field(description="Folder for checkpoints and logs.")
    seed: int = Field(0, description="Fixes initial weights, order, crops and degradation.")
    threads: int = Field(0, ge=0, description="Threads for the arithmetic; 0 takes all cores.")
    log_steps: int = Field(20, ge=1, description="Steps between lines of the log.")
    checkpoint_steps: int = Field(200, ge=1, description="Steps between checkpoints.")
    validation_steps: int = Field(400, ge=1, description="Steps between validation losses and sample pictures.")


class TrainConfig(Section):
    """The whole file."""

    run: RunSection
    data: DataSection
    model: ModelSection = ModelSection()
    age: AgeOptions = AgeOptions()
    optimizer: OptimizerSection = OptimizerSection()
    stages: tuple[Stage, ...] = Field(min_length=1)


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
        key = ".".join(str(part) for part in first["loc"])
        raise OptionError(
            f"{key}: {first['msg']}", where=str(path), next_step="See configs/ for complete examples"
        ) from error
