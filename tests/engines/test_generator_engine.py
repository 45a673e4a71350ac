"""Generators in the pipeline, and the original's way of using them."""

from __future__ import annotations

import gc
import hashlib
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from photochrom.color import chroma, chroma_from_ab
from photochrom.coloring.classic import colorize_classic, merge_yuv
from photochrom.colorizer import Colorizer
from photochrom.engines.base import Engine, FakeEngine
from photochrom.engines.generator import GeneratorEngine
from photochrom.engines.weights_file import Weights
from photochrom.errors import ModelError, ModelFileError, OptionError
from photochrom.files.photo import Photo
from photochrom.luma import luma_codes
from photochrom.options import ColorizeOptions
from tests.importer.stand_in_weights import Array
from tests.tiny_generator import write_tiny_generator

IMAGENET_MEAN = np.array([0.485, 0.456, 0.406], np.float32)
IMAGENET_DEVIATION = np.array([0.229, 0.224, 0.225], np.float32)


@pytest.mark.parametrize("case", ["square64", "odd80x112"])
def test_the_folded_generator_answers_as_the_original(
    artistic_engine: GeneratorEngine, expected: dict[str, Array], case: str
) -> None:
    grey = np.repeat(expected[f"grey/{case}"][..., None], 3, axis=-1)
    index, value = expected[f"artistic/{case}/index"], expected[f"artistic/{case}/value"]
    original = np.zeros(grey.size, np.float32)
    original[index] = value
    planes = original.reshape(3, *grey.shape[:2])
    wanted = np.clip(np.moveaxis(planes, 0, -1) * IMAGENET_DEVIATION + IMAGENET_MEAN, 0, 1)
    known = np.moveaxis(np.isin(np.arange(grey.size), index).reshape(planes.shape), 0, -1)
    assert np.abs(artistic_engine.paint(grey) - wanted)[known].max() < 1e-3 * IMAGENET_DEVIATION.max()


@pytest.mark.parametrize(("post_process", "case", "levels"), [(False, "rf8_raw", 1), (True, "rf8", 3)])
def test_classic_colours_as_the_original_program(
    artistic_engine: GeneratorEngine, expected: dict[str, Array], *, post_process: bool, case: str, levels: int
) -> None:
    pixels = expected["photo"][..., None]
    painted, notes = colorize_classic(pixels, artistic_engine, 8, post_process=post_process)
    differences = painted.ravel()[expected[f"artistic/{case}/index"]].astype(int) - expected[f"artistic/{case}/value"]
    assert np.abs(differences).max() <= levels
    assert notes == ()


def test_a_generator_is_an_engine(tiny_engine: GeneratorEngine) -> None:
    assert isinstance(tiny_engine, Engine)
    assert tiny_engine.spec.render_px == 560
    assert "CPUExecutionProvider" in tiny_engine.description
    with pytest.raises(ModelError, match="no output 'confidence'"):
        tiny_engine.run({"luma": np.zeros((1, 1, 32, 32), np.float32)}, ("confidence",))


HARMS = pytest.mark.parametrize("harm", ["cut", "written to", "replaced", "removed"])
PICTURE = np.full((32, 32, 3), 0.5, np.float32)


def do_harm(weights: Path, harm: str) -> None:
    content = weights.read_bytes()
    if harm in ("replaced", "removed"):
        weights.unlink()
    if harm != "removed":
        weights.write_bytes(content[:100] if harm == "cut" else bytes(len(content)))


@HARMS
def test_weights_that_change_under_a_loaded_generator_change_nothing(tmp_path: Path, harm: str) -> None:
    path = write_tiny_generator(tmp_path / "model")
    engine = GeneratorEngine(path)
    before = engine.paint(PICTURE)
    do_harm(path.with_suffix(".weights"), harm)
    assert np.array_equal(engine.paint(PICTURE), before)
    assert before[0, 0, 0] > before[0, 0, 2] + 0.2  # warmer, as it paints
    with pytest.raises(ModelFileError):
        GeneratorEngine(path)


