"""Colour arithmetic on numpy arrays: luma and chroma, Lab, gamut, colour difference.

Two descriptions of a colour are used, each where it is best:

* **Y'CbCr** (ITU-R BT.601 weights, full range, on gamma-encoded sRGB values) carries the picture. It is linear,
  so a photograph's luma can be kept *exactly* while chroma is replaced, and shrinking chroma into the gamut has
  a closed form. Luma here is what ``PIL.Image.convert("L")`` and JPEG call luma.
* **CIE Lab** (D65, 2 degree observer) is what the network predicts in and what errors are measured in.

Arrays are ``(..., 3)`` or ``(..., 2)`` floats with the colour axis last. RGB is gamma-encoded sRGB in 0..1.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating]

# ITU-R BT.601 luma weights; also the weights of JPEG/JFIF and of Pillow's convert("L").
LUMA_RED, LUMA_GREEN, LUMA_BLUE = 0.299, 0.587, 0.114
LUMA_WEIGHTS = np.array([LUMA_RED, LUMA_GREEN, LUMA_BLUE], dtype=np.float32)
RED_PER_CR = 2 * (1 - LUMA_RED)
BLUE_PER_CB = 2 * (1 - LUMA_BLUE)
GREEN_PER_CB = -BLUE_PER_CB * LUMA_BLUE / LUMA_GREEN
GREEN_PER_CR = -RED_PER_CR * LUMA_RED / LUMA_GREEN

# IEC 61966-2-1: linear sRGB to CIE XYZ, and its D65 white (the row sums).
XYZ_FROM_LINEAR_RGB = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]],
)
LINEAR_RGB_FROM_XYZ = np.linalg.inv(XYZ_FROM_LINEAR_RGB)
D65_WHITE = XYZ_FROM_LINEAR_RGB.sum(axis=1)
# CIE 15:2004: where Lab's cube root gives way to a straight line.
LAB_EPSILON = (6 / 29) ** 3
LAB_SLOPE = (29 / 6) ** 2 / 3


def luma(rgb: Floats) -> Floats:
    """Return the BT.601 luma of sRGB.

    Shapes: (..., 3) -> (...). Range: that of the input (0..1 in, 0..1 out).
    """
    return np.asarray(rgb @ LUMA_WEIGHTS.astype(rgb.dtype))


def chroma(rgb: Floats) -> Floats:
    """Return BT.601 (Cb, Cr) of sRGB.

    Shapes: (..., 3) -> (..., 2). Range: -0.5..0.5.
    """
    y = luma(rgb)
    return np.stack([(rgb[..., 2] - y) / BLUE_PER_CB, (rgb[..., 0] - y) / RED_PER_CR], axis=-1)


def gamut_headroom(luma_: Floats, cb: Floats, cr: Floats) -> Floats:
    """Return the largest factor in 0..1 by which chroma may be kept so that RGB stays in 0..1 at this luma.

    Shapes: three arrays of one shape -> the same shape. Luma must be in 0..1.

    Each channel is luma + offset, with the offset linear in chroma: channel k leaves 0..1 when its offset
    exceeds ``1 - luma`` upwards or ``luma`` downwards, so the limit is the smallest of three quotients.
    """
    red, green, blue = cr * RED_PER_CR, cb * GREEN_PER_CB + cr * GREEN_PER_CR, cb * BLUE_PER_CB
    highest = np.maximum(np.maximum(red, green), blue)
    lowest = np.minimum(np.minimum(red, green), blue)
    with np.errstate(divide="ignore", invalid="ignore"):
        headroom = np.minimum((1 - luma_) / highest, luma_ / -lowest)
    return np.asarray(np.nan_to_num(np.minimum(headroom, 1), nan=1.0, posinf=1.0))


def merge_luma_chroma(luma_: Floats, cbcr: Floats) -> Floats:
    """Return sRGB that has exactly this luma, and this chroma shrunk towards grey where it leaves the gamut.

    Shapes: (...) and (..., 2) -> (..., 3). Range: luma 0..1, chroma -0.5..0.5, sRGB 0..1.
    Lightness is never traded for colour: all three channels move along the line to the grey of equal luma.
    """
    cb, cr = cbcr[..., 0], cbcr[..., 1]
    keep = gamut_headroom(luma_, cb, cr)
    cb, cr = cb * keep, cr * keep
    offsets = (RED_PER_CR * cr, GREEN_PER_CB * cb + GREEN_PER_CR * cr, BLUE_PER_CB * cb)
    return np.asarray(np.clip(np.stack([luma_ + offset for offset in offsets], -1), 0, 1))


def quantize_keeping_luma(rgb: Floats, luma_: Floats, max_code: int) -> npt.NDArray[np.uint16]:
    """Return integer sRGB whose luma is within half a code value of ``luma_``, so rounding gives it back exactly.

    Shapes: (..., 3) and (...) -> (..., 3). Range: 0..1 in, 0..max_code (255 or 65535) out.

    Red and blue are rounded; green, the channel with the largest weight, is then chosen to make up for their
    rounding errors. The remaining luma error is at most 0.587 / 2 = 0.29 of a code value. At the gamut's edge,
    where green cannot move, it is at most (0.299 + 0.114) / 2 = 0.21.
    """
    red = np.rint(rgb[..., 0] * max_code)
    blue = np.rint(rgb[..., 2] * max_code)
    green = np.rint((luma_ * max_code - LUMA_RED * red - LUMA_BLUE * blue) / LUMA_GREEN)
    codes: npt.NDArray[np.uint16] = np.clip(np.stack([red, green, blue], -1), 0, max_code).astype(np.uint16)
    return codes


def linear_from_srgb(rgb: Floats) -> Floats:
    """Return linear-light sRGB from gamma-encoded sRGB, both 0..1 (IEC 61966-2-1)."""
    return np.where(rgb <= 0.04045, rgb / 12.92, ((np.maximum(rgb, 0.04045) + 0.055) / 1.055) ** 2.4)


def srgb_from_linear(linear: Floats) -> Floats:
    """Return gamma-encoded sRGB from linear-light sRGB, both 0..1; negative input stays negative (IEC 61966-2-1)."""
    encoded = np.asarray(np.maximum(linear, 0.0031308))
    encoded **= 1 / 2.4
    encoded *= 1.055
    encoded -= 0.055
    np.multiply(linear, 12.92, out=encoded, where=linear <= 0.0031308)
    return encoded


def lab_from_srgb(rgb: Floats) -> Floats:
    """Return CIE Lab (D65) of gamma-encoded sRGB.

    Shapes: (..., 3) -> (..., 3). Range: sRGB 0..1; L* 0..100, a* about -86..98, b* about -108..94.
    """
    xyz = linear_from_srgb(rgb) @ XYZ_FROM_LINEAR_RGB.T.astype(rgb.dtype) / D65_WHITE.astype(rgb.dtype)
    f = np.where(xyz > LAB_EPSILON, np.cbrt(xyz), LAB_SLOPE * xyz + 4 / 29)
    x, y, z = f[..., 0], f[..., 1], f[..., 2]
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def srgb_from_lab(lab: Floats) -> Floats:
    """Return gamma-encoded sRGB of CIE Lab (D65), not clipped: colours outside the gamut leave 0..1.

    Shapes: (..., 3) -> (..., 3).
    """
    return _srgb_from_lab(lab[..., 0], lab[..., 1], lab[..., 2])


def _srgb_from_lab(lightness: Floats, a: Floats, b: Floats) -> Floats:
    fy = (lightness + 16) / 116
    xyz = np.empty((*fy.shape, 3), fy.dtype)
    for axis, f in enumerate((fy + a / 500, fy, fy - b / 200)):
        cubes = f * f * f  # a tenth of what a power costs
        xyz[..., axis] = np.where(f > 6 / 29, cubes, (f - 4 / 29) / LAB_SLOPE) * fy.dtype.type(D65_WHITE[axis])
    return srgb_from_linear(xyz @ LINEAR_RGB_FROM_XYZ.T.astype(fy.dtype))


def lightness_from_luma(luma_: Floats) -> Floats:
    """Return the L* (0..100) of the grey whose luma is given (0..1)."""
    y = linear_from_srgb(luma_)
    return 116 * np.where(y > LAB_EPSILON, np.cbrt(y), LAB_SLOPE * y + 4 / 29) - 16


def chroma_from_ab(luma_: Floats, ab: Floats, refinements: int = 3) -> Floats:
    """Return (Cb, Cr) of the colour that has this *luma* and these Lab a*, b*.

    Shapes: (...) and (..., 2) -> (..., 2). Range: luma 0..1, ab Lab units, result -0.5..0.5.
    Cost: one Lab conversion per refinement; meant for small pictures.

    A saturated colour of a given luma does not have the lightness of the grey of that luma, so L* is corrected
    until the luma agrees. Colours outside sRGB are brought in by shrinking chroma.
    """
    lightness = lightness_from_luma(luma_)
    target = lightness.copy()
    for _ in range(refinements):
        rgb = _srgb_from_lab(lightness.astype(ab.dtype), ab[..., 0], ab[..., 1])
        reached = lightness_from_luma(np.clip(luma(rgb), 0, 1))
        lightness = np.clip(lightness + (target - reached), 0, 100)
    rgb = _srgb_from_lab(lightness.astype(ab.dtype), ab[..., 0], ab[..., 1])
    cbcr = chroma(rgb)
    return np.asarray(cbcr * gamut_headroom(luma_, cbcr[..., 0], cbcr[..., 1])[..., None])


def ciede2000(lab_1: Floats, lab_2: Floats) -> Floats:
    """Return the CIEDE2000 colour difference.

    Shapes: (..., 3) and (..., 3) -> (...). kL = kC = kH = 1.
    Source: Sharma, Wu, Dalal 2005, "The CIEDE2000 Color-Difference Formula", equations 2 to 22.
    """
    l1, a1, b1 = (lab_1[..., i] for i in range(3))
    l2, a2, b2 = (lab_2[..., i] for i in range(3))
    mean_c7 = ((np.hypot(a1, b1) + np.hypot(a2, b2)) / 2) ** 7
    g = 0.5 * (1 - np.sqrt(mean_c7 / (mean_c7 + 25.0**7)))
    a1, a2 = (1 + g) * a1, (1 + g) * a2
    c1, c2 = np.hypot(a1, b1), np.hypot(a2, b2)
    h1, h2 = np.arctan2(b1, a1) % (2 * np.pi), np.arctan2(b2, a2) % (2 * np.pi)
    coloured = c1 * c2 > 0
    turn = h2 - h1
    # Half a turn exactly keeps its sign (equation 10), so no modulo here.
    dh = np.where(coloured, np.where(np.abs(turn) <= np.pi, turn, turn - 2 * np.pi * np.sign(turn)), 0)
    delta_h = 2 * np.sqrt(c1 * c2) * np.sin(dh / 2)
    mean_l, mean_c = (l1 + l2) / 2, (c1 + c2) / 2
    mean_h = np.where(coloured, h1 + dh / 2, h1 + h2)
    t = (
        1
        - 0.17 * np.cos(mean_h - np.pi / 6)
        + 0.24 * np.cos(2 * mean_h)
        + 0.32 * np.cos(3 * mean_h + np.pi / 30)
        - 0.20 * np.cos(4 * mean_h - 63 * np.pi / 180)
    )
    mean_h_degrees = np.degrees(mean_h) % 360
    rotation = np.radians(60 * np.exp(-(((mean_h_degrees - 275) / 25) ** 2)))
    rc = 2 * np.sqrt(mean_c**7 / (mean_c**7 + 25.0**7))
    term_l = (l2 - l1) / (1 + 0.015 * (mean_l - 50) ** 2 / np.sqrt(20 + (mean_l - 50) ** 2))
    term_c = (c2 - c1) / (1 + 0.045 * mean_c)
    term_h = delta_h / (1 + 0.015 * mean_c * t)
    squared = term_l**2 + term_c**2 + term_h**2 - np.sin(rotation) * rc * term_c * term_h
    return np.asarray(np.sqrt(np.maximum(squared, 0)))


def colorfulness(rgb: Floats, *, absolute: bool = False) -> float:
    """Return the Hasler-Suesstrunk colourfulness M3 of one picture; 0 is grey, photographs are around 40.

    Shapes: (H, W, 3). Range: sRGB 0..1 (the measure is defined on 0..255, and is scaled to that).
    ``absolute`` takes |R-G| and |(R+G)/2-B| as a widespread variant does; it reads about 9 % lower.
    Source: Hasler, Suesstrunk 2003, "Measuring colorfulness in natural images", section 7.
    """
    scaled = rgb.astype(np.float64) * 255
    rg = scaled[..., 0] - scaled[..., 1]
    yb = (scaled[..., 0] + scaled[..., 1]) / 2 - scaled[..., 2]
    if absolute:
        rg, yb = np.abs(rg), np.abs(yb)
    return float(np.hypot(rg.std(), yb.std()) + 0.3 * np.hypot(rg.mean(), yb.mean()))
