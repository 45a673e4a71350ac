"""What colouring a film gives back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

# Called with the frames done and those expected (0 where the film does not say).
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class FilmResult:
    """A coloured film, and what was decided on the way.

    Attributes:
        path: of the film, or the folder of pictures.
        frames: how many it has.
        cuts: numbers of the frames that begin a shot, without the first.
        key_frames: how many frames the net has seen.
        resumed: frames that an earlier run had done.
        luma_psnr_db: how well luma was kept, the worst of four frames of each segment; infinite where every sample is
            the film's. None where nothing was left to do.
        notes: what was decided.
        seconds: that it took.
        master: the lossless copy, where one was asked for.
    """

    path: Path
    frames: int
    cuts: tuple[int, ...]
    key_frames: int
    resumed: int
    luma_psnr_db: float | None
    notes: tuple[str, ...] = ()
    seconds: float = 0.0
    master: Path | None = None
