"""A result in an output folder is one photograph's: those of other folders, and other tasks, do not take its place."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from photochrom.albums.batch import run_batch
from photochrom.albums.entries import line_of, read_line
from photochrom.albums.manifest import MANIFEST_NAME, Manifest
from photochrom.albums.merging import merge_album
from photochrom.albums.plan import plan
from photochrom.albums.reports import PhotoReport
from photochrom.albums.results import BatchSettings
from photochrom.cli.app import run as run_cli
from photochrom.errors import EXIT_OK, EXIT_SOME_FAILED
from photochrom.files.companions import UNCERTAINTY_MARK, Companion
from photochrom.files.photo import Photo
from photochrom.options import OutputOptions
from tests.albums.test_batch import SETTINGS, Reddened, names_in, redden, run, statuses, write

RESTORING = replace(SETTINGS, provenance=replace(SETTINGS.provenance, task="restore"))
OVERWRITING = replace(SETTINGS, writing=OutputOptions(overwrite=True))


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Two folders with a photograph of the same name each."""
    for seed, name in enumerate(("d1", "d2")):
        write(tmp_path / name / "x.png", seed)
    return tmp_path / "d1", tmp_path / "d2"


def run_all(inputs: list[Path], out: Path, settings: BatchSettings = SETTINGS) -> dict[str, tuple[str, str]]:
    """Return what became of each photograph: its status and its result's name."""
    reports: list[PhotoReport] = []
    planned = plan(inputs, out, format=settings.writing.format)
    run_batch(planned.jobs, redden, settings, manifest=planned.manifest, on_report=reports.append)
    return {Path(report.source).parent.name: (report.status, Path(report.target).name) for report in reports}


