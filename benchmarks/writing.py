"""Measure what the damage stage does to writing, and whether it still finds damage.

    python benchmarks/writing.py PHOTOS [--count 60] [--model FILE ...]

PHOTOS is a folder of clean photographs that no model was trained on; each is made grey and looked at three times, with
seeds of their own: damaged as in `benchmarks/restore.py`, written upon, and both. Rows for several models are
measured on the same pictures in the same run; "with the rule" is what `photochrom restore` fills, "without" what it
would fill with --fill-writing.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import numpy.typing as npt
from restore import Rows, add, codes, show
from samples import photographs

from photochrom.color import luma
from photochrom.degradation import degrade
from photochrom.degradation.engine import as_picture
from photochrom.degradation.writing import writing
from photochrom.engines.hub import find_model
from photochrom.engines.restoration import CURRENT, OnnxStage
from photochrom.options import RestoreOptions
from photochrom.restoration import damage

Codes = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]
WRITTEN = 0.08  # ink that changes a tone by less can hardly be read


def pictures(photo: Codes, number: int) -> tuple[tuple[Codes, Mask, Mask], ...]:
    """Return (picture, damage, writing) damaged, written upon, and both."""
    grey = np.repeat(luma(photo.astype(np.float32) / 255)[..., None], 3, axis=2)
    clean = degrade(grey, "train-damage-before", seed=[9, number, 0]).picture
    written = np.moveaxis(writing(as_picture(clean), np.random.default_rng([9, number, 1]), 0.5, 1.0), 0, -1)
    ink = np.abs(written - clean).max(axis=2) > WRITTEN
    none = np.zeros_like(ink)
    worn, both = (degrade(state, "train-damage", seed=[9, number, 2]) for state in (clean, written))
    return (codes(worn.picture), worn.mask, none), (codes(written), none, ink), (
        codes(both.picture), both.mask, ink & ~both.mask
    )  # fmt: skip


def measure(rows: Rows, photo: Codes, number: int, name: str, engine: OnnxStage) -> None:
    """Add one photograph's figures for one model."""
    (worn, true, _), (written, _, ink), (both, _, ink_between) = pictures(photo, number)
    if true.any():
        found = damage.search(worn, engine) >= 128
        add(rows, f"{name}: recall of damage, no writing there, %", 100 * (found & true).sum() / true.sum())
        if found.any():
            add(rows, f"{name}: precision, no writing there, %", 100 * (found & true).sum() / found.sum())
        for rule, mask in masks(worn, engine).items():
            add(rows, f"{name}: recall of what is filled {rule} the rule, %", 100 * (mask & true).sum() / true.sum())
    for state, picture, letters in (("unworn", written, ink), ("worn", both, ink_between)):
        if not letters.any():
            continue
        marked = damage.search(picture, engine) >= 128
        add(rows, f"{name}: {state}, writing marked, % of its pixels", 100 * marked[letters].mean())
        for rule, mask in masks(picture, engine).items():
            add(rows, f"{name}: {state}, writing filled {rule} the rule, %", 100 * mask[letters].mean())


def masks(picture: Codes, engine: OnnxStage) -> dict[str, Mask]:
    """Return what is filled without and with the rule on writing, whether or not the picture counts as damaged."""
    found = damage.find_damage(damage.search(picture, engine), RestoreOptions())
    return {"without": found.mask.copy(), "with": damage.without(found, picture, keep_squares=True).mask}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--model", type=Path, nargs="*", default=[], help="model files to measure beside the embedded")
    arguments = parser.parse_args()
    paths = [find_model("photochrom-damage").path, *arguments.model]
    engines = {path.stem if k else "embedded": OnnxStage(path, CURRENT["damage"]) for k, path in enumerate(paths)}
    rows: Rows = {}
    photos = photographs(arguments.photos, arguments.count)
    for number, photo in enumerate(photos):
        for name, engine in engines.items():
            measure(rows, photo, number, name, engine)
    show(f"Writing, {len(photos)} photographs of {arguments.photos.name}", dict(sorted(rows.items())), "mean")


if __name__ == "__main__":
    main()
