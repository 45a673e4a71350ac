"""Measures of one coloured picture against its true colours; ``score_pair`` gives them all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from photochrom import color
from photochrom.metrics.codes import Doubles, Floats, Picture, eight_bit, luma_codes, unit_range

FLAT_LUMA_GRADIENT = 2.0  # 8-bit code values per pixel; below it the luma is taken to be flat
STRONG_CHROMA = 25.0  # Lab units; most skin, skies and grass in sunlight have more
SUPPORT = 0.5  # share of a strong colour's chroma that the other picture must have in that hue
SSIM_SIGMA_PX, SSIM_RADIUS_PX = 1.5, 5  # the 11x11 window of Wang et al. 2004
SSIM_C1, SSIM_C2 = 0.01**2, 0.03**2


def ciede2000_map(truth: Picture, predicted: Picture) -> Floats:
    """Return the CIEDE2000 difference of each pixel under shared luma: only errors of colour count.

    Shared luma means: both pictures are converted to Lab; the predicted L* is thrown away and replaced by the
    truth's L*; the predicted a* and b* stay as they are (no gamut mapping afterwards); the two Lab pictures are then
    compared with kL = kC = kH = 1. A grey prediction therefore scores the truth's own distance from neutral.

    Shapes: (H, W, 3) twice -> (H, W). Range: 0..about 120.
    Source: Sharma, Wu, Dalal 2005, equations 2 to 22.
    """
    truth_lab = color.lab_from_srgb(unit_range(truth))
    return _ciede2000_under_same_lightness(truth_lab, color.lab_from_srgb(unit_range(predicted)))


def _ciede2000_under_same_lightness(truth_lab: Floats, predicted_lab: Floats) -> Floats:
    return color.ciede2000(truth_lab, np.concatenate([truth_lab[..., :1], predicted_lab[..., 1:]], axis=-1))


def psnr(truth: Picture, predicted: Picture) -> float:
    """Return the peak signal-to-noise ratio in dB over all three 8-bit sRGB channels; equal pictures give infinity.

    Shapes: (H, W, 3) twice. It favours grey: hedging between two plausible colours is the safest guess.
    """
    error = eight_bit(truth).astype(np.float64) - eight_bit(predicted)
    mean_squared = float(np.mean(error**2))
    return float("inf") if mean_squared == 0 else float(10 * np.log10(255**2 / mean_squared))


def ssim(truth: Picture, predicted: Picture) -> float:
    """Return the structural similarity of two pictures: the mean over pixels, then over the three sRGB channels.

    Shapes: (H, W, 3) twice, at least 11 px on each side; smaller ones give NaN. Range: -1..1.
    Window: 11x11 Gaussian, sigma 1.5 px, population covariance, borders of 5 px left out.
    Source: Wang, Bovik, Sheikh, Simoncelli 2004, "Image quality assessment", equation 13.
    """
    x, y = unit_range(truth).astype(np.float64), unit_range(predicted).astype(np.float64)
    if min(x.shape[:2]) <= 2 * SSIM_RADIUS_PX:
        return float("nan")
    mean_x, mean_y = _gaussian_window_mean(x), _gaussian_window_mean(y)
    variance_x = _gaussian_window_mean(x * x) - mean_x**2
    variance_y = _gaussian_window_mean(y * y) - mean_y**2
    covariance = _gaussian_window_mean(x * y) - mean_x * mean_y
    numerator = (2 * mean_x * mean_y + SSIM_C1) * (2 * covariance + SSIM_C2)
    return float(np.mean(numerator / ((mean_x**2 + mean_y**2 + SSIM_C1) * (variance_x + variance_y + SSIM_C2))))


def _gaussian_window_mean(picture: Doubles) -> Doubles:
    """Return the Gaussian-weighted local mean where the window lies inside: (H, W, C) -> (H-10, W-10, C)."""
    offsets = np.arange(-SSIM_RADIUS_PX, SSIM_RADIUS_PX + 1)
    weights = np.exp(-(offsets**2) / (2 * SSIM_SIGMA_PX**2))
    weights /= weights.sum()
    height, width = (n - 2 * SSIM_RADIUS_PX for n in picture.shape[:2])
    rows = sum(weight * picture[k : k + height] for k, weight in enumerate(weights))
    return np.asarray(sum(weight * rows[:, k : k + width] for k, weight in enumerate(weights)))


def luma_error(grey: Picture, predicted: Picture) -> float:
    """Return the mean absolute difference of 8-bit luma between the colouriser's input and its output.

    Shapes: (H, W) or (H, W, 3), and (H, W, 3). Unit: 8-bit code values; 0 means that every pixel's luma, rounded to
    8 bits, is the one that went in.
    """
    return float(np.mean(np.abs(luma_codes(grey) - luma_codes(predicted))))


def bleeding(truth: Picture, predicted: Picture) -> tuple[float, float]:
    """Return how much colour changes where the true luma does not: its mean slope there, and its share of all slopes.

    The chroma slope is the Sobel gradient's length over a* and b*. It is averaged over the pixels whose true luma has
    a Sobel gradient under 2 code values per pixel. The second value divides the sum of slopes there by the sum of
    slopes everywhere, so that dull colours do not read as clean ones. A colour that spills over an outline, or a
    blob, raises both; so do noise and real edges of equal luma, hence compare with the truth's own values.

    Shapes: (H, W, 3) twice, at least 3 px on each side. Unit: Lab units per pixel, and 0..1. Where no pixel is flat,
    or nothing has colour, the value is 0.
    Source: own definition.
    """
    return _bleeding_over(_flat_pixels(unit_range(truth)), color.lab_from_srgb(unit_range(predicted)))


def unsupported_color(lab: Floats, other_lab: Floats) -> tuple[float, float]:
    """Return the share of pixels of strong colour, and the share whose strong colour the other picture does not have.

    Strong is a chroma of 25 and more. The other picture supports it where its (a*, b*), projected on the same hue,
    reaches half of that chroma: more of the colour is support too, a grey is none, nor is a hue 60 degrees off. With
    the prediction first, the second share over the first is 1 - precision of strong colours (invented ones: a red
    patch on a jacket); with the truth first, it is 1 - recall (colours left out).

    Shapes: (H, W, 3) Lab twice. Range: 0..1 both, the second at most the first.
    Source: own definition.
    """
    ab, other = lab[..., 1:], other_lab[..., 1:]
    squared = (ab**2).sum(axis=-1)
    strong = squared >= STRONG_CHROMA**2
    unsupported = strong & ((ab * other).sum(axis=-1) < SUPPORT * squared)
    return float(strong.mean()), float(unsupported.mean())


def _flat_pixels(truth: Floats) -> npt.NDArray[np.bool_]:
    """Return where the luma is flat: (H, W, 3) -> (H-2, W-2), empty for a picture under 3 px."""
    return _sobel_length(color.luma(truth)[..., None] * 255) < FLAT_LUMA_GRADIENT


def _bleeding_over(flat: npt.NDArray[np.bool_], predicted_lab: Floats) -> tuple[float, float]:
    slopes = _sobel_length(predicted_lab[..., 1:])
    there, everywhere = float(slopes[flat].sum(dtype=np.float64)), float(slopes.sum(dtype=np.float64))
    # Grey sRGB comes out of Lab with a* and b* of about 1e-3: rounding, not colour.
    share = there / everywhere if everywhere > 1e-2 * slopes.size else 0.0
    return there / max(int(flat.sum()), 1), share


def _sobel_length(planes: Floats) -> Floats:
    """Return the gradient's length per pixel over all planes: (H, W, C) -> (H-2, W-2), in units per pixel."""
    if min(planes.shape[:2]) < 3:
        return np.zeros((0, 0), planes.dtype)
    rows = planes[:-2] + 2 * planes[1:-1] + planes[2:]
    columns = planes[:, :-2] + 2 * planes[:, 1:-1] + planes[:, 2:]
    across, down = (rows[:, 2:] - rows[:, :-2]) / 8, (columns[2:] - columns[:-2]) / 8
    return np.asarray(np.sqrt((across**2 + down**2).sum(axis=-1)))


