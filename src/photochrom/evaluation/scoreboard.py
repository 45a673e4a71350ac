"""A finished evaluation: who took part, what was measured, and its summary."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from photochrom.evaluation.columns import COLUMNS
from photochrom.evaluation.contestants import Contestant, Model
from photochrom.evaluation.measuring import Measurements, Plan
from photochrom.evaluation.photographs import Photograph
from photochrom.evaluation.summary import JACKKNIFE_GROUPS, RESAMPLES, summarize, summarize_reliability
from photochrom.version import VERSION

FEW = 20  # photographs, under which a bootstrap's interval is clearly too narrow: see `metrics.bootstrap_interval`
Summary = dict[str, Any]  # what the JSON file holds


@dataclass(frozen=True)
class Scoreboard:
    """What an evaluation found. ``summary`` is the content of the JSON file."""

    photographs: Sequence[Photograph]
    contestants: Sequence[Contestant]
    found: Measurements
    plan: Plan
    feature_facts: dict[str, Any]
    costs: dict[str, dict[str, float | None]] = field(default_factory=dict)

    @property
    def contestant_names(self) -> list[str]:
        """The rows that are no yardsticks, in order."""
        return [contestant.name for contestant in self.contestants if contestant.kind != "yardstick"]

    def summary(self) -> Summary:
        """Return everything as JSON can hold it: numbers are finite or None."""
        taken = len(self.found.keys)
        return {
            "photochrom": VERSION,
            "photographs": taken,
            "labelled": sum(label is not None for label in self.found.labels),
            "skipped": self.found.skipped,
            "method": {
                "grey": "BT.601 luma, 8 bit",
                "ciede2000": "Lab D65; the prediction's a*, b* under the truth's L*; kL = kC = kH = 1",
                "stress splits": "only the grey is degraded; PSNR and colourfulness are taken "
                "with the truth's L* put back",
                "intervals": f"95 %, percentile bootstrap over photographs ({RESAMPLES} resamples, seed 0); feature "
                f"and kernel distance: grouped jackknife ({JACKKNIFE_GROUPS} groups), Student's t"
                + (f"; of only {taken} photographs, too narrow but for these two" if taken < FEW else ""),
            },
            "features": self.feature_facts,
            "columns": {column.key: column.meaning for column in COLUMNS},
            "rows": {
                c.name: {"kind": c.kind, **(dict(c.facts) if isinstance(c, Model) else {})} for c in self.contestants
            },
            "views": summarize(self.found, self.plan.views, [c.name for c in self.contestants]),
            "cost": self.costs,
            "reliability": summarize_reliability(self.found),
        }
