"""What a user can choose, declared once: the Python API, the command line and configuration files all read these.

Models are frozen (safe to share between threads) and forbid unknown keys. Each field's description is the text of its
command-line help, so it says what the option does and, where there is a price, what it costs.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from photochrom.errors import OptionError
from photochrom.spelling import did_you_mean

Colored = Literal["skip", "keep", "recolor"]
OutputFormat = Literal["jpeg", "png", "webp", "tiff", "avif", "bmp"]
DEFAULT_MODEL = "photochrom-color"
# The net's copy is never larger than this, whatever is asked for: attention grows with the square of the area.
LARGEST_RENDER_PX = 1024
MOST_ALTERNATIVES = 9


class Topic(StrEnum):
    """What an option is about: the parts of a verb's help, in the order of a person's needs."""

    OUT = "In and out"
    LOOK = "How it looks"
    RESTORING = "Restoring"
    FILES = "Files"
    COMPUTER = "This computer"
    EXPERTS = "For experts"


class Options(BaseModel):
    """The base of all option sets: frozen, strict about unknown keys, errors in photochrom's own words.

    ``topic`` is that of all fields that are not annotated with another.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    topic: ClassVar[Topic] = Topic.LOOK

    @classmethod
    def checked(cls, /, **values: Any) -> Self:
        """Return the options, or raise one OptionError that names the first wrong option and the next step."""
        try:
            return cls(**values)
        except ValidationError as error:
            raise option_error(cls, error) from None


def option_error(model: type[BaseModel], error: ValidationError) -> OptionError:
    """Return the first thing that pydantic found wrong, in one line."""
    first = error.errors()[0]
    name = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        return OptionError("unknown option", where=name[:100], next_step=did_you_mean(name, model.model_fields))
    message = str(first["msg"]).replace("Input should", "should")
    return OptionError(f"{message}, not {repr(first['input'])[:100]}", where=name)


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
        "keeps its full size. Left out, the net sees two copies, one of them a mirror image, and its answers are "
        "averaged: half as long again as one, and better. Twice the size costs four times the net's time.",
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
        description="Stretch the tones of a faded or very dark scan on the net's copy only, so that the net recognises "
        "what it sees. The picture's own tones never change.",
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


class ReadingOptions(Options):
    """How a file is read."""

    topic = Topic.FILES

    damaged_files: Literal["refuse", "read"] = Field(
        default="refuse",
        description="Files whose pixels are damaged: refused, or read as far as they go. Rows that are lost are told, "
        "and restoring takes them for holes.",
    )
    page: int | None = Field(
        default=None,
        ge=1,
        description="Of files with several pages, take this one, counted from 1. Left out, all of them where the "
        "result can hold them (TIFF), and else the first.",
    )


class OutputOptions(Options):
    """How a finished photograph is written."""

    topic = Topic.FILES

    format: Annotated[OutputFormat | None, Topic.OUT] = Field(
        default=None,
        description="File format. Left out, it follows the output's file name, or else the input's own format.",
    )
    quality: int = Field(
        default=95,
        ge=1,
        le=100,
        description="Quality of JPEG, WebP and AVIF, 1 to 100; more means larger files. Lossless formats ignore it.",
    )
    keep_metadata: bool = Field(
        default=True,
        description="Carry EXIF, XMP, IPTC, colour profile and resolution into the output.",
    )
    profile: Literal["srgb", "original"] = Field(
        default="srgb",
        description="Colour space of the output: sRGB, or the one the photograph came in (where that was an RGB one).",
    )
    mark: str | None = Field(
        default=None,
        min_length=1,
        max_length=100,
        description="Text drawn small into the lower left corner, such as 'Colours added by a model'. The luma changes "
        "under it, and nowhere else.",
    )
    certificate: Annotated[Path | None, Topic.EXPERTS] = Field(
        default=None,
        description="Sign each result with content credentials (C2PA) by this certificate chain, a PEM file. Adds 3 to "
        "10 kB; needs the c2pa extra. A signed result is never the same bytes twice, so it can have no recipe.",
    )
    private_key: Annotated[Path | None, Topic.EXPERTS] = Field(
        default=None,
        description="The certificate's private key, an unencrypted PEM file.",
    )
    overwrite: Annotated[bool, Topic.OUT] = Field(
        default=False,
        description="Replace an output file that exists already. Inputs are never replaced.",
    )


Device = Literal["cpu", "cuda", "coreml", "directml", "openvino"]


class EngineOptions(Options):
    """How a model is run on this computer. Not part of what makes a picture: any choice gives the same colours."""

    topic = Topic.COMPUTER

    threads: int | None = Field(
        default=None,
        ge=1,
        le=1024,
        description="Threads for the net. Left out, all physical cores that this process may use.",
    )
    device: Device = Field(
        default="cpu",
        description="Where the net runs. The processor takes a fraction of a second for a photograph; another device "
        "needs the ONNX Runtime package built for it, and is refused, not replaced, where that is missing.",
    )


class Limits(Options):
    """How much one input may ask of this computer; hostile files claim to be huge."""

    topic = Topic.COMPUTER

    max_pixels: int = Field(
        default=250_000_000,
        ge=1,
        description="Largest picture accepted, in pixels (width times height). Raise it for larger scans.",
    )
    max_file_bytes: int = Field(
        default=4_000_000_000,
        ge=1,
        description="Largest input file read, in bytes.",
    )
    max_memory_bytes: int = Field(
        default=4_000_000_000,
        ge=1,
        description="Most memory and temporary room that one picture may need, in bytes, estimated before it is "
        "decoded. Large pictures lie in temporary files.",
    )
