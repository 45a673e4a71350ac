"""Segments joined into one film, packet by packet, with the sound, subtitles, chapters and metadata of the original.

Nothing is decoded or encoded here. Time stamps are the original's: a segment's packets are put where its first frame
was, and decode times are worked out anew over the whole film, so that they rise across segments also where the frame
rate varies.
"""

from __future__ import annotations

import heapq
import itertools
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from photochrom.errors import OptionError
from photochrom.film.containers import FilmInfo, open_container, picture_stream, spelled_path
from photochrom.film.copying import Timed, add_copies, copied_packets
from photochrom.film.encoding import set_tags
from photochrom.film.fields import ORDERS
from photochrom.film.options import Fields, Kind, Span
from photochrom.film.tags import tags_for

if TYPE_CHECKING:
    from av.container import InputContainer, OutputContainer
    from av.stream import Stream

Times = npt.NDArray[np.int64]
# Metadata that describes the container, and not the film; and the stored picture, which is another now.
CONTAINERS_OWN = {"encoder", "major_brand", "minor_version", "compatible_brands"}
# What phones call some things in MOV, and what MP4 and MOV call them else.
PHONES = {
    "com.apple.quicktime.location.iso6709": "location",
    "com.apple.quicktime.creationdate": "date",
    "com.apple.quicktime.make": "make",
    "com.apple.quicktime.model": "model",
}
PICTURES_OWN = CONTAINERS_OWN | {"vendor_id", "timecode", "duration", "bps", "number_of_frames", "number_of_bytes"}


@dataclass(frozen=True, slots=True)
class Piece:
    """A segment file, and the time stamp of its first frame in units of the film's time base."""

    path: Path
    first_pts: int


@dataclass(frozen=True, slots=True)
class Joint:
    """What a joined film is made of.

    Attributes:
        pieces: the segments in order.
        info: of the original.
        original: the file that sound and the rest are copied from; None for a folder of pictures.
        container: FFmpeg's name of the container to write.
        color_range: H.273's, as FFmpeg counts it: 1 limited, 2 full.
        span: which part of the original.
        without: kinds of streams that are left out.
        tags: metadata added to the original's.
        fields: which field comes first, where frames are interlaced.
        most_copied: packets of the original that are copied, at most; None: all.
    """

    pieces: Sequence[Piece]
    info: FilmInfo
    original: Path | None
    container: str
    color_range: int
    span: Span
    without: tuple[Kind, ...]
    tags: dict[str, str]
    fields: Fields = ""
    most_copied: int | None = None


def join(joint: Joint, target: Path) -> tuple[str, ...]:
    """Write the joined film to ``target``, and return notes on what was left out.

    Raises:
        OptionError: the container cannot hold the codec, or a stream of the original.
        OSError: it cannot be written.

    Cost: reading twice and writing. Memory: 24 bytes a frame, and the muxer's index.
    """
    import av

    notes, described = list[str](), dict[str, str]()
    source = open_container(joint.original) if joint.original else None
    try:
        with av.open(spelled_path(target), "w", format=joint.container, container_options=_settings(joint)) as output:
            pictures = _add_pictures(output, joint)
            copies = add_copies(output, source, joint.container, joint.without, notes) if source else {}
            described = _describe(output, source, joint, notes)
            if source:
                original = picture_stream(source, os.fspath(joint.original or "")).metadata
                pictures.metadata.update({k: text for k, text in original.items() if k.lower() not in PICTURES_OWN})
            ours = _picture_packets(joint, pictures)
            theirs = copied_packets(source, copies, joint.span, joint.info.shifts) if source and copies else iter(())
            theirs = itertools.islice(theirs, joint.most_copied)
            for _, _, packet in heapq.merge(ours, theirs, key=lambda timed: timed[:2]):
                output.mux_one(packet)
    except (OSError, OptionError):  # an OptionError, which is a ValueError too, says already what cannot be held
        raise
    except (ValueError, av.error.FFmpegError) as error:
        elsewhere = "another --codec" if joint.container == "matroska" else "a name ending in .mkv"
        raise OptionError(
            f"{target.suffix} cannot hold this codec, or what is copied beside the picture ({_reason(error)})",
            where="-o",
            next_step=f"Choose {elsewhere}, or add --without sound",
        ) from error
    finally:
        if source:
            source.close()
    return (*notes, *_lost(target, described))


def _reason(error: Exception) -> str:
    """Return what FFmpeg said last, without the path of a hidden file."""
    log = getattr(error, "log", None)
    return str(log[2] if log else getattr(error, "strerror", None) or error)


def _settings(joint: Joint) -> dict[str, str]:
    """Return the muxer's options: no random numbers in Matroska; in MP4 and MOV a start in the film's own units.

    Colour tags are written there also where the film has only some of them.
    """
    if joint.container == "matroska":
        return {"fflags": "+bitexact"}
    exact = joint.info.time_base.numerator == 1
    timescale = {"movie_timescale": str(joint.info.time_base.denominator)} if exact else {}
    return {"movflags": "+write_colr", **timescale}


