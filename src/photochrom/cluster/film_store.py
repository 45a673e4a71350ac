"""A film's work in a storage: its plan, and finished segments, which any machine may take up.

All lies in ``.photochrom/films/NAME/`` beside the results until the film is joined. A segment counts once its record is
there, which is put last and names the hash of each file; for another plan all of it is as good as absent.
"""

from __future__ import annotations

import itertools
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from photochrom.albums.manifest import file_sha256
from photochrom.cluster.folders import Folder
from photochrom.computer.hashes import sha256_of_values
from photochrom.errors import PhotoNotFoundError
from photochrom.film.segments import WorkFolder
from photochrom.film.states import Record, State, Stretch

FOLDER = ".photochrom/films"
ENDINGS = {".mp4", ".mov", ".npz"}


@dataclass(frozen=True, slots=True)
class FilmStore:
    """What is kept of one film.

    Attributes:
        folder: of the results.
        film: the film's name.
        plan: what shapes its result.
    """

    folder: Folder
    film: str
    plan: Mapping[str, object]

    @property
    def sha256(self) -> str:
        """The plan's hash."""
        return sha256_of_values(self.plan)

    def stretches(self) -> list[Stretch] | None:
        """Return how the film is divided, without the frames before; None where nobody has divided it by this plan."""
        values = self._json(self._name("plan.json"))
        try:
            stretches = [
                Stretch(**(one | {"counts": tuple(one["counts"]), "greys": ()})) for one in values["stretches"]
            ]
        except (KeyError, TypeError):
            return None
        return stretches if values.get("plan") == self.sha256 else None

    def put_stretches(self, stretches: Sequence[Stretch]) -> None:
        """Write down how the film is divided; the plan last."""
        for part, stretch in enumerate(stretches):
            self.folder.put(self._beginning(part), State(stretch.greys).to_bytes())
        told = [{key: value for key, value in asdict(one).items() if key != "greys"} for one in stretches]
        self.folder.put(self._name("plan.json"), json.dumps({"plan": self.sha256, "stretches": told}).encode())

    def beginning(self, part: int, aside: Path) -> tuple[Any, ...]:
        """Return small copies of the frames before a stretch."""
        return State.from_file(self.folder.near(self._beginning(part), aside)).greys

    def put_segment(self, part: int, work: WorkFolder) -> None:
        """Put a stretch's last finished segment, its record last."""
        number = len(work.records) - 1
        files = {path.suffix: path for path in work.path.glob(f"{number:05}.*") if path.suffix != ".json"}
        for suffix, path in files.items():
            self.folder.put(self._name(f"{part:05}-{number:05}{suffix}"), path)
        hashes = {suffix: file_sha256(path) for suffix, path in files.items()}
        record = {"plan": self.sha256, "files": hashes, "record": asdict(work.records[-1])}
        self.folder.put(self._name(f"{part:05}-{number:05}.json"), json.dumps(record).encode())

    def frames(self, part: int) -> int:
        """Return how many frames of a stretch are finished, as their records say."""
        return sum(record.frames for _, record, _ in self._segments(part))

    def fetch(self, part: int, work: WorkFolder, first: int = 0) -> list[Record]:
        """Bring a stretch's finished segments into a work folder, as files from number ``first`` on; count none there.

        A segment that is not as its record says is forgotten, and those after it are not looked at.
        """
        records: list[Record] = []
        for name, record, files in self._segments(part):
            number = first + len(records)
            if not all(self._fetched(name + suffix, sha256, work.segment(number, suffix)) for suffix, sha256 in files):
                self.folder.remove(f"{name}.json")
                break
            records.append(record)
        return records

    def _segments(self, part: int) -> Iterator[tuple[str, Record, list[tuple[str, str]]]]:
        """Yield each finished segment's name, its record, and endings and hashes of its files."""
        for number in itertools.count():
            name = self._name(f"{part:05}-{number:05}")
            values = self._json(f"{name}.json")
            try:
                files = [(suffix, str(sha256)) for suffix, sha256 in values["files"].items() if suffix in ENDINGS]
                record = Record.of(values["record"])
            except (KeyError, TypeError, AttributeError):
                return
            if values.get("plan") != self.sha256:
                return
            yield name, record, files

    def _fetched(self, name: str, sha256: str, place: Path) -> bool:
        with TemporaryDirectory(dir=place.parent) as aside:
            try:
                shutil.copyfile(self.folder.near(name, Path(aside)), place)
            except PhotoNotFoundError:
                return False
        return file_sha256(place) == sha256

    def remove(self, parts: int) -> None:
        """Remove what is kept; the film is joined."""
        for part in range(parts):
            for name, _, files in list(self._segments(part)):
                for ending in (*(suffix for suffix, _ in files), ".json"):
                    self.folder.remove(name + ending)
            self.folder.remove(self._beginning(part))
        self.folder.remove(self._name("plan.json"))

    def _beginning(self, part: int) -> str:
        return self._name(f"{part:05}-begin.npz")

    def _json(self, name: str) -> dict[str, Any]:
        try:
            values = json.loads(self.folder.read(name))
        except (PhotoNotFoundError, ValueError, RecursionError):
            return {}
        return values if isinstance(values, dict) else {}

    def _name(self, name: str) -> str:
        return f"{FOLDER}/{self.film}/{name}"
