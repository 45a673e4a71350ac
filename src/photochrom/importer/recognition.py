"""Which of the accepted networks does a file hold, and if none, what else?"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from photochrom.engines.generator_spec import GENERATOR_CONTRACT
from photochrom.errors import ModelFileError
from photochrom.importer.checkpoints import Checkpoint
from photochrom.importer.ddcolor_graph import write_ddcolor
from photochrom.importer.deoldify_2018_graph import write_2018_generator
from photochrom.importer.deoldify_graph import write_final_generator
from photochrom.importer.folding import State
from photochrom.importer.graph_writer import GraphWriter
from photochrom.importer.layouts import (
    Layout,
    artistic_layout,
    ddcolor_large_layout,
    ddcolor_tiny_layout,
    layout_2018,
    stable_layout,
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
    mean: tuple[float, float, float] = IMAGENET_MEAN
    deviation: tuple[float, float, float] = IMAGENET_DEVIATION
    grey_weights: tuple[float, float, float] = REC_601
    render_factor: int = 35
    multiple: int = 16
    contract: str = GENERATOR_CONTRACT
    licence: str = "MIT"
    disk_share: float = 2.2  # an installed model's bytes per byte of the file, and a little more


KINDS = (
    GeneratorKind(
        "artistic",
        "deoldify-artistic",
        "DeOldify artistic (ResNet-34, deep decoder)",
        (artistic_layout,),
        write_final_generator,
        disk_share=3.0,
    ),
    GeneratorKind(
        "stable",
        "deoldify-stable",
        "DeOldify stable or video (ResNet-101, wide decoder)",
        (stable_layout,),
        write_final_generator,
    ),
    GeneratorKind(
        "unet-2018",
        "deoldify-2018",
        "DeOldify of 2018 (ResNet-34, nf_factor 2)",
        (layout_2018, lambda: layout_2018(power_vectors=False)),
        write_2018_generator,
        mean=HALVES,
        deviation=HALVES,
        grey_weights=REC_601_EXCHANGED,
        render_factor=25,
        multiple=32,
    ),
    GeneratorKind(
        "ddcolor-large",
        "ddcolor",
        "DDColor large (modelscope, artistic, paper)",
        (ddcolor_large_layout,),
        write_ddcolor,
        render_factor=32,
        multiple=32,
        contract="color/1",
        licence="Apache-2.0",
    ),
    GeneratorKind(
        "ddcolor-tiny",
        "ddcolor-tiny",
        "DDColor tiny (paper_tiny)",
        (ddcolor_tiny_layout,),
        write_ddcolor,
        render_factor=32,
        multiple=32,
        contract="color/1",
        licence="Apache-2.0",
    ),
)


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
    """Return the names that are missing, additional or of another shape; counters and unused heads are free."""
    free = re.compile(r".*num_batches_tracked|encoder\.arch\.head_cls\..*")
    names = [name for name in shapes.keys() | layout.keys() if not free.fullmatch(name)]
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
    if any(key.startswith("encoder.arch.") for key in keys):
        return "the file holds a DDColor network of a size that was not published"
    example = ", ".join(sorted(keys)[:3])
    return f"none of the known generators: {len(keys)} tensors named like {example}"


def default_name(kind: GeneratorKind, source: Path) -> str:
    """Return what a model is called by its kind, and where two files share one kind, by the file's name."""
    if kind.network == "ddcolor-large" and "artistic" in source.name.lower():
        return "ddcolor-artistic"
    if kind.network == "stable" and "video" in source.name.lower():
        return "deoldify-video"
    return kind.default_name