def _add_pictures(output: OutputContainer, joint: Joint) -> Stream:
    import av

    with av.open(spelled_path(joint.pieces[0].path)) as piece:
        template = piece.streams.video[0]
        stream = output.add_stream_from_template(template, opaque=True)
        if template.codec_context.name == "hevc" and joint.container in {"mp4", "mov"}:
            stream.codec_context.codec_tag = "hvc1"  # Apple's players know no other
        stream.time_base = joint.info.time_base
        # Some segments cannot say these themselves, or only all of them together.
        if joint.fields:
            stream.codec_context.field_order = ORDERS[joint.fields]
        set_tags(stream.codec_context, (*tags_for(joint.info), joint.color_range))
    if joint.info.rotation or joint.info.mirrored:
        stream.set_display_rotation(joint.info.rotation, hflip=joint.info.mirrored)
    return stream


def _describe(output: OutputContainer, source: InputContainer | None, joint: Joint, notes: list[str]) -> dict[str, str]:
    """Copy metadata and chapters, and say what was done. Return the original's metadata that is to be there."""
    kept: dict[str, str] = {}
    if source:
        kept = {key: text for key, text in source.metadata.items() if key.lower() not in CONTAINERS_OWN}
        if joint.container != "matroska":
            kept = {PHONES.get(key.lower(), key): text for key, text in kept.items()}
            if code := kept.pop("timecode", None):
                notes.append(f"time code {code} left out: .mkv keeps it")
        output.metadata.update(kept)
        chapters: Any = [_chapter(dict(chapter), joint.span) for chapter in source.chapters()]
        output.set_chapters([chapter for chapter in chapters if chapter])
    output.metadata.update(joint.tags)
    return kept


def _lost(target: Path, described: dict[str, str]) -> list[str]:
    """Return a note on metadata that the container took and has not: MP4 and MOV know a few names only."""
    if not described:
        return []
    with open_container(target) as written:
        there = {key.lower() for key in written.metadata}
    # A language may stand behind a name, and is the container's own affair.
    lost = sorted(key for key in described if key.lower().partition("-")[0] not in there)
    return [f"{target.suffix} holds no {', '.join(lost)} of the original's: .mkv keeps them"] if lost else []


def _chapter(chapter: dict[str, Any], span: Span) -> dict[str, Any] | None:
    base = chapter["time_base"]
    start, end = float(chapter["start"] * base), float(chapter["end"] * base)
    if (span.end_s is not None and start >= span.end_s) or (span.start_s is not None and end <= span.start_s):
        return None
    start, end = max(start, span.start_s or 0), min(end, span.end_s or end)
    shift = float(span.shift_s)
    return {**chapter, "start": round((start - shift) / base), "end": round((end - shift) / base)}


def _picture_packets(joint: Joint, stream: Stream) -> Iterator[Timed]:
    """Yield (seconds, stream, packet) of the segments, decode times worked out over the whole film."""
    shift = round(joint.span.shift_s / joint.info.time_base)
    times, delay = _presentation(joint)
    for number, packet, pts in _packets(joint):
        packet.stream = stream
        packet.time_base = joint.info.time_base
        packet.pts = pts - shift
        packet.dts = _decode_time(times, number, delay) - shift
        yield float(packet.dts * joint.info.time_base), stream.index, packet


def _packets(joint: Joint) -> Iterator[tuple[int, Any, int]]:
    import av

    number = 0
    for piece in joint.pieces:
        with av.open(spelled_path(piece.path)) as container:
            stream: Any = container.streams.video[0]
            scale = Fraction(stream.time_base) / joint.info.time_base
            for packet in container.demux(stream):
                if packet.pts is None or not packet.size:
                    continue
                packet.duration = round(packet.duration * scale)
                yield number, packet, piece.first_pts + round(packet.pts * scale)
                number += 1


def _presentation(joint: Joint) -> tuple[Times, int]:
    """Return all presentation times in order, and by how many frames decoding runs ahead of showing."""
    in_decode_order = np.fromiter((pts for _, _, pts in _packets(joint)), np.int64)
    times = np.sort(in_decode_order)
    places = np.arange(len(times))
    return times, int(np.max(places - np.searchsorted(times, in_decode_order)))


def _decode_time(times: Times, number: int, delay: int) -> int:
    """Return when the packet of this number is decoded: ``delay`` frames before it could be shown at the latest."""
    if number >= delay:
        return int(times[number - delay])
    first, later = int(times[0]), int(times[min(delay, len(times) - 1)])
    return first - (delay - number) * max(1, later - first) // max(1, delay)
