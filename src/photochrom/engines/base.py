"""The engine protocol: a model's description, and one call that runs it. FakeEngine implements it for tests."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, Self, runtime_checkable

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from photochrom.errors import ModelError, ModelFileError

FloatArray = npt.NDArray[np.float32]
METADATA_KEY = "photochrom"
HINT_CHANNELS = 3
COLOR_CONTRACTS = ("color/1", "color/2")
OWN_MODEL = "Films, questions, references and --uncertainty need a model such as photochrom-color."


class FileSpec(BaseModel):
    """What any model file says of itself; in ONNX files this is JSON under ``metadata_props["photochrom"]``.

    Unknown keys are allowed, so that a newer exporter's extra facts do not make a file unreadable.
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    contract: str = Field(description="The inputs and outputs that the model promises.")
    name: str = Field(min_length=1)
    licence: str = ""
    sha256: str = Field(default="", description="Hash of the file it was read from; filled by the engine.")

    @classmethod
    def from_json(cls, text: str | None, where: str) -> Self:
        """Return the spec in a model file's metadata; raise ModelFileError where it is absent or wrong."""
        if not text:
            raise ModelFileError(
                "the file carries no photochrom metadata",
                where=where,
                next_step="Use a model from `photochrom models list`, or one exported by photochrom.",
            )
        try:
            return cls.model_validate(json.loads(text))
        except (ValueError, RecursionError) as error:
            reason = error.errors()[0] if isinstance(error, ValidationError) else {"loc": (), "msg": "not JSON"}
            key = ".".join(map(str, reason["loc"])) or METADATA_KEY
            raise ModelFileError(
                f"the metadata cannot be used ({key}: {reason['msg']})",
                where=where,
                next_step="Export the model again with this version of photochrom.",
            ) from None

    def refuse_other_contract(self, wanted: Iterable[str], where: str) -> None:
        """Raise ModelFileError where the file is a model of another contract than those."""
        wanted = tuple(wanted)
        if self.contract not in wanted:
            raise ModelFileError(
                f"is a model of contract {self.contract!r}, and {' or '.join(map(repr, wanted))} is needed",
                where=where,
                next_step="Use a model from `photochrom models list`.",
            )


class ModelSpec(FileSpec):
    """What a colour model says of itself."""

    contract: Literal["color/1", "color/2"] = Field(description="The inputs and outputs that the model promises.")
    render_px: int = Field(ge=32, le=1024, description="Recommended short side of the net's copy, in pixels.")
    detail_px: int = Field(
        default=0,
        ge=0,
        le=1024,
        description="Short side of a second copy at most, as large as the photograph is; 0: none.",
    )
    multiple: int = Field(default=32, ge=1, le=256, description="Height and width must be multiples of this.")
    output_stride: int = Field(default=2, ge=1, le=32, description="Input pixels per output pixel.")
    temperature: float = Field(default=1.0, gt=0, description="Recommended temperature of the annealed mean.")
    gain: float = Field(default=1.0, gt=0, le=4, description="Recommended factor on a*, b* after decoding.")
    detail_gain: float = Field(
        default=1.0,
        gt=0,
        le=4,
        description="Further factor for photographs that are seen at detail_px, too; in proportion below it.",
    )
    chroma_spread: float = Field(
        default=0.0, ge=0, le=1, description="Power by which chroma above 15 is strengthened further."
    )
    pale_below: float = Field(
        default=0.0,
        ge=0,
        le=100,
        description="Colourfulness under which a picture's colours are strengthened; 0: never.",
    )
    bins_ab: tuple[tuple[float, float], ...] = Field(default=(), description="Lab a*, b* of each output class.")
    single_view: bool = Field(default=False, description="Too heavy to be shown several copies of one picture.")
    bin_shares: tuple[float, ...] = Field(default=(), description="How often each class was met in training, sum 1.")
    rebalancing_left: float = Field(default=1.0, ge=0, le=1, description="Share of that not taken back at export.")
    rebalancing: float = Field(default=0.5, ge=0, le=1, description="How far rare classes were weighed up in training.")
    weights_sha256: str = Field(default="", description="Hash of the weights, if they lie in a file of their own.")

    @property
    def hears(self) -> bool:
        """Whether the model takes hints, colours that somebody knows."""
        return self.contract == "color/2"


