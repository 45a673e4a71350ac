"""The scoreboard from photographs to files: rows, columns, yardsticks, and what must never happen."""

from __future__ import annotations

import csv
import html
import json
import math
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import skimage.color

from photochrom import metrics
from photochrom.errors import ModelError, OptionError, OutputError, PhotoError, PhotoNotFoundError
from photochrom.evaluation import contest as board
from photochrom.evaluation.columns import COLUMNS, FILM_COLUMNS, Group
from photochrom.evaluation.contestants import Coloring, Model
from photochrom.evaluation.photographs import greyed
from photochrom.evaluation.stress import SPLITS
from tests.evaluation.conftest import MeanColors, samples, tint, write_pictures

FOUR = {name: rgb for name, rgb in samples().items() if name != "spoon.png"}
Colorize = Callable[[np.ndarray], np.ndarray]


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> board.Scoreboard:
    """Return the full scoreboard of one brown model, with a confidence, over four photographs."""
    folder = write_pictures(tmp_path_factory.mktemp("set"), FOUR)

    def colorize(grey: np.ndarray) -> Coloring:
        confidence = metrics.luma_codes(grey)[::2, ::2] / 255
        return Coloring(tint(grey), confidence.astype(np.float32))

    return board.evaluate(
        board.pick_photographs(folder),
        [Model("brown", colorize, {"sha256": "0" * 64})],
        plan=board.Plan(reliability=True),
        classifier=MeanColors(),
        costs={"brown": {"seconds_at_1_mp": 0.25, "peak_mb_at_1_mp": None}},
    )


@pytest.fixture(scope="module")
def summary(result: board.Scoreboard) -> board.Summary:
    return result.summary()


