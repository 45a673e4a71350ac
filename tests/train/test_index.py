import contextlib
import functools
import http.server
import io
import tarfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from photochrom.errors import TrainingError
from photochrom.train import index as index_module
from photochrom.train.index import count_braces, find_photos
from tests.train.conftest import encode, make_photo


class Quiet(http.server.SimpleHTTPRequestHandler):
    """A server of files that says nothing."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextlib.contextmanager
def serving(handler: Callable[..., http.server.BaseHTTPRequestHandler]) -> Iterator[str]:
    """Yield the address of a server that answers with ``handler``."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def write_shard(path: Path, names: list[str]) -> None:
    with tarfile.open(path, "w") as tar:
        for number, name in enumerate(names):
            data = encode(make_photo(number), "PNG")
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))


def test_imagenets_layout_is_found_in_a_stable_order(tmp_path: Path) -> None:
    for name in ("n02/b.JPEG", "n01/a.JPEG", "n01/deep/c.webp", "n01/notes.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    found = [place.file.removeprefix(f"{tmp_path}/") for place in find_photos((str(tmp_path),))]
    assert found == ["n01/a.JPEG", "n01/deep/c.webp", "n02/b.JPEG"]


def test_the_index_is_read_instead_of_the_folder_until_the_folder_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    write_shard(photos / "one.tar", ["a.png", "b.png"])
    (photos / "c.png").write_bytes(encode(make_photo(5), "PNG"))
    patterns = (str(photos), str(photos / "*.tar"))
    kept = tmp_path / "index"
    first = find_photos(patterns, kept)
    assert [place.member or Path(place.file).name for place in first] == ["c.png", "a.png", "b.png"]
    assert first[1].read() == encode(make_photo(0), "PNG")
    with monkeypatch.context() as patch:
        patch.setattr(index_module, "_places_in", lambda _root: pytest.fail("listed again"))
        assert find_photos(patterns, kept) == first
    (photos / "d.png").touch()
    assert len(find_photos(patterns, kept)) == 4
    kept.write_text("damaged")
    assert len(find_photos(patterns, kept)) == 4


def test_braces_count() -> None:
    assert count_braces("x-{08..11}.tar") == ["x-08.tar", "x-09.tar", "x-10.tar", "x-11.tar"]
    assert count_braces("x.tar") == ["x.tar"]


def test_shards_on_the_web_are_fetched_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHOTOCHROM_CACHE", str(tmp_path / "cache"))
    served = tmp_path / "served"
    served.mkdir()
    for number in range(2):
        write_shard(served / f"s-{number}.tar", [f"{number}.png"])

    with serving(functools.partial(Quiet, directory=str(served))) as address:
        assert [place.member for place in find_photos((f"{address}/s-{{0..1}}.tar",))] == ["0.png", "1.png"]
        with pytest.raises(TrainingError, match="cannot be downloaded"):
            find_photos((f"{address}/absent.tar",))
    again = find_photos((f"{address}/s-0.tar",))
    assert again[0].read() == encode(make_photo(0), "PNG")
    assert not list((tmp_path / "cache").rglob("*.partial"))


class Interrupted(http.server.BaseHTTPRequestHandler):
    """A server whose connection breaks in the middle of a shard."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "20480")
        self.end_headers()
        self.wfile.write(b"\0" * 10240)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_half_a_shard_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHOTOCHROM_CACHE", str(tmp_path / "cache"))
    said = r"ended after 10240 of 20480 bytes.*Try again"
    with serving(Interrupted) as address, pytest.raises(TrainingError, match=said):
        find_photos((f"{address}/s.tar",))
    assert not [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]


def test_a_signed_address_is_the_shard_that_its_path_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHOTOCHROM_CACHE", str(tmp_path / "cache"))
    write_shard(tmp_path / "s 0.tar", ["0.png"])
    handler = functools.partial(Quiet, directory=str(tmp_path))
    with serving(handler) as address:
        places = find_photos((f"{address}/s%200.tar?token=1/2",))
    assert [place.member for place in places] == ["0.png"]


def test_a_damaged_shard_is_named(tmp_path: Path) -> None:
    (tmp_path / "bad.tar").write_bytes(b"x" * 600)
    with pytest.raises(TrainingError, match=r"bad\.tar.*damaged"):
        find_photos((str(tmp_path / "bad.tar"),))
