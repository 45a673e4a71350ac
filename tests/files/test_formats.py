"""Every format in and out: pixels, depth, alpha, pages, orientation, and what is refused."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

import numpy as np
import pytest
import pyvips
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from PIL import Image

from photochrom.errors import (
    MissingExtraError,
    OptionError,
    OutputError,
    PhotoNotFoundError,
    PhotoTooLargeError,
    UnreadablePhotoError,
    UnsupportedPhotoError,
)
from photochrom.files.codecs import tiff_writer
from photochrom.files.codecs.formats import WRITABLE_FORMATS
from photochrom.files.codecs.samples import to_8_bits, turned_upright
from photochrom.files.photo import Photo
from photochrom.files.reading import open_pages, open_photo
from photochrom.files.writing import encode_photo, save_photo
from photochrom.options import Limits, OutputOptions
from tests.files.makers import DATA, dng_bytes, one_of_each, pillow_bytes, pillow_tiff_pages, textured, tiff_bytes

FILES = one_of_each()
LOSSLESS = ("png", "tiff", "bmp")
DEEP = ("png", "tiff")
CLOSE = {"jpeg": 3, "webp": 6, "avif": 4}
"""Mean absolute difference in code values that a lossy format may make on the textured picture."""


@pytest.mark.parametrize("name", [name for name in FILES if name not in ("deep.png", "deep.tiff", "heic")])
def test_each_format_is_read(name: str) -> None:
    photo = open_photo(FILES[name])
    gray = name in ("gray.jpeg", "gif")
    expected = textured(channels=1 if gray else 3).astype(int)
    assert photo.depth == 8
    assert (photo.height, photo.width) == (48, 64)
    assert np.abs(photo.pixels.astype(int) - expected).mean() < 3
    assert photo.format == {"jp2": "jpeg2000"}.get(name.rpartition(".")[2], name.rpartition(".")[2])


@pytest.mark.parametrize("name", ["deep.png", "deep.tiff"])
def test_sixteen_bits_come_in_exactly(name: str) -> None:
    photo = open_photo(FILES[name])
    assert photo.depth == 16
    assert photo.max_code == 65535
    assert (photo.pixels == textured(dtype=np.uint16)).all()


@pytest.mark.parametrize("source", list(FILES))
@pytest.mark.parametrize("target", WRITABLE_FORMATS)
def test_each_format_is_written_from_each(source: str, target: str) -> None:
    photo = open_photo(FILES[source])
    again = open_photo(encode_photo(photo, target))
    assert again.format == target
    assert again.pixels.shape[:2] == photo.pixels.shape[:2]
    kept = photo.pixels if photo.depth == again.depth else to_8_bits(photo.pixels)
    if target in ("bmp", "jpeg") and photo.alpha is not None:
        return  # laid on white: another test
    difference = np.abs(again.pixels.astype(int) - kept).mean()
    assert difference == 0 if target in LOSSLESS else difference < CLOSE[target]
    assert again.depth == (photo.depth if target in DEEP else 8)


@settings(max_examples=40, deadline=None)
@given(
    npst.arrays(
        np.uint16,
        st.tuples(st.integers(1, 40), st.integers(1, 40), st.sampled_from([1, 3])),
        elements=st.integers(0, 65535),
    ),
    st.sampled_from(DEEP),
    st.booleans(),
)
def test_sixteen_bits_survive_exactly(pixels: np.ndarray, format: str, with_alpha: bool) -> None:
    alpha = np.ascontiguousarray(pixels[..., 0][::-1]) if with_alpha else None
    again = open_photo(encode_photo(Photo(pixels, alpha), format))
    assert again.pixels.dtype == np.uint16
    assert (again.pixels == pixels).all()
    assert (again.alpha == alpha).all() if with_alpha else again.alpha is None


@settings(max_examples=20, deadline=None)
@given(
    npst.arrays(np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 40), st.sampled_from([1, 3]))),
    st.sampled_from(LOSSLESS),
)
def test_eight_bits_survive_exactly(pixels: np.ndarray, format: str) -> None:
    again = open_photo(encode_photo(Photo(pixels), format))
    assert (again.pixels == pixels).all()


@pytest.mark.parametrize("format", ["png", "tiff", "webp", "avif"])
@pytest.mark.parametrize("channels", [1, 3])
def test_alpha_is_kept(format: str, channels: int) -> None:
    alpha = textured(channels=1)[..., 0]
    again = open_photo(
        encode_photo(Photo(textured(channels=channels), alpha), format, options=OutputOptions(quality=100))
    )
    assert again.alpha is not None
    assert np.abs(again.alpha.astype(int) - alpha).max() <= (8 if format == "avif" else 0)


def test_alpha_without_a_place_is_laid_on_white_and_told(tmp_path: Path) -> None:
    photo = Photo(np.zeros((8, 8, 3), np.uint8), np.full((8, 8), 51, np.uint8))
    notes = save_photo(photo, tmp_path / "a.jpg")
    assert notes == ("JPEG holds no transparency: laid on white",)
    assert np.abs(open_photo(tmp_path / "a.jpg").pixels.astype(int) - 204).max() <= 1


def test_a_cut_to_8_bits_is_told(tmp_path: Path) -> None:
    notes = save_photo(Photo(textured(dtype=np.uint16)), tmp_path / "a.jpg")
    assert notes == ("JPEG holds 8 bits per channel: reduced from 16",)


def test_reduction_to_8_bits_rounds_every_code() -> None:
    codes = np.arange(65536, dtype=np.uint16)
    assert (to_8_bits(codes) == np.rint(codes / 257)).all()


@pytest.mark.slow
@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["JPEG", "PNG", "TIFF", "WEBP", "AVIF"])
def test_orientation_is_applied_once(orientation: int, format: str) -> None:
    upright = textured()
    inverse = {5: 5, 6: 8, 7: 7, 8: 6}.get(orientation, orientation)
    stored = turned_upright(upright, inverse)
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = pillow_bytes(stored, format, exif=exif, **({"quality": 100} if format != "TIFF" else {}))
    photo = open_photo(data)
    assert np.abs(photo.pixels.astype(int) - upright).mean() < 3
    for target in ("jpeg", "png", "tiff", "webp", "avif"):
        encoded = encode_photo(photo, target)
        with Image.open(io.BytesIO(encoded)) as picture:
            assert picture.getexif().get(0x0112, 1) == 1
        assert open_photo(encoded).pixels.shape == upright.shape


@pytest.mark.parametrize("orientation", range(1, 9))
def test_turning_agrees_with_pillow(orientation: int) -> None:
    from PIL import ImageOps

    stored = textured()
    picture = Image.fromarray(stored)
    picture.getexif()[0x0112] = orientation
    assert (turned_upright(stored, orientation) == np.asarray(ImageOps.exif_transpose(picture))).all()


def test_bilevel_palette_and_low_depth_are_expanded() -> None:
    gray = textured(channels=1)[..., 0]
    palette = Image.fromarray(textured()).quantize(64)
    buffers = {}
    for name, picture, format in (
        ("bilevel", Image.fromarray(gray > 128), "PNG"),
        ("fax", Image.fromarray(gray > 128), "TIFF"),
        ("palette", palette, "PNG"),
        ("palette tiff", palette, "TIFF"),
        ("palette bmp", palette, "BMP"),
    ):
        buffer = io.BytesIO()
        picture.save(buffer, format, **({"compression": "group4"} if name == "fax" else {}))
        buffers[name] = open_photo(buffer.getvalue())
    for name in ("bilevel", "fax"):
        assert (buffers[name].pixels[..., 0] == 255 * (gray > 128)).all()
    for name in ("palette", "palette tiff", "palette bmp"):
        assert (buffers[name].pixels == np.asarray(palette.convert("RGB"))).all()


def test_palette_transparency_becomes_alpha() -> None:
    picture = Image.fromarray(textured()).quantize(16)
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", transparency=0)
    photo = open_photo(buffer.getvalue())
    assert photo.alpha is not None
    assert ((photo.alpha == 0) == (np.asarray(picture) == 0)).all()


@pytest.mark.parametrize("format", ["JPEG", "TIFF"])
def test_cmyk_becomes_srgb(format: str) -> None:
    cmyk = Image.new("CMYK", (16, 16), (0, 0, 0, 0))
    cmyk.paste((0, 200, 200, 0), (0, 0, 8, 16))
    buffer = io.BytesIO()
    cmyk.save(buffer, format, **({"quality": 100} if format == "JPEG" else {}))
    photo = open_photo(buffer.getvalue())
    assert photo.pixels.shape == (16, 16, 3)
    red, paper = photo.pixels[8, 2].astype(int), photo.pixels[8, 13].astype(int)
    assert red[0] > red[1] + 60
    assert red[0] > red[2] + 60
    assert paper.min() > 235
    assert "CMYK without a usable profile converted by a generic one" in photo.notes


@pytest.mark.parametrize(
    "options",
    [
        {"compression": "none"},
        {"compression": "lzw", "predictor": "horizontal"},
        {"compression": "deflate", "predictor": "horizontal"},
        {"compression": "lzw", "tile": True, "tile_width": 16, "tile_height": 16},
        {"compression": "deflate", "bigtiff": True},
        {"compression": "packbits"},
    ],
)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 3])
def test_tiff_layouts(options: dict[str, object], dtype: type, channels: int) -> None:
    pixels = textured(channels=channels, dtype=dtype)
    photo = open_photo(tiff_bytes(pixels, **options))
    assert photo.pixels.dtype == dtype
    assert (photo.pixels == pixels).all()


@pytest.mark.slow
def test_a_tiff_of_one_large_strip_is_read() -> None:
    """As many programs write them; libtiff's own limit is 50 MB."""
    pixels = np.zeros((5200, 5200, 1), np.uint16)
    pixels[:] = np.arange(5200, dtype=np.uint16)[:, None]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tiff_writer, "STRIP_BYTES", 10**9)
        data = encode_photo(Photo(pixels), "tiff")
    assert np.array_equal(open_photo(data).pixels, pixels)


