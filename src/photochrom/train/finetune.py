"""Adapting a finished model file to one archive or collection, in minutes on a CPU.

The start is the ONNX file itself: its kernels, with norms already folded in, are read back into a network, the decoder
is trained a little, and the new kernels are written into a copy of the file, from which training can go on.
Photographs held out decide how far it goes: the weights kept are those that colour *them* best, and if that is the
start, nothing is written.
"""

from __future__ import annotations

import copy
import glob
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from torch import Tensor, nn

from photochrom.computer.hashes import sha256_of
from photochrom.computer.systems import put_in_place
from photochrom.degradation.ageing import AgeOptions
from photochrom.engines.base import METADATA_KEY
from photochrom.engines.runtime import onnxruntime
from photochrom.errors import ModelFileError, TrainingError
from photochrom.export.kept import HALF, OF_GRAPH, Kept, read_kept, write_kept
from photochrom.nets.folding import fold_norms
from photochrom.nets.generators import ColorNet
from photochrom.train.config import Stage
from photochrom.train.data import BatchSource, PhotoSet, open_photo_sets
from photochrom.train.losses import color_distribution_loss
from photochrom.train.schedule import rate_share
from photochrom.train.sections import DataSection, TaskSection
from photochrom.train.trained import load_trained
from photochrom.train.validation import ColorValidation

FEWEST_PHOTOS = 8
PARITY_AB = 0.5
CLIP_NORM = 1.0


@dataclass(frozen=True)
class FinetuneOptions:
    """How far and how gently to adapt."""

    steps: int = 300
    batch: int = 8
    size_px: int = 128
    rate: float = 2e-4
    all_layers: bool = False
    look_steps: int = 30
    patience: int = 4
    seed: int = 0


@dataclass(frozen=True)
class FinetuneResult:
    """Where the model went, and the held-out error (CIEDE2000) and colourfulness before and after."""

    path: Path
    sha256: str
    photos: int
    held_out: int
    steps: int
    before: dict[str, float]
    after: dict[str, float]
    unusable: tuple[str, ...]


def finetune(
    model: Path,
    photos: Path,
    output: Path,
    options: FinetuneOptions,
    on_look: Callable[[int, dict[str, float]], None] = lambda _step, _figures: None,
) -> FinetuneResult:
    """Adapt a colour model file to the colour photographs in a folder, and write the result as a model file.

    Raises:
        ModelFileError: the model is not one whose kernels can be read back (a quantised one, or another tool's).
        TrainingError: too few usable photographs, or none of the steps coloured the held-out ones better.
    """
    file, kept, net = read_folded(model)
    training, held_out = _open(photos, options)
    validation = ColorValidation(held_out, options.size_px, _metadata(file, model).get("temperature", 0.5))
    before = validation.measure(net)
    best, best_step, after = _adapt(net, training, validation, before, options, on_look)
    if best_step == 0:
        raise TrainingError(
            "no step coloured the held-out photographs better, so nothing was written",
            where=str(photos),
            next_step="Use more photographs, or a smaller --rate",
        )
    net.load_state_dict(best)
    unusable = (*training.corrupt, *training.grey, *held_out.corrupt, *held_out.grey)
    facts = {"finetuned_photos": len(training), "finetuned_steps": best_step, "finetuned_from": sha256_of(model)}
    sha256 = write_folded(file, kept, net, output, {"name": output.stem} | facts)
    held = len(validation.truth)
    return FinetuneResult(output, sha256, len(training), held, best_step, before, after, unusable)


def _open(photos: Path, options: FinetuneOptions) -> tuple[PhotoSet, PhotoSet]:
    data = DataSection(photos=(glob.escape(str(photos)),), validation_photos=64, zoom=1.4)
    try:
        training, held_out = open_photo_sets(data, options.size_px)
    except TrainingError as error:  # it speaks of a configuration, which nobody has written
        next_step = "Name a folder of colour photographs"
        raise TrainingError(error.what, where=str(photos), next_step=next_step) from None
    usable = sum(photos.photo(i) is not None for photos in (training, held_out) for i in range(len(photos)))
    seen = [photos.photo(i) is not None for photos in (held_out,) for i in range(len(photos))]
    if usable < FEWEST_PHOTOS or not any(seen):
        corrupt, grey = len(training.corrupt) + len(held_out.corrupt), len(training.grey) + len(held_out.grey)
        raise TrainingError(
            f"{usable} usable colour photographs, and at least {FEWEST_PHOTOS} are needed"
            f" ({corrupt} corrupt, {grey} without colour)",
            where=str(photos),
        )
    return training, held_out


