"""DeOldify's programming interface, and a notebook written for it."""

from __future__ import annotations

import base64
import http.server
import io
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from photochrom.compat import deoldify
from photochrom.compat.deoldify import DeviceId, ModelImageVisualizer, device, get_image_colorizer
from photochrom.compat.url import fetch_picture
from photochrom.engines.generator import GeneratorEngine
from photochrom.errors import ModelError, ModelNotInstalledError, OptionError, OutputError, PhotoError
from tests.importer.stand_in_weights import Array

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "deoldify_colorizer.ipynb"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, expected: dict[str, Array]) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "test_images").mkdir()
    Image.fromarray(expected["photo"]).convert("RGB").save(tmp_path / "test_images" / "photo.png")
    return tmp_path


def test_results_are_those_of_the_original_and_lie_where_it_put_them(
    artistic_engine: GeneratorEngine, expected: dict[str, Array], here: Path
) -> None:
    visualizer = ModelImageVisualizer(artistic_engine, results_dir="result_images")
    path = visualizer.plot_transformed_image("test_images/photo.png", render_factor=8, compare=True)
    assert path == Path("result_images/photo.png")
    with Image.open(path) as result:
        differences = np.asarray(result).ravel()[expected["artistic/rf8/index"]].astype(int)
    assert np.abs(differences - expected["artistic/rf8/value"]).max() <= 3


def test_a_notebook_is_shown_pictures(tiny_engine: GeneratorEngine, here: Path) -> None:
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.utils.capture import capture_output
    from traitlets.config import Config

    InteractiveShell.instance(config=Config({"HistoryManager": {"enabled": False}}))
    try:
        with capture_output() as captured:
            ModelImageVisualizer(tiny_engine).plot_transformed_image(
                "test_images/photo.png", render_factor=2, figsize=(4, 4), compare=True
            )
    finally:
        InteractiveShell.clear_instance()
    with Image.open(io.BytesIO(base64.b64decode(captured.outputs[0].data["image/png"]))) as shown:
        shades = np.unique(np.asarray(shown.convert("L")))
    assert len(shades) > 20, "the picture is empty"


def test_without_post_processing_the_network_s_own_picture_comes_out(
    artistic_engine: GeneratorEngine, expected: dict[str, Array], here: Path
) -> None:
    image = ModelImageVisualizer(artistic_engine, render_factor=8).get_transformed_image(
        "test_images/photo.png", post_process=False
    )
    differences = np.asarray(image).ravel()[expected["artistic/rf8_raw/index"]].astype(int)
    assert np.abs(differences - expected["artistic/rf8_raw/value"]).max() <= 1


def test_the_way_of_2018_keeps_the_aspect_ratio(tiny_engine: GeneratorEngine, here: Path) -> None:
    image = ModelImageVisualizer(tiny_engine).get_transformed_image("test_images/photo.png", sz=64)
    assert image.size == (96, 64)
    with pytest.raises(OptionError, match="sz"):
        ModelImageVisualizer(tiny_engine).get_transformed_image("test_images/photo.png", sz=5000)


@pytest.mark.parametrize("factor", [0, 1, 101])
def test_render_factors_out_of_range_are_refused(tiny_engine: GeneratorEngine, factor: int, here: Path) -> None:
    with pytest.raises(OptionError, match="render_factor"):
        ModelImageVisualizer(tiny_engine).get_transformed_image("test_images/photo.png", render_factor=factor)


@pytest.mark.parametrize("factor", [4.0, "35", None])
def test_render_factors_that_are_no_whole_numbers_are_one_line(tiny_engine: GeneratorEngine, factor: Any) -> None:
    with pytest.raises(OptionError, match="should be a whole number, 2 to 100, not "):
        ModelImageVisualizer(tiny_engine, render_factor=factor)