def test_a_second_folders_photograph_does_not_replace_the_firsts_result(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    first, second = folders
    out = tmp_path / "out"
    run(first, out)
    before = (out / "x.png").read_bytes()
    (report,) = run(second, out)
    assert report.error == (
        f"{out / 'x.png'}: is the result of another photograph, one of {first}. "
        "Choose another --output, or use --overwrite to replace it"
    )
    assert (out / "x.png").read_bytes() == before
    assert statuses(run(first, out)) == {"skipped"}
    assert statuses(run(second, out, OVERWRITING)) == {"done"}
    assert (out / "x.png").read_bytes() != before


def test_names_that_are_free_are_taken_by_a_second_folder(folders: tuple[Path, Path], tmp_path: Path) -> None:
    first, second = folders
    write(second / "y.png", 5)
    run(first, tmp_path / "out")
    reports = {Path(report.source).name: report.status for report in run(second, tmp_path / "out")}
    assert reports == {"x.png": "failed", "y.png": "done"}


def test_another_task_does_not_replace_a_result(folders: tuple[Path, Path], tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(folders[0], out)
    before = (out / "x.png").read_bytes()
    (report,) = run(folders[0], out, RESTORING)
    assert "x.png: is what `photochrom colorize` made of this photograph. Choose another --output" in report.error
    assert (out / "x.png").read_bytes() == before
    assert statuses(run(folders[0], out, replace(RESTORING, writing=OutputOptions(overwrite=True)))) == {"done"}


def test_each_of_several_folders_keeps_its_names_in_whatever_order_they_come(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    first, second = folders
    out, third = tmp_path / "out", tmp_path / "d3"
    write(third / "x.png", 7)
    assert run_all([first, third], out) == {"d1": ("done", "x.png"), "d3": ("done", "x-2.png")}
    expected = {"d1": ("skipped", "x.png"), "d3": ("skipped", "x-2.png")}
    assert run_all([third, first], out) == expected
    assert run_all([third], out) == {"d3": ("skipped", "x-2.png")}
    assert run_all([second, third, first], out) == expected | {"d2": ("done", "x-3.png")}


def test_an_album_that_was_moved_or_copied_is_done(folders: tuple[Path, Path], tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(folders[0], out)
    shutil.copytree(folders[0], tmp_path / "elsewhere" / "copy")
    assert statuses(run(tmp_path / "elsewhere" / "copy", out)) == {"skipped"}
    (tmp_path / "moved").mkdir()
    for name in ("d1", "out"):
        (tmp_path / name).rename(tmp_path / "moved" / name)
    write(tmp_path / "moved" / "d1" / "x.png", 9)  # taken again, and moved with its results
    assert statuses(run(tmp_path / "moved" / "d1", tmp_path / "moved" / "out")) == {"done"}


def test_a_moved_album_is_done_again_with_other_settings(folders: tuple[Path, Path], tmp_path: Path) -> None:
    run(folders[0], tmp_path / "out")
    folders[0].rename(tmp_path / "moved")
    vivid = replace(SETTINGS, provenance=replace(SETTINGS.provenance, settings={"vividness": 2.0}))
    assert statuses(run(tmp_path / "moved", tmp_path / "out", vivid)) == {"done"}


@pytest.mark.posix
def test_a_folder_behind_a_link_is_the_same(folders: tuple[Path, Path], tmp_path: Path) -> None:
    run(folders[0], tmp_path / "out")
    (tmp_path / "link").symlink_to(folders[0], target_is_directory=True)
    write(folders[0] / "x.png", 9)
    assert statuses(run(tmp_path / "link", tmp_path / "out")) == {"done"}


def test_a_manifest_from_before_folders_were_kept_goes_on(folders: tuple[Path, Path], tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(folders[0], out)
    lines = [json.loads(line) for line in (out / MANIFEST_NAME).read_bytes().splitlines() if line]
    assert [(line.pop("album"), line.pop("task")) for line in lines] == [("../d1", "colorize")]
    (out / MANIFEST_NAME).write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert statuses(run(folders[0], out)) == {"skipped"}
    write(folders[0] / "x.png", 9)
    assert statuses(run(folders[0], out)) == {"done"}


def test_results_in_another_format_are_no_other_photographs_names(folders: tuple[Path, Path], tmp_path: Path) -> None:
    out = tmp_path / "out"
    write(folders[0] / "x.jpg", 3)
    run(folders[0], out)  # x.jpg, x.png
    (folders[0] / "x.png").unlink()
    as_png = replace(SETTINGS, writing=OutputOptions(format="png"))
    assert [Path(report.target).name for report in run(folders[0], out, as_png)] == ["x-jpg.png"]
    assert statuses(run(folders[0], out)) == {"skipped"}
    assert [Path(report.target).name for report in run(folders[0], out, as_png)] == ["x-jpg.png"]
    assert names_in(out) == {"x.jpg", "x.png", "x-jpg.png"}


def test_what_lies_beside_another_folders_result_stays(folders: tuple[Path, Path], tmp_path: Path) -> None:
    def with_map(photo: Photo) -> Reddened:
        return replace(redden(photo), companions=(Companion(UNCERTAINTY_MARK, photo, format="png"),))

    out = tmp_path / "out"
    run(folders[0], out, make_one=with_map)
    as_tiff = replace(SETTINGS, writing=OutputOptions(format="tiff"))
    assert statuses(run(folders[1], out, as_tiff)) == {"done"}
    assert names_in(out) == {"x.png", "x-uncertainty.png", "x.tif"}
    merge_album(folders[0], out)
    assert Manifest.of(out).made("x.tif")


def test_a_line_tells_its_folder_in_any_letters() -> None:
    entry = read_line(b'{"key": "a", "source_sha256": "", "settings_sha256": "", "target": "a", "target_sha256": "",'
                      b' "target_bytes": 0, "album": "../\\udcff", "task": "colorize"}')  # fmt: skip
    assert entry is not None
    assert read_line(line_of(entry)) == entry


@pytest.mark.slow
def test_on_the_command_line_it_is_one_line_and_exit_code_1(
    folders: tuple[Path, Path], tmp_path: Path, tiny_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["-o", str(tmp_path / "out"), "--model", str(tiny_model), "--quiet"]
    assert run_cli(["colorize", os.fspath(folders[0]), *arguments]) == EXIT_OK
    before = (tmp_path / "out" / "x.png").read_bytes()
    assert run_cli(["colorize", os.fspath(folders[1]), *arguments]) == EXIT_SOME_FAILED
    assert run_cli(["restore", os.fspath(folders[0]), "-o", str(tmp_path / "out"), "--quiet"]) == EXIT_SOME_FAILED
    first, second = capsys.readouterr().err.splitlines()
    assert "is the result of another photograph" in first
    assert "is what `photochrom colorize` made" in second
    assert (tmp_path / "out" / "x.png").read_bytes() == before
