"""Work in progress, on disk: finished segments and the state after each, so that a run that was killed goes on.

Beside the result lies a hidden folder while work goes on. A segment counts once its record is there, and that is
written last; whatever lacks one is made again. The folder belongs to one film, one set of options, one model: for
others it begins anew.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import io
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from photochrom.coloring.reference import Places
from photochrom.computer import systems
from photochrom.computer.systems import flush_to_disk, is_running, put_in_place
from photochrom.errors import OutputError
from photochrom.files.codecs.atomic import output_error, write_whole
from photochrom.film.motion import Grey
from photochrom.film.planes import Pixels
from photochrom.film.steadiness import Colours
from photochrom.film.treatment import Treatment

SEGMENT_FRAMES = 240
PREFIX = ".photochrom-film-"
LAYERS = ("net", "given")
# The least that must be free at any time, in bytes.
SPARE_BYTES = 50_000_000


@dataclass(frozen=True, slots=True)
class Record:
    """One finished segment.

    Attributes:
        first_pts: time stamp of its first frame, in units of the film's time base.
        last_pts: of its last frame.
        frames: how many it has.
        last_luma: SHA-256 of the last frame's luma codes.
        cuts: numbers of the frames that begin a shot.
        keys: how many frames the net has seen.
        counts: damaged, missing, moved up to here; see ``containers.Reading``.
        restored: what restoring has found up to here; see ``restoring.Findings``.
    """

    first_pts: int
    last_pts: int
    frames: int
    last_luma: str
    cuts: tuple[int, ...] = ()
    keys: int = 0
    counts: tuple[int, int, int] = (0, 0, 0)
    restored: tuple[float, ...] = ()


@dataclass(slots=True)
class State:
    """What the next segment needs to know of those before it.

    Attributes:
        greys: small copies of the last two frames.
        layers: the colours that travel on.
        lumas: luma codes of the last two frames, as they were decoded; where film is restored.
        changes: how exposure has changed from frame to frame lately, as logarithms; likewise.
        treatment: what the networks said of this shot; likewise.
        remembered: frames of this shot whose colours somebody has given, to know their things again by.
    """

    greys: tuple[Grey, ...] = ()
    layers: dict[str, Colours] = field(default_factory=dict)
    lumas: tuple[Pixels, ...] = ()
    changes: tuple[float, ...] = ()
    remembered: tuple[Places, ...] = ()
    treatment: Treatment | None = None

    def to_bytes(self) -> bytes:
        """Return it as a NumPy archive, exact to the bit."""
        arrays: dict[str, Any] = {f"grey_{k}": grey for k, grey in enumerate(self.greys)}
        arrays |= {f"luma_{k}": luma for k, luma in enumerate(self.lumas)}
        arrays["changes"] = np.array(self.changes, np.float64)
        arrays |= self.treatment.arrays() if self.treatment else {}
        for name, colours in self.layers.items():
            arrays |= {f"{name}_chroma": colours.chroma, f"{name}_weight": colours.weight}
        for k, places in enumerate(self.remembered):
            parts = (places.features, places.luma, places.ab, np.array(places.grid, np.int64))
            arrays |= {f"remembered_{k}_{part}": array for part, array in enumerate(parts)}
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **arrays)
        return buffer.getvalue()

    @classmethod
    def from_file(cls, path: Path) -> State:
        """Return what `to_bytes` has written."""
        with np.load(path, allow_pickle=False) as arrays:
            layers = {
                name: Colours(arrays[f"{name}_chroma"], arrays[f"{name}_weight"])
                for name in LAYERS
                if f"{name}_chroma" in arrays
            }
            greys = tuple(arrays[name] for name in ("grey_0", "grey_1") if name in arrays)
            lumas = tuple(arrays[name] for name in ("luma_0", "luma_1") if name in arrays)
            known = sum(name.startswith("remembered_") for name in arrays) // 4
            read = ([arrays[f"remembered_{k}_{part}"] for part in range(4)] for k in range(known))
            remembered = tuple(
                Places(features, luma, ab, (int(grid[0]), int(grid[1]))) for features, luma, ab, grid in read
            )
            changes = tuple(map(float, arrays["changes"]))
            return cls(greys, layers, lumas, changes, remembered, Treatment.of(arrays))


class WorkFolder:
    """The hidden folder beside a result.

    Args:
        target: the result.
        plan: what shapes the result; a folder with another plan is emptied.
    """

    def __init__(self, target: Path, plan: Mapping[str, object]) -> None:
        self.path = target.with_name(f"{PREFIX}{target.name}")
        text = json.dumps(plan, sort_keys=True, indent=1, default=str).encode()
        self.restarted = False
        try:
            if self.path.exists() and not self._has_plan(text):
                shutil.rmtree(self.path)
                self.restarted = True
            self.path.mkdir(exist_ok=True)
            self._lock()
            write_whole(self.path / "plan.json", text)
        except OSError as error:
            raise error if isinstance(error, OutputError) else output_error(error, target) from error
        self.records = list(self._finished())

    def _has_plan(self, text: bytes) -> bool:
        with contextlib.suppress(OSError):
            return (self.path / "plan.json").read_bytes() == text
        return False

    def _lock(self) -> None:
        """Refuse a folder that another running process works in."""
        lock = self.path / "process"
        if (number := _running(lock)) is not None:
            raise OutputError(
                f"process {number} is working on this film", where=str(self.path), next_step="Wait for it, or end it"
            )
        lock.write_text(str(os.getpid()), encoding="ascii")

    def _finished(self) -> Iterator[Record]:
        """Yield the finished segments, in order, up to the first that is not whole."""
        number = 0
        while (record := self._record(number)) is not None:
            yield record
            number += 1

    def _record(self, number: int) -> Record | None:
        try:
            values = json.loads((self.path / f"{number:05}.json").read_text(encoding="utf-8"))
            values |= {"cuts": tuple(values["cuts"]), "counts": tuple(values["counts"])}
            values |= {"restored": tuple(values["restored"])}
            return Record(**values)
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            return None

    @property
    def state(self) -> State:
        """What the last finished segment left."""
        return State.from_file(self.path / f"{len(self.records) - 1:05}.npz") if self.records else State()

    @property
    def span_pts(self) -> tuple[int, int]:
        """Time stamps of the first and the last frame that are finished."""
        return self.records[0].first_pts, self.records[-1].last_pts

    def segment(self, number: int, suffix: str) -> Path:
        """Return where a segment lies."""
        return self.path / f"{number:05}{suffix}"

    def unfinished(self, suffix: str) -> Path:
        """Return where the next segment is written before it counts; what is there is removed."""
        path = self.path / f"unfinished{suffix}"
        path.unlink(missing_ok=True)
        return path

    def commit(self, record: Record, state: State, *suffixes: str) -> None:
        """Make what was written to ``unfinished`` a finished segment, whole or not at all.

        Raises:
            OutputError: the disk is full, or cannot be written.
        """
        number = len(self.records)
        try:
            for suffix in suffixes:
                unfinished = self.path / f"unfinished{suffix}"
                with unfinished.open("rb+") as handle:
                    flush_to_disk(handle.fileno())
                put_in_place(unfinished, self.segment(number, suffix))
            write_whole(self.path / f"{number:05}.npz", state.to_bytes())
            write_whole(self.path / f"{number:05}.json", json.dumps(asdict(record)).encode())
        except OSError as error:
            raise disk_error(error, self.path) from error
        self.records.append(record)

    @property
    def left_unfinished(self) -> bool:
        """Whether an interrupted run has left a joined film of what was finished, beside the result."""
        return (self.path / "left").exists()

    @left_unfinished.setter
    def left_unfinished(self, _: bool) -> None:
        (self.path / "left").touch()

    def release(self) -> None:
        """Let another process work here."""
        (self.path / "process").unlink(missing_ok=True)

    def remove(self) -> None:
        """Remove the folder; the result is in place."""
        shutil.rmtree(self.path)


def _running(lock: Path) -> int | None:
    """Return the number of another process that has locked a folder and still runs, or None."""
    if systems.SYSTEM == "win32":  # whether it runs cannot be asked there
        return None
    try:
        number = int(lock.read_text(encoding="ascii"))
    except (FileNotFoundError, ValueError):
        return None
    return number if number != os.getpid() and is_running(number) else None


def disk_error(error: OSError, path: Path) -> OutputError:
    """Return the error for a failed write: what is finished stays, and a later run goes on."""
    if isinstance(error, OutputError):
        return error
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return OutputError(
            "the disk is full; finished segments are kept",
            where=str(path),
            next_step="Free some space and run it again",
        )
    return output_error(error, path)


def require_room(folder: Path, needed: int) -> None:
    """Return if a disk has room; raise OutputError where it has not."""
    free = shutil.disk_usage(folder).free
    if free < needed + SPARE_BYTES:
        raise OutputError(
            f"about {needed / 1e9:.1f} GB will be needed, and {free / 1e9:.1f} GB are free",
            where=str(folder),
            next_step="Free some space, write to another disk, or choose a smaller --codec",
        )


def luma_hash(luma: np.ndarray[Any, Any]) -> str:
    """Return the SHA-256 of a frame's luma codes."""
    return hashlib.sha256(np.ascontiguousarray(luma).tobytes()).hexdigest()
