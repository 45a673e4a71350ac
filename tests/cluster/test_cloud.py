"""Albums in a storage: the same results as in a folder, whole or absent, and a line for all that may be wrong there."""

from __future__ import annotations

import dataclasses
import json
import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

pytest.importorskip("pyarrow", reason="the extra cluster")

from pyarrow import fs

from photochrom.albums.reports import PhotoReport
from photochrom.cli.app import run as run_cli
from photochrom.cluster import cloud_folder
from photochrom.cluster.addresses import is_address, open_folder
from photochrom.cluster.cloud_folder import CloudFolder
from photochrom.cluster.errand import Errand, check_storage, originals
from photochrom.cluster.folders import Folder, Named
from photochrom.cluster.here import run_here
from photochrom.cluster.local_folder import LocalFolder
from photochrom.cluster.records import MOST_TRIES, Record, record_name
from photochrom.cluster.storage_errors import is_worth_another_try, storage_error
from photochrom.cluster.worker import Worker
from photochrom.errors import (
    EXIT_OK,
    EXIT_SOME_FAILED,
    EXIT_USAGE,
    OptionError,
    OutputError,
    PhotoNotFoundError,
    UnreadablePhotoError,
)
from photochrom.options import ColorizeOptions, OutputOptions
from tests.albums.test_batch import write

NAMES = ["a.png", "deep/b.jpg", "deep/ümläut & 写真.png"]
Bucket = Callable[[str], str]


@pytest.fixture
def album(tmp_path: Path) -> Path:
    for seed, name in enumerate(NAMES):
        write(tmp_path / "in" / name, seed)
    (tmp_path / "in" / "notes.txt").write_text("no photograph")
    return tmp_path / "in"


@pytest.fixture
def errand(album: Path, tmp_path: Path, tiny_model: Path) -> Errand:
    """From a folder on a disk to another."""
    color = ColorizeOptions(model=str(tiny_model))
    return Errand(album.as_uri(), (tmp_path / "out").as_uri(), "first", color, writing=OutputOptions(format="png"))


def upload(album: Path, address: str) -> None:
    folder = open_folder(address)
    for path in album.rglob("*.*"):
        folder.put(path.relative_to(album).as_posix(), path.read_bytes())


def run(errand: Errand, workers: int = 2) -> dict[str, PhotoReport]:
    reports: list[PhotoReport] = []
    run_here(errand, originals(errand), workers=workers, on_report=reports.append)
    return {report.source.removeprefix(open_folder(errand.source).address + "/"): report for report in reports}


def statuses(reports: dict[str, PhotoReport]) -> Counter[str]:
    return Counter(report.status for report in reports.values())


def check_done_as_on_disk(cloud: Errand, errand: Errand) -> tuple[Folder, Folder]:
    """Do both; the results have the same names and bytes. Return the folders of both."""
    check_storage(cloud)
    assert statuses(run(cloud)) == {"done": 3}
    assert statuses(run(errand)) == {"done": 3}
    there, on_disk = open_folder(cloud.target), open_folder(errand.target)
    names = sorted(found.name for found in on_disk.listed())
    assert names == ["a.png", "deep/b.jpg.png", "deep/ümläut & 写真.png"]
    assert sorted(found.name for found in there.listed()) == names
    assert [there.read(name) for name in names] == [on_disk.read(name) for name in names]
    return there, on_disk


@pytest.mark.slow
def test_results_in_a_bucket_are_those_of_a_folder(album: Path, bucket: Bucket, errand: Errand, tmp_path: Path) -> None:
    upload(album, bucket("photos/in"))
    cloud = dataclasses.replace(errand, source=bucket("photos/in"), target=bucket("photos/in/out"))
    check_done_as_on_disk(cloud, errand)
    assert statuses(run(cloud)) == {"skipped": 3}  # the results inside the album are no photographs of it


