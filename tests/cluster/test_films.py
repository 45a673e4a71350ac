"""Films of an album: done by shots, by several, in any order and again, and the same bytes as `photochrom film`."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

pytest.importorskip("pyarrow", reason="the extra cluster")
pytest.importorskip("av", reason="the extra film")

from photochrom.albums.reports import PhotoReport
from photochrom.cli.app import run as run_cli
from photochrom.cluster.addresses import open_folder
from photochrom.cluster.errand import Errand, originals
from photochrom.cluster.films import SharedWork
from photochrom.cluster.here import run_here
from photochrom.cluster.records import MOST_TRIES
from photochrom.cluster.tasks import Outcome, Task, reports_of
from photochrom.cluster.worker import Worker
from photochrom.errors import EXIT_USAGE
from photochrom.film import pipeline
from photochrom.film.options import FilmOptions
from photochrom.film.session import FilmColorizer
from photochrom.options import ColorizeOptions, OutputOptions
from tests.albums.test_batch import write
from tests.film.test_stretches import film_of


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "SEGMENT_FRAMES", 6)
    monkeypatch.setattr(pipeline, "SHOT_FRAMES", 4)
    monkeypatch.setattr("photochrom.film.passages.LONGEST", 3)


@pytest.fixture
def errand(tmp_path: Path, tiny_model: Path) -> Errand:
    (tmp_path / "in").mkdir()
    film_of(tmp_path / "in/reel.mkv", 10, 4, 5)
    color = ColorizeOptions(model=str(tiny_model))
    return Errand((tmp_path / "in").as_uri(), (tmp_path / "out").as_uri(), "first", color, films=FilmOptions())


@pytest.fixture
def alone(errand: Errand, tmp_path: Path) -> bytes:
    """What `photochrom film` makes of it."""
    (tmp_path / "alone").mkdir()
    with FilmColorizer(color=errand.color) as colorizer:
        return colorizer(tmp_path / "in/reel.mkv", tmp_path / "alone/reel.mkv").path.read_bytes()


def run(errand: Errand, workers: int = 2) -> list[PhotoReport]:
    reports: list[PhotoReport] = []
    run_here(errand, originals(errand), workers=workers, on_report=reports.append)
    return reports


def kept(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "out/.photochrom/films").rglob("*") if path.is_file())


@pytest.mark.slow
def test_how_far_a_film_is_can_be_told(errand: Errand) -> None:
    told: list[tuple[str, int, int]] = []
    for _ in range(2):
        run_here(
            errand, originals(errand), workers=2, on_report=lambda _: None, on_frames=lambda *how: told.append(how)
        )
    assert {(name, total) for name, _, total in told} == {("reel.mkv", 19)}
    done = [frames for _, frames, _ in told]
    assert done == sorted(set(done)), "and of a film that is done nothing"
    assert (done[0], done[-1]) == (0, 19)
    assert len(done) > 2


@pytest.mark.slow
def test_several_workers_make_the_film_that_one_makes(errand: Errand, alone: bytes, tmp_path: Path) -> None:
    write(tmp_path / "in/a.png", 1)
    done: list[tuple[str, int]] = []

    def perform(tasks: Iterable[Task]) -> Iterator[Outcome]:
        with Worker(errand) as first, Worker(errand) as second:  # in turns, and from the end
            for number, task in enumerate(reversed(list(tasks))):
                done.append((task.kind, task.part))
                yield (first, second)[number % 2].perform(task)

    reports = list(reports_of(originals(errand), perform, threading.Event()))
    assert [(report.status, Path(report.source).name) for report in reports] == [
        ("done", "a.png"),
        ("done", "reel.mkv"),
    ]
    assert done == [("photo", 0), ("plan", 0), ("shots", 2), ("shots", 1), ("shots", 0), ("join", 0)]
    assert (tmp_path / "out/reel.mkv").read_bytes() == alone
    assert kept(tmp_path) == []
    assert {report.status for report in run(errand)} == {"skipped"}


@pytest.mark.slow
def test_a_worker_that_is_killed_in_a_shot_costs_a_segment(
    errand: Errand, alone: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class KilledError(BaseException):
        """Nothing is tidied up by hand after it."""

    really, put = SharedWork.commit, list[str]()

    def dies(self: SharedWork, *more: object) -> None:
        really(self, *more)  # type: ignore[arg-type]
        put.append(f"{self._part}")
        if len(put) == 1:
            raise KilledError

    monkeypatch.setattr(SharedWork, "commit", dies)
    with pytest.raises(KilledError):
        run(errand, workers=1)
    assert kept(tmp_path) == [
        *["00000-00000.json", "00000-00000.mp4", "00000-00000.npz"],
        *["00000-begin.npz", "00001-begin.npz", "00002-begin.npz", "plan.json"],
    ]
    assert [report.status for report in run(errand)] == ["done"]
    assert sorted(put) == ["0", "0", "1", "2"]  # two work at a time
    assert (tmp_path / "out/reel.mkv").read_bytes() == alone


@pytest.mark.slow
def test_a_harmed_segment_is_made_again(errand: Errand, alone: bytes, tmp_path: Path) -> None:
    def all_but_joining(tasks: Iterable[Task]) -> Iterator[Outcome]:
        with Worker(errand) as worker:
            yield from (worker.perform(task) for task in tasks if task.kind != "join")

    assert list(reports_of(originals(errand), all_but_joining, threading.Event())) == []
    segment = next((tmp_path / "out/.photochrom/films/reel.mkv").glob("00001-*.mp4"))
    segment.write_bytes(b"harm" + segment.read_bytes()[4:])
    (report,) = run(errand)
    assert "lost or harmed. Run the same command again to go on" in report.error
    assert [report.status for report in run(errand)] == ["done"]
    assert (tmp_path / "out/reel.mkv").read_bytes() == alone


def test_of_a_films_shots_the_first_error_tells_and_nothing_is_joined(errand: Errand, tmp_path: Path) -> None:
    (tmp_path / "in/second.mov").touch()
    asked: list[str] = []

    def perform(tasks: Iterable[Task]) -> Iterator[Outcome]:
        for task in tasks:
            name = task.original.name
            asked.append(f"{task.kind} {name} {task.part}")
            bad = task.kind == "shots" and name == "reel.mkv" and task.part != 1
            ended = task.kind == "join" or bad
            report = PhotoReport(name, "", "failed" if bad else "done", error=f"at {task.part}") if ended else None
            yield Outcome(name, report, 0 if report else 3)

    reports = list(reports_of(originals(errand), perform, threading.Event()))
    assert [(report.source, report.error) for report in reports] == [("reel.mkv", "at 0"), ("second.mov", "at 0")]
    assert [text for text in asked if text.startswith("join")] == ["join second.mov 0"]
    assert len(asked) == 2 + 6 + 1


def test_after_a_stop_no_film_is_joined(errand: Errand) -> None:
    stop, asked = threading.Event(), list[str]()

    def perform(tasks: Iterable[Task]) -> Iterator[Outcome]:
        for task in tasks:
            asked.append(task.kind)
            if task.kind == "shots":
                stop.set()
            yield Outcome(task.original.name, None, 2)

    assert list(reports_of(originals(errand), perform, stop)) == []
    assert set(asked) == {"plan", "shots"}


def test_shots_that_kill_their_worker_are_told_with_their_frames(
    errand: Errand, monkeypatch: pytest.MonkeyPatch
) -> None:
    (film,) = originals(errand)
    with Worker(errand) as worker:
        assert worker.perform(Task("plan", film)).parts == 3
        monkeypatch.setattr(FilmColorizer, "color_stretch", lambda *_: (_ for _ in ()).throw(SystemExit))
        for _ in range(MOST_TRIES):
            with pytest.raises(SystemExit):
                worker.perform(Task("shots", film, 1))
        report = worker.perform(Task("shots", film, 1)).report
    assert report is not None
    told = f"{errand.source}/reel.mkv: its worker was killed 3 times at frames 10 to 14. Colour it alone to see why"
    assert report.error == told


def test_a_film_that_is_none_is_one_line_that_names_it(errand: Errand, tmp_path: Path) -> None:
    (tmp_path / "in/reel.mkv").write_bytes(b"no film")
    (report,) = run(errand)
    assert (report.status, report.error.count("\n")) == ("failed", 0)
    assert "reel.mkv" in report.error


def test_a_result_that_is_not_ours_is_told_before_the_film_is_decoded(errand: Errand, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/reel.mkv").write_bytes(b"precious")
    (report,) = run(errand)
    assert "exists already. Use --overwrite" in report.error
    assert kept(tmp_path) == []
    assert (tmp_path / "out/reel.mkv").read_bytes() == b"precious"


def test_a_film_that_somebody_else_made_stays_whatever_is_said(errand: Errand, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    precious = (tmp_path / "in/reel.mkv").read_bytes()
    (tmp_path / "out/reel.mkv").write_bytes(precious)
    said = dataclasses.replace(errand, writing=OutputOptions(overwrite=True))
    (report,) = run(said)
    assert "out/reel.mkv: is a film that photochrom did not make, and perhaps an original" in report.error
    assert (tmp_path / "out/reel.mkv").read_bytes() == precious
    (tmp_path / "out/reel.mkv").write_bytes(b"notes")
    (report,) = run(said)
    assert report.status == "done"


def test_films_are_left_alone_unless_they_are_wanted(errand: Errand) -> None:
    assert list(originals(dataclasses.replace(errand, films=None))) == []


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        (["--film.codec", "frames"], "--film.codec frames: is not for albums"),
        (["--film.reference", "a.jpg"], "--film.reference: is for one film"),
        (["--only-restore"], "--films: colours films"),
        (["--film.codec", "av1", "--film.crf", "0"], "av1 is never lossless here"),
    ],
)
def test_what_an_albums_films_cannot_have_is_refused_first(
    more: list[str], expected: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in").mkdir()
    assert run_cli(["batch", str(tmp_path / "in"), str(tmp_path / "out"), "--films", *more]) == EXIT_USAGE
    assert expected in capsys.readouterr().err


def test_a_film_in_a_bucket_is_fetched_and_put_in_pieces(
    bucket: Callable[[str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("photochrom.cluster.cloud_folder.PIECE_BYTES", 1000)
    folder = open_folder(bucket("films/deep"))
    (tmp_path / "a.mkv").write_bytes(bytes(range(250)) * 20)
    folder.put("b/a.mkv", tmp_path / "a.mkv")
    (tmp_path / "copies").mkdir()
    copy = folder.near("b/a.mkv", tmp_path / "copies")
    assert copy == tmp_path / "copies/a.mkv"
    assert copy.read_bytes() == (tmp_path / "a.mkv").read_bytes()
