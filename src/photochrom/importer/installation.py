"""Turn a published file of DeOldify or DDColor into an installed model: recognise, fold, check, write.

An installed model is one folder in the cache, put in place by a single rename: ``model.onnx`` (the graph) with
``model.weights`` beside it (read once when loaded), ``weights.safetensors`` (the parameters as published, for
further training), ``card.json`` (for photochrom) and ``README.md`` (for people).
"""

from __future__ import annotations

import errno
import json
import math
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from photochrom.computer.hashes import sha256_of
from photochrom.computer.systems import put_folder_in_place
from photochrom.engines.base import ModelSpec
from photochrom.engines.generator_spec import GENERATOR_CONTRACT, METADATA_KEY, PX_PER_FACTOR, GeneratorSpec
from photochrom.engines.hub import is_embedded
from photochrom.errors import ModelError, ModelFileError, OptionError
from photochrom.importer.card_text import write_card_text
from photochrom.importer.checkpoints import Checkpoint, read_checkpoint
from photochrom.importer.folding import State
from photochrom.importer.graph_writer import GraphWriter
from photochrom.importer.parity import Parity, measure_parity
from photochrom.importer.quantization import (
    QuantizationLoss,
    calibration_pictures,
    measure_loss,
    quantize,
    split_pictures,
)
from photochrom.importer.recognition import GeneratorKind, default_name, recognise
from photochrom.importer.safetensors_file import write_safetensors
from photochrom.importer.weight_store import WeightStore, move_weights

if TYPE_CHECKING:
    import onnx

LEFT_BEHIND_S = 86_400.0
NAME_PATTERN = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
GRAPH_FILE, WEIGHTS_FILE, PARAMETERS_FILE, CARD_FILE, TEXT_FILE = (
    "model.onnx",
    "model.weights",
    "weights.safetensors",
    "card.json",
    "README.md",
)


@dataclass(frozen=True, slots=True)
class ImportedModel:
    """What an import made, and how far the result is from the network it came from."""

    name: str
    folder: Path
    kind: GeneratorKind
    parity: Parity
    notes: tuple[str, ...]
    loss: QuantizationLoss | None = None


def import_model(
    source: Path,
    models_folder: Path,
    *,
    name: str | None = None,
    overwrite: bool = False,
    int8_photos: Path | None = None,
) -> ImportedModel:
    """Recognise a published file, fold its norms, check the result and install it.

    Args:
        source: the .pth, .h5 or .safetensors file.
        models_folder: where installed models lie, one folder each.
        name: what the model will be called; left out, by its kind (and "video" if the file's name says so).
        overwrite: replace an installed model of that name.
        int8_photos: make the convolutions 8 bit wide, with ranges measured on this folder's photographs.

    Raises:
        OptionError: the name is taken, or an embedded model's, or the network cannot be made 8 bit, or the photographs
            are too few.
        ModelFileError: the file is damaged, holds code, or is none of the accepted networks.
        ModelError: the result differs from the network it came from, or the disk is full; nothing is installed.

    Cost: reads the file once and writes two to three times its size; seconds for artistic, a minute for stable on
    two cores.
    """
    checkpoint = read_checkpoint(source)
    kind = recognise(checkpoint)
    name = checked_name(name or default_name(kind, source) + ("-int8" if int8_photos else ""))
    refuse_taken(name, models_folder, overwrite=overwrite)
    _check_space(models_folder, source, kind)
    with _half_made_folder(models_folder, name) as folder:
        made = _write_model(checkpoint, kind, name, folder, int8_photos)
        put_folder_in_place(folder, models_folder / name)
    return replace(made, folder=models_folder / name)


def checked_name(name: str) -> str:
    """Return a model's name; raise OptionError where it cannot be one, on every system and in every index."""
    if not NAME_PATTERN.fullmatch(name):
        raise OptionError(
            f"{name!r} cannot be a model's name", where="name", next_step="Use a-z, 0-9, dots, dashes; 64 at most."
        )
    return name


def refuse_taken(name: str, models_folder: Path, *, overwrite: bool) -> None:
    """Raise OptionError where a model of that name comes with photochrom, or is installed and stays."""
    if is_embedded(name):
        what, next_step = "is the name of a model that comes with photochrom", "Choose another name."
        raise OptionError(what, where=name, next_step=next_step)
    if (models_folder / name).exists() and not overwrite:
        raise OptionError(
            "a model of that name is installed", where=name, next_step="Use --overwrite, or another name."
        )


def _check_space(models_folder: Path, source: Path, kind: GeneratorKind) -> None:
    try:
        models_folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(models_folder).free
    except OSError as error:
        raise ModelError(f"the folder cannot be used ({error.strerror})", where=str(models_folder)) from None
    needed = int(kind.disk_share * source.stat().st_size)
    if free < needed:
        raise ModelError(
            f"{needed / 1e6:.0f} MB are needed and {free / 1e6:.0f} MB are free",
            where=str(models_folder),
            next_step="Make room, or set PHOTOCHROM_CACHE to another disk.",
        )


def not_written(error: OSError, models_folder: Path) -> ModelError:
    """Return the error to raise for a model that could not be written, or put in place."""
    return ModelError(
        f"the model cannot be written ({error.strerror or error})",
        where=str(models_folder),
        next_step="Close what uses it, and run again."
        if error.errno == errno.EBUSY
        else "Make room, or set PHOTOCHROM_CACHE to another disk.",
    )


