"""Where results of an album in a storage go: promised in a record, put whole, never over what is not ours."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any

from photochrom.albums.manifest import file_sha256
from photochrom.albums.replacing import refuse_made_elsewhere
from photochrom.albums.reports import PhotoReport
from photochrom.cluster.addresses import open_folder
from photochrom.cluster.folders import Named
from photochrom.cluster.records import MOST_TRIES, Record
from photochrom.computer import room
from photochrom.errors import OutputError, PhotochromError
from photochrom.version import VERSION


class Results:
    """An album's two folders, and what is known of each photograph and film.

    Args:
        source: address of the folder of originals.
        target: address of the folder of results.
        run: name of the run, by which tries are counted.
        overwrite: whether results may take the place of what no record of this folder's photographs claims; of a
            photograph or film that photochrom did not make never.
    """

    def __init__(self, source: str, target: str, run: str, *, overwrite: bool) -> None:
        self.source, self.target = open_folder(source), open_folder(target)
        self._run, self._overwrite = run, overwrite

    def known(self, original: Named) -> Record:
        """Return what is known of an original.

        Raises:
            OutputError: the result of its name is there, is another folder's photograph's, and is not to be replaced.
        """
        record = Record.read(self.target, original.name) or Record(original.name, "failed")
        if self._keeps(record, original.size, original.changed_ns) and self.target.found(record.target):
            raise self._exists(record.target, f", made from a photograph of {record.source}")
        return record

    def begun(self, known: Record, original: Named, settings_sha256: str) -> Record | None:
        """Write down that a worker begins, and return that; None where that has killed workers of this run thrice."""
        same_run = known.outcome == "begun" and known.run == self._run
        if same_run and known.tries >= MOST_TRIES:
            return None
        record = replace(
            known,
            outcome="begun",
            run=self._run,
            tries=known.tries + 1 if same_run else 1,
            source_bytes=original.size,
            source_changed_ns=original.changed_ns,
            settings_sha256=settings_sha256,
            version=VERSION,
            source=self.source.home,
        )
        record.put(self.target)
        return record

    def put(self, record: Record, target: str, staged: Path, beside: dict[str, Path] | None = None) -> None:
        """Promise a result, and put it; what lies beside it first.

        Raises:
            OutputError: something that no record claims has its name, or it would lie among the photographs.
        """
        beside = beside or {}
        self.refuse_existing(record, target, beside)
        former = record.target_sha256 if record.target == target else ""
        replace(
            record,
            outcome="done",
            target=target,
            target_sha256=file_sha256(staged),
            target_bytes=staged.stat().st_size,
            former_sha256=former,
            companions="\n".join(beside),
        ).put(self.target)
        for name, path in beside.items():
            self.target.put(name, path)
        self.target.put(target, staged)

    def refuse_existing(self, record: Record, target: str, beside: dict[str, Path]) -> None:
        """Raise OutputError where a result, or what lies beside it, would take the place of what is not ours."""
        for name in (target, *beside):
            self._refuse_among_originals(name)
        known = Record.read(self.target, record.key) or record  # another worker may have done it meanwhile
        if self._keeps(known, record.source_bytes, record.source_changed_ns):
            known = Record(record.key, "failed")
        ours = known.companions.split("\n")
        foreign = [name for name in beside if name not in ours and self.target.found(name)]
        found = self.target.found(target)
        # Azure's begin empty: so is what a worker leaves that was killed while it wrote.
        if found and not (known.target == target and (not found.size or self._made(known))):
            foreign.append(target)
        if foreign and not self._overwrite:
            raise self._exists(foreign[0])
        for name in foreign:
            self._refuse_photograph(name)

    def _keeps(self, record: Record, size: int, changed_ns: int) -> bool:
        """Return whether a record's result is to stay, as it is that of another folder's photograph."""
        return bool(record.target) and not self._overwrite and record.is_anothers(self.source.home, size, changed_ns)

    def _exists(self, name: str, more: str = "") -> OutputError:
        where = f"{self.target.address}/{name}"
        return OutputError(f"exists already{more}", where=where, next_step="Use --overwrite to replace it")

    def _refuse_among_originals(self, name: str) -> None:
        """Raise OutputError for a name that leads into the folder of originals, over links or from above it."""
        for place in self.target.places_above(name):
            if place == self.target.place:
                return
            if place == self.source.place:
                where = f"{self.target.address}/{name}"
                raise OutputError("would lie among the photographs", where=where, next_step="Choose another folder")

    def _refuse_photograph(self, name: str) -> None:
        """Raise OutputError where a photograph or film that photochrom did not make has a result's name."""
        with TemporaryDirectory(prefix="photochrom-", dir=room.temporary_folder()) as folder:
            path = self.target.near(name, Path(folder))
            refuse_made_elsewhere(path, where=f"{self.target.address}/{name}", another="folder")

    def _made(self, record: Record) -> bool:
        with TemporaryDirectory(prefix="photochrom-", dir=room.temporary_folder()) as folder:
            return record.made(file_sha256(self.target.near(record.target, Path(folder))))

    def name_of(self, key: str, suffix: str) -> str:
        """Return the key where its suffix stays; else with the new one added, kept apart from other originals'."""
        if PurePosixPath(key).suffix == suffix:
            return key
        number, name = 1, key + suffix
        while self.source.found(name):
            number += 1
            name = f"{key}-{number}{suffix}"
        return name

    def failed(self, original: Named, text: str, kind: str) -> PhotoReport:
        """Report a failure, and write it down where the storage lets us."""
        line = " ".join(text.split())
        try:
            known = Record.read(self.target, original.name) or Record(original.name, "failed")
            if not self._keeps(known, original.size, original.changed_ns):  # which says what another folder's came to
                replace(known, outcome="failed", why=line[:1000]).put(self.target)
        except PhotochromError:
            pass  # the report says what is wrong
        return self.report(original, "failed", error=line, error_kind=kind)

    def killed(self, original: Named, what: str = "") -> PhotoReport:
        """Report that workers were killed too often."""
        text = (
            f"{self.source_name(original)}: its worker was killed {MOST_TRIES} times{what}. Colour it alone to see why"
        )
        return self.failed(original, text, "WorkerKilled")

    def source_name(self, original: Named) -> str:
        """Return the original's address."""
        return f"{self.source.address}/{original.name}"

    def report(self, original: Named, status: Any, target: str = "", **more: Any) -> PhotoReport:
        """Return what became of an original."""
        place = f"{self.target.address}/{target}" if target else ""
        return PhotoReport(self.source_name(original), place, status, **more)
