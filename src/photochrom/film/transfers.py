"""What a film's codes look like: transfer and primaries other than those of ordinary television, as H.273 tags them.

HDR (PQ, HLG) and BT.2020's primaries: luma stays in its own transfer to the last bit. The net is shown what an ordinary
screen would show, and its colours are worked out there; in linear light they come back to the film's primaries and
transfer, under the luma that is there. For all other films both ways change nothing.

Sources: ITU-R BT.2100-2 (PQ and HLG, tables 4 and 5), BT.2087-0 (BT.709 to BT.2020), BT.2408-7 (203 cd/m2 is the white
of ordinary pictures in HDR), SMPTE RP 431-2 and EG 432-1 (P3); ITU-T H.273, tables 2 and 3 (tags).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from photochrom.color import linear_from_srgb, srgb_from_linear
from photochrom.film.matrices import Codes, Matrix, Plane

Kind = Literal["ordinary", "wide", "pq", "hlg"]
BT2020_PRIMARIES, PQ, HLG = 9, 16, 18
# Tags of transfers in which equal steps of code are no equal steps to the eye, or which are no television's.
REFUSED = {8: "linear light", 9: "logarithmic", 10: "logarithmic", 17: "SMPTE 428 (X'Y'Z')"}
# Linear BT.709 to linear BT.2020, and to P3 with the white of D65.
TO_BT2020 = ((0.6274, 0.3293, 0.0433), (0.0691, 0.9195, 0.0114), (0.0164, 0.0880, 0.8956))
TO_P3 = ((0.8225, 0.1774, 0.0), (0.0332, 0.9669, 0.0), (0.0171, 0.0724, 0.9108))
PRIMARIES = {9: TO_BT2020, 11: TO_P3, 12: TO_P3}
# cd/m2 of an ordinary picture's white, and of the screen that HLG's codes are worked out for.
WHITE_NITS, HLG_NITS, PQ_NITS = 203.0, 1000.0, 10_000.0
HLG_GAMMA = 1.2
# From this share of white on, brighter light comes ever nearer to white and never beyond.
KNEE = 0.75
REFINEMENTS = 2


@dataclass(frozen=True, slots=True)
class Transfer:
    """How a film's luma is seen, and how colours of an ordinary picture are said in it.

    Attributes:
        kind: "ordinary" changes nothing; "wide" has other primaries only.
        primaries: linear BT.709 to the film's, (3, 3) by rows.
    """

    kind: Kind = "ordinary"
    primaries: tuple[tuple[float, ...], ...] = ()

    @classmethod
    def of(cls, primaries: int, transfer: int) -> Transfer:
        """Return that of a film's H.273 tags; unspecified primaries of HDR are BT.2020's."""
        if transfer in {PQ, HLG}:
            return cls("pq" if transfer == PQ else "hlg", PRIMARIES.get(primaries, TO_BT2020))
        return cls("wide", PRIMARIES[primaries]) if primaries in PRIMARIES else cls()

    @property
    def is_hdr(self) -> bool:
        """Whether codes go beyond the white of an ordinary picture."""
        return self.kind in {"pq", "hlg"}

    def look(self, luma: Plane) -> Plane:
        """Return luma as an ordinary screen would show the film, sRGB 0..1. Shapes: any -> the same.

        Light up to three quarters of an ordinary white keeps its tone, what is brighter is gathered below white.
        """
        if not self.is_hdr:
            return luma
        light = self._nits(np.clip(luma, 0, 1)) / np.float32(WHITE_NITS)
        over = np.maximum(light - KNEE, 0) / (1 - KNEE)
        shown = np.where(light > KNEE, KNEE + (1 - KNEE) * (1 - np.exp(-over)), light)
        return np.asarray(srgb_from_linear(shown), np.float32)

    def chroma(self, look: Plane, chroma: Plane, shown: Matrix, luma: Plane, matrix: Matrix) -> Plane:
        """Return an ordinary picture's chroma as the film says it, under the film's own luma.

        Args:
            look: (...) luma of the ordinary picture, see `look`.
            chroma: (..., 2) that goes with it.
            shown: the ordinary picture's matrix.
            luma: (...) of the film, in its own transfer, 0..1.
            matrix: of the film.

        Cost: about 30 ms on the usual grid; nothing for ordinary films.
        """
        if self.kind == "ordinary":
            return chroma
        light = linear_from_srgb(np.clip(shown.rgb(np.clip(look, 0, 1), chroma), 0, 1)) + np.float32(1e-6)
        light = np.asarray(np.maximum(light @ np.array(self.primaries, np.float32).T, 1e-7), np.float32)
        encode, decode = self._codes
        target = np.clip(luma, 0, 1)
        wanted = np.maximum(decode(target), np.float32(1e-7))
        # All channels are made brighter or darker together until the film's luma is met: hue and saturation stay.
        light = np.asarray(light * (wanted / matrix.luma(light))[..., None], np.float32)
        for _ in range(REFINEMENTS):
            reached = np.maximum(decode(np.clip(matrix.luma(encode(light)), 0, 1)), np.float32(1e-7))
            light = np.asarray(light * (wanted / reached)[..., None], np.float32)
        found = matrix.chroma(np.clip(encode(light), 0, 1))
        return np.asarray(np.where(target[..., None] > 0, found, 0), np.float32)

    @property
    def _codes(self) -> tuple[Callable[[Plane], Plane], Callable[[Plane], Plane]]:
        """Linear light to codes 0..1, and back; light in a unit of the transfer's own."""
        if self.kind == "wide":
            return _srgb_codes, _srgb_light
        return (_pq_codes, _pq_light) if self.kind == "pq" else (_hlg_codes, _hlg_light)

    def _nits(self, luma: Plane) -> Plane:
        if self.kind == "pq":
            return _pq_light(luma) * np.float32(PQ_NITS)
        return np.float32(HLG_NITS) * _hlg_light(luma) ** np.float32(HLG_GAMMA)


