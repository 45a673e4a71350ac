"""What other systems do differently, played here: Windows, macOS, file systems without inodes or locks."""

from __future__ import annotations

import ast
import ctypes
import errno
import io
import os
import re
import struct
import sys
import threading
import tomllib
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import IO

import numpy as np
import pytest

from photochrom.albums.album import find_photos, name_results
from photochrom.albums.entries import Entry
from photochrom.albums.manifest import Manifest
from photochrom.cli import lines
from photochrom.computer import cores, names, room, systems
from photochrom.errors import ModelError, OutputError
from photochrom.files.codecs import libvips
from photochrom.files.codecs.atomic import write_whole
from photochrom.files.originals import Originals
from photochrom.importer import installation
from tests.albums.test_batch import write

RENAME = os.replace


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(systems, "SYSTEM", "win32")
    monkeypatch.setattr(systems, "WAITS_S", (0.0, 0.0))


@pytest.fixture
def in_use(windows: None, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Return a function that lets so many renames fail as Windows does where a program has a file open."""

    def fail(times: int) -> None:
        left = [times]

        def rename(source: systems.PathLike, target: systems.PathLike) -> None:
            left[0] -= 1
            if left[0] >= 0:
                raise PermissionError(errno.EACCES, "The process cannot access the file")
            RENAME(source, target)

        monkeypatch.setattr(os, "replace", rename)

    return fail


def test_a_result_that_a_scanner_has_open_for_a_moment_is_put_in_place(
    tmp_path: Path, in_use: Callable[[int], None]
) -> None:
    (tmp_path / "a.png").write_bytes(b"old")
    in_use(2)
    write_whole(tmp_path / "a.png", b"new")
    assert (tmp_path / "a.png").read_bytes() == b"new"


def test_a_result_that_stays_open_elsewhere_is_told_truly(tmp_path: Path, in_use: Callable[[int], None]) -> None:
    (tmp_path / "a.png").write_bytes(b"old")
    in_use(99)
    with pytest.raises(OutputError, match=r"another program has it open.*Close the program that has it open"):
        write_whole(tmp_path / "a.png", b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]
    assert (tmp_path / "a.png").read_bytes() == b"old"


def test_elsewhere_what_is_forbidden_is_not_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tries = []

    def refuse(*paths: object) -> None:
        tries.append(paths)
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(OutputError, match="Choose a folder you may write to"):
        write_whole(tmp_path / "a.png", b"new")
    assert len(tries) == 1


@pytest.mark.parametrize(("failing", "left"), [(99, "old"), (0, "new")])
def test_a_model_that_an_engine_has_mapped_is_replaced_whole_or_not(
    tmp_path: Path, in_use: Callable[[int], None], failing: int, left: str
) -> None:
    model = tmp_path / "models" / "mine"
    model.mkdir(parents=True)
    (model / "model.onnx").write_text("old")
    try:
        with installation._half_made_folder(model.parent, "mine") as made:
            (made / "model.onnx").write_text("new")
            in_use(failing)
            systems.put_folder_in_place(made, model)
    except ModelError as error:
        assert failing
        assert "another program has it open" in str(error)
        assert "Close what uses it" in str(error)
    assert (model / "model.onnx").read_text() == left
    assert [path.name for path in model.parent.iterdir()] == ["mine"]


def test_when_the_second_rename_fails_the_old_model_is_back(
    tmp_path: Path, windows: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, made = tmp_path / "mine", tmp_path / "made"
    for folder in (model, made):
        folder.mkdir()
        (folder / "model.onnx").write_text(folder.name)

    def rename(source: systems.PathLike, target: systems.PathLike) -> None:
        if Path(source) == made:
            raise PermissionError(errno.EACCES, "denied")
        RENAME(source, target)

    monkeypatch.setattr(os, "replace", rename)
    with pytest.raises(OSError, match="another program has it open"):
        systems.put_folder_in_place(made, model)
    assert (model / "model.onnx").read_text() == "mine"


def test_lines_are_appended_under_windowss_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def locking(descriptor: int, mode: int, count: int) -> None:
        calls.append((mode, os.lseek(descriptor, 0, os.SEEK_CUR), count))

    monkeypatch.setattr(systems, "fcntl", None)
    monkeypatch.setattr(systems, "msvcrt", SimpleNamespace(LK_LOCK=1, LK_UNLCK=0, locking=locking))
    Manifest(tmp_path).promise(Entry("a", "", "", "a", "", 0))
    Manifest(tmp_path).promise(Entry("b", "", "", "b", "", 0))
    assert calls == [(1, systems.LOCKED_AT, 1), (0, systems.LOCKED_AT, 1)] * 2
    assert Manifest.of(tmp_path).assigned == {"a": "a", "b": "b"}


def test_a_lock_is_held_against_others_and_its_lack_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = []

    def flock(_: int, mode: int) -> None:
        held.append(mode)
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(systems, "fcntl", SimpleNamespace(LOCK_EX=2, LOCK_UN=8, flock=flock))
    Manifest(tmp_path).promise(Entry("a", "", "", "a", "", 0))
    assert held == [2, 8]
    assert Manifest.of(tmp_path).assigned == {"a": "a"}


@pytest.mark.posix
def test_whoever_appends_second_waits(tmp_path: Path) -> None:
    import fcntl

    with (tmp_path / "a").open("ab") as first, (tmp_path / "a").open("ab") as second:
        with systems.locked(first.fileno()), pytest.raises(BlockingIOError):
            fcntl.flock(second.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        fcntl.flock(second.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)


@pytest.mark.parametrize("works", [True, False])
def test_macos_is_told_to_flush_the_disk_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, works: bool) -> None:
    asked, flushed = [], []

    def call(_: int, command: int) -> None:
        asked.append(command)
        if not works:
            raise OSError(errno.ENOTSUP, "Operation not supported")

    fake = SimpleNamespace(F_FULLFSYNC=51, LOCK_EX=2, LOCK_UN=8, flock=lambda *_: None, fcntl=call)
    monkeypatch.setattr(systems, "SYSTEM", "darwin")
    monkeypatch.setattr(systems, "fcntl", fake)
    monkeypatch.setattr(systems, "flush_folder", lambda _: None)
    monkeypatch.setattr(os, "fsync", flushed.append)
    Manifest(tmp_path).promise(Entry("a", "", "", "a", "", 0))
    assert (asked, len(flushed)) == ([51], 0 if works else 1)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("con.jpg", "con_.jpg"),
        ("deep/NUL", "deep/NUL_"),
        ("com1.tar.png", "com1_.tar.png"),
        ("LPT³ .png", "LPT³_.png"),
        ("aux./a.png", "aux_/a.png"),
        ("console.png", "console.png"),
        ('what?<"it">|*.png', "what___it____.png"),
        ("back\\slash: tab\t.png", "back_slash_ tab_.png"),
        ("folder. /a.png", "folder__/a.png"),
        ("ümläut & 写真.png", "ümläut & 写真.png"),
    ],
)
def test_names_that_windows_cannot_hold_get_others_there(windows: None, name: str, expected: str) -> None:
    assert names.writable_name(name) == expected
    assert names.writable_name(expected) == expected


def test_results_on_windows_have_names_it_can_hold_and_none_twice(windows: None, tmp_path: Path) -> None:
    keys = ["con.png", "con_.png", "a:b.png", "a?b.png", "a_b.png", "plain.png"]
    given = name_results({key: tmp_path / key for key in keys}, "png", {})
    assert len({name.casefold() for name in given.values()}) == len(keys)
    assert all(names.writable_name(name) == name for name in given.values())
    assert given["plain.png"] == "plain.png"
    assert name_results({key: tmp_path / key for key in keys}, "png", given) == given


def test_elsewhere_names_stay() -> None:
    assert names.writable_name("con:?.jpg") == "con:?.jpg"
    assert names.reachable("/" + "a" * 300) == "/" + "a" * 300


def test_long_paths_are_extended_on_windows(windows: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os.path, "abspath", lambda path: path)
    long = "C:\\" + "a" * 300
    assert names.reachable(long) == "\\\\?\\" + long
    assert names.reachable("\\\\?\\" + long) == "\\\\?\\" + long
    assert names.reachable("\\\\server\\share\\" + "a" * 300) == "\\\\?\\UNC\\server\\share\\" + "a" * 300
    assert names.reachable("C:\\short.png") == "C:\\short.png"


@pytest.mark.parametrize(("system", "expected"), [("win32", BrokenPipeError), ("linux", None)])
def test_a_reader_that_has_gone_is_known_on_windows_too(
    monkeypatch: pytest.MonkeyPatch, system: str, expected: type[Exception] | None
) -> None:
    class Gone(io.StringIO):
        def flush(self) -> None:
            raise OSError(errno.EINVAL, "Invalid argument")

    monkeypatch.setattr(systems, "SYSTEM", system)
    monkeypatch.setattr(sys, "stdout", Gone())
    if expected:
        with pytest.raises(expected):
            lines.say("hello")
    else:
        lines.say("hello")
        assert lines.output_failure() is not None


@pytest.mark.parametrize("encoding", ["cp1252", "cp437", "ascii"])
def test_consoles_print_names_they_have_no_letters_for(monkeypatch: pytest.MonkeyPatch, encoding: str) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    monkeypatch.setattr(sys, "stdout", stream)
    lines.say("写真.png")
    assert stream.buffer.getvalue().decode(encoding).strip() == "\\u5199\\u771f.png"  # type: ignore[attr-defined]


def without_inodes(monkeypatch: pytest.MonkeyPatch) -> None:
    look = os.stat

    def stat(path: systems.PathLike, **options: object) -> os.stat_result:
        found = list(look(path, **options))  # type: ignore[arg-type]
        found[1] = 0
        return os.stat_result(found)

    monkeypatch.setattr(os, "stat", stat)


def test_originals_are_known_where_the_file_system_numbers_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.png", "b.png", "deep/c.png"):
        write(tmp_path / name)
    without_inodes(monkeypatch)
    originals = Originals.of([tmp_path / "a.png"])
    assert originals.found_at(tmp_path / "deep" / ".." / "a.png") == str(tmp_path / "a.png")
    assert originals.found_at(tmp_path / "b.png") is None
    assert len(find_photos(tmp_path)) == 3  # each folder is entered, none twice


def test_pixels_go_into_files_without_descriptors(monkeypatch: pytest.MonkeyPatch) -> None:
    picture = np.arange(60, dtype=np.uint16).reshape(4, 5, 3)
    monkeypatch.setattr(room, "STRIP_BYTES", 1)
    monkeypatch.setattr(room, "BYTES_IN_MEMORY", 0)
    written = libvips.computed(libvips.image_from(picture))
    assert room.is_in_file(written)
    assert (written == picture).all()


def test_a_full_disk_under_libvips_is_told_as_one() -> None:
    class Full(io.BytesIO):
        def write(self, _: object) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    def write_to(file: IO[bytes]) -> None:
        libvips._write_raw(libvips.image_from(np.zeros((4, 5, 3), np.uint8)), file)

    with pytest.raises(OSError, match="No space left on device"):
        write_to(Full())


def test_windowss_efficiency_cores_do_not_count() -> None:
    def record(efficiency: int, relationship: int = 0) -> bytes:
        return struct.pack("<IIBB", relationship, 48, 0, efficiency) + bytes(38)

    assert cores.performance_cores_in(record(1) * 6 + record(0) * 8 + record(9, relationship=3)) == 6
    assert cores.performance_cores_in(record(0) * 4) == 4
    assert cores.performance_cores_in(b"") == 0
    assert cores.performance_cores_in(bytes(9)) == 0


@pytest.mark.parametrize(("answer", "expected"), [(6, 6), (None, 11)])
def test_macos_is_asked_for_its_performance_cores(
    monkeypatch: pytest.MonkeyPatch, answer: int | None, expected: int
) -> None:
    def sysctlbyname(name: bytes, count: object, *_: object) -> int:
        assert name == b"hw.perflevel0.physicalcpu"
        if answer is None:
            return -1
        ctypes.cast(count, ctypes.POINTER(ctypes.c_int32)).contents.value = answer  # type: ignore[arg-type]
        return 0

    monkeypatch.setattr(systems, "SYSTEM", "darwin")
    monkeypatch.setattr(ctypes, "CDLL", lambda _: SimpleNamespace(sysctlbyname=sysctlbyname))
    monkeypatch.setattr(os, "cpu_count", lambda: 11)
    assert cores._allowed_physical_cores() == expected


def test_linuxs_efficiency_cores_do_not_count_unless_there_are_no_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cpus").write_text("0-3,8\n")
    monkeypatch.setattr(cores, "HYBRID_CORES", tmp_path / "cpus")
    assert cores._strong({0, 1, 4, 5, 8}) == {0, 1, 8}
    assert cores._strong({4, 5}) == {4, 5}
    monkeypatch.setattr(cores, "HYBRID_CORES", tmp_path / "none")
    monkeypatch.setattr(cores, "CPU_CAPACITY", str(tmp_path / "{cpu}"))
    for cpu, capacity in enumerate([1024, 1024, 400, 900]):
        (tmp_path / str(cpu)).write_text(f"{capacity}\n")
    assert cores._strong(range(4)) == {0, 1, 3}


@pytest.mark.parametrize(
    ("told", "files", "expected"),
    [
        ("0::/", {"cpu.max": "150000 100000"}, 2),  # a container of version 2 sees itself as the outermost
        ("0::/", {"cpu.max": "20000 100000"}, 1),
        ("0::/", {"cpu.max": "max 100000"}, 7),
        ("0::/a.slice/b.service", {"a.slice/b.service/cpu.max": "300000 100000"}, 3),  # a service of systemd's
        ("0::/a/b", {"a/b/cpu.max": "max 100000", "a/cpu.max": "200000 100000"}, 2),  # one around it has less
        ("0::/docker/1", {"cpu.max": "400000 100000"}, 4),  # told the host's place, and sees its own
        ("4:cpu,cpuacct:/\n0::/", {"cpu/cpu.cfs_quota_us": "200000", "cpu/cpu.cfs_period_us": "100000"}, 2),
        ("4:cpu:/docker/1", {"cpu/cpu.cfs_quota_us": "300000", "cpu/cpu.cfs_period_us": "100000"}, 3),
        ("4:cpu:/", {"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, 7),
        ("4:cpuset:/\n0::/", {"cpu.max": "rubbish"}, 7),
        (None, {}, 7),
    ],
)
def test_the_quota_is_the_least_of_the_cgroups_around_a_process(
    told: str | None, files: dict[str, str], expected: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cores, "CGROUPS", tmp_path / "fs")
    monkeypatch.setattr(cores, "OWN_CGROUPS", tmp_path / "cgroup")
    monkeypatch.setattr(os, "cpu_count", lambda: 7)
    if told is not None:
        (tmp_path / "cgroup").write_text(told + "\n")
    for name, content in files.items():
        (tmp_path / "fs" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "fs" / name).write_text(content + "\n")
    assert cores._quota() == expected


def test_a_process_number_is_never_signalled_on_windows(windows: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "kill", lambda *_: pytest.fail("os.kill ends a process on Windows"))
    assert systems.is_running(12345)


def test_renames_flushes_and_process_numbers_go_through_one_place() -> None:
    package = Path(systems.__file__).parents[1]
    direct = re.compile(
        r"os\.(replace|rename|fsync|kill)\(|\.rename\(|flock|\.locking\(|new_to_descriptor|new_from_descriptor"
        r"|\.replace\([^,()]*(\([^()]*\)[^,()]*)*\)"  # of a path: that of a text has two arguments
    )
    found = {path.name for path in package.rglob("*.py") if direct.search(path.read_text(encoding="utf-8"))}
    assert found == {"systems.py"}


def test_modules_that_a_system_lacks_are_imported_where_they_are_needed() -> None:
    lacking = {"fcntl", "grp", "msvcrt", "pwd", "resource", "termios", "winreg"}
    at_the_top = re.compile(rf"^(?:import|from) (?:{'|'.join(lacking)})\b", re.MULTILINE)
    root, found = Path(__file__).parents[2], set()
    for path in [*(root / "src").rglob("*.py"), *(root / "tests").rglob("*.py")]:
        if at_the_top.search(text := path.read_text(encoding="utf-8")):  # or of a program in a text
            body = ast.parse(text).body
            named = {alias.name for one in body if isinstance(one, ast.Import) for alias in one.names}
            named |= {one.module or "" for one in body if isinstance(one, ast.ImportFrom)}
            found |= {f"{path.relative_to(root).as_posix()}: {name}" for name in named & lacking}
    assert found == set()


def test_texts_are_read_and_written_in_letters_that_are_named() -> None:
    package = Path(systems.__file__).parents[1]
    unnamed = re.compile(r"\.read_text\(\)|\.write_text\((?:(?!encoding)[^()]|\([^()]*\))*\)|open\([^()]*\"[rwxa]\"\)")
    found = {p.name: unnamed.findall(p.read_text(encoding="utf-8")) for p in package.rglob("*.py")}
    assert {name: texts for name, texts in found.items() if texts} == {}
    assert unnamed.search("path.write_text(str(7))")
    assert not unnamed.search('path.write_text(dumps({}), encoding="utf-8")')


def test_nothing_is_asked_of_the_runner_of_tests_that_windows_has_not() -> None:
    ini = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["pytest"]
    assert "timeout_method" not in ini["ini_options"]  # "signal" fails each test where there is no SIGALRM


@pytest.mark.posix
def test_a_lock_that_is_held_is_told_at_once_and_let_go_of_with_the_file(tmp_path: Path) -> None:
    with (tmp_path / "lock").open("a+b") as first, (tmp_path / "lock").open("a+b") as second:
        assert systems.hold_lock(first.fileno())
        assert not systems.hold_lock(second.fileno())
        first.close()
        assert systems.hold_lock(second.fileno())


def test_windowss_lock_is_held_without_waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held = list[int]()

    def locking(descriptor: int, mode: int, _: int) -> None:
        if descriptor in held:
            raise PermissionError(errno.EACCES, "Permission denied")
        assert mode == 3
        held.append(descriptor)

    monkeypatch.setattr(systems, "fcntl", None)
    monkeypatch.setattr(systems, "msvcrt", SimpleNamespace(LK_NBLCK=3, locking=locking))
    with (tmp_path / "lock").open("a+b") as lock:
        assert systems.hold_lock(lock.fileno())
        assert not systems.hold_lock(lock.fileno())


@pytest.mark.skipif(not hasattr(os, "sched_setscheduler"), reason="Linux alone lets a process ask")
def test_a_library_that_changes_the_scheduling_is_undone_in_every_thread() -> None:
    def change() -> None:
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))

    usual, leave = os.sched_getscheduler(0), threading.Event()
    changed = threading.Event()
    thread = threading.Thread(target=lambda: (change(), changed.set(), leave.wait(60)))
    with cores.scheduling_kept():
        change()
        thread.start()
        assert changed.wait(60)
        assert os.sched_getscheduler(thread.native_id or 0) == os.SCHED_BATCH
    found = os.sched_getscheduler(0), os.sched_getscheduler(thread.native_id or 0)
    leave.set()
    thread.join(60)
    assert found == (usual, usual)


@pytest.mark.skipif(not hasattr(os, "sched_getscheduler"), reason="Linux only")
def test_threads_that_end_while_they_are_looked_at_disturb_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = 2**22 + 1  # beyond the largest number of a process
    monkeypatch.setattr(cores, "_threads", lambda: [gone, os.getpid()])
    with cores.scheduling_kept():
        pass
