from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import photochrom
from photochrom import Colorizer, FakeEngine, Photo
from photochrom.errors import (
    ModelError,
    ModelNotInstalledError,
    OptionError,
    UnknownModelError,
    UnreadablePhotoError,
    UnsupportedPhotoError,
)


@pytest.fixture
def colorizer() -> Iterator[Colorizer]:
    with Colorizer(engine=FakeEngine()) as session:
        yield session


@pytest.mark.parametrize("shape", [(20, 30), (20, 30, 1), (20, 30, 3)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64])
def test_an_array_gives_an_rgb_array_of_its_dtype(colorizer: Colorizer, shape: tuple[int, ...], dtype: type) -> None:
    half = 0.5 if np.issubdtype(dtype, np.floating) else np.iinfo(dtype).max // 2
    array = np.full(shape, half, dtype=dtype)
    coloured = colorizer(array)
    assert coloured.shape == (20, 30, 3)
    assert coloured.dtype == dtype
    assert (array == half).all()  # the input is not touched
    assert coloured[10, 10, 0] > coloured[10, 10, 2]
    assert coloured[10, 10] @ [0.299, 0.587, 0.114] == pytest.approx(half, abs=1e-5 if half == 0.5 else 0.5)


def test_alpha_comes_back_in_an_array(colorizer: Colorizer) -> None:
    array = np.random.default_rng(0).integers(0, 256, (9, 8, 4), dtype=np.uint8)
    coloured = colorizer(array)
    assert coloured.shape == (9, 8, 4)
    assert np.array_equal(coloured[..., 3], array[..., 3])


@pytest.mark.parametrize("shape", [(5,), (5, 5, 2), (5, 5, 5), (0, 5), (2, 5, 5, 3)])
def test_arrays_that_are_no_pictures_are_refused(colorizer: Colorizer, shape: tuple[int, ...]) -> None:
    with pytest.raises(UnreadablePhotoError, match=r"not a picture\. Give \(H, W\)"):
        colorizer(np.zeros(shape, dtype=np.uint8))


@pytest.mark.parametrize("array", [np.full((4, 4), 1.5), np.full((4, 4), np.nan), np.full((4, 4), -1e-3)])
def test_floats_outside_the_range_are_refused(colorizer: Colorizer, array: np.ndarray) -> None:
    with pytest.raises(UnreadablePhotoError, match=r"leave 0\.\.1"):
        colorizer(array)


@pytest.mark.parametrize("dtype", [np.int32, bool, np.uint32])
def test_dtypes_without_a_range_are_refused(colorizer: Colorizer, dtype: type) -> None:
    with pytest.raises(UnreadablePhotoError, match="no agreed range"):
        colorizer(np.zeros((4, 4), dtype=dtype))


@pytest.mark.parametrize(
    ("mode", "expected"),
    [("L", "RGB"), ("RGB", "RGB"), ("RGBA", "RGBA"), ("LA", "RGBA"), ("1", "RGB"), ("CMYK", "RGB"), ("P", "RGB")],
)
def test_a_pillow_image_gives_a_pillow_image(colorizer: Colorizer, mode: str, expected: str) -> None:
    image = Image.linear_gradient("L").resize((40, 30)).convert(mode)
    coloured = colorizer(image)
    assert isinstance(coloured, Image.Image)
    assert coloured.mode == expected
    assert coloured.size == (40, 30)


def test_a_palette_with_transparency_keeps_it(colorizer: Colorizer) -> None:
    image = Image.new("P", (8, 8), 1)
    image.putpalette([0, 0, 0, 90, 90, 90])
    image.info["transparency"] = 1
    coloured = colorizer(image)
    assert coloured.mode == "RGBA"
    assert coloured.getchannel("A").getextrema() == (0, 0)


def test_a_pillow_image_is_turned_upright_once(colorizer: Colorizer) -> None:
    image = Image.new("L", (40, 20), 80)
    image.getexif()[0x0112] = 6
    assert colorizer(image).size == (20, 40)


