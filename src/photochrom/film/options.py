"""What a user can choose about film, declared once, as ``photochrom.options`` does for photographs."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from photochrom.options import Options, Switch

CodecName = Literal["x264", "x265", "av1", "ffv1", "prores", "frames"]
Interlaced = Literal["deinterlace", "keep", "telecine"]
# Which field of a frame comes first, the top or the bottom one; "" where a frame is one picture.
Fields = Literal["", "tff", "bff"]
Kind = Literal["sound", "subtitles", "data"]
Sampling = Literal["420", "422", "444"]
# Options that shape what --restore does.
RESTORING = ("exposure", "dust", "lines", "grain", "grain_strength", "tone", "noise")


def parse_time(text: float | str) -> float:
    """Return seconds from 12.5, "12.5", "12.5s", "1:02.5" or "0:01:02.5".

    Raises:
        ValueError: it is no time.
    """
    seconds = 0.0
    try:
        for part in str(text).strip().removesuffix("s").split(":"):
            seconds = seconds * 60 + float(part)
    except ValueError:
        raise ValueError("should be a time such as 12.5 or 0:01:02.5") from None
    if not 0 <= seconds < 1e7:
        raise ValueError("should be a time from 0 on")
    return seconds


@dataclass(frozen=True, slots=True)
class Span:
    """Which part of the original's time is kept, in seconds; output times count from ``start_s`` where one is given."""

    start_s: float | None = None
    end_s: float | None = None

    @property
    def shift_s(self) -> Fraction:
        """What is taken off every time stamp."""
        return Fraction(self.start_s or 0).limit_denominator(1_000_000)

    def holds(self, seconds: float) -> bool:
        """Return whether something at this time is kept."""
        return (self.start_s is None or seconds >= self.start_s) and (self.end_s is None or seconds < self.end_s)


# Typed as what may be given; always seconds once checked.
Time = Annotated[float | str, AfterValidator(parse_time)]


class FilmOptions(Options):
    """How a film is read, kept steady and written."""

    codec: CodecName = Field(
        default="x264",
        description="How the picture is written. x264 plays everywhere; x265 and av1 are smaller and slower; ffv1 is "
        "lossless (every luma sample is the input's) and large; prores is for editors; frames writes a folder of PNG.",
    )
    crf: float | None = Field(
        default=None,
        ge=0,
        le=63,
        allow_inf_nan=False,
        description="Quality of x264 (default 16), x265 (18) and av1 (24): lower is better and larger. 0 is lossless "
        "for x264 and x265. These codecs change the luma a little otherwise.",
    )
    preset: str | None = Field(
        default=None,
        pattern="[a-z0-9]+",
        description="How much work the encoder does for a smaller file: x264 (default veryfast) and x265 (fast) know "
        "ultrafast to veryslow, av1 (8) knows 13 to 0. medium takes three times as long as veryfast.",
    )
    chroma: Sampling | None = Field(
        default=None,
        description="Sampling of the colours. Left out, the film's own; 4:4:4 where a side is odd and the codec cannot "
        "halve it.",
    )
    depth: Literal[8, 10, 12, 16] | None = Field(
        default=None,
        description="Bits of a sample. Left out, the film's own (10 for prores). More change nothing, fewer round.",
    )
    interlaced: Interlaced = Field(
        default="deinterlace",
        description="Interlaced film: deinterlace (bwdif, one frame for each), keep both fields as they are and colour "
        "each, or telecine: bring back the 24 frames a second of cinema film in 30 of American television.",
    )
    key_spacing: int = Field(
        default=8,
        ge=1,
        le=240,
        description="The net colours a frame this often, and earlier where the picture has changed; between, colours "
        "travel with the picture. Fewer are not steadier, and cost the net's time.",
    )
    tell_net: bool = Field(
        default=False,
        description="For models that take hints (contract color/2): tell the net the colours that have travelled to a "
        "key frame, so that it colours what is new to match. Otherwise it decides alone, and its answer is blended in. "
        "For short shots: what it is told grows with each telling, and in a long shot colours drift away.",
    )
    cuts: Path | None = Field(
        default=None,
        description="A text file that corrects where shots begin: lines of `cut PLACE` and `no-cut PLACE`, a place "
        "being a frame's number or a time (1234, 12.5s, 0:01:02.5).",
    )
    keyframes: Path | None = Field(
        default=None,
        description="A folder of frames that somebody has coloured, named by number or time (000123.png, 12.5s.png, "
        "0-01-02.5.png), whole, or transparent where nothing is said. They rule their shot from there on, and the "
        "seconds before.",
    )
    hints: Path | None = Field(
        default=None,
        description="A folder of hints for frames, named like those of --keyframes: 000123.hints.json, "
        "12.5s.hints.png. What they colour rules the shot as a coloured frame does.",
    )
    reference: tuple[Path, ...] = Field(
        default=(),
        description="Colour photographs that show the same things: each shot is compared with them, and takes the "
        "colours of what both show. Repeat it for several.",
    )
    start: Time | None = Field(default=None, description="Colour from here on: a time of the film (12.5 or 0:01:02.5).")
    end: Time | None = Field(default=None, description="Colour up to here, likewise.")
    fps: float | None = Field(
        default=None,
        gt=0,
        le=1000,
        description="Frames a second of a folder of pictures. Left out, 18, as Super 8 has.",
    )
    without: tuple[Kind, ...] = Field(
        default=(),
        description="Leave out sound, subtitles or data (time codes and the like).",
    )
    restore: bool = Field(
        default=False,
        description="Restore before colouring: by what neighbouring frames show, exposure, dust and scratches "
        "that live one frame, vertical lines, grain; faded tones. Invents nothing. Takes two to three times as long.",
    )
    exposure: Switch = Field(
        default="auto", description="With --restore: even out exposure that breathes. Left alone where nobody sees it."
    )
    dust: Switch = Field(default="auto", description="With --restore: fill what lives one frame from its neighbours.")
    lines: Switch = Field(default="auto", description="With --restore: take off vertical lines that stay.")
    grain: Switch = Field(
        default="auto", description="With --restore: average grain along the motion, where there is some."
    )
    grain_strength: float = Field(
        default=1.0, ge=0, le=1, allow_inf_nan=False, description="With --restore: how much of the grain goes, 0 to 1."
    )
    tone: Switch = Field(
        default="auto",
        description="With --restore: correct fading, uneven exposure and vignettes, by one correction for each shot. "
        "Left alone where blacks are black and whites are white, and in HDR.",
    )
    noise: Switch = Field(
        default="never",
        description="With --restore: run the noise network of photographs over what averaging has left: auto, where a "
        "shot is still noisy. About two and a half seconds a megapixel and frame, so it is not done unasked.",
    )
    recolor: bool = Field(
        default=False, description="Colour a film that is in colour already: its colours are replaced."
    )
    keep_masters: bool = Field(
        default=False,
        description="Keep a lossless copy (FFV1 in NAME-master.mkv) beside the result, to cut or encode from again.",
    )
    overwrite: bool = Field(
        default=False,
        description="Replace an output that exists already. The film itself, and what photochrom did not make, "
        "is never replaced.",
    )

    @property
    def files_read(self) -> list[Path]:
        """Files and folders beside the film whose content shapes the result."""
        return [path for path in (self.cuts, self.keyframes, self.hints, *self.reference) if path]

    @property
    def span(self) -> Span:
        """The part to colour."""
        return Span(*self.span_s)

    @property
    def span_s(self) -> tuple[float | None, float | None]:
        """The part to colour, in seconds: (start, end)."""
        start, end = (None if place is None else parse_time(place) for place in (self.start, self.end))
        return start, end
