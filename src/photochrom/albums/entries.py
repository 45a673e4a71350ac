"""The lines of a manifest: what was promised of a result, and what became of a photograph that has none.

Whoever prepared the folder may have written them, so a line is believed no further than it goes: one of other fields,
other types, or a name that leads out of the folder is none.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from photochrom.albums.album import LONGEST_NAME

LONGEST_PATH = 4_096


@dataclass(frozen=True, slots=True)
class Entry:
    """One result.

    Attributes:
        key: the photograph's name inside the album.
        source_sha256: hash of the photograph.
        settings_sha256: hash of model, version, options and hints.
        target: the result's name inside the output folder.
        target_sha256: hash of the result.
        target_bytes: its size.
        version: photochrom's, "" in manifests of before it was kept.
        run_sha256: hash of what is the same for all photographs of a run, "" likewise.
        album: the folder that the key is a name in, as it is called from the output folder, "" likewise.
        task: "colorize" or "restore", "" likewise.
    """

    key: str
    source_sha256: str
    settings_sha256: str
    target: str
    target_sha256: str
    target_bytes: int
    version: str = ""
    run_sha256: str = ""
    album: str = ""
    task: str = ""

    @property
    def promise(self) -> tuple[str, int]:
        """What tells whether a file is this result."""
        return self.target_sha256, self.target_bytes


@dataclass(frozen=True, slots=True)
class Outcome:
    """A photograph without a result.

    Attributes:
        key: its name inside the album.
        outcome: "failed" or "unwanted".
        why: one line.
    """

    key: str
    outcome: str
    why: str


Line = Entry | Outcome


def line_of(line: Line) -> bytes:
    """Return an entry or outcome as a line of JSON, its end included; pure ASCII, so that any name has one."""
    return json.dumps(asdict(line), ensure_ascii=True).encode() + b"\n"


def read_line(data: bytes) -> Line | None:
    """Return what a line says, or None for one that says nothing."""
    try:
        values = json.loads(data)
        line: Line = Outcome(**values) if "outcome" in values else Entry(**values)
    except (ValueError, TypeError, RecursionError):
        return None
    wanted = {field.name: int if field.type == "int" else str for field in fields(line)}
    if not all(isinstance(getattr(line, name), kind) for name, kind in wanted.items()):
        return None
    return line if isinstance(line, Outcome) or _is_name_inside(line.target) else None


def _is_name_inside(name: str) -> bool:
    """Return whether a name is one that we could have given: it leads into the folder, and file systems hold it."""
    path = Path(name)
    try:
        lengths = [len(os.fsencode(part)) for part in path.parts]
    except UnicodeEncodeError:
        return False
    fits = 0 < sum(lengths) + len(lengths) < LONGEST_PATH and max(lengths) <= LONGEST_NAME
    return fits and not path.anchor and ".." not in path.parts and "\0" not in name
