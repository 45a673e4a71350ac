"""How many processor cores this process may really use, and keeping it from taking them from everybody."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os
import struct
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from photochrom.computer import systems

CGROUPS, OWN_CGROUPS = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")
CPU_TOPOLOGY = "/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list"
CPU_CAPACITY = "/sys/devices/system/cpu/cpu{cpu}/cpu_capacity"
HYBRID_CORES = Path("/sys/devices/cpu_core/cpus")
"""Which processors are performance cores, where some are not (Intel, since 2021)."""
LEAST_CAPACITY = 0.7
"""Of the strongest core's; a network's work is cut into equal pieces, and all wait for the slowest."""
PERFORMANCE_CORES = b"hw.perflevel0.physicalcpu"
RELATION_PROCESSOR_CORE = 0
THREADS = Path("/proc/self/task")


@functools.cache
def usable_cores() -> int:
    """Return the number of physical performance cores open to this process, at least 1.

    Respects CPU affinity (taskset) and the CPU quota of a container or service (cgroups of both versions). Two
    hardware threads of one core count once, because the arithmetic units that a network keeps busy are shared between
    them. Efficiency cores do not count: everybody would wait for them.
    """
    return max(1, min(_allowed_physical_cores(), _quota()))


@contextlib.contextmanager
def scheduling_kept() -> Iterator[None]:
    """Take back what a library does to the scheduling of the calling thread and of the threads that it starts.

    SVT-AV1, where it may (as root, so in most containers), makes all of them real-time of the highest rank. Such
    threads are never interrupted for others, whatever is started later inherits it, and a computer of few cores stands
    still. Linux only; elsewhere nothing is done.
    """
    if sys.platform != "linux" or not THREADS.is_dir():
        yield
        return
    before: dict[int, int] = {}
    for thread in _threads():
        with contextlib.suppress(OSError):  # ended since it was listed
            before[thread] = os.sched_getscheduler(thread)
    usual = os.sched_getscheduler(0)
    try:
        yield
    finally:
        for thread in _threads():
            with contextlib.suppress(OSError):  # ended meanwhile
                wanted = before.get(thread, usual)
                if os.sched_getscheduler(thread) != wanted:
                    os.sched_setscheduler(thread, wanted, os.sched_param(0))


def _threads() -> list[int]:
    return [int(name) for name in os.listdir(THREADS)]


def _allowed_physical_cores() -> int:
    if systems.SYSTEM == "darwin":
        return _performance_cores_of_macos() or os.cpu_count() or 1
    if systems.SYSTEM == "win32":
        return performance_cores_in(_windows_processors()) or os.cpu_count() or 1
    if not hasattr(os, "sched_getaffinity"):  # BSD
        return os.cpu_count() or 1
    return len({_siblings(cpu) for cpu in _strong(os.sched_getaffinity(0))})


def _strong(cpus: Iterable[int]) -> set[int]:
    """Return those of some processors that are no efficiency cores; all, where only such are open to us."""
    cpus = set(cpus)
    capacities = {cpu: _number_in(Path(CPU_CAPACITY.format(cpu=cpu))) for cpu in cpus}
    most = max(capacities.values(), default=0)
    strong = {cpu for cpu in cpus if not capacities[cpu] or capacities[cpu] >= LEAST_CAPACITY * most}
    return (strong & _listed(HYBRID_CORES)) or strong


def _listed(path: Path) -> set[int]:
    """Return the numbers of a list such as "0-11,16", empty where there is none."""
    try:
        ranges = [part.split("-") for part in path.read_text(encoding="ascii").strip().split(",")]
        return {number for ends in ranges for number in range(int(ends[0]), int(ends[-1]) + 1)}
    except (OSError, ValueError):
        return set()


def _number_in(path: Path) -> int:
    try:
        return int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return 0


def _performance_cores_of_macos() -> int:
    """Return how many performance cores there are; 0 on Macs with cores of one kind, and where it cannot be asked."""
    try:
        count, size = ctypes.c_int32(), ctypes.c_size_t(4)
        library: Any = ctypes.CDLL(None)
        failed = library.sysctlbyname(PERFORMANCE_CORES, ctypes.byref(count), ctypes.byref(size), None, 0)
    except (OSError, AttributeError, TypeError):
        return 0
    return 0 if failed else count.value


def _windows_processors() -> bytes:
    """Return what GetLogicalProcessorInformationEx says of the cores; nothing where it cannot be asked."""
    try:
        ask: Any = getattr(ctypes, "windll").kernel32.GetLogicalProcessorInformationEx  # noqa: B009 - of Windows alone
        size = ctypes.c_uint32()
        ask(RELATION_PROCESSOR_CORE, None, ctypes.byref(size))
        found = ctypes.create_string_buffer(size.value)
        return found.raw if ask(RELATION_PROCESSOR_CORE, found, ctypes.byref(size)) else b""
    except (OSError, AttributeError):
        return b""


def performance_cores_in(records: bytes) -> int:
    """Return how many cores of the highest efficiency class Windows's records tell of; 0 where they tell of none.

    Source: Microsoft on SYSTEM_LOGICAL_PROCESSOR_INFORMATION_EX and PROCESSOR_RELATIONSHIP: relationship and size of
    the record, 4 bytes each, flags, and the class, which is higher for cores of more performance.
    """
    classes, at = [], 0
    while at + 10 <= len(records):
        relationship, size = struct.unpack_from("<II", records, at)
        if relationship == RELATION_PROCESSOR_CORE:
            classes.append(records[at + 9])
        at += max(size, 10)
    return classes.count(max(classes, default=0))


def _siblings(cpu: int) -> str:
    try:
        return Path(CPU_TOPOLOGY.format(cpu=cpu)).read_text(encoding="ascii").strip()
    except OSError:
        return str(cpu)


def _quota() -> int:
    """Return how many processors' time this process may use: the least of its own cgroup and of those around it."""
    limits = [limit for folder in _own_cgroups() for limit in _limits_in(folder)]
    return max(1, round(min(limits, default=os.cpu_count() or 1)))


def _own_cgroups() -> Iterator[Path]:
    """Yield the folders of the cgroups, of both versions, that this process is in, from the inner to the outer.

    A container may see its own alone, as the outermost, and be told a place that is the host's: what is not there is
    passed over by who reads. Source: cgroups(7), "/proc/[pid]/cgroup".
    """
    try:
        lines = OWN_CGROUPS.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        lines = []
    for line in [*lines, "0::/"]:
        _, controllers, place = line.split(":", 2)
        if not controllers or "cpu" in controllers.split(","):
            folder = CGROUPS / ("cpu" if controllers else "") / place.lstrip("/")
            yield from (one for one in (folder, *folder.parents) if one.is_relative_to(CGROUPS))


def _limits_in(folder: Path) -> Iterator[float]:
    """Yield a cgroup's share of processors, if it has one: "max" and negative numbers are none."""
    for names in (["cpu.max"], ["cpu.cfs_quota_us", "cpu.cfs_period_us"]):  # of version 2 and of version 1
        with contextlib.suppress(OSError, ValueError, ZeroDivisionError):
            quota, period = " ".join((folder / name).read_text(encoding="ascii") for name in names).split()
            if int(quota) > 0:
                yield int(quota) / int(period)
