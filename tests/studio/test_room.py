"""The store counts what lies in it, and makes room by removing what has had its time."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from photochrom.studio import uploads
from photochrom.studio.desk import Desk
from photochrom.studio.options import ServerOptions
from photochrom.studio.parts import Parts
from photochrom.studio.store import Store
from tests.studio.conftest import Running
from tests.studio.test_api import ended
from tests.studio.test_darkroom import until

Serve = Callable[..., Running]


def lies_in(folder: Path) -> int:
    return sum(path.stat().st_size for place in ("uploads", "jobs", "photos") for path in (folder / place).rglob("*.*"))


def counted(store: Store) -> int:
    return store.max_bytes - store.free_bytes


@pytest.mark.slow
def test_what_a_studio_makes_again_and_again_is_counted_once(hearing_model: Path, tmp_path: Path) -> None:
    (tmp_path / "album").mkdir()
    Image.fromarray(np.tile(np.arange(0, 240, 2, dtype=np.uint8), (90, 1))).save(tmp_path / "album" / "gran.png")
    parts = Parts.of(ServerOptions(port=0), models={"photochrom-color": hearing_model})
    desk = Desk(parts, tmp_path / "album")
    (item,) = desk.wall.all()
    until(lambda: desk.wall.find(item.id).state == "done")
    found, sizes = threading.Event(), list[int]()
    for vividness in (0.5, 1.0, 1.5):
        desk.change_look(item, {"vividness": vividness})
        desk.develop(item, save=False)
        until(lambda: desk.wall.find(item.id).full == "done")
        assert desk.darkroom.pyramid(item, "before") is not None
        sizes.append(counted(parts.store))
    assert max(sizes) - min(sizes) < 2_000  # of results alone, which are packed
    assert min(sizes) > 90 * 120 * 4  # before.tif and after.tif are not packed
    desk.find_damage(item, found.set)
    assert found.wait(60)
    desk.take_down(item)
    assert (counted(parts.store), list((parts.store.folder / "photos").iterdir())) == (0, [])
    desk.close()
    parts.close()


def test_a_full_size_result_that_does_not_fit_is_removed(hearing_model: Path, tmp_path: Path) -> None:
    (tmp_path / "album").mkdir()
    Image.fromarray(np.random.default_rng(1).integers(0, 255, (90, 120), np.uint8)).save(
        tmp_path / "album" / "gran.png"
    )
    parts = Parts.of(ServerOptions(port=0, max_store_bytes=50_000), models={"photochrom-color": hearing_model})
    desk = Desk(parts, tmp_path / "album")
    (item,) = desk.wall.all()
    until(lambda: desk.wall.find(item.id).state == "done")
    desk.develop(item, save=True)
    until(lambda: desk.wall.find(item.id).full == "failed")
    assert desk.wall.find(item.id).full_error.startswith("the studio's store is full")
    assert not (desk.wall.folder_of(item) / "results").exists()
    assert not (tmp_path / "album" / "gran-color.png").exists()
    desk.close()
    parts.close()


def test_jobs_that_have_had_their_time_make_room_before_the_next_body_comes(serve: Serve, jpeg: bytes) -> None:
    running = serve(max_store_bytes=20_000, keep_hours=0.1 / 3600)
    ended(running.client, running.client.post("/v1/jobs?model=tiny&format=png", content=jpeg).json())
    running.parts.store.take(running.parts.store.free_bytes, running.parts.store.folder / "jobs" / "another")
    time.sleep(0.15)
    assert running.client.post("/v1/jobs?model=tiny", content=jpeg).status_code == 202


def test_the_oldest_finished_jobs_are_removed_for_new_ones(serve: Serve, jpeg: bytes) -> None:
    running, jobs = serve(max_store_bytes=60_000), list[dict]()
    for _ in range(12):
        answer = running.client.post("/v1/jobs?model=tiny&format=png", content=jpeg)
        assert answer.status_code == 202, answer.text
        jobs.append(ended(running.client, answer.json()))
    assert [job["state"] for job in jobs] == ["done"] * 12
    left = [running.client.get(f"/v1/jobs/{job['id']}").status_code for job in jobs]
    assert (left[0], left[-1], sorted(left, reverse=True)) == (404, 200, left)
    assert counted(running.parts.store) <= 60_000


def test_a_result_that_does_not_fit_is_told_and_not_kept(serve: Serve, jpeg: bytes) -> None:
    running = serve(max_store_bytes=len(jpeg) + 4_000)
    answer = running.client.post("/v1/colorize?model=tiny&format=png", content=jpeg)
    assert (answer.status_code, answer.json()["detail"]) == (507, "the server's store is full. Come back later")
    assert running.parts.store.all("jobs") == []
    assert counted(running.parts.store) == 0


def test_uploads_that_were_given_up_make_room(serve: Serve, jpeg: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MOST_UPLOADS", 3)
    running = serve(keep_hours=1)
    given_up = [running.client.post("/v1/uploads", json={"name": "a.jpg"}).json() for _ in range(3)]
    assert running.client.post("/v1/uploads", json={"name": "a.jpg"}).status_code == 429
    for path in (running.parts.store.folder / "uploads" / given_up[0]["id"]).rglob("*"):
        os.utime(path, (1, 1))
    os.utime(running.parts.store.folder / "uploads" / given_up[0]["id"], (1, 1))
    upload = running.client.post("/v1/uploads", json={"name": "a.jpg"})
    assert upload.status_code == 201
    assert running.client.get(given_up[0]["href"]).status_code == 404
    assert running.client.get(given_up[1]["href"]).status_code == 200
    running.client.put(upload.json()["href"], content=jpeg)
    running.client.post("/v1/jobs", json={"task": "colorize", "upload": upload.json()["id"], "model": "tiny"})
    until(lambda: all(job.state == "done" for job in running.parts.jobs.all()))
    assert counted(running.parts.store) == pytest.approx(lies_in(running.parts.store.folder), abs=1_000)
