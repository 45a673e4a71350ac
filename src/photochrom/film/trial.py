"""A trial before the first frame: two frames are written as the film will be, joined, and read again."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from photochrom.errors import OptionError
from photochrom.film.containers import FULL_RANGE, FilmInfo, spelled_path
from photochrom.film.encoding import CODECS, SegmentWriter, color_range, container_of, encoder_settings
from photochrom.film.fields import OrderTeller
from photochrom.film.joining import Joint, Piece, join
from photochrom.film.matrices import UNSPECIFIED
from photochrom.film.options import Fields, FilmOptions, Span
from photochrom.film.planes import Layout, frame_from
from photochrom.film.tags import tags_for

# Some muxers refuse a stream only at its first packets, or at the end of a file that has some.
TRIED_PACKETS = 200


def try_writing(
    info: FilmInfo, layout: Layout, target: Path, options: FilmOptions, original: Path | None, *, fields: Fields
) -> None:
    """Write two frames and join them with the original's other streams; raise what the whole film would raise.

    Raises:
        OptionError: codec or container refuse what they get, or do not say of it what has to be said.
    """
    codec = CODECS[options.codec]
    width, height = layout.chroma_size(info.width, info.height)
    grey: Any = np.full((info.height, info.width), layout.codes.black).astype(layout.codes.dtype)
    chroma = np.full((height, width, 2), layout.codes.neutral).astype(layout.codes.dtype)
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"trial.{codec.segment}"
        writer = SegmentWriter(path, codec, encoder_settings(options), layout, info, fields=fields)
        step = max(1, round(1 / (info.rate * info.time_base)))
        for k in (0, 1):
            writer.write(frame_from(grey, chroma, layout), k * step, step, fields)
        writer.close()
        joint = Joint(
            pieces=[Piece(path, 0)],
            info=info,
            original=original,
            container=container_of(target),
            color_range=color_range(layout, info),
            span=Span(),
            without=options.without,
            tags={},
            fields=fields,
            most_copied=TRIED_PACKETS,
        )
        joined = Path(folder) / f"joined{target.suffix}"
        join(joint, joined)
        _require_fields(joined, fields, options)
        _require_tags(joined, (*tags_for(info), color_range(layout, info)), options)


def _require_fields(joined: Path, fields: Fields, options: FilmOptions) -> None:
    """Raise OptionError where a player would not learn from what was written which field comes first."""
    import av

    with av.open(spelled_path(joined)) as container:
        teller = OrderTeller()
        found = {teller.order_of(frame) for frame in container.decode(video=0)}
    if found != {fields}:
        raise OptionError(
            f"{options.codec} cannot hold the fields of interlaced film in their order",
            where="--interlaced keep",
            next_step="Choose --codec x264, ffv1 or prores, or let the film be deinterlaced",
        )


def _require_tags(joined: Path, tags: tuple[int, int, int, int], options: FilmOptions) -> None:
    """Raise OptionError where a player would not learn a film's colour tags from what was written."""
    import av

    with av.open(spelled_path(joined)) as container:
        frame = next(container.decode(video=0))
        found = tuple(int(tag) for tag in (frame.color_primaries, frame.color_trc, frame.colorspace, frame.color_range))
    lost = [
        f"{name} {tag} of H.273"
        for name, tag, read in zip(("primaries", "transfer", "matrix"), tags, found, strict=False)
        if tag not in {UNSPECIFIED, read}
    ]
    if (tags[3] == FULL_RANGE) != (found[3] == FULL_RANGE):
        lost.append("full range" if tags[3] == FULL_RANGE else "limited range")
    if lost:
        raise OptionError(
            f"{options.codec} in {joined.suffix} cannot hold the colour tags ({', '.join(lost)})",
            where="-o",
            next_step="Choose a name ending in .mkv, or another --codec",
        )
