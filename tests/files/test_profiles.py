"""Colour profiles: what the pixels become, against formulas and against libvips's own profiles."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import numpy as np
import pytest
import pyvips
from PIL import Image, ImageCms

from photochrom.color import LINEAR_RGB_FROM_XYZ, linear_from_srgb, srgb_from_linear
from photochrom.files.codecs import icc
from photochrom.files.metadata import Metadata
from photochrom.files.photo import Photo
from photochrom.files.reading import open_photo
from photochrom.files.writing import encode_photo, save_photo
from photochrom.options import OutputOptions
from tests.files.makers import pillow_bytes, textured, tiff_bytes

ADOBE = icc.adobe_rgb_profile()
P3 = icc.rgb_profile("Display P3", icc.DISPLAY_P3_PRIMARIES, icc.D65_XY, icc.SRGB_CURVE)
GRAY_22 = icc.gray_profile("Gray Gamma 2.2", (2.2,))
D65 = np.array([0.3127 / 0.3290, 1.0, (1 - 0.3127 - 0.3290) / 0.3290])


def xyz_from_linear(primaries: tuple[tuple[float, float], ...]) -> np.ndarray:
    columns = np.array([[x / y, 1, (1 - x - y) / y] for x, y in primaries]).T
    return columns * np.linalg.solve(columns, D65)


def expected_srgb(encoded: np.ndarray, primaries: tuple[tuple[float, float], ...], gamma: float | None) -> np.ndarray:
    """By the definition of the colour spaces; all are D65, so nothing is adapted."""
    linear = linear_from_srgb(encoded) if gamma is None else encoded**gamma
    return np.clip(srgb_from_linear(linear @ xyz_from_linear(primaries).T @ LINEAR_RGB_FROM_XYZ.T), 0, 1)


def muted(dtype: type) -> np.ndarray:
    """Colours that sRGB holds as well."""
    picture = textured(dtype=dtype) / np.iinfo(dtype).max
    return np.rint((0.45 + 0.15 * picture) * np.iinfo(dtype).max).astype(dtype)


def with_profile(pixels: np.ndarray, profile: bytes) -> bytes:
    if pixels.dtype == np.uint8:
        return pillow_bytes(pixels, "PNG", icc_profile=profile)
    image = pyvips.Image.new_from_array(pixels)
    image.set_type(pyvips.GValue.blob_type, "icc-profile-data", profile)
    return bytes(image.tiffsave_buffer())


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize(
    ("profile", "primaries", "gamma"),
    [(ADOBE, icc.ADOBE_RGB_PRIMARIES, 563 / 256), (P3, icc.DISPLAY_P3_PRIMARIES, None)],
    ids=["Adobe RGB", "Display P3"],
)
def test_wide_spaces_become_srgb(
    dtype: type, profile: bytes, primaries: tuple[tuple[float, float], ...], gamma: float | None
) -> None:
    pixels = muted(dtype)
    photo = open_photo(with_profile(pixels, profile))
    expected = expected_srgb(pixels / np.iinfo(dtype).max, primaries, gamma) * np.iinfo(dtype).max
    worst = np.abs(photo.pixels - expected).max()
    assert worst <= (1 if dtype == np.uint8 else 6), worst
    assert np.abs(photo.pixels.astype(int) - pixels).max() > (1 if dtype == np.uint8 else 257)
    assert "converted from its colour profile to sRGB" in photo.notes


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_gray_gamma_22_becomes_gray_srgb(dtype: type) -> None:
    white = np.iinfo(dtype).max
    pixels = np.linspace(0, white, 256).astype(dtype).reshape(16, 16, 1)
    photo = open_photo(with_profile(pixels, GRAY_22))
    expected = srgb_from_linear((pixels / white) ** 2.2) * white
    assert photo.pixels.shape == (16, 16, 1)
    assert np.abs(photo.pixels - expected).max() <= 0.6


def test_our_p3_agrees_with_the_one_in_libvips() -> None:
    pixels = textured()
    ours = open_photo(with_profile(pixels, P3)).pixels
    theirs = pyvips.Image.new_from_array(pixels, interpretation="srgb").icc_transform(
        "srgb", input_profile="p3", intent="relative", black_point_compensation=True
    )
    assert np.abs(ours.astype(int) - theirs.numpy()).max() <= 2


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_srgb_by_any_name_leaves_pixels_alone(dtype: type) -> None:
    pixels = textured(dtype=dtype)
    little_cms = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for profile in (icc.srgb_profile(), little_cms):
        photo = open_photo(with_profile(pixels, profile))
        assert (photo.pixels == pixels).all()
        assert photo.notes == ()


def test_a_gray_picture_with_an_rgb_profile_stays_gray() -> None:
    pixels = textured(channels=1)
    photo = open_photo(pillow_bytes(pixels, "TIFF", icc_profile=ADOBE))
    assert photo.pixels.shape == pixels.shape
    expected = srgb_from_linear((pixels / 255) ** (563 / 256)) * 255
    assert np.abs(photo.pixels - expected).max() <= 1.5


@pytest.mark.parametrize("profile", [b"no profile", GRAY_22, bytes(500)], ids=["text", "grey", "zeros"])
def test_a_profile_that_does_not_fit_is_told_and_ignored(profile: bytes) -> None:
    pixels = textured()
    photo = open_photo(pillow_bytes(pixels, "JPEG", icc_profile=profile, quality=100, subsampling=0))
    assert np.abs(photo.pixels.astype(int) - pixels).max() <= 4
    assert any("colour profile ignored" in note for note in photo.notes), photo.notes
    assert photo.metadata.icc is None


@pytest.mark.slow
@pytest.mark.parametrize("format", ["jpeg", "png", "tiff", "webp", "avif"])
def test_the_output_says_srgb_where_the_input_named_a_profile(format: str) -> None:
    photo = open_photo(with_profile(muted(np.uint8), ADOBE))
    data = encode_photo(photo, format, options=OutputOptions(quality=100))
    with Image.open(io.BytesIO(data)) as picture:
        assert picture.info["icc_profile"] == icc.srgb_profile()
    again = open_photo(data)
    assert np.abs(again.pixels.astype(int) - photo.pixels).mean() < 2
    plain = encode_photo(open_photo(pillow_bytes(textured(), "PNG")), format)
    with Image.open(io.BytesIO(plain)) as picture:
        assert not picture.info.get("icc_profile")


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("profile", [ADOBE, P3], ids=["Adobe RGB", "Display P3"])
def test_the_original_space_can_be_kept(dtype: type, profile: bytes) -> None:
    pixels = muted(dtype)
    photo = open_photo(with_profile(pixels, profile))
    data = encode_photo(photo, "tiff", options=OutputOptions(profile="original"))
    stored = pyvips.Image.tiffload_buffer(data)
    assert bytes(stored.get("icc-profile-data")) == profile
    assert np.abs(stored.numpy().astype(int) - pixels).max() <= (1 if dtype == np.uint8 else 4)


def test_profiles_that_cannot_hold_colour_give_srgb() -> None:
    photo = Photo(textured(), metadata=Metadata(icc=GRAY_22))
    data = encode_photo(photo, "png", options=OutputOptions(profile="original"))
    with Image.open(io.BytesIO(data)) as picture:
        assert picture.info["icc_profile"] == icc.srgb_profile()


def test_a_format_without_profiles_is_stored_as_srgb(tmp_path: Path) -> None:
    photo = Photo(np.full((8, 8, 3), (200, 60, 40), np.uint8), metadata=Metadata(icc=ADOBE))
    notes = save_photo(photo, tmp_path / "a.bmp", options=OutputOptions(profile="original"))
    assert notes == ("stored as sRGB: BMP holds no profile", "BMP holds no ICC: left out")
    assert open_photo(tmp_path / "a.bmp").pixels[0, 0].tolist() == [200, 60, 40]


def test_a_profile_too_large_for_jpeg_is_stored_as_srgb(tmp_path: Path) -> None:
    large = ADOBE + bytes(17_000_000)
    photo = Photo(np.full((8, 8, 3), (200, 60, 40), np.uint8), metadata=Metadata(icc=large))
    notes = save_photo(photo, tmp_path / "a.jpg", options=OutputOptions(profile="original", quality=100))
    assert notes == ("stored as sRGB: the profile is too large for JPEG",)
    with Image.open(tmp_path / "a.jpg") as picture:
        assert picture.info["icc_profile"] == icc.srgb_profile()
    assert np.abs(open_photo(tmp_path / "a.jpg").pixels[0, 0].astype(int) - [200, 60, 40]).max() <= 2


@pytest.mark.parametrize(
    ("format", "space"),
    [("png", b"GRAY"), ("jpeg", b"GRAY"), ("tiff", b"GRAY"), ("webp", b"RGB "), ("avif", b"RGB ")],
)
@pytest.mark.parametrize("profile", [GRAY_22, ADOBE], ids=["grey", "Adobe RGB"])
def test_a_grey_result_has_the_profile_of_its_channels(format: str, space: bytes, profile: bytes) -> None:
    pixels = textured(channels=1)
    photo = Photo(pixels, metadata=Metadata(icc=profile))
    data = encode_photo(photo, format, options=OutputOptions(quality=100))
    with Image.open(io.BytesIO(data)) as picture:
        assert picture.info["icc_profile"][16:20] == space
        assert len(picture.getbands()) == (1 if space == b"GRAY" else 3)
    again = open_photo(data)
    assert np.abs(again.pixels.astype(int) - pixels).max() <= (0 if format in ("png", "tiff") else 3)
    assert again.notes == ()


def test_a_grey_profile_with_srgbs_curve_leaves_16_bits_alone() -> None:
    pixels = np.arange(65536, dtype=np.uint16).reshape(256, 256, 1)
    photo = open_photo(encode_photo(Photo(pixels, metadata=Metadata(icc=GRAY_22)), "tiff"))
    assert (photo.pixels == pixels).all()


def test_png_gamma_and_chromaticities_count() -> None:
    from photochrom.files.codecs.png import chunk, with_chunks

    pixels = np.linspace(0, 255, 256).astype(np.uint8).reshape(16, 16, 1)
    linear = with_chunks(pillow_bytes(pixels, "PNG"), [chunk(b"gAMA", (100_000).to_bytes(4, "big"))])
    photo = open_photo(linear)
    assert np.abs(photo.pixels - srgb_from_linear(pixels / 255) * 255).max() <= 1
    usual = with_chunks(pillow_bytes(pixels, "PNG"), [chunk(b"gAMA", (45_455).to_bytes(4, "big"))])
    assert (open_photo(usual).pixels == pixels).all()
    p3 = with_chunks(pillow_bytes(muted(np.uint8), "PNG"), [chunk(b"cICP", bytes([12, 13, 0, 1]))])
    assert (open_photo(p3).pixels == open_photo(with_profile(muted(np.uint8), P3)).pixels).all()


@pytest.mark.parametrize("profile", [icc.srgb_profile(), ADOBE, P3, GRAY_22])
def test_profiles_made_here_are_read_by_little_cms(profile: bytes) -> None:
    opened = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    assert ImageCms.getProfileDescription(opened).strip()
    assert len(profile) < 700
    assert int.from_bytes(profile[:4], "big") == len(profile)


@pytest.mark.parametrize(
    "curve",
    [(0, -2.0), (3, 2.4, 0.0, 0.5, 0.1, 0.0), (1, 2.2, 0.0, 0.1), (0, 0.0)],
    ids=["negative power", "flat", "no slope", "constant"],
)
def test_curves_that_lead_nowhere_cost_the_profile_and_not_the_photograph(curve: tuple[float, ...]) -> None:
    kind, *numbers = curve
    coded = b"".join(struct.pack(">i", round(number * 65536)) for number in numbers)
    tag = (b"para" + bytes(4) + struct.pack(">HH", int(kind), 0) + coded).ljust(32, b"\0")
    hostile = bytearray(ADOBE)
    at = hostile.find(b"para")
    hostile[at : at + 32] = tag
    assert open_photo(with_profile(muted(np.uint8), bytes(hostile))).pixels.shape == muted(np.uint8).shape


def test_lab_tiff_becomes_srgb(tmp_path: Path) -> None:
    lab = pyvips.Image.new_from_array(np.full((8, 8, 3), 0.0, np.float32)) + [60, 40, 20]
    path = tmp_path / "lab.tif"
    lab.copy(interpretation="lab").cast("float").tiffsave(str(path))
    photo = open_photo(path)
    assert photo.depth == 16
    red, green, blue = photo.pixels[4, 4] / 65535
    assert red > green > blue


def test_cmyk_with_its_profile_uses_it() -> None:
    cmyk = np.zeros((8, 8, 4), np.uint8)
    cmyk[..., 1:3] = 200
    image = pyvips.Image.new_from_array(cmyk, interpretation="cmyk")
    plain = open_photo(tiff_bytes(cmyk, cmyk=True))
    assert plain.notes == ("CMYK without a usable profile converted by a generic one",)
    assert (plain.pixels[4, 4] == image.icc_transform("srgb", input_profile="cmyk").numpy()[4, 4]).all()


@pytest.mark.parametrize("format", ["JPEG", "TIFF", "WEBP"])
def test_a_profile_that_is_cut_is_told_and_ignored(format: str) -> None:
    photo = open_photo(pillow_bytes(muted(np.uint8), format, icc_profile=P3[:-96]))
    assert photo.notes == ("colour profile ignored (the profile cannot be applied)",)
    assert photo.metadata.icc is None


def in_jpeg2000(pixels: np.ndarray, colors: bytes) -> bytes:
    """Return a JPEG 2000 file whose ``colr`` box holds this."""
    data = pillow_bytes(pixels, "JPEG2000")
    header, box = data.index(b"jp2h") - 4, data.index(b"colr") - 4
    (size,), (old,) = struct.unpack_from(">L", data, header), struct.unpack_from(">L", data, box)
    new = struct.pack(">L", 8 + len(colors)) + b"colr" + colors
    longer = struct.pack(">L", size - old + len(new))
    return data[:header] + longer + data[header + 4 : box] + new + data[box + old :]


def in_bmp(pixels: np.ndarray, profile: bytes) -> bytes:
    """Return a BMP of version 5 with a profile behind its pixels; rows are of whole words."""
    height, width = pixels.shape[:2]
    rows = pixels[::-1, :, ::-1].tobytes()
    sizes = struct.pack("<LllHHLLllLL", 124, width, height, 1, 24, 0, len(rows), 2835, 2835, 0, 0)
    header = sizes + bytes(16) + b"DEBM" + bytes(48) + struct.pack("<LLLL", 4, 124 + len(rows), len(profile), 0)
    start = b"BM" + struct.pack("<LHHL", 138 + len(rows) + len(profile), 0, 0, 138)
    return start + header + rows + profile


@pytest.mark.parametrize("method", [2, 3])
def test_a_profile_in_a_jpeg_2000_counts(method: int) -> None:
    pixels = muted(np.uint8)
    photo = open_photo(in_jpeg2000(pixels, bytes([method, 0, 0]) + P3))
    assert photo.notes == ("converted from its colour profile to sRGB",)
    assert (photo.pixels == open_photo(with_profile(pixels, P3)).pixels).all()
    grey = open_photo(in_jpeg2000(pixels[..., :1], bytes([method, 0, 0]) + GRAY_22))
    assert (grey.pixels == open_photo(with_profile(pixels[..., :1], GRAY_22)).pixels).all()


def test_a_colour_space_of_jpeg_2000_that_nobody_converts_is_told() -> None:
    photo = open_photo(in_jpeg2000(muted(np.uint8), struct.pack(">BBBL", 1, 0, 0, 21)))
    assert photo.notes == ("the colour space inside JPEG 2000 (EnumCS 21) is not read: taken as sRGB",)
    assert open_photo(in_jpeg2000(muted(np.uint8), struct.pack(">BBBL", 1, 0, 0, 16))).notes == ()


def test_a_profile_in_a_bmp_counts() -> None:
    pixels = muted(np.uint8)
    photo = open_photo(in_bmp(pixels, P3))
    assert photo.notes == ("converted from its colour profile to sRGB",)
    assert (photo.pixels == open_photo(with_profile(pixels, P3)).pixels).all()
    assert (open_photo(in_bmp(pixels, P3).replace(b"DEBM", b"BGRs")).pixels == pixels).all()


def test_a_profile_in_a_gif_counts() -> None:
    gif = pillow_bytes(muted(np.uint8), "GIF")
    blocks = b"".join(bytes([len(part)]) + part for part in (P3[k : k + 255] for k in range(0, len(P3), 255)))
    with_it = gif[:-1] + b"\x21\xff\x0bICCRGBG1012" + blocks + b"\0" + gif[-1:]
    photo = open_photo(with_it)
    assert photo.notes == ("converted from its colour profile to sRGB",)
    assert (photo.pixels == open_photo(with_profile(open_photo(gif).pixels, P3)).pixels).all()
    assert "profile" in open_photo(with_it[:-300] + b"\x3b").notes[0]
