"""The page's arithmetic in JavaScript is that of Python, step by step, in a real browser."""

from __future__ import annotations

import hashlib
import io
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image

from photochrom.border import inside_plane
from photochrom.color import chroma_from_ab, colorfulness, lab_from_srgb, merge_luma_chroma
from photochrom.coloring.grading import grade, split_vividness
from photochrom.coloring.pipeline import merge_chroma
from photochrom.coloring.prediction import be_cautious
from photochrom.engines.base import ModelSpec
from photochrom.engines.hub import find_model
from photochrom.engines.onnx import OnnxEngine
from photochrom.hints.correction import correct_alike
from photochrom.hints.drawing import draw
from photochrom.hints.hint import Hint
from photochrom.hints.spreading import obey
from photochrom.hints.wishes import find_wishes, keep_to_things
from photochrom.luma import is_blank, normalize_tone, shrink_luma
from photochrom.options import DEFAULT_MODEL, ColorizeOptions
from photochrom.resample import pad_to_multiple, render_size
from photochrom.restoration.toning import classify
from photochrom.screen import has_screen, smooth_screen
from photochrom.webpage.packing import pack
from tests.browsers import settled
from tests.printing import printed

Call = Callable[..., Any]
RNG = np.random.default_rng(7)


def picture(height: int, width: int) -> np.ndarray:
    """(height, width) uint8 with slopes, edges and noise."""
    rows, columns = np.mgrid[:height, :width]
    smooth = 90 + 60 * np.sin(rows / 17) + 50 * np.cos(columns / 23) + 40 * ((rows // 29 + columns // 31) % 2)
    return np.clip(smooth + RNG.normal(0, 6, (height, width)), 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def spec() -> ModelSpec:
    file = find_model(DEFAULT_MODEL)
    engine = OnnxEngine(file.path)
    engine.close()
    return engine.spec


def test_hints_are_drawn_and_obeyed(call: Call) -> None:
    height, width = 60, 83
    luma = (picture(height, width) / 255).astype(np.float32)
    places = [*RNG.random((20, 2)).tolist(), [0, 0], [1, 1], [0.999, 0.3], [0.5, 0.002], [0.01, 0.994]]
    hints = [{"point": place, "color": f"#{10 * k:02x}40{250 - 9 * k:02x}"} for k, place in enumerate(places)]
    drawn = draw([Hint(**hint) for hint in hints], luma)
    planes = np.reshape(call("hints.js", "drawHints", hints, luma, width, height), (3, height, width))
    np.testing.assert_array_equal(planes[2], drawn.weight)
    np.testing.assert_allclose(planes, drawn.planes, atol=1e-3)
    ab = RNG.normal(0, 20, (2, height, width)).astype(np.float32)
    found = call("hints.js", "obey", ab, luma, drawn.planes, width, height)
    np.testing.assert_allclose(np.reshape(found, ab.shape), obey(ab, luma, drawn), atol=1e-3)
    found = call("correction.js", "correctAlike", ab, luma, drawn.planes, width, height)
    right = correct_alike(ab, luma, drawn, drawn.number >= 0)
    assert np.abs(right - ab).max() > 1
    np.testing.assert_allclose(np.reshape(found, ab.shape), right, atol=1e-3)


def test_wishes_are_found_and_kept_to_their_things(call: Call) -> None:
    height, width = 60, 83
    luma = (picture(height, width) / 255).astype(np.float32)
    hints = [
        {"point": place, "color": f"#{10 * k:02x}60{250 - 9 * k:02x}"}
        for k, place in enumerate(RNG.random((26, 2)).tolist())
    ]
    for some in (hints[:3], hints):
        drawn = draw([Hint(**hint) for hint in some], luma)
        bins = RNG.uniform(-80, 80, (40, 2)).astype(np.float32)
        ab, logits = (
            RNG.normal(0, spread, (count, height, width)).astype(np.float32) for spread, count in ((20, 2), (2, 40))
        )
        wishes = find_wishes(ab, logits, bins, drawn)
        assert len(wishes) > 1
        said, cells = {"ab": ab, "logits": logits}, call("hints.js", "drawn", some, luma, width, height)
        found = {
            int(number): share for number, share in call("hearing.js", "findWishes", said, bins.tolist(), cells).items()
        }
        assert found == pytest.approx(wishes, abs=1e-4)
        told = ab + RNG.normal(10, 20, ab.shape).astype(np.float32)
        shown = call("hearing.js", "keepToThings", told, ab, luma, cells, {str(n): w for n, w in wishes.items()})
        right = ab + keep_to_things(told, ab, luma, drawn, wishes) * (told - ab)
        np.testing.assert_allclose(np.reshape(shown, ab.shape), right, atol=1e-2)


def test_what_is_packed_is_unpacked_or_refused(call: Call) -> None:
    content = RNG.integers(0, 200, 5001, dtype=np.uint8).tobytes()
    for planes in (1, 2, 3):
        packed = pack(content, planes)
        assert bytes(call("unpacking.js", "unpack", packed, planes, len(content))) == content
        assert call("unpacking.js", "unpack", packed, planes, len(content) - 1) is None
        assert call("unpacking.js", "unpack", packed[:-9], planes, len(content)) is None


def test_sizes_of_the_nets_copy(call: Call) -> None:
    sizes = [(1, 1), (3, 4000), (224, 224), (4000, 3000), *RNG.integers(1, 5000, (40, 2)).tolist()]
    found = [call("resample.js", "renderSize", width, height, 224, 32, 4) for width, height in sizes]
    assert found == [list(render_size(width, height, 224, multiple=32, stride=4)) for width, height in sizes]


@pytest.mark.parametrize(("height", "width"), [(1, 1), (5, 2), (300, 41), (257, 311), (700, 1000)])
def test_small_copies(call: Call, height: int, width: int) -> None:
    codes = picture(height, width)
    columns, rows = render_size(width, height, 64, multiple=32, stride=4)
    ours = shrink_luma(codes[..., None], columns, rows, 4)
    found = call("luma.js", "shrinkLuma", codes, width, height, columns, rows, 4)
    np.testing.assert_allclose(found["net"], ours.net.ravel(), atol=2e-6)
    np.testing.assert_allclose(found["cell"], ours.cell.ravel(), atol=2e-6)


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (0.4, 0.7), (0.0, 0.1), (0.5, 0.51)])
def test_tones_for_the_net(call: Call, low: float, high: float) -> None:
    plane = RNG.uniform(low, high, (30, 40)).astype(np.float32) ** 2
    ours, _ = normalize_tone(plane)
    np.testing.assert_allclose(call("luma.js", "normalizeTone", plane, 40, 30), ours.ravel(), atol=1e-5)
    assert call("luma.js", "isBlank", plane) == is_blank(plane)


@pytest.mark.parametrize("tone", [0.02, 0.95])
@pytest.mark.parametrize(
    "sides", [(0, 0, 0, 0), (9, 9, 9, 9), (7, 30, 11, 8), (20, 20, 0, 0), (0, 0, 14, 9), (40, 0, 0, 0), (0, 60, 0, 40)]
)
def test_tones_within_a_border(call: Call, sides: tuple[int, int, int, int], tone: float) -> None:
    top, bottom, left, right = sides
    faded = (0.4 + 0.3 * picture(150, 200) / 255).astype(np.float32)
    plane = np.pad(faded, ((top, bottom), (left, right)), constant_values=tone)
    height, width = plane.shape
    within = call("border.js", "insidePlane", plane, width, height)
    np.testing.assert_allclose(within, inside_plane(plane).ravel(), atol=1e-6)
    ours, _ = normalize_tone(plane)
    np.testing.assert_allclose(call("luma.js", "normalizeTone", plane, width, height), ours.ravel(), atol=1e-5)


@pytest.mark.parametrize("share", [0.0, 0.02, 0.5, 1.0])
@pytest.mark.parametrize("size", [(100, 200), (128, 160), (160, 224)])
def test_dots_of_printed_pictures(call: Call, size: tuple[int, int], share: float) -> None:
    plane = printed(picture(*size) / 255, share)
    shows = share > 0.1 and min(size) >= 128
    assert call("screen.js", "hasScreen", plane, size[1], size[0]) == has_screen(plane) == shows
    found = call("screen.js", "smoothScreen", plane, size[1], size[0])
    np.testing.assert_allclose(found, smooth_screen(plane)[0].ravel(), atol=1e-6)


@pytest.mark.parametrize(("height", "width"), [(1, 3), (5, 7), (32, 64), (40, 33)])
def test_mirrored_borders(call: Call, height: int, width: int) -> None:
    plane = RNG.uniform(0, 1, (height, width)).astype(np.float32)
    found = call("resample.js", "padToMultiple", plane, width, height, 32)
    expected = pad_to_multiple(plane, 32)
    assert (found["height"], found["width"]) == expected.shape
    assert found["plane"] == expected.ravel().tolist()


def test_colours_of_equal_luma(call: Call) -> None:
    luma = np.concatenate([[0, 1, 0.5], RNG.uniform(0, 1, 500)]).astype(np.float32)
    ab = RNG.uniform(-110, 110, (2, luma.size)).astype(np.float32)
    found = call("color.js", "chromaFromAb", luma, ab)
    expected = chroma_from_ab(luma.astype(np.float64), ab.T.astype(np.float64))
    np.testing.assert_allclose(np.stack([found["cb"], found["cr"]], -1), expected, atol=1e-7)
    rgb = merge_luma_chroma(luma.astype(np.float64), expected)
    shown = call("color.js", "colorfulness", luma, expected[:, 0], expected[:, 1])
    assert shown == pytest.approx(colorfulness(rgb[None]), rel=1e-5)
    np.testing.assert_allclose(call("color.js", "labFromSrgb", *rgb[7].tolist()), lab_from_srgb(rgb[7]), atol=1e-9)


LOOKS = [(1.0, 0.0), (0.4, 0.0), (1.7, 0.0), (1.0, 25.0), (1.0, -60.0), (3.0, 0.0), (0.0, 0.0)]


@pytest.mark.parametrize(("vividness", "warmth"), LOOKS)
def test_vividness_warmth_and_ceiling(call: Call, spec: ModelSpec, vividness: float, warmth: float) -> None:
    grid, classes = (6, 8), len(spec.bins_ab)
    logits = RNG.normal(0, 3, (classes, *grid)).astype(np.float32)
    cell = RNG.uniform(0, 1, grid).astype(np.float32)
    facts = spec.model_dump(mode="json")
    caution, gain = split_vividness(vividness, rebalanced=True)
    assert call("grading.js", "splitVividness", vividness, facts) == pytest.approx([caution, gain])
    ab = be_cautious({"logits": logits}, spec, caution)["ab"]
    np.testing.assert_allclose(
        call("grading.js", "beCautious", logits, 48, facts, caution)["ab"], ab.ravel(), atol=1e-3
    )
    graded, _ = grade(ab, cell, ColorizeOptions(vividness=vividness, warmth=warmth), spec, gain)
    found = call("grading.js", "grade", ab, cell, facts, {"vividness": vividness, "warmth": warmth}, gain)
    np.testing.assert_allclose(found, graded.ravel(), atol=2e-3)


@pytest.mark.parametrize(("height", "width", "grid"), [(90, 120, (12, 16)), (31, 200, (1, 9)), (64, 2, (16, 1))])
def test_colours_under_the_full_size_luma(call: Call, height: int, width: int, grid: tuple[int, int]) -> None:
    codes = picture(height, width)
    ab = RNG.uniform(-90, 90, (2, *grid)).astype(np.float32)
    cell = shrink_luma(codes[..., None], grid[1], grid[0], 1).net
    photo = {"width": width, "height": height, "codes": codes, "alpha": None}
    colors = {"ab": ab, "cellLuma": cell, "columns": grid[1], "rows": grid[0]}
    found = call("coloring.js", "paint", photo, colors)
    rgba = np.array(found, dtype=np.uint8).reshape(height, width, 4)
    expected = merge_chroma(codes[..., None], ab, cell, 1)
    assert (np.asarray(Image.fromarray(rgba[..., :3]).convert("L")) == codes).all()
    assert np.abs(rgba[..., [0, 2]].astype(int) - expected[..., [0, 2]]).max() <= 1


def test_every_luma_stays_exact_whatever_the_chroma(tab: Any) -> None:
    wrong = settled(
        tab,
        """async () => {
      const { writePixel } = await import(new URL("merging.js", location.href));
      const { lumaCode } = await import(new URL("luma.js", location.href));
      const out = new Uint8Array(3);
      let wrong = 0;
      for (let code = 0; code < 256; code++) {
        for (let cb = -0.5; cb <= 0.5; cb += 1 / 37) for (let cr = -0.5; cr <= 0.5; cr += 1 / 41) {
          writePixel(out, 0, code, cb, cr);
          if (lumaCode(...out) !== code) wrong++;
        }
      }
      return wrong;
    }""",
    )
    assert wrong == 0


def test_the_integer_rule_is_pillows(call: Call) -> None:
    rgb = RNG.integers(0, 256, (1, 60, 3), dtype=np.uint8)
    found = [call("luma.js", "lumaCode", *pixel) for pixel in rgb[0].tolist()]
    assert found == np.asarray(Image.fromarray(rgb).convert("L"))[0].tolist()


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize(("height", "width"), [(1, 1), (37, 53), (3, 3000)])
def test_png_is_written_as_others_read_it(tab: Any, height: int, width: int, channels: int) -> None:
    pixels = RNG.integers(0, 256, (height, width, channels), dtype=np.uint8)
    pixels[:, : width // 2] = 77
    found = settled(
        tab,
        """async ({ width, height, channels, pixels }) => {
          const { encodePng } = await import(new URL("png.js", location.href));
          const length = width * channels;
          const fillRow = (row, out, at) => out.set(pixels.slice(row * length, (row + 1) * length), at);
          const blob = await encodePng(width, height, channels === 4, fillRow, { xmp: "<x>é</x>" });
          return Array.from(new Uint8Array(await blob.arrayBuffer()));
        }""",
        {"width": width, "height": height, "channels": channels, "pixels": pixels.ravel().tolist()},
    )
    image = Image.open(io.BytesIO(bytes(found)))
    assert (np.asarray(image) == pixels).all()
    assert image.info["xmp"] == "<x>é</x>".encode()


def test_hashes_without_the_browsers_help(call: Call) -> None:
    for length in (0, 1, 55, 56, 63, 64, 65, 1000):
        content = RNG.bytes(length)
        expected = hashlib.sha256(content).hexdigest()
        assert call("hashing.js", "plainSha256", content) == call("hashing.js", "sha256", content) == expected
    assert call("png.js", "crc32", content) == zlib.crc32(content)


@pytest.mark.parametrize("tint", [(0, 0, 0), (30, 10, -20), None])
def test_toned_is_told_from_coloured(call: Call, tint: tuple[int, int, int] | None) -> None:
    grey = picture(60, 80)[..., None].astype(int)
    rgb = np.clip(grey + (RNG.integers(-60, 60, (60, 80, 3)) if tint is None else tint), 0, 255).astype(np.uint8)
    rgba = np.concatenate([rgb, np.full((60, 80, 1), 255, np.uint8)], axis=-1)
    expected = classify(np.moveaxis(rgb, -1, 0).astype(np.float32) / 255)
    found = call("toning.js", "measureToning", rgba)
    assert found["size"] == pytest.approx(expected.chroma, abs=1e-6)
    assert found["residual"] == pytest.approx(expected.residual, abs=1e-6)


def as_file(kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(picture(40, 70)).save(stream, kind, **options)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("kind", "options"),
    [("JPEG", {}), ("JPEG", {"progressive": True}), ("PNG", {}), ("WEBP", {}), ("WEBP", {"lossless": True})],
)
def test_files_are_known_and_found_whole(call: Call, kind: str, options: dict[str, Any]) -> None:
    content = as_file(kind, **options)
    found = call("signature.js", "examine", content)
    assert found["kind"].upper() == kind
    assert (found["width"], found["height"], found["bits"], found["whole"]) == (70, 40, 8, True)
    for length in (12, 30, len(content) // 2, len(content) - 3):
        assert not call("signature.js", "examine", content[:length])["whole"]


def test_what_a_browser_cannot_read_has_a_name(call: Call) -> None:
    deep = io.BytesIO()
    Image.fromarray(np.full((4, 5), 40000, dtype=np.uint16)).save(deep, "PNG")
    assert call("signature.js", "examine", deep.getvalue())["bits"] == 16
    assert call("signature.js", "examine", as_file("TIFF"))["kind"] == "TIFF"
    assert call("signature.js", "examine", b"\0\0\0\x18ftypheic\0\0\0\0")["kind"] == "HEIC"
    assert call("signature.js", "examine", b"hello")["kind"] is None
    damaged = bytearray(as_file("PNG"))
    damaged[len(damaged) // 2] ^= 1
    assert not call("signature.js", "examine", bytes(damaged))["whole"]
