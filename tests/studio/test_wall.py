"""The studio behind the page: wall, looks, masks, tiles, films and results, without a browser."""

from __future__ import annotations

import hashlib
import io
import json
import re
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image

from photochrom.albums.manifest import MANIFEST_NAME, Manifest
from photochrom.cli.app import run
from photochrom.errors import EXIT_OK
from photochrom.files.reading import open_photo
from photochrom.hints.sheet import read_hints
from photochrom.options import Limits
from photochrom.studio.album import AlbumFile, zipped
from photochrom.studio.desk import Desk
from photochrom.studio.masks import checked_strokes
from photochrom.studio.options import ServerOptions
from photochrom.studio.pages import PAGE, Pages
from photochrom.studio.parts import Parts
from photochrom.studio.server import make_server, open_socket
from tests.studio.conftest import PLAIN


class Studio:
    """A studio, its desk, and a client that is let in."""

    def __init__(self, model: Path, folder: Path | None = None) -> None:
        self.parts = Parts.of(ServerOptions(port=0), Limits(), models={"photochrom-color": model})
        self.desk = Desk(self.parts, folder)
        listening, ready = open_socket(self.parts.options), threading.Event()
        told: list[str] = []

        def tell(*given: str) -> None:
            told.extend(given)
            ready.set()

        self._server = make_server(self.parts, listening=listening, ready=tell, routes=Pages(self.desk).routes)
        self._thread = threading.Thread(target=self._server.serve_all, daemon=True)
        self._thread.start()
        assert ready.wait(20)
        headers = {"Authorization": f"Bearer {told[1]}"}
        self.client = httpx.Client(base_url=told[0], headers=headers, timeout=60, trust_env=False, verify=PLAIN)
        self._listening = listening

    def hang(self, name: str, content: bytes) -> dict:
        upload = self.client.post("/v1/uploads", json={"name": name, "size": len(content)}).json()
        self.client.put(upload["href"], content=content)
        return self.wait(self.client.post("/studio/photos", json={"upload": upload["id"]}).json()["id"])

    def wait(self, identity: str, name: str = "state", ended: tuple[str, ...] = ("done", "failed")) -> dict:
        until = time.monotonic() + 60
        while time.monotonic() < until:
            told = self.desk.wall.find(identity).told()
            if told[name] in ended:
                return told
            time.sleep(0.02)
        raise AssertionError(told)

    def stop(self) -> None:
        self.client.close()
        self._server.should_exit = True
        self._thread.join(20)
        self._listening.close()
        self.parts.close()


@pytest.fixture(scope="module")
def studio(hearing_model: Path) -> Iterator[Studio]:
    one = Studio(hearing_model)
    yield one
    one.stop()


@pytest.fixture
def with_folder(hearing_model: Path) -> Iterator[Callable[[Path], Studio]]:
    started: list[Studio] = []

    def start(folder: Path) -> Studio:
        started.append(Studio(hearing_model, folder))
        return started[-1]

    yield start
    for one in started:
        one.stop()


@pytest.mark.slow
def test_a_photograph_is_hung_looked_at_and_changed(studio: Studio, jpeg: bytes) -> None:
    photo = studio.hang("gran.jpg", jpeg)
    assert (photo["state"], photo["width"], photo["height"], photo["revision"]) == ("done", 128, 96, 1)
    assert "path" not in photo
    base = f"/studio/photos/{photo['id']}"
    for side in ("before", "after", "thumbnail"):
        answer = studio.client.get(f"{base}/{side}?r=1")
        assert Image.open(io.BytesIO(answer.content)).size == (128, 96)
        assert "immutable" in answer.headers["cache-control"]
    look = {"vividness": 1.5, "hints": [{"point": [0.5, 0.5], "color": "red", "reach": 0.4}]}
    shown = studio.client.post(f"{base}/preview", json=look)
    assert json.loads(shown.headers["photochrom-notes"])
    hinted = np.asarray(Image.open(io.BytesIO(shown.content)).convert("RGB")).astype(int)
    assert (hinted[48, 64, 0] - hinted[48, 64, 2]) > 60
    told = studio.client.put(f"{base}/look", json=look).json()
    assert told["look"] == look
    assert studio.wait(photo["id"])["revision"] == 2
    sheet = studio.client.get(f"{base}/hints.json")
    assert json.loads(sheet.content)["photo"]["width"] == 128
    wrong = studio.client.put(f"{base}/look", json={"vividness": 7})
    assert (wrong.status_code, wrong.json()["detail"].startswith("vividness: should be")) == (422, True)
    assert studio.client.delete(base).status_code == 204
    assert studio.client.get(f"{base}/after").status_code == 404


