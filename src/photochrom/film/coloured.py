"""Whether a film is in colour already: its first seconds are looked at, and a tint is told from colours."""

from __future__ import annotations

import itertools
import os
from typing import Literal

import numpy as np

from photochrom.color import chroma as photo_chroma
from photochrom.errors import UnreadablePhotoError
from photochrom.files.reading import open_photo
from photochrom.film.containers import Reading, open_container, picture_stream, read_frames
from photochrom.film.matrices import Matrix, Plane
from photochrom.film.planes import chroma_of, luma_of
from photochrom.film.sources import FilmFile, PictureFolder

SECONDS, LOOKS = 10.0, 12
# Root mean square of chroma, of a range of -0.5..0.5: below it a film is grey, noise of its encoder included; and of
# what is left when each tone's own chroma is taken off, above which it has colours and not one tint.
GREY, TINT = 0.008, 0.015
TONES = 16
# By how much chroma is weaker in a transfer than in an ordinary film's, for the same colours (measured on photographs).
WEAKER = {"pq": 2.5, "hlg": 1.3}

Found = Literal["grey", "tint", "colour"]


def is_coloured(source: FilmFile | PictureFolder) -> Found:
    """Return whether the first seconds are grey, tinted (sepia, one colour for each tone), or in colour.

    The median over a dozen frames decides, so that a coloured title card does not.
    """
    looks = _film_looks(source) if isinstance(source, FilmFile) else _picture_looks(source)
    found = [_strengths(luma, chroma) for luma, chroma in looks if chroma is not None]
    if not found:
        return "grey"
    # A black leader says nothing: the stronger half of the looks is judged.
    strength, spread = (float(np.percentile([look[k] for look in found], 75)) for k in (0, 1))
    if spread >= TINT:
        return "colour"
    return "tint" if strength >= GREY else "grey"


def _strengths(luma: Plane, chroma: Plane) -> tuple[float, float]:
    """Return the root mean square of chroma, and of what one colour for each tone leaves."""
    tones = np.clip(luma * TONES, 0, TONES - 1).astype(np.intp).ravel()
    flat = chroma.reshape(-1, 2)
    counts = np.maximum(np.bincount(tones, minlength=TONES), 1)
    means = np.stack([np.bincount(tones, flat[:, k], TONES) / counts for k in (0, 1)], axis=-1)
    left = flat - means[tones]
    return tuple(float(np.sqrt((values**2).sum(axis=1).mean())) for values in (flat, left))  # type: ignore[return-value]


def _film_looks(source: FilmFile) -> list[tuple[Plane, Plane | None]]:
    info = source.info
    every = max(1, int(SECONDS * float(info.rate)) // LOOKS)
    looks: list[tuple[Plane, Plane | None]] = []
    with open_container(info.path) as container:
        stream = picture_stream(container, os.fspath(info.path))
        if info.layout.sampling == "400" and not info.layout.rgb:
            return []
        frames = read_frames(container, stream, Reading())
        for frame in itertools.islice(frames, 0, every * LOOKS, every):
            chroma = chroma_of(frame, info.layout, Matrix.of_tag(info.matrix))
            if chroma is not None:
                strength = np.float32(WEAKER.get(info.transfer.kind, 1))
                looks.append((_shrunk(info.layout.codes.luma(luma_of(frame, info.layout)), chroma), chroma * strength))
    return looks


def _shrunk(luma: Plane, chroma: Plane) -> Plane:
    import cv2

    height, width = chroma.shape[:2]
    small = cv2.resize(luma, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32).reshape(height, width)


def _picture_looks(source: PictureFolder) -> list[tuple[Plane, Plane | None]]:
    looks: list[tuple[Plane, Plane | None]] = []
    for path in source.pictures[:: max(1, len(source.pictures) // 3)][:3]:
        try:
            photo = open_photo(path, limits=source.limits)
        except UnreadablePhotoError:
            continue  # which is bridged, and told, when its turn comes
        if photo.pixels.shape[2] == 3:
            rgb = photo.pixels[::4, ::4].astype(np.float32) / photo.max_code
            looks.append((rgb.mean(axis=2), photo_chroma(rgb).astype(np.float32)))
    return looks
