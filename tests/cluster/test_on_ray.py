"""What goes to a Ray cluster and comes back, with a stand-in for Ray; test_ray.py asks a true one."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("pyarrow", reason="the extra cluster")

from photochrom.albums.reports import PhotoReport
from photochrom.cli.app import run as run_cli
from photochrom.cluster import on_ray
from photochrom.cluster.errand import Errand, originals
from photochrom.cluster.tasks import Task, reports_of
from photochrom.errors import EXIT_NOT_INSTALLED, MissingExtraError, OptionError, PhotochromError
from photochrom.options import ColorizeOptions
from photochrom.version import VERSION
from tests.albums.test_batch import write


@pytest.fixture
def errand(tmp_path: Path, tiny_model: Path) -> Errand:
    for seed, name in enumerate(["a.png", "b.png", "c.png"]):
        write(tmp_path / "in" / name, seed)
    return Errand(str(tmp_path / "in"), str(tmp_path / "out"), "run", ColorizeOptions(model=str(tiny_model)))


class Rows:
    """A dataset that maps its rows here, as Ray Data would there."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self.rows = rows

    def map_batches(
        self, make: Callable[..., Any], *, fn_constructor_args: tuple[Any, ...], batch_size: int, **_: object
    ) -> Rows:
        worker, found = make(*fn_constructor_args), []
        for at in range(0, len(self.rows), batch_size):
            part = self.rows[at : at + batch_size]
            found += worker({key: [row[key] for row in part] for key in part[0]})["outcome"]
        return type(self)([{"outcome": outcome} for outcome in found])

    def iter_rows(self) -> Iterator[dict[str, Any]]:
        yield from self.rows


class RayError(Exception):
    """Ray's."""


def stand_in(rows: type[Rows] = Rows) -> Any:
    context = SimpleNamespace(get_current=lambda: SimpleNamespace(enable_progress_bars=True))
    data = SimpleNamespace(
        DataContext=context,
        from_items=lambda items, override_num_blocks: rows(items),
        ActorPoolStrategy=lambda size: size,
    )
    return SimpleNamespace(data=data, exceptions=SimpleNamespace(RayError=RayError))


def reports(errand: Errand, rows: type[Rows] = Rows) -> list[PhotoReport]:
    stop = threading.Event()
    perform = partial(on_ray._outcomes, stand_in(rows), errand, 2, stop)
    return list(reports_of(originals(errand), perform, stop))


def test_rows_of_names_go_out_and_rows_of_reports_come_back(errand: Errand, tmp_path: Path) -> None:
    assert sorted((report.status, Path(report.source).name) for report in reports(errand)) == [
        ("done", "a.png"),
        ("done", "b.png"),
        ("done", "c.png"),
    ]
    assert sorted(path.name for path in (tmp_path / "out").glob("*.png")) == ["a.png", "b.png", "c.png"]
    assert {report.status for report in reports(errand)} == {"skipped"}
    assert list(on_ray._outcomes(stand_in(), errand, 2, threading.Event(), [])) == []


