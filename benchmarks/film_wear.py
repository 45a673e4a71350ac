"""What restoring film brings back, beside frame-by-frame restoration and a temporal median; and which cuts are found.

    python benchmarks/film_wear.py [FILM ...] [--frames 24] [--photographs]

Films are scikit-image's photographs under a moving camera, and those given. They are greyed, worn (`film/ageing.py`),
restored, and compared with themselves: PSNR of luma in dB, over all frames together.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import av
import cv2
import numpy as np
from skimage import data

from photochrom.film.ageing import Wear, age_film
from photochrom.film.exposure import even_exposures, exposure_changes
from photochrom.film.matrices import Codes
from photochrom.film.motion import compare, grid_size, one_thread_each
from photochrom.film.options import FilmOptions
from photochrom.film.passages import Sight, passages
from photochrom.film.restoring import Reel, restore_reel
from photochrom.film.shots import CutsFile
from photochrom.restorer import Restorer

CODES = Codes(8, full=True)
WEARS = {
    "all": Wear(),
    "marks": Wear(6, 0, 0, 0),
    "lines": Wear(0, 2, 0, 0),
    "exposure": Wear(0, 0, 0.06, 0),
    "grain": Wear(0, 0, 0, 0.03),
    "none": Wear(0, 0, 0, 0),
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


def restored(worn: list[np.ndarray]) -> list[np.ndarray]:
    """Return the film restored by its neighbours in time."""
    height, width = worn[0].shape
    greys = [cv2.resize(luma, grid_size(width, height), interpolation=cv2.INTER_AREA) for luma in worn]
    motions = [compare(a, b) for a, b in zip(greys, greys[1:], strict=False)]
    exposures = even_exposures(exposure_changes([CODES.luma(grey) for grey in greys], motions))
    return restore_reel(Reel(worn, motions, 0, len(worn)), CODES, FilmOptions(restore=True), exposures)


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
    arguments = parser.parse_args()
    films = {name: camera_move(make(), arguments.frames) for name, make in PHOTOGRAPHS.items()}
    films |= {path.stem: read(path, arguments.frames) for path in arguments.films}
    with one_thread_each():
        joined = [luma for name in PHOTOGRAPHS for luma in films[name]]
        print(f"cuts found {cuts(joined)}, true {[arguments.frames]}")
        for wear in ("grain", "exposure"):
            worn = [np.rint(255 * x).astype(np.uint8) for x in age_film([x / 255 for x in joined], WEARS[wear])]
            print(f"  with {wear}: {cuts(worn)}")
        for name, lumas in films.items():
            for label, wear in WEARS.items():
                worn = [np.rint(255 * x).astype(np.uint8) for x in age_film([x / 255 for x in lumas], wear)]
                median = [np.median(worn[max(0, k - 1) : k + 2], axis=0) for k in range(len(worn))]
                row = f"{name:12} {label:9} worn {psnr(worn, lumas):5.1f}  temporal median {psnr(median, lumas):5.1f}"
                if arguments.photographs and label == "all":
                    with Restorer() as restorer:
                        alone = [np.asarray(restorer(luma)) for luma in worn]
                    alone = [picture[..., 0] if picture.ndim == 3 else picture for picture in alone]
                    row += f"  frame by frame {psnr(alone, lumas):5.1f}"
                print(f"{row}  film {psnr(restored(worn), lumas):5.1f}")


if __name__ == "__main__":
    main()
