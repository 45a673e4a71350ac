"""What the noise and tone stages decide and do, with models of which it is known what they give."""

from __future__ import annotations

import numpy as np
import pytest
from skimage import data

from photochrom.engines.restoration import OnnxStage
from photochrom.files.provenance import ALGORITHMICALLY_ENHANCED
from photochrom.luma import luma_codes
from photochrom.options import RestoreOptions
from photochrom.restoration import noise, tone
from photochrom.restoration.toning import classify
from tests.restoration.samples import NOTHING, RestorerFor, decision, faded, photo_of, sepia


@pytest.mark.parametrize("sigma", [6.0, 12.0])
def test_noise_is_measured_where_the_picture_is_quiet(
    sigma: float, camera: np.ndarray, stages: dict[str, OnnxStage]
) -> None:
    """The stand-in takes a twenty-fifth of the noise for the picture."""
    clean = noise.measure(camera[..., None], stages["noise"])
    noisy = np.clip(camera + np.random.default_rng(1).normal(0, sigma, camera.shape), 0, 255).astype(np.uint8)
    found = noise.measure(noisy[..., None], stages["noise"])
    limit = stages["noise"].spec.noisy
    assert clean < limit
    decision = noise.decide(noisy[..., None], stages["noise"], RestoreOptions())
    assert (decision.applied, decision.limit) == (found >= limit, limit)
    assert 0.7 * sigma < found < 1.2 * sigma
    deep = noisy.astype(np.uint16) * 257
    assert noise.measure(deep[..., None], stages["noise"]) == pytest.approx(found, rel=0.01)


@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_blank_page_has_no_noise(level: int, stages: dict[str, OnnxStage]) -> None:
    assert noise.measure(np.full((1, 1, 3), level, np.uint8), stages["noise"]) == 0
    assert noise.measure(np.full((300, 300, 3), level, np.uint8), stages["noise"]) < 0.1


def test_a_noisy_photograph_is_denoised_as_far_as_asked(restorer_for: RestorerFor, camera: np.ndarray) -> None:
    noisy = np.clip(camera + np.random.default_rng(1).normal(0, 12, camera.shape), 0, 255).astype(np.uint8)
    full = restorer_for(damage="never", tone="never").run(photo_of(noisy))
    half = restorer_for(damage="never", tone="never", noise_strength=0.5).run(photo_of(noisy))
    none = restorer_for(damage="never", tone="never", noise_strength=0).run(photo_of(noisy))
    assert decision(full, "noise")
    assert full.source_type == ALGORITHMICALLY_ENHANCED
    assert np.array_equal(none.photo.pixels[..., 0], noisy)
    middle = (full.photo.pixels.astype(int)[..., 0] + noisy) / 2
    assert np.abs(half.photo.pixels[..., 0] - middle).max() <= 0.51
    never = restorer_for(damage="never", noise="never").run(photo_of(noisy))
    assert "noise" not in {found.stage for found in never.decisions}


@pytest.mark.parametrize("deep", [False, True])
def test_a_faded_photograph_gets_its_tones_back(deep: bool, restorer_for: RestorerFor, camera: np.ndarray) -> None:
    given = faded(camera)
    codes = given.astype(np.uint16) * 257 if deep else given
    result = restorer_for(damage="never", noise="never").run(photo_of(codes))
    assert decision(result, "tone")
    assert result.photo.pixels.dtype == codes.dtype
    assert np.abs(result.photo.pixels[..., 0] / result.photo.max_code * 255 - camera).max() <= 1.6
    assert "of the tone range used, 55% is the limit" in result.notes[0]


def test_a_faded_sepia_print_stays_sepia_and_a_faded_colour_photograph_its_colours(
    restorer_for: RestorerFor, camera: np.ndarray, coffee: np.ndarray
) -> None:
    for picture in (sepia(faded(camera)), faded(coffee)):
        result = restorer_for(damage="never", noise="never").run(photo_of(picture))
        assert decision(result, "tone")
        before, after = (a.astype(float) - luma_codes(a)[..., None] for a in (picture, result.photo.pixels))
        same = np.abs(before - after).max(axis=-1) <= 2.0
        assert same.mean() > 0.9  # elsewhere the gamut has no room for them at the new luma
        assert "colours kept" in " ".join(result.notes)


def test_a_cast_is_corrected_only_where_asked(restorer_for: RestorerFor, coffee: np.ndarray) -> None:
    kept = restorer_for(damage="never", noise="never").run(photo_of(faded(coffee)))
    corrected = restorer_for(damage="never", noise="never", correct_cast=True).run(photo_of(faded(coffee)))
    assert np.abs(corrected.photo.pixels.astype(int) - coffee).mean() < 1
    assert np.abs(kept.photo.pixels.astype(int) - coffee).mean() > 5


def test_tone_strength(restorer_for: RestorerFor, camera: np.ndarray) -> None:
    given = faded(camera)
    half = restorer_for(damage="never", noise="never", tone_strength=0.5).run(photo_of(given)).photo.pixels[..., 0]
    assert np.abs(half - (given.astype(int) + camera) / 2).max() <= 1.6


def test_half_a_correction_is_needed_where_a_whole_one_is(restorer_for: RestorerFor, camera: np.ndarray) -> None:
    pictures = [faded(camera), np.rint(camera * 0.8 + 25).astype(np.uint8)]
    for picture in pictures:
        whole, slight = (
            restorer_for(damage="never", noise="never", tone_strength=strength).run(photo_of(picture))
            for strength in (1.0, 0.05)
        )
        assert decision(whole, "tone") == decision(slight, "tone")


