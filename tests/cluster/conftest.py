"""A storage of our own on loopback, and folders in it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator

import pytest

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_EC2_METADATA_DISABLED": "true"}


@pytest.fixture(scope="session")
def storage() -> Iterator[str]:
    """The query of addresses on an S3 that listens on loopback."""
    server = pytest.importorskip("moto.server")
    pytest.importorskip("pyarrow")
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    running = server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    yield f"?endpoint_override={host}:{port}&scheme=http&region=us-east-1"
    running.stop()


@pytest.fixture
def bucket(storage: str, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """Return a function that gives the address of a folder in a new bucket."""
    from pyarrow import fs

    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    made: set[str] = set()

    def address(name: str) -> str:
        first = name.split("/", maxsplit=1)[0]
        if first not in made:
            made.add(first)
            s3, _ = fs.FileSystem.from_uri(
                f"s3://{first}{storage}&allow_bucket_creation=true&allow_bucket_deletion=true"
            )
            s3.create_dir(first)
            s3.delete_dir_contents(first)
        return f"s3://{name}{storage}"

    return address
