"""How files are read and written."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from photochrom.options.base import Options, Topic

OutputFormat = Literal["jpeg", "png", "webp", "tiff", "avif", "bmp"]


class ReadingOptions(Options):
    """How a file is read."""

    topic = Topic.FILES

    damaged_files: Literal["refuse", "read"] = Field(
        default="refuse",
        description="Files whose pixels are damaged: refused, or read as far as they go. Rows that are lost are told, "
        "and restoring takes them for holes.",
    )
    negative: bool = Field(
        default=False,
        description="The files are scans of negatives: each is turned into a positive first. Only its tones are kept; "
        "the colours of colour film, and its orange base, go.",
    )
    page: int | None = Field(
        default=None,
        ge=1,
        description="Of files with several pages, take this one, counted from 1. Left out, all of them where the "
        "result can hold them (TIFF), and else the first.",
    )


class WritingOptions(Options):
    """How a picture is written."""

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
    overwrite: Annotated[bool, Topic.OUT] = Field(
        default=False,
        description="Replace a result that exists already; never another photograph.",
    )


class OutputOptions(WritingOptions):
    """How a finished photograph is written."""

    certificate: Annotated[Path | None, Topic.EXPERTS] = Field(
        default=None,
        description="Sign each result with content credentials (C2PA) by this certificate chain, a PEM file. Adds 3 to "
        "10 kB; needs the c2pa extra. A signed result is never the same bytes twice, so it can have no recipe.",
    )
    private_key: Annotated[Path | None, Topic.EXPERTS] = Field(
        default=None,
        description="The certificate's private key, an unencrypted PEM file.",
    )
