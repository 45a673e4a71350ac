"""Measure `photochrom restore` on photographs damaged with fixed seeds, beside doing nothing and classical methods.

    python benchmarks/restore.py PHOTOS [--count 40] [--only noise,damage] [--large]

PHOTOS is a folder of clean photographs that no model was trained on. Every row of a table is measured on the same
damaged pictures in the same run. Classical methods are given what they need and a user does not have: their strength
is the best of several for each picture, by the truth. For noise they also have to estimate it, as in use. Intervals
are 95 % bootstrap intervals of the mean.

Needs opencv-python-headless (extra `benchmark`). BM3D is ours, from the papers (`bm3d.py`): the authors' package is not
free software.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from bm3d import bm3d
from PIL import Image
from samples import photographs

import photochrom
from photochrom.color import BLUE_PER_CB, GREEN_PER_CB, GREEN_PER_CR, RED_PER_CR, chroma, luma
from photochrom.degradation import degrade
from photochrom.engines.restoration import StageEngine
from photochrom.errors import ModelNotInstalledError
from photochrom.files.photo import Photo
from photochrom.metrics import bootstrap_interval
from photochrom.options import RestoreOptions
from photochrom.restoration import damage, tone
from photochrom.restoration.inpainting import fill
from photochrom.restoration.toning import classify
from photochrom.restorer import Restorer

Picture = npt.NDArray[np.uint8]
Rows = dict[str, list[float]]
NOISE_CROP_PX = 128
BM3D_TRIES = (3, 6, 10, 16, 25)
# Above this a picture of a pair counts as untouched: no kind of wear was drawn for it.
UNTOUCHED_DB = 50.0
SCAN = (1732, 1155)  # two megapixels
LARGE_SCAN = (8660, 5774)  # fifty
OFF = {"damage": "never", "noise": "never", "tone": "never"}
CHILD = """
import json, sys, time
from photochrom.cli.app import run
from photochrom.evaluation.cost import peak_mb
start = time.perf_counter()
code = run(["restore", sys.argv[1], "-o", sys.argv[2], "--overwrite", "--quiet", *sys.argv[3:]])
print(json.dumps([code, time.perf_counter() - start, peak_mb()]))
"""


def psnr(picture: npt.NDArray[np.generic], truth: npt.NDArray[np.generic], where: object = ...) -> float:
    """Return the PSNR in dB of 8-bit pictures, 60 at most; ``where`` picks pixels."""
    error = ((picture.astype(np.float64) - truth.astype(np.float64)) ** 2)[where]
    return float(min(60, 10 * np.log10(255**2 / max(error.mean(), 1e-9)))) if error.size else float("nan")


def codes(picture: npt.NDArray[np.floating]) -> Picture:
    """Return a picture of 0..1 in 8 bits."""
    return np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8)


def pairs(
    clean: list[Picture], stage: str, seed: int = 100
) -> Iterator[tuple[Picture, Picture, npt.NDArray[np.bool_]]]:
    """Yield (truth, damaged, mask): the training's two states, with seeds of their own."""
    for number, photo in enumerate(clean):
        before = degrade(photo, f"train-{stage}-before", seed=[seed, number, 0]).picture
        worn = degrade(before, f"train-{stage}", seed=[seed, number, 1])
        yield codes(before), codes(worn.picture), worn.mask


def restored(picture: Picture, session: Restorer) -> Picture:
    """Return a picture restored by the session."""
    return np.asarray(session.run(Photo(picture)).photo.pixels)


def best(tries: list[Picture], truth: Picture) -> float:
    """Return the PSNR of the best of several tries: the strength a method would be given by the truth."""
    return max(psnr(one, truth) for one in tries)


# -- Tone -------------------------------------------------------------------------------------------------------------


