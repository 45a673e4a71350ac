"""Steady colours: some frames are coloured, their colours travel along the motion, both ways, and are blended.

The net sees key frames. What it says of one travels to the frames before and after it with a weight, which is the net's
own confidence, fades with time, and falls where flow cannot be believed. Each frame's colours are the weighted mean of
all that reaches it. So a key frame's colours are, too, the mean over what its neighbours say: what stays keeps its
colour, what appears anew has only its own key frame's, and nothing jumps. The colours that a passage ends with go on
into the next one of the same shot.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from photochrom.film.motion import Motion, Plane, carry

# A weight falls to 1 / e in this many frames of travelling: the net's, and that of colours somebody has given, which
# are also doubted less where flow is unsure.
FADE_FRAMES, GIVEN_FADE_FRAMES, GIVEN_DOUBT = 36.0, 240.0, 0.25
# Weight of given colours, and that at which they count as much as all that the net says; the net's own weigh at most 1.
GIVEN_WEIGHT, GIVEN_HALF = 50.0, 0.1
# Every so many frames given colours are believed wholly again where this share of their weight is left: a little doubt
# in each frame would add up to forgetting within seconds, while what flow loses falls below it at once.
RENEWED_FRAMES, RENEWED_FROM = 6, 0.3
# A key frame comes early where less than this share of the last one is left in the picture.
LEAST_KNOWN = 0.6
# Where less weight than this has arrived, colours are taken from what surrounds the place.
SCANT = 0.05
SURROUNDINGS_PX = 9
# After the start of a passage that goes on with a shot, what comes from its own key frames is let in over these frames.
RAMP_FRAMES = 12


@dataclass(frozen=True, slots=True)
class Colours:
    """Chroma on the small grid and how much it weighs: (h, w, 2) floats -0.5..0.5, and (h, w) from 0 on."""

    chroma: Plane
    weight: Plane

    def moved(self, positions: Plane, trust: Plane, fade_frames: float = FADE_FRAMES) -> Colours:
        """Return the colours as they arrive a frame later, or earlier."""
        # Weighed while they are carried, so that a known colour is never thinned by an unknown one beside it.
        arrived = carry(np.dstack([self.chroma * self.weight[..., None], self.weight]), positions)
        weight = arrived[..., 2]
        fading = np.float32(math.exp(-1 / fade_frames))
        return Colours(arrived[..., :2] / np.maximum(weight, np.float32(1e-6))[..., None], weight * trust * fading)

    def mixed(self, other: Colours) -> Colours:
        """Return the mean of both by weight."""
        weight = self.weight + other.weight
        share = (other.weight / np.maximum(weight, np.float32(1e-6)))[..., None]
        return Colours(self.chroma + share * (other.chroma - self.chroma), weight)


class ColourSource(Protocol):
    """Gives a key frame its colours."""

    def __call__(self, frame: int, travelled: Colours | None) -> Colours:
        """Return the colours of one frame of the passage, given what has travelled to it so far (None: nothing)."""
        ...


def choose_keys(motions: Sequence[Motion], spacing: int) -> list[int]:
    """Return which frames of a passage of ``len(motions) + 1`` frames are key frames.

    The first, every ``spacing``-th after one, and one wherever too little is left of the last.
    """
    keys, known = [0], 1.0
    for frame, motion in enumerate(motions, 1):
        known *= motion.explained
        if frame - keys[-1] >= spacing or known < LEAST_KNOWN:
            keys.append(frame)
            known = 1.0
    return keys


@dataclass(frozen=True, slots=True)
class Steady:
    """A passage's colours: of each frame, what travels on into the next passage, and which frames the net has seen."""

    frames: list[Colours]
    layers: dict[str, Colours]
    keys: list[int]


def color_passage(
    motions: Sequence[Motion],
    link: Motion | None,
    layers: Mapping[str, Colours],
    source: ColourSource,
    spacing: int,
    given: Mapping[int, Colours],
) -> Steady:
    """Return the colours of a passage.

    Args:
        motions: between frame k and k + 1.
        link: from the frame before the passage, where the shot goes on; None where a shot begins.
        layers: what the passage before has left to travel on: "net", and "given" where somebody has coloured a frame.
        source: colours a key frame.
        spacing: of the key frames, at most.
        given: colours that somebody has given to some frames.
    """
    arrived = {name: colours.moved(link.backward, link.trust_later) for name, colours in layers.items()} if link else {}
    keys = choose_keys(motions, spacing)
    net = steady(motions, keys, source, arrived.get("net"))
    over = spread(motions, given, arrived.get("given"))
    left = {"net": net[-1], **({} if over[-1] is None else {"given": over[-1]})}
    return Steady([ruled(*both) for both in zip(net, over, strict=True)], left, keys)


