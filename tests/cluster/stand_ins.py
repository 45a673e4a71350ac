"""Stand-ins for Google's and Azure's storage on loopback: the few requests that pyarrow makes of each, in memory.

They run in a process of their own, as ``python -m tests.cluster.stand_ins Google``: pyarrow keeps Python's own lock
while it closes one of Google's objects, and would wait for a server in its own process for ever.

Sources: Google Cloud Storage, "JSON API" (Objects: list, get, insert, delete) and "Resumable uploads"; Azure, "Blob
Service REST API" (List Blobs, Get/Put/Delete Blob, Put Block, Put Block List, Lease Blob) with shared-key signatures.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import struct
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from email.utils import formatdate
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

ENCRYPTED = {"x-ms-request-server-encrypted": "true"}
ACCOUNT, KEY = "ours", base64.b64encode(b"a key of thirty-two bytes or more").decode()


@dataclass
class Blob:
    data: bytes
    changed_s: float = field(default_factory=time.time)
    generation: int = field(default_factory=time.time_ns)
    metadata: dict[str, str] = field(default_factory=dict)


class Storage(ThreadingHTTPServer):
    """A storage with one container, ``photos``, and what it was asked."""

    daemon_threads = True

    def __init__(self, handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self.blobs: dict[str, Blob] = {}
        self.parts: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.busy_once: set[str] = set()
        self.only_reads = False
        self.lock = threading.Lock()

    @property
    def authority(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"

    def told(self, changes: dict[str, Any]) -> dict[str, Any]:
        """Take over what tests change, and say what is there and was asked."""
        with self.lock:
            self.blobs |= {name: Blob(bytes.fromhex(data)) for name, data in changes.get("put", {}).items()}
            if changes.get("empty"):
                self.blobs.clear()
            self.busy_once = set(changes.get("busy_once", []))
            self.only_reads = bool(changes.get("only_reads"))
            asked, self.asked = self.asked, []
            return {"blobs": {name: len(blob.data) for name, blob in self.blobs.items()}, "asked": asked}


class StandIn:
    """A storage in a process of its own, and what tests ask of it behind its back."""

    def __init__(self, kind: str) -> None:
        command = [sys.executable, "-m", "tests.cluster.stand_ins", kind]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout
        self.authority = self._process.stdout.readline().strip()

    def told(self, **changes: object) -> dict[str, Any]:
        """Change the storage's state, and return it: names and sizes, and requests since it was last told."""
        connection = HTTPConnection(self.authority, timeout=30)
        connection.request("POST", "/-/told", json.dumps(changes))
        answer: dict[str, Any] = json.loads(connection.getresponse().read())
        connection.close()
        return answer

    def stop(self) -> None:
        self._process.communicate(timeout=30)


class Answering(BaseHTTPRequestHandler):
    """What both have in common: one answer a request, connections kept."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 1 << 20  # an answer goes out as one: Azure's library loses bytes of a body that comes behind its head
    timeout = 30
    server: Storage

    def do(self) -> None:
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if parts.path == "/-/told":
            self._send(200, json.dumps(self.server.told(json.loads(body))).encode(), {})
            return
        with self.server.lock:
            self.server.asked.append(f"{self.command} {unquote(parts.path)}")
            busy = [mark for mark in self.server.busy_once if mark in self.server.asked[-1]]
            self.server.busy_once.difference_update(busy)
            status, answer, headers = (503, b"", {}) if busy else self.answer(unquote(parts.path), query, body)
        self._send(status, answer, headers)

    def _send(self, status: int, answer: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if "Content-Length" not in headers:
            self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do  # noqa: N815 - the names that http.server looks for

    def answer(self, path: str, query: dict[str, str], body: bytes) -> tuple[int, bytes, dict[str, str]]:
        raise NotImplementedError

    def ranged(self, data: bytes, header: str) -> tuple[int, bytes, dict[str, str]]:
        """Return the part of an object that a request asks for."""
        asked = self.headers.get(header)
        if not asked:
            return 200, data, {}
        first, _, last = asked.removeprefix("bytes=").partition("-")
        end = min(int(last) + 1 if last else len(data), len(data))
        part = data[int(first) : end]
        return 206, part, {"Content-Range": f"bytes {first}-{int(first) + len(part) - 1}/{len(data)}"}

    def handle_expect_100(self) -> bool:
        """Ask for the body, if there is one: Azure's library reads past the answer that comes without need."""
        if self.headers.get("Content-Length") == "0":
            return True
        going_on = super().handle_expect_100()
        self.wfile.flush()
        return going_on

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


