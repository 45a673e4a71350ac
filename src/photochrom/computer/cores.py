"""How many processor cores this process may really use."""

from __future__ import annotations

import functools
import os
from pathlib import Path

CGROUP_QUOTA = Path("/sys/fs/cgroup/cpu.max")
CPU_TOPOLOGY = "/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list"


@functools.cache
def usable_cores() -> int:
    """Return the number of physical cores open to this process, at least 1.

    Respects CPU affinity (taskset) and a container's CPU quota (cgroup v2). Two hardware threads of one core count
    once, because the arithmetic units that a network keeps busy are shared between them.
    """
    return max(1, min(_allowed_physical_cores(), _quota()))


def _allowed_physical_cores() -> int:
    if not hasattr(os, "sched_getaffinity"):  # macOS, Windows
        return os.cpu_count() or 1
    return len({_siblings(cpu) for cpu in os.sched_getaffinity(0)})


def _siblings(cpu: int) -> str:
    try:
        return Path(CPU_TOPOLOGY.format(cpu=cpu)).read_text(encoding="ascii").strip()
    except OSError:
        return str(cpu)


def _quota() -> int:
    try:
        quota, period = CGROUP_QUOTA.read_text(encoding="ascii").split()
        return max(1, round(int(quota) / int(period)))
    except (OSError, ValueError):  # no cgroup v2, or "max": no limit
        return os.cpu_count() or 1
