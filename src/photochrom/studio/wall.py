"""The wall: the photographs that somebody has in front of them, and how far each is.

A photograph is a file that was dropped, which the store keeps, or one of the folder that the studio was started with,
which is only read. Each has a folder of its own in the store for what is made of it, with a record that outlives the
server.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from photochrom.files.codecs.atomic import write_whole
from photochrom.studio.changes import Changes
from photochrom.studio.problems import HttpError
from photochrom.studio.stopping import Stop
from photochrom.studio.store import Store
from photochrom.studio.workers import LATER, Workers

State = Literal["waiting", "working", "done", "failed", "stopped"]
Full = Literal["", "working", "done", "failed"]
RECORD_NAME, TOPIC = "photo.json", "wall"
MOST_PHOTOS = 5_000


@dataclass(frozen=True, slots=True)
class Item:
    """One photograph or film of the wall.

    Attributes:
        id: made here.
        name: for people; of a folder's photograph, its place in it.
        path: of the file.
        kind: "photo" or "film".
        is_original: whether it lies in the studio's folder, and results go beside it.
        state: of its thumbnail.
        revision: grows with each change of how it looks.
        width: in pixels, 0 until it has been read.
        height: likewise.
        look: how it is to be coloured, as options of ``ColorizeRequest``.
        asked: grows with each change of what is asked for: look, references, mask of damage.
        references: photographs that lend it their colours, for people.
        identity: of the photograph, for its file of hints.
        notes: what was decided.
        error: the command line's sentence.
        error_kind: the error's class.
        full: how far the full-size result is.
        full_error: why there is none.
        full_error_kind: the error's class.
        progress: of a film, 0 to 1.
        frame: of a film, the time in seconds of the frame that stands for it.
        shots: of a film, once they are found: begin, end and a time between of each, in seconds.
        files: made at full size: name on disk, and for people, by label.
        saved: where the result was written, for people.
        wrote: SHA-256 and size of the result that this studio has written beside it last.
        seen: which state the file was in when it was read, "" until then.
        hints_seen: likewise of its file of hints, read or written.
    """

    id: str
    name: str
    path: str
    kind: Literal["photo", "film"] = "photo"
    is_original: bool = False
    state: State = "waiting"
    revision: int = 0
    width: int = 0
    height: int = 0
    look: dict[str, Any] = field(default_factory=dict)
    asked: int = 0
    references: tuple[str, ...] = ()
    identity: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    error: str = ""
    error_kind: str = ""
    full: Full = ""
    full_error: str = ""
    full_error_kind: str = ""
    progress: float = 0.0
    frame: str = ""
    shots: tuple[tuple[float, float, float], ...] = ()
    files: dict[str, tuple[str, str]] = field(default_factory=dict)
    saved: str = ""
    wrote: tuple[str, int] = ("", 0)
    seen: str = ""
    hints_seen: str = ""

    def told(self) -> dict[str, Any]:
        """Return what the page is told: no path."""
        values = asdict(self)
        for name in ("path", "identity", "wrote", "seen", "hints_seen"):
            del values[name]
        return values | {"files": {label: name for label, (_, name) in self.files.items()}}


Prepare = Callable[[Item, Stop], dict[str, Any]]


class Wall:
    """All photographs of a studio. Safe to use from several threads.

    Args:
        store: where what is made of them lies.
        workers: who works.
        changes: whom to tell.
        prepare: makes a photograph's thumbnail, and returns what is known then; raises nothing.

    Attributes:
        changes_made: how many changes there were; whoever reads it, and then the photographs, sees all of these.
    """

    def __init__(self, store: Store, workers: Workers, changes: Changes, prepare: Prepare) -> None:
        self.store, self.workers, self._changes, self._prepare = store, workers, changes, prepare
        self._items: dict[str, Item] = {}
        self._stops: dict[str, Stop] = {}
        self._lock = threading.RLock()
        self._seconds: list[float] = []
        self.changes_made = 0
        for folder in store.all("photos"):
            item = _read(folder)
            if item is None:
                store.remove(folder)
                continue
            self._items[item.id] = item

    def go_on(self) -> None:
        """Begin with what an earlier server of the same store had left."""
        for item in self.all():
            if item.state in {"waiting", "working"}:
                self.begin(item.id)

    def add(self, name: str, path: Path, identity: str, *, is_original: bool = False, film: bool = False) -> Item:
        """Hang a photograph, whose folder in the store is there already, and let it be coloured."""
        with self._lock:
            if len(self._items) >= MOST_PHOTOS:
                raise HttpError(429, f"the wall holds {MOST_PHOTOS:,} photographs, no more", next_step="Remove some")
            self.change(Item(identity, name, str(path), "film" if film else "photo", is_original))
            self.begin(identity)
        return self.find(identity)

    def find(self, identity: str) -> Item:
        """Return a photograph; raise HttpError 404 where there is none."""
        with self._lock:
            item = self._items.get(identity)
        if item is None:
            raise HttpError(404, "there is no such photograph on the wall")
        return item

    def holds(self, path: Path) -> bool:
        """Return whether a file hangs already."""
        with self._lock:
            return any(item.path == str(path) for item in self._items.values())

    def all(self) -> list[Item]:
        """Return all, in the order in which they were hung."""
        with self._lock:
            return list(self._items.values())

    def folder_of(self, item: Item) -> Path:
        """Return where what is made of a photograph lies."""
        return self.store.folder / "photos" / item.id

    def change(self, item: Item, **values: Any) -> Item:
        """Change some values of a photograph, in its record too, and tell everybody."""
        with self._lock:
            if values:
                item = replace(self.find(item.id), **values)
            known = self._items.get(item.id)
            if known is None or _remembered(item) != _remembered(known):
                write_whole(self.folder_of(item) / RECORD_NAME, json.dumps(asdict(item)).encode())
            self._items[item.id] = item
            self.changes_made += 1
        self._changes.tell(TOPIC)
        return item

    def ask_otherwise(self, item: Item, **values: Any) -> Item:
        """Write what is asked of a photograph now; what was made at full size counts no more."""
        undone = {"full": "", "files": {}, "saved": "", "full_error": "", "full_error_kind": "", "progress": 0.0}
        with self._lock:
            return self.change(item, **undone, **values, asked=self.find(item.id).asked + 1)

    def answer(self, item: Item, **values: Any) -> Item | None:
        """Write what was made of a photograph as it was asked for; None where something else is asked for by now."""
        with self._lock:
            return self.change(item, **values) if self.still_asks_for(item) else None

    def still_asks_for(self, item: Item) -> bool:
        """Return whether nothing else is asked of a photograph by now."""
        return self.find(item.id).asked == item.asked

    def begin(self, identity: str, priority: int = LATER) -> None:
        """Let a photograph's thumbnail be made, anew where there is one."""
        with self._lock:
            self._stops.pop(identity, Stop()).ask()
            stop = self._stops[identity] = Stop()
            self.change(self.find(identity), state="waiting", error="", error_kind="")
        self.workers.submit(lambda: self._do(identity, stop), priority)

    def stop(self, identity: str) -> None:
        """Stop making a photograph's thumbnail."""
        with self._lock:
            if self.find(identity).state in {"waiting", "working"}:
                self._stops.pop(identity, Stop()).ask()
                self.change(self.find(identity), state="stopped")

    def remove(self, identity: str) -> None:
        """Take a photograph down; its file stays, unless the store keeps it."""
        with self._lock:
            item = self.find(identity)
            self._stops.pop(identity, Stop()).ask()
            del self._items[identity]
            self.changes_made += 1
            self.store.remove(self.folder_of(item))
        self._changes.tell(TOPIC)

    def close(self) -> None:
        """Ask all work to end."""
        with self._lock:
            for stop in self._stops.values():
                stop.ask()

    def left(self) -> dict[str, Any]:
        """Return how many photographs are still to be coloured, and how many seconds that may take."""
        left = sum(item.state in {"waiting", "working"} for item in self.all())
        with self._lock:
            mean = sum(self._seconds) / len(self._seconds) if self._seconds else 0.0
        return {"left": left, "seconds_left": round(left * mean, 1)}

    def _do(self, identity: str, stop: Stop) -> None:
        begun = time.monotonic()
        try:
            if stop.asked:
                return
            values = self._prepare(self.change(self.find(identity), state="working"), stop)
            with self._lock:
                if not stop.asked:
                    self._stops.pop(identity, None)
                    self.change(self.find(identity), **values)
                    self._seconds = [*self._seconds[-19:], time.monotonic() - begun]
        except HttpError:
            return  # taken down meanwhile


def _remembered(item: Item) -> Item:
    """Return what a later server has to know of a photograph: how far its making was, it has not."""
    state: State = "waiting" if item.state == "working" else item.state
    return replace(item, state=state, full="" if item.full == "working" else item.full, progress=0.0)


def _read(folder: Path) -> Item | None:
    try:
        values = json.loads((folder / RECORD_NAME).read_text(encoding="utf-8"))
        values["files"] = {label: tuple(pair) for label, pair in values["files"].items()}
        lists = {name: tuple(values.get(name, ())) for name in ("notes", "references")}
        lists["shots"] = tuple(map(tuple, values["shots"]))
        lists["wrote"] = tuple(values.get("wrote", ("", 0)))
        item = Item(**values | lists)
        return replace(item, full="" if item.full == "working" else item.full)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None