@contextmanager
def _half_made_folder(models_folder: Path, name: str) -> Iterator[Path]:
    """Yield a folder beside the final one; it is removed again unless it was renamed.

    What an import that was killed left there is removed too, once it is too old to be still at work.
    """
    for left in models_folder.glob(".*-*"):
        if left.is_dir() and time.time() - left.stat().st_mtime > LEFT_BEHIND_S:
            shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=models_folder))
    try:
        yield folder
    except OSError as error:
        raise not_written(error, models_folder) from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _write_model(
    checkpoint: Checkpoint, kind: GeneratorKind, name: str, folder: Path, int8_photos: Path | None
) -> ImportedModel:
    source_sha256 = checkpoint.sha256
    spec = _spec(kind, name, checkpoint.path.name, source_sha256)
    parity, loss, notes = Parity(None), None, []
    if int8_photos:
        weights_sha256, loss = write_int8(checkpoint.tensors, kind, spec, folder, int8_photos)
    else:
        weights_sha256 = write_onnx(checkpoint.tensors, kind, spec, folder)
        parity = measure_parity(folder / GRAPH_FILE, kind.network, checkpoint.tensors)
        if parity.largest is not None and not math.isfinite(parity.largest):
            raise ModelFileError(
                "the file is damaged: its network gives values that are not numbers",
                where=str(checkpoint.path),
                next_step="Download it again.",
            )
        if not parity.passed:
            raise ModelError(f"the folded network differs from the file's by {parity.largest:.2g}", where=name)
        if not parity.checked:
            notes.append("parity was not checked: torch is not installed")
    write_safetensors(folder / PARAMETERS_FILE, checkpoint.tensors, {"photochrom": spec.model_dump_json()})
    card = {
        "name": name,
        "kind": "color",
        "contract": spec.contract,
        "file": GRAPH_FILE,
        "sha256": sha256_of(folder / GRAPH_FILE),
        "weights_sha256": weights_sha256,
        "source_sha256": source_sha256,
        "licence": spec.licence,
        "summary": f"{kind.what}, imported from {checkpoint.path.name}" + (f"; 8 bit, {loss}" if loss else ""),
        "parity": parity.largest,
    }
    (folder / CARD_FILE).write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
    text = write_card_text(spec.model_dump(), kind.what, parity, loss)
    (folder / TEXT_FILE).write_text(text, encoding="utf-8")
    return ImportedModel(name, folder, kind, parity, tuple(notes), loss)


def _spec(kind: GeneratorKind, name: str, source_file: str, source_sha256: str) -> GeneratorSpec | ModelSpec:
    """Return what the model's file will say of itself."""
    facts: dict[str, Any] = {
        "name": name,
        "network": kind.network,
        "render_px": PX_PER_FACTOR * kind.render_factor,
        "multiple": kind.multiple,
        "licence": kind.licence,
        "source_file": source_file,
        "source_sha256": source_sha256,
    }
    if kind.contract != GENERATOR_CONTRACT:
        return ModelSpec(contract="color/1", output_stride=1, single_view=True, **facts)
    return GeneratorSpec(mean=kind.mean, deviation=kind.deviation, grey_weights=kind.grey_weights, **facts)


def write_onnx(tensors: State, kind: GeneratorKind, spec: GeneratorSpec | ModelSpec, folder: Path) -> str:
    """Write ``model.onnx`` and ``model.weights``; return the sha256 of the weights. Memory: one array at a time."""
    with WeightStore(folder / WEIGHTS_FILE) as store:
        model = _graph(GraphWriter(store=store), tensors, kind)
    _write_described(model, spec, store, folder)
    return store.sha256.hexdigest()


def write_int8(
    tensors: State, kind: GeneratorKind, spec: GeneratorSpec | ModelSpec, folder: Path, photos: Path
) -> tuple[str, QuantizationLoss]:
    """Write the same two files with 8-bit convolutions; return the sha256 of the weights, and the loss."""
    if not isinstance(spec, GeneratorSpec):
        raise OptionError("only DeOldify's networks can be made 8 bit", where="int8", next_step="Leave --int8 out.")
    for_ranges, held_out = split_pictures(calibration_pictures(photos, spec.mean, spec.deviation))
    with tempfile.TemporaryDirectory(dir=folder) as aside:
        exact = Path(aside) / "exact.onnx"
        exact.write_bytes(_graph(GraphWriter(plain=True), tensors, kind).SerializeToString())
        rough = quantize(exact, for_ranges)
        with WeightStore(folder / WEIGHTS_FILE) as store:
            move_weights(rough, store)
        _write_described(rough, spec.model_copy(update={"precision": "int8"}), store, folder)
        loss = measure_loss(exact, folder / GRAPH_FILE, held_out, spec.deviation)
    return store.sha256.hexdigest(), loss


def _graph(graph: GraphWriter, tensors: State, kind: GeneratorKind) -> onnx.ModelProto:
    of_generator = kind.contract == GENERATOR_CONTRACT
    graph.output(kind.write(graph, tensors), "colored" if of_generator else "ab")
    if of_generator:
        outputs: dict[str, list[str | int]] = {"colored": [1, 3, "rounded_height", "rounded_width"]}
        return graph.model({"image": [1, 3, "height", "width"]}, outputs)
    return graph.model({"luma": [1, 1, "height", "width"]}, {"ab": [1, 2, "height", "width"]})


def _write_described(model: onnx.ModelProto, spec: GeneratorSpec | ModelSpec, store: WeightStore, folder: Path) -> None:
    described = spec.model_copy(update={"weights_sha256": store.sha256.hexdigest()})
    model.metadata_props.add(key=METADATA_KEY, value=described.model_dump_json())
    (folder / GRAPH_FILE).write_bytes(model.SerializeToString())
