"""`photochrom doctor --model M`: what a model takes on this computer, per size of the net's copy."""

from __future__ import annotations

import time

import numpy as np

from photochrom.cli.lines import say
from photochrom.coloring.rendering import MemoryAware
from photochrom.colorizer import Colorizer
from photochrom.engines.base import Engine
from photochrom.engines.generator_spec import PX_PER_FACTOR
from photochrom.errors import EXIT_OK

SHOWN_FACTORS = (7, 10, 15, 21, 28, 35, 45)
TRIED_FACTORS = (4, 10)


def print_model_cost(model: str) -> int:
    """Time the model on two small copies and print what larger ones will take."""
    start = time.perf_counter()
    with Colorizer(model) as colorizer:
        engine = colorizer.engine
        say(f"{model}: loaded in {time.perf_counter() - start:.1f} s; {engine.description}")
        if not isinstance(engine, MemoryAware):
            side = engine.spec.render_px
            say(f"{side} px: {_seconds(engine, side):.2f} s")
            return EXIT_OK
        fixed, per_pixel = _line(engine)
        say("Time from copies of render factor 4 and 10, memory from this model's measurements; both estimates:")
        say("render factor  pixels        time     memory")
        for factor in SHOWN_FACTORS:
            side = PX_PER_FACTOR * factor
            seconds, memory = fixed + per_pixel * side**2, engine.peak_memory_bytes(side**2) / 2**20
            say(f"{factor:13}  {side:4} x {side:4} {seconds:7.1f} s {memory:6.0f} MiB")
    return EXIT_OK


def _line(engine: Engine) -> tuple[float, float]:
    """Return (seconds whatever the size, seconds per pixel)."""
    small, large = (PX_PER_FACTOR * factor for factor in TRIED_FACTORS)
    seconds = [_seconds(engine, side) for side in (small, large)]
    per_pixel = max(seconds[1] - seconds[0], 0.0) / (large**2 - small**2)
    return max(seconds[0] - per_pixel * small**2, 0.0), per_pixel


def _seconds(engine: Engine, side: int) -> float:
    """Return the better of two runs."""
    luma, temperature = np.full((1, 1, side, side), 0.5, np.float32), np.array(engine.spec.temperature, np.float32)
    found = []
    for _ in range(2):
        start = time.perf_counter()
        engine.run({"luma": luma, "temperature": temperature}, ("ab",))
        found.append(time.perf_counter() - start)
    return min(found)
