from __future__ import annotations

import hashlib
import importlib.util
import shutil
from pathlib import Path
from types import ModuleType

import pytest

from photochrom.engines import hub
from photochrom.engines.catalog import ModelCard, find_card, model_cards
from photochrom.engines.hub import cache_folder, card_path, find_model
from photochrom.engines.onnx import OnnxEngine
from photochrom.engines.restoration import OnnxStage
from photochrom.errors import ModelNotInstalledError, UnknownModelError
from photochrom.options import DEFAULT_MODEL

ROOT = Path(__file__).parent.parent.parent
LARGEST_EMBEDDED = 20_000_000


def test_the_default_model_is_in_the_catalogue() -> None:
    assert DEFAULT_MODEL in model_cards()


@pytest.mark.parametrize(
    "card", [card for card in model_cards().values() if card.embedded and card.sha256], ids=lambda card: card.name
)
def test_every_embedded_model_is_there_whole_small_and_what_its_card_says(card: ModelCard) -> None:
    path = card_path(card)
    assert path.stat().st_size <= LARGEST_EMBEDDED
    assert hashlib.sha256(path.read_bytes()).hexdigest() == card.sha256
    spec = OnnxEngine(path).spec if card.kind == "color" else OnnxStage(path, card.contract).spec
    assert spec.contract == card.contract
    assert card.licence


def test_an_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(UnknownModelError, match="Did you mean 'photochrom-color'"):
        find_card("photochrome-color")


@pytest.mark.parametrize("file", ["../evil.onnx", "/etc/evil.onnx", "a/b.onnx", "model.pkl"])
def test_a_card_cannot_point_outside_its_folder(file: str) -> None:
    with pytest.raises(ValueError, match="file"):
        ModelCard(name="x", kind="color", contract="color/1", file=file, sha256="", licence="MIT", summary="")


def test_a_path_is_taken_as_it_is(tiny_model: Path) -> None:
    found = find_model(str(tiny_model))
    assert found.path == tiny_model
    assert found.card is None


def test_a_known_model_whose_file_is_absent_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "WEIGHTS", tmp_path)
    with pytest.raises(ModelNotInstalledError, match="not on this computer"):
        find_model(DEFAULT_MODEL)


def test_the_cache_folder_can_be_moved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHOTOCHROM_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path


@pytest.mark.parametrize("named", ["", "relative"])
def test_a_cache_folder_of_no_absolute_path_is_the_usual_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    monkeypatch.delenv("PHOTOCHROM_CACHE", raising=False)
    monkeypatch.setattr(hub.sys, "platform", "linux")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", named)
    assert cache_folder() == tmp_path / ".cache" / "photochrom"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "named"))
    assert cache_folder() == tmp_path / "named" / "photochrom"


@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
def test_a_user_without_a_home_has_the_embedded_models(monkeypatch: pytest.MonkeyPatch, platform: str) -> None:
    """As in containers run under a number that no list of users has."""
    for variable in ("PHOTOCHROM_CACHE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(hub.sys, "platform", platform)
    monkeypatch.setattr(hub.os.path, "expanduser", lambda path: path)
    assert find_model(DEFAULT_MODEL).path.is_file()
    with pytest.raises(ModelNotInstalledError, match="models pull"):
        find_model("deoldify-stable")
    with pytest.raises(OSError, match="irectory"):
        cache_folder().mkdir(parents=True)


def test_a_home_of_nobody_is_a_model_that_is_not_there() -> None:
    with pytest.raises(ModelNotInstalledError, match="no such model file"):
        find_model("~nobody-of-this-name/net.onnx")


def test_nothing_installed_takes_the_place_of_an_embedded_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny_model: Path
) -> None:
    monkeypatch.setenv("PHOTOCHROM_CACHE", str(tmp_path))
    for name in (DEFAULT_MODEL, "ours"):
        folder = tmp_path / "models" / name
        folder.mkdir(parents=True)
        card = find_card(DEFAULT_MODEL).model_copy(update={"name": name, "file": "net.onnx"})
        (folder / "card.json").write_text(card.model_dump_json())
    assert find_model(DEFAULT_MODEL).path == hub.card_path(find_card(DEFAULT_MODEL))
    ours = hub.installed_models()["ours"]
    assert hub.card_path(ours.card or pytest.fail("no card")) == ours.path == tmp_path / "models" / "ours" / "net.onnx"


def load_script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_pinning_writes_the_hash_of_the_file_and_nothing_else(
    tmp_path: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "weights").mkdir()
    catalog = tmp_path / "catalog.toml"
    shutil.copy(ROOT / "src/photochrom/engines/catalog.toml", catalog)
    shutil.copy(tiny_model, tmp_path / "weights" / model_cards()[DEFAULT_MODEL].file)
    before = catalog.read_text(encoding="utf-8").splitlines()
    script = load_script("pin_model")
    monkeypatch.setattr(script, "ENGINES", tmp_path)
    digest = script.pin(DEFAULT_MODEL)
    after = catalog.read_text(encoding="utf-8").splitlines()
    assert digest == hashlib.sha256(tiny_model.read_bytes()).hexdigest()
    assert [line for line in after if line not in before] == [f'sha256 = "{digest}"']
    assert len(after) == len(before)
