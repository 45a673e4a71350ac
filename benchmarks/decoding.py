"""How the net is best asked: sizes, mirror images, ways to average them, vividness. Errors against true colours.

    python benchmarks/decoding.py PHOTOS --model MODEL.onnx --limit 60
    python benchmarks/decoding.py PHOTOS --model MODEL.onnx --limit 60 --split grain

For each way: mean CIEDE2000 under shared luma on a 128 x 128 grid and its share below the grey prediction,
colourfulness as a share of the truth's, and the error once all pictures are scaled to 90 % of the truth's
colourfulness, since fainter colours always have less error. The choices of `photochrom.coloring.prediction` and
`photochrom.coloring.grading` were made by this; run it for a new model. Some seconds per
photograph.
"""

from __future__ import annotations

import argparse
import hashlib
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from photochrom.color import chroma_from_ab, ciede2000, colorfulness, lab_from_srgb, luma, merge_luma_chroma
from photochrom.coloring.prediction import View, annealed_mean, be_cautious, choose_views, enlarge, show
from photochrom.engines.onnx import OnnxEngine
from photochrom.evaluation import stress
from photochrom.luma import luma_codes, show_clearly, shrink_luma

GRID = 128
OWN = 0.0  # the photograph's own short side, as far as the model looks at it
SIZES = (5 / 7, 1.0, 9 / 7, 2.0, OWN)
SUBSET = 4  # every fourth cell in each direction is judged: neighbours say the same
TARGET_SHARE = 0.9
Answers = dict[tuple[float, bool], np.ndarray]  # logits by (share of the model's size or OWN, mirrored)


