"""Film made old by the photographs' engine: what lasts stays, what lives one frame does not."""

from __future__ import annotations

import numpy as np
import pytest

from photochrom.degradation import Dose, Preset, degrade_film
from photochrom.degradation.presets import presets

STILL = [np.full((96, 128), 0.5, np.float32)] * 4


def reel(kind: str, lasts: str, strength: float = 0.6, chance: float = 1.0, seed: int = 3) -> list[np.ndarray]:
    dose = Dose.model_validate({"strength": (strength, strength), "lasts": lasts, "chance": chance})
    return [frame.picture for frame in degrade_film(STILL, Preset(kinds={kind: dose}), seed)]


def test_a_seed_makes_the_same_reel_again_and_another_another() -> None:
    first, again = (np.stack([frame.picture for frame in degrade_film(STILL, "reel", 5)]) for _ in range(2))
    other = np.stack([frame.picture for frame in degrade_film(STILL, "reel", 6)])
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("kind", ["fading", "scratches", "vignette", "grain"])
def test_what_lasts_a_film_is_the_same_in_all_frames(kind: str) -> None:
    frames = reel(kind, "film")
    assert not np.array_equal(frames[0], np.dstack([STILL[0]] * 3))
    assert all(np.array_equal(frame, frames[0]) for frame in frames)


def test_dust_lives_one_frame_and_its_mask_with_it() -> None:
    dose = Preset(kinds={"dust": Dose(strength=(0.8, 0.8))})
    masks = [frame.mask for frame in degrade_film(STILL, dose, 1)]
    assert all(mask.any() for mask in masks)
    assert np.logical_and(masks[0], masks[1]).sum() < 0.2 * masks[0].sum()


def test_grain_is_as_strong_in_each_frame_and_never_the_same() -> None:
    frames = [frame - 0.5 for frame in reel("grain", "texture")]
    strengths = [frame.std() for frame in frames]
    assert max(strengths) < 1.1 * min(strengths)
    assert abs(np.corrcoef(frames[0].ravel(), frames[1].ravel())[0, 1]) < 0.1
    anew = [frame.std() for frame in reel("grain", "frame")]
    assert max(anew) > 1.1 * min(anew)


def test_a_run_drifts_and_stays_itself() -> None:
    frames = [frame.mean(axis=(0, 2)) for frame in reel("film-runs", "drift", seed=1)]
    assert np.ptp(frames[0]) > 0.05
    shifts = [min(range(-6, 7), key=lambda k: np.abs(np.roll(frames[0], k) - row).sum()) for row in frames]
    assert all(
        np.allclose(np.roll(frames[0], shift), row, atol=1e-6) for shift, row in zip(shifts, frames, strict=True)
    )
    assert len(set(shifts)) > 1


def test_what_lives_one_frame_happens_in_its_share_of_them() -> None:
    many = [np.full((48, 48), 0.5, np.float32)] * 60
    preset = Preset(kinds={"hairs": Dose(chance=0.3, strength=(0.5, 0.5))})
    hit = np.mean([frame.mask.any() for frame in degrade_film(many, preset, 0)])
    assert 0.15 < hit < 0.45


@pytest.mark.parametrize("name", ["reel", "faded-reel"])
def test_the_presets_for_film_are_grey_and_within_range(name: str) -> None:
    colours = [np.random.default_rng(0).random((64, 64, 3)).astype(np.float32)] * 2
    for frame in degrade_film(colours, name, 2):
        assert frame.picture.min() >= 0
        assert frame.picture.max() <= 1
        assert {kind for kind, _ in frame.steps} <= set(presets()[name].kinds)
