"""HDR and wide-gamut film: luma and tags as they are, colours that look like those of an ordinary picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from skimage import color as reference
from skimage import data

import photochrom
from photochrom.film.contest import measure_film
from photochrom.film.matrices import BT709, Codes, Matrix
from photochrom.film.options import FilmOptions
from photochrom.film.preview import preview_film
from photochrom.film.session import FilmColorizer
from photochrom.film.transfers import TO_BT2020, Transfer
from tests.film.films import panned, read_planes, scene, write_film

AB = (18.0, 26.0)
# (primaries, transfer, matrix, range) of H.273: BT.2020 with PQ, HLG, and its own ordinary transfer.
PQ, HLG, WIDE = (9, 16, 9, 1), (9, 18, 9, 1), (9, 14, 9, 1)
XYZ_OF_2020 = np.array([[0.636958, 0.144617, 0.168881], [0.262700, 0.677998, 0.059302], [0.0, 0.028073, 1.060985]])
WHITE = np.array([0.9505, 1.0, 1.089])


def light(codes: np.ndarray, transfer: int) -> np.ndarray:
    """Return linear light, 1 for the white of an ordinary picture; HLG's of the scene. BT.2100's own formulas."""
    codes = np.clip(codes.astype(np.float64), 0, 1)
    if transfer == 16:
        power = codes ** (32 / 2523)
        return np.asarray(
            10_000 / 203 * (np.maximum(power - 0.8359375, 0) / (18.8515625 - 18.6875 * power)) ** (16384 / 2610)
        )
    if transfer == 18:
        scene_light = np.where(
            codes <= 0.5, codes**2 / 3, (np.exp((codes - 0.55991073) / 0.17883277) + 0.28466892) / 12
        )
        return np.asarray(scene_light * 1000 ** (1 / 1.2) / 203 ** (1 / 1.2))
    return np.where(codes <= 0.04045, codes / 12.92, ((codes + 0.055) / 1.055) ** 2.4)


def colored(source: Path, target: Path, **options: Any) -> Any:
    chosen = FilmOptions(codec="ffv1", chroma="444", **options)
    with FilmColorizer(options=chosen, engine=photochrom.FakeEngine(AB)) as colorizer:
        return colorizer(source, target)


def film_of(folder: Path, tags: tuple[int, int, int, int], level: int, **options: Any) -> Path:
    lumas = [np.clip(luma, level - 6, level + 6) for luma in panned(scene(1), 3)]
    return write_film(folder / "in.mkv", lumas, pixels="yuv420p10le", tags=tags, **options)


@pytest.mark.parametrize("tags", [PQ, HLG, WIDE], ids=["pq", "hlg", "wide"])
def test_luma_and_tags_stay_and_colours_are_those_of_an_ordinary_picture(
    tags: tuple[int, int, int, int], tmp_path: Path
) -> None:
    source = film_of(tmp_path, tags, 110)
    result = colored(source, tmp_path / "out.mkv")
    (_, before), (_, after) = read_planes(source)[0], read_planes(tmp_path / "out.mkv")[0]
    assert np.array_equal(before[0], after[0])
    with av.open(str(tmp_path / "out.mkv")) as container:
        context = container.streams.video[0].codec_context
        assert (context.color_primaries, context.color_trc, context.colorspace, context.color_range) == tags
    codes, matrix = Codes(10), Matrix.of_tag(9)
    rgb = matrix.rgb(codes.luma(after[0]), np.stack([codes.chroma(plane) for plane in after[1:]], axis=-1))
    lab = reference.xyz2lab((light(rgb, tags[1]) @ XYZ_OF_2020.T * WHITE / XYZ_OF_2020.sum(axis=1))[8:-8, 8:-8])
    hue, chroma = np.degrees(np.arctan2(lab[..., 2], lab[..., 1])), np.hypot(lab[..., 1], lab[..., 2])
    assert np.abs(hue.mean() - np.degrees(np.arctan2(AB[1], AB[0]))) < 4
    assert 0.8 < chroma.mean() / np.hypot(*AB) < 1.1
    assert any("HDR" in note for note in result.notes) == (tags is not WIDE)


@pytest.mark.parametrize("tag", [16, 18])
def test_a_photograph_said_in_hdr_has_the_chroma_that_it_would_have_been_mastered_with(tag: int) -> None:
    picture = data.astronaut()[::4, ::4].astype(np.float32) / 255
    linear = light(picture, 13) @ np.array(TO_BT2020).T
    steps = np.linspace(0, 1, 100_001)  # the transfer the other way round, by looking it up
    mastered = np.interp(linear, light(steps, tag), steps).astype(np.float32)
    matrix, shown = Matrix.of_tag(9), Matrix.of_tag(BT709)
    luma, chroma = matrix.luma(mastered), matrix.chroma(mastered)
    found = Transfer.of(9, tag).chroma(shown.luma(picture), shown.chroma(picture), shown, luma, matrix)
    assert np.abs(found - chroma).max() < 0.004
    assert np.abs(found - chroma).mean() < 0.001 * np.abs(chroma).mean()
    grey = Transfer.of(9, tag).chroma(shown.luma(picture), np.zeros_like(chroma), shown, luma, matrix)
    assert np.abs(grey).max() < 1e-3


def test_an_ordinary_screen_shows_white_as_white_and_keeps_the_order_of_tones() -> None:
    for tag, white in ((16, 0.5807), (18, 0.75)):  # BT.2408: 203 cd/m2
        transfer = Transfer.of(9, tag)
        tones = transfer.look(np.linspace(0, 1, 200, dtype=np.float32))
        assert np.all(np.diff(tones) >= 0)
        assert tones[0] == 0
        assert 0.9 < transfer.look(np.array([white], np.float32))[0] < 0.97
        assert tones[-1] <= 1


def test_what_is_lost_beside_the_frames_is_told(tmp_path: Path) -> None:
    from photochrom.film.containers import describe

    said = "log-level=error:hdr10=1:max-cll=1000,400"
    source = film_of(tmp_path, PQ, 110, codec="libx265", options={"x265-params": said})
    assert "light levels left out" in describe(source).notes


def test_a_film_that_does_not_say_its_matrix_gets_that_of_hdr(tmp_path: Path) -> None:
    source = film_of(tmp_path, (9, 16, 2, 1), 110)
    colored(source, tmp_path / "out.mkv")
    with av.open(str(tmp_path / "out.mkv")) as container:
        assert container.streams.video[0].codec_context.colorspace == 9


def test_a_grey_film_that_says_nothing_gets_the_matrix_that_players_assume(tmp_path: Path) -> None:
    from photochrom.film.containers import describe

    wide = [np.zeros((64, 1280), np.uint8)]
    assert describe(write_film(tmp_path / "hd.mkv", wide, pixels="gray")).matrix == BT709


def test_an_hdr_film_in_colour_is_noticed(tmp_path: Path) -> None:
    lumas = panned(scene(1), 3)
    chroma = [np.stack([128 + (plane > 120) * 12, 128 - (plane > 120) * 12], axis=-1)[::2, ::2] * 4 for plane in lumas]
    source = write_film(tmp_path / "in.mkv", lumas, pixels="yuv420p10le", tags=PQ, chroma=chroma)
    with pytest.raises(photochrom.UnsupportedFilmError, match="in colour already"):
        colored(source, tmp_path / "out.mkv")


def test_what_cannot_be_said_in_colour_is_refused(tmp_path: Path) -> None:
    source = film_of(tmp_path, PQ, 110)
    with (
        pytest.raises(photochrom.OptionError, match="sRGB, and the film is HDR"),
        FilmColorizer(options=FilmOptions(codec="frames"), engine=photochrom.FakeEngine()) as colorizer,
    ):
        colorizer(source, tmp_path / "frames")
    with (
        pytest.raises(photochrom.OptionError, match="--preview: pictures are sRGB"),
        FilmColorizer(options=FilmOptions(), engine=photochrom.FakeEngine()) as colorizer,
    ):
        preview_film(colorizer, source, tmp_path / "out.mkv")
    with pytest.raises(photochrom.UnsupportedFilmError, match="is HDR"):
        measure_film(source, photochrom.FakeEngine())
    linear = film_of(tmp_path, (1, 8, 1, 1), 110)
    with pytest.raises(photochrom.UnsupportedFilmError, match="linear light"):
        colored(linear, tmp_path / "out.mkv")
