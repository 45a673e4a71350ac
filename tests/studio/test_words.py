"""What the library says of a photograph is known to the page, which says it in its own language."""

from __future__ import annotations

import re

import numpy as np
import pytest

from photochrom import ColorizeOptions, Colorizer, RestoreOptions
from photochrom.files.photo import Photo
from photochrom.restoration import polarity, toning
from photochrom.restorer import Restorer
from photochrom.studio.looks import decided
from photochrom.studio.pages import PAGE

SCRIPT = (PAGE / "notes.js").read_text(encoding="utf-8")
WRITTEN = re.findall(r"^  \[/(.*)/, \"\w+\"\],$", SCRIPT, re.MULTILINE)
PATTERNS = [re.compile(pattern.replace("(?<", "(?P<")) for pattern in WRITTEN]


def unknown(notes: tuple[str, ...]) -> list[str]:
    return [note for note in notes if not any(pattern.match(note) for pattern in PATTERNS)]


def grey(low: float, high: float, size: int = 64) -> np.ndarray:
    rows, columns = np.mgrid[:size, :size] / size
    return (low + (high - low) * (0.5 + 0.5 * np.sin(9 * rows + 5 * columns * columns))).astype(np.uint8)


@pytest.mark.parametrize(("low", "high"), [(0, 255), (90, 140), (0, 40), (128, 128)])
def test_notes_on_tones_and_hints_are_known(hearing_model, low: int, high: int) -> None:
    hints = [{"point": [0.5, 0.5], "color": "red", "reach": 0.5}, {"point": [0.5, 0.5], "color": "blue", "reach": 0.5}]
    with Colorizer(hearing_model, ColorizeOptions(vividness=2)) as colorizer:
        for given in ([], hints[:1], hints):
            notes = decided(colorizer.run(Photo(grey(low, high)[..., None]), given))
            assert unknown(notes) == []
            assert len(notes) >= len(given)


def test_notes_on_photographs_in_colour_are_known(hearing_model) -> None:
    pixels = np.stack([grey(0, 255), grey(0, 255).T, 255 - grey(0, 255)], axis=-1)
    for colored in ("keep", "recolor"):
        with Colorizer(hearing_model, ColorizeOptions(colored=colored)) as colorizer:
            notes = decided(colorizer.run(Photo(pixels)))
        assert any("in colour already" in note for note in notes)
        assert unknown(notes) == []


def test_notes_on_negatives_are_known() -> None:
    for note in (polarity.NEGATIVE, polarity.TURNED_WRONGLY, toning.NEGATIVE):
        assert unknown((note, f"toning: {note}")) == []


@pytest.mark.slow
@pytest.mark.parametrize("switch", ["auto", "always"])
def test_notes_on_restoring_are_known(switch: str) -> None:
    pixels = np.stack([grey(80, 150), grey(70, 140), grey(50, 110)], axis=-1)
    pixels[:, 20:22] = 250
    options = RestoreOptions(damage=switch, noise=switch, tone=switch, neutralize=switch == "always")
    mask = np.zeros(pixels.shape[:2], bool)
    mask[10:14, 30:34] = True
    with Restorer(options) as restorer, Restorer(options, engines=restorer.engines, mask=mask) as told:
        for one in (restorer, told):
            notes = one.run(Photo(pixels)).photo.notes
            assert notes
            assert unknown(notes) == []
