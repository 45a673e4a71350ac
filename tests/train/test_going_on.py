"""Training starts from a model file as from the checkpoint that the file was made from."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from safetensors.torch import load_file

from photochrom.cli.app import run
from photochrom.engines.catalog import model_cards
from photochrom.engines.hub import find_model
from photochrom.engines.runtime import onnxruntime
from photochrom.errors import EXIT_NOT_INSTALLED, ModelFileError, TrainingError
from photochrom.export.color import trust_frequencies
from photochrom.export.kept import KEY, keep_for_training, read_kept
from photochrom.export.onnx_file import store_weights_as_half
from photochrom.export.restoration import CONTRACTS
from photochrom.nets.folding import fold_norms
from photochrom.nets.generators import ColorNet
from photochrom.train.checkpoint import Position, read_checkpoint
from photochrom.train.finetune import read_folded, write_folded
from photochrom.train.generator import build_generator
from photochrom.train.loop import Training
from photochrom.train.trained import Trained, load_trained
from tests.tiny_model import write_tiny_model
from tests.train.test_polarity import plan as polarity_plan
from tests.train.test_restoring import plan as restoration_plan
from tests.train.test_stages import GENERATOR, config, lines

pytestmark = pytest.mark.slow

LEARNING = GENERATOR | {"lr_backbone": 1e-3, "photos_seen": 6}


def state_of(source: Path) -> dict[str, torch.Tensor]:
    return load_trained(source).net.state_dict()


def stored(net: torch.nn.Module, path: Path, learned: torch.nn.Module, header: dict[str, str]) -> Path:
    """Write the weights of a network as exporting does, into a graph that does not compute; tracing takes seconds."""
    folded = fold_norms(net)
    weights = [onnx.numpy_helper.from_array(v.detach().numpy(), f"net.{k}") for k, v in folded.state_dict().items()]
    file = onnx.helper.make_model(onnx.helper.make_graph([], "weights", [], [], weights))
    store_weights_as_half(file)
    keep_for_training(file, learned, folded, header)
    onnx.save(file, path)
    return path


def assert_alike(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor], share: float = 2**-9) -> None:
    """Assert that each tensor of two networks is the other's, to half precision of its largest number."""
    assert one.keys() == other.keys()
    for name, value in one.items():
        apart = (value.double() - other[name].double()).abs().max()
        assert apart <= share * value.double().abs().max() + 2**-24, name


def test_weights_from_a_model_file_are_the_checkpoints(exported_run: tuple[Path, Path, str]) -> None:
    folder, model, _ = exported_run
    assert_alike(state_of(folder), state_of(model))
    first, second = load_trained(folder), load_trained(model)
    assert first.card() == second.card()
    assert first.config.model == second.config.model


def test_training_on_from_a_model_file_goes_where_training_on_from_the_checkpoint_goes(
    exported_run: tuple[Path, Path, str], shard: Path, tmp_path: Path
) -> None:
    folder, model, _ = exported_run
    begun, losses, moved = state_of(folder), [], []
    for start in (folder, model):
        place = tmp_path / start.name
        Training(config(shard, place, LEARNING, model={"init": start})).run()
        losses.append([line["loss"] for line in lines(place) if "loss" in line])
        end = load_file(place / "checkpoint.safetensors")
        kernels = [name for name in begun if name.endswith(("weight", "original"))]
        moved.append(torch.cat([(end[f"net.{name}"] - begun[name]).flatten() for name in kernels]))
    np.testing.assert_allclose(*losses, rtol=2e-4)
    # Adam's first steps go by signs, so a gradient near zero may turn either way.
    assert torch.cosine_similarity(*moved, dim=0) > 0.9


def test_what_exporting_took_back_of_the_rebalancing_is_not_taken_from_training(
    exported_run: tuple[Path, Path, str], tmp_path: Path
) -> None:
    trained, path = load_trained(exported_run[0]), tmp_path / "honest.onnx"
    honest = trust_frequencies(trained.net)
    stored(honest, path, trained.net, trained.header())
    assert not torch.equal(honest.head.bias, trained.net.head.bias)
    assert torch.equal(state_of(path)["head.bias"], trained.net.head.bias)
    torch.testing.assert_close(read_kept(path)[1].folded()["head.bias"], honest.head.bias)