def test_every_page_of_a_tiff_comes_and_goes(tmp_path: Path) -> None:
    pages = [textured(48, 64), textured(20, 90, channels=1)[..., 0], textured(30, 30)]
    read = list(open_pages(pillow_tiff_pages(pages)))
    assert [photo.pixels.shape for photo in read] == [(48, 64, 3), (20, 90, 1), (30, 30, 3)]
    assert read[1].notes == ("page 2 of 3",)
    path = tmp_path / "pages.tif"
    assert save_photo(read, path) == ()
    again = list(open_pages(path))
    assert all((a.pixels == b.pixels).all() for a, b in zip(read, again, strict=True))
    with Image.open(path) as picture:  # an independent reader agrees
        assert picture.n_frames == 3
        for index, page in enumerate(pages):
            picture.seek(index)
            assert (np.asarray(picture) == page).all()
    assert save_photo(read, tmp_path / "first.jpg") == ("JPEG holds one page: the first of 3 written",)


def test_sixteen_bit_pages_survive(tmp_path: Path) -> None:
    pages = [Photo(textured(dtype=np.uint16)), Photo(textured(10, 10, dtype=np.uint16))]
    save_photo(pages, tmp_path / "deep.tif")
    again = list(open_pages(tmp_path / "deep.tif"))
    assert all((a.pixels == b.pixels).all() for a, b in zip(pages, again, strict=True))


