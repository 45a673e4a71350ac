"""Downloads from mirrors that truncate, lie, stall and wander off."""

from __future__ import annotations

import hashlib
import http.server
import io
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from photochrom.computer import downloads, systems
from photochrom.computer.downloads import PublishedFile, fetch
from photochrom.errors import ModelError

CONTENT = np.random.default_rng(0).bytes(3_000_000)
TIMEOUT_S = 0.5
IMPORT = "photochrom models import gen.pth"


class Mirror(http.server.BaseHTTPRequestHandler):
    """Answers as its path says."""

    requests: list[tuple[str, str | None]]

    def do_GET(self) -> None:
        asked = self.headers.get("Range")
        self.requests.append((self.path, asked))
        getattr(self, f"do_{self.path.strip('/')}")(int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0)

    def answer(self, body: bytes, start: int, promised: int | None = None) -> None:
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(CONTENT) - start if promised is None else promised))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}")
        self.end_headers()
        self.wfile.write(body)

    def do_good(self, start: int) -> None:
        self.answer(CONTENT[start:], start)

    def do_without_resume(self, start: int) -> None:
        self.answer(CONTENT, 0)

    def do_truncates(self, start: int) -> None:
        self.answer(CONTENT[start : start + 1_200_000], start)
        self.close_connection = True

    def do_lies(self, start: int) -> None:
        self.answer(bytes(len(CONTENT) - start), start)

    def do_other_size(self, start: int) -> None:
        self.answer(b"<html>quota exceeded</html>", 0, promised=27)

    def do_chunked_larger(self, start: int) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(CONTENT + b"more")

    def do_stalls(self, start: int) -> None:
        self.answer(CONTENT[start : start + 500_000], start)
        self.wfile.flush()
        time.sleep(3 * TIMEOUT_S)

    def do_silent(self, start: int) -> None:
        time.sleep(3 * TIMEOUT_S)

    def do_drips(self, start: int) -> None:
        self.answer(b"", start)
        for _ in range(40):
            self.wfile.write(b"x")
            self.wfile.flush()
            time.sleep(TIMEOUT_S / 5)

    def do_drips_headers(self, start: int) -> None:
        for letter in b"HTTP/1.1 200 OK\r\nA: " + b"b" * 20:
            self.wfile.write(bytes([letter]))
            self.wfile.flush()
            time.sleep(TIMEOUT_S / 5)

    def wrong_length(self, told: str) -> None:
        self.send_response(200)
        self.send_header("Content-Length", told)
        self.end_headers()
        self.wfile.write(CONTENT[:100])

    def do_wordy_length(self, start: int) -> None:
        self.wrong_length("many")

    def do_negative_length(self, start: int) -> None:
        self.wrong_length("-5")

    def do_long_length(self, start: int) -> None:
        self.wrong_length("9" * 5000)

    def do_two_lengths(self, start: int) -> None:
        self.wrong_length("3000000, 3000000")

    def do_missing(self, start: int) -> None:
        self.send_error(404)

    def do_wrong_part(self, start: int) -> None:
        self.send_response(206)
        self.send_header("Content-Range", f"bytes 0-9/{len(CONTENT)}")
        self.end_headers()

    def do_loop(self, start: int) -> None:
        self.redirect("/loop")

    def do_away(self, start: int) -> None:
        self.redirect("/good")

    def do_to_a_file(self, start: int) -> None:
        self.redirect("file:///etc/passwd")

    def redirect(self, target: str) -> None:
        self.send_response(302)
        self.send_header("Location", target)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    Mirror.requests = []
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Mirror) as running:
        running.handle_error = lambda *_: None  # type: ignore[method-assign] # a client that hangs up is the point
        running.daemon_threads = True
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join(60)


Wanted = Callable[..., PublishedFile]


@pytest.fixture
def wanted(server: str, monkeypatch: pytest.MonkeyPatch) -> Wanted:
    for variable in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(variable, raising=False)

    def make(*paths: str) -> PublishedFile:
        urls = tuple(path if "://" in path else f"{server}/{path}" for path in paths)
        return PublishedFile("test", "gen.pth", len(CONTENT), hashlib.sha256(CONTENT).hexdigest(), urls, IMPORT)

    return make


BAD_WAYS = (
    "missing lies other_size chunked_larger stalls silent wrong_part loop to_a_file drips drips_headers wordy_length "
    "negative_length long_length two_lengths"
)


@pytest.mark.slow
@pytest.mark.parametrize("bad", BAD_WAYS.split())
def test_the_next_mirror_is_tried(wanted: Wanted, tmp_path: Path, bad: str) -> None:
    path = fetch(wanted(bad, "good"), tmp_path, timeout_s=TIMEOUT_S)
    assert path.read_bytes() == CONTENT
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("way", ["good", "away", "truncates", "without_resume"])
def test_one_mirror_is_enough(wanted: Wanted, tmp_path: Path, way: str) -> None:
    assert fetch(wanted(way), tmp_path, timeout_s=TIMEOUT_S).read_bytes() == CONTENT


