"""An album in a storage, done by a Ray cluster: an actor pool of sessions, one thread each.

Rows of names go out, rows of reports come back, and of films the numbers of stretches; pixels never travel through the
object store, as workers fetch and put them. A worker that is killed is replaced and its rows are given out again: what
it had done is known by its records, and the photograph that it was at is tried three times.
"""

from __future__ import annotations

import itertools
import json
import os
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from functools import partial
from typing import Any, cast

from photochrom.albums.reports import BatchSummary, PhotoReport
from photochrom.cluster.errand import Errand
from photochrom.cluster.folders import Named
from photochrom.cluster.here import OnReport, summed
from photochrom.cluster.tasks import Kind, OnFrames, Outcome, Task, reports_of, tell_nobody
from photochrom.cluster.worker import Worker
from photochrom.errors import MissingExtraError, OptionError, PhotochromError
from photochrom.version import VERSION

ROWS_AT_ONCE = 4
"""Photographs handed to a worker together: when it is killed, these are looked at again."""
NAMES_AT_ONCE = 20_000
"""Of photographs that the cluster is given; then its workers begin anew, which takes seconds."""
SHARE_OF_CORE = 0.9
"""What an actor asks of a core; whole ones would leave none for the reading of rows, and all would wait for ever."""
SETTINGS = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_DEDUP_LOGS": "0",
    "RAY_DATA_DISABLE_PROGRESS_BARS": "1",
    "RAY_raylet_start_wait_time_s": "180",  # a busy computer takes longer than the 30 that are usual
}
PROBE_TIMEOUT_S = 120.0
ROW = ("kind", "part", "name", "size", "changed_ns")


class RowWorker:
    """What an actor of the pool is: a session, and rows in and out."""

    def __init__(self, errand: Errand) -> None:
        self._worker = Worker(errand)

    def __call__(self, rows: dict[str, Any]) -> dict[str, list[str]]:
        """Return an outcome for each row, as JSON."""
        outcomes = [self._worker.perform(_task(values)) for values in zip(*(rows[name] for name in ROW), strict=True)]
        return {"outcome": [json.dumps(asdict(outcome)) for outcome in outcomes]}


def row_of(task: Task) -> dict[str, str | int]:
    """Return a task as it travels."""
    original = task.original
    values = (task.kind, task.part, original.name, original.size, original.changed_ns)
    return dict(zip(ROW, values, strict=True))


def _task(values: Sequence[Any]) -> Task:
    kind, part, name, size, changed_ns = values
    return Task(cast("Kind", str(kind)), Named(str(name), int(size), int(changed_ns)), int(part))


def run_on_ray(
    errand: Errand,
    originals: Iterable[Named],
    *,
    address: str,
    workers: int | None,
    on_report: OnReport,
    on_frames: OnFrames = tell_nobody,
) -> BatchSummary:
    """Do photographs, then films, on a cluster, and return what became of them; goes on from what an earlier run left.

    Args:
        errand: what to do; addresses must mean the same on every node.
        originals: of the errand's folder; twenty thousand names are held here at a time, and those of films.
        address: of the cluster; "auto" finds the one that this machine belongs to, "local" begins one here.
        workers: sessions; left out, one for each core but one.
        on_report: called with each report, in no order.
        on_frames: told of films whenever a worker has finished some of its shots.

    Raises:
        OptionError: there is no cluster at the address, or it has fewer cores than workers.
        MissingExtraError: a node lacks photochrom or an extra.
        PhotochromError: the run cannot go on.
    """
    os.environ.update({name: os.environ.get(name, value) for name, value in SETTINGS.items()})
    import ray as untyped

    ray: Any = untyped

    _connect(ray, address)
    try:
        cores = int(ray.cluster_resources().get("CPU", 0))
        workers = workers or max(1, cores - 1)
        if workers > cores:
            raise OptionError(
                f"the cluster has {cores} cores, and {workers} workers need one each",
                where="--workers",
                next_step="Ask for fewer, or leave it out",
            )
        _check_nodes(ray, films=errand.films is not None)
        one_thread = replace(errand, engine=errand.engine.model_copy(update={"threads": errand.engine.threads or 1}))
        stop = threading.Event()
        perform = partial(_outcomes, ray, one_thread, workers, stop)
        return summed(reports_of(originals, perform, stop, on_frames), on_report, stop)
    finally:
        ray.shutdown()


