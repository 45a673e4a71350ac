"""Where results of an album in a storage go: promised in a record, put whole, never over what is not ours."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any

from photochrom.albums.manifest import file_sha256
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
        overwrite: whether results may take the place of what no record claims.
    """

    def __init__(self, source: str, target: str, run: str, *, overwrite: bool) -> None:
        self.source, self.target = open_folder(source), open_folder(target)
        self._run, self._overwrite = run, overwrite

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
        )
        record.put(self.target)
        return record

    def put(self, record: Record, target: str, staged: Path, beside: dict[str, Path] | None = None) -> None:
        """Promise a result, and put it; what lies beside it first.

        Raises:
            OutputError: something that no record claims has its name.
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
        if self._overwrite:
            return
        known = Record.read(self.target, record.key) or record  # another worker may have done it meanwhile
        ours = known.companions.split("\n")
        foreign = [name for name in beside if name not in ours and self.target.found(name)]
        found = self.target.found(target)
        # Azure's begin empty: so is what a worker leaves that was killed while it wrote.
        if found and not (known.target == target and (not found.size or self._made(known))):
            foreign.append(target)
        if foreign:
            where = f"{self.target.address}/{foreign[0]}"
            raise OutputError("exists already", where=where, next_step="Use --overwrite to replace it")

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
