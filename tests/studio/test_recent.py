"""What was worked out last is kept, and no more of it than there is room for."""

from __future__ import annotations

import io
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from photochrom import ColorizeOptions, Colorizer, FakeEngine, Photo
from photochrom.options import Limits
from photochrom.studio import looks as module
from photochrom.studio.looks import Looks
from photochrom.studio.recent import Recent
from photochrom.studio.sessions import Sessions


def test_what_was_used_last_is_kept_and_made_once() -> None:
    kept, made = Recent[str, str](2, len), list[str]()

    def get(key: str) -> str:
        return kept.get(key, lambda: made.append(key) or key.upper())

    assert [get(key) for key in "abacab"] == ["A", "B", "A", "C", "A", "B"]
    assert made == ["a", "b", "c", "b"]


def test_what_cannot_be_made_is_not_kept() -> None:
    kept = Recent[str, str](2, len)
    with pytest.raises(ZeroDivisionError):
        kept.get("a", lambda: str(1 / 0))
    assert kept.get("a", lambda: "now") == "now"


def test_bytes_are_counted_however_large_and_often_values_come() -> None:
    kept, rng = Recent[int, bytes](1000, len), np.random.default_rng(5)
    for key, size in zip(rng.integers(0, 40, 500), rng.integers(1, 400, 500), strict=True):
        value = kept.get(int(key), lambda size=size: bytes(int(size)))
        assert kept.held_bytes == sum(map(len, kept._values.values())) <= 1000
        assert kept.get(int(key), lambda: b"") is value  # what came last is there


def test_what_is_larger_than_all_the_room_is_handed_on_and_not_kept() -> None:
    kept = Recent[str, bytes](100, len)
    assert len(kept.get("large", lambda: bytes(101))) == 101
    assert kept.held_bytes == 0
    assert kept.get("large", lambda: b"again") == b"again"


def test_what_two_make_at_a_time_is_counted_once() -> None:
    kept, both = Recent[str, bytes](100, len), threading.Barrier(2, timeout=10)

    def make() -> bytes:
        both.wait()
        return bytes(30)

    found: list[bytes] = []
    threads = [threading.Thread(target=lambda: found.append(kept.get("a", make))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert found[0] is found[1]
    assert kept.held_bytes == 30


def test_a_wall_of_any_length_holds_no_more_small_copies_than_there_is_room_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SMALL_BYTES", 50_000)
    looks = Looks(Sessions(), Limits())
    folders = [tmp_path / str(k) for k in range(12)]
    for k, folder in enumerate(folders):
        folder.mkdir()
        looks.keep_small(Photo(np.full((100, 90, 1), k, np.uint8)), folder)
        assert looks.held_bytes <= 50_000
    assert looks.held_bytes == 5 * 9_000
    for k, folder in enumerate(folders):  # the others are read again
        assert np.array_equal(looks.small_of(folder).pixels, np.full((100, 90, 1), k))
    assert looks.held_bytes == 5 * 9_000


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [(1, 1), (1, 9), (50, 1)])
def test_pictures_one_pixel_wide_or_high_stay_as_they_are(tmp_path: Path, size: tuple[int, int], channels: int) -> None:
    pixels = np.random.default_rng(4).integers(0, 255, (*size, channels), np.uint8)
    Looks(Sessions(), Limits()).keep_small(Photo(pixels), tmp_path)
    read = Looks(Sessions(), Limits()).small_of(tmp_path).pixels  # by another, which has to open the file
    assert np.array_equal(read, pixels)
    for shown in (module.sent(Photo(pixels)), module.encoded(Photo(pixels))):
        assert Image.open(io.BytesIO(shown)).size == (size[1], size[0])


class Counted:
    """Models of a server, of which one net counts how often it is run."""

    def __init__(self) -> None:
        self.net, self.runs = FakeEngine(hears=True), 0

    def engine(self, model: str) -> FakeEngine:
        return self.net

    def colorizer(self, options: ColorizeOptions, **_: object) -> Colorizer:
        self.runs += 1
        return Colorizer(engine=self.net, options=options)


def test_a_look_that_was_shown_is_kept_without_being_made_again_and_every_change_counts(tmp_path: Path) -> None:
    sessions = Counted()
    looks = Looks(sessions, Limits())  # type: ignore[arg-type]
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        looks.keep_small(Photo(np.random.default_rng(3).integers(0, 255, (60, 80, 1), np.uint8)), tmp_path / name)
    hint = {"point": [0.5, 0.5], "color": "navy"}
    shown = looks.run(tmp_path / "a", {"hints": [hint]})
    assert looks.run(tmp_path / "a", {"hints": [hint]}) is shown
    assert sessions.runs == 1
    for k, (name, look, changed) in enumerate(
        [
            ("b", {"hints": [hint]}, {}),  # another photograph of the same look
            ("a", {"hints": [hint | {"reach": 0.3}]}, {}),
            ("a", {"hints": [hint], "vividness": 1.2}, {}),
            ("a", {"hints": [hint]}, {"uncertainty": True}),
        ]
    ):
        looks.run(tmp_path / name, look, **changed)
        assert sessions.runs == 2 + k
    (tmp_path / "a" / "mask.png").write_bytes(b"drawn")
    assert looks.run(tmp_path / "a", {"hints": [hint]}) is not shown
    assert looks.run(tmp_path / "a", {"hints": [hint]}).confidence is None
    assert sessions.runs == 6
