"""Results at full size are of what is asked for now, whatever was under way, and nobody's fault costs the others."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from photochrom.studio.darkroom import Darkroom
from photochrom.studio.desk import Desk
from photochrom.studio.options import ServerOptions
from photochrom.studio.parts import Parts
from photochrom.studio.wall import Item
from photochrom.studio.workers import Workers

WITHIN_S = 60


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + WITHIN_S
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


class Held:
    """A darkroom's work, held until it may go on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.begun, self.may_go_on, made = threading.Semaphore(0), threading.Semaphore(0), Darkroom._made

        def held(darkroom: Darkroom, item: Item, stop: object) -> dict:
            self.begun.release()
            assert self.may_go_on.acquire(timeout=WITHIN_S)
            return made(darkroom, item, stop)  # type: ignore[arg-type]

        monkeypatch.setattr(Darkroom, "_made", held)

    def wait(self) -> None:
        assert self.begun.acquire(timeout=WITHIN_S)


@pytest.fixture
def desk(hearing_model: Path, tmp_path: Path) -> Desk:
    (tmp_path / "album").mkdir()
    for name in ("gran", "house"):
        Image.fromarray(np.tile(np.arange(0, 240, 5, dtype=np.uint8), (40, 1))).save(tmp_path / "album" / f"{name}.png")
    parts = Parts.of(ServerOptions(port=0), models={"photochrom-color": hearing_model})
    made = Desk(parts, tmp_path / "album")
    yield made
    made.close()
    parts.close()


def item(desk: Desk, name: str = "gran.png") -> Item:
    return next(one for one in desk.wall.all() if one.name == name)


def test_what_is_changed_while_it_is_made_is_made_as_it_was_changed(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    until(lambda: item(desk).state == "done")
    held = Held(monkeypatch)
    desk.darkroom.develop(item(desk), save=False)
    held.wait()
    desk.change_look(item(desk), {"vividness": 0.0})
    assert item(desk).full == ""
    desk.darkroom.develop(item(desk), save=False)
    for _ in range(2):
        held.may_go_on.release()
    until(lambda: item(desk).full == "done")
    result = desk.wall.folder_of(item(desk)) / "results" / item(desk).files["result"][0]
    pixels = np.asarray(Image.open(result).convert("RGB")).astype(int)
    assert (abs(pixels[..., 0] - pixels[..., 2]) <= 1).all(), "the colours of the look from before"


def test_a_mask_corrected_meanwhile_counts(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    until(lambda: item(desk).state == "done")
    held = Held(monkeypatch)
    desk.darkroom.develop(item(desk), save=True)
    held.wait()
    found = threading.Event()
    desk.find_damage(item(desk), found.set)
    assert found.wait(WITHIN_S)
    before = item(desk).asked
    desk.correct_mask(item(desk), [])
    held.may_go_on.release()
    with desk.darkroom._making[item(desk).id]:
        assert (item(desk).asked, item(desk).full, item(desk).saved) == (before + 1, "", "")
    assert desk.darkroom.pyramid(item(desk), "after") is None


def test_what_is_stopped_is_not_made_and_can_be_asked_for_again(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    until(lambda: item(desk).state == "done")
    held = Held(monkeypatch)
    desk.darkroom.develop(item(desk), save=True)
    held.wait()
    desk.stop(item(desk))
    held.may_go_on.release()
    with desk.darkroom._making[item(desk).id]:
        assert (item(desk).full, item(desk).saved, item(desk).full_error) == ("", "", "")
    held.may_go_on.release()
    desk.darkroom.develop(item(desk), save=True)
    until(lambda: item(desk).saved == "gran-color.png")


def test_what_is_saved_and_unchanged_stays_and_only_what_others_wrote_is_asked_about(
    desk: Desk, tmp_path: Path
) -> None:
    target = tmp_path / "album" / "gran-color.png"

    def save(**options: bool) -> tuple[str, str]:
        desk.develop(item(desk), save=True, **options)
        until(lambda: item(desk).full == "done")
        return item(desk).saved, item(desk).full_error

    until(lambda: item(desk).state == "done")
    assert save() == ("gran-color.png", "")
    written = target.stat().st_mtime_ns, target.read_bytes()
    assert save() == ("gran-color.png", "")
    assert (target.stat().st_mtime_ns, target.read_bytes()) == written
    desk.change_look(item(desk), {"vividness": 1.5})
    assert save() == ("gran-color.png", "")
    assert target.read_bytes() != written[1]
    target.write_bytes(b"somebody's own")
    exists = "gran-color.png: exists already. Save it again to replace it"
    assert save()[1] == exists
    assert target.read_bytes() == b"somebody's own"
    assert save(overwrite=True) == ("gran-color.png", "")
    target.unlink()
    assert save() == ("gran-color.png", "")
    assert target.exists()


def test_a_wish_to_save_what_is_being_made_counts(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    until(lambda: item(desk).state == "done")
    held = Held(monkeypatch)
    desk.darkroom.develop(item(desk), save=False)  # as when somebody looks closer
    held.wait()
    assert desk.darkroom.develop(item(desk), save=True).full == "working"
    held.may_go_on.release()
    until(lambda: item(desk).full == "done")
    assert (item(desk).saved, item(desk).full_error) == ("gran-color.png", "")


def test_photographs_taken_down_in_the_middle_cost_no_worker(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    until(lambda: item(desk, "house.png").state == "done" and item(desk).state == "done")
    held = Held(monkeypatch)
    for name in ("gran.png", "house.png"):  # as many as there are workers
        desk.darkroom.develop(item(desk, name), save=True)
        held.wait()
    desk.take_down(item(desk))
    for _ in range(3):
        held.may_go_on.release()
    until(lambda: item(desk, "house.png").full == "done")
    found = threading.Event()
    desk.find_damage(item(desk, "house.png"), found.set)
    desk.take_down(item(desk, "house.png"))
    assert found.wait(WITHIN_S)
    done = [threading.Event() for _ in range(4)]
    for one in done:
        desk.parts.workers.submit(one.set)
    assert all(one.wait(WITHIN_S) for one in done)


def test_a_defect_is_logged_and_ends_no_worker(caplog: pytest.LogCaptureFixture) -> None:
    workers, done = Workers(1), threading.Event()
    workers.submit(lambda: 1 // 0)  # type: ignore[arg-type, return-value]
    workers.submit(done.set)
    assert done.wait(WITHIN_S)
    workers.close()
    assert "ZeroDivisionError" in caplog.text
