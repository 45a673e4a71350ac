"""Where one shot ends and the next begins, on grey film.

Detectors made for colour film look at hue and saturation, which are constant here. A cut is where flow explains hardly
anything of the later frame and the tones that it leaves over are as large as the picture's own contrast. A flash is
none: the frame after it is explained by the one before it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
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


def parse_place(text: str, rate: Fraction) -> int:
    """Return a frame's number from "1234" or from a time: "12.5s", "1:02.5", "0:01:02.5".

    Raises:
        ValueError: it is neither.
    """
    if text.isdigit():
        return int(text)
    return round(parse_time(text) * float(rate))


@dataclass(frozen=True, slots=True)
class CutsFile:
    """What somebody says about cuts: frames that begin a shot, and frames that do not although we think so."""

    cuts: frozenset[int] = frozenset()
    no_cuts: frozenset[int] = frozenset()

    @classmethod
    def read(cls, path: Path, rate: Fraction) -> CutsFile:
        """Return what a file says: lines of "cut PLACE" and "no-cut PLACE", a place being a frame's number or a time.

        Raises:
            OptionError: it cannot be read, or a line is something else.
        """
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise OptionError("the file cannot be read", where=f"--cuts {path}") from error
        said: dict[str, set[int]] = {"cut": set(), "no-cut": set()}
        for number, line in enumerate(lines, 1):
            text = line.partition("#")[0].strip()
            if not text:
                continue
            found = LINE.fullmatch(text)
            try:
                said[found["word"] if found else ""].add(parse_place(found["place"] if found else "", rate))
            except (KeyError, ValueError):
                raise OptionError(
                    f"line {number} is not understood: {text!r}",
                    where=f"--cuts {path}",
                    next_step="Write `cut 1234` or `no-cut 0:01:02.5`, a frame's number or a time",
                ) from None
        return cls(frozenset(said["cut"]), frozenset(said["no-cut"]))


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