class Google(Answering):
    """Google's JSON API."""

    def answer(self, path: str, query: dict[str, str], body: bytes) -> tuple[int, bytes, dict[str, str]]:
        blobs, listed = self.server.blobs, "/storage/v1/b/photos/o"
        if path == "/upload" + listed:
            return self._upload(query, body)
        if path == listed:
            return self._list(query.get("prefix", ""), query.get("delimiter", ""))
        if path == "/storage/v1/b/photos":
            return self._said({"kind": "storage#bucket", "name": "photos"})
        name = path.removeprefix(listed + "/") if path.startswith(listed) else path.removeprefix("/photos/")
        if name == path or name not in blobs:
            what = "Not Found" if "/photos/" in path else "The specified bucket does not exist."
            return 404, json.dumps({"error": {"code": 404, "message": what}}).encode(), {}
        if self.command == "DELETE":
            if self.server.only_reads:
                return 403, b"", {}
            del blobs[name]
            return 204, b"", {}
        if query.get("alt") == "media" or not path.startswith(listed):
            status, part, headers = self.ranged(blobs[name].data, "Range")
            return status, part, headers | {"x-goog-generation": str(blobs[name].generation)}
        return self._said(self._about(name))

    def _said(self, answer: dict[str, Any]) -> tuple[int, bytes, dict[str, str]]:
        return 200, json.dumps(answer).encode(), {"Content-Type": "application/json"}

    def _about(self, name: str) -> dict[str, Any]:
        blob = self.server.blobs[name]
        made = (
            time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(blob.changed_s)) + f".{int(blob.changed_s % 1 * 1000):03}Z"
        )
        return {
            "kind": "storage#object", "name": name, "bucket": "photos", "size": str(len(blob.data)),
            "generation": str(blob.generation), "metageneration": "1", "timeCreated": made, "updated": made,
        }  # fmt: skip

    def _list(self, prefix: str, delimiter: str) -> tuple[int, bytes, dict[str, str]]:
        found = [name for name in sorted(self.server.blobs) if name.startswith(prefix)]
        rest = {name: name[len(prefix) :] for name in found}
        prefixes = {prefix + rest[n].partition("/")[0] + "/" for n in found if delimiter and delimiter in rest[n]}
        names = [n for n in found if not (delimiter and delimiter in rest[n].rstrip("/"))]
        return self._said({"kind": "storage#objects", "items": [self._about(n) for n in names],
                           "prefixes": sorted(prefixes)})  # fmt: skip

    def _upload(self, query: dict[str, str], body: bytes) -> tuple[int, bytes, dict[str, str]]:
        if self.server.only_reads:
            return 403, b'{"error": {"code": 403, "message": "Access denied."}}', {}
        if "upload_id" not in query:
            session = (
                f"http://{self.server.authority}/upload/storage/v1/b/photos/o?upload_id={query['name'].encode().hex()}"
            )
            self.server.parts[query["name"]] = b""
            return 200, b"", {"Location": session}
        name = bytes.fromhex(query["upload_id"]).decode()
        whole = self.server.parts[name] = self.server.parts[name] + body
        if self.headers["Content-Range"].endswith("/*"):
            return 308, b"", {"Range": f"bytes=0-{len(whole) - 1}"} if whole else {}
        self.server.blobs[name] = Blob(self.server.parts.pop(name))
        return self._said(self._about(name))


