"""Other likely versions: nested, ordered, visibly different, and none where the net is sure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from photochrom import ColorizeOptions, Colorizer, FakeEngine, ModelSpec, Photo
from photochrom.color import ciede2000
from photochrom.coloring.alternatives import VISIBLE_DIFFERENCE, find_versions, form_regions, shown_lab
from photochrom.coloring.pipeline import ColorizeResult
from photochrom.coloring.prediction import Prediction
from photochrom.errors import OptionError

GRID = 10.0 * np.stack(np.meshgrid(np.arange(-8, 9), np.arange(-8, 9), indexing="ij"), axis=-1).reshape(-1, 2)
LUMA = np.linspace(0.3, 0.7, 24 * 30, dtype=np.float32).reshape(24, 30)


def predicted(*modes: tuple[float, float, float], width: float = 8.0, split: bool = False) -> Prediction:
    """Return a prediction whose cells all have these modes (a*, b*, weight); ``split`` gives them to the right half."""
    share = sum(weight * np.exp(-((GRID - [a, b]) ** 2).sum(-1) / (2 * width**2)) for a, b, weight in modes)
    logits = np.broadcast_to(np.log(share + 1e-12)[:, None, None], (len(GRID), *LUMA.shape)).astype(np.float32).copy()
    if split:
        sure = np.log(np.exp(-(GRID**2).sum(-1) / (2 * width**2)) + 1e-12)
        logits[:, :, :15] = sure[:, None, None]
    sharp = np.exp((logits - logits.max(0)) / 0.4)
    ab = np.einsum("khw,kc->chw", sharp / sharp.sum(0), GRID).astype(np.float32)
    return Prediction(ab, (), 0.0, {"logits": logits})


def versions_of(found: Prediction, count: int = 4) -> list[np.ndarray]:
    return [v.ab for v in find_versions(found, GRID.astype(np.float32), LUMA, count)]


def apart(one: np.ndarray, other: np.ndarray) -> float:
    return float(ciede2000(shown_lab(one, LUMA), shown_lab(other, LUMA)).mean())


def test_the_first_is_the_nets_own_and_the_second_the_other_mode() -> None:
    at_its_mode = np.broadcast_to(np.float32([[[40]], [[30]]]), (2, *LUMA.shape))
    found = Prediction(at_its_mode, (), 0.0, predicted((40, 30, 1.0), (-30, 30, 0.6), width=5).extras)
    versions = find_versions(found, GRID.astype(np.float32), LUMA, 2)
    assert versions[0].ab is found.ab
    assert versions[0].notes == ()
    assert versions[1].ab[0].mean() < -20
    assert 0.25 <= versions[1].likelihood < 1
    assert versions[1].notes[0].startswith("version 2: ")


def test_any_two_differ_visibly_and_they_come_likeliest_first() -> None:
    found = predicted((40, 30, 1.0), (-30, 30, 0.9), (5, -45, 0.8), width=10)
    versions = find_versions(found, GRID.astype(np.float32), LUMA, 4)
    assert len(versions) == 4
    for i, one in enumerate(versions):
        for other in versions[:i]:
            assert apart(one.ab, other.ab) >= VISIBLE_DIFFERENCE
    likelihoods = [version.likelihood for version in versions]
    assert likelihoods == sorted(likelihoods, reverse=True)
    assert [version.number for version in versions] == [1, 2, 3, 4]


def test_what_comes_does_not_depend_on_how_many_are_wanted() -> None:
    found = predicted((40, 30, 1.0), (-30, 30, 0.9), (5, -45, 0.8), width=10)
    for few, many in zip(versions_of(found, 2), versions_of(found, 4), strict=False):
        assert np.array_equal(few, many)


def test_a_sure_net_has_one_version() -> None:
    assert len(versions_of(predicted((20, 30, 1.0), width=4))) == 1


def test_only_the_ambiguous_half_changes() -> None:
    found = predicted((45, 30, 1.0), (-40, 30, 0.95), split=True)
    first, second = versions_of(found, 2)
    change = np.hypot(*(second - first))
    assert change[:, :12].max() < 1
    assert change[:, 18:].mean() > 20


def test_regions_are_deterministic_and_follow_colour() -> None:
    ab = np.zeros((2, 20, 30), np.float32)
    ab[0, :, 15:] = 60
    regions = form_regions(ab, np.full((20, 30), 50, np.float32))
    assert np.array_equal(regions, form_regions(ab, np.full((20, 30), 50, np.float32)))
    assert not set(regions[:, :13].flat) & set(regions[:, 17:].flat)


@pytest.mark.slow
@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (40, 1600), (31, 33)])
@pytest.mark.parametrize("fill", [0, 128, 255, "noise"])
def test_odd_pictures_have_versions_or_say_they_have_none(
    tiny_model: Path, shape: tuple[int, int], fill: int | str
) -> None:
    noise = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    picture = noise if fill == "noise" else np.full(shape, fill, np.uint8)
    with Colorizer(tiny_model) as session:
        made = session.alternatives(picture, 3)
    assert 1 <= len(made) <= 3
    for version in made:
        assert version.shape == (*shape, 3)
        assert np.abs(version @ [0.299, 0.587, 0.114] - picture).max() < 0.5
    if fill in {0, 255}:
        assert len(made) == 1  # nothing can be coloured here, so nothing can differ


def test_the_session_gives_them_and_the_first_is_what_calling_it_gives(tiny_model: Path, grey_ramp: np.ndarray) -> None:
    with Colorizer(tiny_model, ColorizeOptions(vividness=0.8)) as session:
        made = session.alternatives(grey_ramp, 3)
        assert len(made) == 3
        assert np.array_equal(made[0], session(grey_ramp))
        for number in (2, 3):
            options = ColorizeOptions(vividness=0.8, alternative=number)
            with Colorizer(tiny_model, options) as again:
                assert np.array_equal(again(grey_ramp), made[number - 1])
        with pytest.raises(OptionError, match="alternatives"):
            session.alternatives(grey_ramp, 0)


def test_fewer_are_told_and_an_absent_one_is_an_error(tiny_model: Path) -> None:
    black = Photo(np.zeros((40, 40, 1), np.uint8))
    with Colorizer(tiny_model, ColorizeOptions(alternatives=3)) as session:
        result = session.run(black)
    assert result.alternatives == ()
    assert any("1 of 3 versions" in note for note in result.notes)
    with (
        Colorizer(tiny_model, ColorizeOptions(alternative=2)) as session,
        pytest.raises(OptionError, match="has 1 visibly different"),
    ):
        session.run(black)


def test_a_model_without_a_distribution_says_so() -> None:
    with pytest.raises(OptionError, match="no alternatives"):
        Colorizer(engine=FakeEngine()).alternatives(np.zeros((20, 20), np.uint8), 2)


def test_a_richer_version_of_the_same_hue_is_none() -> None:
    found = predicted((20, 20, 1.0), (38, 38, 0.9), width=6)
    ab = np.full((2, *LUMA.shape), 20, np.float32)
    hues = [np.degrees(np.arctan2(*v[::-1])) for v in versions_of(Prediction(ab, (), 0.0, found.extras))[1:]]
    assert all(np.abs(hue - 45).mean() > 5 for hue in hues)


class Torn(FakeEngine):
    """A net that holds two colours possible everywhere."""

    @property
    def spec(self) -> ModelSpec:
        return super().spec.model_copy(update={"bins_ab": ((40.0, 30.0), (-30.0, 30.0))})

    def run(self, inputs: Mapping[str, Any], outputs: Sequence[str]) -> dict[str, Any]:
        _, _, height, width = inputs["luma"].shape
        planes = np.broadcast_to(np.float32([1.0, 0.8])[:, None, None], (1, 2, height // 2, width // 2))
        return {name: planes * (40 if name == "ab" else 1) for name in outputs}


@pytest.mark.parametrize(("vividness", "blank"), [(0.0, False), (1.0, True)])
def test_a_picture_that_is_left_without_colour_has_one_version(vividness: float, *, blank: bool) -> None:
    photo = Photo(np.full((48, 60, 1), 128, np.uint8) if blank else np.rint(LUMA * 255).astype(np.uint8)[..., None])

    def run(**options: float) -> ColorizeResult:
        return Colorizer(engine=Torn(), options=ColorizeOptions(**options)).run(photo)

    result = run(vividness=vividness, alternatives=3)
    assert result.alternatives == ()
    assert "1 of 3 versions: no other is likely and visibly different" in result.notes
    with pytest.raises(OptionError, match="1 visibly different versions, no more"):
        run(vividness=vividness, alternative=2)
    assert blank or run(alternatives=2).alternatives
