"""What a stage decided, and the number that made it decide."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from photochrom.options import Switch

StageName = Literal["damage", "noise", "tone", "toning"]


@dataclass(frozen=True, slots=True)
class StageDecision:
    """What became of one stage.

    Attributes:
        stage: its name.
        switch: what was asked for.
        applied: whether the stage changed the picture.
        measured: what was measured, in the unit that ``note`` says.
        limit: from where on the stage is needed, in the same unit.
        note: one line for people.
    """

    stage: StageName
    switch: Switch
    applied: bool
    measured: float
    limit: float
    note: str


def is_wanted(switch: Switch, *, needed: bool) -> bool:
    """Return whether a stage runs: as told, or where it is needed."""
    return switch == "always" or (switch == "auto" and needed)
