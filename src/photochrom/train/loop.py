"""The training loop, top to bottom: stages of growing input size, a generator, perhaps a critic, an average.

photochrom train configs/color/lite2.toml
photochrom train configs/color/lite2.toml --resume
torchrun --nproc-per-node 4 -m photochrom train configs/deoldify/nogan.toml
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable

import numpy as np
import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from photochrom.errors import OptionError, TrainingError
from photochrom.nets.winograd import set_fast
from photochrom.train.checkpoint import (
    CHECKPOINT,
    Position,
    fill,
    load_checkpoint,
    read_checkpoint,
    save_checkpoint,
    with_prefix,
)
from photochrom.train.config import Stage, TrainConfig
from photochrom.train.data import Batch, BatchSource, open_photo_sets, write_unusable
from photochrom.train.generations import Generations, forget_generations, rounded
from photochrom.train.generator import build_critic, build_generator, color_stride, grown
from photochrom.train.inflection import InflectionFinder
from photochrom.train.learner import Learner, NotANumberError, set_training, update_average
from photochrom.train.monitor import Log, Monitor
from photochrom.train.objectives import Objectives
from photochrom.train.palette import forget_palette, run_palette
from photochrom.train.runtime import Runtime, choose_device, memory_gb, share_norms
from photochrom.train.schedule import first_turn, next_turn
from photochrom.train.targets import build_task
from photochrom.train.tasks import TensorBatch
from photochrom.train.validation import build_validation


class Training:
    """One run. Make it, then call ``run``.

    Args:
        config: the whole configuration.
        runtime: what it runs on; left out, one process on ``config.run.device`` in float32.
        resume: continue from the run folder's checkpoint, exactly where it stopped.
        on_log: called with each line of the log.
        on_step: called with every step's figures, for a progress display.
        should_stop: asked after each step; when true, the run saves a checkpoint and returns.

    Raises:
        OptionError: a batch cannot be shared out evenly among the processes and the parts it is worked through in.
        TrainingError: no usable photographs, a damaged checkpoint, a loss that is not a number, a full disk.
    """

    def __init__(
        self,
        config: TrainConfig,
        *,
        runtime: Runtime | None = None,
        resume: bool = False,
        on_log: Callable[[Log], None] = lambda _line: None,
        on_step: Callable[[Log], None] = lambda _line: None,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> None:
        self.config, self.on_step, self.should_stop = config, on_step, should_stop
        self.runtime = runtime or Runtime(choose_device(config.run.device, 0), torch.float32)
        self.folder = config.run.folder
        self.checkpoint_path = self.folder / CHECKPOINT
        self.schedule = config.schedule
        self._refuse_uneven_shares()
        self._refuse_to_overwrite(resume)
        if not resume:
            self._forget_what_another_run_left()
        torch.manual_seed(config.run.seed)
        self.training, self.held_out = open_photo_sets(config.data, max(stage.size_px for stage in self.schedule))
        self.source = BatchSource(
            self.training,
            config.data.zoom,
            config.task,
            config.age,
            config.run.seed,
            rank=self.runtime.rank,
            processes=self.runtime.processes,
            stride=color_stride(config),
            hints=config.hints if config.model.hears else None,
            enlarges=config.data.enlarges,
        )
        self.task = build_task(config.task, self.runtime)
        self.objectives = Objectives(config, self.task, self.runtime)
        for network in self.objectives.networks:
            network.to(memory_format=self._layout)  # type: ignore[call-overload]
        self._build_learners(resume)
        self.position, self.unusable = Position(), 0
        self.latest: Log = {}
        if resume:
            self.position = load_checkpoint(self.checkpoint_path, self.learners, self.average)
        self.validation = build_validation(config, self.held_out, self.task, self.runtime.device)
        self.monitor = Monitor(self.folder, on_log, speaks=self.runtime.leads)
        self.inflection = InflectionFinder(config, self.held_out, self.objectives)

    def _refuse_uneven_shares(self) -> None:
        for stage in self.schedule:
            if stage.batch % (self.runtime.processes * stage.accumulate):
                parts = f"{self.runtime.processes} processes x accumulate {stage.accumulate}"
                raise OptionError(
                    f"a batch of {stage.batch} cannot be shared out evenly among {parts}",
                    where=f"stage {stage.name!r}",
                    next_step="Choose a batch that is a multiple of them",
                )

    def _forget_what_another_run_left(self) -> None:
        """Remove what a run that ended before its first checkpoint made: it was another net's, or another seed's."""
        if self.runtime.leads:
            forget_palette(self.folder)
            forget_generations(self.folder)
        self.runtime.wait_for_all()

    def _refuse_to_overwrite(self, resume: bool) -> None:
        if resume and not self.checkpoint_path.exists():
            raise TrainingError("no checkpoint to resume from", where=str(self.checkpoint_path))
        if not resume and self.checkpoint_path.exists():
            raise TrainingError(
                "a run is already here", where=str(self.folder), next_step="Add --resume, or choose another run.folder"
            )

    def _build_learners(self, resume: bool) -> None:
        config, runtime = self.config, self.runtime
        state: dict[str, Tensor] = {}
        if config.model.init is not None and not resume:
            state = with_prefix(read_checkpoint(config.model.init)[1], "average.")
        # A smaller network's weights may be grown into this one; what they lack starts as it would without them.
        is_fresh = not resume and not any("backbone." in name for name in state)
        palette = run_palette(self.training, config, runtime) if config.task.target == "color" else None
        net = build_generator(config, palette, pretrained=is_fresh)
        if config.model.init is not None and not resume:
            fill(net, grown(net, state), config.model.init)
        self.net = self._placed(net)
        body = getattr(self.net, "unet", self.net)
        body.recomputes = config.run.recompute
        if config.run.compile:
            body.compile()
        self.average = copy.deepcopy(self.net).eval().requires_grad_(False)
        self.generator = Learner("generator", self.net, runtime, config.optimizer, config.optimizer.betas)
        self.learners = [self.generator]
        self.critic: Learner | None = None
        if config.has_critic:
            critic = self._placed(build_critic(config))
            self.critic = Learner("critic", critic, runtime, config.optimizer, config.critic.betas)
            self.learners.append(self.critic)

    @property
    def _layout(self) -> torch.memory_format:
        return torch.channels_last if self.config.run.channels_last else torch.contiguous_format

    def _placed(self, net: nn.Module) -> nn.Module:
        set_fast(net, self.config.run.winograd)
        placed: nn.Module = share_norms(net.to(self.runtime.device), self.runtime).to(memory_format=self._layout)  # type: ignore[call-overload]
        return placed

    def run(self) -> Position:
        """Train through the remaining stages and return where the run stands; the checkpoint is then on disk."""
        try:
            with self.monitor:
                for number in range(self.position.stage, len(self.schedule)):
                    if not self._run_stage(number, self.schedule[number]):
                        break
            self._save()
        except (OSError, SafetensorError) as error:
            raise TrainingError(
                f"reading or writing failed ({error})",
                where=str(getattr(error, "filename", None) or self.folder),
                next_step="The last checkpoint is whole. Free space, then run with --resume",
            ) from error
        return self.position

    def _run_stage(self, number: int, stage: Stage) -> bool:
        """Train one stage from the current position; return False when asked to stop before its end."""
        first_step = self.position.step
        turn = self.position.turn if first_step else first_turn(stage)
        set_training(self.net, stage)
        generations = Generations(self.folder, number, stage, self.source)
        # What is painted when a stop comes is kept, and the rest is painted on resuming.
        if stage.kind == "critic" and self.runtime.agree(
            not generations.save(self.average, self.objectives, self.should_stop)
        ):
            return False
        batches = self.source.batches(stage, number, first_step, self.config.data.workers)
        self.latest = {}
        for step, batch in enumerate(batches, start=first_step):
            began = time.monotonic()
            try:
                figures = self._step(number, stage, step, turn, batch, generations)
            except NotANumberError as error:
                raise self._not_a_number(str(error), stage, step, batch) from error
            turn = next_turn(stage, turn, self._mean_critic_loss(figures))
            seconds = self.position.seconds + time.monotonic() - began
            self.position = Position(number, step + 1, self.position.photos_seen + stage.batch, seconds, turn)
            self._report(number, stage, step, figures, time.monotonic() - began)
            if stage.kind == "joint" and self._has_turned(number, stage):
                break
            if self.runtime.agree(self.should_stop()) and step + 1 < stage.steps:
                return False
        if stage.kind == "critic" and self.runtime.leads:
            generations.discard()
        self.position = Position(number + 1, 0, self.position.photos_seen, self.position.seconds)
        self._save()
        return not self.runtime.agree(self.should_stop())

    def _step(self, number: int, stage: Stage, step: int, turn: str, batch: Batch, generations: Generations) -> Log:
        """Take one step of whoever's turn it is."""
        seed = int(np.random.SeedSequence((self.config.run.seed, number, step, self.runtime.rank)).generate_state(1)[0])
        torch.manual_seed(seed)  # dropout: a resumed run draws what an uninterrupted one would
        rng = torch.Generator().manual_seed(seed)
        learner = self.generator if turn == "generator" or self.critic is None else self.critic
        share = learner.set_rates(stage, step)
        placed = self._to_device(batch)
        if learner is self.generator:
            figures = self._generator_step(stage, placed, rng)
        else:
            figures = self._critic_step(stage, step, placed, generations)
        groups = learner.optimizer.param_groups
        rates = {f"lr_{group['part']}": group["lr"] for group in groups if group["times"] == 1}
        return figures | rates | {"lr_share": share}

    def _generator_step(self, stage: Stage, batch: TensorBatch, rng: torch.Generator) -> Log:
        opponent = self.critic.net.eval().requires_grad_(False) if stage.kind == "joint" and self.critic else None
        parts = (
            self.objectives.generator_part(self.net, part, rng, opponent) for part in batch.parts(stage.accumulate)
        )
        figures = self.generator.step(parts, stage.accumulate)
        decay, steps_done = self.config.optimizer.ema_decay, self.position.photos_seen // stage.batch
        update_average(self.average, self.net, decay, steps_done)
        return figures

    def _critic_step(self, stage: Stage, step: int, batch: TensorBatch, generations: Generations) -> Log:
        assert self.critic is not None
        self.critic.net.train().requires_grad_(True)
        real = self.task.real(batch)
        if stage.kind == "critic":
            real = rounded(real)
            generated = generations.batch(step, len(real)).to(self.runtime.device)
        else:
            generated = self.objectives.generate(self.net, batch.photo)
        pairs = zip(real.chunk(stage.accumulate), generated.chunk(stage.accumulate), strict=True)
        parts = (self.objectives.critic_part(self.critic.net, *pair) for pair in pairs)
        return self.critic.step(parts, stage.accumulate)

    def _to_device(self, batch: Batch) -> TensorBatch:
        return TensorBatch.of(batch, self.runtime.device)

    def _mean_critic_loss(self, figures: Log) -> float:
        loss = torch.tensor(figures.get("critic_loss", 0.0), device=self.runtime.device)
        return self.runtime.mean(loss).item()

    def _has_turned(self, number: int, stage: Stage) -> bool:
        """Look whether the joint stage has given what it can; if so, go back to its best point."""
        critic = self.critic.net if self.critic is not None else None
        verdict = self.inflection.look(self.average, critic, number, self.position, stage.batch)
        if verdict is None:
            return False
        if self.runtime.leads:
            self.monitor.log({"stage": stage.name, "photos_seen": self.position.photos_seen} | verdict.figures)
        if not (verdict.ended and self.config.inflection.stops):
            return False
        fill(self.average, verdict.weights, self.folder)
        self.net.load_state_dict(verdict.weights)
        return True

    def _report(self, number: int, stage: Stage, step: int, figures: Log, step_s: float) -> None:
        run, done = self.config.run, step + 1
        place = {"stage": stage.name, "step": done, "of": stage.steps, "photos_seen": self.position.photos_seen}
        speed = {"photos_per_s": stage.batch / step_s, "hours": self.position.seconds / 3600}
        self.on_step(place | figures | speed | {"number": number})
        # Where two learners take turns, the steps that are logged may always be the same one's: a line tells the last
        # figures of each since the line before.
        self.latest |= figures
        if done % run.log_steps == 0 or done == stage.steps:
            figures, self.latest = self.latest, {}
            self.monitor.log(place | figures | speed | {"memory_gb": memory_gb(self.runtime.device)})
        if (done % run.validation_steps == 0 or done == stage.steps) and self.runtime.leads:
            sheet = self.folder / f"samples-{number}-{done:06d}.png"
            self.monitor.log(place | self.validation.measure(self.average, sheet))
            self.monitor.show_picture("input, generated, truth", sheet, self.position.photos_seen)
            self.monitor.show_weights(self.average, self.position.photos_seen)
        if done % run.checkpoint_steps == 0:
            self._save()

    def _not_a_number(self, learner: str, stage: Stage, step: int, batch: Batch) -> TrainingError:
        names = ", ".join(batch.names[:4]) + (f" and {len(batch.names) - 4} more" if len(batch.names) > 4 else "")
        return TrainingError(
            f"the {learner}'s loss is not a number at stage {stage.name!r}, step {step}, on {names}",
            where=str(self.folder),
            next_step="The last checkpoint is whole; lower the learning rate and run with --resume",
        )

    def _save(self) -> None:
        if not self.runtime.leads:
            return
        self.unusable = write_unusable(self.folder / "unusable.txt", self.training, self.held_out)
        save_checkpoint(self.checkpoint_path, self.learners, self.average, self.position, self.config.model_dump_json())
