"""DeOldify's programming interface, running on photochrom.

    from photochrom.compat.deoldify import DeviceId, device, get_image_colorizer

    device.set(device=DeviceId.CPU)
    colorizer = get_image_colorizer(artistic=True)
    colorizer.plot_transformed_image("test_images/image.png", render_factor=35, compare=True)

Names, arguments and results are DeOldify's: square rendering, 8 bit, files in ``result_images`` under the name of the
source. Weights are looked for where it looked (``models/ColorizeArtistic_gen.pth`` under ``root_folder``) and converted
once, else an installed model is taken. What differs: too little memory raises an error instead of giving back a grey
picture, figures are not kept in memory, and ``watermarked`` draws nothing, as the picture of the watermark is not ours.

For our own pipeline (aspect ratio, exact luma, 16 bit, metadata) use ``photochrom.Colorizer``.
"""

from __future__ import annotations

import enum
import hashlib
import io
import os
import sys
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from PIL import Image

from photochrom.coloring.classic import colorize_classic, eight_bit_rgb
from photochrom.compat.url import fetch_picture
from photochrom.engines.generator import GeneratorEngine
from photochrom.engines.hub import find_model, installed_models, models_folder
from photochrom.errors import MissingExtraError, ModelFileError, ModelNotInstalledError, OptionError, OutputError
from photochrom.files.originals import Originals
from photochrom.files.reading import open_photo
from photochrom.options import EngineOptions

PathLike = str | os.PathLike[str]
NOTEBOOK_DPI = 72
RESULTS = "result_images"
LARGEST_RENDER_FACTOR = 100
INSTALLED_NAMES = {
    "ColorizeArtistic_gen": "deoldify-artistic",
    "ColorizeStable_gen": "deoldify-stable",
    "ColorizeVideo_gen": "deoldify-video",
}


class DeviceId(enum.IntEnum):
    """DeOldify's numbers of devices."""

    GPU0 = 0
    GPU1 = 1
    GPU2 = 2
    GPU3 = 3
    GPU4 = 4
    GPU5 = 5
    GPU6 = 6
    GPU7 = 7
    CPU = 99


class _Device:
    """Where generators that are made from now on will run."""

    def __init__(self) -> None:
        self._current = DeviceId.CPU

    def set(self, device: DeviceId) -> DeviceId:
        """Choose a device; a graphics card needs the package onnxruntime-gpu, and is refused where that is missing."""
        self._current = DeviceId(device)
        return self._current

    def current(self) -> DeviceId:
        """Return the device chosen last, at first the processor."""
        return self._current

    def is_gpu(self) -> bool:
        """Return whether it is a graphics card."""
        return self._current is not DeviceId.CPU

    def engine_options(self) -> EngineOptions:
        """Return the same choice in photochrom's words."""
        return EngineOptions(device="cuda" if self.is_gpu() else "cpu")


device = _Device()


