"""What the wall writes down of its photographs, and what a later server makes of it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from photochrom.options import Limits
from photochrom.studio import wall as module
from photochrom.studio.changes import Changes
from photochrom.studio.desk import AFTER, BEFORE, Desk
from photochrom.studio.looks import SMALL_NAME
from photochrom.studio.options import ServerOptions
from photochrom.studio.parts import Parts
from photochrom.studio.store import Store
from photochrom.studio.wall import Wall
from photochrom.studio.workers import Workers


def wait(wall: Wall, state: str = "done") -> None:
    until = time.monotonic() + 30
    while [item.state for item in wall.all()] != [state]:
        assert time.monotonic() < until, wall.all()
        time.sleep(0.01)


def test_the_disk_is_asked_only_for_what_a_later_server_has_to_know(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written, write = [], module.write_whole
    monkeypatch.setattr(module, "write_whole", lambda path, data: (written.append(data), write(path, data)))
    store, workers = Store(tmp_path), Workers(1)
    wall = Wall(store, workers, Changes(), lambda item, stop: {"state": "done", "width": 3})
    identity, _ = store.new("photos")
    wall.add("gran.jpg", tmp_path / "gran.jpg", identity)
    wait(wall)
    wall.change(wall.find(identity), full="working", progress=0.5)
    assert len(written) == 2  # that it hangs, and that it is done; not that somebody is at work
    wall.change(wall.find(identity), full="done")
    assert len(written) == 3
    later = Wall(store, workers, Changes(), lambda item, stop: {})
    assert (later.find(identity).width, later.find(identity).full) == (3, "done")
    workers.close()
    store.close()


@pytest.mark.slow
def test_pictures_that_a_power_cut_has_emptied_are_made_again(tmp_path: Path, tiny_model: Path, jpeg: bytes) -> None:
    def studio() -> tuple[Parts, Desk]:
        parts = Parts.of(
            ServerOptions(port=0, store=tmp_path / "store"), Limits(), models={"photochrom-color": tiny_model}
        )
        return parts, Desk(parts)

    parts, desk = studio()
    identity, folder = parts.store.new("photos")
    (folder / "original.jpg").write_bytes(jpeg)
    desk.wall.add("gran.jpg", folder / "original.jpg", identity)
    wait(desk.wall)
    parts.close()
    before = {name: (folder / name).read_bytes() for name in (BEFORE, SMALL_NAME, AFTER)}
    for name in before:
        (folder / name).write_bytes(b"")
    parts, desk = studio()
    wait(desk.wall)
    assert {name: (folder / name).read_bytes() for name in before} == before
    parts.close()