def test_a_tiff_page_that_is_not_there_is_one_line() -> None:
    with pytest.raises(UnreadablePhotoError, match="there is no page 3: it has 2"):
        open_photo(FILES["pages.tiff"], page=2)


def test_an_animated_gif_gives_its_first_frame_and_says_so() -> None:
    frames = [Image.fromarray(textured(channels=1)[..., 0]), Image.new("L", (64, 48), 9), Image.new("L", (64, 48), 99)]
    buffer = io.BytesIO()
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:])
    photo = open_photo(buffer.getvalue())
    assert photo.notes == ("first frame of 3 taken",)
    assert np.abs(photo.pixels[..., 0].astype(int) - np.asarray(frames[0])).mean() < 3


@pytest.mark.parametrize("channels", [1, 3])
def test_floats_from_0_to_1_become_16_bits(channels: int) -> None:
    pixels = textured(channels=channels, dtype=np.uint16)
    photo = open_photo(tiff_bytes((pixels / 65535).astype(np.float32)))
    assert photo.depth == 16
    assert (photo.pixels == pixels).all()
    assert "floating-point" in photo.notes[0]


@pytest.mark.parametrize("wrong", [-0.5, 1.5, 200.0, float("nan"), float("inf")])
def test_other_floats_are_refused(wrong: float) -> None:
    pixels = np.full((8, 8, 3), 0.5, np.float32)
    pixels[3, 4, 1] = wrong
    with pytest.raises(UnsupportedPhotoError, match=r"outside 0\.\.1.*16-bit TIFF"):
        open_photo(tiff_bytes(pixels))