def steady(
    motions: Sequence[Motion],
    keys: Sequence[int],
    source: ColourSource,
    carried: Colours | None,
) -> list[Colours]:
    """Return the colours of every frame of a passage, as the net's key frames give them.

    Args:
        motions: between frame k and k + 1, one fewer than there are frames.
        keys: numbers of the key frames.
        source: colours a key frame.
        carried: what has travelled to the first frame from the passage before, where the shot goes on.
    """
    anchors: dict[int, Colours] = {}
    ramp = carried is not None
    forward: list[Colours | None] = []
    own: Colours | None = None
    for frame in range(len(motions) + 1):
        if frame:
            motion = motions[frame - 1]
            carried, own = (it and it.moved(motion.backward, motion.trust_later) for it in (carried, own))
        if frame in keys:
            here = carried and own and carried.mixed(own)
            anchors[frame] = source(frame, here or carried or own)
            own = own.mixed(anchors[frame]) if own else anchors[frame]
        forward.append(_let_in(carried, own, frame))
    return [completed(colours) for colours in _with_later(forward, motions, anchors, ramp=ramp)]


def _let_in(carried: Colours | None, own: Colours | None, frame: int) -> Colours | None:
    """Return what the passage before has left, what this one's key frames say let in by and by: nothing jumps."""
    if carried is None or own is None:
        return carried or own
    let_in = np.float32(min(1.0, (frame + 1) / RAMP_FRAMES))
    return carried.mixed(Colours(own.chroma, own.weight * let_in))


def spread(motions: Sequence[Motion], given: Mapping[int, Colours], carried: Colours | None) -> list[Colours | None]:
    """Return where given colours have travelled to in every frame of a passage, both ways; None where none has come.

    Args:
        motions: between frame k and k + 1.
        given: colours of some frames.
        carried: what has travelled to the first frame from the passage before, where the shot goes on.
    """
    frames: list[Colours | None] = [None] * (len(motions) + 1)
    here = carried
    for frame in range(len(frames)):
        if frame and here:
            motion = motions[frame - 1]
            here = here.moved(motion.backward, motion.trust_later**GIVEN_DOUBT, GIVEN_FADE_FRAMES)
            here = here if frame % RENEWED_FRAMES else renewed(here)
        here = replaced(here, given.get(frame))
        frames[frame] = here
    later: Colours | None = None
    for frame in reversed(range(len(frames))):
        if later:
            motion = motions[frame]
            later = later.moved(motion.forward, motion.trust_earlier**GIVEN_DOUBT, GIVEN_FADE_FRAMES)
            earlier = frames[frame]
            frames[frame] = earlier.mixed(later) if earlier else later
        later = replaced(later, given.get(frame))
    return frames


def renewed(given: Colours) -> Colours:
    """Return given colours believed wholly where most of their weight has come through."""
    held = given.weight > np.float32(RENEWED_FROM * GIVEN_WEIGHT)
    return Colours(given.chroma, np.where(held, np.float32(GIVEN_WEIGHT), given.weight))


def replaced(travelled: Colours | None, given: Colours | None) -> Colours | None:
    """Return given colours where there are some, and elsewhere what has travelled here."""
    if travelled is None or given is None:
        return given or travelled
    opaque = given.weight > GIVEN_HALF
    chroma = np.where(opaque[..., None], given.chroma, travelled.chroma)
    return Colours(chroma.astype(np.float32), np.where(opaque, given.weight, travelled.weight).astype(np.float32))


def ruled(colours: Colours, given: Colours | None) -> Colours:
    """Return the net's colours with given ones over them, as far as these have come."""
    if given is None:
        return colours
    share = (given.weight / (given.weight + np.float32(GIVEN_HALF)))[..., None]
    return Colours(colours.chroma + share * (given.chroma - colours.chroma), colours.weight)


def _with_later(
    forward: list[Colours | None], motions: Sequence[Motion], anchors: Mapping[int, Colours], *, ramp: bool
) -> list[Colours]:
    """Return what came from earlier frames, blended with what comes from later ones; the former is used up."""
    blended: list[Colours] = []
    later: Colours | None = None
    for frame in reversed(range(len(forward))):
        earlier = forward.pop()
        if later is not None:
            motion = motions[frame]
            later = later.moved(motion.forward, motion.trust_earlier)
            let_in = np.float32(min(1.0, (frame + 1) / RAMP_FRAMES) if ramp else 1.0)
            admitted = Colours(later.chroma, later.weight * let_in)
            blended.append(earlier.mixed(admitted) if earlier else admitted)
        else:
            assert earlier is not None
            blended.append(earlier)
        if frame in anchors:
            later = later.mixed(anchors[frame]) if later else anchors[frame]
    return blended[::-1]


def completed(colours: Colours) -> Colours:
    """Return colours everywhere: where hardly any weight has arrived, those of the surroundings take over."""
    import cv2

    if float(colours.weight.min()) > SCANT * 4:
        return colours
    window = (2 * SURROUNDINGS_PX + 1,) * 2
    weighted = np.dstack([colours.chroma * colours.weight[..., None], colours.weight])
    around = cv2.blur(cv2.blur(weighted, window), window)
    surroundings = around[..., :2] / np.maximum(around[..., 2:], np.float32(1e-4))
    share = (np.float32(SCANT) / (colours.weight + np.float32(SCANT)))[..., None]
    completed_chroma = colours.chroma + share * (surroundings - colours.chroma)
    return Colours(completed_chroma.astype(np.float32), colours.weight)
