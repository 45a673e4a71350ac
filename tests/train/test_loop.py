import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from photochrom.errors import OptionError, TrainingError
from photochrom.train.config import Stage, TrainConfig, load_config
from photochrom.train.loop import Training
from photochrom.train.sections import DataSection, ModelSection, RunSection


def tiny_config(shard: Path, folder: Path) -> TrainConfig:
    stage = Stage(name="frozen", size_px=32, batch=2, photos_seen=6, lr_decoder=1e-3, lr_backbone=0.0)
    return TrainConfig(
        run=RunSection(folder=folder, seed=1, threads=1, log_steps=1, checkpoint_steps=2, validation_steps=100),
        data=DataSection(photos=(str(shard),), validation_photos=4, cache_gb=0.1),
        model=ModelSection(backbone="test", decoder="test"),
        stages=(stage, stage.model_copy(update={"name": "all", "lr_backbone": 1e-4, "size_px": 64})),
    )


@pytest.mark.slow
def test_resumed_run_equals_uninterrupted_one(shard: Path, tmp_path: Path) -> None:
    whole = tiny_config(shard, tmp_path / "whole")
    Training(whole).run()
    parted = tiny_config(shard, tmp_path / "parted")
    for stop_after in (2, 4, 99):
        steps_seen = []
        resume = (tmp_path / "parted" / "checkpoint.safetensors").exists()
        training = Training(
            parted,
            resume=resume,
            on_log=lambda line, seen=steps_seen: seen.append(line) if "loss" in line else None,
            should_stop=lambda seen=steps_seen, limit=stop_after: len(seen) >= limit,
        )
        training.run()
    expected = load_file(tmp_path / "whole" / "checkpoint.safetensors")
    reached = load_file(tmp_path / "parted" / "checkpoint.safetensors")
    assert expected.keys() == reached.keys()
    for name in expected:
        assert torch.equal(expected[name], reached[name]), name
    assert training.position.photos_seen == 12


@pytest.mark.slow
def test_training_teaches_and_leaves_a_log_and_a_sheet(shard: Path, tmp_path: Path) -> None:
    stage = Stage(name="teach", size_px=32, batch=8, photos_seen=240, lr_decoder=5e-3, lr_backbone=1e-3)
    config = tiny_config(shard, tmp_path / "run").model_copy(update={"stages": (stage,)})
    Training(config).run()
    lines = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    losses = [line["loss"] for line in lines if "loss" in line]
    assert sum(losses[-5:]) < 0.95 * sum(losses[:5])
    assert any("ciede2000" in line for line in lines)
    assert list((tmp_path / "run").glob("samples-*.png"))


@pytest.mark.slow
def test_a_frozen_backbone_stays_as_it_was(shard: Path, tmp_path: Path) -> None:
    config = tiny_config(shard, tmp_path / "run")
    training = Training(config.model_copy(update={"stages": config.stages[:1]}))
    before = {k: v.clone() for k, v in training.net.unet.backbone.state_dict().items()}
    training.run()
    for name, value in training.net.unet.backbone.state_dict().items():
        assert torch.equal(before[name], value), name


@pytest.mark.slow
def test_a_run_is_not_overwritten_and_resume_needs_one(shard: Path, tmp_path: Path) -> None:
    config = tiny_config(shard, tmp_path / "run")
    with pytest.raises(TrainingError, match="no checkpoint"):
        Training(config, resume=True)
    Training(config.model_copy(update={"stages": config.stages[:1]})).run()
    with pytest.raises(TrainingError, match="already here"):
        Training(config)


@pytest.mark.slow
def test_a_checkpoint_of_another_architecture_is_refused(shard: Path, tmp_path: Path) -> None:
    config = tiny_config(shard, tmp_path / "run")
    Training(config.model_copy(update={"stages": config.stages[:1]})).run()
    other = config.model_copy(update={"model": ModelSection(backbone="test", decoder="small")})
    with pytest.raises(TrainingError, match="another architecture"):
        Training(other, resume=True)


@pytest.mark.slow
def test_a_damaged_checkpoint_is_refused(shard: Path, tmp_path: Path) -> None:
    config = tiny_config(shard, tmp_path / "run")
    Training(config.model_copy(update={"stages": config.stages[:1]})).run()
    path = tmp_path / "run" / "checkpoint.safetensors"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(TrainingError, match="cannot read"):
        Training(config, resume=True)


def test_a_loss_that_is_not_a_number_stops_the_run(shard: Path, tmp_path: Path) -> None:
    training = Training(tiny_config(shard, tmp_path / "run"))
    with torch.no_grad():
        training.net.head.weight.fill_(float("nan"))
    with pytest.raises(TrainingError, match=r"not a number at stage 'frozen', step 0, on .*photo-0\d\d\.webp"):
        training.run()


def test_an_unknown_key_is_named(tmp_path: Path) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text('[run]\nfolder = "x"\nspeed = 3\n')
    with pytest.raises(OptionError, match=r"run\.speed"):
        load_config(path)