@pytest.mark.parametrize("kind", [np.int16, np.uint32, np.int32, np.float64])
def test_other_samples_are_refused(kind: type) -> None:
    with pytest.raises(UnsupportedPhotoError, match="8 or 16 bits"):
        open_photo(tiff_bytes(np.ones((8, 8, 1), kind)))


@pytest.mark.parametrize("bits", [10, 12])
def test_deep_avif_keeps_its_depth_and_its_white(bits: int) -> None:
    white = np.full((32, 32, 3), 65535, np.uint16)
    image = pyvips.Image.new_from_array(white, interpretation="rgb16")
    photo = open_photo(bytes(image.heifsave_buffer(compression="av1", bitdepth=bits, lossless=True)))
    assert photo.depth == 16
    assert photo.pixels.min() == 65535


def test_gray_jpeg2000_keeps_16_bits_and_colour_is_refused_rather_than_cut() -> None:
    deep = textured(channels=1, dtype=np.uint16)[..., 0]
    assert (open_photo(pillow_bytes(deep, "JPEG2000")).pixels[..., 0] == deep).all()
    data = bytearray(FILES["jp2"])
    siz = data.find(b"\xff\x4f\xff\x51")
    for component in range(3):
        data[siz + 42 + 3 * component] = 15
    with pytest.raises(UnsupportedPhotoError, match="16 bits per channel, which would be cut to 8"):
        open_photo(bytes(data))


def test_heic_is_turned_by_its_container_and_keeps_ten_bits() -> None:
    photo = open_photo(DATA / "turned.heic")
    assert photo.pixels.shape == (64, 48, 3)
    assert photo.metadata.exif is not None
    assert np.abs(photo.pixels.astype(int) - np.rot90(heic_original(), 3)).mean() < 5
    deep = open_photo(DATA / "ten-bit.heic")
    assert deep.depth == 16
    assert np.abs(deep.pixels / 257 - heic_original()).mean() < 5


def heic_original() -> np.ndarray:
    rows, columns = np.mgrid[:48, :64]
    return np.stack([columns * 4, rows * 5, np.full_like(rows, 128)], -1)


