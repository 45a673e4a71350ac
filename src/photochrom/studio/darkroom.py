"""Results at full size: made one after the other of each photograph, shown in tiles, written beside the original.

What is asked of a photograph may change while it is being made. Then what is under way is asked to end, the next one
waits for that, and a result that nobody asks for any more is never taken for the one that was.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from photochrom.albums.beside import result_beside
from photochrom.albums.manifest import Manifest, file_sha256, is_as_promised
from photochrom.albums.recipe import recipe_path
from photochrom.errors import OutputError, PhotochromError
from photochrom.files.codecs.atomic import Aside
from photochrom.files.originals import Originals
from photochrom.files.reading import open_photo
from photochrom.studio import films
from photochrom.studio.album import entries_of
from photochrom.studio.develop import Order, develop
from photochrom.studio.looks import MASK_NAME, references_in
from photochrom.studio.parts import Parts
from photochrom.studio.problems import sentence_of
from photochrom.studio.requests import checked_request
from photochrom.studio.sources import Sources
from photochrom.studio.stopping import Stop
from photochrom.studio.tiles import PYRAMIDS, build_pyramid
from photochrom.studio.wall import Item, Wall
from photochrom.studio.workers import USUAL

RESULTS = "results"


@dataclass(slots=True)
class Work:
    """A result that is being made.

    Attributes:
        stop: asks it to end.
        saves: whether the result shall be written beside the original.
        overwrites: whether over what is there.
    """

    stop: Stop
    saves: bool = False
    overwrites: bool = False

    def wish(self, *, overwrites: bool) -> None:
        """Let it be saved."""
        self.saves, self.overwrites = True, overwrites


class Darkroom:
    """Makes results at full size. Safe to use from several threads.

    Args:
        parts: of the server.
        wall: the photographs.
        sources: reads their files.
        folder: that the studio was started with, whose manifest tells what was saved there.
    """

    def __init__(self, parts: Parts, wall: Wall, sources: Sources, folder: Path | None) -> None:
        self.parts, self.wall, self.sources, self.folder = parts, wall, sources, folder
        self._work: dict[str, Work] = {}
        self._making: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._building = threading.Lock()
        self._ending: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    def develop(self, item: Item, *, save: bool, priority: int = USUAL, overwrite: bool = False) -> Item:
        """Let a photograph be made at full size, and written beside it where it is an original."""
        with self._ending[item.id]:  # a wish comes before the end, which sees to it, or finds what is done
            item = self.wall.find(item.id)
            if item.full == "working":
                if save and (work := self._work.get(item.id)):  # none where it is being stopped
                    work.wish(overwrites=overwrite)
                return item
            if item.full == "done":
                if not (save and item.is_original) or (item.saved and _is_written(item)):
                    return item
                return self.wall.change(item, **self._write_beside(item, overwrite=overwrite))
            work = self._work[item.id] = Work(Stop(self.parts.options.max_seconds), save, overwrite)
            begun = self.wall.change(item, full="working", full_error="", full_error_kind="", progress=0.0)
            self.parts.workers.submit(lambda: self._develop(begun, work), priority)
            return begun

    def stop(self, item: Item) -> None:
        """Stop making a photograph at full size; what was finished stays."""
        if work := self._work.pop(item.id, None):
            work.stop.ask()
        current = self.wall.find(item.id)
        if current.full == "working":
            self.wall.change(current, full="", progress=0.0)

    def forget(self, item: Item) -> None:
        """Let what was made of a photograph count no more: something else is asked for."""
        if work := self._work.pop(item.id, None):
            work.stop.ask()
        folder = self.wall.folder_of(item)
        (folder / PYRAMIDS["after"]).unlink(missing_ok=True)
        self.parts.store.settle(folder)

    def close(self) -> None:
        """Ask all work to end."""
        for work in list(self._work.values()):
            work.stop.ask()

    def pyramid(self, item: Item, side: str) -> Path | None:
        """Return the tiles of a side; None where they are not made yet."""
        path = self.wall.folder_of(item) / PYRAMIDS[side]
        if side == "before":
            with self._building:  # a page asks for many tiles at once
                if not path.exists():
                    build_pyramid(open_photo(item.path, limits=self.parts.limits), path)
                    self._count(item, path)
        return path if path.exists() and (side == "before" or item.full == "done") else None

    def _develop(self, item: Item, work: Work) -> None:
        stop = work.stop
        with self._making[item.id]:
            try:
                stop.check()
                item = self.sources.learned(item, stop)  # its hints, too, which rule the result
                values = (
                    films.color_film(item, self.wall, self.parts, stop)
                    if item.kind == "film"
                    else self._made(item, stop)
                )
                self._count(item, self.wall.folder_of(item) / RESULTS, self.wall.folder_of(item) / PYRAMIDS["after"])
            except Exception as error:  # noqa: BLE001 - a defect met by one photograph must not cost the others
                self.parts.store.settle(self.wall.folder_of(item))
                values = {"full": "failed"} | why_not(error, item)
            try:
                self.sources.notice(item)  # a file that was replaced meanwhile is something else that is asked for
                with self._ending[item.id]:
                    if stop.asked or not self.wall.still_asks_for(item):
                        return  # changed or stopped meanwhile: this is not what is asked for
                    # It is done when it is saved as well: who waits for it learns of both, or of what was in the way.
                    if work.saves and item.is_original and values["full"] == "done":
                        values |= self._write_beside(replace(item, **values), overwrite=work.overwrites)
                    self.wall.answer(item, **values)
            except PhotochromError:
                return  # taken down meanwhile

    def _made(self, item: Item, stop: Stop) -> dict[str, Any]:
        folder = self.wall.folder_of(item)
        shutil.rmtree(folder / RESULTS, ignore_errors=True)
        asked = checked_request("colorize", {**item.look, "recipe": True})
        is_restored = bool(getattr(asked, "restore", False))
        mask = folder / MASK_NAME if is_restored and (folder / MASK_NAME).exists() else None
        name = Path(item.name).name
        references = tuple(references_in(folder))
        order = Order("colorize", Path(item.path), name, folder / RESULTS, asked, mask, references, remembered=True)
        made = develop(order, self.parts.sessions, self.parts.limits, stop)
        if made.report.status == "failed":
            kind = made.report.error_kind
            return {"full": "failed", "full_error": made.error, "full_error_kind": kind}
        if not made.files:
            return {"full": "failed", "full_error": "; ".join(made.report.notes)}
        stop.check()
        build_pyramid(open_photo(made.files["result"].path, limits=self.parts.limits), folder / PYRAMIDS["after"])
        files = {label: (file.path.name, file.name) for label, file in made.files.items()}
        return {"full": "done", "full_error": "", "full_error_kind": "", "files": files}

    def _count(self, item: Item, *made: Path) -> None:
        """Count what was made of a photograph; remove it, and raise OutputError, where there is no room for it."""
        folder = self.wall.folder_of(item)
        if self.parts.store.settle(folder):
            return
        for path in made:
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        self.parts.store.settle(folder)
        raise OutputError("the studio's store is full", next_step="Take photographs down, or raise --max-store-bytes")

    def _write_beside(self, item: Item, *, overwrite: bool) -> dict[str, Any]:
        """Write a finished result where the command line would have written it; return what the wall is told."""
        source, results, target = Path(item.path), self.wall.folder_of(item) / RESULTS, _target(item)
        try:
            made = results / item.files["result"][0]
            wrote = file_sha256(made), made.stat().st_size
            for label, path in (("result", target), ("recipe", recipe_path(target))):
                if label not in item.files:
                    continue
                Originals.of([source]).refuse(path)
                is_asked_for = overwrite or label != "result" or _is_written(item)
                if os.path.lexists(path) and not is_asked_for:
                    raise OutputError("exists already", where=path.name, next_step="Save it again to replace it")
                with (results / item.files[label][0]).open("rb") as handle, Aside(path) as aside:
                    shutil.copyfileobj(handle, aside.handle, 1 << 20)
                    self._promise(item, results / item.files[label][0], path)
                    aside.put_in_place()
        except PhotochromError as error:
            return why_not(error, item)
        return {"saved": target.name, "wrote": wrote, "full_error": "", "full_error_kind": ""}

    def _promise(self, item: Item, made: Path, target: Path) -> None:
        """Let the manifest of the studio's folder tell of a result, as an album's does, before it is in place."""
        entry = entries_of(made.parent).get(made.name)
        if entry is not None and self.folder is not None and target.is_relative_to(self.folder):
            manifest = Manifest.of(self.folder)
            manifest.promise(replace(entry, key=item.name, target=manifest.name_of(target)))


def why_not(error: Exception, item: Item) -> dict[str, str]:
    """Return what the wall is told where there is no result."""
    return {"full_error": sentence_of(error, item.path, item.name), "full_error_kind": type(error).__name__}


def _target(item: Item) -> Path:
    """Return where a photograph's result goes."""
    source = Path(item.path)
    return result_beside(source, None) if item.kind == "photo" else films.result_beside(source)


def _is_written(item: Item) -> bool:
    """Return whether what lies there is the result that this studio has written last."""
    return is_as_promised(_target(item), item.wrote)
