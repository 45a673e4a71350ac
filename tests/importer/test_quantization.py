"""8-bit convolutions: ranges from photographs, weights per channel, and a loss that is measured and small."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from PIL import Image

from photochrom.engines.base import ModelSpec
from photochrom.engines.generator import GeneratorEngine
from photochrom.engines.generator_spec import GeneratorSpec
from photochrom.engines.runtime import onnxruntime
from photochrom.errors import OptionError
from photochrom.importer.graph_writer import GraphWriter
from photochrom.importer.installation import ImportedModel, write_int8
from photochrom.importer.quantization import calibration_pictures, split_pictures
from photochrom.importer.recognition import KINDS, GeneratorKind
from tests.importer.stand_in_weights import Array, slow

SPEC = GeneratorSpec(
    name="small",
    network="artistic",
    mean=KINDS[0].mean,
    deviation=KINDS[0].deviation,
    grey_weights=KINDS[0].grey_weights,
    render_px=64,
    multiple=16,
)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Return a folder of soft grey pictures of several sizes and depths, and a file that is none."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(6):
        rows, columns = np.mgrid[: 40 + number, :60].astype(float)
        wave = np.sin(rows / (3 + number)) + np.cos(columns / 5)
        codes = np.uint8(127 + 60 * wave) if number % 2 else np.uint16(257 * (127 + 60 * wave))
        Image.fromarray(codes).save(folder / f"{number}.png")
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff")
    return folder


def small_network(graph: GraphWriter, _: object) -> str:
    """Write two convolutions with a ReLU between."""
    assert graph.plain
    random = np.random.default_rng(0)
    first = random.standard_normal((64, 3, 3, 3), np.float32) / 5  # outputs of the size of the inputs
    second = random.standard_normal((3, 64, 3, 3), np.float32) / 24
    return graph.conv(graph.step("Relu", graph.conv("image", first, np.ones(64, np.float32))), second)


KIND: GeneratorKind = replace(KINDS[0], write=small_network)


def test_pictures_are_normalised_grey_of_one_size(photos: Path) -> None:
    pictures = calibration_pictures(photos, SPEC.mean, SPEC.deviation)
    assert [picture.shape for picture in pictures] == [(1, 3, 256, 256)] * 6
    for picture in pictures:
        grey = picture[0] * np.reshape(SPEC.deviation, (3, 1, 1)) + np.reshape(SPEC.mean, (3, 1, 1))
        np.testing.assert_allclose(grey[0], grey[2], atol=1e-5)
        assert 0 <= grey.min() < 0.2
        assert 0.8 < grey.max() <= 1


def test_no_photograph_both_gives_ranges_and_measures_the_loss() -> None:
    pictures = [np.full((1, 3, 1, 1), n, np.float32) for n in range(9)]
    for_ranges, held_out = split_pictures(pictures)
    assert [int(p.flat[0]) for p in held_out] == [0, 4, 8]
    assert [int(p.flat[0]) for p in for_ranges] == [1, 2, 3, 5, 6, 7]


@pytest.mark.parametrize("made", [True, False])
def test_too_few_photographs_are_one_line(tmp_path: Path, made: bool) -> None:
    if made:
        Image.new("L", (32, 32)).save(tmp_path / "only.png")
    with pytest.raises(OptionError, match="at least 4 are needed"):
        calibration_pictures(tmp_path if made else tmp_path / "absent", SPEC.mean, SPEC.deviation)


@pytest.mark.slow
def test_convolutions_become_8_bit_and_the_loss_is_what_the_engine_shows(photos: Path, tmp_path: Path) -> None:
    sha256, loss = write_int8({}, KIND, SPEC, tmp_path, photos)
    assert 0 < loss.mean < 3
    assert loss.percentile_99 < 10
    model = onnx.load(str(tmp_path / "model.onnx"), load_external_data=False)
    large = {tuple(tensor.dims): tensor.data_type for tensor in model.graph.initializer if len(tensor.dims) == 4}
    assert large == {(64, 3, 3, 3): onnx.TensorProto.INT8, (3, 64, 3, 3): onnx.TensorProto.INT8}
    engine = GeneratorEngine(tmp_path / "model.onnx")
    assert (engine.generator.precision, engine.generator.weights_sha256) == ("int8", sha256)
    assert engine.paint(np.full((32, 48, 3), 0.5, np.float32)).shape == (32, 48, 3)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.onnx", "model.weights", "photos"]


def test_ddcolor_is_refused(photos: Path, tmp_path: Path) -> None:
    spec = ModelSpec(contract="color/1", name="ddcolor", render_px=512, multiple=32, output_stride=1)
    with pytest.raises(OptionError, match="only DeOldify's networks"):
        write_int8({}, KINDS[-1], spec, tmp_path, photos)


@slow
def test_the_plain_graph_is_the_banded_one(
    imported_artistic: ImportedModel, artistic_weights: dict[str, Array]
) -> None:
    graph = GraphWriter(plain=True)
    graph.output(KINDS[0].write(graph, artistic_weights), "colored")
    model = graph.model({"image": [1, 3, "h", "w"]}, {"colored": [1, 3, "h2", "w2"]})
    x = np.random.default_rng(0).standard_normal((1, 3, 48, 80), np.float32)
    plain = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    banded = onnxruntime.InferenceSession(
        str(imported_artistic.folder / "model.onnx"), providers=["CPUExecutionProvider"]
    )
    np.testing.assert_allclose(plain.run(None, {"image": x})[0], banded.run(None, {"image": x})[0], atol=1e-4)