@runtime_checkable
class Engine(Protocol):
    """Something that runs one colour model. Implementations are safe to call from several threads at once."""

    @property
    def spec(self) -> ModelSpec:
        """What the model says of itself."""
        ...

    @property
    def description(self) -> str:
        """One line for people: runtime, device, threads, and why these were chosen."""
        ...

    def run(self, inputs: Mapping[str, npt.NDArray[Any]], outputs: Sequence[str]) -> dict[str, FloatArray]:
        """Return the outputs asked for, and compute no others where the runtime can avoid it.

        Shapes: ``luma`` float32 (B, 1, H, W) in 0..1, sRGB-encoded grey, H and W multiples of ``spec.multiple``;
        ``temperature`` float32 scalar of shape (), ignored by models without a distribution; for models that hear
        (contract ``color/2``) also ``hints`` float32 (B, 3, H, W): Lab a*, b* in Lab units and how much they count,
        0..1, zero where nothing is known; left out, nothing is known anywhere. Any other input raises ModelError, and
        so do hints for a model that cannot hear. Out, with h = H / ``spec.output_stride``: ``ab`` (B, 2, h, w) in
        Lab units, ``confidence`` (B, 1, h, w) in 0..1, ``logits`` (B, K, h, w); of newer files also ``features``
        (B, C, H / 16, W / 16), by which places of two pictures are compared.
        """
        ...

    def close(self) -> None:
        """Release the model's memory; a later run raises ModelError."""
        ...


@dataclass(frozen=True)
class FakeEngine:
    """An engine without a model, for tests of code that uses photochrom: it gives the colours it was told to give.

    Args:
        ab: Lab a*, b* for the whole picture, or a function from luma (B, 1, h, w), already at the output's size, to
            ab (B, 2, h, w).
        render_px: short side of the copy that it asks for.
        detail_px: that of a second copy at most, as large as the photograph is; 0 for none.
        detail_gain: factor on the colours of these.
        hears: takes hints, and gives their colours where they lie, as much as they count.
    """

    ab: tuple[float, float] | Callable[[FloatArray], npt.NDArray[np.floating[Any]]] = (12.0, 24.0)
    render_px: int = 64
    detail_px: int = 0
    detail_gain: float = 1.0
    hears: bool = False

    @property
    def spec(self) -> ModelSpec:
        """The spec of a colour model of the current contract."""
        contract: Literal["color/1", "color/2"] = "color/2" if self.hears else "color/1"
        return ModelSpec(
            contract=contract,
            name="fake",
            render_px=self.render_px,
            detail_px=self.detail_px,
            detail_gain=self.detail_gain,
            licence="MIT",
        )

    @property
    def description(self) -> str:
        """One line that says it is a fake."""
        return "fake engine (no model)"

    def run(self, inputs: Mapping[str, npt.NDArray[Any]], outputs: Sequence[str]) -> dict[str, FloatArray]:
        """Return the colours it was made with; confidence is 1, logits are empty."""
        refuse_unknown_inputs(inputs, {"luma", "temperature"} | ({"hints"} if self.hears else set()), self.spec)
        stride = self.spec.output_stride
        luma = np.asarray(inputs["luma"], dtype=np.float32)[:, :, ::stride, ::stride]
        batch, _, height, width = luma.shape
        known: dict[str, FloatArray] = {
            "ab": self._told(self._ab(luma), inputs.get("hints")),
            "confidence": np.ones_like(luma),
            "logits": np.zeros((batch, 0, height, width), dtype=np.float32),
        }
        return {name: known[name] for name in outputs}

    def _ab(self, luma: FloatArray) -> FloatArray:
        if callable(self.ab):
            return np.asarray(self.ab(luma), dtype=np.float32)
        plane = np.ones_like(luma)
        return np.concatenate([plane * self.ab[0], plane * self.ab[1]], axis=1).astype(np.float32)

    def _told(self, ab: FloatArray, hints: npt.NDArray[Any] | None) -> FloatArray:
        if hints is None:
            return ab
        stride = self.spec.output_stride
        small = np.asarray(hints, dtype=np.float32)[:, :, ::stride, ::stride]
        return ab + small[:, 2:] * (small[:, :2] - ab)

    def close(self) -> None:
        """Do nothing: there is nothing to release."""


def refuse_unknown_inputs(inputs: Iterable[str], known: Collection[str], spec: ModelSpec) -> None:
    """Raise ModelError for an input that a model does not take: dropped in silence, what it says would be lost."""
    unknown = [name for name in inputs if name not in known]
    if unknown:
        raise ModelError(
            f"the model takes no input {unknown[0]!r}",
            where=spec.name,
            next_step="Use a model of contract color/2"
            if unknown[0] == "hints"
            else f"It takes {', '.join(sorted(known))}",
        )
