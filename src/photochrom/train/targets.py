"""Which task each target of a configuration is."""

from __future__ import annotations

from photochrom.train.restoring import FillTask, MaskTask, ToneTask
from photochrom.train.runtime import Runtime
from photochrom.train.sections import TaskSection
from photochrom.train.tasks import ColorTask, Task

RESTORING = {"tone": ToneTask, "mask": MaskTask, "fill": FillTask}


def build_task(options: TaskSection, runtime: Runtime) -> Task:
    """Return the task that the options name."""
    if options.target == "color":
        return ColorTask(options, runtime)
    return RESTORING.get(options.target, Task)(options)
