"""Models of one's own: a plain folder, an index, hashes that are checked, a signature that may be asked for."""

from __future__ import annotations

import errno
import functools
import hashlib
import http.server
import json
import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from photochrom.cli import importing
from photochrom.cli.app import run as run_cli
from photochrom.computer import systems
from photochrom.engines.catalog import ModelCard
from photochrom.engines.hub import find_model
from photochrom.errors import EXIT_NOT_INSTALLED, EXIT_OK, EXIT_USAGE, ModelFileError, OptionError
from photochrom.importer.repositories import push_model, read_index


@pytest.fixture
def place(tmp_path: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> Path:
    """A place that a model has been pushed to; installed models lie in a folder of their own."""
    monkeypatch.setenv("PHOTOCHROM_CACHE", str(tmp_path / "cache"))
    (tmp_path / "card.md").write_text("# Ours\n\nTrained on our own prints.\n")
    words = ["models", "push", str(tiny_model), str(tmp_path / "place"), "--name", "ours", "--licence", "MIT"]
    assert (
        run_cli([*words, "--text", str(tmp_path / "card.md"), "--licence-file", str(tmp_path / "card.md")]) == EXIT_OK
    )
    capsys.readouterr()
    return tmp_path / "place"


@pytest.fixture
def web(place: Path) -> Iterator[str]:
    """The place, served on loopback."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(place)))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/index.json"
    server.shutdown()
    server.server_close()
    thread.join(60)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def pull(index: str, *more: str) -> int:
    return run_cli(["models", "pull", "ours", "--index", index, *more])


def test_what_is_pushed_is_a_plain_folder_and_a_hugging_face_repository(place: Path, tiny_model: Path) -> None:
    folder = place / "ours"
    assert sorted(path.name for path in folder.iterdir()) == [
        "LICENSE",
        "README.md",
        "SHA256SUMS",
        "card.json",
        "tiny.onnx",
    ]
    for line in (folder / "SHA256SUMS").read_text().splitlines():
        digest, name = line.split("  ")
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
    text = (folder / "README.md").read_text()
    assert text.startswith("---\nlicense: mit\nlibrary_name: photochrom\n")
    assert text.endswith("Trained on our own prints.\n")
    assert json.loads((folder / "card.json").read_text())["contract"] == "color/1"


@pytest.mark.slow
@pytest.mark.parametrize("from_web", [False, True])
def test_what_is_pulled_is_checked_and_colours(
    place: Path, web: str, from_web: bool, make_photo: object, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    index = web if from_web else str(place / "index.json")
    assert pull(index) == EXIT_OK
    assert (find_model("ours").card or pytest.fail("no card")).licence == "MIT"
    photo = make_photo("a.png")  # type: ignore[operator]
    assert run_cli(["colorize", str(photo), "-o", str(tmp_path / "out.png"), "--model", "ours"]) == EXIT_OK
    assert pull(index) == EXIT_USAGE  # there already
    assert "Use --overwrite" in capsys.readouterr().err
    assert pull(index, "--overwrite") == EXIT_OK


@pytest.mark.parametrize("from_web", [False, True])
def test_a_file_that_was_changed_is_not_installed(
    place: Path, web: str, from_web: bool, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    data = bytearray((place / "ours/tiny.onnx").read_bytes())
    data[len(data) // 2] ^= 1
    (place / "ours/tiny.onnx").write_bytes(data)
    assert pull(web if from_web else str(place / "index.json")) != EXIT_OK
    assert capsys.readouterr().err.count("\n") == 1
    assert not (tmp_path / "cache/models/ours").exists()
    assert [path.name for path in (tmp_path / "cache/models").iterdir()] == []


def keys(folder: Path) -> tuple[Path, Path]:
    serialization = pytest.importorskip("cryptography.hazmat.primitives.serialization")
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    private, plain = Ed25519PrivateKey.generate(), serialization.NoEncryption()
    pem = serialization.Encoding.PEM
    (folder / "private.pem").write_bytes(private.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
    public = private.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo)
    (folder / "public.pem").write_bytes(public)
    return folder / "private.pem", folder / "public.pem"


def test_an_index_may_have_to_be_signed(
    place: Path, tmp_path: Path, tiny_model: Path, capsys: pytest.CaptureFixture
) -> None:
    private, public = keys(tmp_path)
    index = str(place / "index.json")
    assert pull(index, "--index-key", str(public)) != EXIT_OK  # no signature at all
    words = ["models", "push", str(tiny_model), str(place), "--name", "ours", "--overwrite", "--licence", "MIT"]
    assert run_cli([*words, "--signing-key", str(private)]) == EXIT_OK
    assert pull(index, "--index-key", str(public)) == EXIT_OK
    (place / "index.json").write_bytes((place / "index.json").read_bytes() + b"\n")
    capsys.readouterr()
    assert pull(index, "--index-key", str(public), "--overwrite") == EXIT_NOT_INSTALLED
    assert "is not signed by the key" in capsys.readouterr().err


def test_a_signed_index_is_not_left_with_the_signature_of_another(
    place: Path, tmp_path: Path, tiny_model: Path, capsys: pytest.CaptureFixture
) -> None:
    private, public = keys(tmp_path)
    words = ["models", "push", str(tiny_model), str(place), "--name", "ours", "--overwrite", "--licence", "MIT"]
    assert run_cli([*words, "--signing-key", str(private)]) == EXIT_OK
    capsys.readouterr()
    assert run_cli(words) == EXIT_USAGE
    said = "signs the index that is there, and not the one that would be. Add --signing-key, or delete it"
    assert capsys.readouterr().err == f"photochrom: {place / 'index.json.sig'}: {said}\n"
    assert pull(str(place / "index.json"), "--index-key", str(public)) == EXIT_OK


@pytest.mark.parametrize(
    ("change", "value"),
    [
        ("name", "../evil"),
        ("name", ".hidden"),
        ("name", "long" * 20),
        ("file", "../evil.onnx"),
        ("file", "a\\b.onnx"),
        ("sha256", "00"),
        ("bytes", float("inf")),
        ("bytes", "many"),
        ("at", 7),
        ("at", "a\0b"),
    ],
)
def test_indexes_that_lead_elsewhere_are_none(place: Path, change: str, value: object) -> None:
    index = json.loads((place / "index.json").read_text())
    entry = index["models"]["ours"]
    if change == "name":
        index["models"] = {value: entry | {"card": entry["card"] | {"name": value}}}
    elif change == "at":
        entry["at"] = value
    else:
        entry["files"][0][change] = value
    with pytest.raises(ModelFileError, match="is no index of models"):
        read_index(json.dumps(index).encode(), "index")


@pytest.mark.parametrize(
    ("index", "expected"),
    [
        ("http://example.org/index.json", "Use https://"),
        ("ftp://example.org/index.json", "is no address that is read. Give the path or the https:// address"),
        ("absent.json", "cannot be read (No such file"),
        ("http://localhost:9/in dex.json", "cannot be fetched (URL can't contain control characters"),
        ("HTTP://example.org/index.json", "Use https://"),
    ],
)
def test_addresses_that_are_not_safe_or_not_there_are_one_line(
    index: str, expected: str, capsys: pytest.CaptureFixture
) -> None:
    assert pull(index) != EXIT_OK
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert expected in err


def test_a_model_in_use_stays_and_is_told(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    index, model = str(place / "index.json"), tmp_path / "cache" / "models" / "ours"
    assert pull(index) == EXIT_OK
    (model / "note").write_text("the old one")
    rename = os.replace

    def refuse(source: systems.PathLike, target: systems.PathLike) -> None:
        if Path(target) == model and Path(source).name == "made":  # the new one's; the old one may come back
            raise PermissionError(errno.EACCES, "The process cannot access the file")
        rename(source, target)

    monkeypatch.setattr(systems, "SYSTEM", "win32")
    monkeypatch.setattr(systems, "WAITS_S", (0.0,))
    monkeypatch.setattr(os, "replace", refuse)
    capsys.readouterr()
    assert pull(index, "--overwrite") != EXIT_OK
    assert "another program has it open). Close what uses it, and run again" in capsys.readouterr().err
    assert [path.name for path in model.parent.iterdir()] == ["ours"]
    assert (model / "note").read_text() == "the old one"


def test_keys_that_are_none_are_one_line_with_the_command_that_makes_one(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    pytest.importorskip("cryptography", reason="the extra hub")
    (tmp_path / "none.pem").write_text("no key")
    (place / "index.json.sig").write_text("00")
    assert pull(str(place / "index.json"), "--index-key", str(tmp_path / "none.pem")) == EXIT_USAGE
    words = ["models", "push", str(place / "ours" / "tiny.onnx"), str(tmp_path / "other"), "--licence", "MIT"]
    assert run_cli([*words, "--signing-key", str(tmp_path / "none.pem")]) == EXIT_USAGE
    refused, unsigned = capsys.readouterr().err.splitlines()
    assert "is no public key" in refused
    assert "openssl pkey -in private.pem -pubout" in refused
    assert "openssl genpkey -algorithm ed25519" in unsigned


def test_a_name_that_the_index_has_not_and_an_index_of_the_future(place: Path, capsys: pytest.CaptureFixture) -> None:
    assert run_cli(["models", "pull", "our", "--index", str(place / "index.json")]) == EXIT_USAGE
    assert "Did you mean 'ours'?" in capsys.readouterr().err
    with pytest.raises(ModelFileError, match="Install a newer photochrom"):
        read_index(b'{"photochrom_index": 2, "models": {}}', "index")


@pytest.mark.posix
def test_the_sums_are_those_of_sha256sum(place: Path) -> None:
    done = subprocess.run(
        ["sha256sum", "-c", "SHA256SUMS"], cwd=place / "ours", capture_output=True, check=False, timeout=60
    )
    assert done.returncode == 0


@pytest.mark.parametrize(
    "name", ["a/b", "../x", "a\\b", ".", "..", "-x", "Ours", "index.json", "index.json.sig", "x" * 65]
)
def test_a_name_that_no_index_can_hold_is_refused_before_anything_is_written(
    place: Path, name: str, tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    before = contents(tmp_path)
    assert run_cli(["models", "push", str(tiny_model), str(place), f"--name={name}", "--overwrite"]) == EXIT_USAGE
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert ("cannot be a model's name" in err) != ("is the name of the index" in err)
    assert contents(tmp_path) == before
    assert list(read_index((place / "index.json").read_bytes(), "index")) == ["ours"]


@pytest.mark.posix
@pytest.mark.parametrize("name", ["a\\b.onnx", "net[1].onnx", "größe.onnx", "a b.onnx", "c.onnx"])
def test_a_file_that_no_index_can_hold_is_refused_before_anything_is_written(
    place: Path, name: str, tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    (tmp_path / name).write_bytes(tiny_model.read_bytes())
    (tmp_path / "c.weights").touch()
    before = contents(tmp_path)
    assert run_cli(["models", "push", str(tmp_path / name), str(place), "--name", "other"]) == EXIT_USAGE
    err = capsys.readouterr().err
    assert "an index cannot hold a file of that name, or an empty one. Name them by letters of English" in err
    assert err.count("\n") == 1
    assert contents(tmp_path) == before


def test_files_of_another_model_are_not_pushed_along(tiny_model: Path, tmp_path: Path) -> None:
    """A name with brackets is no pattern that other names fit."""
    (tmp_path / "net[1].onnx").write_bytes(tiny_model.read_bytes())
    (tmp_path / "net1.weights").write_bytes(b"another's")
    card = ModelCard(name="ours", kind="color", contract="color/1", file="x.onnx", sha256="", licence="", summary="")
    with pytest.raises(OptionError, match=r"^net\[1\]\.onnx: an index cannot hold"):
        push_model(tmp_path / "net[1].onnx", card, tmp_path / "place")
    assert not (tmp_path / "place").exists()


def test_a_model_whose_name_begins_alike_is_not_pushed_along(
    tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    for name in ("net.onnx", "net.v2.onnx", "net.v2.weights"):
        (tmp_path / name).write_bytes(tiny_model.read_bytes())
    assert run_cli(["models", "push", str(tmp_path / "net.onnx"), str(tmp_path / "place"), "--name", "ours"]) == EXIT_OK
    assert [path.name for path in (tmp_path / "place" / "ours").glob("net*")] == ["net.onnx"]


def test_a_restoring_model_is_pushed_by_its_path_and_pulled_as_what_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setenv("PHOTOCHROM_CACHE", str(tmp_path / "cache"))
    source, place = find_model("photochrom-noise").path, tmp_path / "place"
    assert run_cli(["models", "push", str(source), str(place), "--name", "ours"]) == EXIT_OK
    assert pull(str(place / "index.json")) == EXIT_OK
    card = find_model("ours").card or pytest.fail("no card")
    assert (card.kind, card.contract, card.licence) == ("noise", "noise/1", "MIT")
    assert "Use it: photochrom restore photo.jpg --noise-model ours\n" in capsys.readouterr().out


def test_no_model_is_pulled_in_the_place_of_an_embedded_one(
    place: Path, tiny_model: Path, capsys: pytest.CaptureFixture
) -> None:
    """It would colour and restore in place of the default without a word."""
    words = ["models", "push", str(tiny_model), str(place), "--name", "photochrom-color"]
    assert run_cli(words) == EXIT_OK
    capsys.readouterr()
    index = str(place / "index.json")
    for more in ([], ["--overwrite"]):
        assert run_cli(["models", "pull", "photochrom-color", "--index", index, *more]) == EXIT_USAGE
        told = "photochrom-color: is the name of a model that comes with photochrom. Choose another name.\n"
        assert capsys.readouterr().err == f"photochrom: {told}"


def test_an_installed_model_is_told_before_its_file_is_downloaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setenv("PHOTOCHROM_CACHE", str(tmp_path))
    monkeypatch.setattr(importing, "fetch", lambda *_, **__: pytest.fail("downloaded"))
    (tmp_path / "models" / "deoldify-stable").mkdir(parents=True)
    assert run_cli(["models", "pull", "deoldify-stable"]) == EXIT_USAGE
    assert "a model of that name is installed" in capsys.readouterr().err


def test_an_index_that_leads_away_from_the_web_is_not_followed(
    web: str, place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    """Nor from https to http: the opener is that of downloads, where it is asked."""

    def leading_away(self: http.server.SimpleHTTPRequestHandler) -> None:
        self.send_response(302)
        self.send_header("Location", "ftp://example.org/index.json")
        self.end_headers()

    monkeypatch.setattr(http.server.SimpleHTTPRequestHandler, "do_GET", leading_away)
    assert pull(web) != EXIT_OK
    assert (
        capsys.readouterr().err
        == f"photochrom: {web}: cannot be fetched (it redirects from http to ftp). Check the address\n"
    )


@pytest.mark.parametrize("option", ["--licence-file", "--signing-key", "--text"])
def test_a_file_that_is_not_there_is_told_before_anything_is_written(
    place: Path, option: str, tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    before = contents(tmp_path)
    words = ["models", "push", str(tiny_model), str(place), "--name", "other"]
    assert run_cli([*words, option, "absent"]) != EXIT_OK
    assert "absent" in capsys.readouterr().err
    assert run_cli([*words, "--text", str(tiny_model)]) == EXIT_USAGE
    assert capsys.readouterr().err == f"photochrom: --text {tiny_model}: is no text in UTF-8. Save it as one\n"
    assert contents(tmp_path) == before
