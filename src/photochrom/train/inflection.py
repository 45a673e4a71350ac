"""The inflection point: where a joint stage has given what it can, and goes on only to spoil skin and steadiness.

DeOldify's author found it by eye. Here figures of a fixed probe set decide (see ``probe``), by one rule:

* *b* is the look with the lowest feature distance so far (a new best must be lower by IMPROVEMENT);
* the distance has *stopped improving* when *b* lies ``patience`` looks back;
* a look has *left its band* when a harmful figure (drift of skin's hue or chroma, jitter) has certainly risen since *b*
  by more than TOLERANCE of itself: the 95 % bootstrap band of its change, photograph by photograph, lies above that;
* the stage ends at the first look for which both hold, and goes back to the last look from *b* on before any left.

The lowest distance alone would always go back to *b*; the evidence names both points with their figures.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from photochrom.computer.systems import put_in_place
from photochrom.errors import TrainingError
from photochrom.train.checkpoint import Position
from photochrom.train.config import TrainConfig
from photochrom.train.data import BatchSource, PhotoSet
from photochrom.train.inflection_plot import write_plot
from photochrom.train.looks import TOLERANCE, Look
from photochrom.train.objectives import Objectives
from photochrom.train.perceptual import PerceptualLoss
from photochrom.train.probe import Measurement, Probe

HARMFUL = ("skin_hue_drift", "skin_chroma_drift", "jitter")
IMPROVEMENT = 0.01
COARSEST_LEVEL = 4
FEWEST_PHOTOS = 4


@dataclass(frozen=True)
class Decision:
    """What the rule says after the looks so far. Numbers count looks from 0."""

    best: int
    chosen: int
    ended: bool
    left: dict[str, int] = field(default_factory=dict)


def decide(looks: list[Look], patience: int) -> Decision:
    """Apply the rule to the looks of one joint stage."""
    best = best_distance(looks)
    left: dict[str, int] = {}
    for figure in HARMFUL:
        out = [i for i in range(best + 1, len(looks)) if looks[i].has_left(figure, looks[best])]
        if out:
            left[figure] = out[0]
    has_stalled = len(looks) - 1 - best >= patience
    is_out = any(looks[-1].has_left(figure, looks[best]) for figure in left)
    chosen = min(left.values()) - 1 if left else len(looks) - 1
    return Decision(best=best, chosen=chosen, ended=has_stalled and is_out, left=left)


def first_end(looks: list[Look], patience: int) -> Decision:
    """Return the decision at the first look that ends the stage; if none does, that of the last look."""
    decisions = (decide(looks[: count + 1], patience) for count in range(len(looks)))
    last = None
    for last in decisions:
        if last.ended:
            break
    assert last is not None
    return last


def best_distance(looks: list[Look]) -> int:
    """Return the number of the look with the lowest distance, ignoring improvements of less than IMPROVEMENT."""
    best = 0
    for number, look in enumerate(looks):
        # Kernel distances may be negative, so the margin is a share of the size.
        if look.distance < looks[best].distance - IMPROVEMENT * abs(looks[best].distance):
            best = number
    return best


@dataclass(frozen=True)
class Verdict:
    """What a look led to: figures for the log, whether the stage has ended, and then the weights to go back to."""

    figures: dict[str, float]
    ended: bool
    weights: dict[str, Tensor]


class InflectionFinder:
    """Looks at a run's average now and then during joint stages, keeps what may be gone back to, writes evidence.

    In the run's folder: ``inflection-N.json`` (all looks, bands, decision), ``inflection-N.png`` and the weights of
    the looks from the best one on.
    """

    def __init__(self, config: TrainConfig, held_out: PhotoSet, objectives: Objectives) -> None:
        self.options, self.folder = config.inflection, config.run.folder
        self.runtime = objectives.runtime
        self.probe: Probe | None = None
        self._looks: dict[int, list[Look]] = {}
        joint_sizes = [stage.size_px for stage in config.schedule if stage.kind == "joint"]
        if not (self.options.every_photos and joint_sizes):
            return
        if len(held_out) < FEWEST_PHOTOS:
            raise TrainingError(
                f"{len(held_out)} held-out photographs are too few to look for an inflection point",
                next_step=f"Hold out {FEWEST_PHOTOS} at least (data.validation_photos), or set every_photos = 0",
            )
        network = PerceptualLoss(self.options.network, self.options.network_weights, (COARSEST_LEVEL,), (1.0,))
        source = BatchSource(held_out, 1.0, config.task, config.age, config.run.seed)
        self.probe = Probe(source, objectives, max(joint_sizes), self.options.probe_photos, network)

    def look(
        self, average: nn.Module, critic: nn.Module | None, stage_number: int, position: Position, batch: int
    ) -> Verdict | None:
        """Measure and decide if a look is due at this position (it is at a stage's first step); else return None."""
        every = self.options.every_photos
        if self.probe is None:
            return None
        if position.step > 1 and position.photos_seen // every == (position.photos_seen - batch) // every:
            return None
        looks = self._kept_looks(stage_number, position)
        measured = self.probe.measure(average, critic)
        looks.append(look_of(position.photos_seen, measured))
        decision = decide(looks, self.options.patience)
        # Every process looks at the same weights and decides the same; the first one writes.
        if self.runtime.leads:
            self._keep_weights(average, stage_number, len(looks) - 1, decision)
            write_evidence(self.folder / f"inflection-{stage_number}.json", looks, self.options.patience)
        self.runtime.wait_for_all()
        figures = {"probe_distance": measured.distance, "probe_critic_accuracy": measured.critic_accuracy}
        figures |= {f"probe_{name}": looks[-1].mean(name) for name in measured.per_photo}
        chosen = load_file(self._path(stage_number, decision.chosen)) if decision.ended else {}
        return Verdict(figures, decision.ended, chosen)

    def _kept_looks(self, stage_number: int, position: Position) -> list[Look]:
        """Return the stage's looks before this position; after a resume, from the evidence on disk."""
        if stage_number not in self._looks:
            path = self.folder / f"inflection-{stage_number}.json"
            kept = json.loads(path.read_text(encoding="utf-8"))["looks"] if path.exists() and position.step > 1 else []
            self._looks[stage_number] = [Look(**_look_fields(entry)) for entry in kept]
        looks = self._looks[stage_number]
        looks[:] = [look for look in looks if look.photos_seen < position.photos_seen]
        return looks

    def _keep_weights(self, average: nn.Module, stage_number: int, number: int, decision: Decision) -> None:
        state = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in average.state_dict().items()}
        self._path(stage_number, number).parent.mkdir(exist_ok=True)
        save_file(state, self._path(stage_number, number))
        if self.options.stops:  # else a person decides, and may want any of them
            for old in range(decision.best):
                self._path(stage_number, old).unlink(missing_ok=True)

    def _path(self, stage_number: int, number: int) -> Path:
        return self.folder / f"looks-{stage_number}" / f"look-{number:04d}.safetensors"