def _adapt(
    net: ColorNet,
    photos: PhotoSet,
    validation: ColorValidation,
    before: dict[str, float],
    options: FinetuneOptions,
    on_look: Callable[[int, dict[str, float]], None],
) -> tuple[dict[str, Tensor], int, dict[str, float]]:
    """Train until the steps are used up or looks stop finding better; return the best weights, step and figures."""
    torch.manual_seed(options.seed)
    count = options.steps * options.batch
    stage = Stage(
        name="finetune", size_px=options.size_px, batch=options.batch, photos_seen=count, lr_decoder=options.rate
    )
    source = BatchSource(photos, 1.4, TaskSection(), AgeOptions(), options.seed)
    net.unet.backbone.requires_grad_(options.all_layers)
    trained = [parameter for parameter in net.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained, weight_decay=0.0)
    best, best_step, best_figures, looks_since = copy.deepcopy(net.state_dict()), 0, before, 0
    for step, batch in enumerate(source.batches(stage, 0, 0, workers=1), start=1):
        for group in optimizer.param_groups:
            group["lr"] = options.rate * rate_share(stage, step - 1)
        read = net.features(torch.from_numpy(batch.photo)).read
        loss = color_distribution_loss(net, read, torch.from_numpy(batch.ab), pixel_share=0.5)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        norm = nn.utils.clip_grad_norm_(trained, CLIP_NORM)
        if not torch.isfinite(norm):
            raise TrainingError(f"the loss is not a number at step {step}", next_step="Use a smaller --rate")
        optimizer.step()
        if step % options.look_steps and step != stage.steps:
            continue
        figures = validation.measure(net)
        on_look(step, figures)
        looks_since += 1
        if figures["ciede2000"] < best_figures["ciede2000"]:
            best, best_step, best_figures, looks_since = copy.deepcopy(net.state_dict()), step, figures, 0
        if looks_since >= options.patience:
            break
    return best, best_step, best_figures


def read_folded(path: Path) -> tuple[onnx.ModelProto, Kept, ColorNet]:
    """Return a colour model file, what it keeps, and its network: norms folded, as it answers, in evaluation mode.

    What was taken back of the rebalancing on exporting stays so.

    Raises:
        ModelFileError: the file's kernels are not those of a colour network that photochrom exports.
    """
    model, kept = read_kept(path)
    net = load_trained(path).net
    if not isinstance(net, ColorNet):
        raise ModelFileError(
            "this model cannot be fine-tuned: it does not colour", where=str(path), next_step="Choose a colour model"
        )
    folded, stored = fold_norms(net), kept.folded()
    folded.load_state_dict({name: stored.get(name, value) for name, value in folded.state_dict().items()})
    left = float(_metadata(model, path).get("rebalancing_left", 1.0))
    folded.palette.weights **= left
    return model, kept, folded


def write_folded(model: onnx.ModelProto, kept: Kept, net: ColorNet, path: Path, facts: dict[str, Any]) -> str:
    """Write a copy of a model file with the network's kernels and more metadata; return its sha256.

    Raises:
        ModelFileError: the written file does not answer as the network does; nothing is left.
    """
    made = onnx.ModelProto()
    made.CopyFrom(model)
    weights = {name: value.detach() for name, value in net.state_dict().items()}
    for tensor in made.graph.initializer:
        weight = weights.get(tensor.name.removesuffix(HALF).removeprefix(OF_GRAPH))
        if weight is not None and tensor.name.startswith(OF_GRAPH):
            dtype = np.float16 if tensor.name.endswith(HALF) else np.float32
            tensor.CopyFrom(onnx.numpy_helper.from_array(weight.numpy().astype(dtype), tensor.name))
    for entry in made.metadata_props:
        if entry.key == METADATA_KEY:
            entry.value = json.dumps(json.loads(entry.value) | facts)
    write_kept(made, kept.after(weights))
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_suffix(".partial.onnx")
    onnx.save(made, aside)
    difference = difference_ab(net, aside)
    if difference > PARITY_AB:
        aside.unlink()
        raise ModelFileError(
            f"the written model differs from the network by {difference:.2f} Lab units", where=str(path)
        )
    put_in_place(aside, path)
    return sha256_of(path)


@torch.no_grad()
def difference_ab(net: ColorNet, path: Path) -> float:
    """Return the largest difference in colour, Lab units, between a network and a model file, on ramp and noise."""
    ramp = np.linspace(0, 1, 64 * 96, dtype=np.float32).reshape(1, 1, 64, 96)
    luma = np.concatenate([ramp, np.random.default_rng(0).random((1, 1, 64, 96), dtype=np.float32)])
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    feed = {"luma": luma, "temperature": np.asarray(0.7, dtype=np.float32)}
    if net.hears:
        feed["hints"] = np.zeros((2, 3, 64, 96), dtype=np.float32)
    reached = session.run(["ab"], feed)[0]
    expected = net.palette.decode(net.eval()(torch.from_numpy(luma)), 0.7).numpy()
    return float(np.abs(expected - reached).max())


def _metadata(file: onnx.ModelProto, path: Path) -> dict[str, Any]:
    for entry in file.metadata_props:
        if entry.key == METADATA_KEY:
            metadata: dict[str, Any] = json.loads(entry.value)
            return metadata
    raise ModelFileError("the file carries no photochrom metadata", where=str(path))