def test_a_truncated_download_goes_on_where_it_broke(wanted: Wanted, tmp_path: Path) -> None:
    seen: list[int] = []
    fetch(wanted("truncates"), tmp_path, timeout_s=TIMEOUT_S, progress=lambda done, _: seen.append(done))
    assert [asked for _, asked in Mirror.requests] == [None, "bytes=1200000-", "bytes=2400000-"]
    assert seen == sorted(seen)
    assert seen[-1] == len(CONTENT)


@pytest.mark.parametrize(("way", "asked"), [("good", "bytes=1000-"), ("away", "bytes=1000-")])
def test_an_earlier_part_is_continued(wanted: Wanted, tmp_path: Path, way: str, asked: str) -> None:
    (tmp_path / "gen.pth.part").write_bytes(CONTENT[:1000])
    assert fetch(wanted(way), tmp_path, timeout_s=TIMEOUT_S).read_bytes() == CONTENT
    assert Mirror.requests[-1] == ("/good", asked)


def test_a_mirror_without_resume_starts_again(wanted: Wanted, tmp_path: Path) -> None:
    (tmp_path / "gen.pth.part").write_bytes(bytes(1000))
    assert fetch(wanted("without_resume"), tmp_path, timeout_s=TIMEOUT_S).read_bytes() == CONTENT


@pytest.mark.parametrize("part", [bytes(1000), bytes(len(CONTENT)), bytes(len(CONTENT) + 1)])
def test_a_wrong_part_is_thrown_away(wanted: Wanted, tmp_path: Path, part: bytes) -> None:
    (tmp_path / "gen.pth.part").write_bytes(part)
    assert fetch(wanted("good", "good"), tmp_path, timeout_s=TIMEOUT_S).read_bytes() == CONTENT


def test_two_processes_do_not_write_one_part(wanted: Wanted, tmp_path: Path) -> None:
    (tmp_path / "gen.pth.part").write_bytes(CONTENT[:1000])
    with (tmp_path / "gen.pth.lock").open("wb") as other:
        assert systems.hold_lock(other.fileno())
        with pytest.raises(ModelError, match=r"^test: another process is downloading it\. Wait for it"):
            fetch(wanted("good"), tmp_path, timeout_s=TIMEOUT_S)
    assert (tmp_path / "gen.pth.part").read_bytes() == CONTENT[:1000]
    path = fetch(wanted("good"), tmp_path, timeout_s=TIMEOUT_S)  # what a killed process left holds nothing
    assert list(tmp_path.iterdir()) == [path]


def test_a_complete_file_needs_no_mirror(wanted: Wanted, tmp_path: Path) -> None:
    (tmp_path / "gen.pth").write_bytes(CONTENT)
    assert fetch(wanted(), tmp_path).read_bytes() == CONTENT


def test_when_all_fail_one_line_says_why_for_each_and_the_part_stays(wanted: Wanted, tmp_path: Path) -> None:
    nobody = "http://127.0.0.1:9/gen.pth"
    with pytest.raises(ModelError) as caught:
        fetch(wanted("missing", "stalls", nobody), tmp_path, timeout_s=TIMEOUT_S)
    line = str(caught.value)
    assert "HTTP 404" in line
    assert "stopped answering" in line
    assert "cannot be reached" in line
    assert "models import gen.pth" in line
    assert "\n" not in line
    assert (tmp_path / "gen.pth.part").stat().st_size >= 500_000
    assert not (tmp_path / "gen.pth").exists()


def test_the_proxy_of_the_environment_is_used(
    wanted: Wanted, server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", server)
    monkeypatch.setattr(Mirror, "do_http:", None, raising=False)
    with pytest.raises(ModelError):  # the test's proxy serves nothing; what matters is that it was asked
        fetch(wanted("http://mirror.invalid/gen.pth"), tmp_path, timeout_s=TIMEOUT_S)
    assert Mirror.requests[0][0] == "http://mirror.invalid/gen.pth"


def test_redirects_never_leave_encryption() -> None:
    request = downloads.urllib.request.Request("https://example.org/a")
    with pytest.raises(downloads.MirrorError, match="from https to http"):
        downloads._CautiousRedirects().redirect_request(request, io.BytesIO(), 302, "", {}, "http://example.org/a")


def test_a_full_disk_is_one_line(wanted: Wanted, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ModelError, match="cannot be written"):
        fetch(wanted("good"), tmp_path / "file")