@pytest.mark.parametrize("mode", ["I;16", "I", "F"])
def test_deep_pillow_images_are_refused_rather_than_cut(colorizer: Colorizer, mode: str) -> None:
    with pytest.raises(UnsupportedPhotoError, match="8 bit"):
        colorizer(Image.new(mode, (8, 8)))


@pytest.mark.parametrize("kind", [str, Path])
def test_a_path_gives_a_pillow_image(colorizer: Colorizer, make_photo: Callable[..., Path], kind: type) -> None:
    coloured = colorizer(kind(make_photo("a.png")))
    assert isinstance(coloured, Image.Image)
    assert coloured.mode == "RGB"
    assert np.array_equal(np.asarray(coloured.convert("L")), np.asarray(Image.open(make_photo("a.png"))))


@pytest.mark.parametrize("format_", ["png", "jpeg", "tiff", "webp"])
def test_bytes_give_bytes_of_the_same_format(colorizer: Colorizer, grey_ramp: np.ndarray, format_: str) -> None:
    buffer = io.BytesIO()
    Image.fromarray(grey_ramp).save(buffer, format_)
    coloured = colorizer(buffer.getvalue())
    assert isinstance(coloured, bytes)
    image = Image.open(io.BytesIO(coloured))
    assert (image.format or "").lower() == format_
    assert image.mode == "RGB"


def test_sixteen_bits_stay_sixteen_as_a_photo_and_are_refused_as_a_pillow_image(
    colorizer: Colorizer, tmp_path: Path
) -> None:
    deep = np.arange(64 * 64, dtype=np.uint16).reshape(64, 64) * 16
    path = tmp_path / "deep.tif"
    Image.fromarray(deep).save(path)
    assert colorizer(photochrom.open_photo(path)).pixels.dtype == np.uint16
    with pytest.raises(UnsupportedPhotoError, match="16-bit"):
        colorizer(path)


def test_a_photo_gives_a_photo(colorizer: Colorizer) -> None:
    assert isinstance(colorizer(Photo(np.zeros((4, 4, 1), dtype=np.uint8))), Photo)


def test_anything_else_is_refused(colorizer: Colorizer) -> None:
    with pytest.raises(OptionError, match="cannot use a list"):
        colorizer([1, 2, 3])  # type: ignore[call-overload]


def test_colorize_takes_its_options_and_forbids_others(tiny_model: Path, grey_ramp: np.ndarray) -> None:
    vivid = photochrom.colorize(grey_ramp, model=tiny_model, vividness=1.5, chroma_ceiling=None)
    plain = photochrom.colorize(grey_ramp, model=tiny_model, vividness=0)
    assert np.ptp(vivid, axis=-1).mean() > np.ptp(plain, axis=-1).mean()
    with pytest.raises(OptionError, match="vividness"):
        photochrom.colorize(grey_ramp, model=tiny_model, vividness=-1)
    with pytest.raises(TypeError):
        photochrom.colorize(grey_ramp, model=tiny_model, vividnes=1)  # type: ignore[call-overload]


def test_a_wrong_model_is_told_with_the_nearest_name(tmp_path: Path) -> None:
    with pytest.raises(UnknownModelError, match="Did you mean 'photochrom-color'"):
        Colorizer("photochrom-colour")
    with pytest.raises(ModelNotInstalledError, match="no such model file"):
        Colorizer(tmp_path / "none.onnx")


def test_a_session_is_safe_to_share_between_threads(tiny_model: Path) -> None:
    pictures = [np.random.default_rng(i).integers(0, 256, (50 + i, 60), dtype=np.uint8) for i in range(12)]
    with Colorizer(tiny_model) as session:
        expected = [session(picture) for picture in pictures]
        barrier = threading.Barrier(4, timeout=60)

        def work(index: int) -> bool:
            barrier.wait()
            return all(np.array_equal(session(pictures[i]), expected[i]) for i in range(index, 12, 4))

        with ThreadPoolExecutor(4) as pool:
            assert all(pool.map(work, range(4)))


def test_a_closed_session_says_so(tiny_model: Path, grey_ramp: np.ndarray) -> None:
    with Colorizer(tiny_model) as session:
        session(grey_ramp)
    with pytest.raises(ModelError, match="closed"):
        session(grey_ramp)