def test_questions_versions_and_doubts_answer(studio: Studio, jpeg: bytes) -> None:
    base = f"/studio/photos/{studio.hang('gran.jpg', jpeg)['id']}"
    questions = studio.client.post(f"{base}/questions", json={}).json()["questions"]
    assert all(2 <= len(question["choices"]) <= 4 for question in questions)
    versions = studio.client.post(f"{base}/versions", json={}).json()["versions"]
    assert versions[0]["picture"].startswith("data:image/webp;base64,")
    doubt = Image.open(io.BytesIO(studio.client.post(f"{base}/uncertainty", json={}).content))
    assert (doubt.mode, doubt.size) == ("RGBA", (128, 96))


def test_a_reference_without_colours_is_refused_and_not_kept(studio: Studio, jpeg: bytes) -> None:
    photo = studio.hang("gran.jpg", jpeg)
    upload = studio.client.post("/v1/uploads", json={"name": "grey.jpg", "size": len(jpeg)}).json()
    studio.client.put(upload["href"], content=jpeg)
    answer = studio.client.post(f"/studio/photos/{photo['id']}/references", json={"upload": upload["id"]})
    assert answer.status_code == 422
    assert "has no colours to take" in answer.json()["detail"]
    assert studio.client.post(f"/studio/photos/{photo['id']}/preview", json={}).status_code == 200


@pytest.mark.slow
def test_a_result_is_the_command_lines_and_its_tiles_show_every_pixel(
    studio: Studio, tmp_path: Path, hearing_model: Path
) -> None:
    rows, columns = np.mgrid[:700, :1100]
    grey = ((rows * 3 + columns * 5) % 256).astype(np.uint8)
    Image.fromarray(grey).save(tmp_path / "wide.png")
    photo = studio.hang("wide.png", (tmp_path / "wide.png").read_bytes())
    base = f"/studio/photos/{photo['id']}"
    assert studio.client.get(f"{base}/tiles/after/0/0/0").status_code == 404
    assert studio.client.post(f"{base}/save", json={}).status_code == 202
    assert studio.wait(photo["id"], "full")["full_error"] == ""
    made = studio.client.get(f"{base}/files/result").content
    assert run(["colorize", str(tmp_path / "wide.png"), "--model", str(hearing_model), "--quiet"]) == EXIT_OK
    assert made == (tmp_path / "wide-color.png").read_bytes()
    whole = open_photo(tmp_path / "wide-color.png").pixels
    for column, row in [(0, 0), (2, 1)]:
        part = np.asarray(Image.open(io.BytesIO(studio.client.get(f"{base}/tiles/after/0/{column}/{row}").content)))
        assert (part == whole[row * 512 : row * 512 + 512, column * 512 : column * 512 + 512]).all()
        part = np.asarray(Image.open(io.BytesIO(studio.client.get(f"{base}/tiles/before/0/{column}/{row}").content)))
        assert (part == grey[row * 512 : row * 512 + 512, column * 512 : column * 512 + 512]).all()
    half = studio.client.get(f"{base}/tiles/after/1/0/0")
    assert Image.open(io.BytesIO(half.content)).size == (512, 350)
    for wrong in ["after/0/9/0", "after/9/0/0", "middle/0/0/0"]:
        assert studio.client.get(f"{base}/tiles/{wrong}").status_code == 404
    for item in studio.desk.wall.all():
        if item.id != photo["id"]:
            studio.desk.wall.remove(item.id)
    archive = zipfile.ZipFile(io.BytesIO(studio.client.get("/studio/album.zip").content))
    assert archive.read("wide-color.png") == made
    (tmp_path / "in").mkdir()
    (tmp_path / "wide.png").rename(tmp_path / "in" / "wide.png")
    archive.extractall(tmp_path / "out")
    assert run(["albums", "check", str(tmp_path / "in"), str(tmp_path / "out")]) == 0


