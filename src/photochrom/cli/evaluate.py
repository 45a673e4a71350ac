"""`photochrom evaluate PHOTOS --model M --report DIR`: the scoreboard."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from photochrom.cli.lines import print_error, say
from photochrom.errors import EXIT_OK, EXIT_SOME_FAILED, MissingExtraError, ModelError, OptionError
from photochrom.evaluation import contest as board
from photochrom.evaluation.classifier import Classifier, load_classifier
from photochrom.evaluation.contestants import NATIVE, Contestant
from photochrom.evaluation.hinted import FILE, checked_counts, hearing_session, measure_hints, write_scores
from photochrom.evaluation.photographs import Photograph
from photochrom.options import DEFAULT_MODEL


def evaluate(
    photos: Annotated[Path | None, Parameter(name="PHOTOS")] = None,
    /,
    *,
    report: Path,
    model: Annotated[list[str] | None, Parameter(name=["--model", "-m"], negative="", consume_multiple=False)] = None,
    pairs: Annotated[list[tuple[Path, Path]] | None, Parameter(negative="")] = None,
    labels: Path | None = None,
    limit: int | None = None,
    squash: bool = True,
    stress: bool = True,
    features: bool = True,
    reliability: Annotated[bool, Parameter(negative="")] = False,
    cost: bool = True,
    keep_grey: Annotated[bool, Parameter(negative="")] = False,
    hints: str | None = None,
    quiet: Annotated[bool, Parameter(name=["--quiet", "-q"], negative="")] = False,
) -> int:
    """Measure models on colour photographs: each is greyed, coloured and compared with itself.

    The table always holds the grey prediction, the truth, and the truth with JPEG chroma. Figures carry 95 % intervals.

    Args:
        photos: Folder of colour photographs, with its subfolders. Left out, the first folder of --pairs.
        report: Folder for index.html, scoreboard.json, scoreboard.csv and photographs.csv.
        model: A name from `photochrom models list` or an .onnx file; repeat it for several. Left out, the default
            model, or none where --pairs is given.
        pairs: Two folders, truth and another tool's pictures of the same names and sizes; repeat it for several tools.
        labels: CSV file of `path,class` lines with ImageNet classes (index or WordNet id). Left out, folders that are
            named so give the labels.
        limit: Use at most this many photographs, chosen by the hash of their names.
        squash: Measure the historical 256 x 256 squash as well.
        stress: Measure the stress splits as well: dark, bright, sepia, grain, halftone, faded, orthochromatic. Seven
            more runs of each model for each photograph.
        features: Measure the feature distance and the semantic test; needs the `train` extra.
        reliability: Compare the model's confidence with its real errors.
        cost: Measure seconds and peak memory of each model in a process of its own.
        keep_grey: Keep photographs without colours in the set; they are left out otherwise.
        hints: Numbers of hints such as 1,10,100: measure as well what so many true colours are worth to the model,
            beside a copy of the nearest one (PSNR at 256 x 256, in iColoriT's manner), into hints.json. One run of
            each model for each photograph and number; the model must hear.
        quiet: Print errors only.
    """
    counts = checked_counts(hints) if hints else ()
    if limit is not None and limit < 1:
        raise OptionError("at least one photograph is needed", where="--limit")
    models = model if model is not None else [] if pairs else [DEFAULT_MODEL]
    _refuse_without_model({} if models else {"--hints": hints, "--reliability": reliability})
    photographs = board.pick_photographs(_truth_folder(photos, pairs), labels, limit)
    if labels and not features:
        raise OptionError("does nothing with --no-features", where="--labels", next_step="Leave out one of the two")
    board.make_folder(report)
    _prepare_hints(models if counts else [], report)
    contestants: list[Contestant] = [board.load_model(name, with_confidence=reliability) for name in models]
    named = dict(zip([contestant.name for contestant in contestants], models, strict=True))
    contestants += [board.load_pictures(photographs, folder, subset=limit is not None) for _, folder in pairs or []]
    classifier, note = _classifier(wanted=features)
    if note:
        print_error(str(note))
    plan = board.Plan(squash=squash, stress=stress, reliability=reliability, keep_grey=keep_grey)
    result = _evaluate(photographs, contestants, plan, classifier, quiet=quiet)
    uncosted = _measure_costs(result, named) if cost else False
    page = board.write_report(result, report)
    if counts:
        measured = [photo for photo in photographs if photo.key not in result.found.skipped]
        _evaluate_hints(measured, models, counts, report, quiet=quiet)
    unreadable = {key: why for key, why in result.found.skipped.items() if why != "has no colour"}
    for key, why in unreadable.items():
        print_error(f"{key}: {why}. It was left out.")
    if not quiet:
        _print_table(result)
        say(f"{page}: {len(result.found.keys)} photographs, {len(result.found.skipped)} left out")
    return EXIT_SOME_FAILED if unreadable or uncosted else EXIT_OK


def _truth_folder(photos: Path | None, pairs: list[tuple[Path, Path]] | None) -> Path:
    """Return the one folder that holds the truth; raise OptionError where none or two are given."""
    truths = {path.resolve(): path for path in ([photos] if photos else []) + [truth for truth, _ in pairs or []]}
    if not truths:
        raise OptionError("a folder of colour photographs is needed", where="PHOTOS")
    if len(truths) > 1:
        raise OptionError(
            f"the truth must be one folder, not {' and '.join(map(str, truths.values()))}",
            where="--pairs",
            next_step="Give the truth first and the tool's pictures second.",
        )
    return next(iter(truths.values()))


def _refuse_without_model(given: dict[str, str | bool | None]) -> None:
    """Raise OptionError for the first option that was given and measures models, of which there are none."""
    for name, value in given.items():
        if value:
            raise OptionError(
                "measures models, and --pairs alone has none", where=name, next_step="Add --model, or leave it out"
            )


def _prepare_hints(models: list[str], report: Path) -> None:
    """Raise ModelError now, not after an hour, for a model that takes no hints; tell of older figures."""
    for name in models:
        hearing_session(name).close()
    if not models and (report / FILE).exists():
        print_error(f"{report / FILE}: is of an earlier evaluation, and stays as it is: this one has no --hints")


def _measure_costs(result: board.Scoreboard, models: dict[str, str]) -> bool:
    """Add what each model costs, by row; return whether it could not be measured of one. What was measured stays."""
    failed = False
    for row, name in models.items():
        try:
            result.costs[row] = board.measure_cost(name)
        except ModelError as error:
            print_error(str(error))
            failed = True
    return failed


def _classifier(*, wanted: bool) -> tuple[Classifier | None, str]:
    """Return the classifier, or None and the line that says why the features are left out."""
    if not wanted:
        return None, ""
    try:
        return load_classifier(), ""
    except MissingExtraError as error:
        return None, f"{error} They are left out."


def _evaluate(
    photographs: list[Photograph],
    contestants: list[Contestant],
    plan: board.Plan,
    classifier: Classifier | None,
    *,
    quiet: bool,
) -> board.Scoreboard:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=quiet) as bar:
        task = bar.add_task("photographs", total=len(photographs))
        return board.evaluate(
            photographs,
            contestants,
            plan=plan,
            classifier=classifier,
            progress=lambda done, _: bar.update(task, completed=done),
        )


def _evaluate_hints(
    photographs: list[Photograph], models: list[str], counts: tuple[int, ...], report: Path, *, quiet: bool
) -> None:
    """Measure what hints are worth, write it, and print one line per row."""
    with Progress(console=Console(stderr=True), transient=True, disable=quiet) as bar:
        task = bar.add_task("hints", total=len(photographs))
        scores = measure_hints(photographs, models, counts, lambda done: bar.update(task, completed=done))
    write_scores(scores, report)
    if quiet:
        return
    say(f"{'PSNR in dB, with hints:':24}" + "".join(f"{count:>8}" for count in counts))
    for row, estimates in scores.table().items():
        say(f"{row[:24]:24}" + "".join(_decibels(estimate["value"]) for estimate in estimates))


def _decibels(value: float | None) -> str:
    return f"{'-':>8}" if value is None else f"{value:8.2f}"


def _print_table(result: board.Scoreboard) -> None:
    """Print the few figures that matter most; the report has the others."""
    rows = result.summary()["views"][NATIVE]
    say(f"{'':24} CIEDE2000 (95 %)        of the truth's colourfulness   feature distance")
    for row, columns in rows.items():
        error, vivid = columns["ciede2000"], columns["colorfulness_vs_truth"]
        distance = columns.get("feature_distance", {}).get("value")
        shown = f"{distance:18.2f}" if distance is not None else f"{'-':>18}"
        spread = "" if error["low"] is None else f" ({error['low']:.2f} ... {error['high']:.2f})"
        interval = f"{error['value']:.2f}{spread}"
        share = f"{vivid['value']:.0%}" if vivid["value"] is not None else "-"
        say(f"{row[:24]:24} {interval:24} {share:>20} {shown}")
