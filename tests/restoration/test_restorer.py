"""The session and the one-call way: what goes in comes out, errors are clear, restoring comes before colouring."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from onnx import NodeProto, helper
from PIL import Image

import photochrom
from photochrom import FakeEngine, RestoreOptions, Restorer
from photochrom.colorizer import Colorizer
from photochrom.engines import hub
from photochrom.engines.catalog import find_card
from photochrom.engines.restoration import CURRENT, OnnxStage
from photochrom.errors import (
    ModelError,
    ModelFileError,
    ModelNotInstalledError,
    OptionError,
    UnreadablePhotoError,
    UnsupportedPhotoError,
)
from photochrom.files.photo import Photo
from photochrom.files.provenance import COMPOSITE_WITH_TRAINED_ALGORITHMIC_MEDIA, read_provenance
from photochrom.luma import luma_codes
from photochrom.restorer import mask_sha256, read_mask
from tests.restoration.stand_in_stages import save_model

RestorerFor = Callable[..., Restorer]
Scratched = tuple[np.ndarray, np.ndarray]


# -- Kinds ---------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("channels", [None, 1, 3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_arrays_come_out_as_they_went_in(
    channels: int | None, dtype: type, restorer_for: RestorerFor, scratched: Scratched
) -> None:
    grey = scratched[0][:200, :256]
    array = grey if channels is None else np.repeat(grey[..., None], channels, axis=2)
    given = array / np.float32(255) if dtype is np.float32 else array.astype(dtype) * (257 if dtype is np.uint16 else 1)
    out = restorer_for(noise="never", tone="never")(given)
    assert (out.shape, out.dtype) == (given.shape, given.dtype)
    assert not np.array_equal(out, given)


@pytest.mark.slow
def test_paths_images_bytes_and_photos(restorer_for: RestorerFor, scratched: Scratched, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(scratched[0]).save(path)
    session = restorer_for(noise="never", tone="never")
    expected = session(scratched[0])
    from_path, from_image = session(path), session(Image.open(path))
    assert (from_path.mode, from_image.mode) == ("L", "L")
    assert np.array_equal(np.asarray(from_path), expected)
    assert np.array_equal(np.asarray(from_image), expected)
    content = session(path.read_bytes())
    with Image.open(io.BytesIO(content)) as image:
        assert image.format == "PNG"
        assert np.array_equal(np.asarray(image.convert("L")), expected)
    assert isinstance(session(Photo(scratched[0][..., None])), Photo)


def test_grey_with_alpha_stays_so(restorer_for: RestorerFor, scratched: Scratched) -> None:
    image = Image.fromarray(scratched[0])
    image.putalpha(77)
    out = restorer_for(noise="never", tone="never")(image)
    assert out.mode == "LA"
    assert np.asarray(out)[..., 1].min() == np.asarray(out)[..., 1].max() == 77


@pytest.mark.slow
def test_bytes_tell_what_was_done(restorer_for: RestorerFor, scratched: Scratched, camera: np.ndarray) -> None:
    def packet(array: np.ndarray) -> photochrom.Photo:
        buffer = io.BytesIO()
        Image.fromarray(array).save(buffer, "TIFF")
        return photochrom.open_photo(restorer_for(tone="never")(buffer.getvalue()))

    made = read_provenance(packet(scratched[0]).metadata.xmp)
    assert made is not None
    assert made.task == "restore"
    assert made.model == "stand-in-damage + stand-in-inpaint + stand-in-noise"
    assert made.source_type == COMPOSITE_WITH_TRAINED_ALGORITHMIC_MEDIA
    assert made.settings["noise"] == "auto"
    untouched = read_provenance(packet(np.minimum(camera, 235)).metadata.xmp)
    assert untouched is not None
    assert untouched.source_type == ""


@pytest.mark.slow
def test_one_call_restores_a_damaged_picture(scratched: Scratched, camera: np.ndarray) -> None:
    picture, damage = (array[:320, :320] for array in scratched)
    restored, truth = photochrom.restore(picture), np.minimum(camera, 235)[:320, :320]

    def error(of: np.ndarray) -> float:
        return float(np.abs(of[damage].astype(float) - truth[damage]).mean())

    assert error(restored) < 0.25 * error(picture)  # embedded models, nothing chosen: damage is looked for
    with Restorer() as session:
        assert np.array_equal(session(picture), restored)


# -- Masks ---------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_mask_may_be_a_file_an_image_or_an_array(
    restorer_for: RestorerFor, camera: np.ndarray, tmp_path: Path
) -> None:
    mask = np.zeros(camera.shape, bool)
    mask[30:60, 30:60] = True
    Image.fromarray(mask).save(tmp_path / "mask.png")
    session = restorer_for(noise="never", tone="never")
    drawn = [tmp_path / "mask.png", Image.fromarray(mask), mask, mask.astype(np.uint8) * 255]
    results = [session(camera, mask=one) for one in drawn]
    assert all(np.array_equal(one, results[0]) for one in results)
    assert np.array_equal(results[0][~mask], camera[~mask])
    assert (results[0][mask] != camera[mask]).any()


def test_the_hash_of_a_mask_is_of_what_it_marks(tmp_path: Path) -> None:
    mask = np.zeros((40, 50), bool)
    mask[3, 4] = True
    Image.fromarray(mask.astype(np.uint8) * 200).convert("RGB").save(tmp_path / "mask.tif")
    assert mask_sha256(read_mask(tmp_path / "mask.tif")) == mask_sha256(mask)
    assert mask_sha256(mask) != mask_sha256(mask.T)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_what_is_transparent_in_a_mask_is_not_marked(dtype: type) -> None:
    """Programs draw on a transparent sheet, which may be white where nobody sees it."""
    sheet = np.full((20, 30, 4), np.iinfo(dtype).max, dtype)
    sheet[..., 3] = 0
    sheet[4:8, 5:25, 3] = np.iinfo(dtype).max
    assert np.argwhere(read_mask(sheet)).tolist() == [[y, x] for y in range(4, 8) for x in range(5, 25)]


# -- Errors --------------------------------------------------------------------------------------------------------


def test_nothing_to_do_is_an_error(restorer_for: RestorerFor, camera: np.ndarray) -> None:
    with pytest.raises(OptionError, match="every stage is switched off"):
        restorer_for(damage="never", noise="never", tone="never")(camera)


def test_a_model_that_is_not_there_is_told_when_the_session_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stage_files: dict[str, Path]
) -> None:
    monkeypatch.setattr(hub, "WEIGHTS", tmp_path)
    with pytest.raises(ModelNotInstalledError, match="photochrom-damage: the model's file is not on this computer"):
        Restorer()
    with pytest.raises(ModelNotInstalledError, match="photochrom-noise"):
        Restorer(RestoreOptions(damage="never"))
    with pytest.raises(ModelNotInstalledError, match="photochrom-tone"):
        Restorer(RestoreOptions(damage="never", noise="never"))
    Restorer(RestoreOptions(damage="never", tone="never", noise_model=str(stage_files["noise"]))).close()


def test_a_model_of_another_contract_is_refused(stage_files: dict[str, Path], tiny_model: Path) -> None:
    for path, found in ((stage_files["tone"], "tone/1"), (tiny_model, "color/1")):
        with pytest.raises(ModelFileError, match=f"contract '{found}', and 'noise/1' is needed"):
            Restorer(RestoreOptions(damage="never", tone="never", noise_model=str(path)))


def test_a_restoring_model_does_not_colour(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "WEIGHTS", tmp_path)
    (tmp_path / find_card("photochrom-noise").file).write_bytes(b"")
    with pytest.raises(ModelFileError, match=r"a model that restores .* and does not colour"):
        Colorizer("photochrom-noise")


def test_a_closed_session_says_so(stage_files: dict[str, Path], camera: np.ndarray) -> None:
    with Restorer(RestoreOptions(damage="never", tone="never", noise_model=str(stage_files["noise"]))) as session:
        assert session(camera).shape == camera.shape
    with pytest.raises(ModelError, match="closed"):
        Restorer(RestoreOptions(damage="never", tone="never", noise="always"), engines=session.engines)(camera)


def test_what_is_no_picture_is_refused(restorer_for: RestorerFor) -> None:
    with pytest.raises(UnreadablePhotoError):
        restorer_for()(b"not a picture")
    with pytest.raises(UnreadablePhotoError):
        restorer_for()(np.full((4, 4), np.nan))
    with pytest.raises(UnsupportedPhotoError):
        restorer_for()(Image.new("F", (5, 5)))
    with pytest.raises(OptionError, match="cannot use a dict"):
        restorer_for()({})


@pytest.mark.parametrize("options", [{"damage": "maybe"}, {"noise_strength": 2}, {"tone_strength": float("nan")}])
def test_wrong_options_are_told(options: dict[str, object], camera: np.ndarray) -> None:
    with pytest.raises(OptionError):
        photochrom.restore(camera, **options)  # type: ignore[call-overload]


@pytest.mark.slow
def test_a_session_is_shared_between_threads(restorer_for: RestorerFor, scratched: Scratched) -> None:
    session = restorer_for(noise="always")
    expected, found = session(scratched[0]), []
    threads = [threading.Thread(target=lambda: found.append(session(scratched[0]))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(found) == 4
    assert all(np.array_equal(one, expected) for one in found)


# -- Before colouring ----------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_restoring_comes_before_colouring(restorer_for: RestorerFor, scratched: Scratched) -> None:
    session = restorer_for(noise="never", tone="never")
    colorizer = Colorizer(engine=FakeEngine(), restore=session)
    result = colorizer.run(Photo(scratched[0][..., None]))
    restored = session(scratched[0])
    assert np.array_equal(luma_codes(result.photo.pixels), restored)
    assert result.restoration is not None
    assert result.restoration.mask is not None
    assert result.notes[0].startswith("damage:")
    assert {"restore: damage", "restore: inpaint", "net"} <= result.seconds.keys()
    settings = colorizer.provenance.settings["restore"]
    assert isinstance(settings, dict)
    assert settings["models"] == "stand-in-damage + stand-in-inpaint"
    colorizer.close()
    session(scratched[0])  # a session that was handed in stays open


def test_without_it_nothing_is_restored(scratched: Scratched) -> None:
    colorizer = Colorizer(engine=FakeEngine())
    assert colorizer.run(Photo(scratched[0][..., None])).restoration is None
    assert "restore" not in colorizer.provenance.settings


def test_options_make_a_session_of_their_own(stage_files: dict[str, Path], scratched: Scratched) -> None:
    options = RestoreOptions(damage="never", tone="never", noise="always", noise_model=str(stage_files["noise"]))
    colorizer = Colorizer(engine=FakeEngine(), restore=options)
    assert colorizer.run(Photo(scratched[0][..., None])).notes[0].startswith("noise: removed")
    assert isinstance(colorizer.restorer, Restorer)
    colorizer.close()
    with pytest.raises(ModelError, match="closed"):
        colorizer.run(Photo(scratched[0][..., None]))


@pytest.mark.parametrize(
    "node",
    [
        helper.make_node("Concat", ["rgb", "rgb"], ["restored"], axis=2),
        helper.make_node("ReduceMean", ["rgb"], ["restored"], axes=[1], keepdims=1),
    ],
)
def test_a_model_that_gives_another_shape_is_refused(node: NodeProto, tmp_path: Path, camera: np.ndarray) -> None:
    """A larger one, cut to the photograph's size, would be the corner of another picture."""
    ports = [helper.make_tensor_value_info(name, 1, ["b", None, None, None]) for name in ("rgb", "restored")]
    graph = helper.make_graph([node], "another", ports[:1], ports[1:])
    path = save_model(tmp_path / "another.onnx", graph, "noise/1")
    options = RestoreOptions(damage="never", tone="never", noise="always", noise_model=str(path))
    with Restorer(options) as session, pytest.raises(ModelError, match="another shape than it promised"):
        session(camera)


def test_a_stage_knows_its_contract(stages: dict[str, OnnxStage]) -> None:
    assert {kind: engine.spec.contract for kind, engine in stages.items()} == {kind: CURRENT[kind] for kind in stages}
    assert all(len(engine.spec.sha256) == 64 for engine in stages.values())
