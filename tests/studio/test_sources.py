"""What is known of a photograph is what its file, and the hints beside it, say now."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from photochrom.hints.sheet import read_hints
from photochrom.studio.desk import Desk
from photochrom.studio.looks import Looks
from photochrom.studio.options import ServerOptions
from photochrom.studio.parts import Parts
from photochrom.studio.problems import HttpError
from photochrom.studio.wall import Item

WITHIN_S = 60
RED, BLUE, GREEN = ({"point": [x, 0.5], "color": color} for x, color in [(0.2, "red"), (0.5, "blue"), (0.8, "green")])
Open = Callable[[], Desk]


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + WITHIN_S
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.fixture
def album(tmp_path: Path) -> Path:
    (tmp_path / "album").mkdir()
    paint(tmp_path / "album" / "gran.png", 48, 40)
    return tmp_path / "album"


@pytest.fixture
def begin(album: Path, hearing_model: Path) -> Iterator[Open]:
    """Return a function that ends the studio of the folder, if there is one, and starts the next with its store."""
    open_ones: list[Desk] = []

    def end() -> None:
        if open_ones:
            open_ones[-1].close()
            open_ones.pop().parts.close()

    def start() -> Desk:
        end()
        options = ServerOptions(port=0, store=album.with_name("store"))
        open_ones.append(Desk(Parts.of(options, models={"photochrom-color": hearing_model}), album))
        return open_ones[-1]

    yield start
    end()


def paint(path: Path, width: int, height: int, *, turned: bool = False) -> None:
    ramp = np.tile(np.linspace(10, 240, width).astype(np.uint8), (height, 1))
    Image.fromarray(ramp[:, ::-1] if turned else ramp).save(path)
    os.utime(path, ns=(0, 1_000_000_000 * (2 if turned else 1)))


def write_hints(path: Path, *hints: dict) -> None:
    path.write_text(json.dumps({"photochrom_hints": 1, "hints": hints}))


def gran(desk: Desk) -> Item:
    return desk.wall.all()[0]


def ready(desk: Desk) -> Item:
    until(lambda: gran(desk).state == "done")
    return gran(desk)


def test_a_photograph_whose_first_coloring_was_stopped_has_its_size_and_keeps_hints(
    begin: Open, album: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, goes_on, run = threading.Event(), threading.Event(), Looks.run

    def held(*given: object, **named: object) -> object:
        begun.set()
        assert goes_on.wait(WITHIN_S)
        return run(*given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(Looks, "run", held)
    desk = begin()
    assert begun.wait(WITHIN_S)
    desk.stop(gran(desk))
    goes_on.set()
    assert (gran(desk).state, gran(desk).width, gran(desk).height) == ("stopped", 48, 40)
    desk.wall.begin(gran(desk).id)
    ready(desk)
    desk.change_look(gran(desk), {"hints": [RED]})
    assert len(read_hints(album / "gran.hints.json").hints) == 1


def test_hints_that_could_not_be_read_are_read_again(begin: Open, album: Path) -> None:
    (album / "gran.hints.json").write_text("{ misspelt")
    desk = begin()
    until(lambda: gran(desk).state == "failed")
    write_hints(album / "gran.hints.json", RED)
    desk.wall.begin(gran(desk).id)
    item = ready(desk)
    assert (item.width, item.height, item.look) == (48, 40, {"hints": [RED]})


def test_a_record_of_an_earlier_studio_without_a_size_is_completed(begin: Open, album: Path) -> None:
    desk = begin()
    ready(desk)
    desk.wall.change(gran(desk), width=0, height=0, identity={}, seen="")  # as one that was interrupted had it
    item = ready(begin())
    assert (item.width, item.height, bool(item.identity)) == (48, 40, True)


def test_a_film_whose_first_coloring_was_stopped_has_its_frame(
    begin: Open, album: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.film.films import two_shots, write_film

    (album / "gran.png").unlink()
    write_film(album / "reel.mkv", two_shots(6))
    monkeypatch.setattr(Looks, "run", lambda *_: 1 // 0)  # what is done once it is read
    desk = begin()
    until(lambda: gran(desk).state == "failed")
    monkeypatch.undo()
    desk.wall.begin(gran(desk).id)
    assert (ready(desk).frame, gran(desk).width) == ("0.240", 96)


@pytest.mark.parametrize("restarted", [False, True])
def test_a_photograph_that_was_replaced_is_made_of_what_is_there_now(begin: Open, album: Path, restarted: bool) -> None:
    desk = begin()
    ready(desk)
    desk.develop(gran(desk), save=True)
    until(lambda: gran(desk).saved == "gran-color.png")
    paint(album / "gran.png", 60, 30, turned=True)
    (album / "gran-color.png").unlink()
    if restarted:
        desk = begin()
        until(lambda: (gran(desk).state, gran(desk).width) == ("done", 60))
        assert gran(desk).full == ""
    desk.develop(gran(desk), save=True)
    until(lambda: gran(desk).saved == "gran-color.png")
    luma = np.asarray(Image.open(album / "gran-color.png").convert("L")).astype(int)
    assert luma.shape == (30, 60)
    assert luma[15, 5] > 200
    assert luma[15, 55] < 50
    until(lambda: gran(desk).state == "done")
    assert (gran(desk).width, gran(desk).height) == (60, 30)
    before = np.asarray(Image.open(desk.wall.folder_of(gran(desk)) / "before.webp").convert("L"))
    assert before.shape == (30, 60)


def test_what_is_replaced_while_it_is_made_is_not_saved_as_it_was(
    begin: Open, album: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = begin()
    ready(desk)
    made = type(desk.darkroom)._made

    def replaced(*given: object) -> dict:
        values = made(*given)  # type: ignore[arg-type]
        paint(album / "gran.png", 60, 30, turned=True)
        return values

    monkeypatch.setattr(type(desk.darkroom), "_made", replaced)
    desk.develop(gran(desk), save=True)
    until(lambda: (gran(desk).width, gran(desk).state) == (60, "done"))
    assert (gran(desk).full, gran(desk).saved) == ("", "")
    assert not (album / "gran-color.png").exists()


def test_hints_written_while_no_studio_ran_are_read_by_the_next(begin: Open, album: Path) -> None:
    desk = begin()
    ready(desk)
    write_hints(album / "gran.hints.json", RED, BLUE)
    desk = begin()
    until(lambda: gran(desk).look == {"hints": [RED, BLUE]} and gran(desk).state == "done")
    desk.change_look(gran(desk), {"hints": [RED, BLUE, GREEN]})
    assert [hint.color for hint in read_hints(album / "gran.hints.json").hints] == ["red", "blue", "green"]
    assert ready(begin()).look == {"hints": [RED, BLUE, GREEN]}


def test_hints_written_beside_a_running_studio_are_not_written_over(begin: Open, album: Path) -> None:
    desk = begin()
    ready(desk)
    write_hints(album / "gran.hints.json", RED, BLUE)
    with pytest.raises(HttpError, match=r"^gran.png: was changed meanwhile. Look at it as it is now$"):
        desk.change_look(gran(desk), {"hints": [GREEN]})
    assert gran(desk).look == {"hints": [RED, BLUE]}
    assert [hint.color for hint in read_hints(album / "gran.hints.json").hints] == ["red", "blue"]
    desk.change_look(gran(desk), {"hints": [RED, BLUE, GREEN]})
    assert [hint.color for hint in read_hints(album / "gran.hints.json").hints] == ["red", "blue", "green"]


def test_hints_count_at_full_size_before_there_is_a_print(begin: Open, album: Path) -> None:
    write_hints(album / "gran.hints.json", {"point": [0.5, 0.5], "color": "red", "reach": 1})
    desk = begin()
    desk.wall.stop(gran(desk).id)
    desk.develop(gran(desk), save=True)
    until(lambda: gran(desk).full == "done")
    red, _, blue = np.asarray(Image.open(album / "gran-color.png").convert("RGB"))[20, 24].astype(int)
    assert red - blue > 60
