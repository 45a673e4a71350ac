"""What is known of each photograph of an album in a storage: one small JSON object, beside its result.

It is written before the result, as a promise; a photograph is done when its record's result is there in its full size.
Like all that lies in a folder that others may write to, a record is believed no further than it goes.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from typing import Literal, Self

from photochrom.cluster.folders import Folder, Named
from photochrom.errors import PhotoNotFoundError

RECORDS = ".photochrom/records"
SUFFIX = ".json"
LARGEST_BYTES = 100_000
MOST_TRIES = 3
Outcome = Literal["begun", "done", "failed", "unwanted"]


@dataclass(frozen=True, slots=True)
class Record:
    """What is known of one photograph.

    Attributes:
        key: its name.
        outcome: "begun" says no more than that somebody has, or that its worker was killed.
        run: which run began it.
        tries: how often that run has.
        source_bytes: the photograph's size.
        source_changed_ns: when it was last changed.
        settings_sha256: hash of model, version and options.
        version: photochrom's.
        target: the result's name.
        target_sha256: its hash.
        target_bytes: its size.
        former_sha256: hash of the result that it took the place of.
        companions: names of what lies beside the result, one a line.
        why: one line, for a failed or unwanted one.
        source: the folder of the photograph; "" in what earlier versions wrote.
    """

    key: str
    outcome: Outcome
    run: str = ""
    tries: int = 0
    source_bytes: int = 0
    source_changed_ns: int = 0
    settings_sha256: str = ""
    version: str = ""
    target: str = ""
    target_sha256: str = ""
    target_bytes: int = 0
    former_sha256: str = ""
    companions: str = ""
    why: str = ""
    source: str = ""

    @classmethod
    def read(cls, folder: Folder, key: str) -> Self | None:
        """Return a photograph's record; None where there is none, or nothing that is one."""
        name = record_name(key)
        try:
            found = folder.found(name)
            data = folder.read(name) if found and found.size <= LARGEST_BYTES else b""
            values = json.loads(data)
            record = cls(**values)
        except (PhotoNotFoundError, ValueError, TypeError, RecursionError):
            return None
        right = all(isinstance(getattr(record, f.name), int if f.type == "int" else str) for f in fields(cls))
        return record if right and record.key == key else None

    def put(self, folder: Folder) -> None:
        """Write it, in place of an earlier one."""
        folder.put(record_name(self.key), json.dumps(asdict(self)).encode())

    def is_of(self, source: Named, settings_sha256: str) -> bool:
        """Return whether it speaks of this photograph, unchanged since, by these settings."""
        wanted = (source.size, source.changed_ns, settings_sha256)
        return (self.source_bytes, self.source_changed_ns, self.settings_sha256) == wanted

    def is_anothers(self, home: str, size: int, changed_ns: int) -> bool:
        """Return whether it speaks of another folder's photograph: not of this one in a folder that was moved."""
        return self.source not in {"", home} and (self.source_bytes, self.source_changed_ns) != (size, changed_ns)

    def has_result(self, folder: Folder) -> bool:
        """Return whether its result is there in its full size."""
        if self.outcome != "done" or not self.target:
            return False
        found = folder.found(self.target)
        return found is not None and found.size == self.target_bytes

    def made(self, sha256: str) -> bool:
        """Return whether this is the hash of a result that was promised here, the last one or the one before."""
        return sha256 in {self.target_sha256, self.former_sha256} - {""}


def record_name(key: str) -> str:
    """Return the name of a photograph's record."""
    return f"{RECORDS}/{key}{SUFFIX}"
