"""The page's folder: whole, up to date, and never at the cost of what somebody else put there."""

from __future__ import annotations

import hashlib
import json
import re
import tarfile
import zlib
from pathlib import Path

import pytest

from photochrom.cli.app import run
from photochrom.errors import (
    EXIT_NOT_INSTALLED,
    EXIT_OK,
    EXIT_USAGE,
    MissingExtraError,
    ModelFileError,
    OptionError,
    OutputError,
)
from photochrom.webpage import runtime as ort
from photochrom.webpage.bundle import POLICY
from photochrom.webpage.export import MANIFEST, ExportedPage, export_page
from photochrom.webpage.runtime import BrowserRuntime, read_runtime, runtime_package
from tests.tiny_model import write_tiny_model

RUNTIME = BrowserRuntime(script=b"export const env = {};", wasm=b"\0asm" + bytes(1_000_000))
SITE = Path(__file__).parents[2] / "src/photochrom/webpage/site"
LANGUAGES = {"en", "de", "fr"}
# Names in XML and texts for people; nothing is fetched from there.
NAMED_ONLY = {"www.w3.org", "cv.iptc.org", "iptc.org", "ns.adobe.com"}


@pytest.fixture
def page(tmp_path: Path, hearing_model: Path) -> ExportedPage:
    return export_page(tmp_path / "site", RUNTIME, model=str(hearing_model))


def texts_of(folder: Path) -> dict[str, str]:
    found = [path for path in folder.rglob("*") if path.suffix not in {".packed", ".jpg", ""}]
    return {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in found if path.is_file()}


def kept_files(folder: Path) -> dict[str, dict]:
    """The table in the service worker."""
    text = (folder / "service-worker.js").read_text(encoding="utf-8")
    return json.loads(text[text.index("const FILES = ") + 14 : text.index(";\nconst CACHE")])


def unpacked(packed: bytes) -> bytes:
    planes = zlib.decompress(packed)
    half = (len(planes) + 1) // 2
    content = bytearray(len(planes))
    content[::2], content[1::2] = planes[:half], planes[half:]
    return bytes(content)


def test_every_file_is_kept_for_offline_use_by_its_hash(page: ExportedPage) -> None:
    on_disk = {path.relative_to(page.folder).as_posix() for path in page.folder.rglob("*") if path.is_file()}
    kept = kept_files(page.folder)
    assert on_disk - set(kept) == {"service-worker.js", MANIFEST}
    for path, entry in kept.items():
        content = (page.folder / path).read_bytes()
        assert entry == {"sha256": hashlib.sha256(content).hexdigest(), "large": path.endswith(".packed")}


def test_the_page_is_told_the_models_hash_and_what_it_says_of_itself(page: ExportedPage, hearing_model: Path) -> None:
    (settings,) = page.folder.glob("page-*/page.json")
    model = json.loads(settings.read_text(encoding="utf-8"))["model"]
    assert model["sha256"] == page.sha256 == hashlib.sha256(hearing_model.read_bytes()).hexdigest()
    packed = (settings.parent / model["path"]).read_bytes()
    assert model["packed"] == {"sha256": hashlib.sha256(packed).hexdigest(), "bytes": len(packed), "planes": 2}
    assert unpacked(packed) == hearing_model.read_bytes()
    assert model["spec"]["render_px"] == 64
    assert len(model["spec"]["bins_ab"]) == 4


def test_addresses_are_relative_and_nothing_comes_from_elsewhere(page: ExportedPage) -> None:
    for name, text in texts_of(page.folder).items():
        assert set(re.findall(r"https?://([\w.-]+)", text)) <= NAMED_ONLY, name
        assert "@" not in re.sub(r"@(media|keyframes)", "", text) or name.endswith("ort.js"), name
    index = (page.folder / "index.html").read_text(encoding="utf-8")
    named = re.findall(r'(?:src|href)="([^"]+)"', index)
    assert [path for path in named if path.startswith("/") or not (page.folder / path).is_file()] == []
    assert f'content="{POLICY}"' in index
    assert not re.search(r"<script>|<style>| style=| on\w+=", index)  # the policy would stop them