@pytest.fixture(scope="module")
def report(result: board.Scoreboard, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return board.write_report(result, tmp_path_factory.mktemp("out") / "report").parent


@pytest.mark.slow
def test_no_column_stays_off_the_page(summary: board.Summary, report: Path) -> None:
    views = summary["views"]
    found = {key for rows in views.values() for columns in rows.values() for key in columns}
    known = {column.key: column for column in COLUMNS}
    never_here = {"top_1"}  # these photographs have no labels
    assert found == known.keys() - never_here
    heads = re.findall(r'<th title="([^"]*)">([^<]*)</th>', (report / "index.html").read_text(encoding="utf-8"))
    shown = {(html.unescape(meaning), html.unescape(title)) for meaning, title in heads}
    native = {key for columns in views["native"].values() for key in columns}
    wanted = native | {column.key for column in COLUMNS if column.stressed}
    assert shown == {(known[key].meaning, known[key].title) for key in wanted}
    assert {column.group for column in (*COLUMNS, *FILM_COLUMNS)} == set(Group)
    head = (report / "scoreboard.csv").read_text(encoding="utf-8").splitlines()[0].split(",")
    assert [name for name in head if name in known] == list(known)


@pytest.mark.slow
def test_every_measure_of_a_photograph_reaches_a_column(result: board.Scoreboard) -> None:
    measures = set(result.found.records[0].scores)
    parts = {"truth_colorfulness", "truth_colorfulness_absolute", "strong_color", "truth_strong_color"}
    assert measures - parts <= {column.key for column in COLUMNS}


def test_every_view_has_its_rows(summary: board.Summary) -> None:
    views = summary["views"]
    assert list(views) == ["native", "squash256", *SPLITS]
    for view in ("native", "squash256"):
        assert list(views[view]) == ["brown", "grey", "truth, JPEG chroma", "truth"]
    assert all(list(views[split]) == ["brown", "truth"] for split in SPLITS)


def test_yardsticks_read_as_they_must(summary: board.Summary) -> None:
    native = summary["views"]["native"]
    truth, grey, jpeg = native["truth"], native["grey"], native["truth, JPEG chroma"]
    assert truth["ciede2000"]["value"] == truth["luma_error"]["value"] == 0
    assert truth["psnr"]["value"] is None  # infinite
    assert truth["colorfulness_vs_truth"]["value"] == truth["same_class"]["value"] == 1
    assert truth["feature_distance"]["value"] == pytest.approx(0, abs=1e-9)
    assert grey["ciede2000_vs_grey"]["value"] == 0
    assert grey["colorfulness"]["value"] == pytest.approx(0, abs=1e-3)
    assert grey["feature_distance_vs_grey"]["value"] == 1
    assert 0 < jpeg["ciede2000"]["value"] < 0.4 * grey["ciede2000"]["value"]


def test_the_means_are_those_of_the_pictures(summary: board.Summary) -> None:
    errors, vivid, true_vivid = [], [], []
    for rgb in FOUR.values():
        predicted = tint(greyed(rgb))
        truth_lab, predicted_lab = skimage.color.rgb2lab(rgb), skimage.color.rgb2lab(predicted)
        predicted_lab[..., 0] = truth_lab[..., 0]
        errors.append(skimage.color.deltaE_ciede2000(truth_lab, predicted_lab).mean())
        scores = metrics.score_pair(rgb, predicted)
        vivid.append(scores["colorfulness"])
        true_vivid.append(scores["truth_colorfulness"])
    brown = summary["views"]["native"]["brown"]
    assert brown["ciede2000"]["value"] == pytest.approx(np.mean(errors), abs=2e-3)
    assert brown["ciede2000_median"]["value"] == pytest.approx(np.median(errors), abs=2e-3)
    assert brown["ciede2000"]["low"] < np.mean(errors) < brown["ciede2000"]["high"]
    assert brown["colorfulness_vs_truth"]["value"] == pytest.approx(np.sum(vivid) / np.sum(true_vivid))
    gaps = np.subtract(vivid, true_vivid)
    assert brown["colorfulness_difference"]["value"] == pytest.approx(np.abs(gaps).mean())
    assert brown["colorfulness_set_difference"]["value"] == pytest.approx(abs(gaps.mean()))
    assert brown["luma_error"]["value"] == 0
    assert brown["seconds"]["value"] > 0


def test_stress_changes_are_against_the_same_row_undegraded(summary: board.Summary) -> None:
    views = summary["views"]
    for split in SPLITS:
        change = views[split]["brown"]["ciede2000"]["value"] / views["native"]["brown"]["ciede2000"]["value"] - 1
        assert views[split]["brown"]["ciede2000_vs_clean"]["value"] == pytest.approx(change)
        assert views[split]["brown"]["ciede2000_vs_grey"]["value"] is not None
        assert views[split]["brown"]["luma_error"]["value"] == 0  # against what it was given
    assert "ciede2000_vs_clean" not in views["native"]["brown"]


def test_reliability_is_told_for_rows_with_a_confidence(summary: board.Summary) -> None:
    found = summary["reliability"]
    assert list(found) == ["brown"]
    assert -1 <= found["brown"]["pixels_spearman"] <= 1
    assert sum(point["count"] for point in found["brown"]["curve"]) == found["brown"]["cells"]
    assert found["brown"]["cells"] > 5000


@pytest.mark.slow
def test_a_perfect_confidence_is_recognised(photo_folder: Path) -> None:
    truths = {hash(greyed(rgb).tobytes()): rgb for rgb in samples().values()}

    def colorize(grey: np.ndarray) -> Coloring:
        truth = truths.get(hash(grey.tobytes()), grey)  # the warm-up shows a corner only
        error = metrics.ciede2000_map(truth, tint(grey))
        return Coloring(tint(grey), 1 - error / 100)

    plan = board.Plan(squash=False, stress=False, reliability=True)
    result = board.evaluate(board.pick_photographs(photo_folder), [Model("oracle", colorize)], plan=plan)
    found = result.summary()["reliability"]["oracle"]
    assert found["pixels_spearman"] == pytest.approx(1, abs=1e-4)
    assert found["within_picture"]["value"] == pytest.approx(1, abs=1e-4)
    assert found["between_pictures"] == pytest.approx(1)


def test_top_1_counts_only_labelled_photographs(tmp_path: Path, brownish: Colorize) -> None:
    cat, coffee = samples()["sub/cat.png"], samples()["coffee.png"]
    folder = write_pictures(tmp_path / "set", {"1/cat.png": cat, "0/coffee.png": coffee, "other/coffee.png": coffee})
    plan = board.Plan(squash=False, stress=False)
    photographs = board.pick_photographs(folder)
    result = board.evaluate(photographs, [Model("brown", brownish)], plan=plan, classifier=MeanColors())
    native = result.summary()["views"]["native"]
    assert native["truth"]["top_1"]["value"] == 0.5  # reddish is class 1: right for the cat, wrong for the coffee
    assert native["grey"]["top_1"]["value"] == 0.5
    assert native["grey"]["same_class"]["value"] == 0
    assert native["brown"]["same_class"]["value"] == 1


@pytest.mark.slow
def test_another_tools_pictures_are_rows_of_the_native_view(photo_folder: Path, tmp_path: Path) -> None:
    truths = board.pick_photographs(photo_folder)
    tool = write_pictures(tmp_path / "tool", {name: tint(greyed(rgb)) for name, rgb in samples().items()})
    contestants = [Model("brown", tint), board.load_pictures(truths, tool)]
    views = board.evaluate(truths[:2], contestants).summary()["views"]
    own, others = views["native"]["brown"], views["native"]["tool"]
    assert others["seconds"]["value"] is None
    for key in ("ciede2000", "psnr", "colorfulness_difference", "bleeding", "luma_error"):
        assert own[key] == others[key]
    assert "tool" not in views["dark"]
    assert "tool" not in views["squash256"]


def test_a_pair_of_another_size_is_named(photo_folder: Path, tmp_path: Path) -> None:
    truths = board.pick_photographs(photo_folder)
    tool = write_pictures(tmp_path / "tool", {**samples(), "suit.png": samples()["suit.png"][:-1]})
    with pytest.raises(PhotoError, match=r"suit\.png: 80 x 79 pixels, but the truth suit\.png has 80 x 80"):
        board.evaluate(truths, [board.load_pictures(truths, tool)], plan=board.Plan(squash=False, stress=False))


def test_a_set_without_colours_is_refused_and_grey_ones_are_left_out(tmp_path: Path, brownish: Colorize) -> None:
    cat = samples()["sub/cat.png"]
    folder = write_pictures(tmp_path / "grey", {"a.png": greyed(cat), "b.png": np.zeros((9, 9, 3), np.uint8)})
    contestants = [Model("brown", brownish)]
    with pytest.raises(PhotoNotFoundError, match="none of the 2 pictures is a colour photograph"):
        board.evaluate(board.pick_photographs(folder), contestants)
    write_pictures(folder, {"c.png": cat})
    (folder / "d.png").write_bytes(b"not a picture")
    plan = board.Plan(squash=False, stress=False)
    result = board.evaluate(board.pick_photographs(folder), contestants, plan=plan)
    assert result.found.keys == ["c.png"]
    assert result.found.skipped == {
        "a.png": "has no colour",
        "b.png": "has no colour",
        "d.png": "not a picture, or damaged",
    }
    kept = board.evaluate(
        board.pick_photographs(folder), contestants, plan=board.Plan(squash=False, stress=False, keep_grey=True)
    )
    assert kept.found.keys == ["a.png", "b.png", "c.png"]
    json.dumps(kept.summary(), allow_nan=False)


def test_a_model_that_breaks_its_promise_is_named(photo_folder: Path) -> None:
    photographs = board.pick_photographs(photo_folder)
    with pytest.raises(ModelError, match=r"small: gave uint8 of shape \(16, 16, 3\) for astronaut\.png"):
        board.evaluate(photographs, [Model("small", lambda grey: np.zeros((16, 16, 3), np.uint8))])
    with pytest.raises(OptionError, match="two rows are called 'grey'"):
        board.evaluate(photographs, [Model("grey", tint)])


@pytest.mark.slow
def test_the_same_photographs_give_the_same_numbers(photo_folder: Path, brownish: Colorize) -> None:
    def once() -> dict[str, object]:
        photographs = board.pick_photographs(photo_folder, limit=1)
        result = board.evaluate(photographs, [Model("brown", brownish)], plan=board.Plan(squash=False))
        return {
            (view, row, key): estimate
            for view, rows in result.summary()["views"].items()
            for row, columns in rows.items()
            for key, estimate in columns.items()
            if not key.startswith("seconds")
        }

    assert once() == once()


def test_a_limit_takes_the_same_few_photographs(photo_folder: Path) -> None:
    few = [photo.key for photo in board.pick_photographs(photo_folder, limit=3)]
    assert len(few) == 3
    (photo_folder / "coffee.png").touch()
    assert few == [photo.key for photo in board.pick_photographs(photo_folder, limit=3)]
    assert set(few) < {photo.key for photo in board.pick_photographs(photo_folder)}


def test_the_json_file_holds_the_summary_and_no_nan(summary: board.Summary, report: Path) -> None:
    text = (report / "scoreboard.json").read_text()
    assert "NaN" not in text
    assert "Infinity" not in text
    assert json.loads(text) == summary
    assert json.loads(text)["rows"]["brown"] == {"kind": "model", "sha256": "0" * 64}
    assert json.loads(text)["features"] == MeanColors().facts


def test_the_csv_files_hold_the_same_numbers(summary: board.Summary, report: Path) -> None:
    with (report / "scoreboard.csv").open() as file:
        table = {(line["view"], line["row"]): line for line in csv.DictReader(file)}
    brown = summary["views"]["dark"]["brown"]["ciede2000"]
    assert float(table["dark", "brown"]["ciede2000"]) == pytest.approx(brown["value"], rel=1e-5)
    assert float(table["dark", "brown"]["ciede2000_low"]) == pytest.approx(brown["low"], rel=1e-5)
    assert table["native", "truth"]["psnr"] == ""
    with (report / "photographs.csv").open() as file:
        lines = list(csv.DictReader(file))
    assert len(lines) == len(FOUR) * (4 + 4 + 2 * len(SPLITS))
    assert all(math.isfinite(float(line["ciede2000"])) for line in lines)
    mean = np.mean([float(x["ciede2000"]) for x in lines if (x["view"], x["row"]) == ("dark", "brown")])
    assert mean == pytest.approx(brown["value"], rel=1e-5)


class PageReader(HTMLParser):
    """Collects sources and headings, and checks that every tag is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open_tags: list[str] = []
        self.addresses: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in {"meta", "img"}:
            self.open_tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in {"src", "href", "srcset", "action"}]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in {"path", "polyline", "circle"}

    def handle_endtag(self, tag: str) -> None:
        assert self.open_tags.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_is_whole_and_needs_no_network(report: Path) -> None:
    page = (report / "index.html").read_text()
    reader = PageReader()
    reader.feed(page)
    assert reader.open_tags == []
    assert len(reader.addresses) == 4 * 4  # four photographs: grey, model, truth, error
    assert all(address.startswith("data:image/jpeg;base64,") for address in reader.addresses)
    assert "http" not in page
    assert "url(" not in page
    for words in ("Stress splits", "Cost", "Does brown know where it is wrong?", "worst: ", "best: ", "mean colours"):
        assert words in reader.text


def test_names_cannot_inject_anything_into_the_page(tmp_path: Path, brownish: Colorize) -> None:
    folder = write_pictures(tmp_path / "set", {"<b onload=x>&.png": samples()["coffee.png"]})
    plan = board.Plan(squash=False, stress=False)
    result = board.evaluate(board.pick_photographs(folder), [Model("<i>&", brownish)], plan=plan)
    page = board.write_report(result, tmp_path / "out").read_text()
    assert "<b onload" not in page
    assert "<i>&" not in page
    assert "&lt;i&gt;&amp;" in page


def test_a_report_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError, match="the folder cannot be made"):
        board.make_folder(tmp_path / "file" / "report")


@pytest.mark.slow
def test_strange_pictures_are_measured_and_leave_no_nan(tiny_model: Path, tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    strange = {
        "pixel.png": np.array([[[200, 40, 30]]], np.uint8),
        "panorama.png": np.tile(samples()["coffee.png"][:6], (1, 3, 1)),
        "noise.png": draw.integers(0, 256, (40, 40, 3), dtype=np.uint8),
        "black.png": np.zeros((20, 20, 3), np.uint8),
        "white.png": np.full((20, 20, 3), 255, np.uint8),
    }
    folder = write_pictures(tmp_path / "set", strange)
    models = [board.load_model(str(tiny_model), with_confidence=True)]
    plan = board.Plan(reliability=True, keep_grey=True)
    result = board.evaluate(board.pick_photographs(folder), models, plan=plan, classifier=MeanColors())
    board.write_report(result, tmp_path / "out")
    assert len(result.found.keys) == 5
    for name in ("scoreboard.json", "scoreboard.csv", "photographs.csv"):
        assert "nan" not in (tmp_path / "out" / name).read_text().lower()