class ModelImageVisualizer:
    """Colours pictures and shows them.

    Args:
        model: a loaded engine, the path of published weights, or the name of an installed model.
        results_dir: where coloured pictures are saved; made if need be.
        render_factor: used where a call gives none.
    """

    def __init__(
        self, model: GeneratorEngine | PathLike, results_dir: PathLike | None = None, render_factor: int = 35
    ) -> None:
        self.engine = model if isinstance(model, GeneratorEngine) else _load(model)
        self.results_dir = Path(results_dir or RESULTS)
        self.render_factor = _checked_factor(render_factor)

    def get_transformed_image(
        self,
        path: PathLike,
        render_factor: int | None = None,
        post_process: bool = True,
        watermarked: bool = True,  # noqa: ARG002 - kept for old calls
        sz: int | None = None,
    ) -> Image.Image:
        """Return the coloured picture.

        Args:
            path: the picture.
            render_factor: a sixteenth of the side of the square that the network sees, 2 to 100.
            post_process: keep the picture's own luma; without it the network's own, blurred picture comes out.
            watermarked: has no effect.
            sz: the way of 2018: short side of the network's copy, aspect kept; the result has that size.
        """
        pixels = open_photo(path).pixels
        if sz is not None:
            return Image.fromarray(self._as_in_2018(pixels, sz))
        factor = self.render_factor if render_factor is None else _checked_factor(render_factor)
        return Image.fromarray(colorize_classic(pixels, self.engine, factor, post_process=post_process)[0])

    def plot_transformed_image(
        self,
        path: PathLike,
        results_dir: PathLike | None = None,
        figsize: tuple[float, float] = (20, 20),
        render_factor: int | None = None,
        display_render_factor: bool = False,
        compare: bool = False,
        post_process: bool = True,
        watermarked: bool = True,
        sz: int | None = None,
    ) -> Path:
        """Colour, show (in a notebook) and save a picture; return where it was saved.

        ``path``, ``render_factor``, ``post_process``, ``watermarked`` and ``sz`` are those of
        ``get_transformed_image``; ``results_dir`` is another folder for this result, ``figsize`` the figure's size in
        inches; ``display_render_factor`` writes the render factor into it and ``compare`` puts the source beside it.

        Raises:
            MissingExtraError: matplotlib is not installed.
        """
        result = self.get_transformed_image(path, render_factor, post_process, watermarked, sz)
        pictures = [_opened(path), result] if compare else [result]
        factor = self.render_factor if render_factor is None else render_factor
        _show(_figure(pictures, figsize, f"render_factor: {factor}" if display_render_factor else ""))
        return _saved(result, Path(results_dir) if results_dir else self.results_dir, Path(path))

    def plot_transformed_image_from_url(
        self,
        url: str,
        path: PathLike = "test_images/image.png",
        results_dir: PathLike | None = None,
        figsize: tuple[float, float] = (20, 20),
        render_factor: int | None = None,
        display_render_factor: bool = False,
        compare: bool = False,
        post_process: bool = True,
        watermarked: bool = True,
    ) -> Path:
        """Fetch a picture into ``path``, then do as ``plot_transformed_image``.

        Raises:
            PhotoError: no picture came, it is larger than 50 MB, or the address redirects more than five times.
        """
        fetch_picture(url, Path(path))
        return self.plot_transformed_image(
            path, results_dir, figsize, render_factor, display_render_factor, compare, post_process, watermarked
        )

    def _as_in_2018(self, pixels: Any, sz: int) -> Any:
        """Return the network's own picture of a copy whose short side is ``sz``, aspect kept."""
        if not 32 <= sz <= 16 * LARGEST_RENDER_FACTOR:
            raise OptionError(f"should be 32 to {16 * LARGEST_RENDER_FACTOR}, not {sz}", where="sz")
        rgb = Image.fromarray(eight_bit_rgb(pixels))
        scale = sz / min(rgb.size)
        width, height = (max(2, 2 * round(side * scale / 2)) for side in rgb.size)
        copy = np.asarray(rgb.resize((width, height), Image.Resampling.BOX), np.float32) / 255
        grey = copy @ np.array(self.engine.generator.grey_weights, np.float32)
        painted = self.engine.paint(np.repeat(grey[..., None], 3, axis=-1))
        return np.rint(painted * 255).astype(np.uint8)


def get_image_colorizer(
    root_folder: PathLike = "./", render_factor: int = 35, artistic: bool = True
) -> ModelImageVisualizer:
    """Return a colorizer with the artistic or the stable weights."""
    make = get_artistic_image_colorizer if artistic else get_stable_image_colorizer
    return make(root_folder=root_folder, render_factor=render_factor)


def get_artistic_image_colorizer(
    root_folder: PathLike = "./",
    weights_name: str = "ColorizeArtistic_gen",
    results_dir: PathLike = RESULTS,
    render_factor: int = 35,
) -> ModelImageVisualizer:
    """Return a colorizer with weights from ``root_folder``/models, or the installed deoldify-artistic."""
    return ModelImageVisualizer(_load_weights(root_folder, weights_name), results_dir, render_factor)


def get_stable_image_colorizer(
    root_folder: PathLike = "./",
    weights_name: str = "ColorizeStable_gen",
    results_dir: PathLike = RESULTS,
    render_factor: int = 35,
) -> ModelImageVisualizer:
    """Return a colorizer with weights from ``root_folder``/models, or the installed deoldify-stable."""
    return ModelImageVisualizer(_load_weights(root_folder, weights_name), results_dir, render_factor)


