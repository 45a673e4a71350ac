"""Learning rates over a stage, as a share of the stage's peak."""

from __future__ import annotations

import math

from photochrom.train.config import Stage


def rate_share(stage: Stage, step: int) -> float:
    """Return the learning rate at a step of the stage, as a share of its peak (0..1).

    ``one-cycle`` rises along a half cosine during the warm-up and falls along another to ``final_lr``;
    ``cosine`` only falls; ``constant`` stays.
    Source: Smith 2018, "A disciplined approach to neural network hyper-parameters", section 5 (one-cycle).
    """
    if stage.schedule == "constant":
        return 1.0
    progress = step / max(1, stage.steps - 1)
    warmup = stage.warmup if stage.schedule == "one-cycle" else 0.0
    if progress < warmup:
        return 0.04 + 0.96 * (1 - math.cos(math.pi * progress / warmup)) / 2
    falling = (progress - warmup) / (1 - warmup)
    return stage.final_lr + (1 - stage.final_lr) * (1 + math.cos(math.pi * falling)) / 2
