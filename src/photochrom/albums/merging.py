"""The end of an album that several machines shared: what they did, checked against the files, in one manifest.

Each photograph of the album is looked up in the manifest and its parts, and what they promise is compared with what
lies there, byte for byte.
"""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from photochrom.albums.album import look_through
from photochrom.albums.entries import Entry, Outcome, line_of
from photochrom.albums.manifest import MANIFEST_NAME, Manifest, file_sha256, is_as_promised, open_own, part_paths
from photochrom.computer.systems import locked
from photochrom.errors import OutputError, PhotoNotFoundError
from photochrom.files.codecs.atomic import Aside, output_error

Status = Literal["done", "missing", "failed", "unwanted", "changed"]


@dataclass(frozen=True, slots=True)
class Standing:
    """How one photograph of the album stands.

    Attributes:
        key: its name inside the album.
        status: "done" (its result is there and is what was promised, made from the photograph as it is), "missing",
            "failed", "unwanted" (the options leave it out), or "changed" (result or photograph are not those of then).
        target: its result's name inside the output folder; "" where it has none.
        why: one line, for all but done ones.
        entry: the line that holds, of a done one.
    """

    key: str
    status: Status
    target: str = ""
    why: str = ""
    entry: Entry | None = field(default=None, repr=False)


@dataclass(slots=True)
class Merged:
    """What an album came to.

    Attributes:
        counts: photographs by status.
        makings: how many results there are by the version and the settings that made them.
        gone: photographs that were done and are no longer in the album.
        parts: how many machines' manifests there were.
    """

    counts: Counter[str] = field(default_factory=Counter)
    makings: Counter[tuple[str, str]] = field(default_factory=Counter)
    gone: int = 0
    parts: int = 0

    @property
    def is_whole(self) -> bool:
        """Whether each photograph is done, or not wanted, and all by one version and the same settings."""
        return not any(self.counts[status] for status in ("missing", "failed", "changed")) and len(self.makings) < 2

    @property
    def disagreement(self) -> str:
        """One line where results were made by several versions or settings; else ""."""
        for what, which in (("versions of photochrom", 0), ("settings or models", 1)):
            found: Counter[str] = Counter()
            for making, count in self.makings.items():
                found[making[which]] += count
            if len(found) > 1:
                each = ", ".join(f"{(name or 'unknown')[:12]} made {count:,}" for name, count in found.most_common(4))
                return f"the results are of {len(found)} {what}: {each}"
        return ""


def check_album(
    album: Path, output: Path, *, quick: bool = False, on_standing: Callable[[Standing], None] | None = None
) -> Merged:
    """Compare an album, the manifests in its output folder, and the results that lie there.

    Args:
        album: the folder of photographs.
        output: the folder of results.
        quick: look at sizes and not at bytes; a photograph that has been changed is then not noticed.
        on_standing: called with each photograph's standing, in the album's order.

    Raises:
        PhotoNotFoundError: the album holds no photographs, or the output no manifest.
        OutputError: a manifest cannot be read.

    Cost: reads every photograph and every result once, unless ``quick``.
    """
    return _checked(album, output, quick, on_standing)[0]


def merge_album(
    album: Path, output: Path, *, quick: bool = False, on_standing: Callable[[Standing], None] | None = None
) -> Merged:
    """Check an album as :func:`check_album` does, and put all lines into one manifest, in place of its parts.

    Photographs that are done stay done for the next run, by whatever machines, and need one line each. A part that is
    written to meanwhile is left.

    Raises:
        As :func:`check_album`; OutputError also where the manifest cannot be written, or another run writes to it.
    """
    sizes = _sizes(output)
    merged, manifest, done = _checked(album, output, quick, on_standing)
    with Aside(output / MANIFEST_NAME) as aside:
        for key, entries in manifest.entries.items():
            aside.handle.writelines(line_of(entry) for entry in _still_holding(entries, done.get(key)))
        aside.handle.writelines(line_of(outcome) for outcome in manifest.outcomes.values())
        if sizes.pop(output / MANIFEST_NAME, 0) != _sizes(output).get(output / MANIFEST_NAME, 0):
            raise OutputError("another run is at work here", where=str(output), next_step="Merge when it has ended")
        aside.put_in_place()
    for path, size in sizes.items():
        _remove_part(path, size)
    return merged