def test_twice_the_same_is_the_same(page: ExportedPage, tmp_path: Path, hearing_model: Path) -> None:
    other = export_page(tmp_path / "other", RUNTIME, model=str(hearing_model)).folder
    names = sorted(path.relative_to(other) for path in other.rglob("*") if path.is_file())
    assert names == sorted(path.relative_to(page.folder) for path in page.folder.rglob("*") if path.is_file())
    assert all((other / name).read_bytes() == (page.folder / name).read_bytes() for name in names)


def test_another_model_takes_the_place_of_the_old_one_and_only_of_that(page: ExportedPage, tmp_path: Path) -> None:
    own = page.folder / "about.html"
    own.write_text("ours", encoding="utf-8")
    (old_page,) = page.folder.glob("page-*")
    model = write_tiny_model(tmp_path / "newer.onnx", scale=20, hears=True)
    export_page(page.folder, RUNTIME, model=str(model))
    assert own.read_text(encoding="utf-8") == "ours"
    assert not old_page.exists()
    assert len(list(page.folder.glob("model-*.packed"))) == len(list(page.folder.glob("page-*"))) == 1
    assert set(kept_files(page.folder)) | {"service-worker.js", MANIFEST, "about.html"} == {
        path.relative_to(page.folder).as_posix() for path in page.folder.rglob("*") if path.is_file()
    }


def test_somebody_elses_page_is_not_replaced(tmp_path: Path, hearing_model: Path) -> None:
    index = tmp_path / "index.html"
    index.write_text("a museum", encoding="utf-8")
    with pytest.raises(OutputError, match=r"index.html: is there already, .*--overwrite"):
        export_page(tmp_path, RUNTIME, model=str(hearing_model))
    assert [path.name for path in tmp_path.iterdir()] == ["index.html"]
    export_page(tmp_path, RUNTIME, model=str(hearing_model), overwrite=True)
    assert "photochrom" in index.read_text(encoding="utf-8")


def test_what_was_changed_since_is_not_replaced_unasked(page: ExportedPage, hearing_model: Path) -> None:
    index = page.folder / "index.html"
    index.write_text("with our logo", encoding="utf-8")
    with pytest.raises(OutputError, match="was changed since it was exported"):
        export_page(page.folder, RUNTIME, model=str(hearing_model))
    assert index.read_text(encoding="utf-8") == "with our logo"


@pytest.mark.parametrize("text", ["", "[]", '{"format": "photochrom-page/1", "files": 3}', '{"format": "other"}'])
def test_a_damaged_list_of_files_removes_nothing(page: ExportedPage, hearing_model: Path, text: str) -> None:
    (page.folder / MANIFEST).write_text(text, encoding="utf-8")
    export_page(page.folder, RUNTIME, model=str(hearing_model))
    assert json.loads((page.folder / MANIFEST).read_text(encoding="utf-8"))["files"]


def test_a_forged_list_reaches_nothing_outside(page: ExportedPage, hearing_model: Path, tmp_path: Path) -> None:
    outside = tmp_path / "letter.txt"
    outside.write_text("dear", encoding="utf-8")
    sha256 = hashlib.sha256(b"dear").hexdigest()
    files = {"../letter.txt": sha256, str(outside): sha256, "a/../../letter.txt": sha256}
    (page.folder / MANIFEST).write_text(json.dumps({"format": "photochrom-page/1", "files": files}), encoding="utf-8")
    export_page(page.folder, RUNTIME, model=str(hearing_model))
    assert outside.exists()


