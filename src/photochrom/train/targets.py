"""Which task each target of a configuration is."""

from __future__ import annotations

from photochrom.train.polarity import PolarityTask
from photochrom.train.restoring import FillTask, MaskTask, ToneTask
from photochrom.train.runtime import Runtime
from photochrom.train.sections import TaskSection
from photochrom.train.tasks import ColorTask, Task

TASKS = {"tone": ToneTask, "mask": MaskTask, "polarity": PolarityTask}
# Those whose losses are divided by what all processes together have of something.
SHARED_TASKS = {"color": ColorTask, "fill": FillTask}


def build_task(options: TaskSection, runtime: Runtime) -> Task:
    """Return the task that the options name."""
    if options.target in SHARED_TASKS:
        return SHARED_TASKS[options.target](options, runtime)
    return TASKS.get(options.target, Task)(options)
