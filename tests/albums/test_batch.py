"""Albums: names, resume, reports, and that one bad photograph costs only itself."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import threading
import time
import unicodedata
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from photochrom.albums import batch
from photochrom.albums.album import Job, find_photos, fitted_name, name_results
from photochrom.albums.batch import run_batch
from photochrom.albums.beside import result_beside
from photochrom.albums.manifest import MANIFEST_NAME, Manifest
from photochrom.albums.plan import plan
from photochrom.albums.recipe import read_recipe, recipe_path, redo
from photochrom.albums.reports import PhotoReport
from photochrom.albums.results import BatchSettings
from photochrom.errors import OptionError, OutputError, PhotochromError, PhotoNotFoundError, UnreadablePhotoError
from photochrom.files.codecs import atomic
from photochrom.files.codecs.formats import READABLE_SUFFIXES
from photochrom.files.companions import Companion
from photochrom.files.photo import Photo
from photochrom.files.provenance import COMPOSITE_WITH_TRAINED_ALGORITHMIC_MEDIA, Provenance, read_provenance
from photochrom.files.reading import open_pages, open_photo
from photochrom.options import OutputFormat, OutputOptions
from tests.files.makers import pillow_tiff_pages, textured

SETTINGS = BatchSettings(Provenance("fake", "00" * 32, "1", {"vividness": 1.0}))


@dataclass(frozen=True)
class Reddened:
    """A result as the pipeline gives it."""

    photo: Photo
    notes: tuple[str, ...]
    companions: tuple[Companion, ...] = ()
    is_skipped: bool = False
    source_type: str = COMPOSITE_WITH_TRAINED_ALGORITHMIC_MEDIA


def redden(photo: Photo) -> Reddened:
    """Colour in no time."""
    pixels = np.repeat(photo.pixels[..., :1], 3, axis=2)
    pixels[..., 1:] //= 2
    return Reddened(replace(photo, pixels=pixels), (*photo.notes, "reddened"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An album with subfolders and awkward names; two files in it are no photographs."""
    path = tmp_path / "album"
    for name in ("a.jpg", "a.png", "deep/er/b.tif", "with space & ümläut.jpg", "deep/c.JPG"):
        write(path / name)
    (path / "notes.txt").write_text("not a photograph, and not named like one")
    (path / ".hidden.jpg").write_text("left out")
    return path


LETTERS = st.characters(exclude_characters="/\0", exclude_categories=["Cs"])
NO_RECIPES = [b"", b"[]", b"{}", b'{"recipe": 2}', b'{"recipe": 1, "x": 1}', b"\xff" * 9, b"[" * 9999]


