"""Cuts are found on grey film; colours travel with the picture, both ways, and do not flicker."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import photochrom
from photochrom.film.matrices import Codes
from photochrom.film.motion import Motion, compare, flow, grid_size
from photochrom.film.passages import Sight, passages
from photochrom.film.shots import CutsFile
from photochrom.film.steadiness import RAMP_FRAMES, Colours, choose_keys, ruled, spread, steady
from tests.film.films import panned, scene

RANDOM = np.random.default_rng(7)


def sights(lumas: list[np.ndarray]) -> list[Sight]:
    return [Sight(k, k, 1, luma, luma, seconds=k / 25 + 3, lasts_s=1 / 25) for k, luma in enumerate(lumas)]


def cuts_of(lumas: list[np.ndarray], said: CutsFile | None = None) -> list[int]:
    return [p.sights[0].number for p in passages(iter(sights(lumas)), 100, said or CutsFile()) if p.cut]


def four_shots() -> list[np.ndarray]:
    return [frame for k in range(4) for frame in panned(scene(10 + k), 6, 160, 90, step=2)]


def test_cuts_are_found_and_nothing_else_is_one() -> None:
    assert cuts_of(four_shots()) == [6, 12, 18]


@pytest.mark.slow
def test_grain_and_exposure_that_breathes_are_no_cuts() -> None:
    grainy = [np.clip(f + RANDOM.normal(0, 12, f.shape), 0, 255).astype(np.uint8) for f in four_shots()]
    breathing = [np.clip(f * RANDOM.uniform(0.8, 1.2), 0, 255).astype(np.uint8) for f in four_shots()]
    assert cuts_of(grainy) == cuts_of(breathing) == [6, 12, 18]


def test_a_flash_is_no_cut() -> None:
    lumas = panned(scene(1), 8, 160, 90)
    lumas[4] = np.full_like(lumas[4], 235)
    lumas[4][::3] = 200
    assert cuts_of(lumas) == []


def test_a_cuts_file_corrects_us(tmp_path: Path) -> None:
    path = tmp_path / "cuts.txt"
    # The film's first frame appears at three seconds: a time is the film's, whatever its rate.
    path.write_text("# corrected by hand\ncut 3\nno-cut 0:00:03.479  # twelve at 25\ncut 99\ncut 1:00\n")
    said = CutsFile.read(path)
    assert cuts_of(four_shots(), said) == [3, 6, 18]
    assert said.unmet(24, 3.0, 3.96) == ["99", "60s"]
    for text, line in (("cut here", "line 1"), ("cut 4\n\nno-cut 4", "line 3 contradicts")):
        path.write_text(text)
        with pytest.raises(photochrom.OptionError, match=line):
            CutsFile.read(path)


def test_long_shots_are_cut_into_passages_that_know_how_they_hang_together() -> None:
    found = list(passages(iter(sights(panned(scene(1), 12, 160, 90))), 5, CutsFile()))
    assert [len(passage.sights) for passage in found] == [5, 5, 2]
    assert [passage.link is None for passage in found] == [True, False, False]
    assert not any(passage.cut for passage in found)


def test_flow_finds_a_known_shift() -> None:
    first, second = panned(scene(1), 2, 160, 90, step=3)
    moved = flow(first, second) - flow(first, first)
    assert np.median(moved[20:-20, 20:-20, 0]) == pytest.approx(-3, abs=0.3)


def test_what_appears_anew_is_not_believed() -> None:
    first = panned(scene(1), 1, 160, 90)[0]
    second = first.copy()
    second[30:60, 60:100] = scene(3)[:30, :40]
    trust = compare(first, second).trust_later
    assert trust[35:55, 65:95].mean() < 0.35
    assert trust[:25].mean() > 0.9


def test_the_grid_keeps_the_films_shape_and_is_never_larger() -> None:
    assert grid_size(1920, 1080) == (320, 180)
    assert grid_size(100, 50) == (100, 50)
    assert grid_size(1, 4000) == (1, 4000)


def truth(luma: np.ndarray) -> np.ndarray:
    """Return colours that belong to things: a function of the picture alone."""
    level = Codes(8, full=True).luma(luma)
    return np.dstack([0.2 * (level - 0.5), 0.15 * np.sin(6 * level)]).astype(np.float32)


class Unsteady:
    """A net that sees the right colours, and errs by as much in each frame, in another direction."""

    def __init__(self, lumas: list[np.ndarray], errs: float) -> None:
        random = np.random.default_rng(3)
        self.answers = [truth(luma) + random.normal(0, errs, 2).astype(np.float32) for luma in lumas]
        self.asked: list[int] = []

    def __call__(self, frame: int, travelled: Colours | None) -> Colours:
        self.asked.append(frame)
        return Colours(self.answers[frame], np.ones(self.answers[frame].shape[:2], np.float32))


def flicker(colours: list[np.ndarray], motions: list[Motion]) -> float:
    from photochrom.film.motion import carry

    changes = [
        np.abs(later - carry(earlier, motion.backward))[motion.trust_later > 0.5].mean()
        for earlier, later, motion in zip(colours, colours[1:], motions, strict=False)
    ]
    return float(np.mean(changes))


@pytest.fixture(scope="module")
def pan() -> tuple[list[np.ndarray], list[Motion]]:
    lumas = panned(scene(5, 260), 25, 160, 90, step=2)
    return lumas, [compare(a, b) for a, b in zip(lumas, lumas[1:], strict=False)]


def test_colours_are_steadier_and_nearer_the_truth_than_frame_by_frame(
    pan: tuple[list[np.ndarray], list[Motion]],
) -> None:
    lumas, motions = pan
    net = Unsteady(lumas, 0.03)
    got = [colours.chroma for colours in steady(motions, choose_keys(motions, 6), net, None)]
    assert len(net.asked) < len(lumas) / 3
    assert flicker(got, motions) < 0.33 * flicker(net.answers, motions)
    errors = [np.abs(a - truth(luma)).mean() for a, luma in zip(got, lumas, strict=True)]
    alone = [np.abs(a - truth(luma)).mean() for a, luma in zip(net.answers, lumas, strict=True)]
    assert np.mean(errors) < 0.8 * np.mean(alone)


def test_colours_go_on_into_the_next_passage_without_a_jump(pan: tuple[list[np.ndarray], list[Motion]]) -> None:
    lumas, motions = pan
    net = Unsteady(lumas, 0.03)
    first = steady(motions[:11], [0, 6], net, None)
    arrived = first[-1].moved(motions[11].backward, motions[11].trust_later)
    second = steady(motions[12:], [0, 6], lambda k, t: net(k + 12, t), arrived)
    got = [colours.chroma for colours in [*first, *second]]
    steps = [
        float(np.abs(b - a)[motion.trust_later > 0.5].mean())
        for a, b, motion in zip(got, got[1:], motions, strict=False)
    ]
    assert steps[11] < 2 * np.median(steps)


def test_where_a_passage_begins_its_first_key_frame_is_let_in_by_and_by() -> None:
    still = compare(*panned(scene(1), 1, 160, 90) * 2)
    whole = np.ones((90, 160), np.float32)
    before, other = (Colours(np.full((90, 160, 2), level, np.float32), whole) for level in (0.0, 0.2))
    levels = [float(colours.chroma.mean()) for colours in steady([still] * 15, [0], lambda *_: other, before)]
    assert max(np.diff([0.0, *levels])) < 0.1 * 0.2
    assert levels[RAMP_FRAMES - 1] == pytest.approx(0.1, abs=0.01)
    unknown = Colours(before.chroma, np.zeros_like(whole))
    assert steady([still], [0], lambda *_: other, unknown)[0].chroma.mean() == pytest.approx(0.2, abs=0.01)


def test_a_key_frame_comes_early_where_the_picture_changes() -> None:
    still = compare(*panned(scene(1), 1, 160, 90) * 2)
    changed = Motion(still.backward, still.forward, still.trust_later, still.trust_earlier, 0, 0.4)
    assert choose_keys([still] * 4 + [changed] + [still] * 4, 100) == [0, 5]
    assert choose_keys([still] * 9, 4) == [0, 4, 8]


def test_given_colours_rule_their_shot_in_both_directions(pan: tuple[list[np.ndarray], list[Motion]]) -> None:
    lumas, motions = pan
    net = steady(motions, [0, 12, 24], Unsteady(lumas, 0.0), None)
    red = np.zeros((*lumas[0].shape, 2), np.float32) + np.float32([0, 0.3])
    weight = np.zeros(lumas[0].shape, np.float32)
    weight[:, 40:120] = 50  # the middle is given, the rest is transparent
    over = spread(motions, {12: Colours(red, weight)}, None)
    got = [ruled(n, g).chroma for n, g in zip(net, over, strict=True)]
    for frame in (2, 12, 23):
        assert got[frame][30:60, 60:90, 1].mean() > 0.25
    assert np.abs(got[12][:, :30] - net[12].chroma[:, :30]).max() < 0.02