def test_the_cluster_is_given_some_names_at_a_time_and_none_after_a_stop(
    errand: Errand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(on_ray, "NAMES_AT_ONCE", 2)
    asked: list[str] = []

    def tasks() -> Iterator[Task]:
        for photo in originals(errand):
            asked.append(photo.name)
            yield Task("photo", photo)

    stop = threading.Event()
    outcomes = on_ray._outcomes(stand_in(), errand, 2, stop, tasks())
    report = next(outcomes).report
    assert report is not None
    assert report.status == "done"
    assert len(asked) == 2
    stop.set()
    assert list(outcomes) == []
    assert len(list(on_ray._outcomes(stand_in(), errand, 2, threading.Event(), tasks()))) == 3


def test_what_travels_is_text_and_numbers_and_no_pixels(errand: Errand) -> None:
    row = on_ray.row_of(Task("photo", next(iter(originals(errand)))))
    assert {type(value) for value in row.values()} <= {str, int}
    answer = on_ray.RowWorker(errand)({key: [value] for key, value in row.items()})
    assert list(answer) == ["outcome"]
    assert len(answer["outcome"][0]) < 2_000
    report = on_ray._outcome(json.loads(answer["outcome"][0])).report
    assert report is not None
    assert report.status == "done"


def test_a_cluster_that_fails_is_one_line_and_goes_on_later(errand: Errand) -> None:
    class Failing(Rows):
        def iter_rows(self) -> Iterator[dict[str, Any]]:
            raise RayError("a long trace\nthe head node is gone")

    with pytest.raises(PhotochromError, match=r"the head node is gone\). Run the same command again to go on"):
        reports(errand, Failing)


def test_no_cluster_at_an_address_is_one_line() -> None:
    def init(**_: object) -> None:
        raise ConnectionError("Could not find any running Ray instance.\nPlease specify")

    with pytest.raises(OptionError, match=r"--ray-address auto: there is no Ray cluster \(Could not find any running"):
        on_ray._connect(SimpleNamespace(init=init), "auto")


class Cluster:
    """Nodes that are asked one by one, as Ray asks them; what is sent to them is kept."""

    exceptions = SimpleNamespace(RayError=RayError)

    def __init__(self, answers: list[str] | Exception) -> None:
        self.answers, self.sent = answers, list[Callable[[], str]]()

    def nodes(self) -> list[dict[str, Any]]:
        alive = {"Alive": True, "NodeID": "0" * 56, "NodeManagerAddress": "10.0.0.1"}
        return [alive, {"Alive": False}]

    def remote(self, **_: object) -> Callable[..., Any]:
        def sent(probe: Callable[[], str]) -> Any:
            self.sent.append(probe)
            return SimpleNamespace(options=lambda **_: SimpleNamespace(remote=lambda: None))

        return sent

    def get(self, asked: list[object], timeout: float) -> list[str]:
        assert (len(asked), timeout) == (1, on_ray.PROBE_TIMEOUT_S)
        if isinstance(self.answers, Exception):
            raise self.answers
        return self.answers


@pytest.fixture
def strategies(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one part of Ray that is imported by name; Ray itself is not installed for the tests."""
    module = SimpleNamespace(NodeAffinitySchedulingStrategy=lambda *_, **__: None)
    monkeypatch.setitem(sys.modules, "ray.util.scheduling_strategies", module)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (f"has {VERSION}", None),
        ("lacks photochrom and pyarrow", r"10\.0\.0\.1: the node lacks photochrom and pyarrow"),
        ("has 0.0.1", f"the node has 0.0.1, and photochrom {VERSION} is needed. Run on every node"),
    ],
)
def test_nodes_without_the_extra_or_of_another_version_are_told_before_anything_is_begun(
    strategies: None, answer: str, expected: str | None
) -> None:
    if expected is None:
        on_ray._check_nodes(Cluster([answer]), films=False)
        return
    with pytest.raises(MissingExtraError, match=expected):
        on_ray._check_nodes(Cluster([answer]), films=False)


def test_nodes_need_what_films_need_where_there_are_any(strategies: None, monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.util

    there = importlib.util.find_spec
    photographs, films = Cluster([f"has {VERSION}"]), Cluster(["lacks av"])
    on_ray._check_nodes(photographs, films=False)
    with pytest.raises(MissingExtraError, match=r"the node lacks av.*photochrom\[cluster,film\]"):
        on_ray._check_nodes(films, films=True)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *_: None if name == "av" else there(name))
    assert [probe() for probe in photographs.sent + films.sent] == [f"has {VERSION}", "lacks av"]


def test_a_node_that_does_not_answer_is_one_line(strategies: None) -> None:
    silent = Cluster(RayError("trace\nGet timed out: some object(s) not ready."))
    with pytest.raises(PhotochromError, match=r"does not answer \(Get timed out.*See `ray status`, and run again"):
        on_ray._check_nodes(silent, films=False)


def test_more_workers_than_cores_are_refused(errand: Errand, monkeypatch: pytest.MonkeyPatch) -> None:
    ray = SimpleNamespace(init=lambda **_: None, cluster_resources=lambda: {"CPU": 4.0}, shutdown=lambda: None)
    monkeypatch.setitem(sys.modules, "ray", ray)
    with pytest.raises(OptionError, match=r"4 cores, and 9 workers need one each\. Ask for fewer"):
        on_ray.run_on_ray(errand, [], address="local", workers=9, on_report=lambda _: None)


def test_without_the_extra_the_command_that_installs_it_is_named(
    errand: Errand, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import importlib.util

    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *more: None if name == "ray" else found(name, *more))
    assert run_cli(["batch", errand.source, errand.target, "--ray-address", "auto"]) == EXIT_NOT_INSTALLED
    assert "pip install 'photochrom[cluster]'" in capsys.readouterr().err