def answers(rgb: np.ndarray, engine: OnnxEngine) -> Answers:
    """Return the logits of every view at the judged cells, (K, n, n)."""
    spec, found = engine.spec, {}
    grey = luma_codes(rgb)[..., None]
    for size in SIZES:
        short = round(size * spec.render_px / spec.multiple) * spec.multiple if size != OWN else None
        largest = choose_views(rgb.shape[1], rgb.shape[0], spec, short)[0]
        width, height = largest.width, largest.height
        net, _ = show_clearly(shrink_luma(grey, width, height, spec.output_stride).net)
        for mirrored in (False, True):
            logits = show(net, View(width, height, mirrored), engine, ("logits",))["logits"]
            found[size, mirrored] = enlarge(logits, GRID, GRID)[:, SUBSET // 2 :: SUBSET, SUBSET // 2 :: SUBSET]
    return found


def ways(engine: OnnxEngine) -> dict[str, Callable[[Answers], np.ndarray]]:
    """Return each way of making a*, b* (2, n, n) of the views' logits."""
    spec = engine.spec
    bins = np.array(spec.bins_ab, dtype=np.float32)
    small, usual, larger, twice, own = SIZES

    def decoded(logits: np.ndarray) -> np.ndarray:
        return annealed_mean(logits, bins, spec.temperature)

    def colors(*views: tuple[float, bool]) -> Callable[[Answers], np.ndarray]:
        return lambda found: np.mean([decoded(found[view]) for view in views], axis=0)

    def logits(*views: tuple[float, bool]) -> Callable[[Answers], np.ndarray]:
        return lambda found: decoded(np.mean([found[view] for view in views], axis=0))

    def nearest(*views: tuple[float, bool]) -> Callable[[Answers], np.ndarray]:
        def choose(found: Answers) -> np.ndarray:
            each = np.stack([decoded(found[view]) for view in views])
            return each[np.hypot(*np.moveaxis(each - each.mean(0), 1, 0)).mean((1, 2)).argmin()]

        return choose

    def cautious(caution: float, gain: float) -> Callable[[Answers], np.ndarray]:
        return lambda found: gain * be_cautious({"logits": found[usual, False]}, spec, caution)["ab"]

    pair, both = ((small, False), (usual, True)), ((usual, False), (usual, True))
    four = tuple((size, m) for size in (small, usual) for m in (False, True))
    names = {size: f"{size:.2f}" if size else "the photograph's" for size in SIZES}
    table = {
        f"one, {names[size]}{', mirrored' if m else ''}": colors((size, m)) for size in SIZES for m in (False, True)
    }
    table |= {"colours: usual size, both ways": colors(*both), "colours: pair": colors(*pair)}
    table |= {
        "colours: four": colors(*four),
        "colours: three sizes": colors(*((size, False) for size in (small, usual, larger))),
    }
    table |= {
        "logits: usual size, both ways": logits(*both),
        "logits: pair": logits(*pair),
        "logits: usual, and the photograph's, mirrored": logits((usual, False), (own, True)),
        "logits: usual, and twice mirrored": logits((usual, False), (twice, True)),
        "logits: usual and twice, both ways": logits(*both, (twice, False), (twice, True)),
        "nearest to the mean of three": nearest(*((size, False) for size in (small, usual, larger))),
    }
    for vividness in (0.75, 0.5):
        table[f"vividness {vividness}: gain"] = cautious(0, vividness)
        table[f"vividness {vividness}: caution"] = cautious(1 - vividness, vividness**0.5)
    return table


def judged(y: np.ndarray, ab: np.ndarray, truth_lab: np.ndarray) -> tuple[float, float]:
    """Return (mean CIEDE2000, colourfulness) of a*, b* under the true lightness."""
    error = ciede2000(truth_lab, np.concatenate([truth_lab[..., :1], np.moveaxis(ab, 0, -1)], axis=-1)).mean()
    return float(error), colorfulness(merge_luma_chroma(y, chroma_from_ab(y, np.moveaxis(ab, 0, -1))))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--limit", type=int, default=60)
    parser.add_argument("--split", choices=stress.SPLITS, help="the damage that the net sees them under")
    given = parser.parse_args()
    engine = OnnxEngine(given.model)
    table = ways(engine)
    files = sorted(given.photos.iterdir(), key=lambda path: hashlib.sha256(path.name.encode()).digest())[: given.limit]
    made: dict[str, list[np.ndarray]] = {name: [] for name in table}
    truths = []
    start = time.perf_counter()
    for file in files:
        rgb = np.asarray(Image.open(file).convert("RGB"))
        small = np.asarray(Image.fromarray(rgb).resize((GRID, GRID), Image.Resampling.BOX), dtype=np.float32) / 255
        small = small[SUBSET // 2 :: SUBSET, SUBSET // 2 :: SUBSET]
        truths.append((luma(small), lab_from_srgb(small), colorfulness(small)))
        found = answers(stress.given_to_colorizer(given.split, rgb, file.name) if given.split else rgb, engine)
        for name, way in table.items():
            made[name].append(way(found))
    print(f"{len(files)} photographs, {(time.perf_counter() - start) / len(files):.2f} s each")
    report(made, truths)


def report(made: dict[str, list[np.ndarray]], truths: list[tuple[np.ndarray, np.ndarray, float]]) -> None:
    """Print the table."""
    true_color = np.mean([color for _, _, color in truths])

    def mean(abs_: list[np.ndarray], gain: float) -> tuple[float, float]:
        rows = [judged(y, gain * ab, lab) for (y, lab, _), ab in zip(truths, abs_, strict=True)]
        error, color = np.mean(rows, axis=0)
        return float(error), float(color / true_color)

    grey = mean([np.zeros_like(ab) for ab in next(iter(made.values()))], 1)[0]
    print(f"{'grey':46} dE {grey:.3f}")
    for name, abs_ in made.items():
        error, share = mean(abs_, 1)
        gain = 1.0
        for _ in range(4):
            matched, reached = mean(abs_, gain)
            gain *= TARGET_SHARE / max(reached, 1e-3)
        print(f"{name:46} dE {error:.3f} ({error / grey - 1:+.1%})  colour {share:.0%}  at 90 %: {matched:.3f}")


if __name__ == "__main__":
    main()
