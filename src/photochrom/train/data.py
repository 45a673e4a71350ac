"""Photographs for training: an index over shards and folders, decoded once, and batches that a seed and a step fix.

Batch ``n`` of a stage is a pure function of (seed, stage, n): which photographs, which crops, which damage.
That makes resuming exact without saving a reader's position, and lets any thread prepare any batch.
"""

from __future__ import annotations

import functools
import glob
import io
import tarfile
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from photochrom.color import lab_from_srgb
from photochrom.errors import TrainingError
from photochrom.train.config import DataSection, Stage
from photochrom.train.degrade import AgeOptions, age

PHOTO_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}
VALIDATION_SEED = 977


@dataclass(frozen=True, slots=True)
class Place:
    """Where one photograph's bytes are: a file, or a stretch of a tar shard."""

    file: Path
    name: str
    offset: int = 0
    length: int = -1

    def read(self) -> bytes:
        """Return the bytes of the picture file."""
        with self.file.open("rb") as stream:
            stream.seek(self.offset)
            return stream.read(self.length)


@dataclass(frozen=True, slots=True)
class Batch:
    """What one step learns from.

    ``luma`` (B, 1, S, S), 0..1, aged; ``ab`` (B, 2, S/2, S/2), Lab units, of the clean photograph.
    """

    luma: npt.NDArray[np.float32]
    ab: npt.NDArray[np.float32]


def find_photos(patterns: tuple[Path, ...]) -> list[Place]:
    """Return every photograph in the tar shards, folders and files that the patterns name, in a stable order.

    Raises:
        TrainingError: a pattern matches nothing, or nothing that matched is a photograph.
    """
    places: list[Place] = []
    for pattern in patterns:
        matches = sorted(Path(match) for match in glob.glob(str(pattern)))
        if not matches:
            raise TrainingError("no such file or folder", where=str(pattern), next_step="Check data.photos")
        for match in matches:
            places.extend(_places_in(match))
    if not places:
        raise TrainingError("no photographs found", where=", ".join(map(str, patterns)), next_step="Check data.photos")
    return places


def _places_in(path: Path) -> Iterator[Place]:
    if path.is_dir():
        for file in sorted(path.rglob("*")):
            if file.suffix.lower() in PHOTO_SUFFIXES and file.is_file():
                yield Place(file, str(file))
    elif path.suffix == ".tar":
        with tarfile.open(path) as shard:
            for member in shard:
                if member.isfile() and Path(member.name).suffix.lower() in PHOTO_SUFFIXES:
                    yield Place(path, f"{path}:{member.name}", member.offset_data, member.size)
    elif path.suffix.lower() in PHOTO_SUFFIXES:
        yield Place(path, str(path))


class PhotoSet:
    """Decoded photographs by number, kept in memory up to a limit; the unusable ones are remembered by name.

    Safe to use from several threads.
    """

    def __init__(self, places: list[Place], *, short_side_px: int, min_chroma: float, cache_gb: float) -> None:
        self.places = places
        self.short_side_px = short_side_px
        self.min_chroma = min_chroma
        self.corrupt: dict[str, str] = {}
        self.grey: set[str] = set()
        self._cache: dict[int, npt.NDArray[np.uint8] | None] = {}
        self._room = int(cache_gb * 2**30)

    def __len__(self) -> int:
        return len(self.places)

    def photo(self, number: int) -> npt.NDArray[np.uint8] | None:
        """Return a photograph as (H, W, 3) sRGB codes, its short side at most ``short_side_px``; None if unusable."""
        if number in self._cache:
            return self._cache[number]
        pixels = self._decode(self.places[number])
        size = 0 if pixels is None else pixels.nbytes
        if size <= self._room:
            self._room -= size
            self._cache[number] = pixels
        return pixels

    def usable_photo(self, number: int) -> npt.NDArray[np.uint8]:
        """Return that photograph, or the next usable one after it."""
        for offset in range(len(self.places)):
            pixels = self.photo((number + offset) % len(self.places))
            if pixels is not None:
                return pixels
        raise TrainingError(
            f"none of {len(self.places)} photographs is usable: {len(self.corrupt)} corrupt, {len(self.grey)} grey",
            next_step="Check data.photos and data.min_chroma",
        )

    def _decode(self, place: Place) -> npt.NDArray[np.uint8] | None:
        try:
            with Image.open(io.BytesIO(place.read())) as picture:
                picture.draft("RGB", (self.short_side_px, self.short_side_px))
                rgb = picture.convert("RGB")
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
            self.corrupt[place.name] = str(error)
            return None
        scale = self.short_side_px / min(rgb.size)
        if scale < 1:
            size = (max(1, round(rgb.width * scale)), max(1, round(rgb.height * scale)))
            rgb = rgb.resize(size, Image.Resampling.BICUBIC, reducing_gap=2)
        thumbnail = np.asarray(rgb.resize((32, 32), Image.Resampling.BOX), dtype=np.float32) / 255
        if np.hypot(*np.moveaxis(lab_from_srgb(thumbnail)[..., 1:], -1, 0)).mean() < self.min_chroma:
            self.grey.add(place.name)
            return None
        return np.asarray(rgb)


