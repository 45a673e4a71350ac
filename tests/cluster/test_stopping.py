"""Ctrl-C in an album of a storage: what has begun is finished, the rest is said to be left, and a rerun goes on."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from types import SimpleNamespace
from typing import Self

import pytest

pytest.importorskip("pyarrow", reason="the extra cluster")

from photochrom.cli.app import run as run_cli
from photochrom.cluster import here
from photochrom.cluster.addresses import open_folder
from photochrom.cluster.cloud_folder import CloudFolder
from photochrom.cluster.worker import Worker
from photochrom.errors import EXIT_INTERRUPTED, EXIT_OK
from tests.albums.test_batch import write


@pytest.mark.posix
def test_ctrl_c_finishes_what_has_begun_and_a_rerun_goes_on(
    tmp_path: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for seed in range(6):
        write(tmp_path / "in" / f"{seed}.png", seed)
    command = ["batch", str(tmp_path / "in"), (tmp_path / "out").as_uri(), "--model", str(tiny_model), "--workers", "1"]
    with monkeypatch.context() as patch:
        really = Worker.do

        def interrupted(self: Worker, photo: here.Named) -> here.PhotoReport:
            os.kill(os.getpid(), signal.SIGINT)  # while the first photograph is worked on
            return really(self, photo)

        patch.setattr(Worker, "do", interrupted)
        assert run_cli(command) == EXIT_INTERRUPTED
    said = capsys.readouterr()
    assert "1 coloured" in said.out
    assert "stopped by interrupt. Run the same command again to go on." in said.err
    assert len(list((tmp_path / "out").glob("*.png"))) == 1
    assert run_cli(command) == EXIT_OK
    assert "5 coloured, 1 done before" in capsys.readouterr().out


def test_the_names_of_a_large_folder_are_handed_out_as_they_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(50):
        (tmp_path / f"{number}.png").touch()
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "z.png").touch()
    (tmp_path / ".hidden").mkdir()
    read: list[str] = []
    really = os.scandir

    class Watched:
        def __init__(self, path: str) -> None:
            self._entries = really(path)

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None:
            self._entries.close()

        def __iter__(self) -> Watched:
            return self

        def __next__(self) -> os.DirEntry[str]:
            entry = next(self._entries)
            read.append(entry.name)
            return entry

    monkeypatch.setattr(os, "scandir", Watched)
    listed = open_folder(str(tmp_path)).listed()
    next(listed)
    assert len(read) < 5
    assert {"deep/z.png", *(f"{number}.png" for number in range(50))} >= {found.name for found in listed}


def test_the_names_of_a_storages_flat_folder_are_let_go_of_as_they_are_handed_out() -> None:
    from pyarrow import fs

    infos = [fs.FileInfo(f"bucket/{number:03}.jpg", fs.FileType.File, size=1, mtime_ns=1) for number in range(500)]
    answers = iter([infos])
    storage = SimpleNamespace(
        type_name="s3", get_file_info=lambda _: next(answers)
    )  # asked once, and its list is no copy
    listed = CloudFolder("s3://bucket", storage, "bucket").listed()
    assert [next(listed).name for _ in range(3)] == ["000.jpg", "001.jpg", "002.jpg"]
    assert len(infos) == 497
    assert len(list(listed)) == 497
    assert infos == []