@pytest.mark.slow
def test_the_mask_is_found_at_full_size_and_corrected_by_strokes(studio: Studio, jpeg: bytes) -> None:
    photo = studio.hang("gran.jpg", jpeg)
    base = f"/studio/photos/{photo['id']}"
    early = studio.client.put(f"{base}/mask", json={"strokes": [{"mode": "add", "points": [[0.5, 0.5]]}]})
    assert "has not been searched for yet" in early.json()["detail"]
    assert studio.client.post(f"{base}/mask", json={}).status_code == 200
    strokes = [
        {"mode": "add", "points": [[0.2, 0.5], [0.8, 0.5]], "width": 0.1},
        {"mode": "remove", "points": [[0.5, 0.5]], "width": 0.3},
    ]
    told = studio.client.put(f"{base}/mask", json={"strokes": strokes})
    alpha = np.asarray(Image.open(io.BytesIO(told.content)))[..., 3]
    assert alpha[48, 30] > 0
    assert alpha[48, 64] == 0
    studio.client.put(f"{base}/look", json={"restore": True, "noise": "never", "tone": "never"})
    studio.client.post(f"{base}/save", json={})
    done = studio.wait(photo["id"], "full")
    recipe = json.loads(studio.client.get(f"{base}/files/recipe").content)
    assert (done["full"], len(recipe["settings"]["restore"]["mask_sha256"])) == ("done", 64)


def test_wrong_strokes_are_told() -> None:
    from photochrom.errors import OptionError

    for wrong in ["x", [1], [{"mode": "draw", "points": [[0, 0]]}], [{"mode": "add", "points": []}], [{}] * 5000]:
        with pytest.raises(OptionError):
            checked_strokes(wrong)


@pytest.mark.slow
def test_a_folder_hangs_with_its_hints_and_results_lie_beside(
    with_folder: Callable[[Path], Studio], make_photo: Callable[..., Path], tmp_path: Path
) -> None:
    first = make_photo("album/gran.png")
    make_photo("album/sub/house.png")
    make_photo("album/gran-color.png")
    (tmp_path / "album" / "gran.hints.json").write_text(
        '{"photochrom_hints": 1, "hints": [{"point": [0.5, 0.5], "color": "navy"}]}'
    )
    before = first.read_bytes()
    studio = with_folder(tmp_path / "album")
    items = {item.name: item for item in studio.desk.wall.all()}
    assert sorted(items) == ["gran.png", "sub/house.png"]
    gran = studio.wait(items["gran.png"].id)
    assert gran["look"]["hints"] == [{"point": [0.5, 0.5], "color": "navy"}]
    base = f"/studio/photos/{gran['id']}"
    studio.client.put(f"{base}/look", json={"hints": [*gran["look"]["hints"], {"point": [0.1, 0.1], "color": "red"}]})
    assert len(read_hints(tmp_path / "album" / "gran.hints.json", open_photo(first)).hints) == 2
    studio.client.post(f"{base}/save", json={})
    studio.wait(gran["id"], "full")
    assert "gran-color.png: exists already" in studio.desk.wall.find(gran["id"]).full_error
    studio.client.post(f"{base}/save", json={"overwrite": True})
    assert studio.desk.wall.find(gran["id"]).saved == "gran-color.png"
    manifest = Manifest.of(tmp_path / "album")
    assert [entry.key for entry in manifest.entries["gran.png"]] == ["gran.png"]
    assert manifest.made("gran-color.png")
    assert first.read_bytes() == before
    studio.client.put(f"{base}/look", json={"hints": []})
    assert not (tmp_path / "album" / "gran.hints.json").exists()