def crop_square(pixels: npt.NDArray[np.uint8], size_px: int, zoom: float, rng: np.random.Generator) -> Image.Image:
    """Return a random square of the photograph, perhaps mirrored, resampled to ``size_px`` with antialiasing."""
    height, width = pixels.shape[:2]
    side = min(height, width) / np.exp(rng.uniform(0, np.log(zoom)))
    left, top = rng.uniform(0, width - side), rng.uniform(0, height - side)
    picture = Image.fromarray(pixels).resize(
        (size_px, size_px), Image.Resampling.BICUBIC, box=(left, top, left + side, top + side)
    )
    return picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if rng.random() < 0.5 else picture


def target_ab(picture: Image.Image) -> npt.NDArray[np.float32]:
    """Return the colours to learn: (2, S/2, S/2) Lab a*b* of the photograph at half its size."""
    half = np.asarray(picture.reduce(2), dtype=np.float32) / 255
    return np.ascontiguousarray(np.moveaxis(lab_from_srgb(half)[..., 1:], -1, 0), dtype=np.float32)


@functools.lru_cache(maxsize=4)
def shuffled_order(seed: int, stage_number: int, epoch: int, count: int) -> npt.NDArray[np.int64]:
    """Return the order in which one epoch visits the photographs."""
    return np.random.default_rng((seed, stage_number, epoch)).permutation(count)


class BatchSource:
    """Batches of one photo set, as a pure function of seed, stage and step."""

    def __init__(self, photos: PhotoSet, zoom: float, age_options: AgeOptions, seed: int) -> None:
        self.photos, self.zoom, self.age_options, self.seed = photos, zoom, age_options, seed

    def batch(self, stage: Stage, stage_number: int, step: int) -> Batch:
        """Return the batch of that step: every photograph once per epoch, in an order drawn per epoch."""
        lumas, colours = [], []
        for position in range(step * stage.batch, (step + 1) * stage.batch):
            epoch, index = divmod(position, len(self.photos))
            order = shuffled_order(self.seed, stage_number, epoch, len(self.photos))
            rng = np.random.default_rng((self.seed, stage_number, position))
            picture = crop_square(self.photos.usable_photo(int(order[index])), stage.size_px, self.zoom, rng)
            lumas.append(age(np.asarray(picture), rng, self.age_options)[None])
            colours.append(target_ab(picture))
        return Batch(np.stack(lumas), np.stack(colours))

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
    places = find_photos(data.photos)
    order = np.random.default_rng(VALIDATION_SEED).permutation(len(places))
    held_out = {int(i) for i in order[: min(data.validation_photos, len(places) // 5)]}
    training = [place for i, place in enumerate(places) if i not in held_out]
    validation = [places[i] for i in sorted(held_out)]
    # Zooming into a crop needs that much more than the crop's size.
    short_side_px = int(largest_px * data.zoom)
    return (
        PhotoSet(training, short_side_px=short_side_px, min_chroma=data.min_chroma, cache_gb=data.cache_gb),
        PhotoSet(validation, short_side_px=short_side_px, min_chroma=data.min_chroma, cache_gb=data.cache_gb),
    )


def sample_colours(photos: PhotoSet, count: int, seed: int) -> npt.NDArray[np.float32]:
    """Return (N, 2) Lab a*b* of pixels of ``count`` random photographs, to fit a palette to."""
    rng = np.random.default_rng((seed, len(photos)))
    samples = []
    for number in rng.permutation(len(photos))[:count]:
        picture = Image.fromarray(photos.usable_photo(int(number))).resize((48, 48), Image.Resampling.BOX)
        rgb = np.asarray(picture, dtype=np.float32) / 255
        samples.append(lab_from_srgb(rgb)[..., 1:].reshape(-1, 2).astype(np.float32))
    return np.concatenate(samples)
