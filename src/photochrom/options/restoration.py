"""How a photograph is restored."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from photochrom.options.base import Options, Topic

Switch = Literal["auto", "always", "never"]


class RestoreOptions(Options):
    """How a photograph is restored. Each stage decides by itself whether it is needed, and can be told."""

    topic = Topic.RESTORING

    damage: Switch = Field(
        default="auto",
        description="Scratches, dust, creases, tears and stains: found by one model, filled from their surroundings by "
        "another; nothing else is touched. Left alone where little is found; `always` fills that too. Now and then a "
        "pole or a white line is taken for damage: look at --mask-out. About a second a megapixel to search, and at "
        "most as much again to fill.",
    )
    noise: Switch = Field(
        default="auto",
        description="Grain, scanner noise, JPEG blocks and halftone screens. Left alone where the quietest parts of "
        "the picture are clean. About a second and a half a megapixel.",
    )
    tone: Switch = Field(
        default="auto",
        description="Fading, uneven exposure and vignettes. Left alone where blacks are black and whites are white. "
        "Colours and toning stay, unless --correct-cast or --neutralize. About 0.1 s a megapixel.",
    )
    noise_strength: float = Field(
        default=1.0,
        ge=0.0,
        le=1.0,
        allow_inf_nan=False,
        description="How much of the noise is taken away, 0 to 1: 0.7 leaves some of the grain. Free.",
    )
    tone_strength: float = Field(
        default=1.0,
        ge=0.0,
        le=1.0,
        allow_inf_nan=False,
        description="How far tones are corrected, 0 to 1. Free.",
    )
    neutralize: bool = Field(
        default=False,
        description="Make sepia and other toned or yellowed black-and-white photographs neutral grey. A colour "
        "photograph keeps its colours, and the result says so.",
    )
    correct_cast: bool = Field(
        default=False,
        description="Let the tone stage change the colours of a colour photograph too: faded dyes, a cast.",
    )
    largest_hole: Annotated[float, Topic.EXPERTS] = Field(
        default=0.08,
        gt=0.0,
        le=1.0,
        allow_inf_nan=False,
        description="Damage thicker than this share of the short side is left as it is, and the result says so: what "
        "was there can only be invented. A hand-drawn mask is filled whatever its size.",
    )
    fill_writing: bool = Field(
        default=False,
        description="Fill what looks like writing too. Left out, rows of letters and figures that the model takes for "
        "scratches stay, and the result says so. A hand-drawn mask is filled whatever it covers.",
    )
    keep_mask: bool = Field(
        default=False,
        description="Write what was filled beside each result, NAME-mask.png: white is filled. Nearly free.",
    )
    damage_model: Annotated[str, Topic.EXPERTS] = Field(
        default="photochrom-damage", description="For experts: model that finds damage."
    )
    inpaint_model: Annotated[str, Topic.EXPERTS] = Field(
        default="photochrom-inpaint", description="For experts: model that fills holes."
    )
    noise_model: Annotated[str, Topic.EXPERTS] = Field(
        default="photochrom-noise", description="For experts: model that removes noise."
    )
    tone_model: Annotated[str, Topic.EXPERTS] = Field(
        default="photochrom-tone", description="For experts: model that corrects tones."
    )