def _checked(
    album: Path, output: Path, quick: bool, on_standing: Callable[[Standing], None] | None
) -> tuple[Merged, Manifest, dict[str, Entry]]:
    """Return what the album came to, its manifest, and the line that holds of each photograph that is done."""
    parts = part_paths(output)
    if not parts and not (output / MANIFEST_NAME).exists():
        raise PhotoNotFoundError(
            "the folder holds no record of results", where=str(output), next_step="Give the folder that --output named"
        )
    sources = {path.relative_to(album).as_posix(): path for path in look_through(album, leave_out=[output]).photos}
    manifest, merged, done = Manifest.of(output), Merged(parts=len(parts)), dict[str, Entry]()
    for standing in _standings(sources, manifest, quick=quick):
        merged.counts[standing.status] += 1
        if standing.entry:
            done[standing.key] = standing.entry
            merged.makings[standing.entry.version, standing.entry.run_sha256] += 1
        if on_standing:
            on_standing(standing)
    merged.gone = sum(1 for key in manifest.entries if key not in sources and not manifest.is_companion(key))
    return merged, manifest, done


def _still_holding(entries: Sequence[Entry], done: Entry | None) -> list[Entry]:
    """Return the lines of one key that are needed: where it is done that one, and those of other albums and tasks."""
    if done is None:
        return list(entries)
    others = [entry for entry in entries if entry.target != done.target]
    return [
        *(entry for entry in others if entry.album not in ("", done.album) or entry.task not in ("", done.task)),
        done,
    ]


def _standings(sources: Mapping[str, Path], manifest: Manifest, *, quick: bool) -> Iterator[Standing]:
    taken: dict[str, str] = {}
    outcomes = manifest.outcomes
    for key, source in sources.items():
        standing = _standing(key, source, manifest, outcomes.get(key), quick=quick)
        if standing.entry and (other := taken.setdefault(standing.target, key)) != key:
            standing = Standing(key, "changed", standing.target, f"its result is also that of {other}")
        yield standing


def _standing(key: str, source: Path, manifest: Manifest, outcome: Outcome | None, *, quick: bool) -> Standing:
    entries = manifest.entries.get(key, ())
    there = [entry for entry in entries if os.path.lexists(manifest.path_of(entry.target))]
    whole = [entry for entry in there if _holds(manifest.path_of(entry.target), entry, quick=quick)]
    for entry in reversed(whole):
        if quick or file_sha256(source) == entry.source_sha256:
            return Standing(key, "done", entry.target, entry=entry)
    if outcome is not None:
        return Standing(key, "unwanted" if outcome.outcome == "unwanted" else "failed", why=outcome.why)
    if whole:
        return Standing(key, "changed", whole[-1].target, "the photograph has changed since")
    if there:
        return Standing(key, "changed", there[-1].target, "its result is not the one that was made")
    return Standing(key, "missing", why="its result has been taken away" if entries else "nobody has done it")


def _holds(path: Path, entry: Entry, *, quick: bool) -> bool:
    if quick:
        return path.is_file() and path.stat().st_size == entry.target_bytes
    return is_as_promised(path, entry.promise)


def _sizes(output: Path) -> dict[Path, int]:
    return {path: path.stat().st_size for path in [output / MANIFEST_NAME, *part_paths(output)] if path.exists()}


def _remove_part(path: Path, size: int) -> None:
    """Remove a part that has been joined, unless lines have been added since it was read."""
    try:
        descriptor = open_own(path, os.O_RDWR)
    except OSError as error:
        raise output_error(error, path) from error
    try:
        with locked(descriptor):
            unchanged = os.fstat(descriptor).st_size == size
    finally:
        os.close(descriptor)
    if unchanged:
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
