"""Originals are never written to, by whatever path; and an output folder that somebody else prepared does no harm."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from photochrom.albums.album import Job, name_results
from photochrom.albums.batch import run_batch
from photochrom.albums.manifest import COMPANION_SEPARATOR, LARGEST_MANIFEST_BYTES, MANIFEST_NAME, Entry, Manifest
from photochrom.albums.recipe import recipe_path, redo
from photochrom.albums.reports import PhotoReport
from photochrom.cli.app import run as run_cli
from photochrom.errors import EXIT_SOME_FAILED, EXIT_USAGE, OutputError
from photochrom.options import OutputOptions
from tests.albums.test_batch import SETTINGS, redden, run, statuses, write

pytestmark = pytest.mark.posix
OVERWRITING = replace(SETTINGS, writing=OutputOptions(overwrite=True))
Link = Callable[[Path, Path], None]


def soft(name: Path, target: Path) -> None:
    name.symlink_to(target)


def hard(name: Path, target: Path) -> None:
    os.link(target, name)


def through_folder(name: Path, target: Path) -> None:
    """A folder that is a link: the file's own name is none."""
    name.parent.rmdir()
    name.parent.symlink_to(target.parent, target_is_directory=True)


@pytest.fixture
def album(tmp_path: Path) -> Path:
    """Two photographs, one in a subfolder."""
    write(tmp_path / "in" / "a.png")
    write(tmp_path / "in" / "sub" / "b.png", seed=3)
    return tmp_path / "in"


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def run_jobs(jobs: list[Job], settings: object = OVERWRITING, **options: object) -> list[PhotoReport]:
    reports: list[PhotoReport] = []
    run_batch(jobs, redden, settings, on_report=reports.append, **options)  # type: ignore[arg-type]
    return reports


@pytest.mark.parametrize("link", [soft, hard])
def test_a_result_whose_name_leads_to_another_original_never_replaces_it(
    album: Path, tmp_path: Path, link: Link
) -> None:
    before = contents(album)
    (tmp_path / "out").mkdir()
    link(tmp_path / "out" / "a.png", album / "sub" / "b.png")
    jobs = [
        Job(album / "a.png", tmp_path / "out" / "a.png", "a.png"),
        Job(album / "sub" / "b.png", tmp_path / "out" / "b.png", "b.png"),
    ]
    reports = {report.source: report for report in run_jobs(jobs)}
    assert "is the photograph itself" in reports[str(album / "a.png")].error
    assert contents(album) == before


def test_a_result_behind_a_linked_folder_never_replaces_an_original(album: Path, tmp_path: Path) -> None:
    before = contents(album)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "sub").symlink_to(album / "sub", target_is_directory=True)
    reports = run(album, tmp_path / "out", OVERWRITING)
    assert [report.status for report in reports] == ["done", "failed"]
    assert contents(album) == before


def test_a_link_to_a_photograph_that_is_not_in_the_run_is_replaced_and_not_followed(
    album: Path, tmp_path: Path
) -> None:
    before = contents(album)
    (tmp_path / "a-color.png").symlink_to(album / "sub" / "b.png")
    assert statuses(run_jobs([Job(album / "a.png", tmp_path / "a-color.png", "a.png")])) == {"done"}
    assert contents(album) == before
    assert not (tmp_path / "a-color.png").is_symlink()


@pytest.mark.parametrize("link", [soft, hard])
def test_a_recipe_or_companion_is_never_written_over_an_original(album: Path, tmp_path: Path, link: Link) -> None:
    before = contents(album)
    target = tmp_path / "a.png"
    link(recipe_path(target), album / "sub" / "b.png")
    jobs = [Job(album / "a.png", target, "a.png"), Job(album / "sub" / "b.png", tmp_path / "b.png", "b.png")]
    reports = run_jobs(jobs, replace(OVERWRITING, keep_recipe=True))
    assert [report.status for report in sorted(reports, key=lambda report: report.source)] == ["failed", "done"]
    assert contents(album) == before


def test_a_file_that_is_no_recipe_is_not_replaced_by_one_without_overwrite(album: Path, tmp_path: Path) -> None:
    recipe_path(tmp_path / "a.png").write_text("my notes")
    job = Job(album / "a.png", tmp_path / "a.png", "a.png")
    (report,) = run_jobs([job], replace(SETTINGS, keep_recipe=True))
    assert "is no recipe" in report.error
    assert recipe_path(tmp_path / "a.png").read_text() == "my notes"
    assert not (tmp_path / "a.png").exists()


@pytest.mark.parametrize("link", [None, soft, hard])
def test_a_report_is_never_written_over_an_original_or_anything_but_a_report(
    album: Path, tmp_path: Path, link: Link | None
) -> None:
    before = contents(album)
    report = album / "sub" / "b.png"
    if link:
        report = tmp_path / "report.jsonl"
        link(report, album / "sub" / "b.png")
    alone = [Job(album / "a.png", tmp_path / "out.png", "a.png")]  # that b.png is a photograph is not known here
    with pytest.raises(OutputError, match="is no report"):
        run_jobs(alone, report_path=report)
    with pytest.raises(OutputError, match="is the photograph itself"):
        run_jobs([*alone, Job(album / "sub" / "b.png", tmp_path / "b.png", "b")], report_path=report)
    assert contents(album) == before