@pytest.mark.parametrize(
    ("module", "data", "command"),
    [
        ("pi_heif", FILES["heic"], r"pip install 'photochrom\[heic\]'"),
        ("rawpy", None, r"pip install 'photochrom\[raw\]'"),
    ],
)
def test_a_missing_extra_is_one_line_with_its_command(
    module: str, data: bytes | None, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    path = tmp_path / "photo.dng"
    path.write_bytes(data or dng_bytes())
    with pytest.raises(MissingExtraError, match=command):
        open_photo(path)


def test_camera_raw_is_developed(tmp_path: Path) -> None:
    pytest.importorskip("rawpy")
    path = tmp_path / "photo.dng"
    path.write_bytes(dng_bytes())
    photo = open_photo(path)
    assert photo.pixels.shape == (64, 96, 3)
    assert photo.depth == 16
    assert (np.diff(photo.pixels[32, 8:-8:8, 1].astype(int)) > 0).all()
    assert photo.metadata.exif is not None
    assert b"photochrom" in photo.metadata.exif


def test_the_name_of_a_file_does_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "really-a-png.jpg"
    path.write_bytes(FILES["deep.png"])
    assert open_photo(path).format == "png"
    assert open_photo(path).depth == 16


@pytest.mark.parametrize("name", list(FILES))
def test_paths_and_bytes_give_the_same(name: str, tmp_path: Path) -> None:
    path = tmp_path / "a photo, naïve ünïcode"
    path.write_bytes(FILES[name])
    assert (open_photo(path).pixels == open_photo(FILES[name]).pixels).all()


@pytest.mark.parametrize("format", WRITABLE_FORMATS)
def test_the_same_photo_gives_the_same_bytes(format: str) -> None:
    photo = open_photo(FILES["jpeg"])
    assert encode_photo(photo, format) == encode_photo(photo, format)


def test_limits_hold_before_pixels_are_decoded_and_can_be_raised() -> None:
    for name, data in FILES.items():
        with pytest.raises(PhotoTooLargeError, match=r"--max-pixels"):
            open_photo(data, limits=Limits(max_pixels=3071))
        with pytest.raises(PhotoTooLargeError, match=r"--max-memory-bytes"):
            open_photo(data, limits=Limits(max_memory_bytes=3000))
        assert open_photo(data, limits=Limits(max_pixels=3072)).width in (64, 48), name
    with pytest.raises(PhotoTooLargeError, match="max_file_bytes"):
        open_photo(FILES["png"], limits=Limits(max_file_bytes=10))


@pytest.mark.posix
def test_what_is_no_file_is_refused_without_waiting(tmp_path: Path) -> None:
    fifo = tmp_path / "pipe.jpg"
    os.mkfifo(fifo)
    for path in (fifo, Path("/dev/zero"), Path("/dev/null")):
        with pytest.raises(UnreadablePhotoError, match="pipe, device or socket"):
            open_photo(path)
    with pytest.raises(UnreadablePhotoError, match="folder"):
        open_photo(tmp_path)
    with pytest.raises(PhotoNotFoundError, match="no such file"):
        open_photo(tmp_path / "nothing.jpg")
    with pytest.raises(UnreadablePhotoError, match="cannot be read"):
        open_photo("nul\0byte.jpg")


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "secret.jpg"
    path.write_bytes(FILES["jpeg"])
    path.chmod(0)
    with pytest.raises(UnreadablePhotoError, match="Permission denied"):
        open_photo(path)


def test_unwritable_outputs_are_one_line(tmp_path: Path) -> None:
    photo = Photo(textured())
    with pytest.raises(OutputError, match="Create the folder first"):
        save_photo(photo, tmp_path / "missing" / "a.png")
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(OutputError, match="cannot be written"):
        save_photo(photo, tmp_path / "folder.png")
    with pytest.raises(OutputError, match="shorter name"):
        save_photo(photo, tmp_path / ("x" * 300 + ".png"))
    with pytest.raises(OptionError, match="cannot write files of type"):
        save_photo(photo, tmp_path / "a.gif")
    with pytest.raises(OptionError, match="no suffix"):
        save_photo(photo, tmp_path / "a")
    with pytest.raises(UnsupportedPhotoError, match="at most 16383 pixels"):
        encode_photo(Photo(np.zeros((1, 20000, 1), np.uint8)), "webp")
    assert [path.name for path in tmp_path.iterdir()] == ["folder.png"]


@pytest.mark.posix
def test_a_link_is_replaced_and_what_it_points_to_stays(tmp_path: Path) -> None:
    real = tmp_path / "elsewhere" / "real.png"
    real.parent.mkdir()
    real.write_bytes(b"somebody's original")
    (tmp_path / "link.png").symlink_to(real)
    save_photo(Photo(textured()), tmp_path / "link.png")
    assert not (tmp_path / "link.png").is_symlink()
    assert open_photo(tmp_path / "link.png").width == 64
    assert real.read_bytes() == b"somebody's original"