def test_a_folder_that_is_a_file(tmp_path: Path, hearing_model: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(OutputError, match="file"):
        export_page(tmp_path / "file", RUNTIME, model=str(hearing_model))


def test_models_of_another_kind_are_refused(tmp_path: Path) -> None:
    model = write_tiny_model(tmp_path / "heavy.onnx", spec={"single_view": True})
    with pytest.raises(OptionError, match="cannot run the model tiny"):
        export_page(tmp_path / "site", RUNTIME, model=str(model))
    assert not (tmp_path / "site").exists()


def test_every_text_has_every_language_and_the_same_gaps() -> None:
    table = json.loads((SITE / "strings.json").read_text(encoding="utf-8"))
    for name, texts in table.items():
        assert set(texts) == LANGUAGES, name
        gaps = {language: set(re.findall(r"\{\w+\}", text)) for language, text in texts.items()}
        assert gaps["de"] == gaps["fr"] == gaps["en"], name
        assert all(text.strip() for text in texts.values()), name


def test_every_text_is_used_and_every_one_used_is_there() -> None:
    table = json.loads((SITE / "strings.json").read_text(encoding="utf-8"))
    scripts = "\n".join(path.read_text(encoding="utf-8") for path in (SITE / "app").glob("*.js"))
    index = (SITE / "index.html").read_text(encoding="utf-8")
    named = set(re.findall(r'data-(?:text|label)="(\w+)"', index))
    thrown = set(re.findall(r'new Fault\("(\w+)"', scripts)) | set(re.findall(r'faultOf\(\w+, "(\w+)"', scripts))
    said = set(re.findall(r'say\("\w+", "(\w+)"', scripts))
    assert (named | thrown | said) - set(table) == set()
    quoted = set(re.findall(r'"(\w+)"', scripts))
    assert set(table) - named - quoted == set()


def packed(folder: Path, contents: dict[str, bytes]) -> Path:
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    path = folder / "package.tgz"
    with tarfile.open(path, "w:gz") as package:
        for name in contents:
            package.add(folder / name, f"package/dist/{name}")
    return path


@pytest.fixture
def small_runtime(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """A runtime of some bytes, taken for the real one."""
    contents = {"ort.js": b"script", "ort.wasm": b"wasm"}
    for constant, (name, content) in zip(("SCRIPT", "WASM"), contents.items(), strict=True):
        known = ort.RuntimeFile(name, len(content), hashlib.sha256(content).hexdigest())
        monkeypatch.setattr(ort, constant, known)
    return contents


def test_the_runtime_is_read_from_a_package_or_a_folder(tmp_path: Path, small_runtime: dict[str, bytes]) -> None:
    path = packed(tmp_path, small_runtime)
    assert read_runtime(path) == read_runtime(tmp_path) == BrowserRuntime(b"script", b"wasm")


def test_another_runtime_is_refused(tmp_path: Path, small_runtime: dict[str, bytes]) -> None:
    path = packed(tmp_path, {**small_runtime, "ort.wasm": b"wasm of tomorrow"})
    for source in (path, tmp_path):
        with pytest.raises(ModelFileError, match=r"its ort.wasm is not that of version"):
            read_runtime(source)


@pytest.mark.parametrize("content", [b"", b"not a package", b"\x1f\x8b\x08broken"])
def test_what_is_no_package_is_told_in_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "package.tgz"
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match=r"package.tgz: .*onnxruntime-web"):
        read_runtime(path)
    with pytest.raises(ModelFileError, match="nowhere"):
        read_runtime(tmp_path / "nowhere")


def test_nothing_is_fetched_unasked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHOTOCHROM_CACHE", str(tmp_path))
    with pytest.raises(MissingExtraError, match="--fetch-runtime, or give --runtime FILE"):
        read_runtime()


def test_the_registry_is_npms_own_unless_npm_is_told_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("npm_config_registry", raising=False)
    (mirror,) = runtime_package().mirrors
    assert mirror.startswith("https://registry.npmjs.org/onnxruntime-web/-/onnxruntime-web-")
    monkeypatch.setenv("npm_config_registry", "https://npm.example.org/")
    (mirror,) = runtime_package().mirrors
    assert mirror.startswith("https://npm.example.org/onnxruntime-web/")


@pytest.mark.slow
def test_the_command_line_says_what_it_wrote(
    tmp_path: Path,
    small_runtime: dict[str, bytes],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PHOTOCHROM_CACHE", str(tmp_path / "cache"))
    folder, package = tmp_path / "site", packed(tmp_path, small_runtime)
    assert run(["studio", "--export-page", str(folder)]) == EXIT_NOT_INSTALLED
    assert "--fetch-runtime" in capsys.readouterr().err
    assert run(["studio", "--export-page", str(folder), "--runtime", str(package), "--fetch-runtime"]) == EXIT_USAGE
    assert not folder.exists()
    capsys.readouterr()
    assert run(["studio", "--export-page", str(folder), "--runtime", str(package)]) == EXIT_OK
    said = capsys.readouterr().out
    assert f"{folder}: " in said
    assert "photochrom-color" in said
    assert (folder / "index.html").is_file()
