"""Importing: what is recognised, what is refused and how, and that nothing is ever half installed."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from photochrom.engines.hub import find_model, installed_models
from photochrom.errors import ModelError, ModelFileError, OptionError, PhotochromError
from photochrom.importer import installation, recognition
from photochrom.importer.checkpoints import Checkpoint, read_checkpoint
from photochrom.importer.installation import ImportedModel, import_model
from photochrom.importer.layouts import (
    Layout,
    artistic_layout,
    ddcolor_large_layout,
    ddcolor_tiny_layout,
    layout_2018,
    stable_layout,
)
from photochrom.importer.parity import Parity
from photochrom.importer.recognition import recognise
from tests.importer.stand_in_weights import Array


def checkpoint(shapes: Layout) -> Checkpoint:
    """Return a checkpoint of these shapes that takes no memory."""
    return Checkpoint(Path("a.pth"), {name: np.broadcast_to(np.float32(0), shape) for name, shape in shapes.items()})


@pytest.mark.parametrize(
    ("layout", "network"),
    [
        (artistic_layout, "artistic"),
        (stable_layout, "stable"),
        (layout_2018, "unet-2018"),
        (lambda: layout_2018(power_vectors=False), "unet-2018"),
        (ddcolor_large_layout, "ddcolor-large"),
        (ddcolor_tiny_layout, "ddcolor-tiny"),
    ],
)
def test_each_kind_is_recognised(layout: Callable[[], Layout], network: str) -> None:
    assert recognise(checkpoint(layout())).network == network


def test_counters_of_batches_may_be_missing_and_a_scalar_may_have_an_axis() -> None:
    shapes = {name: shape for name, shape in layout_2018().items() if not name.endswith("num_batches_tracked")}
    shapes["up3.out.1.gamma"] = (1,)
    assert recognise(checkpoint(shapes)).network == "unet-2018"


@pytest.mark.parametrize(
    ("shapes", "line"),
    [
        (
            {**artistic_layout(), "layers.11.0.bias": (4,)},
            r"nearly DeOldify artistic .* 1 entries differ.*layers\.11\.0\.bias",
        ),
        ({"0.0.weight_orig": (256, 3, 4, 4), "0.0.bias": (256,)}, "critic"),
        ({"conv1.weight": (64, 3, 7, 7), "bn1.weight": (64,), "fc.weight": (1000, 512)}, "ResNet classifier"),
        ({"encoder.arch.norm0.weight": (96,)}, "DDColor network of a size that was not published"),
        ({"a": (1,), "b": (2,)}, "none of the known generators: 2 tensors named like a, b"),
    ],
)
def test_other_contents_are_named_and_the_accepted_listed(shapes: Layout, line: str) -> None:
    with pytest.raises(ModelFileError, match=line) as caught:
        recognise(checkpoint(shapes))
    assert "Accepted: DeOldify artistic" in str(caught.value)


def test_an_import_is_complete_and_close_to_the_network(
    imported_artistic: ImportedModel, published_artistic: Path
) -> None:
    assert imported_artistic.name == "deoldify-artistic"
    assert imported_artistic.parity.checked
    assert imported_artistic.parity.largest < 1e-4
    files = {"model.onnx", "model.weights", "weights.safetensors", "card.json", "README.md"}
    assert {path.name for path in imported_artistic.folder.iterdir()} == files
    assert [path.name for path in imported_artistic.folder.parent.iterdir()] == ["deoldify-artistic"]
    card = json.loads((imported_artistic.folder / "card.json").read_text())
    assert card["contract"] == "rgb-generator/1"
    text = (imported_artistic.folder / "README.md").read_text()
    assert card["source_sha256"] in text
    assert published_artistic.name in text


def test_the_parameters_are_kept_as_published(
    imported_artistic: ImportedModel, artistic_weights: dict[str, Array]
) -> None:
    kept = read_checkpoint(imported_artistic.folder / "weights.safetensors").tensors
    assert kept.keys() == artistic_weights.keys()
    for name in ("layers.11.0.weight_orig", "layers.5.conv2.3.gamma", "layers.1.num_batches_tracked"):
        assert np.array_equal(kept[name], artistic_weights[name])


def test_an_imported_model_is_found_by_name(
    imported_artistic: ImportedModel, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PHOTOCHROM_CACHE", str(cache))
    assert list(installed_models()) == ["deoldify-artistic"]
    found = find_model("deoldify-artistic")
    assert found.path == imported_artistic.folder / "model.onnx"
    assert len(found.sha256) == 64


@pytest.mark.parametrize("damage", ["no json", "[]", '{"name": "other"}', '{"name": "bad"}'])
def test_a_damaged_card_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str) -> None:
    monkeypatch.setenv("PHOTOCHROM_CACHE", str(tmp_path))
    (tmp_path / "models" / "bad").mkdir(parents=True)
    (tmp_path / "models" / "bad" / "card.json").write_text(damage)
    assert installed_models() == {}


# --- what goes wrong ------------------------------------------------------------------------------------------------


def failing(error: Exception) -> Callable[..., Any]:
    def fail(*_: object, **__: object) -> None:
        raise error

    return fail


def refused(source: Path, models: Path, kind: type[PhotochromError], **options: Any) -> str:
    with pytest.raises(kind) as caught:
        import_model(source, models, **options)
    assert "\n" not in str(caught.value)
    assert not models.exists() or not list(models.iterdir()), "something was left behind"
    return str(caught.value)


@pytest.mark.parametrize("name", ["", "../up", "a/b", "UPPER", ".hidden", "x" * 65])
def test_names_that_leave_the_folder_are_refused(published_artistic: Path, tmp_path: Path, name: str) -> None:
    if name:
        assert "cannot be a model's name" in refused(published_artistic, tmp_path / "m", OptionError, name=name)


def test_a_full_disk_leaves_nothing(published_artistic: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installation, "write_onnx", failing(OSError(28, "No space left on device")))
    assert "No space left on device" in refused(published_artistic, tmp_path / "m", ModelError)


def test_too_little_space_is_told_before_writing(
    published_artistic: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 10, 1_000_000))
    assert "MB are needed and 1 MB are free" in refused(published_artistic, tmp_path / "m", ModelError)


def test_what_an_import_writes_is_within_what_it_asks_for(
    imported_artistic: ImportedModel, published_artistic: Path
) -> None:
    written = sum(path.stat().st_size for path in imported_artistic.folder.iterdir())
    assert written < imported_artistic.kind.disk_share * published_artistic.stat().st_size


@pytest.mark.skipif(sys.platform == "win32", reason="files cannot be limited there")
def test_a_disk_that_fills_while_writing_leaves_nothing(published_artistic: Path, tmp_path: Path) -> None:
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000_000, before[1]))
    try:
        line = refused(published_artistic, tmp_path / "m", ModelError)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert "cannot be written" in line


def test_values_that_are_not_numbers_are_a_damaged_file(
    published_artistic: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installation, "write_onnx", lambda *_: "")
    monkeypatch.setattr(installation, "measure_parity", lambda *_: Parity(float("inf")))
    assert "not numbers. Download it again" in refused(published_artistic, tmp_path / "m", ModelFileError)


def test_a_network_that_changed_in_folding_is_not_installed(
    published_artistic: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installation, "write_onnx", lambda *_: "")
    monkeypatch.setattr(installation, "measure_parity", lambda *_: Parity(0.5))
    assert "differs from the file's by 0.5" in refused(published_artistic, tmp_path / "m", ModelError)


def test_a_half_downloaded_file_is_refused(published_artistic: Path, tmp_path: Path) -> None:
    half = tmp_path / "half.pth"
    with published_artistic.open("rb") as whole:
        half.write_bytes(whole.read(50_000_000))
    assert "bytes or more are missing at the end" in refused(half, tmp_path / "m", ModelFileError)


def test_an_installed_model_is_replaced_only_when_asked(
    published_artistic: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = tmp_path / "deoldify-artistic"
    old.mkdir()
    (old / "mark").write_text("old")
    with pytest.raises(OptionError, match="--overwrite"):
        import_model(published_artistic, tmp_path)
    monkeypatch.setattr(
        installation,
        "_write_model",
        lambda _, kind, name, folder, __: ImportedModel(name, folder, kind, Parity(None), ("parity was not checked",)),
    )
    result = import_model(published_artistic, tmp_path, overwrite=True)
    assert result.notes == ("parity was not checked",)
    assert result.folder == old
    assert not (old / "mark").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["deoldify-artistic"]


def test_video_files_are_named_by_their_file(tmp_path: Path) -> None:
    kind = recognise(checkpoint(stable_layout()))
    assert recognition.default_name(kind, Path("ColorizeVideo_gen.pth")) == "deoldify-video"
    assert recognition.default_name(kind, Path("ColorizeStable_gen.pth")) == "deoldify-stable"


def test_what_a_killed_import_left_is_removed_a_day_later(tmp_path: Path) -> None:
    old, recent = tmp_path / ".deoldify-artistic-abc", tmp_path / ".deoldify-stable-def"
    for folder in (old, recent):
        folder.mkdir()
        (folder / "model.weights").write_bytes(b"half")
    yesterday = time.time() - 90_000
    os.utime(old, (yesterday, yesterday))
    with installation._half_made_folder(tmp_path, "another"):
        assert not old.exists()
    assert [path.name for path in tmp_path.iterdir()] == [recent.name]