def tone_rows(clean: list[Picture]) -> tuple[Rows, Rows]:
    """Return PSNR of faded photographs, and of those among them to which nothing happened."""
    faded, untouched = Rows(), Rows()
    with Restorer(RestoreOptions(**OFF | {"tone": "always"}, correct_cast=True, neutralize=True)) as session:
        for truth, worn, _ in pairs(clean, "tone"):
            rows = faded if psnr(worn, truth) < UNTOUCHED_DB else untouched
            add(rows, "nothing done", psnr(worn, truth))
            add(rows, "auto-contrast", psnr(auto_contrast(worn), truth))
            add(rows, "auto-contrast of each channel", psnr(auto_contrast(worn, per_channel=True), truth))
            sharper = auto_contrast(worn, per_channel=True, beyond=0.1)
            add(rows, "auto-contrast of each channel, 0.1 %", psnr(sharper, truth))
            add(rows, "CLAHE", best([clahe(worn, limit) for limit in (1.0, 2.0, 4.0)], truth))
            add(rows, "photochrom tone", psnr(restored(worn, session), truth))
    return faded, untouched


def auto_contrast(picture: Picture, *, per_channel: bool = False, beyond: float = 0.5) -> Picture:
    """Return the picture with so many percent of it at black, and as many at white."""
    values = picture if per_channel else luma(picture.astype(np.float32))
    low, high = np.percentile(values, [beyond, 100 - beyond], axis=(0, 1))
    return codes((picture - low) / np.maximum(high - low, 1))


def clahe(picture: Picture, limit: float) -> Picture:
    """Return the picture with its lightness equalised locally, contrast limited."""
    lab = cv2.cvtColor(picture, cv2.COLOR_RGB2LAB)
    lab[..., 0] = cv2.createCLAHE(clipLimit=limit, tileGridSize=(8, 8)).apply(lab[..., 0])
    return np.asarray(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB))


# -- Noise ------------------------------------------------------------------------------------------------------------


def noise_rows(clean: list[Picture]) -> tuple[Rows, Rows]:
    """Return PSNR of noisy photographs, and of untouched ones, on crops of which BM3D is done in seconds."""
    noisy, untouched = Rows(), Rows()
    crops = [photo[:NOISE_CROP_PX, :NOISE_CROP_PX] for photo in clean]
    with Restorer(RestoreOptions(**OFF | {"noise": "always"})) as session:
        for truth, worn, _ in pairs(crops, "noise"):
            rows = noisy if psnr(worn, truth) < UNTOUCHED_DB else untouched
            add(rows, "nothing done", psnr(worn, truth))
            add(rows, "median 3 x 3", psnr(cv2.medianBlur(worn, 3), truth))
            nlm = [cv2.fastNlMeansDenoisingColored(worn, None, h, h, 7, 21) for h in (2, 4, 7, 11, 16)]
            add(rows, "non-local means (OpenCV), best strength", best([worn, *nlm], truth))
            tries = [bm3d_rgb(worn, sigma) for sigma in BM3D_TRIES]
            add(rows, "BM3D, best strength", best([worn, *tries], truth))
            estimate = noise_strength(worn)
            blind = cv2.fastNlMeansDenoisingColored(worn, None, estimate, estimate, 7, 21) if estimate > 0 else worn
            add(rows, "non-local means, strength estimated", psnr(blind, truth))
            add(rows, "BM3D, strength estimated", psnr(bm3d_rgb(worn, estimate) if estimate > 0 else worn, truth))
            add(rows, "photochrom noise", psnr(restored(worn, session), truth))
    return noisy, untouched