@pytest.mark.parametrize("kind", ["noise", "damage", "inpaint", "tone", "polarity"])
def test_restoration_networks_are_kept_too(shard: Path, tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "run"
    plan = polarity_plan(shard, folder) if kind == "polarity" else restoration_plan(shard, folder, kind)
    torch.manual_seed(0)
    net = build_generator(plan, None, pretrained=False)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    path = stored(net, tmp_path / "model.onnx", net, Trained(net, plan, Position()).header())
    assert_alike(net.state_dict(), state_of(path))
    assert type(load_trained(path).net) in CONTRACTS


def test_a_model_file_tells_no_place_of_the_computer_it_was_trained_on(exported_run: tuple[Path, Path, str]) -> None:
    folder, model, _ = exported_run
    assert str(folder.parent).encode() not in model.read_bytes()
    assert b"photo-0" not in model.read_bytes()


def test_kernels_that_half_precision_cannot_hold_are_kept_whole(exported_run: tuple[Path, Path, str]) -> None:
    folder, model, _ = exported_run
    trained, file = load_trained(folder), onnx.load(model)
    norm = trained.net.unet.backbone.stem[1]
    with torch.no_grad():
        norm.weight[0] = 0
    keep_for_training(file, trained.net, fold_norms(trained.net))
    onnx.save(file, model.with_name("switched-off.onnx"))
    kept = read_kept(model.with_name("switched-off.onnx"))[1]
    kernel = trained.net.unet.backbone.stem[0].weight
    assert torch.equal(kept.state()["unet.backbone.stem.0.weight"], kernel)


def test_a_fine_tuned_file_can_be_trained_on_and_keeps_what_fine_tuning_taught(
    exported_run: tuple[Path, Path, str], tmp_path: Path
) -> None:
    tuned = tmp_path / "tuned.onnx"
    file, kept, net = read_folded(exported_run[1])
    # As if exporting had taken something back.
    kept.extra["head.bias"] = net.head.bias.detach() - 0.25
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.mul_(1.05)
    write_folded(file, kept, net, tuned, {"name": "tuned"})
    luma, again = torch.rand(1, 1, 64, 64), load_trained(tuned).net
    with torch.no_grad():
        again.head.bias += 0.25
        torch.testing.assert_close(again(luma), net.eval()(luma), atol=2e-2, rtol=1e-2)


def test_a_name_of_the_catalogue_is_a_start_and_an_end_of_a_run(shard: Path, tmp_path: Path) -> None:
    task = {"finder": "photochrom-damage"}
    sections: dict[str, Any] = {"model": {"init": "photochrom-inpaint", "decoder": "inpaint", "backbone": "none"}}
    stage = {"name": "only", "size_px": 64, "batch": 2, "photos_seen": 2, "lr_decoder": 1e-6}
    worn = {"input": "worn", "target": "fill", "before": "train-inpaint-before", "wear": "train-inpaint"} | task
    training = Training(config(shard, tmp_path / "run", stage, task=worn, **sections))
    training.run()
    assert_alike(state_of(Path("photochrom-inpaint")), state_of(tmp_path / "run"), share=0.01)


def onnx_metadata(path: Path) -> dict[str, str]:
    return {entry.key: entry.value for entry in onnx.load(path).metadata_props}


@pytest.mark.parametrize("name", [card.name for card in model_cards().values() if card.embedded])
def test_every_embedded_model_can_be_trained_on(name: str) -> None:
    path = find_model(name).path
    trained = load_trained(Path(name))
    assert trained.config.model.name == name
    onnx.checker.check_model(onnx.load(path), full_check=True)
    _, kept = read_kept(path)
    folded = fold_norms(trained.net).state_dict()
    told = {key: value for key, value in kept.folded().items() if key in folded}
    if isinstance(trained.net, ColorNet):  # the graph's last bias is not the learned one where frequencies are trusted
        left = json.loads(onnx_metadata(path)["photochrom"])["rebalancing_left"]
        told["head.bias"] += (1 - left) * trained.net.palette.weights.log()
    assert_alike(told, {key: folded[key] for key in told}, share=1e-5)
    photos = list(json.loads(kept.header["config"])["data"]["photos"])
    assert photos == ["data"]


def test_runtimes_pass_over_what_is_kept(
    exported_run: tuple[Path, Path, str], capfd: pytest.CaptureFixture[str]
) -> None:
    onnxruntime.InferenceSession(str(exported_run[1]), providers=["CPUExecutionProvider"])
    assert capfd.readouterr() == ("", "")


def test_files_without_weights_to_train_on_are_refused_in_one_line(
    exported_run: tuple[Path, Path, str], shard: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = write_tiny_model(tmp_path / "old.onnx")
    with pytest.raises(ModelFileError, match=r"old\.onnx.*folded kernels alone.*photochrom export RUN"):
        Training(config(shard, tmp_path / "run", LEARNING, model={"init": old}))
    (tmp_path / "broken.onnx").write_bytes(b"nothing like it")
    with pytest.raises(ModelFileError, match="cannot be read"):
        read_checkpoint(tmp_path / "broken.onnx")
    newer = onnx.load(exported_run[1])
    for entry in newer.metadata_props:
        if entry.key == KEY:
            entry.value = re.sub("photochrom-training/1", "photochrom-training/9", entry.value)
    onnx.save(newer, tmp_path / "newer.onnx")
    with pytest.raises(ModelFileError, match=r"photochrom-training/9.*newest photochrom"):
        read_checkpoint(tmp_path / "newer.onnx")
    with pytest.raises(TrainingError, match=r"cannot read the checkpoint"):
        Training(config(shard, tmp_path / "run", LEARNING, model={"init": "photochrom-colour"}))
    assert run(["export", str(old), "-o", str(tmp_path / "out.onnx")]) == EXIT_NOT_INSTALLED
    assert capsys.readouterr().err.count("\n") == 1


def test_a_damaged_model_of_the_catalogue_is_not_trained_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = find_model("photochrom-damage").path
    shutil.copy(whole, tmp_path)
    with (tmp_path / whole.name).open("r+b") as file:
        file.seek(1000)
        file.write(b"x")
    monkeypatch.setattr("photochrom.engines.hub.WEIGHTS", tmp_path)
    with pytest.raises(ModelFileError, match="damaged"):
        read_checkpoint(Path("photochrom-damage"))
