"""A frame's planes as numpy arrays: the luma that is never converted, and frames made from it and new chroma.

What is planar Y'CbCr or grey keeps its luma codes to the last bit, at any depth and range. Packed Y'CbCr is unpacked,
which changes no code. What is RGB has no luma plane: BT.601 luma is worked out once, in full range and at full depth,
as for photographs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

from photochrom.errors import UnsupportedFilmError
from photochrom.film.matrices import BT601, Codes, Matrix
from photochrom.luma import luma_codes

if TYPE_CHECKING:
    from av import VideoFrame

Pixels = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]
# Chroma samples per luma sample: (horizontal, vertical) distance.
STEPS = {"444": (1, 1), "422": (2, 1), "420": (2, 2), "440": (1, 2), "411": (4, 1), "410": (4, 4)}
PLANAR = re.compile(r"yuv(?P<j>j?)a?(?P<sampling>4\d\d)p(?P<bits>\d\d?)?(?P<end>le|be)?")
GREY = re.compile(r"(?:gray|ya)(?P<bits>\d\d?)?(?P<end>le|be)?")
SEMIPLANAR = {"nv12": "yuv420p", "nv21": "yuv420p", "nv16": "yuv422p", "nv24": "yuv444p", "p010le": "yuv420p10le"}
PACKED = {"yuyv422": "yuv422p", "uyvy422": "yuv422p", "yvyu422": "yuv422p", "uyyvyy411": "yuv411p"}
REPACKED = {**SEMIPLANAR, **PACKED, "p210le": "yuv422p10le", "y210le": "yuv422p10le", "v210": "yuv422p10le"}
RGB = re.compile(r"(rgb|bgr|gbr|argb|abgr|rgba|bgra|0rgb|pal8|mono)")
DEEP_RGB = re.compile(r"(48|64|gbra?p(9|1\d))")


@dataclass(frozen=True, slots=True)
class Layout:
    """How a film's frames are laid out.

    Attributes:
        sampling: of chroma: "444", "422", "420"; "400" where the film has none.
        codes: depth and range.
        unpacked: pixel format that frames are brought to before their luma is read; "" where they are planar.
        rgb: whether luma is worked out from RGB.
        alpha: whether frames carry transparency, which is left out.
    """

    sampling: str
    codes: Codes
    unpacked: str = ""
    rgb: bool = False
    alpha: bool = False

    @property
    def pixel_format(self) -> str:
        """FFmpeg's name of the planar format with this sampling and depth."""
        depth = "" if self.codes.bits == 8 else f"{self.codes.bits}le"
        return f"yuv{self.sampling}p{depth}"

    def chroma_size(self, width: int, height: int) -> tuple[int, int]:
        """Return (width, height) of the chroma planes of a picture."""
        across, down = STEPS[self.sampling]
        return -(-width // across), -(-height // down)

    def with_output(self, sampling: str, bits: int, *, limited: bool = False) -> Layout:
        """Return the layout of an output with another sampling or depth, or in limited range."""
        return Layout(sampling, replace(self.codes, bits=bits, full=self.codes.full and not limited))


def layout_of(pixel_format: str, *, full_range: bool, where: str) -> Layout:
    """Return the layout of frames in FFmpeg's pixel format.

    Raises:
        UnsupportedFilmError: the format is none whose luma can be kept.
    """
    wanted = REPACKED.get(pixel_format, pixel_format)
    unpacked = "" if wanted == pixel_format else wanted
    alpha = "yuva" in wanted or wanted.startswith("ya") or "a64" in wanted or wanted in {"rgba", "bgra", "argb", "abgr"}
    if found := PLANAR.fullmatch(wanted):
        codes = Codes(int(found["bits"] or 8), full_range or bool(found["j"]))
        if found["end"] == "be":
            unpacked = wanted.removesuffix("be") + "le"
        return Layout(found["sampling"], codes, unpacked, alpha=alpha)
    if found := GREY.fullmatch(wanted):
        little = wanted.replace("be", "le").replace("ya16", "gray16").replace("ya8", "gray")
        bits = 8 if wanted == "ya8" else int(found["bits"] or 8)
        # FFmpeg's grey formats have full range, whatever the stream says of it.
        return Layout("400", Codes(bits, full=True), "" if little == pixel_format else little, alpha=alpha)
    if RGB.match(wanted):
        deep = DEEP_RGB.search(wanted) is not None
        return Layout("400", Codes(16 if deep else 8, full=True), "rgb48le" if deep else "rgb24", rgb=True, alpha=alpha)
    raise UnsupportedFilmError(
        f"its pixel format {pixel_format} has no luma that could be kept",
        where=where,
        next_step="Convert it to planar Y'CbCr (yuv420p, say) first",
    )


def luma_of(frame: VideoFrame, layout: Layout) -> Pixels:
    """Return the luma codes of a decoded frame, (height, width), a copy of its own.

    Cost: the copying of one plane.
    """
    if layout.rgb:
        pixels: Any = frame.to_ndarray(format=layout.unpacked)
        return luma_codes(pixels)
    if layout.unpacked:
        frame = frame.reformat(format=layout.unpacked)
    return plane_of(frame, 0, layout.codes).copy()


def chroma_of(frame: VideoFrame, layout: Layout, matrix: Matrix) -> npt.NDArray[np.float32] | None:
    """Return the chroma that a frame came with as floats, (h, w, 2), or None for a grey format.

    Used to notice films that are coloured already, and to measure.
    """
    if layout.rgb:
        rgb = frame.to_ndarray(format="rgb24").astype(np.float32) / np.float32(255)
        return Matrix.of_tag(BT601).chroma(rgb)
    if layout.sampling == "400":
        return None
    if layout.unpacked:
        frame = frame.reformat(format=layout.unpacked)
    return np.stack([layout.codes.chroma(plane_of(frame, k, layout.codes)) for k in (1, 2)], axis=-1)


def plane_of(frame: VideoFrame, number: int, codes: Codes) -> npt.NDArray[Any]:
    """Return one plane of a frame as an array that looks into the frame's own memory: no copy."""
    plane: Any = frame.planes[number]
    values: npt.NDArray[Any] = np.frombuffer(plane, dtype=codes.dtype)
    row = plane.line_size // values.itemsize
    return np.asarray(values.reshape(-1, row)[: plane.height, : plane.width])


def frame_from(luma: Pixels, chroma: npt.NDArray[Any], layout: Layout) -> VideoFrame:
    """Return a frame with these planes: luma codes (H, W), chroma codes (h, w, 2)."""
    from av import VideoFrame

    height, width = luma.shape
    frame = VideoFrame(width, height, layout.pixel_format)
    plane_of(frame, 0, layout.codes)[:] = luma
    for k in (0, 1):
        plane_of(frame, k + 1, layout.codes)[:] = chroma[..., k]
    return frame


def deepened(luma: Pixels, source: Codes, target: Codes) -> Pixels:
    """Return luma codes at another depth. Limited range deepens exactly; fewer bits are rounded.

    Full range is scaled to the new white, limited or not, and comes back to the code by rounding where there are codes
    enough.
    """
    if source == target:
        return luma
    if source.full:
        scaled = luma.astype(np.float64) * target.span / source.span + target.black
        return cast("Pixels", np.rint(scaled).astype(target.dtype))
    shift = target.bits - source.bits
    if shift > 0:
        return cast("Pixels", (luma.astype(np.uint16) << np.uint16(shift)).astype(target.dtype))
    half = 1 << (-shift - 1)
    largest = (1 << target.bits) - 1
    return cast("Pixels", np.minimum((luma.astype(np.uint32) + half) >> -shift, largest).astype(target.dtype))
