"""The net is told of hints, and what it makes of them is kept to where they are meant.

It carries what it is told to all that looks alike. Of a reference it would so colour what does not match, too: the wall
behind somebody whose face is known. Of a wish, a hint far from what it says by itself, it carries some across edges
(`hints/wishes.py`); for that the colours without the wishes are needed, too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from photochrom.coloring.prediction import Prediction, enlarge
from photochrom.coloring.reference import PLACES_ACROSS, belief
from photochrom.engines.base import FloatArray, ModelSpec
from photochrom.errors import ModelError
from photochrom.hints.drawing import draw
from photochrom.hints.hint import Hint
from photochrom.hints.spreading import nearness
from photochrom.hints.wishes import find_wishes
from photochrom.resample import Plane, block_mean

# How many places, of those that are compared, beyond a match a reference's colours stay whole, and are gone.
NEAR_UNITS, GONE_UNITS = 1.5, 3.5
SOME_NEAR, MOST_NEAR = 0.6, 0.8
Ask = Callable[[FloatArray | None, Sequence[str]], Prediction]
Kept = dict[tuple[tuple[str, ...], tuple[int, ...], bytes], Prediction]

# Answers that are kept: without hints, with those that are no wishes, with all.
MOST_ANSWERS = 4


@dataclass(frozen=True, slots=True)
class Heard:
    """What the net says of a picture with hints.

    Attributes:
        told: its answer to all hints.
        without: its answer to all but the wishes; None where there are none.
        wishes: how much of a wish those hints are that are one, by number.
    """

    told: Prediction
    without: Prediction | None = None
    wishes: Mapping[int, float] = field(default_factory=dict)


class Answers:
    """What a net says of one picture, asked once for the same hints; the last few are kept.

    Args:
        ask: runs the net, told hints as it takes them, or None, for further outputs.
        net_luma: (H, W) luma of the largest view, 0..1.
        spec: of the net.
        weighs: whether the net is asked, where it decides by itself, how likely colours are: where a person's hints
            are to be heard, now or later.
        kept: what was answered before, of the same picture, net and options.
    """

    def __init__(self, ask: Ask, net_luma: Plane, spec: ModelSpec, *, weighs: bool, kept: Kept) -> None:
        self._ask, self._luma, self._spec, self._kept = ask, net_luma, spec, kept
        self._weighs = weighs and bool(spec.bins_ab)

    def to(self, hints: Sequence[Hint]) -> Prediction:
        """Return the net's answer to hints, a reference's kept near the places that match."""
        told = self._told(hints)
        if lent := [hint for hint in hints if hint.by == "reference"]:
            return keep_near(told, self.to([hint for hint in hints if hint.by != "reference"]), lent, self._luma)
        return told

    def wishes_of(self, hints: Sequence[Hint]) -> dict[int, float]:
        """Return how much of a wish those of a person's hints are that are one, by number."""
        if not (self._weighs and any(hint.by == "person" for hint in hints)):
            return {}
        by_itself = self.to(())
        drawn = draw(hints, block_mean(self._luma, self._luma.shape[0] // by_itself.ab.shape[1]))
        bins = np.array(self._spec.bins_ab, dtype=np.float32)
        found = find_wishes(by_itself.ab, by_itself.extras["logits"], bins, drawn)
        return {number: wishful for number, wishful in found.items() if hints[number].by == "person"}

    def _told(self, hints: Sequence[Hint]) -> Prediction:
        planes = tell_net(hints, self._luma)
        extras = ("logits",) if planes is None and self._weighs else ()
        # Told of a reference, a photograph is seen smaller: what was answered on another grid is another answer.
        key = (extras, self._luma.shape, b"" if planes is None else hashlib.sha256(planes.tobytes()).digest())
        answer = self._kept.pop(key, None) or self._ask(planes, extras)
        if planes is None or not answer.extras:  # of distributions, which are large, one is kept
            self._kept[key] = answer  # the latest last
        for forgotten in [*self._kept][:-MOST_ANSWERS]:
            self._kept.pop(forgotten, None)
        return answer


def hear(hints: Sequence[Hint], answers: Answers) -> Heard:
    """Return what the net says, and, where a hint is a wish, what it says without.

    Cost: a run of the net for each view; two more, at most, where there are hints, each where it is not known yet; as
    many again where some are a reference's.
    """
    told = answers.to(hints)
    if wishes := answers.wishes_of(hints):
        return Heard(told, answers.to([hint for n, hint in enumerate(hints) if n not in wishes]), wishes)
    return Heard(told)


def refuse_deaf(spec: ModelSpec) -> None:
    """Raise ModelError for a model that takes no hints."""
    if not spec.hears:
        raise ModelError(
            f"the model cannot take hints (its contract is {spec.contract})",
            where=spec.name,
            next_step="Use a model of contract color/2, or leave the hints out",
        )


def tell_net(hints: Sequence[Hint], net_luma: Plane) -> FloatArray | None:
    """Return hints as the net takes them, (3, H, W) on its copy's grid, or None where there are none."""
    return draw(hints, net_luma).planes if hints else None


def keep_near(told: Prediction, without: Prediction, hints: Sequence[Hint], net_luma: Plane) -> Prediction:
    """Return what the net says when told of a reference near the places that match, and without it elsewhere.

    Args:
        told: the net's answer to all hints.
        without: its answer to those that are no reference's.
        hints: a reference's.
        net_luma: (H, W), of the grid on which hints are told.
    """
    unit = min(net_luma.shape) / PLACES_ACROSS
    share = nearness(draw(hints, net_luma).number >= 0, NEAR_UNITS * unit, GONE_UNITS * unit)
    # Where most of the picture is near a match both show one place, and what is left between follows.
    share += (1 - share) * np.float32(np.clip((share.mean() - SOME_NEAR) / (MOST_NEAR - SOME_NEAR), 0, 1))
    share *= np.float32(belief(len(hints) * unit**2 / net_luma.size))
    share = enlarge(share[None], told.ab.shape[2], told.ab.shape[1])

    def mixed(alone: FloatArray, with_reference: FloatArray) -> FloatArray:
        return np.asarray(alone + share * (with_reference - alone), dtype=np.float32)

    extras = {name: mixed(without.extras[name], value) for name, value in told.extras.items()}
    return replace(told, ab=mixed(without.ab, told.ab), extras=extras)