def noise_strength(picture: Picture) -> float:
    """Return the noise in a picture's luma as one estimates it without the truth: its standard deviation, code values.

    Source: Donoho, Johnstone 1994, "Ideal spatial adaptation by wavelet shrinkage", section 3 (median of the finest
    diagonal wavelet coefficients, here Haar's).
    """
    y = grey(picture).astype(np.float64)[: picture.shape[0] // 2 * 2, : picture.shape[1] // 2 * 2]
    diagonal = (y[::2, ::2] - y[::2, 1::2] - y[1::2, ::2] + y[1::2, 1::2]) / 2
    return float(np.median(np.abs(diagonal)) / 0.6745)


def bm3d_rgb(picture: Picture, sigma: float) -> Picture:
    """Return the picture denoised in luma and chroma."""
    rgb = picture.astype(np.float32) / 255
    planes = np.concatenate([luma(rgb)[None], np.moveaxis(chroma(rgb), -1, 0) + 0.5]).astype(np.float32)
    y, cb, cr = bm3d(planes, sigma / 255)
    cb, cr = cb - 0.5, cr - 0.5
    return codes(
        np.stack([y + RED_PER_CR * cr, y + GREEN_PER_CB * cb + GREEN_PER_CR * cr, y + BLUE_PER_CB * cb], axis=-1)
    )


# -- Damage -----------------------------------------------------------------------------------------------------------


def damage_rows(clean: list[Picture]) -> tuple[Rows, Rows, Rows, Rows]:
    """Return how well damage is found, and PSNR of it filled by the true mask, our own, and our own with its misses."""
    found_rows, true_rows, own_rows, either_rows = Rows(), Rows(), Rows(), Rows()
    options = RestoreOptions(**OFF | {"damage": "auto"})
    with Restorer(options) as session:
        engines = session.engines
        for truth, worn, mask in pairs(clean, "damage"):
            probability = damage.search(worn, engines["damage"])
            damaged, decision = damage.find(worn, engines["damage"], options, classify(tone.squash(worn)).coloring)
            is_filled, found = decision.applied, damaged.mask
            if not mask.any():
                add(found_rows, "undamaged pictures that count as damaged, %", 100 * is_filled)
                continue
            add(found_rows, "damaged pictures that count as damaged, %", 100 * is_filled)
            add(found_rows, "IoU of the model at one half", iou(probability >= 128, mask))
            add(found_rows, "IoU of what would be filled", iou(found, mask))
            filled = filled_copy(worn, mask, engines["inpaint"])
            compare_fillings(true_rows, worn, truth, filled, mask, mask)
            if found.any():
                filled = filled_copy(worn, found, engines["inpaint"], damaged.probability)
                compare_fillings(own_rows, worn, truth, filled, found, found)
                compare_fillings(either_rows, worn, truth, filled, found, found | mask)
    return found_rows, true_rows, own_rows, either_rows


def filled_copy(
    worn: Picture, holes: npt.NDArray[np.bool_], engine: StageEngine, probability: Picture | None = None
) -> Picture:
    """Return the picture with its holes filled by the model."""
    filled = worn.copy()
    fill(filled, holes, engine, probability=probability)
    return filled


def compare_fillings(
    rows: Rows,
    worn: Picture,
    truth: Picture,
    ours: Picture,
    holes: npt.NDArray[np.bool_],
    where: npt.NDArray[np.bool_],
) -> None:
    """Add PSNR within ``where`` of every way to fill the holes."""
    marks = holes.astype(np.uint8)
    add(rows, "nothing done", psnr(worn, truth, where))
    add(rows, "Telea (OpenCV)", psnr(cv2.inpaint(worn, marks, 3, cv2.INPAINT_TELEA), truth, where))
    add(rows, "Navier-Stokes (OpenCV)", psnr(cv2.inpaint(worn, marks, 3, cv2.INPAINT_NS), truth, where))
    add(rows, "photochrom inpaint", psnr(ours, truth, where))


def iou(found: npt.NDArray[np.bool_], true: npt.NDArray[np.bool_]) -> float:
    """Return the intersection over the union of two masks."""
    return float((found & true).sum() / max(1, (found | true).sum()))


# -- Everything by itself ---------------------------------------------------------------------------------------------


def automatic_rows(clean: list[Picture]) -> Rows:
    """Return what the automatic decisions do to clean photographs, and to ones from the attic."""
    rows: Rows = {}
    with Restorer() as session:
        for number, photo in enumerate(clean):
            result = session.run(Photo(photo))
            add(rows, "clean: PSNR to the input, dB", psnr(result.photo.pixels, photo))
            add(rows, "clean: at least 38 dB, %", 100 * (psnr(result.photo.pixels, photo) >= 38))
            for decision in result.decisions:
                add(rows, f"clean: {decision.stage} applied, %", 100 * decision.applied)
            worn = codes(degrade(photo, "attic", seed=[7, number]).picture)
            after = session.run(Photo(worn))
            for decision in after.decisions:
                add(rows, f"attic: {decision.stage} applied, %", 100 * decision.applied)
            add(rows, "attic: luma PSNR before, dB", psnr(grey(worn), grey(photo)))
            add(rows, "attic: luma PSNR after, dB", psnr(grey(after.photo.pixels), grey(photo)))
    return rows


def grey(picture: npt.NDArray[np.generic]) -> Picture:
    """Return the luma of a picture."""
    return codes(luma(picture.astype(np.float32)) / 255)


# -- Whole scans ------------------------------------------------------------------------------------------------------


def scan_rows(clean: list[Picture], size: tuple[int, int]) -> Rows:
    """Return seconds and memory of restoring one scan with every stage, in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "scan.jpg")
        small = Image.fromarray(clean[0]).resize(SCAN, Image.Resampling.BICUBIC)
        worn = Image.fromarray(codes(degrade(np.asarray(small), "attic", seed=3).picture))
        worn.resize(size, Image.Resampling.BICUBIC).save(source, quality=92)
        switches = [f"--{stage}=always" for stage in ("damage", "noise", "tone")]
        child = [sys.executable, "-c", CHILD, str(source), str(Path(folder, "out.jpg")), *switches]
        done = subprocess.run(child, capture_output=True, text=True, check=True)
    code, seconds, megabytes = json.loads(done.stdout.splitlines()[-1])
    if code != 0:
        raise SystemExit(done.stderr)
    return {"seconds": [seconds], "MB, highest": [megabytes]}


# -- Tables -----------------------------------------------------------------------------------------------------------


def add(rows: Rows, name: str, value: float) -> None:
    """Add one picture's figure to a row."""
    rows.setdefault(name, []).append(value)


def show(title: str, rows: Rows, unit: str) -> None:
    """Print a table with means, intervals, and how many pictures."""
    print(f"\n{title}\n\n| | {unit} | 95 % interval | pictures |\n|---|---|---|---|")
    for name, values in rows.items():
        low, high = bootstrap_interval(np.array(values))
        between = f"{low:.2f} ... {high:.2f}" if len(values) > 1 else "-"
        print(f"| {name} | {np.mean(values):.2f} | {between} | {len(values)} |", flush=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--noise-count", type=int, default=40, help="BM3D takes seconds for each")
    parser.add_argument("--only", default="tone,noise,damage,automatic,scan", help="which tables")
    parser.add_argument("--large", action="store_true", help="also a scan of 50 megapixels")
    arguments = parser.parse_args()
    clean = photographs(arguments.photos, arguments.count)
    print(f"photochrom {photochrom.__version__}, {len(clean)} photographs of {arguments.photos.name}, "
          f"{len(os.sched_getaffinity(0))} processors")  # fmt: skip
    tables: dict[str, Callable[[], None]] = {
        "tone": lambda: show_both("Tone: faded photographs", tone_rows(clean)),
        "noise": lambda: show_both("Noise", noise_rows(clean[: arguments.noise_count])),
        "damage": lambda: show_damage(clean),
        "automatic": lambda: show("Every stage deciding by itself", automatic_rows(clean), "mean"),
        "scan": lambda: show("A scan of 2 megapixels, every stage", scan_rows(clean, SCAN), "measured"),
    }
    if arguments.large:
        tables["large"] = lambda: show("A scan of 50 megapixels", scan_rows(clean, LARGE_SCAN), "measured")
    for name, measure in tables.items():
        if name in arguments.only.split(",") or name == "large":
            start = time.perf_counter()
            try:
                measure()
            except ModelNotInstalledError as error:
                print(f"\n{name}: left out, {error}")
            print(f"\n({name}: {time.perf_counter() - start:.0f} s)", file=sys.stderr)


def show_both(title: str, tables: tuple[Rows, Rows]) -> None:
    """Print the table of worn photographs and that of untouched ones, to which the stage was applied all the same."""
    show(title, tables[0], "PSNR, dB")
    show(f"{title}: none there, corrected all the same", tables[1], "PSNR, dB")


def show_damage(clean: list[Picture]) -> None:
    """Print the three tables of the damage stage."""
    found, true, own, either = damage_rows(clean)
    show("Damage found", found, "mean")
    show("Holes filled, true mask (PSNR inside it)", true, "PSNR, dB")
    show("Holes filled, our own mask (PSNR inside it)", own, "PSNR, dB")
    show("Holes filled, our own mask (PSNR inside it and the true one, so what it missed counts)", either, "PSNR, dB")


if __name__ == "__main__":
    main()
