"""What a film has beside its picture, copied packet by packet and in step with it: sound, subtitles, data."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from photochrom.errors import OptionError
from photochrom.film.containers import picture_stream
from photochrom.film.continuity import Clock, move
from photochrom.film.options import Kind, Span
from photochrom.film.rising import Held, Told, believed

if TYPE_CHECKING:
    from av.container import InputContainer, OutputContainer
    from av.stream import Stream

KINDS: dict[str, Kind] = {"audio": "sound", "subtitle": "subtitles", "data": "data", "attachment": "data"}
# What no container rounds away.
LEAST_STEP_S = Fraction(1, 1000)
# What is meant by files that count channels and name no places for them.
USUAL_PLACES = {1: "mono", 2: "stereo"}
Timed = tuple[float, int, Any]  # seconds, stream, packet


def add_copies(
    output: OutputContainer, source: InputContainer, container: str, without: tuple[Kind, ...], notes: list[str]
) -> dict[int, Stream]:
    """Return the output's streams for each of the source's that is copied.

    Args:
        output: the film that is written.
        source: the original.
        container: FFmpeg's name of what is written.
        without: kinds of streams that are left out.
        notes: get a line for each stream that is left out.

    Raises:
        OptionError: the container cannot hold a stream's codec.
    """
    copies: dict[int, Stream] = {}
    picture = picture_stream(source, source.name)
    for stream in source.streams:
        if stream.index == picture.index:
            continue
        kind = KINDS.get(stream.type)
        if kind is None or kind in without:
            what = "a further picture" if stream.type == "video" else f"{kind or stream.type}"
            notes.append(f"{what} left out (stream {stream.index})")
            continue
        try:
            if stream.type == "attachment" and container != "matroska":  # which nobody says before the first packet
                raise ValueError(f"{container} holds no files")
            copy = output.add_stream_from_template(stream, opaque=True)
        except (ValueError, NotImplementedError) as error:
            if kind == "data":
                notes.append(f"data left out (stream {stream.index}): {container} cannot hold it")
                continue
            left = f"dd --without {kind}"
            raise OptionError(
                f"{container} cannot hold the {kind} of stream {stream.index} ({_codec_name(stream)})",
                where="-o",
                next_step=f"A{left}" if container == "matroska" else f"Choose a name ending in .mkv, or a{left}",
            ) from error
        copy.metadata.update(stream.metadata)
        copy.disposition = stream.disposition
        _name_places(copy, stream)
        copies[stream.index] = copy
    return copies


def _name_places(copy: Any, stream: Any) -> None:
    """Say where a sound's channels belong, where the original only counts them: MP4 asks for it."""
    if stream.type == "audio" and stream.layout.name.endswith(" channels"):
        copy.codec_context.layout = USUAL_PLACES.get(stream.layout.nb_channels, stream.layout)


def _codec_name(stream: Any) -> str:
    return str(stream.codec_context.name if stream.codec_context else stream.type)


def copied_packets(
    source: InputContainer, copies: Mapping[int, Stream], span: Span, shifts: Sequence[Fraction]
) -> Iterator[Timed]:
    """Yield (seconds, stream, packet) of what is copied, in order of time.

    Args:
        source: the original.
        copies: the output's streams by the number of the original's.
        span: which part is copied.
        shifts: of the original's recordings; see ``continuity``.
    """
    copied = {index: _Copied(stream, Clock(list(shifts), follows=True)) for index, stream in copies.items()}
    last = 0.0
    packets: Iterator[Any] = source.demux([source.streams[index] for index in copies])
    for packet, coming in _with_coming(_timed(packets, copied)):
        copy = copied[packet.stream_index]
        copy.put_in_place(packet, coming)
        if not span.holds(float((packet.pts if packet.pts is not None else packet.dts) * packet.time_base)):
            continue
        move(packet, -span.shift_s)
        copy.put_in_order(packet)
        last = max(last, float((packet.dts if packet.dts is not None else packet.pts) * packet.time_base))
        yield last, packet.stream_index, packet


def _timed(packets: Iterator[Any], copied: Mapping[int, _Copied]) -> Iterator[Any]:
    """Yield the packets that have a time, on the film's clock; a file that ends early gives what there is."""
    import av

    while True:
        try:
            packet = next(packets)
        except (StopIteration, av.error.FFmpegError):
            return
        if packet.size and packet.time_base is not None and (packet.pts is not None or packet.dts is not None):
            copied[packet.stream_index].put_on_clock(packet)
            yield packet


def _with_coming(packets: Iterator[Any]) -> Iterator[Told]:
    """Yield packets of sound each with the decode times of those behind it, and others with none, as they are rare."""
    held: dict[int, Held] = {}
    for packet in packets:
        if packet.stream.type != "audio" or packet.dts is None:
            yield packet, []
        else:
            yield from held.setdefault(packet.stream_index, Held("dts")).after(packet)
    for own in held.values():
        yield from own.rest()


@dataclass(slots=True)
class _Copied:
    """A stream that is copied: of the output, and what its next packet has to follow."""

    stream: Stream
    clock: Clock
    last: int | None = None
    placed: int | None = None

    def put_on_clock(self, packet: Any) -> None:
        """Move a packet as pictures of its recording are moved."""
        if any(self.clock.shifts):
            base = Fraction(packet.time_base)
            at = packet.dts if packet.dts is not None else packet.pts
            move(packet, self.clock.shift(at * base, (packet.duration or 0) * base))

    def put_in_place(self, packet: Any, coming: list[int]) -> None:
        """Move a packet of sound whose time has slipped, instead of all behind it."""
        if coming:
            at = believed(packet.dts, self.placed, coming, packet.duration or 1)
            if packet.pts is not None:
                packet.pts += at - packet.dts
            packet.dts = at
        self.placed = packet.dts

    def put_in_order(self, packet: Any) -> None:
        """Give a packet to the output, behind the one before: muxers refuse a decode time that does not rise."""
        if packet.dts is not None:
            if self.last is not None and packet.dts <= self.last:
                packet.dts = self.last + math.ceil(LEAST_STEP_S / packet.time_base)
                packet.pts = None if packet.pts is None else max(packet.pts, packet.dts)
            self.last = packet.dts
        packet.stream = self.stream
