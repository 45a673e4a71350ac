"""The tables of a training run's configuration, but for its stages: what each key means, and within what limits."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

# Memory of a running mean.
Decay = Annotated[float, Field(ge=0, lt=1)]


class Section(BaseModel):
    """A table of the configuration: unknown keys are errors, values never change."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class TaskSection(Section):
    """What goes in, and what should come out."""

    input: Literal["aged", "relit", "grey", "worn", "scanned"] = Field(
        default="aged",
        description="aged: grey with the damage of [age]; relit: colour under other light (the seed's defade); grey; "
        "worn: the presets `before` and `wear` of the degradation engine; scanned: grey, as any scan holds it.",
    )
    target: Literal["color", "rgb", "luma", "tone", "mask", "fill", "polarity"] = Field(
        default="color",
        description="color: a distribution over a*b*, for `colorize`; rgb: the photograph; luma: its clean grey; "
        "tone: curves that correct it; mask: where it is damaged; fill: what its holes hid; polarity: whether it is a "
        "positive or a negative.",
    )
    before: str = Field(
        default="", description="worn: preset, or file of one, that both pictures of a pair live through."
    )
    wear: str = Field(
        default="", description="worn: preset, or file of one, that only the network's input lives through."
    )
    corrects: bool = Field(default=False, description="rgb and luma: add to the input instead of painting anew.")
    brightness: float = Field(default=0.5, ge=0, le=1, description="relit: largest shift of brightness.")
    contrast: float = Field(default=0.5, ge=0, le=1, description="relit: largest change of contrast.")
    mask_error: float = Field(
        default=0.0, ge=0, le=1, description="fill: share of the picture whose holes are a pixel narrower or wider."
    )
    finder: Path | None = Field(
        default=None,
        description="fill: network of target mask (named as model.init is), whose finds are filled in some pictures.",
    )
    found_share: float = Field(default=0.5, ge=0, le=1, description="fill: in how many.")
    anneal: float = Field(default=0.5, gt=0, description="color: temperature at which losses see the mean colour.")
    at_answer_size: bool = Field(
        default=False,
        description="color: losses see pictures as small as the answer, not as the photograph; a tenth of a step less.",
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.target == "color" and (self.input == "relit" or self.corrects):
            raise ValueError("target color takes a grey input (aged or grey) and does not correct")
        if (self.input == "worn") != bool(self.wear) or (self.before and not self.wear):
            raise ValueError("input worn needs the preset wear, and no other input takes one")
        if self.input == "worn" and self.target in ("color", "luma"):
            raise ValueError("input worn is colour: its targets are rgb, tone, mask and fill")
        if self.target in ("tone", "mask", "fill") and self.input != "worn":
            raise ValueError(f"target {self.target} needs input worn")
        if (self.target == "polarity") != (self.input == "scanned"):
            raise ValueError("target polarity and input scanned belong together")
        if self.finder is not None and self.target != "fill":
            raise ValueError("only target fill takes a finder")
        return self


class ModelSection(Section):
    """The generator."""

    name: str = Field(default="photochrom-color", description="Name the exported model carries.")
    backbone: str = Field(
        default="lite0",
        description="Backbone: lite0, lite1, lite2, resnet34 or resnet101; none for restoration sizes, but for damage.",
    )
    backbone_weights: Path | None = Field(default=None, description="Downloaded weights of a resnet.")
    decoder: str = Field(
        default="base", description="Decoder: test, small, quarter, base, large, deep or wide; else a size."
    )
    width: float | None = Field(default=None, ge=0.25, le=8, description="Width factor of deep (1.5) and wide (2).")
    queries: int = Field(default=0, ge=0, le=256, description="Colour queries that see the whole picture; 0: none.")
    hears: bool = Field(default=False, description="The network takes hints, colours that somebody knows; see [hints].")
    spreads: bool = Field(default=False, description="It carries hints to whatever looks alike, wherever that lies.")
    agrees: bool = Field(default=False, description="Unsure places that look alike agree on their colours.")
    agrees_afar: bool = Field(default=False, description="And wherever they lie, by the looks that spread hints.")
    rebalancing: float = Field(default=0.5, ge=0, le=1, description="Lambda of the colour rebalancing; 1: frequencies.")
    pretrained: bool = Field(default=True, description="Start the backbone from its ImageNet weights.")
    init: Path | None = Field(
        default=None,
        description="What to start from: a checkpoint, a run's folder, an exported model file, or a model's name, such "
        "as photochrom-color. It may lack queries or hints, and its decoder may go further.",
    )

    @model_validator(mode="after")
    def _has_what_it_builds_on(self) -> Self:
        if self.agrees_afar and not (self.agrees and self.spreads):
            raise ValueError("agrees_afar looks by what spreads hints: set agrees and spreads, too")
        return self


class CriticSection(Section):
    """The critic of stages ``critic`` and ``joint``."""

    kind: Literal["patch", "progressive", "projected"] = Field(
        default="patch",
        description="patch: final DeOldify's; progressive: the first's; projected: heads on a frozen network.",
    )
    width: int = Field(default=256, ge=8, multiple_of=8, description="Channels of the first layer, or of the heads.")
    blocks: int = Field(default=3, ge=1, le=4, description="patch, progressive: halvings after the first layer.")
    network: Literal["lite0", "lite1", "lite2", "test"] = Field(
        default="lite1", description="projected: the frozen network."
    )
    betas: tuple[Decay, Decay] = Field(default=(0.0, 0.9), description="AdamW's averaging factors, for the critic.")


class LooksAt(StrEnum):
    """What a loss of the generator is taken on."""

    ANSWER = "what the network itself answers; the task knows how"
    PICTURE = "the picture that the answer makes, and the one that would have been right"
    OPINION = "what the critic says of that picture, in joint stages"


class LossSection(Section):
    """What the generator is taught by; a weight of 0 leaves a loss out.

    A weight says what its loss looks at. The function of one that looks at the picture is in ``OF_PICTURE`` of
    ``train/objectives.py``, under the same name.
    """

    distribution: Annotated[float, LooksAt.ANSWER] = Field(
        default=1.0, ge=0, description="The target's own loss; of color the rebalanced cross-entropy."
    )
    pixel: Annotated[float, LooksAt.PICTURE] = Field(
        default=0.0, ge=0, description="Mean absolute difference of pictures."
    )
    difference: Annotated[float, LooksAt.PICTURE] = Field(
        default=0.0, ge=0, description="Colour difference of pictures of one lightness, CIEDE2000."
    )
    decibel: Annotated[float, LooksAt.PICTURE] = Field(
        default=0.0, ge=0, description="Logarithm of each picture's mean square error: PSNR."
    )
    colorfulness: Annotated[float, LooksAt.PICTURE] = Field(
        default=0.0, ge=0, description="Difference of each picture's colourfulness, two-sided."
    )
    perceptual: Annotated[float, LooksAt.PICTURE] = Field(
        default=0.0, ge=0, description="Difference seen by a pretrained network."
    )
    network: str = Field(default="lite0", description="That network: vgg16, vgg16_bn or a backbone.")
    network_weights: Path | None = Field(
        default=None, description="Its downloaded weights; backbones lite0-2 need none."
    )
    levels: tuple[int, ...] = Field(default=(1, 2, 3), description="Its feature maps that count, 0 (fine) to 4.")
    level_weights: tuple[float, ...] = Field(default=(1.0, 1.0, 1.0), description="What each of them counts.")
    adversarial: Literal["hinge", "bce"] = Field(default="bce", description="Form of the adversarial loss.")
    critic_share: Annotated[float, LooksAt.OPINION] = Field(
        default=1.0, ge=0, description="Weight of the critic's opinion in joint stages."
    )

    def weights(self, looks_at: LooksAt) -> dict[str, float]:
        """Return the weights above 0 of the losses that look at one thing, by field."""
        fields = type(self).model_fields
        return {
            name: getattr(self, name)
            for name, field in fields.items()
            if looks_at in field.metadata and getattr(self, name)
        }


class DataSection(Section):
    """The photographs."""

    photos: tuple[str, ...] = Field(description="Folders, tar shards (also https://) or files; shell patterns allowed.")
    validation_photos: int = Field(default=256, ge=0, description="Photographs held out of training and looked at.")
    held_out: tuple[str, ...] = Field(
        default=(), description="Patterns of names that are never trained on; validation then looks at such ones only."
    )
    min_chroma: float = Field(default=4.0, ge=0, description="Photographs of lower mean Lab chroma count as grey.")
    repeats: dict[str, Annotated[int, Field(ge=1, le=100)]] = Field(
        default={}, description="How often an epoch visits photographs whose name fits a pattern; else once."
    )
    largest_px: dict[str, Annotated[int, Field(ge=32)]] = Field(
        default={},
        description="Largest of a stage's sizes at which photographs are shown whose name fits a pattern; else all.",
    )
    cache_gb: float = Field(default=5.0, ge=0, description="Memory for decoded photographs; 0 decodes each time.")
    zoom: float = Field(default=1.4, ge=1, description="A crop shows between 1/zoom and all of the short side.")
    enlarges: bool = Field(
        default=True,
        description="Whether crops may have fewer pixels than the input, so be blurred, where photographs have more.",
    )
    workers: int = Field(default=1, ge=1, description="Threads that prepare batches.")
    index: Path | None = Field(default=None, description="File that keeps the list of photographs between runs.")


class HintsSection(Section):
    """The hints that a network that hears them is taught with; see ``train/hints.py``."""

    share: float = Field(default=0.5, ge=0, le=1, description="Share of the photographs that come with hints.")
    most: int = Field(default=100, ge=1, description="Most patches of colour on one photograph.")
    strokes: float = Field(default=0.15, ge=0, le=1, description="Share of those whose hints are strokes.")
    fields: float = Field(default=0.15, ge=0, le=1, description="Share of those with a whole field, as from a film.")
    invented: float = Field(
        default=0.4,
        ge=0,
        le=1,
        description="Share of those with patches or strokes where one thing has another colour, told and true alike.",
    )


class OptimizerSection(Section):
    """AdamW or Muon, and what surrounds it."""

    kind: Literal["adamw", "muon"] = Field(default="adamw", description="What moves a generator's matrices.")
    betas: tuple[Decay, Decay] = Field(default=(0.9, 0.98), description="AdamW's averaging factors.")
    weight_decay: float = Field(default=0.01, ge=0, description="Decoupled weight decay, on kernels only.")
    clip_norm: float = Field(default=2.0, gt=0, description="Largest norm of the whole gradient.")
    ema_decay: float = Field(default=0.999, ge=0, lt=1, description="Memory of the average that is exported.")
    pixel_share: float = Field(default=0.25, gt=0, le=1, description="Share of pixels in the distribution loss.")


class InflectionSection(Section):
    """Finding the point where a joint stage has given what it can."""

    every_photos: int = Field(default=0, ge=0, description="Photographs between looks; 0 does not look.")
    probe_photos: int = Field(default=128, ge=16, description="Held-out photographs that are looked at.")
    network: str = Field(default="lite0", description="Network whose feature space distances are taken in.")
    network_weights: Path | None = Field(default=None, description="Its file, where it has no package.")
    patience: int = Field(default=3, ge=1, description="Looks without a better distance that count as no improvement.")
    stops: bool = Field(default=True, description="End the stage there; else only note it.")


class RunSection(Section):
    """Where a run lives, on what it runs, and how often it speaks."""

    folder: Path = Field(description="Folder for checkpoints and logs.")
    seed: int = Field(default=0, ge=0, description="Fixes initial weights, order, crops and degradation.")
    threads: int = Field(default=0, ge=0, description="Threads for the arithmetic; 0 takes all cores.")
    device: str = Field(default="auto", description="auto, cpu, cuda or cuda:N; auto takes a GPU where there is one.")
    precision: Literal["float32", "bfloat16", "float16"] = Field(default="float32", description="Autocast to this.")
    channels_last: bool = Field(default=True, description="Memory layout; quicker on CPUs and tensor cores.")
    winograd: bool = Field(default=True, description="On a CPU, wide 3x3 convolutions by Winograd's method; quicker.")
    compile: bool = Field(default=False, description="Compile the generator: minutes at the start, quicker steps.")
    recompute: bool = Field(default=False, description="Gradient checkpointing: less memory, a third more time.")
    log_steps: int = Field(default=20, ge=1, description="Steps between lines of the log.")
    checkpoint_steps: int = Field(default=200, ge=1, description="Steps between checkpoints.")
    validation_steps: int = Field(default=400, ge=1, description="Steps between validations and sample pictures.")
