"""What colouring one photograph again and again need not work out anew."""

from __future__ import annotations

from photochrom.coloring.hearing import Kept
from photochrom.engines.base import ModelSpec
from photochrom.luma import Codes, LumaCopies
from photochrom.options import ColorizeOptions


class Remembered:
    """The small copies of a photograph's luma, and what the net said of it with the last options.

    Whoever colours a photograph with other hints again keeps it and hands it on. Safe to share between threads: at
    worst something is worked out twice.

    Args:
        pixels: (H, W, 1 or 3) integer codes that stay as they are.
    """

    def __init__(self, pixels: Codes) -> None:
        self.luma = LumaCopies(pixels)
        self._answers: tuple[str, Kept] = ("", {})

    def answers(self, spec: ModelSpec, options: ColorizeOptions) -> Kept:
        """Return what this net said with these options, to be added to; of others all is forgotten."""
        asked = f"{spec.name} {spec.sha256} {options.model_dump_json()}"
        known_for, answers = self._answers
        if known_for != asked:
            answers = {}
            self._answers = (asked, answers)
        return answers