def test_an_earlier_report_is_begun_anew_and_a_pipe_without_reader_is_refused(album: Path, tmp_path: Path) -> None:
    job = Job(album / "a.png", tmp_path / "out.png", "a.png")
    for _ in range(2):
        run_jobs([job], report_path=tmp_path / "report.jsonl")
    assert len((tmp_path / "report.jsonl").read_text().splitlines()) == 1
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OutputError, match="cannot be written"):
        run_jobs([job], report_path=tmp_path / "pipe")


@pytest.mark.slow
def test_the_command_line_refuses_written_files_that_are_something_else(
    album: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = contents(album)
    (tmp_path / "m.png").symlink_to(album / "sub" / "b.png")
    (tmp_path / "drawn.png").write_bytes((album / "a.png").read_bytes())
    (tmp_path / "further").symlink_to(tmp_path, target_is_directory=True)
    both = [str(album / "a.png"), str(album / "sub" / "b.png"), "-o", str(tmp_path / "out")]
    one = ["restore", str(album / "a.png"), "--mask", str(tmp_path / "drawn.png"), "--overwrite"]
    for arguments in (
        ["colorize", *both, "--report", str(album / "sub" / "b.png")],
        ["colorize", *both, "--report", str(tmp_path / "m.png"), "--overwrite"],
        ["colorize", str(album / "a.png"), "-o", str(tmp_path / "x.png"), "--report", str(tmp_path / "x.png")],
        [*one, "--mask-out", str(tmp_path / "further" / "drawn.png")],
        [*one, "--mask-out", str(tmp_path / "r.png"), "--report", str(tmp_path / "further" / "r.png")],
    ):
        assert run_cli(arguments) == EXIT_USAGE, arguments
        err = capsys.readouterr().err
        assert "already the name of something else" in err
        assert err.count("\n") == 1
    assert contents(album) == before


@pytest.mark.parametrize("link", [None, soft, hard])
def test_a_result_made_again_never_replaces_its_original(album: Path, tmp_path: Path, link: Link | None) -> None:
    target = tmp_path / "a.png"
    run_jobs([Job(album / "a.png", target, "a.png")], replace(SETTINGS, keep_recipe=True))
    before = contents(album)
    again = album / "a.png"
    if link:
        again = tmp_path / "again.png"
        link(again, album / "a.png")
    with pytest.raises(OutputError, match="is the photograph itself"):
        redo(recipe_path(target), lambda _: redden, output=again)
    with pytest.raises(OutputError, match="exists already"):
        redo(recipe_path(target), lambda _: redden, output=album / "sub" / "b.png")
    assert contents(album) == before


WRONG = [
    {"source": 5}, {"source": None}, {"source": "a\0b"}, {"source": "x" * 100_000}, {"source_sha256": []},
    {"target": 5}, {"target": ".."}, {"target": ""}, {"target": "\ud800.png"}, {"target_sha256": {}}, {"model": ["x"]},
    {"model_sha256": 1.5}, {"version": None}, {"settings": []}, {"settings": "x"}, {"settings": {"restore": 5}},
    {"writing": []}, {"reading": 5}, {"writing": None}, {"task": "dance"}, {"task": 7}, {"recipe": True},
    {"recipe": 1.0},
]  # fmt: skip
WRONG_OPTIONS = [
    {"settings": {"vividness": "much"}}, {"settings": {"cls": 1}}, {"settings": {"self": 1}}, {"reading": {"cls": 1}},
    {"settings": {"x" * 999: 1}}, {"settings": {"vividness": ["y"] * 1000}}, {"writing": {"quality": []}},
    {"writing": {"cls": 1}}, {"settings": {"restore": {"tone": 7}}}, {"settings": {"seed": {"a": [[[]]]}}},
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("wrong", [*WRONG, *WRONG_OPTIONS])
def test_a_recipe_of_wrong_values_is_one_line(
    album: Path, tmp_path: Path, wrong: dict[str, object], capsys: pytest.CaptureFixture[str]
) -> None:
    run_jobs([Job(album / "a.png", tmp_path / "a.png", "a.png")], replace(SETTINGS, keep_recipe=True))
    path = recipe_path(tmp_path / "a.png")
    path.write_text(json.dumps(json.loads(path.read_text()) | wrong))
    before = contents(tmp_path)
    assert run_cli(["redo", str(path)]) == EXIT_USAGE
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert len(err) < 600
    assert ("this is not a recipe" in err) == (wrong in WRONG)
    assert contents(tmp_path) == before


def promise(folder: Path, key: str, target: str, content: bytes) -> None:
    """Add a line as a stranger would: one that claims a file as photochrom's own."""
    folder.mkdir(exist_ok=True)
    entry = Entry(key, "0", "0", target, hashlib.sha256(content).hexdigest(), len(content))
    with (folder / MANIFEST_NAME).open("a") as handle:
        handle.write(json.dumps(asdict(entry)) + "\n")


@pytest.mark.parametrize("link", [soft, hard])
def test_a_manifest_that_is_a_link_adds_to_nothing(album: Path, tmp_path: Path, link: Link) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "precious").write_text("a line of mine\n")
    link(tmp_path / "out" / MANIFEST_NAME, tmp_path / "precious")
    with pytest.raises(OutputError, match="is a link, pipe or folder"):
        run(album, tmp_path / "out")
    assert (tmp_path / "precious").read_text() == "a line of mine\n"


def test_a_manifest_that_is_a_pipe_or_a_folder_is_one_line(album: Path, tmp_path: Path) -> None:
    for name, make in (("pipe", os.mkfifo), ("folder", os.mkdir)):
        (tmp_path / name).mkdir()
        make(tmp_path / name / MANIFEST_NAME)
        with pytest.raises(OutputError, match="is a link, pipe or folder"):
            run(album, tmp_path / name)


def test_a_huge_sparse_manifest_is_refused_and_long_and_deep_lines_are_passed_over(album: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / MANIFEST_NAME).write_bytes(b"[" * 50_000 + b"\n" + b"x" * 300_000 + b'\n{"key": ' + b"[" * 9_000 + b"\n")
    os.truncate(out / MANIFEST_NAME, 30_000_000)
    assert statuses(run(album, out)) == {"done"}
    assert statuses(run(album, out)) == {"skipped"}
    os.truncate(out / MANIFEST_NAME, LARGEST_MANIFEST_BYTES + 1)
    with pytest.raises(OutputError, match="larger than"):
        run(album, out)


def test_an_entry_behind_a_linked_folder_neither_removes_nor_replaces_what_is_outside(
    album: Path, tmp_path: Path
) -> None:
    out, outside = tmp_path / "out", tmp_path / "outside"
    outside.mkdir()
    for name in ("a-uncertainty.png", "a.png"):
        (outside / name).write_bytes(b"not ours")
    promise(out, f"a.png{COMPANION_SEPARATOR}-uncertainty", "sub/a-uncertainty.png", b"not ours")
    promise(out, "a.png", "sub/a.png", b"not ours")
    (out / "sub").symlink_to(outside, target_is_directory=True)
    before = contents(outside)
    reports = {Path(report.source).name: report for report in run(album, out)}
    assert "exists already" in reports["a.png"].error
    assert before.items() <= contents(outside).items()


def test_an_entry_never_removes_or_replaces_an_original_inside_the_output(tmp_path: Path) -> None:
    album = tmp_path / "in"
    write(album / "a.png")
    write(album / "out" / "b.png", seed=2)
    content = (album / "out" / "b.png").read_bytes()
    promise(album / "out", f"a.png{COMPANION_SEPARATOR}-mask", "b.png", content)
    jobs = [Job(album / name, album / "out" / f"{key}.png", key) for name, key in (("a.png", "1"), ("out/b.png", "2"))]
    jobs[0] = replace(jobs[0], key="a.png")
    reports = run_jobs(jobs, manifest=Manifest.of(album / "out"))
    assert statuses(reports) == {"done"}
    assert (album / "out" / "b.png").read_bytes() == content


@pytest.mark.parametrize(
    "name", ["x/" * 3000 + "a.png", "n" * 300 + ".png", "\0.png", "\ud800.png", "../a.png", "/a.png", ""]
)
def test_names_that_we_would_not_give_are_passed_over(album: Path, tmp_path: Path, name: str) -> None:
    promise(tmp_path / "out", "a.png", name, b"")
    assert Manifest.of(tmp_path / "out").assigned == {}
    assert statuses(run(album, tmp_path / "out")) == {"done"}
    assert (tmp_path / "out" / "a.png").is_file()


def test_one_name_promised_to_two_photographs_is_given_to_one() -> None:
    sources = {"a.png": Path("a.png"), "b.png": Path("b.png")}
    names = name_results(sources, None, {"a.png": "x.png", "b.png": "X.png"})
    assert len({name.casefold() for name in names.values()}) == 2


def test_a_pipe_where_a_result_or_recipe_should_be_is_one_line(album: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    promise(out, "a.png", "a.png", b"")
    os.mkfifo(out / "a.png")
    (out / "sub").mkdir()
    os.mkfifo(recipe_path(out / "sub" / "b.png"))
    reports = run(album, out, replace(SETTINGS, keep_recipe=True))
    assert [report.status for report in reports] == ["failed", "failed"]
    assert all("exists already" in report.error for report in reports)


@pytest.mark.slow
def test_an_output_folder_of_too_long_a_name_is_one_line(
    album: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    deep = Path("/".join([str(tmp_path), *["deep"] * 1500]))
    for source, output in ((album, tmp_path / ("n" * 300)), (album / "a.png", deep)):
        assert run_cli(["colorize", str(source), "-o", str(output)]) == EXIT_SOME_FAILED
        err = capsys.readouterr().err
        assert "File name too long" in err
        assert "Traceback" not in err