def _srgb_light(codes: Plane) -> Plane:
    return np.asarray(linear_from_srgb(codes), np.float32)


def _srgb_codes(light: Plane) -> Plane:
    return np.asarray(srgb_from_linear(np.maximum(light, 0)), np.float32)


M1, M2, C1, C2, C3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128


def _pq_light(codes: Plane) -> Plane:
    power = codes ** np.float32(1 / M2)
    return np.asarray((np.maximum(power - C1, 0) / (C2 - C3 * power)) ** (1 / M1), np.float32)


def _pq_codes(light: Plane) -> Plane:
    power = np.clip(light, 0, 1) ** np.float32(M1)
    return np.asarray(((C1 + C2 * power) / (1 + C3 * power)) ** M2, np.float32)


A = 0.17883277
B, C = 1 - 4 * A, 0.5 - A * float(np.log(4 * A))


def _hlg_light(codes: Plane) -> Plane:
    return np.asarray(np.where(codes <= 0.5, codes**2 / 3, (np.exp((codes - C) / A) + B) / 12), np.float32)


def _hlg_codes(light: Plane) -> Plane:
    high = np.maximum(light, np.float32(1 / 12))
    return np.asarray(
        np.where(light <= 1 / 12, np.sqrt(3 * np.maximum(light, 0)), A * np.log(12 * high - B) + C), np.float32
    )


def upright(
    luma: npt.NDArray[Any], quarter_turns: int, codes: Codes, transfer: Transfer, size: tuple[int, int]
) -> Plane:
    """Return a stored frame's luma as players show it, (width, height) large, 0..1."""
    import cv2

    turned = np.rot90(luma, quarter_turns)
    shrinks = turned.shape[1] > size[0] or turned.shape[0] > size[1]
    small = cv2.resize(
        np.ascontiguousarray(turned), size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    )
    return np.clip(transfer.look(codes.luma(small.reshape(size[1], size[0]))), 0, 1)
