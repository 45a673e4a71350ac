import numpy as np
import pytest

from photochrom.color import luma
from photochrom.degradation import ageing
from photochrom.degradation.ageing import AgeOptions, age

CERTAIN = dict.fromkeys(("film", "tone", "fading", "toning", "vignette", "blur", "grain", "screen", "jpeg"), 1.0)
STEPS = [
    ageing.bend_tone,
    ageing.fade,
    ageing.tone_and_regrey,
    ageing.add_vignette,
    ageing.soften,
    ageing.add_grain,
    ageing.print_screen,
    ageing.compress_jpeg,
]


def colours() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (40, 56, 3), dtype=np.uint8)


def test_untouched_is_luma() -> None:
    rgb = colours()
    grey = age(rgb, np.random.default_rng(1), AgeOptions(untouched=1.0))
    np.testing.assert_allclose(grey, luma(rgb.astype(np.float32) / 255), atol=1e-6)


def test_everything_at_once_stays_a_picture_and_follows_its_seed() -> None:
    options = AgeOptions(untouched=0.0, **CERTAIN)
    pictures = [age(colours(), np.random.default_rng(seed), options) for seed in (1, 1, 2)]
    assert pictures[0].shape == (40, 56)
    assert pictures[0].dtype == np.float32
    assert 0 <= pictures[0].min() <= pictures[0].max() <= 1
    np.testing.assert_array_equal(pictures[0], pictures[1])
    assert not np.array_equal(pictures[0], pictures[2])


@pytest.mark.parametrize("step", STEPS)
def test_each_step_changes_the_picture_a_little_and_keeps_its_shape(step) -> None:
    grey = luma(colours().astype(np.float32) / 255)
    changed = [step(grey, np.random.default_rng(seed)) for seed in range(8)]
    assert all(picture.shape == grey.shape and np.isfinite(picture).all() for picture in changed)
    assert any(np.abs(picture - grey).mean() > 0.005 for picture in changed)


def test_orthochromatic_film_is_nearly_blind_to_red() -> None:
    red = np.zeros((4, 4, 3), dtype=np.uint8)
    red[..., 0] = 255
    greys = [float(ageing.expose_film(red, np.random.default_rng(seed)).mean()) for seed in range(60)]
    assert min(greys) < 0.1
    assert max(greys) > 0.5


def test_softening_takes_no_light() -> None:
    grey = np.random.default_rng(5).uniform(0.2, 0.8, (80, 80)).astype(np.float32)
    shifts = [float((ageing.soften(grey, np.random.default_rng(seed)) - grey).mean()) for seed in range(8)]
    assert abs(np.mean(shifts)) < 0.1 / 255