@HARMS
def test_weights_that_change_while_they_are_loaded_are_not_believed(
    tmp_path: Path, harm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, give_to = write_tiny_generator(tmp_path / "model"), Weights.give_to

    def give_and_harm(weights: Weights, options: object, graph: bytes) -> None:
        give_to(weights, options, graph)
        do_harm(path.with_suffix(".weights"), harm)

    monkeypatch.setattr(Weights, "give_to", give_and_harm)
    with pytest.raises(ModelFileError):
        GeneratorEngine(path)


def test_a_graph_that_changes_while_it_is_loaded_is_not_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, give_to = write_tiny_generator(tmp_path / "model"), Weights.give_to

    def give_and_write(weights: Weights, options: object, graph: bytes) -> None:
        give_to(weights, options, graph)
        path.write_bytes(graph + b"\x52\x00")  # an empty field of the model's words, which changes nothing else

    monkeypatch.setattr(Weights, "give_to", give_and_write)
    with pytest.raises(ModelFileError, match="changed while it was loaded"):
        GeneratorEngine(path)


@pytest.mark.posix
def test_no_weights_are_mapped_while_a_generator_runs(tmp_path: Path) -> None:
    maps = Path("/proc/self/maps")
    if not maps.exists():
        pytest.skip("only Linux tells what is mapped")
    path = write_tiny_generator(tmp_path / "model")
    engine = GeneratorEngine(path)
    engine.paint(PICTURE)
    assert str(path.with_suffix(".weights")) not in maps.read_text()
    session = engine._session
    engine.close()
    gc.collect()
    assert session.run(["colored"], {"image": np.zeros((1, 3, 32, 32), np.float32)})[0].shape == (1, 3, 32, 32)


def test_the_pipeline_gets_the_generators_own_chroma_back(
    tiny_engine: GeneratorEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    painted = np.full((4, 4, 3), (0.5, 0.4, 0.3), np.float32)
    monkeypatch.setattr(tiny_engine, "paint", lambda _: painted)
    luma = np.full((1, 1, 4, 4), 0.5, np.float32)
    ab = tiny_engine.run({"luma": luma}, ("ab",))["ab"]
    cbcr = chroma_from_ab(luma[0, 0], np.moveaxis(ab[0], 0, -1))
    np.testing.assert_allclose(cbcr, chroma(painted), atol=1e-4)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_our_pipeline_keeps_size_depth_and_luma_with_a_generator(
    tiny_engine: GeneratorEngine, expected: dict[str, Array], dtype: type
) -> None:
    pixels = expected["photo"][..., None].astype(dtype) * (257 if dtype is np.uint16 else 1)
    options = ColorizeOptions(render_factor=6)
    result = Colorizer(options=options, engine=tiny_engine).run(Photo(pixels))
    assert result.photo.pixels.shape == (200, 300, 3)
    assert result.photo.pixels.dtype == dtype
    assert np.array_equal(luma_codes(result.photo.pixels), pixels[..., 0])
    assert 0.85 < result.render_width * result.render_height / 96**2 < 1.15
    assert np.ptp(result.photo.pixels.astype(int), axis=-1).max() > 5


def test_classic_from_the_options_and_for_16_bit(tiny_engine: GeneratorEngine, expected: dict[str, Array]) -> None:
    pixels = expected["photo"][..., None].astype(np.uint16) * 257
    options = ColorizeOptions(render_factor=8, classic=True)
    result = Colorizer(options=options, engine=tiny_engine).run(Photo(pixels))
    assert result.photo.pixels.dtype == np.uint8
    assert "classic: cut to 8 bit" in result.notes
    assert (result.render_width, result.render_height) == (128, 128)


def test_classic_tells_that_transparency_goes_and_takes_scans_with_infrared(tiny_engine: GeneratorEngine) -> None:
    plane = np.arange(40 * 60, dtype=np.uint16).reshape(40, 60) * 20
    photo = Photo(plane[..., None], alpha=plane.copy(), infrared=plane.copy())
    result = Colorizer(options=ColorizeOptions(render_factor=4, classic=True), engine=tiny_engine).run(photo)
    assert result.photo.alpha is None
    assert "classic: transparency left out" in result.notes


def test_how_sure_a_generator_is_cannot_be_asked_and_the_way_out_is_told(tiny_engine: GeneratorEngine) -> None:
    photo, options = Photo(np.zeros((40, 40, 1), np.uint8)), ColorizeOptions(render_factor=4, uncertainty=True)
    with pytest.raises(
        ModelError, match=r"no output 'confidence'.*--uncertainty need a model such as photochrom-color"
    ):
        Colorizer(options=options, engine=tiny_engine).run(photo)


@pytest.mark.parametrize(
    "idle", [{"vividness": 0.5}, {"warmth": 9}, {"normalize_tone": False}, {"alternatives": 2}, {"uncertainty": True}]
)
def test_what_classic_would_not_heed_is_refused(tiny_engine: GeneratorEngine, idle: dict[str, float]) -> None:
    options = ColorizeOptions(render_factor=4, classic=True, **idle)
    with pytest.raises(OptionError, match=f"{next(iter(idle))}: does nothing with classic. Leave out one of the two"):
        Colorizer(options=options, engine=tiny_engine).run(Photo(np.zeros((40, 40, 1), np.uint8)))


def test_an_imported_model_may_be_given_by_the_path_of_its_graph(tiny_generator: Path) -> None:
    with Colorizer(tiny_generator / "model.onnx") as colorizer:
        assert isinstance(colorizer.engine, GeneratorEngine)


def test_classic_with_another_model_is_refused() -> None:
    options = ColorizeOptions(classic=True)
    with pytest.raises(OptionError, match="not one of DeOldify's models"):
        Colorizer(options=options, engine=FakeEngine()).run(Photo(np.zeros((40, 40, 1), np.uint8)))


@pytest.mark.parametrize("render_factor", [0, 1, -3, 101])
def test_render_factors_out_of_range_are_one_line(render_factor: int) -> None:
    with pytest.raises(OptionError, match="render_factor"):
        ColorizeOptions.checked(render_factor=render_factor)


def test_too_little_memory_is_an_error_and_never_a_grey_picture(
    tiny_engine: GeneratorEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Session:
        def run(self, *_: object) -> None:
            raise RuntimeError("Failed to allocate memory for requested buffer of size 6553600000")

    monkeypatch.setattr(tiny_engine, "_session", Session())
    with pytest.raises(ModelError, match=r"not enough memory .* 64 x 32 pixels; nothing was coloured"):
        tiny_engine.paint(np.zeros((32, 64, 3), np.float32))


def linked_copy(model: Path, folder: Path, damaged: str) -> Path:
    folder.mkdir()
    for name in ("model.onnx", "model.weights"):
        if name == damaged:
            shutil.copy(model / name, folder / name)
        else:
            os.link(model / name, folder / name)
    return folder


def test_damaged_weights_are_refused(tiny_generator: Path, tmp_path: Path) -> None:
    folder = linked_copy(tiny_generator, tmp_path / "m", "model.weights")
    with (folder / "model.weights").open("r+b") as file:
        file.seek(10_000)
        file.write(b"\x01\x02\x03")
    with pytest.raises(ModelFileError, match="damaged"):
        GeneratorEngine(folder / "model.onnx")


def test_missing_truncated_and_foreign_files_are_one_line(tiny_generator: Path, tmp_path: Path) -> None:
    folder = linked_copy(tiny_generator, tmp_path / "m", "model.onnx")
    (folder / "model.weights").unlink()
    with pytest.raises(ModelFileError):
        GeneratorEngine(folder / "model.onnx")
    with pytest.raises(ModelFileError, match="sha256 starts with"):
        GeneratorEngine(folder / "model.onnx", expected_sha256="0" * 64)
    (folder / "model.weights").write_bytes((tiny_generator / "model.weights").read_bytes())
    (folder / "model.onnx").write_bytes(b"nothing")
    with pytest.raises(ModelFileError, match="not a model that ONNX Runtime can load"):
        GeneratorEngine(folder / "model.onnx")


@pytest.mark.parametrize("kept_bytes", [None, 0, 10_000])
def test_weights_that_are_missing_or_cut_short_are_named(
    tiny_generator: Path, tmp_path: Path, kept_bytes: int | None
) -> None:
    folder = linked_copy(tiny_generator, tmp_path / "m", "model.onnx")
    whole, weights = tiny_generator / "model.weights", folder / "model.weights"
    weights.unlink()
    if kept_bytes is not None:
        with whole.open("rb") as file:
            weights.write_bytes(file.read(kept_bytes))
    graph_sha256 = hashlib.sha256((folder / "model.onnx").read_bytes()).hexdigest()
    with pytest.raises(ModelFileError, match=r"model\.weights: .*(cut short|cannot be read)") as caught:
        GeneratorEngine(folder / "model.onnx", expected_sha256=graph_sha256)
    assert "\n" not in str(caught.value)


def test_a_closed_engine_says_so(tiny_generator: Path) -> None:
    engine = GeneratorEngine(tiny_generator / "model.onnx")
    engine.close()
    with pytest.raises(ModelError, match="closed"):
        engine.paint(np.zeros((32, 32, 3), np.float32))


def test_merging_a_picture_with_itself_changes_it_by_two_levels_at_most() -> None:
    rgb = np.random.default_rng(0).integers(80, 176, (64, 64, 3), dtype=np.uint8)
    assert np.abs(merge_yuv(rgb, rgb).astype(int) - rgb).max() <= 2


def test_merging_takes_luma_from_one_and_chroma_from_the_other() -> None:
    # Worked out with OpenCV 5.0: cvtColor RGB2YUV of both, Y of the first with U and V of the second, YUV2RGB.
    luma_from = np.array([[[10, 200, 30], [255, 255, 255], [0, 0, 0], [90, 90, 90]]], np.uint8)
    chroma_from = np.array([[[200, 10, 60], [250, 5, 5], [30, 40, 220], [17, 130, 99]]], np.uint8)
    assert merge_yuv(luma_from, chroma_from).tolist() == EXPECTED_MERGE


EXPECTED_MERGE = [[[251, 62, 112], [255, 195, 182], [0, 0, 163], [14, 128, 96]]]


def test_the_catalogue_knows_the_models_before_they_are_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PHOTOCHROM_CACHE", str(tmp_path))
    with pytest.raises(ModelError, match="photochrom models pull deoldify-stable"):
        Colorizer("deoldify-stable")


def test_the_2018_grey_exchanges_red_and_blue() -> None:
    from photochrom.coloring.classic import _grey

    image = Image.new("RGB", (1, 1), (255, 0, 0))
    assert _grey(image, (0.299, 0.587, 0.114))[0, 0, 0] == 76
    assert _grey(image, (0.114, 0.587, 0.299))[0, 0, 0] == 29
