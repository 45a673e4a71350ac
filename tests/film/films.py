"""Small films made here: moving pictures with sound, subtitles, chapters and every oddity that a test asks for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from photochrom.film.planes import layout_of, plane_of

WIDTH, HEIGHT = 96, 64


def scene(seed: int, side: int = 160) -> np.ndarray:
    """Return a picture (side, side) uint8 of smooth shapes and texture, another for each seed."""
    random = np.random.default_rng(seed)
    coarse = random.uniform(30, 225, (9, 9)).astype(np.float32)
    smooth = cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC)
    fine = cv2.resize(random.normal(0, 12, (side // 2, side // 2)).astype(np.float32), (side, side))
    return np.clip(smooth + fine, 16, 235).astype(np.uint8)


def panned(
    picture: np.ndarray, count: int, width: int = WIDTH, height: int = HEIGHT, step: float = 1.5
) -> list[np.ndarray]:
    """Return luma planes (height, width) of a camera that pans over a picture."""
    moves = [np.array([[1, 0, -step * k], [0, 1, -0.5 * step * k]], np.float32) for k in range(count)]
    return [
        cv2.warpAffine(picture, move, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
        for move in moves
    ]


def two_shots(count: int = 10, **size: int) -> list[np.ndarray]:
    """Return luma planes of two shots of ``count`` frames."""
    return [*panned(scene(1), count, **size), *panned(scene(2), count, **size)]


def write_film(
    path: Path,
    lumas: Sequence[np.ndarray],
    *,
    codec: str = "ffv1",
    pixels: str = "yuv420p",
    options: dict[str, str] | None = None,
    times: Sequence[int] | None = None,
    base: Fraction = Fraction(1, 25),
    chroma: Sequence[np.ndarray] | None = None,
    sound: bool = False,
    subtitles: bool = False,
    rotation: int = 0,
    aspect: Fraction = Fraction(1),
    tags: tuple[int, int, int, int] = (2, 2, 2, 1),
    metadata: dict[str, str] | None = None,
    chapters: list[dict[str, Any]] | None = None,
    flags: Any = 0,
    muxer: dict[str, str] | None = None,
    mirrored: bool = False,
) -> Path:
    """Write a film of these luma planes, with neutral or given chroma, and return its path."""
    height, width = lumas[0].shape
    with av.open(str(path), "w", container_options=muxer or {}) as container:
        container.metadata.update(metadata or {})
        if chapters:
            container.set_chapters(chapters)
        stream: Any = container.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt, stream.options = width, height, pixels, options or {}
        stream.time_base = stream.codec_context.time_base = base
        stream.codec_context.sample_aspect_ratio = aspect
        context = stream.codec_context
        context.color_primaries, context.color_trc, context.colorspace, context.color_range = tags
        if flags:
            context.flags |= flags
        if rotation or mirrored:
            stream.set_display_rotation(rotation, hflip=mirrored)
        voice: Any = container.add_stream("flac", rate=48000) if sound else None
        words: Any = container.add_mux_stream("subrip") if subtitles else None
        step = max(1, round(Fraction(1, 25) / base))
        for k, luma in enumerate(lumas):
            frame = frame_of(luma, pixels, None if chroma is None else chroma[k])
            frame.pts, frame.time_base = (times[k] if times else k * step), base
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if voice is not None:
            for packet in _sound(voice, len(lumas) / 25):
                container.mux(packet)
        if words is not None:
            packet = av.Packet(b"Good evening.")
            packet.stream, packet.time_base, packet.pts, packet.dts, packet.duration = (
                words,
                Fraction(1, 1000),
                40,
                40,
                200,
            )
            container.mux(packet)
    return path


def frame_of(luma: np.ndarray, pixels: str, chroma: np.ndarray | None = None) -> av.VideoFrame:
    """Return a frame with this luma; 8-bit codes are shifted where the format is deeper."""
    height, width = luma.shape
    layout = layout_of(pixels, full_range=False, where="")
    frame = av.VideoFrame(width, height, pixels)
    plane_of(frame, 0, layout.codes)[:] = luma if luma.dtype == layout.codes.dtype else luma.astype(np.uint16) << 2
    for k in range(1, len(frame.planes)):
        plane_of(frame, k, layout.codes)[:] = layout.codes.neutral if chroma is None else chroma[..., k - 1]
    return frame


def _sound(stream: Any, seconds: float) -> Iterator[Any]:
    tone = (8000 * np.sin(np.arange(round(48000 * seconds)) / 17)).astype(np.int16)
    for start in range(0, len(tone), 4096):
        frame = av.AudioFrame.from_ndarray(tone[None, start : start + 4096], format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = 48000, start, Fraction(1, 48000)
        yield stream.encode(frame)
    yield stream.encode(None)


def read_planes(path: Path) -> list[tuple[Fraction, list[np.ndarray]]]:
    """Return (time, planes) of every frame."""
    with av.open(str(path)) as container:
        found = []
        for frame in container.decode(video=0):
            layout = layout_of(frame.format.name, full_range=False, where="")
            planes = [plane_of(frame, k, layout.codes).copy() for k in range(len(frame.planes))]
            found.append((frame.pts * frame.time_base, planes))
        return found


def read_packets(path: Path, kind: str) -> list[tuple[float, bytes]]:
    """Return (seconds, bytes) of every packet of the first stream of a kind."""
    with av.open(str(path)) as container:
        stream = next(stream for stream in container.streams if stream.type == kind)
        return [(float(p.pts * p.time_base), bytes(p)) for p in container.demux(stream) if p.size and p.pts is not None]
