"""What channels mean: the picture's own, transparency, infrared, selections; and colours that are not RGB."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
import pyvips
import tifffile
from PIL import Image

from photochrom.errors import UnsupportedPhotoError
from photochrom.files.codecs.channels import is_called_infrared, looks_infrared, names_in_resources
from photochrom.files.reading import open_photo
from tests.files.makers import pillow_bytes, textured


def tiff_of(pixels: np.ndarray, photometric: str, extra: list[str] | None = None, **options: object) -> bytes:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, pixels, photometric=photometric, extrasamples=extra, **options)
    return buffer.getvalue()


def selection(height: int = 48, width: int = 64) -> np.ndarray:
    picked = np.zeros((height, width), np.uint8)
    picked[10:30, 20:50] = 255
    return picked


def infrared(height: int = 48, width: int = 64, dtype: type = np.uint8) -> np.ndarray:
    """What a film scanner's infrared channel shows: one tone, and dust and a scratch as shadows."""
    white = np.iinfo(dtype).max
    plane = np.random.default_rng(2).normal(0.75, 0.01, (height, width))
    plane[5:8, 12:15] = plane[30:33, 40:42] = plane[:, 50] = 0.2
    return (plane * white).astype(dtype)


def test_grey_with_saved_selections_stays_grey() -> None:
    gray = textured(channels=1)
    for count in (1, 2, 3):
        planes = np.dstack([gray, *[selection()] * count])
        photo = open_photo(tiff_of(planes, "minisblack", ["unspecified"] * count))
        assert (photo.pixels == gray).all()
        assert photo.alpha is None
        assert photo.infrared is None
        assert any(f"{count} further channel" in note for note in photo.notes)


@pytest.mark.parametrize("kind", ["unassalpha", "assocalpha"])
def test_alpha_that_is_said_to_be_alpha_is_kept(kind: str) -> None:
    rgb, alpha = textured(), np.full((48, 64), 128, np.uint8)
    stored = rgb if kind == "unassalpha" else (rgb.astype(float) * 128 / 255).round().astype(np.uint8)
    photo = open_photo(tiff_of(np.dstack([stored, alpha]), "rgb", [kind]))
    assert photo.alpha is not None
    assert (photo.alpha == 128).all()
    assert np.abs(photo.pixels.astype(int) - rgb).max() <= 2


def test_transparency_that_hides_everything_is_no_transparency() -> None:
    rgb = textured()
    nothing = np.zeros((48, 64), np.uint8)
    bitmap = pillow_bytes(np.dstack([rgb, nothing]), "BMP")
    png = pillow_bytes(np.dstack([rgb, nothing]), "PNG")
    for data in (bmp_with_alpha_masks(bitmap), png):
        photo = open_photo(data)
        assert photo.alpha is None
        assert (photo.pixels == rgb).all()
        assert any("transparency left out" in note for note in photo.notes)


def bmp_with_alpha_masks(data: bytes) -> bytes:
    """A BMP of 32 bits whose header (version 4) says which byte is alpha."""
    width, height, pixels_at = *struct.unpack_from("<ii", data, 18), int.from_bytes(data[10:14], "little")
    samples = data[pixels_at:]
    masks = (0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    header = struct.pack("<IiiHHIIiiII", 108, width, height, 1, 32, 3, len(samples), 2835, 2835, 0, 0)
    header += struct.pack("<4I", *masks) + b"BGRs" + bytes(48)
    at = 14 + len(header)
    return b"BM" + struct.pack("<IHHI", at + len(samples), 0, 0, at) + header + samples


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_infrared_is_known_by_its_looks_and_kept_apart(dtype: type) -> None:
    rgb, heat = textured(dtype=dtype), infrared(dtype=dtype)
    photo = open_photo(tiff_of(np.dstack([rgb, heat]), "rgb", ["unspecified"]))
    assert photo.alpha is None
    assert photo.infrared is not None
    assert (photo.infrared == heat).all()
    assert (photo.pixels == rgb).all()
    assert "infrared channel kept apart (it looks like one)" in photo.notes


def test_infrared_is_known_by_its_name() -> None:
    rgb, flat = textured(), np.full((48, 64), 200, np.uint8)
    resource = b"8BIM" + struct.pack(">HHI", 1006, 0, 9) + b"\x08Infrared" + b"\x00"
    data = tiff_of(
        np.dstack([rgb, flat]), "rgb", ["unspecified"], extratags=[(34377, 7, len(resource), resource, True)]
    )
    assert names_in_resources(resource) == ["Infrared"]
    photo = open_photo(data)
    assert photo.infrared is not None
    assert "infrared channel kept apart" in photo.notes
    assert is_called_infrared("VueScan 64 bit RGBI")
    assert not is_called_infrared("Birds in the air; ireland")


def test_infrared_is_turned_with_the_picture() -> None:
    planes = np.dstack([textured(), infrared()])
    photo = open_photo(tiff_of(planes, "rgb", ["unspecified"], extratags=[(274, 3, 1, 6, True)]))
    assert photo.infrared is not None
    assert (photo.infrared == np.rot90(infrared(), 3)).all()


def test_what_is_no_infrared_is_not_taken_for_it() -> None:
    rgb = textured()
    silver = (rgb.mean(axis=2) * 0.4 + 120).astype(np.uint8)  # silver blocks infrared: the picture again
    feathered = textured(channels=1)[..., 0]
    for plane in (selection(), 255 - selection(), silver, feathered, np.full((48, 64), 180, np.uint8)):
        assert not looks_infrared(rgb, plane)
    assert looks_infrared(rgb, infrared())


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("kind", ["cielab", "icclab"])
def test_lab_means_the_same_in_each_encoding(kind: str, dtype: type) -> None:
    lab = np.zeros((8, 8, 3))
    lab[:] = [60, 40, -30]
    scale = 1 if dtype == np.uint8 else 256
    if kind == "cielab":
        lightness = lab[..., :1] * (np.iinfo(dtype).max / 100)
        stored = np.concatenate([lightness, (lab[..., 1:] * scale) % (256 * scale)], axis=2)
    else:
        lightness = lab[..., :1] * ((255 if scale == 1 else 65280) / 100)
        stored = np.concatenate([lightness, (lab[..., 1:] + 128) * scale], axis=2)
    photo = open_photo(tiff_of(stored.round().astype(dtype), kind))
    image = pyvips.Image.new_from_array(lab.astype(np.float32), interpretation="lab")
    expected = image.colourspace("rgb16").numpy()[4, 4]
    assert photo.depth == 16
    assert np.abs(photo.pixels[4, 4].astype(int) - expected).max() < 700
    assert "Lab converted to sRGB" in photo.notes


def test_pictures_that_are_none_are_refused_by_name() -> None:
    with pytest.raises(UnsupportedPhotoError, match="camera's mosaic"):
        open_photo(tiff_of(textured(channels=1)[..., 0], "cfa"))
    inks = tiff_of(np.dstack([textured(), textured(channels=1)]), "separated", extratags=[(332, 3, 1, 2, True)])
    with pytest.raises(UnsupportedPhotoError, match="inks other than CMYK"):
        open_photo(inks)


def test_further_channels_leave_a_jpeg_result_alone() -> None:
    from photochrom.files.writing import encode_photo

    rgb = textured()
    photo = open_photo(tiff_of(np.dstack([rgb, infrared()]), "rgb", ["unspecified"]))
    with Image.open(io.BytesIO(encode_photo(photo, "jpeg"))) as picture:
        assert np.abs(np.asarray(picture).astype(int) - rgb).mean() < 3