def test_two_studios_on_one_folder_never_cost_each_other_a_result(
    with_folder: Callable[[Path], Studio], make_photo: Callable[..., Path], tmp_path: Path
) -> None:
    make_photo("album/gran.png")
    told = []
    for studio in (with_folder(tmp_path / "album"), with_folder(tmp_path / "album")):
        photo = studio.wait(studio.desk.wall.all()[0].id)
        studio.client.post(f"/studio/photos/{photo['id']}/save", json={})
        made = studio.wait(photo["id"], "full")
        told.append((made["saved"], made["full_error"]))
    assert told[0] == ("gran-color.png", "")
    assert told[1][1].startswith("gran-color.png: exists already")


def test_news_of_an_album_tell_from_which_change_on_they_know_of_it(
    with_folder: Callable[[Path], Studio], make_photo: Callable[..., Path], tmp_path: Path
) -> None:
    for name in ("gran", "house"):
        make_photo(f"album/{name}.png")
    (tmp_path / "album" / "house-color.png").write_bytes(b"somebody's own")
    studio, photos = with_folder(tmp_path / "album"), {}
    for item in studio.desk.wall.all():
        studio.wait(item.id)
    with httpx.stream("GET", f"{studio.client.base_url}studio/events", headers=studio.client.headers) as events:
        begun = studio.client.post("/studio/album", json={"save": True}).json()["changes_made"]
        for line in events.iter_lines():
            if not line.startswith("data: "):
                continue
            news = json.loads(line[6:])
            photos |= {photo["name"]: photo for photo in news["changed"]}
            asked = [photo for photo in photos.values() if photo["full"]]
            # What is done is written too, or tells why it is not: a page may end its waiting with it.
            assert all(photo["full"] == "working" or photo["saved"] + photo["full_error"] for photo in asked)
            if news["changes_made"] >= begun:
                assert len(asked) == 2
                if all(photo["full"] == "done" for photo in asked):
                    break
    assert photos["gran.png"]["saved"] == "gran-color.png"
    assert photos["house.png"]["full_error"].startswith("house-color.png: exists already")


def test_a_look_is_not_changed_by_who_does_not_know_of_the_last_change(studio: Studio, jpeg: bytes) -> None:
    base = f"/studio/photos/{studio.hang('gran.jpg', jpeg)['id']}"
    hint = {"point": [0.5, 0.5], "color": "red"}
    told = studio.client.put(f"{base}/look", json={"hints": [hint]}, headers={"Photochrom-Asked": "0"}).json()
    assert (told["asked"], told["look"]) == (1, {"hints": [hint]})
    late = studio.client.put(f"{base}/look", json={"vividness": 1.5}, headers={"Photochrom-Asked": "0"})
    assert (late.status_code, late.json()["detail"]) == (
        409, "gran.jpg: was changed meanwhile. Look at it as it is now",
    )  # fmt: skip
    now = studio.client.get(f"{base}/look").json()
    assert (now["asked"], now["look"]) == (1, {"hints": [hint]})
    assert studio.client.put(f"{base}/look", json={}, headers={"Photochrom-Asked": "x"}).status_code == 422
    assert studio.client.put(f"{base}/look", json={"vividness": 1.5}).json()["asked"] == 2


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("gran.jpg", 'attachment; filename="gran.hints.json"'),
        ("Großmutter.jpg", "attachment; filename*=UTF-8''Gro%C3%9Fmutter.hints.json"),
        ('so "called".jpg', "attachment; filename*=UTF-8''so%20%22called%22.hints.json"),
    ],
)
def test_hints_are_downloaded_by_the_photographs_name(studio: Studio, jpeg: bytes, name: str, told: str) -> None:
    photo = studio.hang(name, jpeg)
    answer = studio.client.get(f"/studio/photos/{photo['id']}/hints.json")
    assert answer.headers["content-disposition"] == told


