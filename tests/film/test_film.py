"""A film goes in and comes out: its luma, times, sound and everything else as they were, its chroma new."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

import photochrom
from photochrom.files.codecs.xmp import read_property
from photochrom.files.provenance import DIGITAL_SOURCE_TYPE
from photochrom.film.matrices import Codes, Matrix
from photochrom.film.options import FilmOptions
from photochrom.film.results import FilmResult
from photochrom.film.session import FilmColorizer
from tests.film.films import panned, read_packets, read_planes, scene, two_shots, write_film

ORANGE = photochrom.FakeEngine((25.0, 40.0))


def colored(source: Path, target: Path, **options: Any) -> FilmResult:
    """Colour a film with a fake engine."""
    with FilmColorizer(options=FilmOptions(**options), engine=ORANGE) as colorizer:
        return colorizer(source, target)


def assert_luma_kept(source: Path, target: Path) -> None:
    before, after = read_planes(source), read_planes(target)
    assert [time for time, _ in before] == [time for time, _ in after]
    for (_, old), (_, new) in zip(before, after, strict=True):
        assert np.array_equal(old[0], new[0])


@pytest.mark.parametrize("pixels", ["yuv420p", "yuv422p", "yuv444p", "yuv420p10le", "yuv422p10le", "yuv444p10le"])
def test_every_luma_sample_comes_through_ffv1_at_any_depth_and_sampling(pixels: str, tmp_path: Path) -> None:
    source = write_film(tmp_path / "in.mkv", two_shots(3), pixels=pixels)
    result = colored(source, tmp_path / "out.mkv", codec="ffv1")
    assert_luma_kept(source, tmp_path / "out.mkv")
    assert result.luma_psnr_db == float("inf")
    assert read_planes(tmp_path / "out.mkv")[0][1][1].std() >= 0
    assert av.open(str(tmp_path / "out.mkv")).streams.video[0].pix_fmt == pixels


@pytest.mark.parametrize("codec", ["x264", "x265"])
def test_lossless_x264_and_x265_keep_every_luma_sample(codec: str, tmp_path: Path) -> None:
    source = write_film(tmp_path / "in.mkv", two_shots(4))
    assert colored(source, tmp_path / "out.mp4", codec=codec, crf=0).luma_psnr_db == float("inf")
    assert_luma_kept(source, tmp_path / "out.mp4")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("codec", "name"), [("x264", "o.mp4"), ("x265", "o.mkv"), ("av1", "o.mp4"), ("prores", "o.mov")]
)
def test_every_codec_writes_a_film_in_colour(codec: str, name: str, tmp_path: Path) -> None:
    source = write_film(tmp_path / "in.mkv", panned(scene(1), 6))
    result = colored(source, tmp_path / name, codec=codec)
    planes = read_planes(tmp_path / name)
    assert result.frames == len(planes) == 6
    assert result.luma_psnr_db is not None
    assert 30 < result.luma_psnr_db < 100
    middle = 128 if planes[0][1][2].dtype == np.uint8 else 512
    assert planes[3][1][2].mean() > middle * 1.05  # orange: Cr above neutral
    assert any("changed a little" in note for note in result.notes)


def test_the_times_of_a_variable_frame_rate_are_exact_and_the_sound_is_copied(tmp_path: Path) -> None:
    times = np.cumsum(np.random.default_rng(3).integers(1500, 9000, 20)).tolist()
    source = write_film(tmp_path / "in.mp4", two_shots(10), times=times, base=Fraction(1, 90000), sound=True)
    colored(source, tmp_path / "out.mp4")
    got = [time for time, _ in read_planes(tmp_path / "out.mp4")]
    assert [time - got[0] for time in got] == [Fraction(t - times[0], 90000) for t in times]
    assert got == [time for time, _ in read_planes(source)]
    assert read_packets(tmp_path / "out.mp4", "audio") == read_packets(source, "audio")


def test_matroska_rounds_times_to_a_millisecond_and_says_so(tmp_path: Path) -> None:
    times = [k * 3003 for k in range(8)]
    source = write_film(tmp_path / "in.mp4", two_shots(4), times=times, base=Fraction(1, 90000), sound=True)
    result = colored(source, tmp_path / "out.mkv")
    got = [float(time) for time, _ in read_planes(tmp_path / "out.mkv")]
    assert got == pytest.approx([t / 90000 for t in times], abs=0.00051)
    assert any("Matroska rounds" in note for note in result.notes)


def test_subtitles_chapters_metadata_rotation_aspect_and_colour_tags_are_kept(tmp_path: Path) -> None:
    chapters = [{"id": 1, "start": 0, "end": 200, "time_base": Fraction(1, 1000), "metadata": {"title": "One"}}]
    source = write_film(
        tmp_path / "in.mkv",
        two_shots(5),
        subtitles=True,
        sound=True,
        aspect=Fraction(16, 15),
        tags=(5, 6, 5, 1),
        metadata={"title": "Grandfather"},
        chapters=chapters,
        codec="libx264",
        rotation=90,
    )
    colored(source, tmp_path / "out.mkv")
    assert read_packets(tmp_path / "out.mkv", "subtitle") == read_packets(source, "subtitle")
    with av.open(str(tmp_path / "out.mkv")) as out:
        stream = out.streams.video[0]
        assert out.metadata["title"] == "Grandfather"
        assert [chapter["metadata"]["title"] for chapter in out.chapters()] == ["One"]
        assert stream.sample_aspect_ratio == Fraction(16, 15)
        frame = next(out.decode(stream))
        assert frame.rotation == 90
        assert (int(frame.color_primaries), int(frame.color_trc), int(frame.colorspace)) == (5, 6, 5)


def test_a_players_rgb_does_not_clip(tmp_path: Path) -> None:
    source = write_film(tmp_path / "in.mkv", panned(np.clip(scene(4) * 1.3 - 30, 16, 235).astype(np.uint8), 2))
    vivid = photochrom.FakeEngine((70.0, 60.0))
    with FilmColorizer(options=FilmOptions(codec="ffv1"), engine=vivid) as colorizer:
        colorizer(source, tmp_path / "out.mkv")
    codes, matrix = Codes(8), Matrix.of_tag(6)
    for _, (luma, cb, cr) in read_planes(tmp_path / "out.mkv"):
        chroma = np.stack([np.repeat(np.repeat(codes.chroma(plane), 2, 0), 2, 1) for plane in (cb, cr)], axis=-1)
        rgb = matrix.rgb(codes.luma(luma), chroma)
        assert np.abs(chroma).max() > 0.1
        assert rgb.min() > -1 / 255
        assert rgb.max() < 1 + 1 / 255


def test_odd_sizes_keep_their_size(tmp_path: Path) -> None:
    source = write_film(tmp_path / "in.mkv", panned(scene(1), 3, width=75, height=51), pixels="yuv444p")
    colored(source, tmp_path / "out.mp4", crf=0)
    assert_luma_kept(source, tmp_path / "out.mp4")
    halved = write_film(tmp_path / "halved.mkv", panned(scene(1), 3, width=75, height=51), pixels="yuv420p")
    result = colored(halved, tmp_path / "halved.mp4", crf=0)
    assert_luma_kept(halved, tmp_path / "halved.mp4")
    assert any("4:4:4" in note for note in result.notes)


def test_a_film_of_one_frame_and_one_a_pixel_wide_are_films(tmp_path: Path) -> None:
    one = write_film(tmp_path / "one.mkv", panned(scene(1), 1))
    assert colored(one, tmp_path / "one.mp4").frames == 1
    thin = write_film(tmp_path / "thin.mkv", panned(scene(1), 3, width=1, height=40), codec="libx264", pixels="yuv444p")
    colored(thin, tmp_path / "thin.mp4", crf=0)
    assert_luma_kept(thin, tmp_path / "thin.mp4")


def test_a_grey_pixel_format_keeps_its_full_range(tmp_path: Path) -> None:
    lumas = panned(np.tile(np.arange(160, dtype=np.uint8), (160, 1)), 3)
    source = write_film(tmp_path / "in.mkv", lumas, pixels="gray")
    colored(source, tmp_path / "out.mkv", codec="ffv1")
    assert_luma_kept(source, tmp_path / "out.mkv")
    assert int(next(av.open(str(tmp_path / "out.mkv")).decode(video=0)).color_range) == 2


def test_interlaced_film_is_deinterlaced_or_kept_field_by_field(tmp_path: Path) -> None:
    from av.codec.context import Flags

    fields = Flags.interlaced_dct | Flags.interlaced_me
    woven = panned(scene(1), 12, width=96, height=64, step=3)
    for k in range(6):  # two moments in each frame
        woven[k] = woven[2 * k].copy()
        woven[k][1::2] = panned(scene(1), 12, step=3)[2 * k + 1][1::2]
    source = write_film(tmp_path / "in.mkv", woven[:6], codec="libx264", options={"crf": "10"}, flags=fields)
    kept = colored(source, tmp_path / "kept.mp4", interlaced="keep", crf=0)
    assert_luma_kept(source, tmp_path / "kept.mp4")
    assert any("both fields kept" in note for note in kept.notes)
    made = colored(source, tmp_path / "made.mp4", crf=0)
    assert made.frames == 6
    assert not np.array_equal(read_planes(source)[2][1][0], read_planes(tmp_path / "made.mp4")[2][1][0])


def test_a_part_of_a_film_keeps_its_sound_in_step(tmp_path: Path) -> None:
    source = write_film(tmp_path / "in.mkv", two_shots(15), sound=True, base=Fraction(1, 1000))
    result = colored(source, tmp_path / "out.mkv", start=0.4, end="0:00.8")
    times = [float(time) for time, _ in read_planes(tmp_path / "out.mkv")]
    assert result.frames == 10
    assert times[0] == 0
    sound = {data: time for time, data in read_packets(source, "audio")}
    for time, data in read_packets(tmp_path / "out.mkv", "audio"):
        assert time + 0.4 == pytest.approx(sound[data], abs=0.001)


def test_frames_go_into_a_folder_and_a_folder_of_pictures_is_a_film(tmp_path: Path) -> None:
    source = write_film(tmp_path / "in.mkv", panned(scene(1), 5))
    colored(source, tmp_path / "frames", codec="frames")
    names = sorted(path.name for path in (tmp_path / "frames").iterdir())
    assert names == [f"{k:06}.png" for k in range(5)]
    with Image.open(tmp_path / "frames" / "000002.png") as picture:
        luma = np.asarray(picture.convert("L"))
    want = np.rint(np.clip(Codes(8).luma(read_planes(source)[2][1][0]), 0, 1) * 255)
    assert np.array_equal(luma, want.astype(np.uint8))
    result = colored(tmp_path / "frames", tmp_path / "again.mkv", codec="ffv1", recolor=True, fps=16)
    again = read_planes(tmp_path / "again.mkv")
    assert np.array_equal(again[2][1][0], luma)
    assert result.frames == 5
    assert float(again[1][0]) == pytest.approx(1 / 16, abs=0.001)


def test_provenance_is_told_in_mp4_mov_and_matroska(tmp_path: Path) -> None:
    source = write_film(tmp_path / "in.mkv", panned(scene(1), 2))
    for name in ("out.mp4", "out.mov"):
        colored(source, tmp_path / name)
        data = (tmp_path / name).read_bytes()
        packet = data[data.index(b"<?xpacket begin") : data.index(b'<?xpacket end="w"?>') + 19]
        assert "compositeWithTrainedAlgorithmicMedia" in read_property(packet, DIGITAL_SOURCE_TYPE)[0]
    colored(source, tmp_path / "out.mkv")
    with av.open(str(tmp_path / "out.mkv")) as out:
        assert "compositeWithTrainedAlgorithmicMedia" in out.metadata["DIGITAL_SOURCE_TYPE"]


def test_a_lossless_master_is_kept_beside_the_result(tmp_path: Path) -> None:
    source = write_film(tmp_path / "in.mkv", two_shots(3))
    result = colored(source, tmp_path / "out.mp4", keep_masters=True)
    assert result.master == tmp_path / "out-master.mkv"
    assert_luma_kept(source, result.master)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.mkv", "out-master.mkv", "out.mp4"]


@pytest.mark.slow
def test_telecine_is_undone_on_request(tmp_path: Path) -> None:
    cinema = panned(scene(1), 40, width=192, height=128, step=2)

    def woven(top: np.ndarray, bottom: np.ndarray) -> np.ndarray:
        both = top.copy()
        both[1::2] = bottom[1::2]
        return both

    television = []
    for k in range(0, 40, 4):
        a, b, c, d = cinema[k : k + 4]
        television += [a, b, woven(b, c), woven(c, d), d]
    source = write_film(tmp_path / "in.mkv", television)
    result = colored(source, tmp_path / "out.mp4", interlaced="telecine", crf=0)
    assert result.frames == 40
    assert not any("ends early" in note for note in result.notes)
    for (_, planes), luma in zip(read_planes(tmp_path / "out.mp4"), cinema, strict=True):
        assert np.array_equal(planes[0], luma)


def test_a_stream_that_says_neither_times_nor_length_is_coloured(tmp_path: Path) -> None:
    packed = write_film(tmp_path / "in.mp4", two_shots(5), codec="libx264")
    with av.open(str(packed)) as source, av.open(str(tmp_path / "raw.h264"), "w", format="h264") as raw:
        stream = source.streams.video[0]
        copy = raw.add_stream_from_template(stream, opaque=True)
        unpacked = av.BitStreamFilterContext("h264_mp4toannexb", stream)
        for packet in source.demux(stream):
            for part in unpacked.filter(packet if packet.size else None):
                part.stream = copy
                raw.mux_one(part)
    result = colored(tmp_path / "raw.h264", tmp_path / "out.mp4")
    assert result.frames == 10
    assert float(read_planes(tmp_path / "out.mp4")[1][0]) == pytest.approx(1 / 25)