def relit(truth: Picture, predicted: Picture) -> Floats:
    """Return the predicted a* and b* under the truth's L*, as sRGB clipped to 0..1.

    Shapes: (H, W, 3) twice -> (H, W, 3). Used where the colouriser was given a degraded grey on purpose: what is to be
    measured is its colours, not the degradation.
    """
    return _under_lightness_of(color.lab_from_srgb(unit_range(truth)), color.lab_from_srgb(unit_range(predicted)))


def _under_lightness_of(truth_lab: Floats, predicted_lab: Floats) -> Floats:
    lab = np.concatenate([truth_lab[..., :1], predicted_lab[..., 1:]], axis=-1)
    return np.asarray(np.clip(color.srgb_from_lab(lab), 0, 1))


@dataclass(frozen=True, slots=True)
class Reference:
    """The true picture with what every comparison needs of it, worked out once."""

    rgb: Picture  # (H, W, 3) as given
    lab: Floats  # (H, W, 3)
    flat: npt.NDArray[np.bool_]  # (H-2, W-2)
    scores: dict[str, float]  # its own colourfulness, both variants

    @classmethod
    def of(cls, truth: Picture) -> Reference:
        """Return the reference that a true picture makes; raise ValueError if it is not (H, W, 3)."""
        if truth.ndim != 3 or truth.shape[2] != 3:
            message = f"an (H, W, 3) picture is needed, not {truth.shape}"
            raise ValueError(message)
        rgb = unit_range(truth)
        scores = {
            "truth_colorfulness": color.colorfulness(rgb),
            "truth_colorfulness_absolute": color.colorfulness(rgb, absolute=True),
        }
        return cls(truth, color.lab_from_srgb(rgb), _flat_pixels(rgb), scores)


