"""How far does a hint carry, and does it stop at edges? The change asked for that arrives, by distance.

    python benchmarks/hints.py PHOTOS --model MODEL [--limit 40]

In each colour photograph, greyed, one thing is chosen by chance: a connected patch of like colour in the truth. One
hint of another hue (turned by 120 degrees from what is shown without it) is told in its midst, and the photograph
coloured with and without it. What arrives is the change of a*, b* along the change at the hint's own place that was
asked for: 1 where it is followed wholly. Pixels are taken together by their distance from the hint, in shares of the
short side (in brackets: in how many photographs there are any), and all up to the last distance: those of the same
thing, those of a neighbour across a clear edge, whose colour and luma in truth are others (places narrower than a
twentieth of the short side are left out: the dark between leaves is no neighbour), and those whose colour alone is
another, which a grey picture hardly shows. The last line is CIEDE2000 between the colour asked for (at that luma) and
the one shown, at the hint.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from samples import small
from skimage.morphology import disk, opening
from skimage.segmentation import flood

from photochrom import Colorizer, Hint, Photo, metrics
from photochrom.color import chroma_from_ab, lab_from_srgb, merge_luma_chroma
from photochrom.evaluation.contest import pick_photographs
from photochrom.evaluation.photographs import greyed, is_grey, read_rgb
from photochrom.luma import shrink_luma

WHERE = ("on the same thing", "across a clear edge", "of other colour only")
BANDS = (0.0, 0.03, 0.06, 0.12, 0.25, 0.5)
# Lab units: pixels of the same thing differ by less, those across an edge by more; and luma that a clear edge parts.
SAME_AB, OTHER_AB, OTHER_LUMA = 8.0, 20.0, 0.12
SMALLEST_THING, LARGEST_THING = 0.015, 0.5
NARROWEST_THING = 0.05
# Very dark and very light places can show hardly any colour: a change below this is none to speak of.
SMALLEST_CHANGE = 15.0
TRIES = 30


def choose_thing(truth_ab: np.ndarray, rng: np.random.Generator) -> tuple[int, int, np.ndarray] | None:
    """Return a place (row, column) in the midst of a thing and the thing's pixels; None where none is found."""
    height, width = truth_ab.shape[:2]
    for _ in range(TRIES):
        row, column = int(rng.integers(4, height - 4)), int(rng.integers(4, width - 4))
        apart = np.hypot(*np.moveaxis(truth_ab - truth_ab[row, column], -1, 0))
        thing = flood((apart < SAME_AB).astype(np.uint8), (row, column))
        midst = thing[row - 2 : row + 3, column - 2 : column + 3].all()
        if midst and SMALLEST_THING < thing.mean() < LARGEST_THING and (apart > OTHER_AB).mean() > SMALLEST_THING:
            return row, column, thing
    return None


def other_hue(ab: np.ndarray) -> tuple[float, float]:
    """Return a colour turned by 120 degrees, of a chroma that can be seen."""
    chroma, angle = max(25.0, min(45.0, float(np.hypot(*ab)))), np.arctan2(ab[1], ab[0]) + 2 * np.pi / 3
    return float(chroma * np.cos(angle)), float(chroma * np.sin(angle))


def arrived(truth: np.ndarray, colorizer: Colorizer, rng: np.random.Generator) -> tuple[list[np.ndarray], float] | None:
    """Return what arrives in each band of distance, for each of WHERE, and the error at the hint."""
    truth_ab = lab_from_srgb(truth / 255.0)[..., 1:]
    chosen = choose_thing(truth_ab, rng)
    if chosen is None:
        return None
    row, column, thing = chosen
    photo, (height, width) = Photo(greyed(truth)), truth.shape[:2]
    other_lab = lab_from_srgb(colorizer.run(photo).photo.pixels / 255.0)
    asked = other_hue(other_lab[row, column, 1:])
    hint = Hint(point=((column + 0.5) / width, (row + 0.5) / height), color=asked)
    told = colorizer.run(photo, [hint]).photo.pixels
    lab = lab_from_srgb(told / 255.0)
    luma = shrink_luma(photo.pixels, width, height, 1).net
    tone = np.array([luma[row, column]], dtype=np.float64)
    wanted = merge_luma_chroma(tone, chroma_from_ab(tone, np.array([asked])))[0]
    change = lab_from_srgb(wanted)[1:] - other_lab[row, column, 1:]
    if np.hypot(*change) < SMALLEST_CHANGE:
        return None
    followed = ((lab - other_lab)[..., 1:] @ change) / float(change @ change)
    y, x = np.mgrid[:height, :width]
    distance = np.hypot(y - row, x - column) / min(height, width)
    other = np.hypot(*np.moveaxis(truth_ab - truth_ab[row, column], -1, 0)) > OTHER_AB
    clear = np.abs(luma - luma[row, column]) > OTHER_LUMA
    bands = [(distance >= near) & (distance < far) for near, far in zip(BANDS, BANDS[1:], strict=False)]
    bands.append(distance < BANDS[-1])
    neighbour = opening(other & clear, disk(max(1, round(NARROWEST_THING * min(height, width) / 2))))
    parts = [
        np.array([followed[band & where].mean() if (band & where).any() else np.nan for band in bands])
        for where in (thing, neighbour, other & ~clear)
    ]
    shown = np.rint(wanted * 255).astype(np.uint8)[None, None]
    return parts, float(metrics.ciede2000_map(shown, told[row : row + 1, column : column + 1]).mean())


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--model", required=True)
    parser.add_argument("--limit", type=int, default=40)
    arguments = parser.parse_args()
    colorizer, rng = Colorizer(arguments.model), np.random.default_rng(0)
    found = []
    for photograph in pick_photographs(arguments.photos, limit=arguments.limit):
        truth = small(read_rgb(photograph.path))
        if not is_grey(truth) and (answer := arrived(truth, colorizer, rng)) is not None:
            found.append(answer)
    print(f"the change asked for that arrives, mean of {len(found)} photographs, by distance from the hint")
    print(f"{'':22}" + "".join(f"{f'to {far:g}':>12}" for far in BANDS[1:]) + f"{'all':>12}")
    for part, name in enumerate(WHERE):
        bands = zip(*(one[0][part] for one in found), strict=True)
        known = [[one for one in band if not np.isnan(one)] for band in bands]
        told = [f"{np.mean(band):.2f} ({len(band)})" if band else "-" for band in known]
        print(f"{name:22}" + "".join(f"{cell:>12}" for cell in told))
    print(f"at the hint: {np.mean([one[1] for one in found]):.2f} CIEDE2000 from the colour asked for")


if __name__ == "__main__":
    main()