class Azure(Answering):
    """Azure's Blob Service, of an account without folders of its own."""

    def answer(self, path: str, query: dict[str, str], body: bytes) -> tuple[int, bytes, dict[str, str]]:
        if not self._is_signed():
            return self._refused(403, "AuthenticationFailed")
        container, _, name = path.removeprefix(f"/{ACCOUNT}/").partition("/")
        if query.get("action") == "getAccessControl":  # asks whether the account has folders
            return self._refused(400 if container == "photos" else 404, "HierarchicalNamespaceNotEnabled")
        if container != "photos":
            return self._refused(404, "ContainerNotFound")
        if query.get("comp") == "list":
            return self._list(query.get("prefix", ""), query.get("delimiter", ""))
        if not name:
            return 200, b"", self._headers(Blob(b""))
        return self._put(name, query, body) if self.command == "PUT" else self._of_blob(name)

    def _of_blob(self, name: str) -> tuple[int, bytes, dict[str, str]]:
        if name not in self.server.blobs:
            return self._refused(404, "BlobNotFound")
        blob = self.server.blobs[name]
        if self.command == "DELETE":
            del self.server.blobs[name]
            return 202, b"", self._headers(blob)
        if self.command == "HEAD":
            return 200, b"", self._headers(blob) | {"Content-Length": str(len(blob.data))}
        status, part, headers = self.ranged(blob.data, "x-ms-range")
        return status, part, self._headers(blob) | headers

    def _put(self, name: str, query: dict[str, str], body: bytes) -> tuple[int, bytes, dict[str, str]]:
        if self.server.only_reads:
            return self._refused(403, "AuthorizationPermissionMismatch")
        comp = query.get("comp")
        if comp == "lease":
            there = name in self.server.blobs
            return (
                (201, b"", self._headers(self.server.blobs[name]) | {"x-ms-lease-id": "1"})
                if there
                else self._refused(404, "BlobNotFound")
            )
        if comp == "block":
            self.server.parts[name + query["blockid"]] = body
            return 201, b"", ENCRYPTED
        if comp == "blocklist":
            blocks = [part.split("</")[0] for part in body.decode().split("<Latest>")[1:]]
            body = b"".join(self.server.parts.pop(name + block) for block in blocks)
        said = {k.lower().removeprefix("x-ms-meta-"): v for k, v in self.headers.items() if "x-ms-meta-" in k.lower()}
        blob = self.server.blobs[name] = Blob(body, metadata=said)
        return 201, b"", self._headers(blob) | ENCRYPTED

    def _is_signed(self) -> bool:
        """Return whether the request is signed by the account's key."""
        parts, asked = urlsplit(self.path), self.headers
        length = asked.get("Content-Length") or ""
        usual = ["Content-Encoding", "Content-Language", None, "Content-MD5", "Content-Type", "Date",
                 "If-Modified-Since", "If-Match", "If-None-Match", "If-Unmodified-Since", "Range"]  # fmt: skip
        lines = [self.command, *(("" if length == "0" else length) if n is None else asked.get(n) or "" for n in usual)]
        own = sorted((k.lower(), v.strip()) for k, v in asked.items() if k.lower().startswith("x-ms-"))
        lines += [f"{k}:{v}" for k, v in own] + [f"/{ACCOUNT}{parts.path}"]
        lines += [f"{k}:{unquote(v[0])}" for k, v in sorted(parse_qs(parts.query, keep_blank_values=True).items())]
        signature = hmac.new(base64.b64decode(KEY), "\n".join(lines).encode(), hashlib.sha256).digest()
        return asked.get("Authorization") == f"SharedKey {ACCOUNT}:{base64.b64encode(signature).decode()}"

    def _refused(self, status: int, code: str) -> tuple[int, bytes, dict[str, str]]:
        body = f'<?xml version="1.0"?><Error><Code>{code}</Code><Message>{code}.</Message></Error>'.encode()
        said = {} if self.command == "HEAD" else {"Content-Type": "application/xml"}
        return status, b"" if self.command == "HEAD" else body, {"x-ms-error-code": code, **said}

    def _headers(self, blob: Blob) -> dict[str, str]:
        checksum = base64.b64encode(struct.pack("<Q", binascii.crc32(blob.data))).decode()
        return {
            "ETag": f'"{blob.generation}"', "Last-Modified": formatdate(blob.changed_s, usegmt=True),
            "x-ms-blob-type": "BlockBlob", "x-ms-content-crc64": checksum, "x-ms-version": "2021-06-08",
            "x-ms-creation-time": formatdate(blob.changed_s, usegmt=True), "x-ms-lease-status": "unlocked",
            "x-ms-lease-state": "available", "x-ms-server-encrypted": "true",
            **{f"x-ms-meta-{name}": value for name, value in blob.metadata.items()},
        }  # fmt: skip

    def _list(self, prefix: str, delimiter: str) -> tuple[int, bytes, dict[str, str]]:
        found = [name for name in sorted(self.server.blobs) if name.startswith(prefix)]
        rest = {name: name[len(prefix) :] for name in found}
        folders = sorted({prefix + rest[n].partition("/")[0] + "/" for n in found if delimiter and "/" in rest[n]})
        lines = [self._entry(name) for name in found if not (delimiter and "/" in rest[name])]
        lines += [f"<BlobPrefix><Name>{escape(name)}</Name></BlobPrefix>" for name in folders]
        body = (
            f'<?xml version="1.0" encoding="utf-8"?><EnumerationResults ContainerName="photos"><Blobs>{"".join(lines)}'
        )
        return 200, f"{body}</Blobs><NextMarker /></EnumerationResults>".encode(), {"Content-Type": "application/xml"}

    def _entry(self, name: str) -> str:
        blob = self.server.blobs[name]
        when = formatdate(blob.changed_s, usegmt=True)
        said = "".join(f"<{key}>{value}</{key}>" for key, value in blob.metadata.items())
        return (
            f"<Blob><Name>{escape(name)}</Name><Properties><Creation-Time>{when}</Creation-Time>"
            f"<Last-Modified>{when}</Last-Modified><Etag>{blob.generation}</Etag>"
            f"<Content-Length>{len(blob.data)}</Content-Length><Content-Type>application/octet-stream</Content-Type>"
            "<BlobType>BlockBlob</BlobType><LeaseStatus>unlocked</LeaseStatus><LeaseState>available</LeaseState>"
            f"<ServerEncrypted>true</ServerEncrypted></Properties><Metadata>{said}</Metadata></Blob>"
        )


if __name__ == "__main__":
    storage = Storage({"Google": Google, "Azure": Azure}[sys.argv[1]])
    threading.Thread(target=storage.serve_forever, daemon=True).start()
    print(storage.authority, flush=True)
    sys.stdin.read()  # until who started this has had enough of it, or is gone
