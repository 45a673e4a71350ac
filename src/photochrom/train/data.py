"""Photographs for training: decoded once, and made into batches that a seed and a step fix.

Batch ``n`` of a stage is a pure function of (seed, stage, n): which photographs, which crops, which damage.
That makes resuming exact without saving a reader's position, and lets any thread prepare any batch.
"""

from __future__ import annotations

import fnmatch
import functools
import io
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from photochrom.color import lab_from_srgb
from photochrom.degradation.ageing import AgeOptions
from photochrom.errors import TrainingError
from photochrom.files.plain import plain_rgb
from photochrom.train.config import Stage
from photochrom.train.degrade import make_pair
from photochrom.train.hints import colours_of, tell
from photochrom.train.index import Place, find_photos
from photochrom.train.sections import DataSection, HintsSection, TaskSection

VALIDATION_SEED = 977
NO_AB = np.zeros((2, 0, 0), dtype=np.float32)
NO_HINTS = np.zeros((3, 0, 0), dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Batch:
    """What one step learns from.

    ``photo`` (B, 1 or 3, S, S), 0..1: what the network sees; ``rgb`` (B, 3, S, S), sRGB 0..1: the clean photograph;
    ``ab`` (B, 2, s, s), Lab units, at the size of the network's answer; ``mask`` (B, 1, S, S), 1 where damage hides the
    photograph; ``hints`` (B, 3, S, S), Lab a*, b* and weight: empty where the task does not need them; ``names`` of the
    photographs.
    """

    photo: npt.NDArray[np.float32]
    rgb: npt.NDArray[np.float32]
    ab: npt.NDArray[np.float32]
    mask: npt.NDArray[np.float32]
    hints: npt.NDArray[np.float32]
    names: tuple[str, ...]


class PhotoSet:
    """Decoded photographs by number, kept in memory up to a limit; the unusable ones are remembered by name.

    Safe to use from several threads. ``largest_px`` has a number for each place: the largest size it is shown at.
    """

    def __init__(
        self,
        places: list[Place],
        *,
        short_side_px: int,
        min_chroma: float,
        cache_gb: float,
        largest_px: npt.NDArray[np.int64] | None = None,
    ) -> None:
        self.places, self.largest_px = places, largest_px
        self.short_side_px = short_side_px
        self.min_chroma = min_chroma
        self.corrupt: dict[str, str] = {}
        self.grey: set[str] = set()
        self._cache: dict[Place, npt.NDArray[np.uint8] | None] = {}
        self._room = int(cache_gb * 2**30)

    def __len__(self) -> int:
        return len(self.places)

    def shown_at(self, size_px: int) -> npt.NDArray[np.int64]:
        """Return the numbers of the photographs that are shown at a size.

        Raises:
            TrainingError: there are none.
        """
        if self.largest_px is None:
            return np.arange(len(self.places))
        numbers = np.flatnonzero(self.largest_px >= size_px)
        if not len(numbers):
            raise TrainingError(f"no photographs are shown at {size_px} px", next_step="Check data.largest_px")
        return numbers

    def photo(self, number: int) -> npt.NDArray[np.uint8] | None:
        """Return a photograph as (H, W, 3) sRGB codes, its short side at most ``short_side_px``; None if unusable."""
        place = self.places[number]
        if place in self._cache:
            return self._cache[place]
        pixels = self._decode(place)
        size = 0 if pixels is None else pixels.nbytes
        if size <= self._room:
            self._room -= size
            self._cache[place] = pixels
        return pixels

    def usable_photo(self, number: int) -> tuple[str, npt.NDArray[np.uint8]]:
        """Return the name and pixels of that photograph, or of the next usable one after it."""
        for offset in range(len(self.places)):
            chosen = (number + offset) % len(self.places)
            pixels = self.photo(chosen)
            if pixels is not None:
                return self.places[chosen].name, pixels
        raise TrainingError(
            f"none of {len(self.places)} photographs is usable: {len(self.corrupt)} corrupt, {len(self.grey)} grey",
            next_step="Check data.photos and data.min_chroma",
        )

    def _decode(self, place: Place) -> npt.NDArray[np.uint8] | None:
        try:
            with Image.open(io.BytesIO(place.read())) as picture:
                picture.draft("RGB", (self.short_side_px, self.short_side_px))
                rgb = plain_rgb(picture)
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
            self.corrupt[place.name] = str(error)
            return None
        scale = self.short_side_px / min(rgb.size)
        if scale < 1:
            size = (max(1, round(rgb.width * scale)), max(1, round(rgb.height * scale)))
            rgb = rgb.resize(size, Image.Resampling.BICUBIC, reducing_gap=2)
        if self.min_chroma and _mean_chroma(rgb) < self.min_chroma:
            self.grey.add(place.name)
            return None
        return np.asarray(rgb)


def _mean_chroma(picture: Image.Image) -> float:
    """Return the mean Lab chroma of a picture, from a thumbnail."""
    thumbnail = np.asarray(picture.resize((32, 32), Image.Resampling.BOX), dtype=np.float32) / 255
    return float(np.hypot(*np.moveaxis(lab_from_srgb(thumbnail)[..., 1:], -1, 0)).mean())


def crop_square(
    pixels: npt.NDArray[np.uint8], size_px: int, zoom: float, rng: np.random.Generator, *, enlarges: bool = True
) -> Image.Image:
    """Return a random square of the photograph, perhaps mirrored, resampled to ``size_px`` with antialiasing.

    Unless it ``enlarges``, the square has that many pixels where the photograph has: it is sharp then.
    """
    height, width = pixels.shape[:2]
    side = min(height, width) / np.exp(rng.uniform(0, np.log(zoom)))
    if not enlarges:
        side = max(side, min(height, width, size_px))
    left, top = rng.uniform(0, width - side), rng.uniform(0, height - side)
    picture = Image.fromarray(pixels).resize(
        (size_px, size_px), Image.Resampling.BICUBIC, box=(left, top, left + side, top + side)
    )
    return picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if rng.random() < 0.5 else picture


@functools.lru_cache(maxsize=4)
def shuffled_order(seed: int, stage_number: int, epoch: int, count: int) -> npt.NDArray[np.int64]:
    """Return the order in which one epoch visits the photographs."""
    return np.random.default_rng((seed, stage_number, epoch)).permutation(count)


class BatchSource:
    """Batches of one photo set, as a pure function of seed, stage and step.

    Of several processes, number ``rank`` prepares only its own share of each batch. Colours to learn are made at
    1/``stride`` of the size, and hints where a section says how.
    """

    def __init__(
        self,
        photos: PhotoSet,
        zoom: float,
        task: TaskSection,
        age_options: AgeOptions,
        seed: int,
        *,
        rank: int = 0,
        processes: int = 1,
        stride: int = 2,
        hints: HintsSection | None = None,
        enlarges: bool = True,
    ) -> None:
        self.stride, self.hints, self.enlarges = stride, hints, enlarges
        self.photos, self.zoom, self.task, self.age_options, self.seed = photos, zoom, task, age_options, seed
        self.rank, self.processes = rank, processes

    def batch(self, stage: Stage, stage_number: int, step: int) -> Batch:
        """Return the batch of that step: every photograph once per epoch, in an order drawn per epoch."""
        first, last = step * stage.batch, (step + 1) * stage.batch
        sizes = stage.sides_px
        size_px = sizes[np.random.default_rng((self.seed, stage_number, step, len(sizes))).integers(len(sizes))]
        return self.at(size_px, stage_number, range(first + self.rank, last, self.processes))

    def at(self, size_px: int, stage_number: int, positions: Iterable[int]) -> Batch:
        """Return the photographs at these positions of a stage, cropped and damaged as each position's seed says."""
        pairs, colours, hints, names = [], [], [], []
        numbers = self.photos.shown_at(size_px)
        for position in positions:
            epoch, index = divmod(position, len(numbers))
            order = shuffled_order(self.seed, stage_number, epoch, len(numbers))
            rng = np.random.default_rng((self.seed, stage_number, position))
            name, pixels = self.photos.usable_photo(int(numbers[order[index]]))
            picture = crop_square(pixels, size_px, self.zoom, rng, enlarges=self.enlarges)
            pairs.append(make_pair(np.asarray(picture), self.task, self.age_options, rng))
            ab, told = self._colours(picture, rng)
            colours.append(ab)
            hints.append(told)
            names.append(name)
        photo, clean, mask = (np.stack([getattr(pair, part) for pair in pairs]) for part in ("photo", "clean", "mask"))
        return Batch(photo, clean, np.stack(colours), mask, np.stack(hints), tuple(names))

    def _colours(
        self, picture: Image.Image, rng: np.random.Generator
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Return the colours to learn, and the hints that tell some of them."""
        if self.task.target != "color":
            return NO_AB, NO_HINTS
        if self.hints is None:
            return colours_of(picture, self.stride), NO_HINTS
        return tell(picture, self.stride, self.hints, rng)

    def batches(self, stage: Stage, stage_number: int, first_step: int, workers: int) -> Iterator[Batch]:
        """Yield the stage's batches from ``first_step`` on, prepared ahead by background threads."""
        with ThreadPoolExecutor(workers, thread_name_prefix="photos") as pool:
            ahead: list[Future[Batch]] = []
            for step in range(first_step, stage.steps):
                ahead.append(pool.submit(self.batch, stage, stage_number, step))
                if len(ahead) > 2 * workers:
                    yield ahead.pop(0).result()
            for future in ahead:
                yield future.result()


def open_photo_sets(data: DataSection, largest_px: int) -> tuple[PhotoSet, PhotoSet]:
    """Return the training and the validation photographs; the split is the same in every run on the same files."""
    places = find_photos(data.photos, data.index)
    kept_back = [place for place in places if fits(place, data.held_out)]
    pool = kept_back if data.held_out else places
    order = np.random.default_rng(VALIDATION_SEED).permutation(len(pool))
    most = len(pool) if data.held_out else len(pool) // 5
    validation = [pool[i] for i in sorted(order[: min(data.validation_photos, most)])]
    aside = set(kept_back) | set(validation)
    training = [place for place in places if place not in aside for _ in range(times(place, data))]
    # Zooming into a crop needs that much more than the crop's size.
    short_side_px = int(largest_px * data.zoom)
    shown_up_to = np.array([most_px(place, data) for place in training]) if data.largest_px else None
    return (
        PhotoSet(
            training,
            short_side_px=short_side_px,
            min_chroma=data.min_chroma,
            cache_gb=data.cache_gb,
            largest_px=shown_up_to,
        ),
        PhotoSet(validation, short_side_px=short_side_px, min_chroma=data.min_chroma, cache_gb=data.cache_gb),
    )


def fits(place: Place, patterns: Iterable[str]) -> bool:
    """Return whether a photograph's name fits one of the patterns."""
    return any(fnmatch.fnmatch(place.name, pattern) for pattern in patterns)


def times(place: Place, data: DataSection) -> int:
    """Return how often an epoch visits a photograph: the largest of the ``repeats`` whose pattern its name fits."""
    return max((many for pattern, many in data.repeats.items() if fnmatch.fnmatch(place.name, pattern)), default=1)


def most_px(place: Place, data: DataSection) -> int:
    """Return the largest size at which a photograph is shown, the smallest that a fitting pattern has."""
    fitting = [size for pattern, size in data.largest_px.items() if fnmatch.fnmatch(place.name, pattern)]
    return min(fitting, default=np.iinfo(np.int64).max)


def sample_colours(photos: PhotoSet, count: int, seed: int) -> npt.NDArray[np.float32]:
    """Return (N, 2) Lab a*b* of pixels of ``count`` random photographs, to fit a palette to."""
    rng = np.random.default_rng((seed, len(photos)))
    samples = []
    for number in rng.permutation(len(photos))[:count]:
        picture = Image.fromarray(photos.usable_photo(int(number))[1]).resize((48, 48), Image.Resampling.BOX)
        rgb = np.asarray(picture, dtype=np.float32) / 255
        samples.append(lab_from_srgb(rgb)[..., 1:].reshape(-1, 2).astype(np.float32))
    return np.concatenate(samples)


def write_unusable(path: Path, *photo_sets: PhotoSet) -> int:
    """Write the names of corrupt and grey photographs met so far, one a line, and return how many they are."""
    lines = [f"corrupt\t{name}\t{why}" for photos in photo_sets for name, why in sorted(photos.corrupt.items())]
    lines += [f"grey\t{name}" for photos in photo_sets for name in sorted(photos.grey)]
    if lines:
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return len(lines)
