"""Train variants of one small run, each with a single thing changed, and judge them on photographs of another source.

    python benchmarks/ablation.py benchmarks/ablation.toml PHOTOS [--folder runs/ablation] [--only NAME ...]

``benchmarks/ablation.toml`` holds a complete configuration and, in ``[variants.NAME]`` tables, what differs. PHOTOS is
a folder of colour photographs that none of the runs is taught on; their middle squares are greyed and coloured at
128 px. A variant whose result is already in the folder is not trained again, so a stopped table goes on where it was.

The same weights are read at several temperatures, since vivid answers cost error: besides the figures at each, the
table gives the error at equal colourfulness, after a gain that brings every variant to 65 % of the truth's.
"""

from __future__ import annotations

import argparse
import json
import time
import tomllib
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch

from photochrom.color import chroma_from_ab, ciede2000, colorfulness, lab_from_srgb, luma, merge_luma_chroma
from photochrom.metrics import bootstrap_interval
from photochrom.nets.generators import ColorNet
from photochrom.train.config import TrainConfig
from photochrom.train.data import PhotoSet
from photochrom.train.index import find_photos
from photochrom.train.loop import Training
from photochrom.train.runtime import keep_freed_memory, open_runtime
from photochrom.train.trained import load_trained
from photochrom.train.validation import centre_square

JUDGED_PX, BATCH = 128, 32
TEMPERATURES = (0.3, 0.5, 1.0)
EQUAL_COLOURFULNESS = 0.65
GAINS = (0.6, 0.8, 1.0, 1.2, 1.5, 1.9, 2.4, 3.0)


def merged(base: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """Return a table with another laid over it; lists are replaced, but for one-element lists of tables (stages)."""
    out = dict(base)
    for key, value in change.items():
        if isinstance(value, dict) and isinstance(out.get(key), dict):
            out[key] = merged(out[key], value)
        elif isinstance(value, list) and len(value) == len(out.get(key, [])) == 1 and isinstance(value[0], dict):
            out[key] = [merged(out[key][0], value[0])]
        else:
            out[key] = value
    return out


def judge(net: ColorNet, squares: np.ndarray[Any, np.dtype[np.float32]]) -> dict[str, Any]:
    """Return mean CIEDE2000 against grey and colourfulness at each temperature, and at equal colourfulness."""
    answers: dict[float, list[np.ndarray[Any, Any]]] = {temperature: [] for temperature in TEMPERATURES}
    with torch.no_grad():
        for start in range(0, len(squares), BATCH):
            logits = net.eval()(torch.from_numpy(luma(squares[start : start + BATCH])[:, None].astype(np.float32)))
            for temperature, found in answers.items():
                ab = torch.nn.functional.interpolate(
                    net.palette.decode(logits, temperature), scale_factor=2.0, mode="bilinear"
                )
                found.append(ab.permute(0, 2, 3, 1).numpy())
    rows: dict[str, Any] = {}
    for temperature, found in answers.items():
        ab = np.concatenate(found)
        by_gain = {gain: _errors(squares, gain * ab) for gain in GAINS}
        share, change = by_gain[1.0]
        rows[f"{temperature}"] = {"against_grey": float(change.mean()), "colourfulness": share}
        shares = [by_gain[gain][0] for gain in GAINS]
        reaches = shares[0] <= EQUAL_COLOURFULNESS <= shares[-1]
        means = np.array([[float(v) for v in by_gain[gain][1]] for gain in GAINS])
        equal = np.array([np.interp(EQUAL_COLOURFULNESS, shares, means[:, i]) for i in range(len(squares))])
        low, high = bootstrap_interval(equal)
        rows[f"{temperature}"]["at_equal"] = [float(equal.mean()), low, high] if reaches else None
    return rows


def _errors(
    squares: np.ndarray[Any, np.dtype[np.float32]], ab: np.ndarray[Any, Any]
) -> tuple[float, np.ndarray[Any, Any]]:
    """Return the share of the truth's colourfulness, and each square's error less grey's, of the mean of grey's."""
    grey = luma(squares)
    painted = merge_luma_chroma(grey, chroma_from_ab(grey, ab, refinements=1))
    true_lab, painted_lab = lab_from_srgb(squares), lab_from_srgb(painted)
    painted_lab[..., 0] = true_lab[..., 0]
    of_grey = ciede2000(true_lab, true_lab * np.array([1, 0, 0], np.float32)).mean(axis=(1, 2))
    own = ciede2000(true_lab, painted_lab).mean(axis=(1, 2))
    share = np.mean([colorfulness(p) for p in painted]) / np.mean([colorfulness(p) for p in squares])
    return float(share), (own - of_grey) / of_grey.mean()


def train(settings: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Train one variant, judged by its caller; return what it cost."""
    settings = merged(settings, {"run": {"folder": str(folder)}})
    config = TrainConfig.model_validate(settings)
    began = time.perf_counter()
    with open_runtime(config.run) as runtime:
        position = Training(config, runtime=runtime, resume=(folder / "checkpoint.safetensors").exists()).run()
    net = load_trained(folder).net
    parameters = sum(parameter.numel() for parameter in net.parameters())
    return {"photos": position.photos_seen, "minutes": (time.perf_counter() - began) / 60, "parameters": parameters}


def show(results: dict[str, dict[str, Any]]) -> None:
    """Print the table."""
    print("\n| variant | parameters | photographs seen | minutes | temperature 0.3 | 0.5 | 1 | best at 65 % |")
    print("|---|---|---|---|---|---|---|---|")
    for name, row in results.items():
        at = [row["judged"][f"{t}"] for t in TEMPERATURES]
        cells = [f"{100 * one['against_grey']:+.1f} % at {100 * one['colourfulness']:.0f} %" for one in at]
        equal = [one["at_equal"] for one in at if one["at_equal"]]
        best = min(equal, default=None)
        last = f"{100 * best[0]:+.1f} ({100 * best[1]:+.1f} ... {100 * best[2]:+.1f}) %" if best else "-"
        cost = f"{row['parameters'] / 1e6:.1f} M | {row['photos']:,} | {row['minutes']:.1f}"
        print(f"| {name} | {cost} | {' | '.join(cells)} | {last} |", flush=True)


def main() -> None:
    """Train what is missing, judge, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("plan", type=Path)
    parser.add_argument("photos", help="folder to judge by")
    parser.add_argument("--folder", type=Path, default=Path("runs/ablation"))
    parser.add_argument("--only", nargs="*", default=[])
    given = parser.parse_args()
    plan = tomllib.loads(given.plan.read_text(encoding="utf-8"))
    variants: dict[str, dict[str, Any]] = plan.pop("variants")
    photos = PhotoSet(find_photos((given.photos,)), short_side_px=JUDGED_PX, min_chroma=0.0, cache_gb=1.0)
    pixels = [photo for number in range(len(photos)) if (photo := photos.photo(number)) is not None]
    squares = np.stack([centre_square(photo, JUDGED_PX) for photo in pixels]).astype(np.float32) / 255
    keep_freed_memory()
    results: dict[str, dict[str, Any]] = {}
    for name in [name for name in variants if not given.only or name in given.only]:
        folder = given.folder / name.replace(" ", "-")
        kept = folder / "ablation.json"
        if not kept.exists():
            cost = train(merged(plan, variants[name]), folder)
            judged = judge(cast("ColorNet", load_trained(folder).net), squares)
            kept.write_text(json.dumps(cost | {"judged": judged}, indent=1), encoding="utf-8")
        results[name] = json.loads(kept.read_text(encoding="utf-8"))
        show({name: results[name]})
    show(results)


if __name__ == "__main__":
    main()
