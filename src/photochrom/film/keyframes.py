"""A key frame's colours: what the net says of one frame, on the film's small grid."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from photochrom.coloring.grading import grade, split_vividness, unspread_chroma
from photochrom.coloring.prediction import enlarge, is_rebalanced, predict
from photochrom.coloring.rendering import RenderPlan, plan_render
from photochrom.engines.base import Engine, FloatArray
from photochrom.errors import OptionError
from photochrom.film.chroma import GuidedChroma
from photochrom.film.matrices import Codes, Matrix, Plane
from photochrom.film.planes import Pixels
from photochrom.film.steadiness import Colours
from photochrom.film.transfers import Transfer, upright
from photochrom.luma import is_blank, show_clearly
from photochrom.options import ColorizeOptions
from photochrom.resample import block_mean

# Every colour weighs at least this much, however unsure the net is of it.
LEAST_WEIGHT = 0.1
# Weight of travelled colours at which a model that hears is told them with half its ear; key frames weigh up to 1 each.
HALF_TOLD = 0.5


@dataclass(frozen=True, slots=True)
class Viewer:
    """Shows frames to the net upright and in their true shape, and brings its colours back onto the film's grid.

    Attributes:
        engine: runs the net.
        options: how to colour, as for photographs.
        matrix: of the colours it gives; the film's own, where that is an ordinary one.
        codes: of its luma.
        transfer: what its codes look like; the net is shown what an ordinary screen would show.
        quarter_turns: counter-clockwise, by which players turn the stored picture.
        shown: (width, height) as players show it: upright, square pixels.
        plan: the copies that the net is shown.
    """

    engine: Engine
    options: ColorizeOptions
    matrix: Matrix
    codes: Codes
    transfer: Transfer
    quarter_turns: int
    shown: tuple[int, int]
    plan: RenderPlan

    @classmethod
    def of(
        cls,
        engine: Engine,
        options: ColorizeOptions,
        matrix: Matrix,
        codes: Codes,
        shown: tuple[int, int],
        quarter_turns: int,
        transfer: Transfer | None = None,
    ) -> Viewer:
        """Return the viewer of a film that players show ``shown`` (width, height) large: upright, square pixels."""
        plan = plan_render(*shown, engine, options, detailed=False)  # four times the time, for each key frame
        return cls(engine, options, matrix, codes, transfer or Transfer(), quarter_turns, shown, plan)

    def net_luma(self, luma: Pixels) -> Plane:
        """Return a frame as the net is shown it: upright, of the largest view's size, 0..1."""
        return self.upright(luma, (self.plan.width, self.plan.height))

    def upright(self, luma: Pixels, size: tuple[int, int]) -> Plane:
        """Return a frame's luma as players show it, (width, height) large, 0..1."""
        return upright(luma, self.quarter_turns, self.codes, self.transfer, size)

    def colours(self, luma: Pixels, grid_luma: Plane, known: Colours | None = None) -> tuple[Plane, Plane]:
        """Return what the net says of a frame: chroma (h, w, 2) and confidence (h, w) 0..1, on the film's grid.

        Args:
            luma: (H, W) codes of the stored frame.
            grid_luma: the same on the small grid, 0..1.
            known: colours that the net is told, for models that hear.

        Cost: the net's.
        """
        import cv2

        spec, options = self.engine.spec, self.options
        net_luma = self.net_luma(luma)
        caution, gain = split_vividness(options.vividness, rebalanced=is_rebalanced(spec))
        if spec.bins_ab and is_blank(net_luma):
            return np.zeros((*grid_luma.shape, 2), np.float32), np.full(grid_luma.shape, LEAST_WEIGHT, np.float32)
        shown = show_clearly(net_luma)[0] if options.normalize_tone else net_luma
        hints = None if known is None else self._hints(known, grid_luma, gain * spec.gain)
        predicted = predict(shown, self.plan.views, self.engine, ("confidence",), caution=caution, hints=hints)
        cells = block_mean(net_luma, spec.output_stride)
        ab, _ = grade(predicted.ab, cells, options, spec, gain)
        chroma = self.matrix.chroma_from_ab(cells, np.moveaxis(ab, 0, -1).astype(np.float32))
        stored = [np.ascontiguousarray(np.rot90(plane, -self.quarter_turns)) for plane in (chroma, cells)]
        sure = np.ascontiguousarray(np.rot90(predicted.extras["confidence"][0], -self.quarter_turns))
        height, width = grid_luma.shape
        sure = cv2.resize(sure, (width, height), interpolation=cv2.INTER_LINEAR).reshape(height, width)
        return GuidedChroma.fit(*stored).at(grid_luma), np.maximum(sure, np.float32(LEAST_WEIGHT))

    def _hints(self, known: Colours, grid_luma: Plane, gain: float) -> FloatArray:
        """Return known colours as the net takes hints: (3, H, W) of its largest view, as if they were its own.

        What grading has done to them is taken back, or they would be strengthened anew at every key frame.
        """
        ab = np.moveaxis(self.matrix.ab_from_chroma(np.clip(grid_luma, 0, 1), known.chroma), -1, 0)
        ab = unspread_chroma(np.asarray(ab / np.float32(max(gain, 1e-3)), np.float32), self.engine.spec.chroma_spread)
        counts = known.weight / (known.weight + np.float32(HALF_TOLD))
        planes = np.rot90(np.concatenate([ab, counts[None]]), self.quarter_turns, axes=(1, 2))
        return enlarge(planes, self.plan.width, self.plan.height)


class ToldColours:
    """A `ColourSource` in which the net is told what has travelled to a frame, and colours what is new to match."""

    def __init__(self, viewer: Viewer, lumas: Sequence[Pixels], grids: Callable[[int], Plane]) -> None:
        self._viewer, self._lumas, self._grids = viewer, lumas, grids

    def __call__(self, frame: int, travelled: Colours | None) -> Colours:
        """Return the net's colours of one frame, weighed by its confidence."""
        return Colours(*self._viewer.colours(self._lumas[frame], self._grids(frame), travelled))


def color_source(
    viewer: Viewer, lumas: Sequence[Pixels], grids: Callable[[int], Plane], *, told: bool
) -> NetColours | ToldColours:
    """Return what colours a passage's key frames.

    Args:
        viewer: shows frames to the net.
        lumas: luma codes of the passage's frames.
        grids: their luma on the small grid, 0..1.
        told: whether the net is told what has travelled.

    Raises:
        OptionError: the net is to be told, and its model takes no hints.
    """
    if not told:
        return NetColours(viewer, lumas, grids)
    require_hearing(viewer.engine)
    return ToldColours(viewer, lumas, grids)


def require_hearing(engine: Engine, option: str = "--tell-net") -> None:
    """Return if a model takes hints; raise OptionError where it does not."""
    if not engine.spec.hears:
        raise OptionError(f"the model {engine.spec.name} takes no hints", where=option, next_step="Leave it out")


class NetColours:
    """A `ColourSource` in which the net decides alone, and steadiness comes from blending.

    Args:
        viewer: shows frames to the net.
        lumas: luma codes of the passage's frames.
        grids: their luma on the small grid, 0..1.
    """

    def __init__(self, viewer: Viewer, lumas: Sequence[Pixels], grids: Callable[[int], Plane]) -> None:
        self._viewer, self._lumas, self._grids = viewer, lumas, grids

    def __call__(self, frame: int, travelled: Colours | None) -> Colours:  # noqa: ARG002 - decided without
        """Return the net's colours of one frame, weighed by its confidence."""
        return Colours(*self._viewer.colours(self._lumas[frame], self._grids(frame)))
