"""Nobody gets in who is not meant to, and nobody who is in can bring the house down."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import stat
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from photochrom.cli.app import run
from photochrom.errors import EXIT_USAGE, OptionError
from photochrom.options import Limits
from photochrom.studio import bodies, security, server, store
from photochrom.studio.app import build_app
from photochrom.studio.options import ServerOptions
from photochrom.studio.security import POLICY, token_of
from photochrom.studio.store import Store, shown_name
from tests.studio.conftest import PLAIN, Running
from tests.studio.test_api import ended

Serve = Callable[..., Running]
HEAD = "POST /v1/jobs HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\nContent-Length: 9000\r\n\r\n"


def host_of(running: Running) -> str:
    return urlsplit(running.address).netloc


@pytest.mark.parametrize("path", ["/v1/models", "/v1/jobs", "/openapi.json", "/", "/v1/jobs/x/files/result"])
@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer wrong", "Basic abc", "Bearer \xe9"])
def test_without_the_token_nothing_is_told(shared: Running, path: str, authorization: str) -> None:
    headers = {"Authorization": authorization.encode("latin-1")} if authorization else {}
    answer = httpx.get(shared.address.rstrip("/") + path, headers=headers, trust_env=False, verify=PLAIN)
    assert answer.status_code == 401
    assert shared.token not in answer.text


def test_answers_of_several_parts_are_not_held_back() -> None:
    with server.open_socket(ServerOptions(port=0)) as listening:
        listening.listen()
        with socket.create_connection(listening.getsockname(), timeout=5), listening.accept()[0] as accepted:
            assert accepted.proto == socket.IPPROTO_TCP  # by which asyncio knows that it may send at once


def test_the_opened_address_becomes_a_cookie_that_no_script_reads(shared: Running) -> None:
    answer = httpx.get(f"{shared.address}?token={shared.token}", trust_env=False, verify=PLAIN)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"]
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= {part.strip() for part in cookie.split(";")}
    name = cookie.partition("=")[0]
    assert name.endswith(host_of(shared).partition(":")[2])
    for value, status in [(shared.token, 200), ("wrong", 401)]:
        headers = {"Cookie": f"{name}={value}"}
        assert (
            httpx.get(f"{shared.address}v1/models", headers=headers, trust_env=False, verify=PLAIN).status_code
            == status
        )
    assert httpx.get(f"{shared.address}?token=wrong", trust_env=False, verify=PLAIN).status_code == 401
    assert httpx.get(f"{shared.address}v1/jobs?token={shared.token}", trust_env=False, verify=PLAIN).status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"},
    ],
)
def test_pages_of_others_are_told_from_ours(shared: Running, jpeg: bytes, headers: dict[str, str]) -> None:
    """With the token, as a browser would add the cookie."""
    assert shared.client.post("/v1/jobs", content=jpeg, headers=headers).status_code == 403
    assert shared.client.get("/v1/jobs", headers=headers).status_code == 403
    own = {"Origin": shared.address.rstrip("/"), "Sec-Fetch-Site": "same-origin"}
    assert shared.client.get("/v1/jobs", headers=own).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "", "127.0.0.1.:1"]
)
def test_names_that_others_let_point_here_are_refused(shared: Running, host: str) -> None:
    port = host_of(shared).partition(":")[2]
    answer = shared.client.get("/v1/jobs", headers={"Host": host.format(port=port)})
    assert answer.status_code == 421
    assert shared.client.get("/v1/jobs", headers={"Host": f"localhost:{port}"}).status_code == 200


def test_browsers_are_told_to_fetch_nothing_from_elsewhere(shared: Running) -> None:
    answer = shared.client.get("/v1/models")
    assert answer.headers["content-security-policy"] == POLICY
    assert "http" not in POLICY
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(
    "path",
    [
        "/v1/jobs/..%2f..%2fetc",
        "/v1/jobs/%2e%2e/files/result",
        "/v1/uploads/....................",
        "/v1/uploads/..%2Fjobs%2Fxxxxxxxxxxxx",
        "/v1/jobs/aaaaaaaaaaaaaaaaaaaa/files/..%2f..%2fjob.json",
        "/../../etc/passwd",
        "/v1/uploads/" + "a" * 5000,
    ],
)
def test_no_path_of_a_caller_is_opened(shared: Running, path: str) -> None:
    answer = shared.client.get(path)
    assert answer.status_code == 404
    assert "root:" not in answer.text


def test_names_of_callers_name_nothing_on_disk(shared: Running, jpeg: bytes) -> None:
    for name in [
        "../../../evil.jpg",
        "..\\..\\evil.jpg",
        "/etc/cron.d/evil.jpg",
        "a\nb\0c.jpg",
        "x" * 5000 + ".jpg",
        ".",
    ]:
        job = ended(
            shared.client, shared.client.post("/v1/jobs", params={"name": name, "model": "tiny"}, content=jpeg).json()
        )
        assert job["state"] == "done"
        assert not set("/\\\n\0") & set(job["name"])
        assert len(job["name"]) <= 200
    found = [path.relative_to(shared.parts.store.folder).as_posix() for path in shared.parts.store.folder.rglob("*")]
    assert not [path for path in found if "evil" in path]
    label = shared.client.get(f"/v1/jobs/{job['id']}/files/..%2fjob.json")
    assert label.status_code == 404
    assert shown_name("..") == "photo"


def endless(piece: bytes = b"x" * 4096) -> Iterator[bytes]:
    while True:
        yield piece


@pytest.mark.slow
def test_endless_bodies_are_cut_off(serve: Serve) -> None:
    running = serve(limits=Limits(max_file_bytes=200_000))
    boundary = b'--b\r\nContent-Disposition: form-data; name="photo"; filename="a.jpg"\r\n\r\n'

    def form() -> Iterator[bytes]:
        yield boundary
        yield from endless()

    upload = running.client.post("/v1/uploads", json={"name": "a.jpg"}).json()
    asked: list[tuple[str, str, Iterator[bytes], dict[str, str]]] = [
        ("POST", "/v1/colorize", endless(), {}),
        ("POST", "/v1/jobs", form(), {"Content-Type": "multipart/form-data; boundary=b"}),
        ("PUT", upload["href"], endless(), {}),
        ("POST", "/v1/uploads", endless(b" " * 4096), {"Content-Type": "application/json"}),
    ]
    for method, path, content, headers in asked:
        try:
            answer = running.client.request(method, path, content=content, headers=headers)
        except (httpx.WriteError, httpx.RemoteProtocolError):
            continue  # hung up while we were still sending
        assert answer.status_code == 413, (path, answer.text)
    head = (
        "POST /v1/jobs HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\nContent-Length: 999999999\r\n\r\n"
    )
    with connect(running, head) as boastful:
        assert boastful.recv(100).startswith(b"HTTP/1.1 413")
    assert sum(path.stat().st_size for path in running.parts.store.folder.rglob("*") if path.is_file()) < 1_000_000
    assert running.client.get("/healthz").status_code == 200
    assert running.parts.store.all("jobs") == []


def connect(running: Running, head: str) -> socket.socket:
    host, port = host_of(running).split(":")
    connection = socket.create_connection((host, int(port)))
    connection.sendall(head.format(host=host_of(running), token=running.token).encode())
    connection.settimeout(10)
    return connection


def test_slow_bodies_and_silent_callers_are_given_up(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "HEADERS_WITHIN_S", 0.3)
    running = serve(body_timeout_s=0.3)
    with connect(running, "GET / HT") as silent, connect(running, HEAD) as slow:
        assert silent.recv(100) == b""
        assert slow.recv(100).startswith(b"HTTP/1.1 408")
    monkeypatch.setattr(bodies, "PATIENCE_S", 0.2)
    with connect(running, HEAD) as dripping:
        dripping.setblocking(False)
        told = b""
        for _ in range(3000):
            dripping.send(b"x")
            time.sleep(0.02)
            with contextlib.suppress(BlockingIOError):
                if told := dripping.recv(100):
                    break
    assert told.startswith(b"HTTP/1.1 408")
    assert running.parts.store.all("jobs") == []


def test_heads_are_waited_for_as_long_after_an_answer_as_before(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "HEADERS_WITHIN_S", 0.3)
    running = serve()
    with connect(running, "GET /healthz HTTP/1.1\r\nHost: {host}\r\n\r\n") as silent:
        for again in (True, False):
            told = b""
            while b'"version"' not in told:
                told += silent.recv(4096)
            silent.sendall(f"GET /healthz HTTP/1.1\r\nHost: {host_of(running)}\r\n\r\n".encode() if again else b"G")
        assert silent.recv(100) == b""


@pytest.mark.parametrize("head", ["", "Origin: https://evil.example\r\n"])
def test_strangers_do_not_keep_a_connection_by_a_body_that_does_not_come(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, head: str
) -> None:
    monkeypatch.setattr(security, "READ_IN_VAIN_S", 0.2)
    running = serve()
    with connect(
        running, "POST /v1/jobs HTTP/1.1\r\nHost: {host}\r\n" + head + "Content-Length: 999999\r\n\r\nx"
    ) as slow:
        told = b""
        while piece := slow.recv(4096):
            told += piece
    assert told.startswith(b"HTTP/1.1 40")
    assert b"connection: close" in told.lower()


def test_odd_cookies_of_others_do_not_hide_ours(shared: Running) -> None:
    port = host_of(shared).partition(":")[2]
    headers = {"Cookie": f'prefs={{"a": 1}}; photochrom-{port}={shared.token}; theme=dark mode'}
    assert httpx.get(f"{shared.address}v1/models", headers=headers, trust_env=False, verify=PLAIN).status_code == 200


@pytest.mark.slow
def test_ten_thousand_jobs_are_told_to_come_later(serve: Serve, jpeg: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    running = serve(max_jobs=20)
    monkeypatch.setattr(running.parts.workers, "submit", lambda *_: None)
    app = build_app(running.parts, token=running.token, port=1)
    headers = [(b"host", b"127.0.0.1:1"), (b"authorization", f"Bearer {running.token}".encode())]
    scope = {
        "type": "http", "method": "POST", "path": "/v1/jobs", "raw_path": b"/v1/jobs", "query_string": b"model=tiny",
        "headers": headers, "scheme": "http", "root_path": "", "http_version": "1.1",
    }  # fmt: skip
    told: list[int] = []

    async def receive() -> dict:
        return {"type": "http.request", "body": jpeg, "more_body": False}

    async def send(message: dict) -> None:
        if message["type"] == "http.response.start":
            told.append(message["status"])

    async def ask() -> None:
        for _ in range(10_000):
            await app(dict(scope), receive, send)

    asyncio.run(ask())
    assert told == [202] * 20 + [429] * 9_980
    refused = running.client.post("/v1/colorize?model=tiny", content=jpeg)
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "10")
    assert len(running.parts.store.all("jobs")) == 20


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few bytes that claims to be huge."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    )


@pytest.mark.slow
def test_bombs_are_told_from_photographs(shared: Running) -> None:
    answer = shared.client.post("/v1/colorize?name=bomb.png&model=tiny", content=bomb(60_000, 60_000))
    assert answer.status_code == 413
    assert answer.json()["detail"].startswith("bomb.png: 60000 x 60000 pixels are over the limit of 250 megapixels")
    nested = shared.client.post("/v1/jobs", content=b'{"a":' * 100_000, headers={"Content-Type": "application/json"})
    assert nested.status_code == 400
    hints = json.dumps({"hints": [{"point": [0.5, 0.5], "color": "red"}] * 2_000})
    many = shared.client.post("/v1/jobs", data={"hints": hints}, files={"photo": ("a.png", bomb(8, 8))})
    assert (many.status_code, "2000 hints are more" in many.json()["detail"]) == (422, True)
    fields = shared.client.post("/v1/jobs", data={f"f{k}": "x" for k in range(1000)}, files={"photo": ("a.png", b"x")})
    assert fields.status_code == 400


@pytest.mark.slow
def test_a_job_that_takes_too_long_is_ended_and_a_waiting_one_can_be(serve: Serve, jpeg: bytes) -> None:
    running = serve(max_seconds=1e-9)
    answer = running.client.post("/v1/colorize?model=tiny&name=gran.jpg", content=jpeg)
    assert (answer.status_code, "took longer than the 1e-09 s" in answer.json()["detail"]) == (500, True)
    other = serve(workers=1)
    jobs = [other.client.post("/v1/jobs?model=tiny&restore=1&noise=always", content=jpeg).json() for _ in range(4)]
    for job in reversed(jobs):
        assert other.client.post(f"/v1/jobs/{job['id']}/cancel").status_code == 200
    assert ended(other.client, jobs[-1])["state"] == "cancelled"
    assert ended(other.client, jobs[0])["state"] in {"cancelled", "done"}


def test_a_full_store_says_so(serve: Serve, jpeg: bytes) -> None:
    running = serve(max_store_bytes=1000)
    answer = running.client.post("/v1/colorize?model=tiny", content=jpeg)
    assert (answer.status_code, answer.json()["detail"]) == (507, "the server's store is full. Come back later")
    assert running.parts.store.all("jobs") == []


def test_two_servers_never_share_a_folder(tmp_path: Path) -> None:
    first = Store(tmp_path / "store")
    with pytest.raises(OptionError, match="is in use by another server"):
        Store(tmp_path / "store")
    first.close()
    Store(tmp_path / "store").close()
    (tmp_path / "store" / "letter.txt").touch()
    with pytest.raises(OptionError, match=r"holds something that is not a server's, letter.txt"):
        Store(tmp_path / "store")


def test_what_a_killed_server_left_is_removed_by_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "temporary_folder", lambda: tmp_path)
    living = Store()
    killed = tmp_path / f"{store.TEMPORARY_PREFIX}killed"
    (killed / "jobs").mkdir(parents=True)
    (killed / store.LOCK_NAME).touch()
    other = Store()
    assert not killed.exists()
    assert living.folder.exists()
    for one in (living, other):
        one.close()
        assert not one.folder.exists()


@pytest.mark.slow
@pytest.mark.posix
def test_a_killed_studio_leaves_nothing_once_another_has_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    command = [sys.executable, "-m", "photochrom", "studio", "--no-browser"]

    def begin() -> subprocess.Popen[str]:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        address, _, token = process.stdout.readline().strip().partition("?token=")
        headers = {"Authorization": f"Bearer {token}"}
        assert httpx.post(f"{address}studio/samples", headers=headers, trust_env=False, verify=PLAIN).status_code == 204
        return process

    first = begin()
    (left,) = tmp_path.glob(f"{store.TEMPORARY_PREFIX}*")
    assert list(left.glob("photos/*/original*"))
    first.kill()
    first.communicate(timeout=60)
    assert left.exists()
    second = begin()
    assert not left.exists()
    second.terminate()
    second.communicate(timeout=60)
    assert list(tmp_path.iterdir()) == []


def test_others_are_let_in_by_a_token_of_a_file_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["serve", "--host", "192.0.2.1", "--port", "0"]) == EXIT_USAGE
    assert "--token-file FILE" in capsys.readouterr().err
    options = ServerOptions(host="192.0.2.1", token_file=tmp_path / "token")
    token = token_of(options)
    assert len(token) >= 20
    assert token_of(options) == token
    assert stat.S_IMODE((tmp_path / "token").stat().st_mode) == 0o600
    for wrong in ["short", "two words of a longer kind", "x" * 40 + "\né"]:
        (tmp_path / "token").write_text(wrong)
        with pytest.raises(OptionError, match="holds no token"):
            token_of(options)
    assert token_of(ServerOptions()) != token_of(ServerOptions())


@pytest.mark.slow
def test_the_command_serves_ends_tidily_and_refuses_a_taken_port(tmp_path: Path, tiny_model: Path, jpeg: bytes) -> None:
    command = [sys.executable, "-m", "photochrom", "serve", "--port", "0", "--model-file", str(tiny_model)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=None)
    assert process.stdout is not None
    address, _, token = process.stdout.readline().split()
    folder = Path(process.stdout.readline().removeprefix("jobs in ").strip())
    headers = {"Authorization": f"Bearer {token}"}
    answer = httpx.post(
        f"{address}v1/colorize?model=tiny", content=jpeg, headers=headers, trust_env=False, verify=PLAIN, timeout=30
    )
    assert answer.status_code == 200
    assert folder.is_dir()
    taken = subprocess.run(
        [sys.executable, "-m", "photochrom", "serve", "--port", urlsplit(address).netloc.partition(":")[2]],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (taken.returncode, "cannot listen there" in taken.stderr) == (2, True)
    process.terminate()
    process.communicate(timeout=20)
    assert not folder.exists()
