"""How much hints are worth: colour photographs are greyed, and some of their true colours are told.

In iColoriT's manner: pictures squashed to 256 x 256, hints of 2 x 2 pixels of the truth's mean colour at places drawn
once for each picture (those of 10 hints are the first of those of 100), PSNR over sRGB with the truth's own L* put
under the predicted a*, b*. Beside the model stands the colour copied from the nearest hint, which knows nothing of
pictures. Theirs is measured at 224 pixels on ImageNet, which its 86 million parameters were trained on.

Source: Yun et al. 2023, "iColoriT: Towards Propagating Local Hint to the Right Region in Interactive Colorization by
Leveraging Vision Transformer", section 4.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from photochrom import metrics
from photochrom.color import lab_from_srgb, srgb_from_lab
from photochrom.coloring.hearing import refuse_deaf
from photochrom.colorizer import Colorizer
from photochrom.errors import OptionError, PhotochromError
from photochrom.evaluation.contestants import row_name
from photochrom.evaluation.photographs import Photograph, Rgb, digest, greyed, is_grey, read_rgb, squashed
from photochrom.evaluation.summary import Estimate, mean_of
from photochrom.files.codecs.atomic import write_whole
from photochrom.files.photo import Photo
from photochrom.hints.hint import MOST_HINTS, Hint

PATCH_PX = 2
NEAREST = "nearest hint"
FILE = "hints.json"
Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True)
class HintScores:
    """PSNR by row and number of hints.

    Attributes:
        counts: numbers of hints, 0 first.
        psnr: by row (photographs, counts), in dB.
        keys: the photographs.
    """

    counts: tuple[int, ...]
    psnr: dict[str, Doubles]
    keys: list[str]

    def table(self) -> dict[str, list[Estimate]]:
        """Return mean and 95 % interval of each row and count; None for what one photograph cannot tell."""
        return {row: [mean_of(column) for column in values.T] for row, values in self.psnr.items()}


def checked_counts(text: str) -> tuple[int, ...]:
    """Return the numbers of hints in "1,10,100", in order, with 0 before them.

    Raises:
        OptionError: it holds something else, or more hints than are taken.
    """
    try:
        counts = sorted({int(part) for part in text.split(",")} | {0})
    except ValueError:
        raise OptionError(
            f"{text!r} is no list of numbers", where="--hints", next_step="Write --hints 1,10,100"
        ) from None
    if counts[0] < 0 or counts[-1] > MOST_HINTS:
        raise OptionError(f"numbers of hints are 1 to {MOST_HINTS}", where="--hints")
    return tuple(counts)


def measure_hints(
    photographs: Sequence[Photograph],
    models: Sequence[str],
    counts: tuple[int, ...],
    progress: Callable[[int], None] | None = None,
) -> HintScores:
    """Return what hints are worth to models, and to a copy of the nearest one.

    Raises:
        ModelError: a model cannot take hints; told before anything is measured.
        PhotoError: a photograph cannot be read.

    Cost: one run of each model per photograph and count.
    """
    sessions = {row_name(name): hearing_session(name) for name in models}
    rows: dict[str, list[list[float]]] = {name: [] for name in (*sessions, NEAREST)}
    keys = []
    for done, photograph in enumerate(photographs, 1):
        full = read_rgb(photograph.path)
        if not is_grey(full):
            truth = squashed(full)
            keys.append(photograph.key)
            places = draw_places(photograph.key, counts[-1], truth.shape[0])
            for name, session in sessions.items():
                rows[name].append([_model_psnr(session, truth, places[:count]) for count in counts])
            rows[NEAREST].append([_nearest_psnr(truth, places[:count]) for count in counts])
        if progress:
            progress(done)
    if not keys:
        raise PhotochromError("no photograph has colours", next_step="Give colour photographs")
    return HintScores(counts, {row: np.array(values) for row, values in rows.items()}, keys)


def hearing_session(model: str) -> Colorizer:
    """Return the session of a model that takes hints; raise ModelError for another."""
    session = Colorizer(model)
    refuse_deaf(session.engine.spec)
    return session


def write_scores(scores: HintScores, folder: Path) -> Path:
    """Write the table into a report's folder, and return its path; raise OutputError where it cannot be written."""
    values = {"counts": scores.counts, "photographs": scores.keys, "psnr_db": scores.table()}
    write_whole(folder / FILE, (json.dumps(values, indent=1, allow_nan=False) + "\n").encode())
    return folder / FILE


def draw_places(key: str, count: int, side: int) -> npt.NDArray[np.intp]:
    """Return (count, 2) rows and columns of patches, always the same for a photograph, none of them twice."""
    seed = int.from_bytes(digest(key)[:8], "big")
    cells = side // PATCH_PX
    chosen = np.random.default_rng(seed).permutation(cells**2)[:count]
    return np.stack([chosen // cells, chosen % cells], axis=1) * PATCH_PX


def _told(truth: Rgb, places: npt.NDArray[np.intp]) -> Doubles:
    """Return the true mean a*, b* of each patch: (n, 2)."""
    ab = lab_from_srgb(metrics.unit_range(truth))[..., 1:]
    patches = [ab[row : row + PATCH_PX, column : column + PATCH_PX].mean(axis=(0, 1)) for row, column in places]
    return np.array(patches, dtype=np.float64).reshape(-1, 2)


def _model_psnr(session: Colorizer, truth: Rgb, places: npt.NDArray[np.intp]) -> float:
    side, middles = truth.shape[0], places + PATCH_PX / 2
    hints = [
        Hint(point=(column / side, row / side), color=(float(a), float(b)))
        for (row, column), (a, b) in zip(middles, _told(truth, places), strict=True)
    ]
    shown = session.run(Photo(greyed(truth)), hints).photo.pixels
    return _psnr_under_truth(truth, lab_from_srgb(shown / np.float64(255))[..., 1:])


def _nearest_psnr(truth: Rgb, places: npt.NDArray[np.intp]) -> float:
    if not len(places):
        return _psnr_under_truth(truth, np.zeros((*truth.shape[:2], 2)))
    rows, columns = np.mgrid[: truth.shape[0], : truth.shape[1]]
    middles = places + PATCH_PX / 2 - 0.5
    squared = (rows[..., None] - middles[:, 0]) ** 2 + (columns[..., None] - middles[:, 1]) ** 2
    return _psnr_under_truth(truth, _told(truth, places)[squared.argmin(axis=-1)])


def _psnr_under_truth(truth: Rgb, ab: npt.NDArray[np.floating]) -> float:
    lightness = lab_from_srgb(metrics.unit_range(truth).astype(np.float64))[..., :1]
    return metrics.psnr(truth, np.clip(srgb_from_lab(np.concatenate([lightness, ab], axis=-1)), 0, 1))
