import numpy as np
import pytest
from skimage.color import rgb2lab
from skimage.data import astronaut
from skimage.measure import label

from photochrom.color import srgb_from_lab
from photochrom.train.things import LARGEST, SMALLEST, choose_thing, connected, enlarge, repaint

LAB = rgb2lab(astronaut()[::16, ::16] / 255).astype(np.float32)


def test_what_hangs_together_is_what_an_independent_implementation_finds() -> None:
    like = np.random.default_rng(0).random((24, 30)) < 0.6
    for row, column in np.argwhere(like)[::40]:
        parts = label(like, connectivity=1)
        assert (connected(like, row, column) == (parts == parts[row, column])).all()


@pytest.mark.parametrize("seed", range(6))
def test_a_thing_is_connected_and_neither_a_speck_nor_the_whole_picture(seed: int) -> None:
    thing = choose_thing(LAB, np.random.default_rng(seed))
    assert thing is not None
    assert SMALLEST < thing.mean() < LARGEST
    assert label(thing, connectivity=1).max() == 1


def test_no_thing_is_found_where_all_is_one_or_all_is_specks() -> None:
    rng = np.random.default_rng(0)
    assert choose_thing(np.full((16, 16, 3), 50, dtype=np.float32), rng) is None
    assert choose_thing(rng.uniform(-80, 80, (32, 32, 3)).astype(np.float32), rng) is None


@pytest.mark.parametrize("seed", range(6))
def test_a_repainted_thing_has_another_colour_that_a_screen_can_show_and_the_rest_its_own(seed: int) -> None:
    rng = np.random.default_rng(seed)
    thing = choose_thing(LAB, rng)
    assert thing is not None
    ab = repaint(LAB, thing, rng)
    before = np.moveaxis(LAB[..., 1:], -1, 0)
    assert (ab[:, ~thing] == before[:, ~thing]).all()
    assert not np.allclose(ab[:, thing], before[:, thing], atol=1)
    shown = srgb_from_lab(np.concatenate([LAB[..., :1], np.moveaxis(ab, 0, -1)], axis=-1))[thing]
    assert np.percentile(np.abs(shown - np.clip(shown, 0, 1)), 90) < 0.15  # clipping moves lightness a little


def test_a_thing_keeps_its_place_in_a_larger_picture() -> None:
    thing = np.zeros((8, 8), dtype=bool)
    thing[2:6, 3:7] = True
    larger = enlarge(thing, 32, 32)
    assert (larger == np.kron(thing, np.ones((4, 4), dtype=bool))).mean() > 0.97
