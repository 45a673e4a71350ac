"""What a plain border surrounds is restored as it would be alone."""

from __future__ import annotations

import numpy as np
import pytest

from photochrom.border import Box
from photochrom.restoration.tone import ToneCorrection
from tests.restoration.samples import RestorerFor, decision, faded, photo_of


@pytest.mark.parametrize("tone", [0, 255])
def test_a_border_does_not_hide_that_a_photograph_is_faded(
    tone: int, restorer_for: RestorerFor, camera: np.ndarray
) -> None:
    session = restorer_for(damage="never", noise="never")
    bare, framed = faded(camera), np.pad(faded(camera), 60, constant_values=tone)
    alone, within = session.run(photo_of(bare)), session.run(photo_of(framed))
    assert decision(alone, "tone")
    assert decision(within, "tone")
    there = within.photo.pixels[60:-60, 60:-60, 0]
    assert np.abs(there.astype(int) - alone.photo.pixels[..., 0]).mean() < 6
    assert "a plain border, " in within.notes[0]
    assert "border" not in alone.notes[0]


def test_a_border_does_not_hide_that_a_photograph_is_noisy(restorer_for: RestorerFor, camera: np.ndarray) -> None:
    noisy = np.clip(camera + np.random.default_rng(0).normal(0, 12, camera.shape), 0, 255).astype(np.uint8)
    session = restorer_for(damage="never", tone="never")
    alone, within = (session.run(photo_of(one)) for one in (noisy, np.pad(noisy, 150, constant_values=60)))
    assert decision(alone, "noise")
    assert decision(within, "noise")
    assert within.decisions[0].measured == pytest.approx(alone.decisions[0].measured, rel=0.1)


def test_beyond_the_box_a_correction_goes_on_as_at_its_border() -> None:
    rng = np.random.default_rng(2)
    gain, offset = (rng.random((1, 16, 16), dtype=np.float32) for _ in range(2))
    curves = np.linspace(0, 1, 33, dtype=np.float32)[None]
    values = np.full((1, 50, 70), 0.4, np.float32)
    whole = ToneCorrection(curves, gain, offset, box=Box(10, 40, 20, 60)).rows(values, 0, 50)
    inner = ToneCorrection(curves, gain, offset).rows(values[:, :30, :40], 0, 30)
    assert np.array_equal(whole, np.pad(inner, ((0, 0), (10, 10), (20, 10)), mode="edge"))
    strips = [
        ToneCorrection(curves, gain, offset, box=Box(10, 40, 20, 60)).rows(values[:, top : top + 5], top, 50)
        for top in range(0, 50, 5)
    ]
    assert np.allclose(np.concatenate(strips, axis=1), whole, atol=1e-6)
