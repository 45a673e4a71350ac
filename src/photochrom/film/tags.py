"""What a film's H.273 tags (primaries, transfer, matrix, range) mean for colouring, and those that a result gets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from photochrom.errors import UnsupportedFilmError
from photochrom.film.matrices import BT601, BT2020, UNSPECIFIED, WEIGHTS, guess_matrix
from photochrom.film.planes import Layout
from photochrom.film.transfers import REFUSED, WHITE_NITS, Transfer

if TYPE_CHECKING:
    from av import VideoFrame

    from photochrom.film.containers import FilmInfo

IDENTITY = 0
# What HDR films carry beside their frames, by FFmpeg's names; no encoder here takes it over.
HDR_DATA = {
    "MASTERING_DISPLAY_METADATA": "the mastering screen's data",
    "CONTENT_LIGHT_LEVEL": "light levels",
    "DYNAMIC_HDR_PLUS": "HDR10+",
    "DOVI_METADATA": "Dolby Vision",
}


def matrix_of(
    tags: tuple[int, ...], width: int, height: int, layout: Layout, where: str
) -> tuple[int, tuple[str, ...]]:
    """Return the matrix to colour with, and a note where there is no luma plane."""
    tag = tags[2]
    if layout.rgb:
        return BT601, ("no luma plane: BT.601 luma worked out from RGB",)
    if tag in WEIGHTS:
        return tag, ()
    if tag in {UNSPECIFIED, IDENTITY} or layout.sampling == "400":
        return BT2020 if Transfer.of(*tags[:2]).is_hdr else guess_matrix(width, height), ()
    raise UnsupportedFilmError(f"its colour matrix ({tag} of H.273) is not Y'CbCr of constant weights", where=where)


def transfer_notes(tags: tuple[int, ...], layout: Layout, first: VideoFrame, where: str) -> tuple[str, ...]:
    """Return notes on a transfer that is not ordinary television's.

    Raises:
        UnsupportedFilmError: colours cannot be said in it here.
    """
    found = Transfer.of(*tags[:2])
    sides: Any = first.side_data  # which gives its entries, and from PyAV 19 on their types
    beside = {getattr(side, "type", side).name for side in sides}
    refused = REFUSED.get(tags[1]) or ("HDR as RGB" if found.is_hdr and layout.rgb else "")
    if not found.is_hdr and "DOVI_METADATA" in beside:
        refused = "Dolby Vision alone"
    if refused:
        raise UnsupportedFilmError(
            f"its transfer ({refused}) is none that colours can be laid under",
            where=where,
            next_step="Convert it to BT.709, or to HDR as Y'CbCr (PQ or HLG), first",
        )
    if not found.is_hdr:
        return ()
    name = "PQ" if found.kind == "pq" else "HLG"
    notes = (f"HDR ({name}): luma and tags kept; colours of an ordinary picture whose white is {WHITE_NITS:g} cd/m2",)
    lost = [label for key, label in HDR_DATA.items() if key in beside]
    return (*notes, f"{', '.join(lost)} left out") if lost else notes


def tags_for(info: FilmInfo) -> tuple[int, int, int]:
    """Return the tags of a result: the film's, and the matrix where colours are not those that players assume."""
    primaries, transfer, matrix, _ = info.tags
    assumed = matrix == UNSPECIFIED and not info.layout.rgb and not info.transfer.is_hdr
    return primaries, transfer, matrix if (matrix in WEIGHTS and not info.layout.rgb) or assumed else info.matrix
