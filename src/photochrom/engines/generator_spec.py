"""What the file of a generator of whole pictures (not of chroma) says of itself."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

METADATA_KEY = "photochrom"
GENERATOR_CONTRACT = "rgb-generator/1"
PX_PER_FACTOR = 16  # DeOldify's render factor counts the side of the net's square in sixteens of pixels
Triple = tuple[float, float, float]


class GeneratorSpec(BaseModel):
    """The contract ``rgb-generator/1``.

    Input ``image`` float32 (1, 3, H, W): ``(grey - mean) / deviation`` per channel, grey being ``grey_weights`` of
    gamma-encoded sRGB in 0..1. Output ``colored`` float32 (1, 3, H', W') in the same normalisation, to be
    denormalised and then clamped to 0..1; H' and W' are H and W, or rounded up to ``multiple``.
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    contract: Literal["rgb-generator/1"] = "rgb-generator/1"
    name: str = Field(min_length=1)
    network: str = Field(description="artistic, stable or unet-2018.")
    mean: Triple
    deviation: Triple
    grey_weights: Triple
    render_px: int = Field(ge=32, description="Recommended side of the square whose area the net's copy has.")
    multiple: int = Field(ge=2, description="Height and width must be multiples of this.")
    precision: Literal["float32", "int8"] = "float32"
    licence: str = ""
    source_file: str = ""
    source_sha256: str = ""
    weights_sha256: str = Field(default="", description="Hash of the weights beside the graph.")
