"""An album in a storage, done by a Ray cluster: an actor pool of sessions, one thread each.

Rows of names go out, rows of reports come back; pixels never travel through the object store, as workers fetch and put
them. A worker that is killed is replaced and its rows are given out again: what it had done is known by its records,
and the photograph that it was at is tried three times.
"""

from __future__ import annotations

import itertools
import json
import os
import threading
from collections.abc import Iterable, Iterator
from dataclasses import asdict, replace
from typing import Any

from photochrom.albums.reports import BatchSummary, PhotoReport
from photochrom.cluster.folders import Named
from photochrom.cluster.here import OnReport, summed
from photochrom.cluster.worker import Errand, Worker
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


class RowWorker:
    """What an actor of the pool is: a session, and rows in and out."""

    def __init__(self, errand: Errand) -> None:
        self._worker = Worker(errand)

    def __call__(self, rows: dict[str, Any]) -> dict[str, list[str]]:
        """Return a report for each row, as JSON."""
        photos = zip(rows["name"], rows["size"], rows["changed_ns"], strict=True)
        reports = [self._worker.do(Named(str(name), int(size), int(when))) for name, size, when in photos]
        return {"report": [json.dumps(asdict(report)) for report in reports]}


def run_on_ray(
    errand: Errand, photos: Iterable[Named], *, address: str, workers: int | None, on_report: OnReport
) -> BatchSummary:
    """Do the photographs on a cluster, and return what became of them; goes on from what an earlier run left.

    Args:
        errand: what to do; addresses must mean the same on every node.
        photos: of the errand's folder; twenty thousand names are held here at a time.
        address: of the cluster; "auto" finds the one that this machine belongs to, "local" begins one here.
        workers: sessions; left out, one for each core but one.
        on_report: called with each photograph's report, in no order.

    Raises:
        OptionError: there is no cluster at the address, or it has fewer cores than workers.
        MissingExtraError: a node lacks photochrom or the extra.
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
            raise OptionError(f"the cluster has {cores} cores, and {workers} workers need one each", where="--workers")
        _check_nodes(ray)
        one_thread = replace(errand, engine=errand.engine.model_copy(update={"threads": errand.engine.threads or 1}))
        stop = threading.Event()
        return summed(_reports(ray, one_thread, photos, workers, stop), on_report, stop)
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


def _check_nodes(ray: Any) -> None:
    """Raise MissingExtraError where a node cannot do the work."""
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    def found() -> str:  # sent by its code, for the node may not have this module
        import importlib.util

        lacking = [name for name in ("photochrom", "pyarrow") if importlib.util.find_spec(name) is None]
        if lacking:
            return f"lacks {' and '.join(lacking)}"
        from photochrom.version import VERSION as THEIRS

        return f"has {THEIRS}"

    nodes = [node for node in ray.nodes() if node["Alive"]]
    probe = ray.remote(num_cpus=0)(found)
    strategies = [NodeAffinitySchedulingStrategy(node["NodeID"], soft=False) for node in nodes]
    answers = ray.get([probe.options(scheduling_strategy=one).remote() for one in strategies], timeout=PROBE_TIMEOUT_S)
    for node, answer in zip(nodes, answers, strict=True):
        if answer != f"has {VERSION}":
            raise MissingExtraError(
                f"the node {answer}, and photochrom {VERSION} is needed",
                where=str(node.get("NodeManagerAddress", "")),
                next_step=f"Run on every node: pip install 'photochrom[cluster]=={VERSION}'",
            )


def _reports(
    ray: Any, errand: Errand, photos: Iterable[Named], workers: int, stop: threading.Event
) -> Iterator[PhotoReport]:
    ray.data.DataContext.get_current().enable_progress_bars = False
    waiting = iter(photos)
    while not stop.is_set() and (rows := [asdict(photo) for photo in itertools.islice(waiting, NAMES_AT_ONCE)]):
        for report in _reports_on(ray, errand, rows, workers):
            yield report
            if stop.is_set():  # what workers hold is given out again by the next run
                return


def _reports_on(ray: Any, errand: Errand, rows: list[dict[str, Any]], workers: int) -> Iterator[PhotoReport]:
    blocks = max(1, min(len(rows) // ROWS_AT_ONCE, workers * 64))
    dataset = ray.data.from_items(rows, override_num_blocks=blocks).map_batches(
        RowWorker,
        fn_constructor_args=(errand,),
        batch_size=ROWS_AT_ONCE,
        compute=ray.data.ActorPoolStrategy(size=workers),
        num_cpus=SHARE_OF_CORE,
    )
    try:
        for row in dataset.iter_rows():
            values = json.loads(row["report"])
            yield PhotoReport(**{**values, "notes": tuple(values["notes"]), "left_out": tuple(values["left_out"])})
    except ray.exceptions.RayError as error:
        first = (str(error).strip().splitlines() or [type(error).__name__])[-1][:200]
        raise PhotochromError(
            f"the cluster failed ({first})", next_step="Run the same command again to go on"
        ) from error
