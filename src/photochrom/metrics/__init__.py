"""Measures of coloured pictures against their true colours, as pure functions on numpy arrays.

Conventions used throughout:

* A picture is ``(H, W, 3)`` gamma-encoded sRGB, either ``uint8`` (0..255) or floats in 0..1; every function takes both.
* "Truth" is the photograph before it was greyed, "predicted" is what a colouriser made of the grey.
* Lab is CIE Lab (D65, 2 degree observer); luma is BT.601 Y' on gamma-encoded sRGB (see ``photochrom.color``).

``score_pair`` gives all measures of one pair; the means over a set and their intervals are made from its rows.
"""

from photochrom.metrics.codes import eight_bit, luma_codes, unit_range
from photochrom.metrics.correlation import pearson, reliability_curve, spearman
from photochrom.metrics.pairs import (
    Reference,
    bleeding,
    ciede2000_map,
    luma_error,
    psnr,
    relit,
    score_pair,
    ssim,
    unsupported_color,
)
from photochrom.metrics.sets import (
    bootstrap_interval,
    frechet_distance,
    jackknife_intervals,
    kernel_distance,
    ratio_of_means,
    set_mean_difference,
)

__all__ = [
    "Reference",
    "bleeding",
    "bootstrap_interval",
    "ciede2000_map",
    "eight_bit",
    "frechet_distance",
    "jackknife_intervals",
    "kernel_distance",
    "luma_codes",
    "luma_error",
    "pearson",
    "psnr",
    "ratio_of_means",
    "reliability_curve",
    "relit",
    "score_pair",
    "set_mean_difference",
    "spearman",
    "ssim",
    "unit_range",
    "unsupported_color",
]
