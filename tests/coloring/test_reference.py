"""The colours of another photograph, for what both show, and for nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from photochrom import FakeEngine, ModelError, OptionError, Photo
from photochrom.cli.app import run
from photochrom.color import lab_from_srgb
from photochrom.coloring.reference import match_references, places_of, refuse_colourless
from photochrom.errors import EXIT_SOME_FAILED, EXIT_USAGE


class Looking(FakeEngine):
    """A net whose features are the tones inside each place: it knows a place by its texture."""

    def run(self, inputs: Mapping[str, Any], outputs: Sequence[str]) -> dict[str, Any]:
        if tuple(outputs) != ("features",):
            return super().run(inputs, outputs)
        luma = np.asarray(inputs["luma"])[0, 0]
        rows, columns = luma.shape[0] // 16, luma.shape[1] // 16
        blocks = luma.reshape(rows, 16, columns, 16).transpose(1, 3, 0, 2).reshape(256, rows, columns)
        return {"features": (blocks - blocks.mean(axis=0))[None].astype(np.float32)}


def scene(seed: int) -> np.ndarray:
    """Return (384, 576, 3): texture that never repeats, green above, red below."""
    tone = np.random.default_rng(seed).integers(60, 180, (192, 288)).repeat(2, 0).repeat(2, 1)
    rgb = np.stack([tone, tone, tone], axis=-1).astype(np.float64)
    rgb[:192] *= (0.7, 1.1, 0.7)
    rgb[192:] *= (1.2, 0.8, 0.8)
    return rgb.clip(0, 255).astype(np.uint8)


ENGINE = Looking(hears=True)


def test_the_same_thing_gets_the_colours_of_the_reference() -> None:
    coloured = scene(0)
    matched = match_references(Photo(coloured), [places_of(Photo(coloured), ENGINE)], ENGINE)
    assert len(matched.hints) > 0.8 * matched.places
    assert f"{len(matched.hints)} of {matched.places} places matched" in matched.note
    truth = lab_from_srgb(coloured / 255.0)
    for hint in matched.hints:
        x, y = hint.places[0]
        if abs(y - 0.5) > 0.05:
            assert np.sign(hint.ab[0]) == np.sign(truth[int(y * 384), int(x * 576), 1])


def test_something_else_gives_nothing_and_says_so() -> None:
    matched = match_references(Photo(scene(0)), [places_of(Photo(scene(1)), ENGINE)], ENGINE)
    assert matched.hints == ()
    assert "nothing in it matches" in matched.note


def test_blank_pages_have_nothing_in_common() -> None:
    class Bordered(Looking):
        """A net that sees the borders of a picture, whatever is on it."""

        def run(self, inputs: Mapping[str, Any], outputs: Sequence[str]) -> dict[str, Any]:
            rows, columns = (side // 16 for side in np.asarray(inputs["luma"]).shape[2:])
            return {"features": np.eye(rows * columns, dtype=np.float32).reshape(1, -1, rows, columns)}

    engine, red = Bordered(hears=True), Photo(np.full((384, 384, 3), [200, 0, 0], np.uint8))
    page = Photo(np.full((384, 384, 1), 60, np.uint8))
    assert match_references(page, [places_of(red, engine)], engine).hints == ()
    seen = Photo(scene(0)[:, :384].copy())
    assert match_references(seen, [places_of(seen, engine)], engine).hints


def test_of_several_references_the_one_that_matches_counts() -> None:
    references = [places_of(Photo(scene(seed)), ENGINE) for seed in (1, 0)]
    alone = match_references(Photo(scene(0)), references[1:], ENGINE)
    assert len(match_references(Photo(scene(0)), references, ENGINE).hints) >= len(alone.hints) > 0


def test_a_reference_without_colour_and_a_model_without_features_are_told() -> None:
    with pytest.raises(OptionError, match="has no colours to take"):
        refuse_colourless(Photo(scene(0)[..., :1]), "grey.png")
    with pytest.raises(ModelError, match="no features"):
        places_of(Photo(scene(0)), FakeEngine(hears=True))


def test_on_the_command_line_a_grey_reference_is_refused_and_nothing_written(
    tmp_path: Path, make_photo: Callable[..., Path], hearing_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photo, out, other = make_photo(), tmp_path / "out.png", tmp_path / "other.png"
    base = ["colorize", str(photo), "-o", str(out), "--model", str(hearing_model), "--reference"]
    assert run([*base, str(photo)]) == EXIT_USAGE
    Image.fromarray(scene(0)).save(other)
    assert run([*base, str(other)]) == EXIT_SOME_FAILED
    grey, deaf = capsys.readouterr().err.splitlines()
    assert "has no colours to take" in grey
    assert "no features" in deaf
    assert not out.exists()
