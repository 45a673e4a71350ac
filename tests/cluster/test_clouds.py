"""Albums on Google's and Azure's storage, by stand-ins on loopback: what pyarrow asks, and what answers are told as."""

from __future__ import annotations

import base64
import dataclasses
from pathlib import Path

import pytest

pytest.importorskip("pyarrow", reason="the extra cluster")

from photochrom.cli.app import run as run_cli
from photochrom.cluster import cloud_folder
from photochrom.cluster.addresses import open_folder
from photochrom.cluster.errand import Errand, check_storage, originals
from photochrom.cluster.worker import Worker
from photochrom.errors import EXIT_OK, EXIT_SOME_FAILED, OptionError, OutputError, PhotochromError, PhotoNotFoundError
from tests.cluster.conftest import Cloud
from tests.cluster.test_cloud import NAMES, album, check_done_as_on_disk, errand, run, statuses

__all__ = ["album", "errand"]


def put_album(album: Path, cloud: Cloud) -> None:
    """Put photographs there as other programs do, which make no folders."""
    files = {path.relative_to(album).as_posix(): path.read_bytes().hex() for path in album.rglob("*.*")}
    cloud.stand_in.told(put={f"in/{name}": data for name, data in files.items()})


@pytest.fixture
def in_cloud(errand: Errand, album: Path, cloud: Cloud) -> Errand:
    put_album(album, cloud)
    return dataclasses.replace(errand, source=cloud.address("photos/in"), target=cloud.address("photos/in/out"))


@pytest.mark.slow
def test_results_are_those_of_a_folder_and_are_known_again(in_cloud: Errand, errand: Errand, cloud: Cloud) -> None:
    there, on_disk = check_done_as_on_disk(in_cloud, errand)
    cloud.stand_in.told()
    assert statuses(run(in_cloud)) == {"skipped": 3}
    there.remove("deep/b.jpg.png")
    there.remove("deep/b.jpg.png")
    cloud.stand_in.told(put={"in/out/a.png": ""})  # what is there of one that was being written to Azure's
    assert {name for name, report in run(in_cloud).items() if report.status == "done"} == {"a.png", "deep/b.jpg"}
    assert there.read("a.png") == on_disk.read("a.png")


def test_all_folders_are_found_but_hidden_ones(in_cloud: Errand, cloud: Cloud) -> None:
    more = ["in/.photochrom/records/a", "in/deep/.hidden/b.png", "in/deep/deeper/c.png", "in2/d.png", "in/.e.png"]
    cloud.stand_in.told(put=dict.fromkeys(more, "00"))
    found = {named.name: named.size for named in open_folder(in_cloud.source).listed()}
    assert found.keys() == {*NAMES, "notes.txt", "deep/deeper/c.png"}
    assert found["deep/deeper/c.png"] == 1
    assert all(named.changed_ns > 0 for named in open_folder(in_cloud.source).listed())


@pytest.mark.slow
def test_large_objects_come_back_whole(cloud: Cloud, tmp_path: Path) -> None:
    folder, data = open_folder(cloud.address("photos/large")), bytes(range(256)) * 70_000  # more than one part of each
    folder.put("a b+c.bin", data)
    assert folder.read("a b+c.bin") == data
    assert folder.near("a b+c.bin", tmp_path).read_bytes() == data
    folder.put("a b+c.bin", b"less")
    assert folder.read("a b+c.bin") == b"less"
    found = folder.found("a b+c.bin")
    assert found
    assert found.size == 4
    assert folder.found("a b") is None


def test_a_photograph_that_vanishes_is_one_line(in_cloud: Errand, cloud: Cloud) -> None:
    photos = list(originals(in_cloud))
    cloud.stand_in.told(empty=True)
    with Worker(in_cloud) as worker:
        report = worker.do(photos[0])
    assert report.status == "failed"
    assert f"{cloud.scheme}://photos/in/a.png: there is no such object" in report.error
    with pytest.raises(PhotoNotFoundError, match="there is no such object"):
        list(open_folder(cloud.address("photos/absent")).listed())


def test_a_bucket_that_does_not_write_is_told_before_anything_is_coloured(in_cloud: Errand, cloud: Cloud) -> None:
    cloud.stand_in.told(only_reads=True)
    with pytest.raises(OutputError, match="it may not be written to with these credentials"):
        check_storage(in_cloud)


@pytest.mark.parametrize("ask", ["list", "write"])
def test_a_bucket_that_is_not_there_is_named(cloud: Cloud, ask: str) -> None:
    folder = open_folder(cloud.address("nobucket/in"))
    with pytest.raises(PhotochromError, match=rf"{cloud.scheme}://nobucket/in.*: there is no such (bucket|object)"):
        list(folder.listed()) if ask == "list" else folder.put("a", b"b")


@pytest.mark.slow
def test_a_busy_storage_is_asked_again(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cloud_folder, "WAITS_S", (0.0, 0.0))
    folder = open_folder(cloud.address("photos/in"))
    folder.put("a.png", b"a")
    cloud.stand_in.told(busy_once=["GET"])
    assert [named.name for named in folder.listed()] == ["a.png"]


def test_a_key_that_is_not_accepted_is_one_line(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    if cloud.scheme != "az":
        pytest.skip("the stand-in for Google's takes everybody")
    monkeypatch.setenv("AZURE_STORAGE_KEY", base64.b64encode(b"another").decode())
    with pytest.raises(PhotochromError, match="the credentials are not accepted") as raised:
        list(open_folder(cloud.address("photos/in")).listed())
    assert "\n" not in str(raised.value)


def test_options_that_azure_has_not_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT", "ours")
    with pytest.raises(OptionError, match=r"az:// has no option 'region'.*blob_storage_authority"):
        open_folder("az://photos/in?region=x")


def test_credentials_in_an_address_are_not_shown() -> None:
    assert open_folder("s3://key:secret@bucket/in?region=us-east-1").address == "s3://bucket/in"


@pytest.mark.slow
def test_the_command_line_goes_on_where_it_stopped(
    in_cloud: Errand, cloud: Cloud, tiny_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["batch", in_cloud.source, in_cloud.target, "--model", str(tiny_model)]
    assert run_cli(words) == EXIT_OK
    assert "3 coloured, 0 done before" in capsys.readouterr().out
    cloud.stand_in.told(put={"in/broken.png": b"no photograph".hex()})
    assert run_cli(words) == EXIT_SOME_FAILED
    said = capsys.readouterr()
    assert "0 coloured, 3 done before" in said.out
    assert f"{cloud.scheme}://photos/in/broken.png: " in said.err
