"""Where one shot ends and the next begins, on grey film.

Detectors made for colour film look at hue and saturation, which are constant here. A cut is where flow explains hardly
anything of the later frame and the tones that it leaves over are as large as the picture's own contrast. A flash is
none: the frame after it is explained by the one before it.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from photochrom.errors import OptionError
from photochrom.film.motion import Grey, Motion, compare
from photochrom.film.options import parse_time

# On four cuts between photographs, with grain of 18 codes and exposure that breathes by a quarter, and on five of a
# real film, flow explains at most 0.17 of the later frame and leaves at least 0.44 of the contrast; elsewhere it
# explains at least 0.44, and leaves at most 0.25 (`benchmarks/film_wear.py`).
EXPLAINED, LEFT_OVER = 0.30, 0.33
# Less contrast, in codes of 255, is a black frame or a fade: nothing to tell shots by.
FLAT_CODES = 3.0
LINE = re.compile(r"(?P<word>cut|no-cut)\s+(?P<place>\S+)")


@dataclass(frozen=True, slots=True)
class CutsFile:
    """What somebody says about cuts.

    Attributes:
        by_number: whether a shot begins with a frame, counted from the first that is coloured.
        by_time: likewise, in seconds of the film, sorted.
    """

    by_number: Mapping[int, bool] = field(default_factory=dict)
    by_time: tuple[tuple[float, bool], ...] = ()

    @classmethod
    def read(cls, path: Path) -> CutsFile:
        """Return what a file says: lines of "cut PLACE" and "no-cut PLACE", a place being a frame's number or a time.

        Raises:
            OptionError: it cannot be read, a line is something else, or two contradict each other.
        """
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise OptionError("the file cannot be read", where=f"--cuts {path}") from error
        said: dict[int | float, bool] = {}
        for number, line in enumerate(lines, 1):
            text = line.partition("#")[0].strip()
            if not text:
                continue
            found = LINE.fullmatch(text)
            try:
                place, begins = parse_place(found["place"] if found else ""), bool(found and found["word"] == "cut")
            except ValueError:
                raise OptionError(
                    f"line {number} is not understood: {text!r}",
                    where=f"--cuts {path}",
                    next_step="Write `cut 1234` or `no-cut 0:01:02.5`, a frame's number or a time",
                ) from None
            if said.setdefault(place, begins) != begins:
                raise OptionError(f"line {number} contradicts an earlier one: {text!r}", where=f"--cuts {path}")
        numbers = {place: begins for place, begins in said.items() if isinstance(place, int)}
        return cls(numbers, tuple(sorted((p, begins) for p, begins in said.items() if isinstance(p, float))))

    def at(self, number: int, seconds: float, lasts_s: float) -> bool | None:
        """Return whether a shot begins with a frame; None where nothing is said. A time means the frame next to it."""
        if number in self.by_number:
            return self.by_number[number]
        after = bisect_left(self.by_time, (seconds - lasts_s / 2,))
        if after < len(self.by_time) and self.by_time[after][0] < seconds + lasts_s / 2:
            return self.by_time[after][1]
        return None

    def unmet(self, frames: int, first_s: float, last_s: float) -> list[str]:
        """Return the places that no frame was met for, in a film of so many frames from one time to another."""
        numbers = [str(number) for number in self.by_number if number >= frames]
        return [*numbers, *(f"{at:g}s" for at, _ in self.by_time if not first_s - 1 <= at <= last_s + 1)]


def parse_place(text: str) -> int | float:
    """Return a frame's number from "1234", or seconds (a float) from a time: "12.5s", "1:02.5", "0:01:02.5".

    Raises:
        ValueError: it is neither.
    """
    return int(text) if text.isdecimal() else float(parse_time(text))


def is_cut(before: Sequence[Grey], later: Grey, motion: Motion, after: Grey | None) -> bool:
    """Return whether a shot begins with ``later``.

    Args:
        before: the two frames before it, (h, w) each; one at the film's beginning.
        later: the frame in question.
        motion: from the last of these to it.
        after: the frame after it; None at the film's end.

    A flash, or a frame that is missing its picture, is no cut: neither where it begins, for the frame after it is like
    the one before, nor where it ends.
    """
    contrast = float(before[-1].std())
    if min(contrast, float(later.std())) < FLAT_CODES:
        return False
    if motion.explained >= EXPLAINED or motion.residual < LEFT_OVER * contrast:
        return False
    if after is not None and _same_scene(before[-1], after):
        return False
    return len(before) < 2 or not _same_scene(before[-2], later)


def _same_scene(earlier: Grey, later: Grey) -> bool:
    if min(float(earlier.std()), float(later.std())) < FLAT_CODES:
        return False
    motion = compare(earlier, later)
    return motion.explained >= EXPLAINED or motion.residual < LEFT_OVER * float(earlier.std())
