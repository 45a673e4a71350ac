"""How a photograph is coloured."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field

from photochrom.errors import OptionError
from photochrom.options.base import Options, Topic

Colored = Literal["skip", "keep", "recolor"]
DEFAULT_MODEL = "photochrom-color"
# The copy that our own nets see is never larger than two squares of this, whatever is asked for: attention grows with
# the square of the area.
LARGEST_RENDER_PX = 1024
MOST_ALTERNATIVES = 9
IDLE_BESIDE = {
    "size": ("render_factor", "max_memory", "classic"),
    "classic": (
        "vividness", "warmth", "chroma_ceiling", "normalize_tone", "alternatives", "alternative", "uncertainty"
    ),
}  # fmt: skip
"""What does nothing beside another option, and is wrong usage."""


class ColorizeOptions(Options):
    """How a photograph is coloured.

    Example:
        >>> photochrom.ColorizeOptions(vividness=1.3).vividness
        1.3
        >>> photochrom.ColorizeOptions.checked(vividnes=1.3)
        Traceback (most recent call last):
        photochrom.errors.OptionError: vividnes: unknown option. Did you mean 'vividness'?
    """

    model: str = Field(
        default=DEFAULT_MODEL,
        description="Model: a name from `photochrom models list`, or the path of an .onnx file made by photochrom.",
    )
    size: Annotated[int | None, Topic.EXPERTS] = Field(
        default=None,
        ge=32,
        le=LARGEST_RENDER_PX,
        description="For experts: short side, in pixels, of the one copy that the net sees; the picture itself always "
        "keeps its full size. Less for long pictures: a copy has at most two squares of 1024 pixels. Left out, the "
        "net sees two copies, one of them a mirror image and, if the model asks for it, larger, and its answers are "
        "averaged. Twice the size costs four times the net's time.",
    )
    render_factor: Annotated[int | None, Topic.EXPERTS] = Field(
        default=None,
        ge=2,
        le=100,
        description="DeOldify's measure of the net's copy, for its models: the area of a square of 16 pixels times "
        "this. Low is vivid and quick, high is detailed and paler; time and memory grow with its square.",
    )
    max_memory: Annotated[int | None, Topic.EXPERTS] = Field(
        default=None,
        ge=1,
        description="Only for DeOldify's models: memory in MiB that colouring may take. The net's copy is made smaller "
        "until it should fit, and the result says so.",
    )
    classic: Annotated[bool, Topic.EXPERTS] = Field(
        default=False,
        description="Only for DeOldify's models: colour as the original program did, step by step (stretched to a "
        "square, 8 bit, colours laid under the luma with OpenCV's rounding), for people who compare.",
    )
    vividness: float = Field(
        default=1.0,
        ge=0.0,
        le=3.0,
        allow_inf_nan=False,
        description="Strength of the colours: 0 is grey, 1 as the model says, 1.3 clearly more. Below 1, colours that "
        "the net is unsure of fade first, which costs a few hundredths of a second; above, it is free.",
    )
    warmth: float = Field(
        default=0.0,
        ge=-80.0,
        le=80.0,
        allow_inf_nan=False,
        description="White balance, in mired towards warmer (yellower) light, negative towards cooler (bluer): 18 is "
        "a faint colour filter (81A), 50 a strong one. Lightness does not change. Free.",
    )
    chroma_ceiling: Annotated[float | None, Topic.EXPERTS] = Field(
        default=75.0,
        gt=0.0,
        le=150.0,
        allow_inf_nan=False,
        description="Largest Lab chroma that the 99th percentile of a picture may reach; above it all colours of that "
        "picture are weakened together, and the result says so. Keeps neon colours away.",
    )
    normalize_tone: Annotated[bool, Topic.EXPERTS] = Field(
        default=True,
        description="On the net's copy only, stretch the tones of a faded or very dark scan and smooth the dots of a "
        "printed one, so that the net recognises what it sees. The picture's own tones never change.",
    )
    colored: Colored = Field(
        default="keep",
        description="Photographs that are in colour already, hand-tinted ones too: colours kept, so that albums come "
        "out whole; skipped, without a result; or coloured anew. The result says so. Sepia and other toning counts as "
        "black-and-white.",
    )
    alternatives: int = Field(
        default=1,
        ge=1,
        le=MOST_ALTERNATIVES,
        description="How many plausible, visibly different versions of each picture to make, likeliest first: beside "
        "the result, NAME-alternative-2, NAME-alternative-3 and so on. Fewer where the net is sure. Costs about half "
        "a second, and merging and writing of each.",
    )
    alternative: int = Field(
        default=1,
        ge=1,
        le=MOST_ALTERNATIVES,
        description="Make this one of the versions that --alternatives counts as the result; 1 is the likeliest. An "
        "error for a picture that has fewer. Costs about half a second.",
    )
    uncertainty: bool = Field(
        default=False,
        description="Write a grey picture beside each result, NAME-uncertainty.png: the net is sure of its colours "
        "where it is white, and guesses where it is black. Nearly free.",
    )

    def refuse_idle(self) -> None:
        """Raise OptionError where an option does nothing beside another, such as a render factor beside a size."""
        for beside, names in IDLE_BESIDE.items():
            for name in names if getattr(self, beside) else ():
                if getattr(self, name) != type(self).model_fields[name].default:
                    raise OptionError(f"does nothing with {beside}", where=name, next_step="Leave out one of the two")

    def at_usual_size(self, render_px: int) -> Self:
        """Return these options with one copy of the model's usual size, unless they say of what size themselves."""
        if self.size or self.render_factor or self.max_memory or self.classic:
            return self
        return self.model_copy(update={"size": render_px})
