"""Which task each target of a configuration is."""

from __future__ import annotations

from photochrom.train.polarity import PolarityTask
from photochrom.train.restoring import FillTask, MaskTask, ToneTask
from photochrom.train.runtime import Runtime
from photochrom.train.sections import TaskSection
from photochrom.train.tasks import ColorTask, Task

TASKS = {"tone": ToneTask, "mask": MaskTask, "fill": FillTask, "polarity": PolarityTask}


def build_task(options: TaskSection, runtime: Runtime) -> Task:
    """Return the task that the options name."""
    if options.target == "color":
        return ColorTask(options, runtime)
    return TASKS.get(options.target, Task)(options)
