"""The columns of the scoreboards: what page, JSON, CSV and the terminal show, declared once."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum


class Group(StrEnum):
    """What columns are about: the tables that the page shows of each view, in this order."""

    ERROR = "Colour error"
    COLORFULNESS = "Colourfulness"
    LIKENESS = "Likeness and recognition"
    BLOBS = "Blobs and gaps"
    FAITHFULNESS = "Faithfulness and time"
    STEADINESS = "Steadiness"


@dataclass(frozen=True, slots=True)
class Column:
    """One column: a row here is all that page, JSON and CSV need to show it.

    Attributes:
        key: its name in files, and of the measure in ``Record.scores`` where it is the mean of one.
        title: its head on the page.
        group: the table of the page that it stands in.
        meaning: what it says, and which direction is better.
        digits: after the point.
        percent: shown in per cent.
        times: shown so many times as large, which the title says.
        is_mean: the mean over photographs of the measure of that name; others are computed below.
        stressed: shown for the stress splits, too.
    """

    key: str
    title: str
    group: Group
    meaning: str
    digits: int = 2
    percent: bool = False
    times: int = 1
    is_mean: bool = False
    stressed: bool = False

    def text(self, value: float | None) -> str:
        """Return a value as it is shown, without its unit; a dash for what was not measured."""
        if value is None or not math.isfinite(value):
            return "–"
        return f"{value * (100 if self.percent else self.times):.{self.digits}f}"


COLUMNS = (
    Column(
        "ciede2000",
        "CIEDE2000",
        Group.ERROR,
        "Mean over photographs of the mean pixel difference, luma shared; lower is better.",
        is_mean=True,
        stressed=True,
    ),
    Column("ciede2000_median", "its median", Group.ERROR, "Median over photographs of the same."),
    Column(
        "ciede2000_vs_grey",
        "vs grey",
        Group.ERROR,
        "Mean CIEDE2000 against the grey prediction's; below 0 is better.",
        digits=1,
        percent=True,
        stressed=True,
    ),
    Column(
        "ciede2000_vs_clean",
        "vs clean",
        Group.ERROR,
        "Mean CIEDE2000 against the same row on undegraded greys.",
        digits=1,
        percent=True,
        stressed=True,
    ),
    Column(
        "psnr",
        "PSNR dB",
        Group.ERROR,
        "Mean over photographs, all three channels. Favours hedging, hence grey.",
        is_mean=True,
    ),
    Column(
        "colorfulness",
        "colourfulness",
        Group.COLORFULNESS,
        "Hasler-Suesstrunk M3, signed as published; compare with the truth's.",
        digits=1,
        is_mean=True,
    ),
    Column(
        "colorfulness_absolute",
        "absolute variant",
        Group.COLORFULNESS,
        "The variant with absolute opponent values that others publish.",
        digits=1,
        is_mean=True,
    ),
    Column(
        "colorfulness_vs_truth",
        "of the truth's",
        Group.COLORFULNESS,
        "Mean colourfulness over the truth's mean; 100 % is right.",
        digits=1,
        percent=True,
        stressed=True,
    ),
    Column(
        "colorfulness_difference",
        "per picture",
        Group.COLORFULNESS,
        "Mean size of the colourfulness difference of each photograph.",
        digits=1,
        is_mean=True,
    ),
    Column(
        "colorfulness_set_difference",
        "of set means",
        Group.COLORFULNESS,
        "Difference of the two set means; errors cancel in it.",
        digits=1,
    ),
    Column(
        "colorfulness_absolute_difference",
        "per picture, abs.",
        Group.COLORFULNESS,
        "The same for the absolute variant.",
        digits=1,
        is_mean=True,
    ),
    Column(
        "colorfulness_absolute_set_difference",
        "of set means, abs.",
        Group.COLORFULNESS,
        "The same for the absolute variant.",
        digits=1,
    ),
    Column(
        "feature_distance",
        "feature distance",
        Group.LIKENESS,
        "Frechet distance to the truth in the named feature space.",
    ),
    Column(
        "feature_distance_vs_grey",
        "vs grey",
        Group.LIKENESS,
        "Feature distance over the grey prediction's; 100 % is as far as grey, lower is better.",
        digits=1,
        percent=True,
    ),
    Column(
        "kernel_distance",
        "KID x 1000",
        Group.LIKENESS,
        "Kernel distance in that space; each picture's own truth is left out.",
    ),
    Column(
        "top_1",
        "top-1",
        Group.LIKENESS,
        "Share recognised by the classifier, where labels are known (Zhang's semantic test).",
        digits=1,
        percent=True,
    ),
    Column(
        "same_class",
        "same class",
        Group.LIKENESS,
        "Share where the classifier says the same as for the true photograph.",
        digits=1,
        percent=True,
    ),
    Column(
        "bleeding",
        "bleeding",
        Group.BLOBS,
        "Mean slope of a*, b* per pixel where the true luma is flat; compare with the truth's.",
        digits=3,
        is_mean=True,
    ),
    Column(
        "bleeding_share",
        "its share",
        Group.BLOBS,
        "Mean over photographs of the share of all slopes of a*, b* that lies where the true luma is flat.",
        digits=1,
        percent=True,
        is_mean=True,
    ),
    Column(
        "false_color",
        "false colour",
        Group.BLOBS,
        "Share of all strongly coloured pixels (chroma 25 and more; photographs weigh alike) whose colour the truth "
        "does not have by half.",
        digits=1,
        percent=True,
    ),
    Column(
        "missed_color",
        "missed",
        Group.BLOBS,
        "Share of all the truth's strongly coloured pixels (photographs weigh alike) that were not coloured so.",
        digits=1,
        percent=True,
    ),
    Column(
        "luma_error",
        "luma error",
        Group.FAITHFULNESS,
        "Mean 8-bit luma difference between what went in and what came out; 0 is kept.",
        digits=3,
        is_mean=True,
        stressed=True,
    ),
    Column(
        "seconds",
        "s / picture",
        Group.FAITHFULNESS,
        "Mean seconds for a photograph of this set, model loaded.",
        digits=3,
    ),
    Column(
        "seconds_per_megapixel", "s / MP", Group.FAITHFULNESS, "All seconds over all megapixels of this set.", digits=3
    ),
)

FILM_COLUMNS = (
    Column(
        "ciede2000",
        "CIEDE2000",
        Group.ERROR,
        "Mean over frames of the mean pixel difference under the truth's lightness.",
    ),
    Column(
        "uncovered",
        "uncovered",
        Group.ERROR,
        "CIEDE2000 where flow explains nothing, beside things that move; compare with frame by frame's.",
    ),
    Column(
        "colorfulness", "colourful", Group.COLORFULNESS, "Hasler-Suesstrunk M3; compare with the truth's.", digits=1
    ),
    Column(
        "flicker",
        "flicker",
        Group.STEADINESS,
        "Warping error of chroma along the motion, Lab units a frame; compare with the truth's.",
        digits=3,
    ),
    Column("flicker_vs_truth", "of truth", Group.STEADINESS, "That flicker over the truth's.", digits=0, percent=True),
    Column(
        "lag",
        "lag",
        Group.STEADINESS,
        "Frames by which colours come after the picture; 0 for the truth, a dash where none can be told.",
    ),
    *(
        Column(
            f"cdc_{distance}",
            f"CDC {distance}",
            Group.STEADINESS,
            f"Change of colour histograms over {distance} frames, in thousandths of a bit; grey film has some, too.",
            times=1000,
        )
        for distance in (1, 2, 4)
    ),
)
