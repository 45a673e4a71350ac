"""THE SCOREBOARD: colour photographs go in, each is greyed, coloured and compared; a table with intervals comes out.

    photographs -> for each view (native, 256-squash, stress splits): grey -> each contestant -> scores, features
                -> means and 95 % intervals -> JSON, CSV and one HTML page

The grey is BT.601 luma rounded to 8 bits. Scores are taken at the photograph's own size. Besides the models there
are always three yardsticks in the table: the grey prediction, the truth, and the truth with the chroma of a JPEG.
In a stress split only the grey is degraded; colours are then judged under the truth's own lightness.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from photochrom.errors import OptionError
from photochrom.evaluation.classifier import Classifier
from photochrom.evaluation.contestants import YARDSTICKS, Coloring, Contestant, Model, Pictures, other_size, row_name
from photochrom.evaluation.cost import measure_cost
from photochrom.evaluation.measuring import Measurements, Plan, measure
from photochrom.evaluation.photographs import Photograph, Rgb, digest, find_photographs, match_pairs, size_told
from photochrom.evaluation.report import make_folder, write_report
from photochrom.evaluation.scoreboard import Scoreboard
from photochrom.files.metadata import Metadata
from photochrom.files.photo import Photo
from photochrom.metrics import eight_bit


def evaluate(
    photographs: Sequence[Photograph],
    contestants: Sequence[Contestant],
    *,
    plan: Plan | None = None,
    classifier: Classifier | None = None,
    costs: dict[str, dict[str, float | None]] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Scoreboard:
    """Return the scoreboard of some contestants, and of the yardsticks, over photographs.

    Args:
        photographs: from ``find_photographs``.
        contestants: models and other tools' pictures; names must differ.
        plan: which views to measure; all by default.
        classifier: for the feature distance and the semantic test; without it their columns stay empty.
        costs: measured seconds and memory by row, from ``measure_cost``.
        progress: called with (photographs done, photographs in all).

    Raises:
        OptionError: two rows have one name.
        PhotoNotFoundError: no photograph has colours.
        PhotoError, ModelError: a contestant's picture has the wrong size, or its model failed.

    Cost: each model runs once per photograph and view (nine views by default); scoring takes about 0.7 s per
    megapixel, view and row.
    """
    everyone = [*contestants, *YARDSTICKS]
    names = [contestant.name for contestant in everyone]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise OptionError(f"two rows are called {twice[0]!r}", next_step="Give each model and folder once.")
    plan = plan or Plan()
    found = Measurements()
    for done, found in enumerate(measure(photographs, everyone, plan, classifier), 1):  # noqa: B007 - the last is used
        if progress:
            progress(done, len(photographs))
    facts = classifier.facts if classifier else {"left out": "no feature distance and no semantic test"}
    return Scoreboard(photographs, everyone, found, plan, facts, costs or {})


def pick_photographs(folder: Path, labels: Path | None = None, limit: int | None = None) -> list[Photograph]:
    """Return the photographs of a folder, at most ``limit`` of them, chosen by the hash of their names."""
    photographs = find_photographs(folder, labels)
    if limit is None or limit >= len(photographs):
        return photographs
    chosen = sorted(photographs, key=lambda photo: digest(photo.key))[:limit]
    return sorted(chosen, key=lambda photo: photo.key)


def load_model(name: str, *, with_confidence: bool = False) -> Model:
    """Return a contestant that runs a model through the product's own pipeline.

    Args:
        name: a model of the catalogue, or the path of an .onnx file.
        with_confidence: take the model's confidence along as well; costs nothing that can be measured.

    Raises:
        UnknownModelError, ModelNotInstalledError, ModelFileError: the model cannot be loaded.
    """
    from photochrom.colorizer import Colorizer
    from photochrom.options import ColorizeOptions

    colorizer = Colorizer(name, ColorizeOptions(uncertainty=with_confidence))
    spec = colorizer.engine.spec
    facts = {"sha256": spec.sha256, "licence": spec.licence, "engine": colorizer.engine.description}

    def colorize(grey: Rgb) -> Coloring:
        result = colorizer.run(Photo(grey, None, Metadata(), "png", ()))
        return Coloring(eight_bit(result.photo.pixels), result.confidence)

    return Model(row_name(name), colorize, facts)


def load_pictures(truths: Sequence[Photograph], folder: Path, *, subset: bool = False) -> Pictures:
    """Return a contestant whose pictures lie in a folder under the truths' names; suffixes may differ.

    With ``subset`` the folder may hold more pictures than there are truths.

    Raises:
        OptionError: the names do not match; some are named.
        PhotoNotFoundError: no such folder, or no pictures in it.
        PhotoError: a picture is not as large as its truth, as far as their first bytes tell: not after an hour.
    """
    paths = match_pairs(truths, folder, subset=subset)
    for photo in truths:
        size, true_size = size_told(paths[photo.key]), size_told(photo.path)
        if size and true_size and sorted(size) != sorted(true_size):  # which side is which, orientation tags say
            raise other_size(paths[photo.key], size, photo.key, true_size)
    return Pictures(folder.name or str(folder), paths)


__all__ = [
    "Plan",
    "Scoreboard",
    "evaluate",
    "load_model",
    "load_pictures",
    "make_folder",
    "measure_cost",
    "pick_photographs",
    "write_report",
]