def write(path: Path, seed: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.fromarray(np.roll(textured(channels=1)[..., 0], seed))
    picture.save(path, {".jpg": "JPEG", ".tif": "TIFF"}.get(path.suffix.lower(), "PNG"))


def run(source: Path, output: Path, settings: BatchSettings = SETTINGS, **options: object) -> list[PhotoReport]:
    """Colour an album as the command line does, and return the reports in the album's order."""
    reports: list[PhotoReport] = []
    planned = plan([source], output, format=settings.writing.format)
    make_one = options.pop("make_one", redden)
    run_batch(planned.jobs, make_one, settings, manifest=planned.manifest, on_report=reports.append, **options)  # type: ignore[arg-type]
    return sorted(reports, key=lambda report: report.source)


def statuses(reports: list[PhotoReport]) -> set[str]:
    return {report.status for report in reports}


def names_in(path: Path) -> set[str]:
    found = (item.relative_to(path).as_posix() for item in path.rglob("*") if item.is_file())
    return {name for name in found if not name.startswith(".")}


def test_an_album_is_mirrored(folder: Path, tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    reports = run(folder, tmp_path / "out")
    assert statuses(reports) == {"done"}
    expected = {"a.jpg", "a.png", "deep/er/b.tif", "with space & ümläut.jpg", "deep/c.JPG"}
    assert names_in(tmp_path / "out") == expected
    for name in expected:
        photo = open_photo(tmp_path / "out" / name)
        assert photo.pixels[24, 40, 0] > photo.pixels[24, 40, 1] + 20
        assert read_provenance(photo.metadata.xmp) == SETTINGS.provenance
    assert before == {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_rerun_does_only_what_is_new_changed_or_gone(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(folder, out)
    assert statuses(run(folder, out)) == {"skipped"}
    times = os.stat(folder / "a.png")
    write(folder / "a.png", seed=5)  # other content, same time
    os.utime(folder / "a.png", ns=(times.st_atime_ns, times.st_mtime_ns))
    os.utime(folder / "a.jpg")  # other time, same content
    (out / "deep/c.JPG").unlink()
    write(folder / "new.png")
    reports = {Path(report.source).name: report.status for report in run(folder, out)}
    assert {name for name, status in reports.items() if status == "done"} == {"a.png", "c.JPG", "new.png"}
    assert statuses(run(folder, out)) == {"skipped"}


@pytest.mark.slow
@pytest.mark.parametrize(
    "changed",
    [
        replace(SETTINGS, provenance=replace(SETTINGS.provenance, settings={"vividness": 1.3})),
        replace(SETTINGS, provenance=replace(SETTINGS.provenance, model_sha256="11" * 32)),
        replace(SETTINGS, writing=OutputOptions(quality=80)),
    ],
    ids=["option", "model", "quality"],
)
def test_other_settings_are_done_again(folder: Path, tmp_path: Path, changed: BatchSettings) -> None:
    run(folder, tmp_path / "out")
    assert statuses(run(folder, tmp_path / "out", changed)) == {"done"}
    assert statuses(run(folder, tmp_path / "out", changed)) == {"skipped"}


def test_a_result_that_somebody_edited_is_not_replaced(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(folder, out)
    (out / "a.png").write_bytes(b"somebody's own work")
    reports = {Path(report.source).name: report for report in run(folder, out)}
    assert reports["a.png"].status == "failed"
    assert "exists already" in reports["a.png"].error
    assert (out / "a.png").read_bytes() == b"somebody's own work"
    overwriting = replace(SETTINGS, writing=OutputOptions(overwrite=True))
    assert {Path(report.source).name: report.status for report in run(folder, out, overwriting)}["a.png"] == "done"


def test_names_that_collide_all_survive_and_stay(folder: Path, tmp_path: Path) -> None:
    as_png = replace(SETTINGS, writing=OutputOptions(format="png"))
    out = tmp_path / "out"
    (folder / "a.png").unlink()
    run(folder, out, as_png)
    assert (out / "a.png").exists()
    write(folder / "a.png", seed=3)
    write(folder / "a.tif", seed=4)
    reports = run(folder, out, as_png)
    names = {Path(report.source).name: Path(report.target).name for report in reports}
    assert names["a.jpg"] == "a.png", "a name once given stays"
    assert len({names[name] for name in ("a.jpg", "a.png", "a.tif")}) == 3
    assert {Path(report.source).name for report in reports if report.status == "done"} == {"a.png", "a.tif"}
    assert statuses(run(folder, out, as_png)) == {"skipped"}


def test_both_forms_of_an_accent_survive(tmp_path: Path) -> None:
    source = tmp_path / "album"
    for form in ("NFC", "NFD"):
        write(source / (unicodedata.normalize(form, "é") + ".png"), seed=len(form))
    if len(list(source.iterdir())) < 2:
        pytest.skip("this file system takes both for one")
    reports = run(source, tmp_path / "out")
    assert statuses(reports) == {"done"}
    written = [unicodedata.normalize("NFC", name).casefold() for name in names_in(tmp_path / "out")]
    assert len(set(written)) == 2, "also where accents are composed"


def test_names_of_255_bytes(tmp_path: Path) -> None:
    source = tmp_path / "album"
    names = ["x" * 251 + ".png", "ü" * 125 + "y.png", "ü" * 125 + "z.png"]
    for name in names:
        write(source / name)
    settings = replace(SETTINGS, writing=OutputOptions(format="tiff"), keep_recipe=True)
    reports = run(source, tmp_path / "out", settings)
    assert statuses(reports) == {"done"}, reports
    assert statuses(run(source, tmp_path / "out", settings)) == {"skipped"}
    assert len([name for name in names_in(tmp_path / "out") if name.endswith((".tiff", ".tif"))]) == 3


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(
    st.sets(
        st.text(LETTERS, min_size=1, max_size=60),
        max_size=12,
    ),
    st.sampled_from(["png", "jpeg", "tiff"]),
    st.data(),
)
def test_names_never_collide_and_never_move(stems: set[str], format: str, data: st.DataObject) -> None:
    keys = [stem + data.draw(st.sampled_from([".jpg", ".PNG", ".tif"])) for stem in sorted(stems)]
    keys = [key for key in dict.fromkeys(keys) if key.strip(".") and len(os.fsencode(key)) <= 255]
    paths = {key: Path("/nowhere") / key for key in keys}
    first = name_results(paths, format, {})
    assert all(len(os.fsencode(Path(name).name)) <= 255 for name in first.values())
    folded = [unicodedata.normalize("NFC", name).casefold() for name in first.values()]
    assert len(set(folded)) == len(folded)
    some = dict(list(first.items())[: len(first) // 2])
    again = name_results(paths, format, some)
    assert all(again[key] == name for key, name in some.items())
    assert len({unicodedata.normalize("NFC", name).casefold() for name in again.values()}) == len(again)


def test_long_names_are_cut_between_letters() -> None:
    name = fitted_name("ü" * 200, ".png")
    assert len(os.fsencode(name)) <= 255
    assert name.endswith(".png")
    assert "\ufffd" not in name
    assert fitted_name("ü" * 200, ".png") != fitted_name("ü" * 201, ".png")


@pytest.mark.posix
def test_links_in_circles_end_and_each_photo_comes_once(folder: Path, tmp_path: Path) -> None:
    (folder / "deep" / "loop").symlink_to(folder, target_is_directory=True)
    (folder / "linked.png").symlink_to(folder / "a.png")
    (folder / "broken.jpg").symlink_to(folder / "nothing")
    found = find_photos(folder)
    assert len(found) == 7
    reports = {Path(report.source).name: report for report in run(folder, tmp_path / "out")}
    assert reports["broken.jpg"].status == "failed"
    assert reports["linked.png"].status == "done"


def test_the_output_inside_the_album_is_left_out(folder: Path) -> None:
    out = folder / "coloured"
    assert len(run(folder, out)) == 5
    assert statuses(run(folder, out)) == {"skipped"}


def test_a_folder_without_photographs_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "readme.txt").write_text("nothing")
    with pytest.raises(PhotoNotFoundError, match="holds no pictures"):
        find_photos(tmp_path)


def test_photographs_without_a_suffix_are_found(tmp_path: Path) -> None:
    write(tmp_path / "album" / "IMG_0001")
    reports = run(tmp_path / "album", tmp_path / "out")
    assert names_in(tmp_path / "out") == {"IMG_0001.png"}
    assert statuses(reports) == {"done"}


@pytest.mark.posix
def test_one_bad_photograph_costs_only_itself(folder: Path, tmp_path: Path) -> None:
    (folder / "empty.jpg").touch()
    (folder / "cut.jpg").write_bytes((folder / "a.jpg").read_bytes()[:400])
    (folder / "page.png").write_text("<html>")
    os.mkfifo(folder / "pipe.png")
    report_path = tmp_path / "report.jsonl"
    reports = run(folder, tmp_path / "out", report_path=report_path)
    failed = {Path(report.source).name for report in reports if report.status == "failed"}
    assert failed == {"empty.jpg", "cut.jpg", "page.png", "pipe.png"}
    assert len(names_in(tmp_path / "out")) == 5
    lines = [json.loads(line) for line in report_path.read_text().splitlines()]
    assert len(lines) == 9
    assert all(line["error"] and "\n" not in line["error"] for line in lines if line["status"] == "failed")
    done = next(line for line in lines if line["status"] == "done")
    assert done["notes"] == ["reddened"]
    assert done["width"] == 64
    assert {"decode", "make", "encode", "write"} <= done["seconds"].keys()


def test_a_defect_of_ours_costs_only_its_photograph(folder: Path, tmp_path: Path) -> None:
    def fail_on_tiff(photo: Photo) -> Reddened:
        if photo.format == "tiff":
            raise KeyError("a defect")
        return redden(photo)

    reports = run(folder, tmp_path / "out", make_one=fail_on_tiff)
    bad = [report for report in reports if report.status == "failed"]
    assert [Path(report.source).name for report in bad] == ["b.tif"]
    assert "unexpected KeyError" in bad[0].error
    assert bad[0].error_kind == "KeyError"


def test_a_photograph_is_never_its_own_result(folder: Path) -> None:
    jobs = [Job(folder / "a.png", folder / "a.png", "a.png")]
    reports: list[PhotoReport] = []
    for writing in (OutputOptions(), OutputOptions(overwrite=True)):
        run_batch(jobs, redden, replace(SETTINGS, writing=writing), on_report=reports.append)
    assert all("is the photograph itself" in report.error for report in reports)


def test_every_page_of_a_tiff_is_coloured(tmp_path: Path) -> None:
    source = tmp_path / "album"
    source.mkdir()
    pages = [textured(channels=1)[..., 0], textured(20, 30, channels=1)[..., 0]]
    (source / "book.tif").write_bytes(pillow_tiff_pages(pages))
    run(source, tmp_path / "out")
    written = list(open_pages(tmp_path / "out" / "book.tif"))
    assert [photo.pixels.shape for photo in written] == [(48, 64, 3), (20, 30, 3)]


def test_pages_are_read_and_made_one_by_one(tmp_path: Path) -> None:
    source = tmp_path / "album"
    source.mkdir()
    (source / "book.tif").write_bytes(pillow_tiff_pages([textured(channels=1)[..., 0]] * 6))
    held = list[weakref.ref[np.ndarray]]()

    def noting(photo: Photo) -> Reddened:
        held.append(weakref.ref(photo.pixels))
        assert sum(pixels() is not None for pixels in held) <= 2
        return redden(photo)

    assert statuses(run(source, tmp_path / "out", make_one=noting)) == {"done"}
    assert len(held) == len(list(open_pages(tmp_path / "out" / "book.tif"))) == 6


@pytest.mark.posix
def test_read_only_originals_are_fine(folder: Path, tmp_path: Path) -> None:
    for path in folder.rglob("*.*"):
        path.chmod(0o444)
    assert statuses(run(folder, tmp_path / "out")) == {"done"}
    assert statuses(run(folder, tmp_path / "out")) == {"skipped"}


def test_a_folder_that_vanishes_is_told_and_a_rerun_completes(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"

    def vanish(photo: Photo) -> Reddened:
        shutil.rmtree(out, ignore_errors=True)
        out.write_text("a file has taken its place")
        return redden(photo)

    reports = run(folder, out, make_one=vanish, workers=1)
    assert statuses(reports) == {"failed"}
    out.unlink()
    assert statuses(run(folder, out)) == {"done"}


class FillingUp:
    """A file on a disk that has room for some bytes more."""

    def __init__(self, handle: BinaryIO, room: int) -> None:
        self.handle, self.room = handle, room

    def write(self, data: bytes) -> int:
        if len(data) > self.room:
            self.handle.write(data[: self.room])
            raise OSError(errno.ENOSPC, "No space left on device")
        self.room -= len(data)
        return self.handle.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.handle, name)


@pytest.mark.slow
@pytest.mark.parametrize("place", ["result", "flush", "manifest"])
@pytest.mark.parametrize("format", ["jpeg", "png", "tiff", "webp"])
def test_a_full_disk_ends_the_run_and_leaves_nothing_half_written(
    folder: Path, tmp_path: Path, place: str, format: OutputFormat, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    written = 0
    begin, flush, append = atomic.Aside.__init__, atomic._flush, Manifest._append

    def begin_filling_up(self: atomic.Aside, path: Path) -> None:
        nonlocal written
        written += 1
        begin(self, path)
        self.handle = cast("BinaryIO", FillingUp(self.handle, 1000 if written > 2 else 10**9))

    def flush_late(handle: BinaryIO) -> None:
        nonlocal written
        written += 1
        if written > 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        flush(handle)

    def fill_up_manifest(self: Manifest, line: bytes) -> None:
        nonlocal written
        written += 1
        if written > 2:
            with self.path.open("ab") as handle:
                handle.write(b"\n" + line[: len(line) // 2])
            raise OSError(errno.ENOSPC, "No space left on device")
        append(self, line)

    disk_settings = replace(SETTINGS, writing=OutputOptions(format=format))
    manifest = Manifest.of(out)
    jobs = plan([folder], out, format=format).jobs
    with monkeypatch.context() as patch:
        if place == "result":
            patch.setattr(atomic.Aside, "__init__", begin_filling_up)
        elif place == "flush":
            patch.setattr(atomic, "_flush", flush_late)
        else:
            patch.setattr(Manifest, "_append", fill_up_manifest)
        reports: list[PhotoReport] = []
        summary = run_batch(jobs, redden, disk_settings, manifest=manifest, workers=1, on_report=reports.append)
    assert "No space left on device" in reports[-1].error
    assert (summary.done, summary.failed, summary.left) == (2, 1, 2)
    assert summary.stopped_by == "disk full"
    assert "Free some space and run the same command again: 2 are left" in summary.next_step
    assert len(names_in(out)) == 2
    assert not list(out.rglob("*.part"))
    again = run(folder, out, disk_settings)
    assert [report.status for report in again].count("skipped") == 2
    assert [report.status for report in again].count("done") == 3


def test_what_killed_processes_left_is_cleared_away(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    dead = 2**22 - 3  # beyond the largest process number of an ordinary system
    ours = out / f"{atomic.TEMPORARY_PREFIX}{atomic._host()}-{dead}-ab{atomic.TEMPORARY_SUFFIX}"
    running = out / f"{atomic.TEMPORARY_PREFIX}{atomic._host()}-{os.getpid()}-ab{atomic.TEMPORARY_SUFFIX}"
    elsewhere = out / f"{atomic.TEMPORARY_PREFIX}ffffff-{dead}-ab{atomic.TEMPORARY_SUFFIX}"
    old = out / f"{atomic.TEMPORARY_PREFIX}eeeeee-1-ab{atomic.TEMPORARY_SUFFIX}"
    for path in (ours, running, elsewhere, old):
        path.write_bytes(b"half")
    os.utime(old, (0, 0))
    run(folder, out)
    assert {path.name for path in out.glob("*.part")} | {running.name, elsewhere.name} == {running.name, elsewhere.name}
    assert running.exists()
    assert elsewhere.exists()


def test_stopping_finishes_what_has_begun_and_says_how_to_go_on(folder: Path, tmp_path: Path) -> None:
    stop = threading.Event()
    out = tmp_path / "out"

    def stop_then_redden(photo: Photo) -> Reddened:
        stop.set()
        return redden(photo)

    jobs = plan([folder], out, format=None).jobs
    summary = run_batch(jobs, stop_then_redden, SETTINGS, manifest=Manifest.of(out), workers=1, stop=stop)
    assert (summary.done, summary.left, summary.stopped_by) == (1, 4, "interrupt")
    assert summary.next_step == "Run the same command again to go on: 4 are left"
    assert len(names_in(out)) == 1
    assert [report.status for report in run(folder, out)].count("skipped") == 1


@pytest.mark.posix
def test_ctrl_c_stops_after_the_current_photograph(folder: Path, tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGINT)

    def interrupt(photo: Photo) -> Reddened:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.05)
        return redden(photo)

    out = tmp_path / "out"
    summary = run_batch(
        plan([folder], out, format=None).jobs, interrupt, SETTINGS, manifest=Manifest.of(out), workers=1
    )
    assert summary.stopped_by == "interrupt"
    assert summary.done >= 1
    assert summary.done + summary.left == 5
    assert summary.failed == 0
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize("slots", [1, 2])
def test_photographs_overlap_and_the_net_gets_so_many_at_a_time(folder: Path, tmp_path: Path, slots: int) -> None:
    inside, most, decoding = 0, 0, threading.Barrier(2, timeout=20)
    lock = threading.Lock()
    read = batch.read_pages_for

    def meet(source: Path, format: str, **how: object) -> Iterator[Photo]:
        decoding.wait()  # passes only when two photographs are being read at the same time
        return read(source, format, **how)

    def count(photo: Photo) -> Reddened:
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
        time.sleep(0.01)
        with lock:
            inside -= 1
        return redden(photo)

    (folder / "a.png").unlink()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batch, "read_pages_for", meet)
        reports = run(folder, tmp_path / "out", make_one=count, workers=2, at_once=slots)
    assert statuses(reports) == {"done"}
    assert most <= slots


def test_a_report_that_cannot_be_written_is_one_line(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="Create the folder first"):
        run(folder, tmp_path / "out", report_path=tmp_path / "missing" / "report.jsonl")


def test_without_a_manifest_existing_results_are_errors(folder: Path) -> None:
    jobs = [Job(folder / "a.png", result_beside(folder / "a.png", None), "a.png")]
    assert jobs[0].target.name == "a-color.png"
    first = run_batch(jobs, redden, SETTINGS)
    second = run_batch(jobs, redden, SETTINGS)
    assert (first.done, second.failed) == (1, 1)


def test_lines_of_the_manifest_that_are_damaged_or_lead_elsewhere_are_passed_over(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(folder, out)
    path = out / MANIFEST_NAME
    lines = path.read_bytes()
    evil = json.loads(lines.splitlines()[1]) | {"target": "../../evil.png", "key": "deep/c.JPG"}
    path.write_bytes(b'{"key": 3}\n[]\nnot json\n' + lines + json.dumps(evil).encode() + b'\n{"key": "a.png", "sou')
    assert "../../evil.png" not in Manifest.of(out).assigned.values()
    assert statuses(run(folder, out)) == {"skipped"}
    write(folder / "after.png")
    run(folder, out)
    assert "after.png" in Manifest.of(out).assigned


def test_workers_of_other_threads_may_run_batches(folder: Path, tmp_path: Path) -> None:
    found: list[PhotoReport] = []
    thread = threading.Thread(target=lambda: found.extend(run(folder, tmp_path / "out")))
    thread.start()
    thread.join(30)
    assert statuses(found) == {"done"}


# Recipes


@pytest.mark.slow
@pytest.mark.parametrize("format", ["jpeg", "png", "tiff", "webp", "avif"])
def test_a_recipe_makes_the_same_file_again(folder: Path, tmp_path: Path, format: str) -> None:
    out = tmp_path / "out"
    writing = OutputOptions(format=format, quality=83)  # type: ignore[arg-type]
    run(folder, out, replace(SETTINGS, writing=writing, keep_recipe=True))
    targets = [path for path in out.rglob("*") if path.is_file() and path.suffix not in (".json", ".jsonl")]
    assert len(targets) == 5
    for target in targets:
        recipe = read_recipe(recipe_path(target))
        assert recipe.provenance == SETTINGS.provenance
        original = target.read_bytes()
        target.unlink()
        redone = redo(recipe_path(target), lambda _: redden)
        assert redone.identical
        assert redone.path == target
        assert target.read_bytes() == original


def recipe_of(folder: Path, tmp_path: Path) -> Path:
    run(folder, tmp_path / "out", replace(SETTINGS, keep_recipe=True))
    return recipe_path(tmp_path / "out" / "a.png")


def test_a_recipe_notices_another_original(folder: Path, tmp_path: Path) -> None:
    path = recipe_of(folder, tmp_path)
    shutil.copy(folder / "a.png", tmp_path / "moved.png")
    write(folder / "a.png", seed=9)
    with pytest.raises(UnreadablePhotoError, match="not the photograph that the recipe was written for"):
        redo(path, lambda _: redden)
    assert redo(path, lambda _: redden, source=tmp_path / "moved.png").identical


def test_a_recipe_never_replaces_a_result_by_another(folder: Path, tmp_path: Path) -> None:
    path = recipe_of(folder, tmp_path)
    target = tmp_path / "out" / "a.png"
    before = target.read_bytes()
    other: Callable[[Photo], Reddened] = lambda photo: Reddened(photo, photo.notes)  # noqa: E731
    with pytest.raises(PhotochromError, match="differs from the recipe's"):
        redo(path, lambda _: other)
    assert target.read_bytes() == before
    elsewhere = redo(path, lambda _: other, output=tmp_path / "second.png")
    assert not elsewhere.identical
    assert "not identical" in elsewhere.notes[-1]


@pytest.mark.parametrize("content", NO_RECIPES)
def test_what_is_no_recipe_is_one_line(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.recipe.json"
    path.write_bytes(content)
    with pytest.raises(OptionError, match="not a recipe") as caught:
        read_recipe(path)
    assert "\n" not in str(caught.value)
    with pytest.raises(PhotoNotFoundError):
        read_recipe(tmp_path / "nothing.recipe.json")


def test_a_recipe_cannot_write_outside_its_folder(folder: Path, tmp_path: Path) -> None:
    path = recipe_of(folder, tmp_path)
    values = json.loads(path.read_bytes()) | {"target": "../../evil.png"}
    path.write_text(json.dumps(values))
    assert redo(path, lambda _: redden).path.parent == path.parent


def test_album_suffixes_are_those_that_are_read() -> None:
    assert {".jpg", ".png", ".tiff", ".heic", ".jp2", ".dng", ".gif"} <= READABLE_SUFFIXES
