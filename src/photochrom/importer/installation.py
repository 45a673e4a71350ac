"""Turn a published DeOldify file into an installed model: recognise, fold, check, write.

An installed model is one folder in the cache, put in place by a single rename: ``model.onnx`` (the graph) with
``model.weights`` beside it (memory-mapped when loaded), ``weights.safetensors`` (the parameters as published, for
further training), ``card.json`` (for photochrom) and ``README.md`` (for people).
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from photochrom.checkpoints import Checkpoint, read_checkpoint
from photochrom.engines.generator_spec import METADATA_KEY, GeneratorSpec
from photochrom.errors import ModelError, ModelFileError, OptionError
from photochrom.importer.card_text import write_card_text
from photochrom.importer.deoldify_2018_graph import write_2018_generator
from photochrom.importer.deoldify_graph import write_final_generator
from photochrom.importer.folding import State
from photochrom.importer.graph_writer import GraphWriter
from photochrom.importer.layouts import Layout, artistic_layout, layout_2018, stable_layout
from photochrom.importer.parity import Parity, measure_parity
from photochrom.importer.safetensors_file import write_safetensors
from photochrom.importer.weight_store import WeightStore

NAME_PATTERN = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
GRAPH_FILE, WEIGHTS_FILE, PARAMETERS_FILE, CARD_FILE, TEXT_FILE = (
    "model.onnx",
    "model.weights",
    "weights.safetensors",
    "card.json",
    "README.md",
)
IMAGENET_MEAN, IMAGENET_DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
HALVES = (0.5, 0.5, 0.5)
# The grey of 2018 was made with the weights of blue and red exchanged; the network learnt it so.
REC_601, REC_601_EXCHANGED = (0.299, 0.587, 0.114), (0.114, 0.587, 0.299)


@dataclass(frozen=True, slots=True)
class GeneratorKind:
    """One of the networks that files are recognised as."""

    network: str
    default_name: str
    what: str
    layouts: tuple[Callable[[], Layout], ...]
    write: Callable[[GraphWriter, State], str]
    mean: tuple[float, float, float]
    deviation: tuple[float, float, float]
    grey_weights: tuple[float, float, float]
    render_factor: int
    multiple: int


KINDS = (
    GeneratorKind(
        "artistic", "deoldify-artistic", "DeOldify artistic (ResNet-34, deep decoder)", (artistic_layout,),
        write_final_generator, IMAGENET_MEAN, IMAGENET_DEVIATION, REC_601, 35, 16,
    ),
    GeneratorKind(
        "stable", "deoldify-stable", "DeOldify stable or video (ResNet-101, wide decoder)", (stable_layout,),
        write_final_generator, IMAGENET_MEAN, IMAGENET_DEVIATION, REC_601, 35, 16,
    ),
    GeneratorKind(
        "unet-2018", "deoldify-2018", "DeOldify of 2018 (ResNet-34, nf_factor 2)",
        (layout_2018, lambda: layout_2018(power_vectors=False)),
        write_2018_generator, HALVES, HALVES, REC_601_EXCHANGED, 25, 32,
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ImportedModel:
    """What an import made, and how far the result is from the network it came from."""

    name: str
    folder: Path
    kind: GeneratorKind
    parity: Parity
    notes: tuple[str, ...]


def import_model(
    source: Path, models_folder: Path, *, name: str | None = None, overwrite: bool = False
) -> ImportedModel:
    """Recognise a published file, fold its norms, check the result and install it.

    Args:
        source: the .pth, .h5 or .safetensors file.
        models_folder: where installed models lie, one folder each.
        name: what the model will be called; left out, by its kind (and "video" if the file's name says so).
        overwrite: replace an installed model of that name.

    Raises:
        ModelFileError: the file is damaged, holds code, or is none of the accepted networks.
        ModelError: the result differs from the network it came from, or the disk is full; nothing is installed.

    Cost: reads the file twice and writes twice its size; seconds for artistic, a minute for stable on two cores.
    """
    checkpoint = read_checkpoint(source)
    kind = recognise(checkpoint)
    name = _checked_name(name or _default_name(kind, source))
    target = models_folder / name
    if target.exists() and not overwrite:
        raise OptionError(
            "a model of that name is installed", where=name, next_step="Use --overwrite or another --name."
        )
    _check_space(models_folder, source)
    with _half_made_folder(models_folder, name) as folder:
        parity, notes = _write_model(checkpoint, kind, name, folder)
        _put_in_place(folder, target)
    return ImportedModel(name, target, kind, parity, notes)


def recognise(checkpoint: Checkpoint) -> GeneratorKind:
    """Return which generator a file holds; raise ModelFileError that says what else it holds."""
    shapes = {key: tuple(array.shape) for key, array in checkpoint.tensors.items()}
    best: tuple[int, GeneratorKind, Layout] | None = None
    for kind in KINDS:
        for layout in (make() for make in kind.layouts):
            wrong = _differences(shapes, layout)
            if not wrong:
                return kind
            if best is None or len(wrong) < best[0]:
                best = (len(wrong), kind, layout)
    raise ModelFileError(
        _what_it_is(shapes, best),
        where=str(checkpoint.path),
        next_step="Accepted: " + "; ".join(kind.what for kind in KINDS) + ".",
    )


def _differences(shapes: Layout, layout: Layout) -> list[str]:
    """Return the names that are missing, additional or of another shape; counters and one-element shapes are free."""
    names = [name for name in shapes.keys() | layout.keys() if not name.endswith("num_batches_tracked")]
    scalars = {(), (1,)}
    return [
        name
        for name in names
        if shapes.get(name) != layout.get(name)
        and not (name in shapes and name in layout and {shapes[name], layout[name]} <= scalars)
    ]


def _what_it_is(shapes: Layout, best: tuple[int, GeneratorKind, Layout] | None) -> str:
    keys = set(shapes)
    if best and best[0] < 0.2 * len(best[2]):
        wrong = sorted(_differences(shapes, best[2]))
        return f"nearly {best[1].what}, but {len(wrong)} entries differ, the first {wrong[0]}"
    if any(re.fullmatch(r"\d+\.(\d+\.)*weight_orig", key) for key in keys) and not any(
        k.startswith("layers") for k in keys
    ):
        return "the file holds a critic, which judges pictures and cannot colour any"
    if {"conv1.weight", "bn1.weight", "fc.weight"} <= keys:
        return "the file holds a plain ResNet classifier"
    if any(key.startswith("encoder.arch.") for key in keys) and any("color_decoder" in key for key in keys):
        return "the file holds a DDColor network, which cannot be imported yet"
    example = ", ".join(sorted(keys)[:3])
    return f"none of the known generators: {len(keys)} tensors named like {example}"


def _default_name(kind: GeneratorKind, source: Path) -> str:
    if kind.network == "stable" and "video" in source.name.lower():
        return "deoldify-video"
    return kind.default_name


def _checked_name(name: str) -> str:
    if not NAME_PATTERN.fullmatch(name):
        raise OptionError(
            f"{name!r} cannot be a model's name", where="name", next_step="Use a-z, 0-9, dots, dashes; 64 at most."
        )
    return name


def _check_space(models_folder: Path, source: Path) -> None:
    try:
        models_folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(models_folder).free
    except OSError as error:
        raise ModelError(f"the folder cannot be used ({error.strerror})", where=str(models_folder)) from None
    needed = int(2.1 * source.stat().st_size)
    if free < needed:
        raise ModelError(
            f"{needed / 1e6:.0f} MB are needed and {free / 1e6:.0f} MB are free",
            where=str(models_folder),
            next_step="Make room, or set PHOTOCHROM_CACHE to another disk.",
        )


@contextmanager
def _half_made_folder(models_folder: Path, name: str) -> Iterator[Path]:
    """Yield a folder beside the final one; it is removed again unless it was renamed."""
    folder = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=models_folder))
    try:
        yield folder
    except OSError as error:
        raise ModelError(
            f"the model cannot be written ({error.strerror or error})",
            where=str(models_folder),
            next_step="Make room, or set PHOTOCHROM_CACHE to another disk.",
        ) from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _put_in_place(folder: Path, target: Path) -> None:
    folder.chmod(0o755)
    if target.exists():
        aside = folder.with_name(f"{folder.name}.old")
        os.replace(target, aside)
        os.replace(folder, target)
        shutil.rmtree(aside, ignore_errors=True)
    else:
        os.replace(folder, target)


def _write_model(
    checkpoint: Checkpoint, kind: GeneratorKind, name: str, folder: Path
) -> tuple[Parity, tuple[str, ...]]:
    source_sha256 = _sha256_of(checkpoint.path)
    spec = GeneratorSpec(
        name=name,
        network=kind.network,
        mean=kind.mean,
        deviation=kind.deviation,
        grey_weights=kind.grey_weights,
        render_px=16 * kind.render_factor,
        multiple=kind.multiple,
        licence="MIT",
        source_file=checkpoint.path.name,
        source_sha256=source_sha256,
    )
    weights_sha256 = write_onnx(checkpoint.tensors, kind, spec, folder)
    parity = measure_parity(folder / GRAPH_FILE, kind.network, checkpoint.tensors)
    if not parity.passed:
        raise ModelError(f"the folded network differs from the file's by {parity.largest:.2g}", where=name)
    write_safetensors(folder / PARAMETERS_FILE, checkpoint.tensors, {"photochrom": spec.model_dump_json()})
    notes = () if parity.checked else ("parity was not checked: torch is not installed",)
    card = {
        "name": name,
        "kind": "color",
        "contract": spec.contract,
        "file": GRAPH_FILE,
        "sha256": _sha256_of(folder / GRAPH_FILE),
        "weights_sha256": weights_sha256,
        "source_sha256": source_sha256,
        "licence": spec.licence,
        "summary": f"{kind.what}, imported from {checkpoint.path.name}",
        "parity": parity.largest,
    }
    (folder / CARD_FILE).write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
    (folder / TEXT_FILE).write_text(write_card_text(spec, kind.what, parity), encoding="utf-8")
    return parity, notes


def write_onnx(tensors: State, kind: GeneratorKind, spec: GeneratorSpec, folder: Path) -> str:
    """Write ``model.onnx`` and ``model.weights``; return the sha256 of the weights. Memory: one array at a time."""
    with WeightStore(folder / WEIGHTS_FILE) as store:
        graph = GraphWriter(store=store)
        graph.output(kind.write(graph, tensors), "colored")
    model = graph.model({"image": [1, 3, "height", "width"]}, {"colored": [1, 3, "rounded_height", "rounded_width"]})
    described = spec.model_copy(update={"weights_sha256": store.sha256.hexdigest()})
    model.metadata_props.add(key=METADATA_KEY, value=described.model_dump_json())
    (folder / GRAPH_FILE).write_bytes(model.SerializeToString())
    return store.sha256.hexdigest()


def _sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