def look_of(photos_seen: int, measured: Measurement) -> Look:
    """Return a look from what was measured."""
    return Look(photos_seen, measured.distance, measured.per_photo, measured.critic_accuracy)


def _look_fields(entry: dict[str, Any]) -> dict[str, Any]:
    return {key: entry[key] for key in ("photos_seen", "distance", "per_photo", "critic_accuracy")}


def write_evidence(path: Path, looks: list[Look], patience: int) -> None:
    """Write all looks with means and bands, the rule's decision and that of the lowest distance, as JSON and PNG.

    The decision is that of the first look that ends the stage, also where the stage was told to go on.
    """
    decision, rows = first_end(looks, patience), []
    for number, look in enumerate(looks):
        bands = {
            name: {
                "mean": look.mean(name),
                "band": look.band(name),
                "change_since_best": look.change(name, looks[decision.best]),
            }
            for name in look.per_photo
        }
        rows.append({"number": number} | asdict(look) | {"figures": bands})
    evidence = {
        "rule": {"patience": patience, "improvement": IMPROVEMENT, "tolerance": TOLERANCE, "harmful": HARMFUL},
        "decision": asdict(decision),
        "chosen": _summary(looks[decision.chosen]),
        "lowest_distance_alone": _summary(looks[best_distance(looks)]),
        "looks": rows,
    }
    aside = path.with_suffix(".partial")
    aside.write_text(json.dumps(evidence), encoding="utf-8")
    put_in_place(aside, path)
    chosen = decision.chosen if decision.ended else None
    limits = {name: (1 + TOLERANCE) * looks[decision.best].mean(name) for name in HARMFUL}
    write_plot(path.with_suffix(".png"), looks, best_distance(looks), chosen, limits)


def _summary(look: Look) -> dict[str, float]:
    means = {name: look.mean(name) for name in look.per_photo}
    return {"photos_seen": look.photos_seen, "distance": look.distance, **means}