def test_what_is_compared_is_the_picture_at_any_depth(
    tiny_engine: GeneratorEngine, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pillow alone makes nearly all of a grey picture of 16 bit white."""
    shown: list[np.ndarray] = []
    figure = deoldify._figure
    monkeypatch.setattr(
        deoldify, "_figure", lambda pictures, *more: (shown.append(np.asarray(pictures[0])), figure(pictures, *more))[1]
    )
    grey = np.asarray(Image.open(here / "test_images" / "photo.png").convert("L"))
    Image.fromarray(grey.astype(np.uint16) * 257).save(here / "deep.png")
    ModelImageVisualizer(tiny_engine).plot_transformed_image("deep.png", render_factor=2, compare=True)
    assert (shown[0] == grey[..., None]).all()


def test_the_way_of_2018_takes_pictures_a_pixel_wide(tiny_engine: GeneratorEngine, here: Path) -> None:
    Image.fromarray(np.zeros((3, 1, 3), np.uint8)).save(here / "thin.png")
    assert ModelImageVisualizer(tiny_engine).get_transformed_image("thin.png", sz=32).size == (32, 96)


def test_weights_are_found_where_deoldify_looked_or_installed(
    tiny_cache: Path, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PHOTOCHROM_CACHE", str(here))
    with pytest.raises(ModelNotInstalledError, match="models pull deoldify-artistic"):
        get_image_colorizer(artistic=True)
    monkeypatch.setenv("PHOTOCHROM_CACHE", str(tiny_cache))
    assert get_image_colorizer(artistic=True).engine.generator.network == "artistic"
    (here / "models").mkdir()
    (here / "models" / "ColorizeArtistic_gen.pth").write_bytes(b"damaged")
    with pytest.raises(ModelError, match="not a PyTorch file"):
        get_image_colorizer(artistic=True)


@pytest.mark.posix
def test_weights_in_the_old_place_are_converted_once(
    tiny_generator: Path, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []

    def fake_import(path: Path, folder: Path, *, name: str) -> None:
        made.append(name)
        (folder / name).mkdir(parents=True)
        for file in ("model.onnx", "model.weights"):
            (folder / name / file).symlink_to(tiny_generator / file)
        card = json.loads((tiny_generator / "card.json").read_text())
        (folder / name / "card.json").write_text(json.dumps({**card, "name": name}))

    monkeypatch.setattr("photochrom.importer.installation.import_model", fake_import)
    monkeypatch.setattr(deoldify, "GeneratorEngine", FakeGenerator)
    monkeypatch.setenv("PHOTOCHROM_CACHE", str(here / "cache"))
    (here / "models").mkdir()
    (here / "models" / "ColorizeArtistic_gen.pth").symlink_to(tiny_generator / "model.weights")
    first, second = get_image_colorizer().engine, get_image_colorizer().engine
    assert len(made) == 1
    assert made[0].startswith("compat-")
    assert first.path == second.path


class FakeGenerator:
    def __init__(self, path: Path, **_: object) -> None:
        self.path = path


def test_devices_have_deoldify_s_names_and_numbers() -> None:
    assert (DeviceId.GPU0, DeviceId.CPU) == (0, 99)
    try:
        device.set(device=DeviceId.GPU0)
        assert device.is_gpu()
        assert device.engine_options().device == "cuda"
    finally:
        device.set(DeviceId.CPU)
    assert device.current() is DeviceId.CPU


class Site(http.server.BaseHTTPRequestHandler):
    picture = b""

    def do_GET(self) -> None:
        if self.path == "/missing":
            self.send_error(404)
        elif self.path == "/loop":
            self.send_response(302)
            self.send_header("Location", "/loop")
            self.end_headers()
        elif self.path == "/out":
            self.send_response(302)
            self.send_header("Location", "file:///etc/hostname")
            self.end_headers()
        else:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(self.picture)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def site(here: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    Site.picture = (here / "test_images" / "photo.png").read_bytes()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join(60)


def test_a_picture_from_the_web_is_coloured(tiny_engine: GeneratorEngine, here: Path, site: str) -> None:
    visualizer = ModelImageVisualizer(tiny_engine, render_factor=4)
    path = visualizer.plot_transformed_image_from_url(f"{site}/a.png", "test_images/image.png", figsize=(2, 2))
    assert path == Path("result_images/image.png")
    with Image.open(path) as result:
        assert result.size == (300, 200)


@pytest.mark.parametrize(
    ("address", "line"), [("/missing", "HTTP 404"), ("/loop", "redirects"), ("/out", "away from the web")]
)
def test_addresses_that_give_no_picture_are_one_line(site: str, here: Path, address: str, line: str) -> None:
    with pytest.raises(PhotoError, match=line):
        fetch_picture(site + address, here / "a.png")
    assert not (here / "a.png").exists()


def test_size_scheme_and_target_are_checked(site: str, here: Path) -> None:
    with pytest.raises(PhotoError, match="larger than"):
        fetch_picture(f"{site}/a.png", here / "a.png", largest_bytes=1000)
    with pytest.raises(PhotoError, match="not a web address"):
        fetch_picture("file:///etc/passwd", here / "a.png")
    with pytest.raises(OutputError):
        fetch_picture(f"{site}/a.png", here / "test_images")
    with pytest.raises(PhotoError, match="could not be fetched"):
        fetch_picture("http://127.0.0.1:9/a.png", here / "a.png")


def test_the_notebook_runs_with_stand_in_weights(tiny_cache: Path, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHOTOCHROM_CACHE", str(tiny_cache))
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    names: dict[str, object] = {}
    for cell in cells:
        if cell["cell_type"] == "code":
            source = "".join(cell["source"]).replace("render_factor = 35", "render_factor = 4")
            exec(compile(source, str(NOTEBOOK), "exec"), names)  # noqa: S102 - our own notebook
    assert {path.name for path in (here / "result_images").iterdir()} == {"photo.png"}


def test_films_are_refused_in_one_line_that_names_the_way_round() -> None:
    for make in (
        deoldify.get_video_colorizer,
        deoldify.get_stable_video_colorizer,
        deoldify.get_artistic_video_colorizer,
    ):
        with pytest.raises(OptionError, match=r"films are not supported yet.*ffmpeg"):
            make(render_factor=21)