def test_a_rerun_does_what_changed_failed_or_went(album: Path, errand: Errand, tmp_path: Path) -> None:
    (album / "broken.png").write_bytes((album / "a.png").read_bytes()[:120])
    reports = run(errand)
    assert statuses(reports) == {"done": 3, "failed": 1}
    assert reports["broken.png"].error.startswith(f"{album.as_uri()}/broken.png: ")
    write(album / "a.png", 7)
    (tmp_path / "out/deep/b.jpg.png").unlink()
    assert {name for name, report in run(errand).items() if report.status == "done"} == {"a.png", "deep/b.jpg"}
    assert statuses(run(errand)) == {"skipped": 3, "failed": 1}


def test_a_result_that_is_not_ours_is_never_replaced_without_being_asked(errand: Errand, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/a.png").write_bytes(b"precious")
    report = run(errand)["a.png"]
    assert "exists already. Use --overwrite" in report.error
    assert (tmp_path / "out/a.png").read_bytes() == b"precious"
    writing = OutputOptions(format="png", overwrite=True)
    assert run(dataclasses.replace(errand, writing=writing))["a.png"].status == "done"


def test_our_own_results_are_made_anew_by_other_settings(errand: Errand, tmp_path: Path) -> None:
    run(errand)
    before = (tmp_path / "out/a.png").read_bytes()
    color = errand.color.model_copy(update={"vividness": 0.1})  # type: ignore[union-attr]
    assert statuses(run(dataclasses.replace(errand, color=color))) == {"done": 3}
    assert (tmp_path / "out/a.png").read_bytes() != before


def test_a_worker_killed_between_promise_and_result_costs_nothing(errand: Errand, tmp_path: Path) -> None:
    run(errand)
    vivid = dataclasses.replace(errand, color=errand.color.model_copy(update={"vividness": 0.1}))  # type: ignore[union-attr]
    put = LocalFolder.put
    with pytest.MonkeyPatch.context() as patch:

        def die(self: LocalFolder, name: str, data: bytes) -> None:
            if name == "a.png":
                raise KeyboardInterrupt
            put(self, name, data)

        patch.setattr(LocalFolder, "put", die)
        with Worker(vivid) as worker, pytest.raises(KeyboardInterrupt):
            worker.do(next(photo for photo in originals(vivid) if photo.name == "a.png"))
    assert run(vivid)["a.png"].status == "done"
    assert run(vivid)["a.png"].status == "skipped"


def test_a_photograph_that_kills_its_worker_is_given_up_after_three_tries(errand: Errand) -> None:
    killed = 0
    with Worker(errand) as worker:
        photo = next(iter(originals(errand)))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(worker, "_staged", lambda *_: (_ for _ in ()).throw(SystemExit))
            while killed < 10:
                try:
                    report = worker.do(photo)
                    break
                except SystemExit:
                    killed += 1
    assert killed == MOST_TRIES
    assert report.error == f"{errand.source}/a.png: its worker was killed 3 times. Colour it alone to see why"
    assert run(errand)["a.png"].status == "done"  # its record says failed, so that a run by hand tries again
    assert run(dataclasses.replace(errand, run="second"))["a.png"].status == "skipped"


def test_a_photograph_that_vanishes_meanwhile_is_one_line(errand: Errand, album: Path) -> None:
    photos = list(originals(errand))
    (album / "a.png").unlink()
    with Worker(errand) as worker:
        report = worker.do(photos[0])
    assert (report.status, "there is no such object" in report.error) == ("failed", True)


def test_a_slow_storage_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([OSError("AWS Error SLOW_DOWN during PutObject"), OSError("curlCode: 28, Timeout was reached"), 7])

    def ask() -> int:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(cloud_folder, "WAITS_S", (0.0, 0.0))
    assert CloudFolder("s3://x", None, "x")._asked(ask) == 7


def test_a_write_that_fails_leaves_no_object() -> None:
    class Target:
        def write(self, _: bytes) -> None:
            raise OSError("HTTP status 403 Access Denied")

        def close(self) -> None:
            pytest.fail("closing makes the part that was written an object")

    class Storage:
        def open_output_stream(self, _: str) -> Target:
            return Target()

    with pytest.raises(OutputError, match="may not be written to with these credentials"):
        CloudFolder("s3://x", Storage(), "x").put("a", b"b")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (OSError("When listing objects: AWS Error NO_SUCH_BUCKET during ListObjectsV2"), "there is no such bucket"),
        (OSError("AWS Error ACCESS_DENIED during PutObject operation: Access Denied."), "Ask for the right to put"),
        (OSError("AWS Error UNKNOWN (HTTP status 403)"), "may not be written to"),
        (OSError("AWS Error INVALID_ACCESS_KEY_ID during ListObjectsV2"), "the credentials are not accepted"),
        (OSError("AWS Error NETWORK_CONNECTION: curlCode: 7, Couldn't connect to server"), "storage does not answer"),
        (OSError("Could not create a OAuth2 access token: no credentials"), "no credentials were found. For s3://"),
        (OSError("AWS Error: PermanentRedirect"), "Set AWS_REGION"),
        (OSError("something\nnew"), "the storage failed (something). Run again"),
    ],
)
def test_what_storages_answer_is_one_line_with_what_to_do(answer: OSError, expected: str) -> None:
    error = storage_error(answer, "s3://bucket/a.png", writing=True)
    assert expected in str(error)
    assert "\n" not in str(error)
    assert not is_worth_another_try(answer)


