"""The rows of the scoreboard: who colours a photograph, from models to the yardsticks that frame them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

from photochrom import color, metrics
from photochrom.errors import PhotoError
from photochrom.evaluation.photographs import Rgb, read_rgb, with_jpeg_chroma

Kind = Literal["model", "pairs", "yardstick"]
# Views whose greys are undegraded: photographs at their own size, and squashed to a square.
NATIVE, SQUASH = CLEAN_VIEWS = ("native", "squash256")


@dataclass(frozen=True, slots=True)
class Task:
    """One photograph to be coloured in one view.

    Args:
        key: the photograph's key in its set.
        view: "native", "squash256" or the name of a stress split.
        truth: (H, W, 3) uint8 sRGB.
        given: (H, W, 3) uint8, what a colouriser may see: the luma, degraded in a stress split.
    """

    key: str
    view: str
    truth: Rgb
    given: Rgb

    @property
    def is_stressed(self) -> bool:
        """Whether the grey was degraded, so that colours are judged under the truth's lightness."""
        return self.view not in CLEAN_VIEWS


@dataclass(frozen=True, slots=True)
class Coloring:
    """What a contestant made of a task: (H, W, 3) uint8 sRGB, and where it is sure, (h, w) in 0..1, if it can tell."""

    rgb: Rgb
    confidence: npt.NDArray[np.floating[Any]] | None = None


class Contestant(Protocol):
    """One row of the scoreboard."""

    @property
    def name(self) -> str:
        """The row's title."""
        ...

    @property
    def kind(self) -> Kind:
        """Whether it is a model that is run, pictures of another tool, or a yardstick."""
        ...

    def takes(self, view: str) -> bool:
        """Return whether it has anything to show in this view."""
        ...

    def color(self, task: Task) -> Coloring:
        """Return its colouring: a picture of the size of ``task.given``."""
        ...


@dataclass(frozen=True)
class Model:
    """A colouriser that is run on the given grey.

    Args:
        name: the row's title.
        colorize: grey (H, W, 3) uint8 -> coloured (H, W, 3) uint8, or a ``Coloring`` with a confidence.
        facts: what the report says of it (file hash, licence, engine).
    """

    name: str
    colorize: Callable[[Rgb], Rgb | Coloring]
    facts: Mapping[str, Any] = field(default_factory=dict)
    kind: Kind = "model"

    def takes(self, view: str) -> bool:  # noqa: ARG002 - as Contestant.takes
        """Return True: a model colours anything."""
        return True

    def color(self, task: Task) -> Coloring:
        """Return what the model makes of the given grey."""
        made = self.colorize(task.given)
        return made if isinstance(made, Coloring) else Coloring(made)


def row_name(model: str) -> str:
    """Return the title of a model's row: its name, or its file's without the suffix."""
    return Path(model).stem if Path(model).suffix == ".onnx" else model


@dataclass(frozen=True)
class Pictures:
    """Pictures that another tool made of the same photographs, read from files: only in the native view."""

    name: str
    paths: Mapping[str, Path]
    kind: Kind = "pairs"

    def takes(self, view: str) -> bool:
        """Return whether this is the native view: files exist in that alone."""
        return view == NATIVE

    def color(self, task: Task) -> Coloring:
        """Return the file's picture; raise PhotoError if its size is not the truth's."""
        path = self.paths[task.key]
        rgb = read_rgb(path)
        if rgb.shape != task.truth.shape:
            raise other_size(path, rgb.shape[1::-1], task.key, task.truth.shape[1::-1])
        return Coloring(rgb)


def other_size(path: Path, size: tuple[int, ...], key: str, true_size: tuple[int, ...]) -> PhotoError:
    """Return the error of a tool's picture that is not as large as the truth; sizes are width and height."""
    (width, height), (true_width, true_height) = size, true_size
    return PhotoError(
        f"{width} x {height} pixels, but the truth {key} has {true_width} x {true_height}",
        where=str(path),
        next_step="Save the tool's pictures at the photographs' own size.",
    )


@dataclass(frozen=True)
class Grey:
    """The prediction that hedges most: no colour at all.

    It has no part in stress splits: under shared luma a degraded grey scores as the clean one does.
    """

    name: str = "grey"
    kind: Kind = "yardstick"

    def takes(self, view: str) -> bool:
        """Return whether the greys of this view are undegraded."""
        return view in CLEAN_VIEWS

    def color(self, task: Task) -> Coloring:
        """Return what was given."""
        return Coloring(task.given)


@dataclass(frozen=True)
class Truth:
    """The photograph itself; in a stress split, its own a* and b* under the degraded luma: the best that can be done.

    Args:
        jpeg_chroma: take the chroma that JPEG leaves of it, a yardstick for errors that nobody sees.
    """

    jpeg_chroma: bool = False
    kind: Kind = "yardstick"

    @property
    def name(self) -> str:
        """The row's title."""
        return "truth, JPEG chroma" if self.jpeg_chroma else "truth"

    def takes(self, view: str) -> bool:
        """Return True; with JPEG chroma, whether the greys of this view are undegraded."""
        return view in CLEAN_VIEWS or not self.jpeg_chroma

    def color(self, task: Task) -> Coloring:
        """Return the true colours, as far as the given luma can hold them."""
        rgb = with_jpeg_chroma(task.truth) if self.jpeg_chroma else task.truth
        if not task.is_stressed:
            return Coloring(rgb)
        luma = color.luma(metrics.unit_range(task.given))
        ab = color.lab_from_srgb(metrics.unit_range(rgb))[..., 1:]
        merged = color.merge_luma_chroma(luma, color.chroma_from_ab(luma, ab))
        codes = metrics.luma_codes(task.given) / 255
        return Coloring(color.quantize_keeping_luma(merged, codes, 255).astype(np.uint8))


YARDSTICKS: tuple[Contestant, ...] = (Grey(), Truth(jpeg_chroma=True), Truth())