def test_the_first_news_tell_of_all_and_say_so(studio: Studio, jpeg: bytes) -> None:
    photo, told = studio.hang("gran.jpg", jpeg), list[dict]()
    with httpx.stream("GET", f"{studio.client.base_url}studio/events", headers=studio.client.headers) as events:
        for line in events.iter_lines():
            if not line.startswith("data: "):
                continue
            told.append(json.loads(line[6:]))
            if len(told) == 1:
                studio.desk.wall.remove(photo["id"])
            if photo["id"] in told[-1]["removed"]:
                break
    assert [news["whole"] for news in told] == [True] + [False] * (len(told) - 1)
    assert {one["id"] for one in told[0]["changed"]} >= {photo["id"]}


def test_the_page_is_whole_and_nothing_else_is_served(studio: Studio) -> None:
    index = studio.client.get("/")
    assert index.status_code == 200
    for path in ["main.js", "table.js", "faults.js", "viewer.js", "words.js", "style.css", "mark.svg"]:
        assert studio.client.get(f"/page/{path}").status_code == 200
    for path in ["../desk.py", "..%2fdesk.py", "%2e%2e/security.py", "nothing.js", ""]:
        assert studio.client.get(f"/page/{path}").status_code == 404
    assert "http" not in index.text.replace("http-equiv", "")


