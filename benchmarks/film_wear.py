"""What restoring film brings back, beside frame-by-frame restoration and a temporal median; and which cuts are found.

    python benchmarks/film_wear.py [FILM ...] [--frames 24] [--photographs]

Films are scikit-image's photographs under a moving camera, and those given. They are greyed, worn by the engine of
`photochrom degrade` (`degradation/reels.py`; the presets "reel" and "faded-reel", and kinds of them), restored, and
compared with themselves: PSNR of luma in dB, over all frames together.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import av
import cv2
import numpy as np
from skimage import data

from photochrom.degradation import Preset, degrade_film, presets
from photochrom.film.exposure import even_exposures, exposure_changes
from photochrom.film.matrices import Codes
from photochrom.film.motion import compare, grid_size, one_thread_each
from photochrom.film.options import FilmOptions
from photochrom.film.passages import Sight, passages
from photochrom.film.restoring import Reel, restore_reel
from photochrom.film.shots import CutsFile
from photochrom.film.treatment import Stages
from photochrom.options import EngineOptions, RestoreOptions
from photochrom.restorer import Restorer

CODES = Codes(8, full=True)


def only(*names: str) -> Preset:
    """Return the preset "reel" with some of its kinds, which happen for sure."""
    reel = presets()["reel"]
    return reel.model_copy(
        update={"kinds": {name: reel.kinds[name].model_copy(update={"chance": 1.0}) for name in names}}
    )


WEARS = {
    "all": presets()["reel"],
    "faded": presets()["faded-reel"],
    "marks": only("dust", "hairs"),
    "runs": only("film-runs"),
    "exposure": only("flicker"),
    "grain": only("grain"),
    "none": only(),
}
PHOTOGRAPHS: dict[str, Callable[[], np.ndarray]] = {"astronaut": data.astronaut, "chelsea": data.chelsea}


def camera_move(picture: np.ndarray, frames: int, width: int = 480, height: int = 360) -> list[np.ndarray]:
    """Return luma planes of a camera that pans and comes nearer, inside the picture."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    scale = 1.25 * max(width / grey.shape[1], height / grey.shape[0])
    found = []
    for k in range(frames):
        near = scale * (1 + 0.003 * k)
        move = np.array([[near, 0, -10 - 1.5 * k], [0, near, -10 - 0.6 * k]], np.float32)
        found.append(cv2.warpAffine(grey, move, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT))
    return found


def read(path: Path, frames: int) -> list[np.ndarray]:
    """Return the first luma planes of a film."""
    with av.open(str(path)) as container:
        found = (frame.to_ndarray(format="gray") for frame in container.decode(video=0))
        return [luma for luma, _ in zip(found, range(frames), strict=False)]


def psnr(lumas: list[np.ndarray], truth: list[np.ndarray]) -> float:
    """Return the PSNR over all frames, at most 99."""
    squared = np.mean([np.mean((np.asarray(a, np.float64) - b) ** 2) for a, b in zip(lumas, truth, strict=True)])
    return float(min(99, 10 * np.log10(255**2 / max(squared, 1e-9))))


def worn_by(preset: Preset, lumas: list[np.ndarray]) -> list[np.ndarray]:
    """Return a worn copy of a film, uint8."""
    return [np.rint(255 * frame.picture.mean(axis=2)).astype(np.uint8) for frame in degrade_film(lumas, preset, seed=1)]


def restored(worn: list[np.ndarray], stages: Stages) -> list[np.ndarray]:
    """Return the film restored by its neighbours in time, then by the networks."""
    height, width = worn[0].shape
    greys = [cv2.resize(luma, grid_size(width, height), interpolation=cv2.INTER_AREA) for luma in worn]
    motions = [compare(a, b) for a, b in zip(greys, greys[1:], strict=False)]
    exposures = even_exposures(exposure_changes([CODES.luma(grey) for grey in greys], motions))
    found = list(restore_reel(Reel(worn, motions, 0, len(worn)), CODES, FilmOptions(restore=True), exposures))
    treatment = stages.decide(stages.looks(worn), found[len(found) // 2])
    return list(stages.treated(found, treatment)) if treatment else found


def cuts(lumas: list[np.ndarray]) -> list[int]:
    """Return where cuts are found."""
    height, width = lumas[0].shape
    greys = [cv2.resize(luma, grid_size(width, height), interpolation=cv2.INTER_AREA) for luma in lumas]
    sights = (Sight(k, k, 1, grey, grey) for k, grey in enumerate(greys))
    return [passage.sights[0].number for passage in passages(sights, 10_000, CutsFile()) if passage.cut]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("films", nargs="*", type=Path)
    parser.add_argument("--frames", type=int, default=24)
    parser.add_argument("--photographs", action="store_true", help="restore each frame as a photograph too: minutes")
    parser.add_argument("--noise", action="store_true", help="run the noise network where it is needed: minutes")
    parser.add_argument("--wears", nargs="+", default=list(WEARS), choices=WEARS)
    arguments = parser.parse_args()
    films = {name: camera_move(make(), arguments.frames) for name, make in PHOTOGRAPHS.items()}
    films |= {path.stem: read(path, arguments.frames) for path in arguments.films}
    options = RestoreOptions(damage="never", noise="auto" if arguments.noise else "never")
    with one_thread_each(), Restorer(options, engine_options=EngineOptions(threads=1)) as restorer:
        stages = Stages(restorer, CODES)
        joined = [luma for name in PHOTOGRAPHS for luma in films[name]]
        print(f"cuts found {cuts(joined)}, true {[arguments.frames]}")
        for wear in ("grain", "exposure"):
            print(f"  with {wear}: {cuts(worn_by(WEARS[wear], joined))}")
        for name, lumas in films.items():
            for label in arguments.wears:
                worn = worn_by(WEARS[label], lumas)
                median = [np.median(worn[max(0, k - 1) : k + 2], axis=0) for k in range(len(worn))]
                row = f"{name:12} {label:9} worn {psnr(worn, lumas):5.1f}  temporal median {psnr(median, lumas):5.1f}"
                if arguments.photographs and label in {"all", "faded"}:
                    with Restorer() as photographs:
                        alone = [np.asarray(photographs(luma)) for luma in worn]
                    alone = [picture[..., 0] if picture.ndim == 3 else picture for picture in alone]
                    row += f"  frame by frame {psnr(alone, lumas):5.1f}"
                print(f"{row}  film {psnr(restored(worn, stages), lumas):5.1f}", flush=True)


if __name__ == "__main__":
    main()
