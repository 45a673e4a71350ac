"""Which copies of a photograph the net will be shown: from what was asked for, and what memory allows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from photochrom.coloring.prediction import View, choose_views
from photochrom.engines.base import Engine, ModelSpec
from photochrom.engines.generator_spec import PX_PER_FACTOR
from photochrom.errors import OptionError
from photochrom.options import LARGEST_RENDER_PX, ColorizeOptions
from photochrom.resample import Plane, render_size, resize
from photochrom.screen import has_screen

MEBIBYTE = 1 << 20
SMALLEST_SIDE_PX = 32


@runtime_checkable
class MemoryAware(Protocol):
    """An engine that knows its need of memory, and measures copies by area, as DeOldify does."""

    def peak_memory_bytes(self, pixels: int) -> int:
        """Return the memory of the whole process while a copy of so many pixels is coloured, estimated."""
        ...


@dataclass(frozen=True, slots=True)
class RenderPlan:
    """The copies that the net is shown, largest first, and what was decided on the way."""

    views: tuple[View, ...]
    notes: tuple[str, ...] = ()

    @property
    def width(self) -> int:
        """Width of the largest copy, in pixels."""
        return self.views[0].width

    @property
    def height(self) -> int:
        """Height of the largest copy, in pixels."""
        return self.views[0].height

    @property
    def is_detailed(self) -> bool:
        """Whether one copy is larger than the others, so that details can be seen on it."""
        return len({(view.width, view.height) for view in self.views}) > 1

    def detail_gain(self, spec: ModelSpec) -> float:
        """Return what the colours are multiplied by because the copies differ in size: 1 where they do not.

        Views of two sizes differ more than a view and its mirror image, and their mean is paler, the more so the more
        they differ: up to ``spec.detail_gain`` at ``spec.detail_px``.
        """
        if not self.is_detailed:
            return 1.0
        larger, usual = (min(view.width, view.height) for view in (self.views[0], self.views[-1]))
        return 1 + (spec.detail_gain - 1) * (larger - usual) / (spec.detail_px - spec.render_px)

    def shows_dots(self, net_luma: Plane) -> bool:
        """Return whether a printed picture's dots are seen on the largest copy (H, W), 0..1, or on the smallest.

        On a larger copy they are larger, and what takes them from it would take the details, too.
        """
        smallest = self.views[-1]
        return has_screen(net_luma) or has_screen(resize(net_luma, smallest.width, smallest.height))


def plan_render(
    width: int, height: int, engine: Engine, options: ColorizeOptions, *, detailed: bool = True
) -> RenderPlan:
    """Return the copies of a picture that the net is shown: several for a small model, one for a heavy one.

    ``detailed``: one of them may be larger than the model's usual size; see ``choose_views``.

    Raises:
        OptionError: not even the smallest copy fits into ``options.max_memory``, or the model cannot tell; or the
            render factor is beyond what a model that cannot tell is shown.
    """
    side, notes = _square_side(engine, options)
    if options.classic:
        return RenderPlan((View(side, side),), notes)
    spec = engine.spec
    if options.size or not (options.render_factor or isinstance(engine, MemoryAware)):
        size = options.size or (spec.render_px if spec.single_view else None)
        return RenderPlan(choose_views(width, height, spec, size, detailed=detailed), notes)
    aspect = min(width, height) / max(width, height)
    short_px = max(SMALLEST_SIDE_PX, round(side * math.sqrt(aspect)))
    copy = render_size(width, height, short_px, multiple=spec.multiple, stride=spec.output_stride)
    return RenderPlan((View(*copy),), notes)


def _square_side(engine: Engine, options: ColorizeOptions) -> tuple[int, tuple[str, ...]]:
    """Return the side of the square whose area the copy will have, and a note if memory made it smaller."""
    asked = PX_PER_FACTOR * (options.render_factor or engine.spec.render_px // PX_PER_FACTOR)
    if options.render_factor and asked > LARGEST_RENDER_PX and not isinstance(engine, MemoryAware):
        most = LARGEST_RENDER_PX // PX_PER_FACTOR
        what = f"should be at most {most} for {engine.spec.name}, not {options.render_factor}"
        raise OptionError(what, where="render_factor")
    if options.max_memory is None:
        return asked, ()
    if not isinstance(engine, MemoryAware):
        raise OptionError(
            f"{engine.spec.name} cannot tell how much it needs", where="max_memory", next_step="Leave --max-memory out."
        )
    side = _largest_side(engine, options.max_memory * MEBIBYTE)
    if side >= asked:
        return asked, ()
    if side < SMALLEST_SIDE_PX:
        least = engine.peak_memory_bytes(SMALLEST_SIDE_PX**2) / MEBIBYTE
        raise OptionError(f"{engine.spec.name} needs at least {math.ceil(least)} MiB", where="max_memory")
    factors = f"{side // PX_PER_FACTOR} instead of {asked // PX_PER_FACTOR}"
    return side, (f"render factor {factors}, to stay within {options.max_memory} MiB",)


def _largest_side(engine: MemoryAware, budget_bytes: int) -> int:
    """Return the largest side, a multiple of 16, that fits; 0 where none does."""
    sides = range(SMALLEST_SIDE_PX, PX_PER_FACTOR * 100 + 1, PX_PER_FACTOR)
    return max((side for side in sides if engine.peak_memory_bytes(side * side) <= budget_bytes), default=0)
