"""A storage of our own on loopback, and folders in it."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest

from tests.cluster.stand_ins import ACCOUNT, KEY, StandIn

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


class Cloud(NamedTuple):
    """A stand-in for a storage, and the addresses of folders in it."""

    scheme: str
    stand_in: StandIn
    query: str

    def address(self, name: str) -> str:
        return f"{self.scheme}://{'anonymous@' if self.scheme == 'gs' else ''}{name}{self.query}"


@pytest.fixture(scope="session", params=["gs", "az"])
def running_cloud(request: pytest.FixtureRequest) -> Iterator[Cloud]:
    pytest.importorskip("pyarrow")
    stand_in = StandIn({"gs": "Google", "az": "Azure"}[request.param])
    there = stand_in.authority
    places = {
        "gs": f"endpoint_override={there}&retry_limit_seconds=5",
        "az": f"blob_storage_authority={there}&dfs_storage_authority={there}",
    }
    yield Cloud(request.param, stand_in, f"?scheme=http&{places[request.param]}")
    stand_in.stop()


@pytest.fixture
def cloud(running_cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    """Google's and Azure's storage, empty."""
    for name in [name for name in os.environ if name.startswith(("AZURE", "GOOGLE"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT", ACCOUNT)
    monkeypatch.setenv("AZURE_STORAGE_KEY", KEY)
    running_cloud.stand_in.told(empty=True)
    return running_cloud
