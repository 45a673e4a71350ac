"""What is written anew, lent or taken away while somebody else looks at it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from photochrom.studio import looks
from photochrom.studio.looks import Looks
from photochrom.studio.store import write_again
from photochrom.studio.uploads import Uploads
from tests.studio.test_wall import Studio


@pytest.fixture(scope="module")
def studio(hearing_model: Path) -> Iterator[Studio]:
    one = Studio(hearing_model)
    yield one
    one.stop()


def lend(studio: Studio, photo: dict[str, Any], name: str, content: bytes) -> int:
    upload = studio.client.post("/v1/uploads", json={"name": name, "size": len(content)}).json()
    studio.client.put(upload["href"], content=content)
    return studio.client.post(f"/studio/photos/{photo['id']}/references", json={"upload": upload["id"]}).status_code


def test_a_picture_that_is_written_anew_while_it_is_fetched_comes_whole(studio: Studio, jpeg: bytes) -> None:
    photo = studio.hang("gran.jpg", jpeg)
    path = studio.desk.wall.folder_of(studio.desk.wall.find(photo["id"])) / "after.webp"
    contents, ends = [b"a" * 3_000, b"b" * 70_000], threading.Event()

    def write() -> None:
        while not ends.is_set():
            for content in contents:
                write_again(path, content)

    write_again(path, contents[0])
    writing = threading.Thread(target=write)
    writing.start()
    try:
        for _ in range(150):
            answer = studio.client.get(f"/studio/photos/{photo['id']}/after")
            assert (answer.status_code, answer.content in contents) == (200, True)
    finally:
        ends.set()
        writing.join(20)


def test_references_lent_at_once_are_all_kept(studio: Studio, jpeg: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    photo = studio.hang("gran.jpg", jpeg)
    hand_over = Uploads.hand_over

    def slowly(self: Uploads, *given: Any) -> tuple[str, str]:
        time.sleep(0.3)
        return hand_over(self, *given)

    monkeypatch.setattr(Uploads, "hand_over", slowly)
    monkeypatch.setattr(Looks, "lent", lambda *_: ())  # the tiny model knows no features
    answers = []
    threads = [
        threading.Thread(target=lambda name=name: answers.append(lend(studio, photo, name, jpeg)))
        for name in ("one.jpg", "two.jpg")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    item = studio.desk.wall.find(photo["id"])
    assert answers == [200, 200]
    assert sorted(item.references) == ["one.jpg", "two.jpg"]
    assert len(looks.references_in(studio.desk.wall.folder_of(item))) == 2


def test_references_taken_away_while_a_look_is_made_are_not_missed(
    studio: Studio, jpeg: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = studio.hang("gran.jpg", jpeg)
    folder = studio.desk.wall.folder_of(studio.desk.wall.find(photo["id"]))
    reference = folder / "reference-0.png"
    Image.fromarray(np.full((9, 9, 3), (90, 20, 20), np.uint8)).save(reference)

    def taken_away_and_read(self: Looks, path: Path, engine: object) -> Any:
        reference.unlink()
        return read(self, path, engine)

    read = Looks._read_places
    monkeypatch.setattr(Looks, "_read_places", taken_away_and_read)
    answer = studio.client.post(f"/studio/photos/{photo['id']}/preview", json={"vividness": 1.1})
    assert answer.status_code == 200, answer.text
