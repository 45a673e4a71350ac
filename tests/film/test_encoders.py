"""One film is one file: x264 gives the same bytes for the same frames each time, whatever the processor offers."""

from __future__ import annotations

from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from photochrom.film.containers import FilmInfo, describe
from photochrom.film.encoding import BELOW_AVX_512, CODECS, SegmentWriter, encoder_settings, output_layout
from photochrom.film.options import Fields, FilmOptions
from photochrom.film.planes import frame_from
from tests.film.films import two_shots, write_film


@pytest.fixture(scope="module")
def lumas() -> list[np.ndarray]:
    return two_shots(16)


@pytest.fixture(scope="module")
def info(lumas: list[np.ndarray], tmp_path_factory: pytest.TempPathFactory) -> FilmInfo:
    return describe(write_film(tmp_path_factory.mktemp("film") / "in.mkv", lumas))


def encoded(path: Path, lumas: list[np.ndarray], info: FilmInfo, *, fields: Fields = "", crf: float = 16) -> Path:
    """Encode frames that bear a pattern of colours, so that every part of the encoder has work."""
    options = FilmOptions(codec="x264", crf=crf)
    layout, _ = output_layout(info, options)
    width, height = layout.chroma_size(info.width, info.height)
    chroma = np.random.default_rng(5).integers(90, 170, (height, width, 2)).astype(layout.codes.dtype)
    writer = SegmentWriter(path, CODECS["x264"], encoder_settings(options), layout, info, fields=fields)
    step = round(1 / (info.rate * info.time_base))
    for number, luma in enumerate(lumas):
        writer.write(frame_from(luma, np.roll(chroma, number, axis=1), layout), number * step, step)
    writer.close()
    return path


def test_the_same_frames_become_the_same_bytes_each_time(
    lumas: list[np.ndarray], info: FilmInfo, tmp_path: Path
) -> None:
    # With AVX-512 four runs over a film gave three or four different ones.
    files = {encoded(tmp_path / f"{number}.mp4", lumas, info).read_bytes() for number in range(8)}
    assert len(files) == 1


@pytest.mark.parametrize("has_avx_512", [True, False])
def test_x264_is_kept_from_avx_512_where_there_is_any(
    has_avx_512: bool, lumas: list[np.ndarray], info: FilmInfo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if has_avx_512 and not cv2.checkHardwareSupport(11):
        pytest.skip("a processor without AVX2 cannot be told to use it")
    monkeypatch.setattr(cv2, "checkHardwareSupport", lambda _: has_avx_512)
    path = tmp_path / "one.mp4"
    layout, _ = output_layout(info, FilmOptions())
    writer = SegmentWriter(path, CODECS["x264"], encoder_settings(FilmOptions()), layout, info, fields="")
    assert (writer.settings.get("x264-params") == BELOW_AVX_512) == has_avx_512
    writer.abandon()


def test_fields_without_loss_stay_so(lumas: list[np.ndarray], info: FilmInfo, tmp_path: Path) -> None:
    path = encoded(tmp_path / "fields.mp4", lumas[:4], info, fields="tff", crf=0)
    with av.open(str(path)) as container:
        frames = [frame.to_ndarray() for frame in container.decode(video=0)]
    assert all(np.array_equal(frame[: info.height], luma) for frame, luma in zip(frames, lumas[:4], strict=True))
