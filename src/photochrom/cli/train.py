"""`photochrom train CONFIG.toml`: run or resume a training, with a progress display and a clean stop."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from photochrom.cli.extras import require_extra
from photochrom.cli.lines import print_error, say
from photochrom.errors import EXIT_OK

if TYPE_CHECKING:
    from photochrom.train.checkpoint import Position
    from photochrom.train.config import TrainConfig

Log = dict[str, Any]
# What a finished step's line is reduced to on a terminal.
SHOWN_FIGURES = ("loss", "critic_loss", "ciede2000", "psnr", "iou", "gradient_norm")


def train(config: Path, /, *, resume: bool = False, quiet: bool = False) -> int:
    """Train a network as a configuration file says. Ctrl-C or SIGTERM saves, and the run can then be resumed.

    Args:
        config: A TOML file; configs/ has complete examples. Relative paths in it start at the working folder.
        resume: Continue the run in its folder, exactly where it stopped.
        quiet: Print errors only; the log in the run's folder is written all the same.
    """
    require_extra("train", "training", "torch", "safetensors")
    from photochrom.train.config import load_config
    from photochrom.train.loop import Training
    from photochrom.train.runtime import open_runtime

    plan = load_config(config)
    with stop_on_signal() as stopped, open_runtime(plan.run) as runtime:
        quiet = quiet or not runtime.leads
        with Display(plan, quiet=quiet) as display:
            training = Training(
                plan,
                runtime=runtime,
                resume=resume,
                on_log=display.show_line,
                on_step=display.show_step,
                should_stop=lambda: bool(stopped),
            )
            display.begin(training.position.stage, training.position.step)
            position = training.run()
    if runtime.leads:
        _say_how_it_ended(plan, config, position, training.unusable, quiet=quiet)
    return EXIT_OK


def _say_how_it_ended(plan: TrainConfig, config: Path, position: Position, unusable: int, *, quiet: bool) -> None:
    if unusable:
        print_error(f"unusable photographs: {unusable}, named in {plan.run.folder / 'unusable.txt'}")
    if position.stage < len(plan.schedule):
        print_error(f"stopped and saved. Continue with: photochrom train {config} --resume")
    elif not quiet:
        say(f"trained on {position.photos_seen:,} photographs in {position.seconds / 3600:.2f} h: {plan.run.folder}")
        say(f"next: photochrom export {plan.run.folder} -o {plan.model.name}.onnx")


@contextlib.contextmanager
def stop_on_signal() -> Iterator[list[int]]:
    """Yield a list that Ctrl-C or SIGTERM puts the signal into; a second Ctrl-C interrupts at once."""
    received: list[int] = []

    def receive(number: int, _frame: FrameType | None) -> None:
        if received and number == signal.SIGINT:
            raise KeyboardInterrupt
        received.append(number)

    before = {number: signal.signal(number, receive) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Display:
    """A progress bar per stage, with throughput and time left, and a line for each validation."""

    def __init__(self, plan: TrainConfig, *, quiet: bool) -> None:
        self.plan = plan
        self.console = Console(stderr=True, quiet=quiet)
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[figures]}"),
        )
        self._progress = Progress(*columns, console=self.console, speed_estimate_period=120)
        self._tasks: dict[str, Any] = {}
        self._first_stage = self._first_step = 0

    def __enter__(self) -> Self:
        """Start drawing."""
        self._progress.start()
        return self

    def __exit__(self, *_error: object) -> None:
        """Stop drawing, so that what follows starts on a fresh line."""
        self._progress.stop()

    def begin(self, stage: int, step: int) -> None:
        """Note where a resumed run stands, so that the time left counts only what is still to do."""
        self._first_stage, self._first_step = stage, step
        if stage or step:
            self.console.print(f"resumed at stage {stage + 1} of {len(self.plan.schedule)}, step {step}")

    def show_step(self, line: Log) -> None:
        """Move the bar of the line's stage."""
        name = f"{line['number'] + 1}/{len(self.plan.schedule)} {line['stage']}"
        if name not in self._tasks:
            done = self._first_step if line["number"] == self._first_stage else 0
            self._tasks[name] = self._progress.add_task(
                name, total=line["of"], completed=done, rate="", figures="", start=True
            )
        figures = "  ".join(f"{key} {line[key]:.3f}" for key in SHOWN_FIGURES if key in line)
        rate = f"{line['photos_per_s']:.1f} photos/s"
        self._progress.update(self._tasks[name], completed=line["step"], rate=rate, figures=figures)

    def show_line(self, line: Log) -> None:
        """Print what a validation found."""
        if "loss" in line or "critic_loss" in line:
            return
        text = "  ".join(f"{key} {value:.3f}" for key, value in line.items() if isinstance(value, float))
        self.console.print(f"{line.get('stage', '')} step {line.get('step', 0)}: {text or line}", highlight=False)
