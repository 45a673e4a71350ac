"""Many machines on one album: parts by name alone, a record for each, and a merge that finds what is wrong."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from photochrom.albums.batch import run_batch
from photochrom.albums.manifest import MANIFEST_NAME, Manifest, part_paths
from photochrom.albums.merging import Standing, check_album, merge_album
from photochrom.albums.parts import Part, PartOptions, Shard, read_list, shard_number
from photochrom.albums.plan import plan
from photochrom.albums.reports import BatchSummary
from photochrom.albums.results import BatchSettings
from photochrom.cli.app import run as run_cli
from photochrom.errors import EXIT_OK, EXIT_SOME_FAILED, EXIT_USAGE, OptionError, OutputError, PhotoNotFoundError
from photochrom.files.photo import Photo
from photochrom.options import OutputOptions
from tests.albums.test_batch import SETTINGS, Reddened, names_in, redden, write

NAMES = ["a.png", "a.jpg", "b.png", "deep/a.png", "deep/ümläut.png", "with space.png"]
NOTHING = io.BytesIO()
LINE_LETTERS = st.characters(exclude_characters="\ufeff\n\r\0/\\", exclude_categories=["Cs"])
PNG = replace(SETTINGS, writing=OutputOptions(format="png"))


@pytest.fixture
def album(tmp_path: Path) -> Path:
    for seed, name in enumerate(NAMES):
        write(tmp_path / "in" / name, seed)
    return tmp_path / "in"


def do(
    album: Path,
    out: Path,
    part: Part | None = None,
    settings: BatchSettings = PNG,
    make: Callable[[Photo], Reddened] = redden,
) -> BatchSummary:
    planned = plan([album], out, format="png", part=part or Part())
    return run_batch(planned.jobs, make, settings, manifest=planned.manifest, also_read=planned.others)


def do_in_shards(album: Path, out: Path, count: int, **options: object) -> list[BatchSummary]:
    return [do(album, out, Part(Shard(number, count)), **options) for number in range(1, count + 1)]  # type: ignore[arg-type]


def standings(album: Path, out: Path) -> dict[str, Standing]:
    found: dict[str, Standing] = {}
    check_album(album, out, on_standing=lambda standing: found.update({standing.key: standing}))
    return found


@settings(max_examples=30, deadline=None)
@given(st.text("aou. /-äöüéñåßかが漢\u0301\u0308\u3099", min_size=1, max_size=20), st.integers(2, 1000))
def test_each_photograph_is_in_one_shard_however_its_accents_are_composed(name: str, count: int) -> None:
    number = shard_number(name, count)
    assert 1 <= number <= count
    assert shard_number(unicodedata.normalize("NFD", name), count) == number
    assert [Shard(other, count).holds(name) for other in (number, number % count + 1)] == [True, False]


def test_shards_are_those_of_every_other_version() -> None:
    assert [shard_number(name, 20) for name in NAMES] == [13, 7, 5, 12, 19, 5]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0/4", "counted from 1 to 4. Where a job's numbers begin at 0, add 1"),
        ("5/4", "there are 4 shards"),
        ("1/0", "1 to 100,000 shards"),
        ("1", "is not NUMBER/COUNT"),
        ("-1/4", "is not NUMBER/COUNT"),
        ("١/٤", "is not NUMBER/COUNT"),
    ],
)
def test_shards_that_are_none_are_refused(text: str, expected: str, album: Path, capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(OptionError, match=expected):
        PartOptions(shard=text).parsed(NOTHING)
    assert run_cli(["colorize", str(album), "-o", str(album.parent / "out"), f"--shard={text}"]) == EXIT_USAGE
    line = capsys.readouterr().err
    assert line.count("\n") == 1
    assert re.search(r"\. (Write 3/20|Where a job's numbers)", line), "and says what to do"


def test_shards_together_give_what_one_machine_gives(album: Path, tmp_path: Path) -> None:
    do(album, tmp_path / "one")
    summaries = do_in_shards(album, tmp_path / "many", 3)
    assert sum(summary.done for summary in summaries) == len(NAMES)
    assert names_in(tmp_path / "many") == names_in(tmp_path / "one")  # a.png and a.jpg kept apart alike
    for name in names_in(tmp_path / "one"):
        assert (tmp_path / "many" / name).read_bytes() == (tmp_path / "one" / name).read_bytes()
    assert not (tmp_path / "many" / MANIFEST_NAME).exists()
    assert len(part_paths(tmp_path / "many")) == 3


def test_what_other_machines_did_is_known_whatever_the_number_of_shards(album: Path, tmp_path: Path) -> None:
    do_in_shards(album, tmp_path / "out", 3)
    assert [summary.done for summary in do_in_shards(album, tmp_path / "out", 2)] == [0, 0]
    assert do(album, tmp_path / "out").skipped == len(NAMES)


def test_originals_of_other_machines_are_not_written_over(album: Path) -> None:
    (mine,) = [number for number in (1, 2) if Shard(number, 2).holds("a.jpg")]
    other = next(name for name in NAMES if not Shard(mine, 2).holds(name) and name.endswith(".png"))
    (album / "link.png").unlink(missing_ok=True)
    before = (album / other).read_bytes()
    planned = plan([album], album.parent / "out", format="png", part=Part(Shard(mine, 2)))
    (job,) = [job for job in planned.jobs if job.key == "a.jpg"]
    over = replace(PNG, writing=OutputOptions(format="png", overwrite=True))
    summary = run_batch([replace(job, target=album / other)], redden, over, also_read=planned.others)
    assert (summary.failed, (album / other).read_bytes()) == (1, before)


@settings(max_examples=20, deadline=None)
@given(st.sets(st.text(LINE_LETTERS, min_size=1), min_size=1))
def test_a_list_gives_its_names_by_lines_or_zero_bytes(names: set[str]) -> None:
    for end in ("\n", "\r\n", "\0"):
        assert set(read_list(Path("-"), io.BytesIO("".join(name + end for name in names).encode()))) == names


def test_a_list_of_names_that_are_no_utf8_is_read() -> None:
    assert read_list(Path("-"), io.BytesIO(b"\xef\xbb\xbfa\n\xff.png\n\na\n")) == ["a", "\udcff.png"]


def test_a_list_says_which_photographs_are_done(album: Path, tmp_path: Path) -> None:
    part = Part(names=["deep/a.png", "./b.png", str(album / "a.png"), "absent.png"])
    summary = do(album, tmp_path / "out", part)
    assert (summary.done, summary.failed) == (3, 1)
    assert names_in(tmp_path / "out") == {"deep/a.png", "b.png", "a.png"}
    assert [path.name for path in part_paths(tmp_path / "out")] == [f".photochrom-album-{part.name}.jsonl"]
    assert do(album, tmp_path / "out").skipped == 3


@pytest.mark.parametrize(
    ("content", "expected"),
    [("../out.png\n", "leads out of the folder"), ("/etc/passwd\n", "does not lie in"), ("\n\n", "names no")],
)
def test_lists_that_lead_elsewhere_are_refused(content: str, expected: str, album: Path, tmp_path: Path) -> None:
    (tmp_path / "list").write_text(content)
    with pytest.raises(OptionError, match=expected):
        plan([album], tmp_path / "out", format=None, part=PartOptions(files_from=tmp_path / "list").parsed(NOTHING))


def test_a_list_needs_its_folder_and_a_place_for_results(album: Path, tmp_path: Path) -> None:
    listed = Part(names=["a.png"])
    with pytest.raises(OptionError, match="needs the one folder"):
        plan([album / "a.png"], tmp_path / "out", format=None, part=listed)
    with pytest.raises(OptionError, match="needs a folder for the results"):
        plan([album], None, format=None, part=listed)


def test_a_merge_joins_the_parts_and_the_next_run_finds_all_done(album: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    do_in_shards(album, out, 2)
    merged = merge_album(album, out)
    assert merged.is_whole
    assert (merged.counts, merged.parts) == ({"done": len(NAMES)}, 2)
    assert part_paths(out) == []
    assert len([line for line in (out / MANIFEST_NAME).read_bytes().splitlines() if line]) == len(NAMES)
    assert do(album, out).skipped == len(NAMES)
    assert merge_album(album, out).is_whole  # and again


def test_a_merge_says_what_is_not_as_it_should_be(album: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    (album / "broken.png").write_bytes((album / "a.png").read_bytes()[:120])
    write(album / "gone.png", 9)
    do_in_shards(album, out, 2)
    (album / "gone.png").unlink()
    write(album / "late.png", 10)
    write(album / "b.png", 11)  # another photograph of the same name
    (out / "deep/a.png").write_bytes(b"painted over")
    (out / "with space.png").unlink()
    found = standings(album, out)
    assert {key: standing.status for key, standing in found.items()} == {
        "a.png": "done",
        "a.jpg": "done",
        "b.png": "changed",
        "deep/a.png": "changed",
        "deep/ümläut.png": "done",
        "with space.png": "missing",
        "broken.png": "failed",
        "late.png": "missing",
    }
    assert "photograph has changed" in found["b.png"].why
    assert "not the one that was made" in found["deep/a.png"].why
    assert "taken away" in found["with space.png"].why
    assert "broken.png" in found["broken.png"].why
    assert merge_album(album, out).gone == 1
    assert {key: standing.status for key, standing in standings(album, out).items()} == {
        key: standing.status for key, standing in found.items()
    }
    summary = do(album, out)  # goes on: only what somebody painted over is not ours to replace
    assert (summary.done, summary.skipped, summary.failed) == (3, 3, 2)


def test_photographs_that_the_options_leave_out_are_not_missing(album: Path, tmp_path: Path) -> None:
    do_in_shards(album, tmp_path / "out", 2, make=lambda photo: replace(redden(photo), is_skipped=True))
    merged = check_album(album, tmp_path / "out")
    assert (merged.counts, merged.is_whole) == ({"unwanted": len(NAMES)}, True)


def test_results_of_two_versions_or_settings_are_noticed(album: Path, tmp_path: Path) -> None:
    newer = replace(PNG, provenance=replace(PNG.provenance, version="2"))
    vivid = replace(PNG, provenance=replace(PNG.provenance, settings={"vividness": 2.0}))
    for settings_of_two, expected in [(newer, "2 versions of photochrom"), (vivid, "2 settings or models")]:
        out = tmp_path / expected[2:5]
        do(album, out, Part(Shard(1, 2)))
        do(album, out, Part(Shard(2, 2)), settings_of_two)
        merged = merge_album(album, out)
        assert (expected in merged.disagreement, merged.is_whole) == (True, False)


def test_a_part_that_grows_while_it_is_joined_is_kept(
    album: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    do(album, out, Part(Shard(1, 2)))
    read = Manifest.of

    def read_and_go_on(folder: Path, part: str = "") -> Manifest:
        manifest = read(folder, part)
        monkeypatch.undo()
        do(album, out, Part(Shard(1, 2)), replace(PNG, provenance=replace(PNG.provenance, version="2")))
        return manifest

    monkeypatch.setattr(Manifest, "of", read_and_go_on)
    merge_album(album, out)
    assert len(part_paths(out)) == 1
    assert do(album, out, Part(Shard(1, 2)), replace(PNG, provenance=replace(PNG.provenance, version="2"))).done == 0


def test_a_run_that_writes_to_the_album_meanwhile_is_not_lost(
    album: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    do(album, out)
    before = (out / MANIFEST_NAME).read_bytes()

    def grow(*_: object) -> Path:
        (out / MANIFEST_NAME).write_bytes(before + b"\n")
        return out

    with pytest.raises(OutputError, match="another run is at work"):
        merge_album(album, out, on_standing=grow)
    assert (out / MANIFEST_NAME).read_bytes() == before + b"\n"


def test_a_folder_without_records_is_one_line(album: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with pytest.raises(PhotoNotFoundError, match="holds no record of results"):
        check_album(album, tmp_path / "out")


@pytest.mark.slow
def test_two_machines_side_by_side_on_one_folder(album: Path, tmp_path: Path, tiny_model: Path) -> None:
    out, left = tmp_path / "out", tmp_path / "left"
    command = [sys.executable, "-m", "photochrom", "colorize", str(album), "-o", str(out), "--model", str(tiny_model)]
    machines = [
        subprocess.Popen([*command, "--shard", f"{number}/2"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for number in (1, 2)
    ]
    assert [(machine.communicate(timeout=120)[1], machine.returncode) for machine in machines] == [(b"", EXIT_OK)] * 2
    assert run_cli(["albums", "merge", str(album), str(out), "--left", str(left)]) == EXIT_OK
    assert left.read_text() == ""
    assert part_paths(out) == []
    assert len(names_in(out)) == len(NAMES)


def test_the_command_line_takes_lists_checks_and_goes_on_from_what_is_left(
    album: Path, tmp_path: Path, tiny_model: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, left = tmp_path / "out", tmp_path / "left"
    model = ["--model", str(tiny_model)]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"a.png\ndeep/a.png\n")))
    assert run_cli(["colorize", str(album), "-o", str(out), *model, "--files-from", "-"]) == EXIT_OK
    capsys.readouterr()
    assert run_cli(["albums", "check", str(album), str(out), "--left", str(left)]) == EXIT_SOME_FAILED
    told = capsys.readouterr().out.splitlines()
    assert told[-1] == "2 done, 4 missing, 0 failed, 0 changed; 1 parts"
    assert "b.png: missing (nobody has done it)" in told
    assert left.read_text().split("\n")[:-1] == ["a.jpg", "b.png", "deep/ümläut.png", "with space.png"]
    assert run_cli(["colorize", str(album), "-o", str(out), *model, "--files-from", str(left)]) == EXIT_OK
    assert run_cli(["albums", "merge", str(album), str(out), "--quick", "--quiet"]) == EXIT_OK


def test_a_shard_without_photographs_is_no_failure(
    album: Path, tmp_path: Path, capsys: pytest.CaptureFixture, tiny_model: Path
) -> None:
    arguments = ["colorize", str(album), "-o", str(tmp_path / "out"), "--model", str(tiny_model), "--shard", "1/1000"]
    assert run_cli(arguments) == EXIT_OK
    assert capsys.readouterr().out == "none of the 6 photographs is in shard 1/1000\n"


def test_lines_of_other_makers_are_passed_over(album: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    do(album, out)
    odd = [{"key": "x", "outcome": 1, "why": ""}, {"outcome": "failed"}, ["outcome"], {"key": "y", "version": "2"}]
    with (out / MANIFEST_NAME).open("a") as handle:
        handle.writelines(json.dumps(line) + "\n" for line in odd)
    assert Manifest.of(out).outcomes == {}
    assert do(album, out).skipped == len(NAMES)
