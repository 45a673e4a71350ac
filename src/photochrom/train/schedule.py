"""Learning rates over a stage, and whose turn it is when generator and critic play against each other."""

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


def first_turn(stage: Stage) -> str:
    """Return who takes a stage's first step; in joint stages the critic."""
    return "generator" if stage.kind == "generator" else "critic"


def next_turn(stage: Stage, turn: str, critic_loss: float) -> str:
    """Return who takes the next step, after ``turn`` took one; ``critic_loss`` is the critic's last.

    With ``alternate`` one step each, and a higher rate for the critic makes it the two time-scale rule (Heusel et al.
    2017, "GANs Trained by a Two Time-Scale Update Rule", theorem 1). With ``switcher`` the generator has its turn only
    when the critic is caught up: at or above the threshold, the critic goes on learning.
    """
    if stage.kind != "joint":
        return turn
    if turn == "generator":
        return "critic"
    return "generator" if stage.turns == "alternate" or critic_loss < stage.threshold else "critic"
