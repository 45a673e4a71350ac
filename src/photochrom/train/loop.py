"""The training loop, top to bottom: stages of growing input size, one optimizer, an average of the weights.

    photochrom train configs/color-lite0.toml
    photochrom train configs/color-lite0.toml --resume
"""

from __future__ import annotations

import copy
import json
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from photochrom.errors import TrainingError
from photochrom.nets.generators import ColorNet, build_color_net
from photochrom.nets.palette import Palette, fit_palette
from photochrom.train.checkpoint import Position, load_checkpoint, save_checkpoint
from photochrom.train.config import OptimizerSection, Stage, TrainConfig
from photochrom.train.data import Batch, BatchSource, PhotoSet, open_photo_sets, sample_colours
from photochrom.train.losses import color_distribution_loss
from photochrom.train.schedule import rate_share
from photochrom.train.validation import Validation

Log = dict[str, Any]
PALETTE_PHOTOS = 2000


class ColorTraining:
    """One run of training a colour generator. Make it, then call ``run``.

    Args:
        config: the whole configuration.
        resume: continue from the run folder's checkpoint, exactly where it stopped.
        on_log: called with each line of the log, for a progress display.
        should_stop: asked after each step; when true, the run saves a checkpoint and returns.

    Raises:
        TrainingError: no usable photographs, a damaged checkpoint, a loss that is not a number.
    """

    def __init__(
        self,
        config: TrainConfig,
        *,
        resume: bool = False,
        on_log: Callable[[Log], None] = lambda _line: None,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> None:
        self.config, self.on_log, self.should_stop = config, on_log, should_stop
        if config.run.threads:
            torch.set_num_threads(config.run.threads)
        torch.manual_seed(config.run.seed)
        self.folder = config.run.folder
        self.checkpoint_path = self.folder / "checkpoint.safetensors"
        self._refuse_to_overwrite(resume)
        self.training, self.held_out = open_photo_sets(config.data, max(stage.size_px for stage in config.stages))
        self.net = self._build_net(resume).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = copy.deepcopy(self.net).eval().requires_grad_(False)
        self.optimizer = build_optimizer(self.net, config.optimizer)
        self.position = Position()
        if resume:
            self.position = load_checkpoint(self.checkpoint_path, self.net, self.average, self.optimizer)
        self.validation = Validation(self.held_out, config.stages[-1].size_px)

    def _refuse_to_overwrite(self, resume: bool) -> None:
        if resume and not self.checkpoint_path.exists():
            raise TrainingError("no checkpoint to resume from", where=str(self.checkpoint_path))
        if not resume and self.checkpoint_path.exists():
            raise TrainingError(
                "a run is already here", where=str(self.folder), next_step="Add --resume, or choose another run.folder"
            )

    def _build_net(self, resume: bool) -> ColorNet:
        model = self.config.model
        self.folder.mkdir(parents=True, exist_ok=True)
        palette = load_or_fit_palette(self.folder / "palette.json", self.training, model.rebalancing, self.config)
        net = build_color_net(model.backbone, model.decoder, palette, pretrained=not resume and model.init is None)
        if model.init is not None and not resume:
            load_checkpoint(model.init, net, copy.deepcopy(net), None)
        return net

    def run(self) -> Position:
        """Train through the remaining stages and return where the run stands; the checkpoint is then on disk."""
        source = BatchSource(self.training, self.config.data.zoom, self.config.age, self.config.run.seed)
        for number in range(self.position.stage, len(self.config.stages)):
            finished = self._run_stage(source, number, self.config.stages[number])
            if not finished:
                break
        self._save()
        return self.position

    def _run_stage(self, source: BatchSource, number: int, stage: Stage) -> bool:
        """Train one stage from the current position; return False when asked to stop before its end."""
        freeze_backbone(self.net, frozen=stage.lr_backbone == 0)
        first_step = self.position.step
        for step, batch in enumerate(
            source.batches(stage, number, first_step, self.config.data.workers), start=first_step
        ):
            began = time.monotonic()
            figures = self._step(number, stage, step, batch)
            seconds = self.position.seconds + time.monotonic() - began
            self.position = Position(number, step + 1, self.position.photos_seen + stage.batch, seconds)
            self._report(number, stage, step, figures, time.monotonic() - began)
            if self.should_stop() and step + 1 < stage.steps:
                return False
        self.position = Position(number + 1, 0, self.position.photos_seen, self.position.seconds)
        self._save()
        return not self.should_stop()

    def _step(self, number: int, stage: Stage, step: int, batch: Batch) -> Log:
        share = rate_share(stage, step)
        for group in self.optimizer.param_groups:
            group["lr"] = share * (stage.lr_backbone if group["part"] == "backbone" else stage.lr_decoder)
        seed = np.random.SeedSequence((self.config.run.seed, number, step)).generate_state(1)[0]
        rng = torch.Generator().manual_seed(int(seed))
        luma, ab = torch.from_numpy(batch.luma), torch.from_numpy(batch.ab)
        loss = color_distribution_loss(
            self.net, luma, ab, pixel_share=self.config.optimizer.pixel_share, rng=rng
        )
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        norm = nn.utils.clip_grad_norm_(self.net.parameters(), self.config.optimizer.clip_norm)
        figures = {"loss": loss.item(), "gradient_norm": norm.item(), "lr_share": share}
        if not math.isfinite(figures["loss"] + figures["gradient_norm"]):
            raise TrainingError(
                f"the loss is not a number at stage {stage.name!r}, step {step}",
                where=str(self.folder),
                next_step="The last checkpoint is whole; lower the learning rate and run with --resume",
            )
        self.optimizer.step()
        update_average(self.average, self.net, self.config.optimizer.ema_decay, self.position.photos_seen // stage.batch)
        return figures

    def _report(self, number: int, stage: Stage, step: int, figures: Log, step_s: float) -> None:
        run, done = self.config.run, step + 1
        place = {"stage": stage.name, "step": done, "of": stage.steps, "photos_seen": self.position.photos_seen}
        if done % run.log_steps == 0 or done == stage.steps:
            self._log(place | figures | {"photos_per_s": stage.batch / step_s, "hours": self.position.seconds / 3600})
        if done % run.validation_steps == 0 or done == stage.steps:
            sheet = self.folder / f"samples-{number}-{done:06d}.png"
            self._log(place | self.validation.measure(self.average, sheet))
        if done % run.checkpoint_steps == 0:
            self._save()

    def _log(self, line: Log) -> None:
        with (self.folder / "log.jsonl").open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(line) + "\n")
        self.on_log(line)

    def _save(self) -> None:
        config = self.config.model_dump_json()
        save_checkpoint(self.checkpoint_path, self.net, self.average, self.optimizer, self.position, config)


def load_or_fit_palette(path: Path, photos: PhotoSet, rebalancing: float, config: TrainConfig) -> Palette:
    """Return the run's palette: fitted to the training photographs once, and kept beside the checkpoint."""
    if path.exists():
        kept = json.loads(path.read_text(encoding="utf-8"))
        return Palette(torch.tensor(kept["bins_ab"]), torch.tensor(kept["shares"]), rebalancing)
    palette = fit_palette(sample_colours(photos, min(PALETTE_PHOTOS, len(photos)), config.run.seed), rebalancing)
    kept = {"bins_ab": palette.bins_ab.tolist(), "shares": palette.shares.tolist()}
    path.write_text(json.dumps(kept), encoding="utf-8")
    return palette


def build_optimizer(net: ColorNet, options: OptimizerSection) -> torch.optim.AdamW:
    """Return AdamW over backbone and decoder as separate groups; only kernels decay, not biases and norms."""
    groups: list[dict[str, Any]] = []
    for part in ("backbone", "decoder"):
        named = [(k, p) for k, p in net.named_parameters() if (".backbone." in k) == (part == "backbone")]
        for decays in (True, False):
            chosen: list[Tensor] = [p for _, p in named if (p.ndim > 1) == decays]
            decay = options.weight_decay if decays else 0.0
            groups.append({"params": chosen, "part": part, "weight_decay": decay, "lr": 0.0})
    return torch.optim.AdamW(groups, betas=options.betas, eps=1e-7, fused=True)


def freeze_backbone(net: ColorNet, *, frozen: bool) -> None:
    """Set the network to training mode, with the backbone's weights and statistics fixed if ``frozen``."""
    net.train()
    net.unet.backbone.requires_grad_(not frozen)
    net.unet.backbone.train(not frozen)


@torch.no_grad()
def update_average(average: nn.Module, net: nn.Module, decay: float, steps_done: int) -> None:
    """Move the average towards the network; early on faster, so that it forgets the random start.

    Source: Tarvainen, Valpola 2017, "Mean teachers are better role models" (weight averaging).
    """
    decay = min(decay, (1 + steps_done) / (10 + steps_done))
    torch._foreach_lerp_(list(average.parameters()), list(net.parameters()), 1 - decay)
    for kept, current in zip(average.buffers(), net.buffers(), strict=True):
        kept.copy_(current)