@pytest.mark.parametrize("stage", ["noise", "tone"])
def test_a_strength_of_nothing_changes_nothing_and_says_so(
    stage: str, restorer_for: RestorerFor, coffee: np.ndarray
) -> None:
    options = {"damage": "never", "noise": "never", "tone": "never", stage: "always", f"{stage}_strength": 0.0}
    photo = photo_of(coffee)
    result = restorer_for(**options).run(photo)
    assert result.photo.pixels is photo.pixels
    assert not result.changed
    assert result.notes[0].startswith(f"{stage}: left alone at a strength of 0 (")


def test_strips_are_the_whole() -> None:
    rng = np.random.default_rng(2)
    fields = rng.uniform(0.8, 1.2, (1, 16, 16)).astype(np.float32), rng.uniform(-0.1, 0.1, (1, 16, 16)).astype("f4")
    curve = np.sort(rng.random((1, 33)).astype(np.float32))
    correction = tone.ToneCorrection(curve, *fields)
    values = rng.random((1, 300, 200), np.float32)
    whole = correction.rows(values, 0, 300)
    parts = np.concatenate([correction.rows(values[:, t : t + 70], t, 300) for t in range(0, 300, 70)], axis=1)
    assert np.array_equal(whole, parts)


def test_fields_are_bilinear_between_the_centres_of_their_cells() -> None:
    gain = np.ones((1, 16, 16), np.float32)
    offset = np.broadcast_to(np.linspace(0, 0.15, 16, dtype=np.float32), (1, 16, 16))
    straight = np.linspace(0, 1, 33, dtype=np.float32)[None]
    out = tone.ToneCorrection(straight, gain, offset).rows(np.full((1, 160, 160), 0.5, np.float32), 0, 160)
    np.testing.assert_allclose(out[0, 80, 4:6].mean(), 0.5, atol=5e-4)  # the centre of the first cell
    np.testing.assert_allclose(out[0, 80, 154:156].mean(), 0.65, atol=5e-4)
    np.testing.assert_allclose(np.diff(out[0, 3, 5:155]), 0.001, atol=1e-4)


def test_a_blank_page_is_not_stretched(restorer_for: RestorerFor) -> None:
    page = np.random.default_rng(0).integers(120, 125, (200, 200), dtype=np.uint8)
    result = restorer_for(damage="never", noise="never", tone="always").run(photo_of(page))
    assert not decision(result, "tone")
    assert "a blank picture" in result.notes[0]


def test_the_whole_photograph_is_squashed_by_area() -> None:
    picture = np.random.default_rng(4).integers(0, 256, (1024, 512, 3), dtype=np.uint8)
    expected = picture.reshape(256, 4, 256, 2, 3).mean(axis=(1, 3)).transpose(2, 0, 1) / 255
    np.testing.assert_allclose(tone.squash(picture), expected, atol=1e-3)


def test_sepia_is_told_from_grey_and_from_colour(camera: np.ndarray, coffee: np.ndarray) -> None:
    assert classify(tone.squash(camera[..., None])).coloring == "grey"
    found = classify(tone.squash(sepia(camera)))
    assert (found.coloring, found.name) == ("toned", "sepia")
    assert classify(tone.squash(sepia(camera)[..., ::-1].copy())).name == "blue toning"
    for name in ("coffee", "astronaut", "chelsea", "rocket"):
        assert classify(tone.squash(np.asarray(getattr(data, name)()))).coloring == "colour", name


def test_sepia_is_kept_and_neutralised_on_request(restorer_for: RestorerFor, camera: np.ndarray) -> None:
    picture = photo_of(sepia(camera))
    kept = restorer_for(**NOTHING | {"tone": "auto"}, tone_strength=0).run(picture)
    assert np.array_equal(kept.photo.pixels, picture.pixels)
    assert any(note.startswith("toning: sepia kept") for note in kept.notes)
    neutral = restorer_for(**NOTHING, neutralize=True).run(picture)
    assert np.ptp(neutral.photo.pixels, axis=-1).max() == 0
    assert np.array_equal(luma_codes(neutral.photo.pixels), luma_codes(picture.pixels))
    assert any(note.startswith("toning: sepia made neutral") for note in neutral.notes)


def test_what_has_hardly_any_colour_is_not_neutralised_and_told(restorer_for: RestorerFor, camera: np.ndarray) -> None:
    session = restorer_for(damage="never", noise="never", tone="never", neutralize=True)
    tinged = np.stack([np.minimum(camera, 250) + tint for tint in (0, 1, 2)], axis=-1)
    photo = photo_of(tinged.astype(np.uint8))
    result = session.run(photo)
    assert result.photo.pixels is photo.pixels
    assert result.notes == ("toning: grey kept as it is (0.003 of chroma, 0.006 is the limit)",)
    assert session.run(photo_of(camera)).notes == ()


def test_a_colour_photograph_is_not_neutralised(restorer_for: RestorerFor, coffee: np.ndarray) -> None:
    result = restorer_for(**NOTHING, neutralize=True).run(photo_of(coffee))
    assert np.array_equal(result.photo.pixels, coffee)
    assert any("a colour photograph, its colours kept" in note for note in result.notes)