def score_pair(
    truth: Picture | Reference, predicted: Picture, grey: Picture | None = None, *, relight: bool = False
) -> dict[str, float]:
    """Return every measure of one predicted picture against the truth.

    Args:
        truth: (H, W, 3) sRGB, uint8 or 0..1; or its ``Reference``, which saves time where it is used again.
        predicted: the same size.
        grey: what the colouriser was given, (H, W) or (H, W, 3); by default the truth's luma.
        relight: take PSNR and colourfulness of ``relit(truth, predicted)``; for greys that were degraded on purpose.

    Returns:
        ``ciede2000`` and ``ciede2000_median`` (mean and median over the pixels, shared luma), ``psnr`` (dB),
        ``colorfulness`` (signed) and ``colorfulness_absolute`` of the prediction, the same of the truth as
        ``truth_colorfulness`` and ``truth_colorfulness_absolute``, ``colorfulness_difference`` and
        ``colorfulness_absolute_difference`` (size of the difference of this pair), ``bleeding``, ``bleeding_share``,
        ``strong_color`` and of it ``false_color``, ``truth_strong_color`` and of it ``missed_color`` (shares of the
        picture, see ``unsupported_color``), ``luma_error`` (code values).

    Raises:
        ValueError: if the two pictures differ in size, or are not (H, W, 3).

    Cost: about 0.6 s and 150 MB per megapixel; 0.4 s with a ``Reference``.
    """
    reference = truth if isinstance(truth, Reference) else Reference.of(truth)
    if reference.rgb.shape != predicted.shape:
        message = f"two (H, W, 3) pictures of one size are needed, not {reference.rgb.shape} and {predicted.shape}"
        raise ValueError(message)
    predicted_lab = color.lab_from_srgb(unit_range(predicted))
    differences = _ciede2000_under_same_lightness(reference.lab, predicted_lab)
    slope, share = _bleeding_over(reference.flat, predicted_lab)
    strong, false = unsupported_color(predicted_lab, reference.lab)
    truth_strong, missed = unsupported_color(reference.lab, predicted_lab)
    shown = _under_lightness_of(reference.lab, predicted_lab) if relight else predicted
    scores = {
        "ciede2000": float(differences.mean(dtype=np.float64)),
        "ciede2000_median": float(np.median(differences)),
        "psnr": psnr(reference.rgb, shown),
        "bleeding": slope,
        "bleeding_share": share,
        "strong_color": strong,
        "false_color": false,
        "truth_strong_color": truth_strong,
        "missed_color": missed,
        "luma_error": luma_error(reference.rgb if grey is None else grey, predicted),
        "colorfulness": color.colorfulness(unit_range(shown)),
        "colorfulness_absolute": color.colorfulness(unit_range(shown), absolute=True),
        **reference.scores,
    }
    for name in ("colorfulness", "colorfulness_absolute"):
        scores[f"{name}_difference"] = abs(scores[name] - scores[f"truth_{name}"])
    return scores