def _connect(ray: Any, address: str) -> None:
    try:
        options: dict[str, Any] = {} if address == "local" else {"address": address}
        ray.init(log_to_driver=False, logging_level="error", include_dashboard=False, **options)
    except Exception as error:  # Ray raises whatever it likes here, plain Exceptions too
        first = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        raise OptionError(
            f"there is no Ray cluster ({first})",
            where=f"--ray-address {address}",
            next_step="Start one: ray start --head",
        ) from error


def _check_nodes(ray: Any, *, films: bool) -> None:
    """Raise MissingExtraError where a node cannot do the work, PhotochromError where one does not answer."""
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    needed = ("photochrom", "pyarrow", *(("av", "cv2") if films else ()))

    def found() -> str:  # sent by its code, for the node may not have this module
        import importlib.util

        lacking = [name for name in needed if importlib.util.find_spec(name) is None]
        if lacking:
            return f"lacks {' and '.join(lacking)}"
        from photochrom.version import VERSION as THEIRS

        return f"has {THEIRS}"

    nodes = [node for node in ray.nodes() if node["Alive"]]
    probe = ray.remote(num_cpus=0)(found)
    strategies = [NodeAffinitySchedulingStrategy(node["NodeID"], soft=False) for node in nodes]
    try:
        asked = [probe.options(scheduling_strategy=one).remote() for one in strategies]
        answers = ray.get(asked, timeout=PROBE_TIMEOUT_S)
    except ray.exceptions.RayError as error:
        raise PhotochromError(
            f"a node of the cluster does not answer ({_last_line(error)})", next_step="See `ray status`, and run again"
        ) from error
    extras = "cluster,film" if films else "cluster"
    for node, answer in zip(nodes, answers, strict=True):
        if answer != f"has {VERSION}":
            raise MissingExtraError(
                f"the node {answer}, and photochrom {VERSION} is needed",
                where=str(node.get("NodeManagerAddress", "")),
                next_step=f"Run on every node: pip install 'photochrom[{extras}]=={VERSION}'",
            )


def _outcomes(
    ray: Any, errand: Errand, workers: int, stop: threading.Event, tasks: Iterable[Task]
) -> Iterator[Outcome]:
    ray.data.DataContext.get_current().enable_progress_bars = False
    waiting = iter(tasks)
    while not stop.is_set() and (some := list(itertools.islice(waiting, NAMES_AT_ONCE))):
        for outcome in _outcomes_on(ray, errand, some, workers):
            yield outcome
            if stop.is_set():  # what workers hold is given out again by the next run
                return


def _outcomes_on(ray: Any, errand: Errand, tasks: list[Task], workers: int) -> Iterator[Outcome]:
    at_once = ROWS_AT_ONCE if tasks[0].kind == "photo" else 1
    blocks = max(1, min(len(tasks) // at_once, workers * 64))
    dataset = ray.data.from_items([row_of(task) for task in tasks], override_num_blocks=blocks).map_batches(
        RowWorker,
        fn_constructor_args=(errand,),
        batch_size=at_once,
        compute=ray.data.ActorPoolStrategy(size=min(workers, len(tasks))),
        num_cpus=SHARE_OF_CORE,
    )
    try:
        for row in dataset.iter_rows():
            yield _outcome(json.loads(row["outcome"]))
    except ray.exceptions.RayError as error:
        raise PhotochromError(
            f"the cluster failed ({_last_line(error)})", next_step="Run the same command again to go on"
        ) from error


def _last_line(error: Exception) -> str:
    """Return what an error of Ray's comes to, which stands below its trace."""
    return (str(error).strip().splitlines() or [type(error).__name__])[-1][:200]


def _outcome(values: dict[str, Any]) -> Outcome:
    told = values["report"]
    tuples = {name: tuple(told[name]) for name in ("notes", "left_out")} if told else {}
    return Outcome(**{**values, "report": PhotoReport(**{**told, **tuples}) if told else None})