@pytest.mark.slow
def test_a_bucket_that_is_not_there_is_one_line(
    bucket: Bucket, capsys: pytest.CaptureFixture[str], storage: str
) -> None:
    inside = bucket("there/in")
    assert run_cli(["batch", inside, f"s3://nowhere-at-all/out{storage}"]) == EXIT_SOME_FAILED
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "s3://nowhere-at-all/out" in err
    assert "there is no such bucket" in err


def test_a_bucket_that_lists_but_does_not_write_is_told_before_anything_is_coloured(
    errand: Errand, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(self: LocalFolder, name: str, data: bytes) -> None:
        raise storage_error(OSError("AWS Error ACCESS_DENIED"), f"s3://bucket/{name}", writing=True)

    monkeypatch.setattr(LocalFolder, "put", refuse)
    assert run_cli(["batch", errand.source, errand.target]) == EXIT_SOME_FAILED
    assert "it may not be written to" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("s3:///folder", "names no bucket"),
        ("http://example.org/", "no such storage. Known are s3://, gs://, az://, file://"),
        ("az://container/x", "Set AZURE_STORAGE_ACCOUNT"),
    ],
)
def test_addresses_that_are_none_are_refused(
    address: str, expected: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in [name for name in os.environ if name.startswith("AZURE")]:
        monkeypatch.delenv(name)
    with pytest.raises(OptionError, match=expected):
        open_folder(address)
    assert run_cli(["batch", address, str(tmp_path)]) == EXIT_USAGE
    assert expected in capsys.readouterr().err


@pytest.mark.slow
def test_googles_storage_that_does_not_answer_is_one_line_and_ends() -> None:
    # Nobody listens at port 1 of this computer, so the request is refused at once, and again.
    options = "?scheme=http&endpoint_override=127.0.0.1:1&retry_limit_seconds=1"
    with pytest.raises(UnreadablePhotoError, match="the storage does not answer") as failure:
        list(open_folder(f"gs://anonymous@bucket/in{options}").listed())
    assert str(failure.value).count("\n") == 0


@pytest.mark.parametrize(("address", "limit"), [("gs://b/in", "30"), ("gs://b/in?retry_limit_seconds=9", "9")])
def test_googles_storage_is_not_waited_for_in_silence(
    address: str, limit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(fs, "FileSystem", SimpleNamespace(from_uri=lambda uri: (asked.append(uri), "")))
    open_folder(address)
    assert asked == [f"gs://b?retry_limit_seconds={limit}"]


@pytest.mark.parametrize(("address", "lacks"), [("gs://b/in", "FileSystem"), ("az://b/in", "AzureFileSystem")])
def test_a_storage_that_pyarrow_was_built_without_is_named(
    address: str, lacks: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lacking(*_: str, **__: str) -> None:
        raise NotImplementedError("built without it")

    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT", "ours")
    monkeypatch.setattr(fs, lacks, SimpleNamespace(from_uri=lacking) if lacks == "FileSystem" else lacking)
    with pytest.raises(OptionError, match=f"pyarrow is installed here without {address[:2]}://"):
        open_folder(address)


def test_addresses_are_told_from_paths() -> None:
    assert [is_address(text) for text in ("s3://a", "file:///a", "a/b", "C:\\a", "/a", "a:b")] == [True, True] + [
        False
    ] * 4


def test_the_folder_of_the_photographs_is_not_that_of_the_results(album: Path) -> None:
    with pytest.raises(OutputError, match="is the folder of the photographs"):
        check_storage(Errand(album.as_uri(), album.as_uri() + "/", "x"))
    with pytest.raises(PhotoNotFoundError):
        list(originals(Errand((album / "absent").as_uri(), album.as_uri(), "x")))


@pytest.mark.parametrize("data", [b"", b"[]", b"{", b'{"key": 1}', b"[" * 9999, b'{"key": "other", "outcome": "done"}'])
def test_records_that_others_wrote_are_not_believed(tmp_path: Path, data: bytes) -> None:
    folder = LocalFolder("file:///x", tmp_path)
    folder.put(record_name("a.png"), data)
    assert Record.read(folder, "a.png") is None


def test_a_result_is_named_apart_from_other_originals(errand: Errand, album: Path) -> None:
    write(album / "deep/b.jpg.png", 5)
    assert {report.target.rsplit("/", 1)[1] for report in run(errand).values()} >= {"b.jpg.png", "b.jpg-2.png"}


def test_shards_of_a_bucket_are_those_of_a_folder(errand: Errand) -> None:
    from photochrom.albums.parts import Shard

    parts = [{photo.name for photo in originals(errand, Shard(number, 2))} for number in (1, 2)]
    assert sorted(parts[0] | parts[1]) == sorted(NAMES)
    assert not parts[0] & parts[1]


def test_colorize_says_which_verb_takes_addresses(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_cli(["colorize", "s3://bucket/in", "-o", "out"]) == EXIT_USAGE
    assert "photochrom batch" in capsys.readouterr().err


@pytest.mark.parametrize("how", ["--restore", "--only-restore"])
def test_with_every_stage_off_nothing_is_begun(errand: Errand, capsys: pytest.CaptureFixture[str], how: str) -> None:
    off = ["--damage=never", "--noise=never", "--tone=never"]
    assert run_cli(["batch", errand.source, errand.target, how, *off]) == EXIT_USAGE
    err = capsys.readouterr().err
    assert "every stage is switched off" in err
    assert err.count("\n") == 1


def test_the_command_line_reports_and_goes_on(
    errand: Errand, tmp_path: Path, capsys: pytest.CaptureFixture[str], tiny_model: Path
) -> None:
    words = ["batch", errand.source, errand.target, "--model", str(tiny_model), "--report", str(tmp_path / "report")]
    assert run_cli(words) == EXIT_OK
    assert "3 coloured, 0 done before" in capsys.readouterr().out
    lines = [json.loads(line) for line in (tmp_path / "report").read_text().splitlines()]
    assert {line["status"] for line in lines} == {"done"}
    assert run_cli(words) == EXIT_OK
    assert "0 coloured, 3 done before" in capsys.readouterr().out


def test_what_lies_beside_results_goes_with_them(errand: Errand, tmp_path: Path) -> None:
    color = errand.color.model_copy(update={"uncertainty": True})  # type: ignore[union-attr]
    assert statuses(run(dataclasses.replace(errand, color=color))) == {"done": 3}
    assert (tmp_path / "out/a-uncertainty.png").is_file()
    assert Named("a-uncertainty.png", 0, 0).name in Record.read(open_folder(errand.target), "a.png").companions  # type: ignore[union-attr]