def test_the_page_without_a_server_is_handed_out_too(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    from photochrom.webpage.runtime import BrowserRuntime

    monkeypatch.setattr("photochrom.studio.plain.read_runtime", lambda: BrowserRuntime(b"export {};", b"\0asm"))
    index = studio.client.get("/try/")
    assert (index.status_code, index.headers["content-type"]) == (200, "text/html; charset=utf-8")
    named = re.findall(r'(?:src|href)="([^"]+)"', index.text)
    assert [studio.client.get(f"/try/{path}").status_code for path in named] == [200] * len(named)
    release = next(path for path in named if path.endswith("main.js")).partition("/")[0]
    settings = studio.client.get(f"/try/{release}/page.json").json()
    assert settings["keep"] is False
    assert studio.client.get(f"/try/{release}/{settings['model']['path']}").status_code == 200
    for wrong in ["../desk.py", "%2e%2e/desk.py", "nothing.js"]:
        assert studio.client.get(f"/try/{wrong}").status_code == 404


def test_every_sentence_of_the_page_is_there_in_every_language() -> None:
    scripts = {path.name: path.read_text(encoding="utf-8") for path in PAGE.glob("*.js")}
    words = {
        key: json.loads(row) for key, row in re.findall(r"^  (\w+): (\[.*\]),$", scripts["words.js"], re.MULTILINE)
    }
    assert len(words) > 60
    for row in words.values():
        assert len(row) == 3
        assert all(row)
        assert len({tuple(sorted(re.findall(r"\{\w+\}", text))) for text in row}) == 1
    rest = "".join(text for name, text in scripts.items() if name != "words.js")
    said = set(re.findall(r't\("(\w+)"', rest + scripts["words.js"])) | set(re.findall(r'"(\w+)"', rest))
    assert sorted(words.keys() - said) == []
    assert sorted(set(re.findall(r'\bt\("(\w+)"', rest)) - words.keys()) == []


def test_an_album_tells_names_that_occur_twice_apart(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"one")
    (tmp_path / "b").write_bytes(b"two")
    files = [AlbumFile("x.jpg", tmp_path / "a", "x.jpg"), AlbumFile("X.jpg", tmp_path / "b", "X.jpg")]
    archive = zipfile.ZipFile(io.BytesIO(b"".join(zipped(files))))
    content = {name: archive.read(name) for name in archive.namelist()}
    assert content == {"x.jpg": b"one", "X-2.jpg": b"two", MANIFEST_NAME: b""}


@pytest.mark.slow
def test_a_film_hangs_with_its_shots_and_is_coloured_as_its_frames_say(
    with_folder: Callable[[Path], Studio], tmp_path: Path
) -> None:
    from tests.film.films import two_shots, write_film

    (tmp_path / "films").mkdir()
    write_film(tmp_path / "films" / "reel.mkv", two_shots(6))
    studio = with_folder(tmp_path / "films")
    film = studio.wait(studio.desk.wall.all()[0].id)
    assert (film["state"], film["kind"], film["error"]) == ("done", "film", "")
    base = f"/studio/photos/{film['id']}"
    assert save_all(studio) == {"films_left": ["reel.mkv"], "left_out": [], "begun": []}
    shots = shots_of(studio, film["id"])
    assert [(begin, round(end, 3)) for begin, end, _ in shots] == [(0.0, 0.24), (0.24, 0.48)]
    assert Image.open(io.BytesIO(studio.client.get(f"{base}/shots/1").content)).size == (96, 64)
    assert studio.client.get(f"{base}/shots/2").status_code == 404
    first = studio.client.post(f"{base}/frames", json={"at_s": shots[0][2]}).json()["frame"]
    assert (first, film["frame"]) == ("0.120", "0.240")
    said = [{"point": [0.5, 0.5], "color": "red", "reach": 0.5}]
    look = {"vividness": 0.8, "frames": {first: said, film["frame"]: said}}
    for frame in (first, film["frame"]):
        shown = studio.client.post(f"{base}/preview?frame={frame}", json=look)
        pixels = np.asarray(Image.open(io.BytesIO(shown.content)), dtype=int)
        assert pixels[32, 48, 0] - pixels[32, 48, 2] > 40
    plain = studio.client.post(f"{base}/preview?frame={first}", json={"frames": {film["frame"]: said}})
    pixels = np.asarray(Image.open(io.BytesIO(plain.content)), dtype=int)
    assert pixels[32, 48, 0] - pixels[32, 48, 2] < 40
    for wrong in ["../../x", "9.000", "1", "nan"]:
        assert studio.client.get(f"{base}/before", params={"frame": wrong}).status_code == 404
    for wrong in [{"frames": 3}, {"frames": {"x": said}}, {"frames": {"0.100": [{"color": "red"}]}}]:
        assert studio.client.put(f"{base}/look", json=wrong).status_code == 422
    assert studio.client.put(f"{base}/look", json=look).status_code == 200
    studio.client.post(f"{base}/save", json={})
    done = studio.wait(film["id"], "full")
    assert (done["full"], done["full_error"]) == ("done", "")
    assert (tmp_path / "films" / "reel-color.mp4").stat().st_size > 0
    assert "hints followed in 2 frames" in studio.desk.wall.find(film["id"]).notes
    saved = (tmp_path / "films" / "reel-color.mp4").read_bytes()
    assert save_all(studio) == {"films_left": [], "left_out": [], "begun": [film["id"]]}
    assert studio.desk.wall.find(film["id"]).full_error == ""  # it was saved, and is not written over itself
    archive = zipfile.ZipFile(io.BytesIO(studio.client.get("/studio/album.zip").content))
    assert archive.read("reel-color.mp4") == saved
    archive.extract(MANIFEST_NAME, tmp_path)
    for folder in (tmp_path, tmp_path / "films"):
        (entry,) = Manifest.of(folder).entries["reel.mkv"]
        assert (entry.target, entry.promise) == ("reel-color.mp4", (hashlib.sha256(saved).hexdigest(), len(saved)))


def test_saving_all_takes_what_waits_and_names_what_it_leaves_out(studio: Studio, jpeg: bytes) -> None:
    for item in studio.desk.wall.all():
        studio.desk.wall.remove(item.id)
    waiting, stopped = studio.hang("gran.jpg", jpeg)["id"], studio.hang("house.jpg", jpeg)["id"]
    broken = studio.hang("broken.jpg", b"\xff\xd8\xff\xe0 no picture")["id"]
    for identity, state in [(waiting, "waiting"), (stopped, "stopped")]:
        studio.desk.wall.change(studio.desk.wall.find(identity), state=state)
    answer = save_all(studio)
    assert (answer["films_left"], answer["begun"]) == ([], [waiting])
    assert [(one["id"], one["name"], one["kind"]) for one in answer["left_out"]] == [
        (stopped, "house.jpg", ""), (broken, "broken.jpg", "UnreadablePhotoError"),
    ]  # fmt: skip
    assert answer["left_out"][0]["why"] == "house.jpg: stopped"
    assert answer["left_out"][1]["why"].startswith("broken.jpg: this JPEG file is damaged")
    assert studio.wait(waiting, "full")["full"] == "done"


def save_all(studio: Studio) -> dict:
    """What saving all answers, but for the number of changes so far, which is right."""
    before = studio.desk.wall.changes_made
    answer = studio.client.post("/studio/album", json={"save": True}).json()
    assert before <= answer.pop("changes_made") <= studio.desk.wall.changes_made
    return answer


def shots_of(studio: Studio, identity: str) -> tuple[tuple[float, float, float], ...]:
    """The shots of a film of two, once they are found."""
    until = time.monotonic() + 60
    while len(studio.desk.wall.find(identity).shots) < 2:
        assert time.monotonic() < until
        time.sleep(0.02)
    return studio.desk.wall.find(identity).shots


@pytest.mark.slow
def test_three_hundred_photographs_hang_and_are_told_as_changes(studio: Studio, jpeg: bytes) -> None:
    for item in studio.desk.wall.all():
        studio.desk.wall.remove(item.id)
    with httpx.stream("GET", f"{studio.client.base_url}studio/events", headers=studio.client.headers) as events:
        for k in range(300):
            identity, folder = studio.parts.store.new("photos")
            (folder / "original.jpg").write_bytes(jpeg)
            studio.desk.wall.add(f"{k:03}.jpg", folder / "original.jpg", identity)
        done, told, received = set[str](), 0, 0
        for line in events.iter_lines():
            if not line.startswith("data: "):
                continue
            received += len(line)
            news = json.loads(line[6:])
            done |= {photo["id"] for photo in news["changed"] if photo["state"] == "done"}
            told += len(news["changed"])
            if len(done) == 300:
                break
    assert told <= 4 * 300
    assert received < 4 * 300 * 1500


@pytest.mark.slow
def test_a_hundred_megapixels_are_looked_at_down_to_the_pixel(studio: Studio, tmp_path: Path) -> None:
    row = (np.arange(12_000) % 251).astype(np.uint8)
    grey = np.broadcast_to(row, (8_400, 12_000)) // 2 + (np.arange(8_400) % 120).astype(np.uint8)[:, None]
    Image.fromarray(grey).save(tmp_path / "large.tif", compression="tiff_lzw")
    identity, folder = studio.parts.store.new("photos")
    (tmp_path / "large.tif").rename(folder / "original.tif")
    studio.desk.wall.add("large.tif", folder / "original.tif", identity)
    assert studio.wait(identity)["width"] == 12_000
    base = f"/studio/photos/{identity}"
    tile = np.asarray(Image.open(io.BytesIO(studio.client.get(f"{base}/tiles/before/0/20/15").content)))
    assert (tile == grey[15 * 512 : 16 * 512, 20 * 512 : 21 * 512]).all()
    assert studio.client.get(f"{base}/tiles/before/5/0/0").status_code == 200