def get_video_colorizer(*_: object, **__: object) -> NoReturn:
    """Refuse in one line: films are not supported yet with these models.

    Raises:
        OptionError: always; it names the way round.
    """
    raise OptionError(
        "films are not supported yet",
        where="get_video_colorizer",
        next_step="Our own model colours them: photochrom film film.mp4 -o coloured.mp4. "
        "For DeOldify's, split the film into pictures (ffmpeg -i film.mp4 frames/%06d.png), "
        "then: photochrom colorize frames -o coloured --model deoldify-video --render-factor 21",
    )


get_stable_video_colorizer = get_artistic_video_colorizer = get_video_colorizer


# --- models ---------------------------------------------------------------------------------------------------------


def _load_weights(root_folder: PathLike, weights_name: str) -> GeneratorEngine:
    path = Path(root_folder) / "models" / f"{weights_name}.pth"
    if path.is_file():
        return _load(path)
    if weights_name in INSTALLED_NAMES:
        return _load(INSTALLED_NAMES[weights_name])
    raise ModelNotInstalledError("no such weights", where=str(path), next_step="Check root_folder and weights_name.")


def _load(model: PathLike) -> GeneratorEngine:
    """Return an engine for published weights, which are converted once, or for an installed model."""
    path = Path(model)
    name = _imported(path) if path.suffix in {".pth", ".h5", ".safetensors"} else os.fspath(model)
    file = find_model(name)
    if file.card is None:
        raise ModelFileError("not published weights", where=str(path), next_step="Give a .pth file or a model's name.")
    return GeneratorEngine(file.path, expected_sha256=file.sha256, options=device.engine_options())


def _imported(path: Path) -> str:
    """Return the name of the installed model made of exactly this file, importing it if there is none."""
    if not path.is_file():
        raise ModelNotInstalledError("no such file", where=str(path), next_step="Check the path.")
    from photochrom.importer.installation import import_model

    with path.open("rb") as file:
        name = f"compat-{hashlib.file_digest(file, 'sha256').hexdigest()[:16]}"
    if name not in installed_models():
        import_model(path, models_folder(), name=name)
    return name


def _checked_factor(render_factor: int) -> int:
    if not isinstance(render_factor, int | np.integer) or not 2 <= render_factor <= LARGEST_RENDER_FACTOR:
        what = f"should be a whole number, 2 to {LARGEST_RENDER_FACTOR}, not {render_factor!r}"
        raise OptionError(what, where="render_factor")
    return int(render_factor)


# --- showing and saving ---------------------------------------------------------------------------------------------


def _figure(pictures: list[Image.Image], figsize: tuple[float, float], text: str) -> Any:
    """Return a figure that nothing keeps alive, with the pictures side by side."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        step = 'Install it with: pip install "photochrom[deoldify]"'
        raise MissingExtraError("plotting needs matplotlib", next_step=step) from error
    figure = Figure(figsize=figsize)
    for axes, picture in zip(np.atleast_1d(figure.subplots(1, len(pictures))), pictures, strict=True):
        axes.imshow(np.asarray(picture))
        axes.axis("off")
    if text:
        figure.axes[-1].text(10, 10, text, color="white", backgroundcolor="black")
    return figure


def _opened(path: PathLike) -> Image.Image:
    """Return the picture as the network was given it, of any format and depth."""
    return Image.fromarray(eight_bit_rgb(open_photo(path).pixels))


def _show(figure: Any) -> None:
    """Show a figure if a notebook is listening; elsewhere there is nothing to show it on.

    As a finished picture: a notebook shows figures themselves only once pyplot has been set up for it.
    """
    if "IPython" in sys.modules and sys.modules["IPython"].get_ipython() is not None:
        display, drawn = sys.modules["IPython"].display, io.BytesIO()
        figure.savefig(drawn, format="png", dpi=NOTEBOOK_DPI, bbox_inches="tight")
        display.display(display.Image(data=drawn.getvalue(), format="png"))


def _saved(result: Image.Image, folder: Path, source: Path) -> Path:
    target = folder / source.name
    Originals.of([source]).refuse(target)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if target.is_symlink():  # what it points to may be an original
            target.unlink()
        result.save(target)
    except (OSError, ValueError) as error:
        raise OutputError(f"cannot be written ({error})", where=str(target)) from None
    return target
