"""What a process costs: seconds, processor time, and the most memory that it held itself.

On Linux a process begins with the peak of the one that started it, which keeps it through exec: a benchmark that has
read its photographs would be measured instead of what it starts. So a bare interpreter, smaller than anything measured,
starts it and waits.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass

WATCH = """
import json, os, sys, time
begun = time.perf_counter()
process = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ)
_, status, usage = os.wait4(process, 0)
seconds = time.perf_counter() - begun
unit = 1 if sys.platform == "darwin" else 1024  # macOS counts bytes, Linux kibibytes
print()
print(json.dumps([os.waitstatus_to_exitcode(status), seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * unit]))
"""


@dataclass(frozen=True, slots=True)
class Process:
    """What one process took, and what it printed."""

    wall_s: float
    processor_s: float
    peak_bytes: int
    out: str


def run_process(command: Sequence[str]) -> Process:
    """Run a command from its start to its exit; end the benchmark if it fails. Needs Linux or macOS."""
    watch = [sys.executable, "-I", "-S", "-c", WATCH, *command]
    done = subprocess.run(watch, stdout=subprocess.PIPE, text=True, check=True)
    out, figures = done.stdout.rstrip("\n").rsplit("\n", 1)
    code, wall_s, processor_s, peak_bytes = json.loads(figures)
    if code:
        raise SystemExit(f"failed ({code}): {' '.join(command)[:200]}")
    return Process(wall_s, processor_s, peak_bytes, out.rstrip("\n"))
