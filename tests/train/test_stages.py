"""Stages with a critic, other targets, and what happens to a run when something goes wrong."""

import errno
import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from safetensors.torch import load_file

from photochrom.errors import TrainingError
from photochrom.nets.photo_nets import PhotoNet
from photochrom.train import checkpoint as checkpoints
from photochrom.train.config import TrainConfig
from photochrom.train.loop import Training
from photochrom.train.schedule import first_turn, next_turn
from tests.train.conftest import encode, make_photo

GENERATOR = {"name": "alone", "size_px": 64, "batch": 2, "photos_seen": 4, "lr_decoder": 1e-3}
CRITIC = {"name": "critic", "kind": "critic", "size_px": 64, "batch": 2, "photos_seen": 6, "lr_critic": 1e-3}
JOINT = {"name": "joint", "kind": "joint", "size_px": 64, "batch": 2, "photos_seen": 8} | {
    "lr_decoder": 1e-4,
    "lr_critic": 5e-4,
}


def config(shard: Path, folder: Path, *stages: dict[str, Any], **sections: Any) -> TrainConfig:
    """Return the configuration of a tiny run; a key set to None is left out."""
    tables: dict[str, Any] = {
        "run": {"folder": folder, "seed": 1, "threads": 1, "log_steps": 1, "checkpoint_steps": 2},
        "data": {"photos": [str(shard)], "validation_photos": 4, "cache_gb": 0.1},
        "model": {"backbone": "test", "decoder": "test"},
        "critic": {"width": 8},
        "stages": list(stages) or sections.pop("stages"),
    }
    for name, keys in sections.items():
        merged = tables.get(name, {}) | keys if isinstance(keys, dict) else keys
        tables[name] = {k: v for k, v in merged.items() if v is not None} if isinstance(merged, dict) else merged
    return TrainConfig.model_validate(tables)


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


def stop_after(count: int) -> Callable[[], bool]:
    """Return a function that says to stop from its ``count``-th call on."""
    calls = itertools.count(1)
    return lambda: next(calls) >= count


@pytest.mark.slow
@pytest.mark.parametrize("critic", [{"width": 8}, {"width": 8, "kind": "projected", "network": "test"}])
def test_nogan_with_cycles_resumed_anywhere_equals_uninterrupted(
    critic: dict[str, Any], shard: Path, tmp_path: Path
) -> None:
    joint = JOINT | {"turns": "switcher", "threshold": 0.69}
    plan: dict[str, Any] = {"stages": [GENERATOR, CRITIC | {"generations": 5}, joint], "critic": critic}
    plan["cycles"] = [{"first": "critic", "last": "joint", "times": 2}]
    whole = config(shard, tmp_path / "whole", **plan)
    assert [stage.name for stage in whole.schedule] == ["alone", "critic", "joint", "critic", "joint"]
    Training(whole).run()
    parted = config(shard, tmp_path / "parted", **plan)
    stops, position = 0, None
    while position is None or position.stage < 5:
        training = Training(parted, resume=stops > 0, should_stop=stop_after(3))
        position = training.run()
        stops += 1
    assert stops > 4
    expected, reached = (load_file(tmp_path / name / "checkpoint.safetensors") for name in ("whole", "parted"))
    assert expected.keys() == reached.keys()
    assert any(name.startswith("critic_optimizer.exp_avg.") for name in expected)
    for name in expected:
        assert torch.equal(expected[name], reached[name]), name
    assert not list((tmp_path / "whole").glob("generated-*"))
    assert any("critic_accuracy" in line for line in lines(tmp_path / "whole"))


@pytest.mark.slow
def test_generations_are_painted_before_the_critic_stage_and_a_stop_does_not_wait_for_them(
    shard: Path, tmp_path: Path
) -> None:
    plan, painted = config(shard, tmp_path / "run", CRITIC | {"generations": 5}), tmp_path / "run" / "generated-0"
    position = Training(plan, should_stop=stop_after(2)).run()
    assert (position.stage, position.step, len(list(painted.glob("*.png")))) == (0, 0, 2)
    position = Training(plan, resume=True, should_stop=stop_after(3)).run()
    assert (position.stage, position.step, len(list(painted.glob("*.png")))) == (0, 1, 5)


@pytest.mark.slow
def test_joint_stages_alternate_and_each_turn_changes_only_its_own_network(shard: Path, tmp_path: Path) -> None:
    steps: list[dict[str, Any]] = []
    training = Training(config(shard, tmp_path / "run", JOINT), on_step=steps.append, should_stop=lambda: bool(steps))
    before = {name: tensor.clone() for name, tensor in training.net.state_dict().items()}
    critic_before = [tensor.clone() for tensor in training.critic.net.parameters()]
    training.run()
    assert "critic_loss" in steps[0]
    for name, tensor in training.net.state_dict().items():
        assert torch.equal(before[name], tensor), name
    assert any(
        not torch.equal(old, new) for old, new in zip(critic_before, training.critic.net.parameters(), strict=True)
    )
    Training(config(shard, tmp_path / "run", JOINT), resume=True, on_step=steps.append).run()
    assert [("critic_loss" in step, "adversarial" in step) for step in steps] == [(True, False), (False, True)] * 2


@pytest.mark.slow
def test_a_line_of_the_log_tells_of_both_whose_turn_it_ever_is(shard: Path, tmp_path: Path) -> None:
    Training(config(shard, tmp_path / "run", JOINT, run={"log_steps": 2})).run()
    logged = [line for line in lines(tmp_path / "run") if "loss" in line]
    assert [line["step"] for line in logged] == [2, 4]
    assert all({"critic_loss", "adversarial"} <= line.keys() for line in logged)


def test_the_switcher_holds_the_generator_back_until_the_critic_is_caught_up() -> None:
    stage = TrainConfig.model_validate(
        {
            "run": {"folder": "x"},
            "data": {"photos": ["x"]},
            "stages": [JOINT | {"turns": "switcher", "threshold": 0.65}],
        }
    ).stages[0]
    turn, taken = first_turn(stage), []
    for loss in (0.7, 0.66, 0.64, 0.1, 0.65, 0.6):
        taken.append(turn)
        turn = next_turn(stage, turn, loss)
    assert taken == ["critic", "critic", "critic", "generator", "critic", "critic"]
    assert turn == "generator"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("task", "channels"),
    [
        ({"input": "relit", "target": "rgb"}, 3),
        ({"input": "aged", "target": "luma", "corrects": True}, 1),
        ({"input": "grey", "target": "rgb"}, 3),
    ],
)
def test_other_targets_are_a_configuration(shard: Path, tmp_path: Path, task: dict[str, Any], channels: int) -> None:
    plan = config(shard, tmp_path / "run", GENERATOR, JOINT, task=task, loss={"pixel": 1.0, "adversarial": "hinge"})
    training = Training(plan)
    training.run()
    assert isinstance(training.net, PhotoNet)
    assert training.net.c_out == channels
    figures = [line for line in lines(tmp_path / "run") if "psnr" in line]
    assert figures
    assert 0 < figures[-1]["psnr"] < 60
    assert list((tmp_path / "run").glob("samples-*.png"))


@pytest.mark.slow
def test_color_with_perceptual_and_pixel_loss_and_layer_wise_rates(shard: Path, tmp_path: Path) -> None:
    stage = GENERATOR | {"lr_backbone": 1e-4, "lr_backbone_early": 0.0, "schedule": "constant"}
    plan = config(shard, tmp_path / "run", stage, loss={"pixel": 1.0, "perceptual": 0.5, "network": "test"})
    training = Training(plan)
    before = {name: tensor.clone() for name, tensor in training.net.named_parameters()}
    training.run()
    line = lines(tmp_path / "run")[0]
    assert {"loss", "distribution", "pixel", "perceptual"} <= line.keys()
    assert (line["lr_early"], line["lr_late"], line["lr_decoder"]) == (0.0, 1e-4, 1e-3)
    moved = {name for name, tensor in training.net.named_parameters() if not torch.equal(before[name], tensor)}
    assert not any(name.startswith("unet.backbone.stem") for name in moved)
    assert any(name.startswith("unet.backbone.blocks.6") for name in moved)


@pytest.mark.slow
def test_frozen_norms_may_follow_the_photographs(shard: Path, tmp_path: Path) -> None:
    training = Training(config(shard, tmp_path / "run", GENERATOR | {"trains_frozen_norms": True}))
    backbone = training.net.unet.backbone
    before = {name: tensor.clone() for name, tensor in backbone.state_dict().items()}
    training.run()
    moved = {name for name, tensor in backbone.state_dict().items() if not torch.equal(before[name], tensor)}
    assert {name.rpartition(".")[2] for name in moved} == {"running_mean", "running_var", "num_batches_tracked"}
    assert not any(parameter.requires_grad for parameter in backbone.parameters())


@pytest.mark.slow
def test_accumulated_parts_give_the_gradient_of_the_whole(shard: Path, tmp_path: Path) -> None:
    """With the backbone frozen and no batch norm in between, parts of a batch must add up to the batch."""
    norms = {}
    for accumulate in (1, 2):
        stage = CRITIC | {"batch": 4, "photos_seen": 4, "accumulate": accumulate, "generations": 4}
        training = Training(config(shard, tmp_path / str(accumulate), stage))
        for module in training.critic.net.modules():
            if isinstance(module, torch.nn.Dropout2d):
                module.p = 0.0
            if isinstance(module, torch.nn.utils.parametrizations._SpectralNorm):
                module.n_power_iterations = 0
        training.run()
        norms[accumulate] = lines(tmp_path / str(accumulate))[0]["critic_gradient_norm"]
    assert norms[1] == pytest.approx(norms[2], rel=1e-3)


@pytest.mark.slow
def test_a_full_disk_leaves_the_last_checkpoint_and_says_what_to_do(
    shard: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = config(shard, tmp_path / "run", GENERATOR | {"photos_seen": 12})
    real_save, saves = checkpoints.save_file, itertools.count()

    def fill_the_disk(tensors: Any, path: Path, metadata: Any) -> None:
        real_save(tensors, path, metadata=metadata)
        if next(saves) >= 1:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(checkpoints, "save_file", fill_the_disk)
    with pytest.raises(TrainingError, match=r"No space left.*--resume"):
        Training(plan).run()
    monkeypatch.undo()
    assert not list((tmp_path / "run").glob("*.partial"))
    training = Training(plan, resume=True)
    assert training.position.step == 2
    assert training.run().photos_seen == 12


def test_a_full_disk_while_logging_is_one_clear_error(
    shard: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    training = Training(config(shard, tmp_path / "run", GENERATOR))
    monkeypatch.setattr("photochrom.train.validation.Image.Image.save", refuse)
    with pytest.raises(TrainingError, match="No space left on device"):
        training.run()


@pytest.mark.slow
def test_unusable_photographs_are_reported_by_name(shard: Path, tmp_path: Path) -> None:
    training = Training(config(shard, tmp_path / "run", GENERATOR | {"photos_seen": 48}))
    training.run()
    report = (tmp_path / "run" / "unusable.txt").read_text().splitlines()
    assert training.unusable == len(report) == 2
    assert report[0].startswith("corrupt\t")
    assert "photo-005.webp" in report[0]
    assert report[1].startswith("grey\t")


WORN_MASK = {"input": "worn", "target": "mask", "wear": "train-damage"}
GREY_TO_RGB = {"task": {"input": "grey", "target": "rgb"}, "loss": {"pixel": 1.0}}


@pytest.mark.parametrize(
    ("stages", "sections", "said"),
    [
        ([GENERATOR | {"lr_decoder": 0}], {}, "lr_decoder above 0"),
        ([JOINT | {"lr_critic": 0}], {}, "lr_critic above 0"),
        ([GENERATOR | {"accumulate": 3}], {}, "multiple of accumulate"),
        ([GENERATOR], {"task": {"target": "rgb"}}, "every loss has weight 0"),
        ([GENERATOR], {"task": WORN_MASK, "model": {"decoder": "small"}}, "comes in one size"),
        ([GENERATOR], {"task": {"input": "relit"}}, "takes a grey input"),
        ([GENERATOR], {"cycles": [{"first": "alone", "last": "nothing", "times": 2}]}, "exist once"),
        ([GENERATOR, JOINT], {"cycles": [{"first": "joint", "last": "alone", "times": 2}]}, "comes after"),
        ([GENERATOR | {"lr_backbone_early": 1e-4}], {}, "lr_backbone_early needs lr_backbone"),
        ([CRITIC | {"sizes_px": [32, 64]}], {}, "a critic stage has one size"),
        ([GENERATOR], {"model": {"backbone": "none", "decoder": "test"}}, "target color needs a backbone"),
        ([GENERATOR], {"model": {"backbone": "none", "decoder": "test"}, **GREY_TO_RGB}, "input grey is grey"),
        ([GENERATOR], {"model": {"decoder": "test-quarter"}, **GREY_TO_RGB}, "ends at a quarter of the size"),
        ([JOINT], {"task": WORN_MASK | {"target": "fill"}}, "fill has no stages with a critic"),
        ([JOINT | {"size_px": 32}], {"critic": {"blocks": 3}}, "need pictures of 64 px at least"),
        ([JOINT], {"loss": {"critic_share": 0.0, "distribution": 0.0}}, "every loss has weight 0"),
        ([GENERATOR], {"optimizer": {"betas": [0.9, 1.0]}}, "less than 1"),
        ([JOINT], {"critic": {"betas": [-0.1, 0.9]}}, "greater than or equal to 0"),
        ([GENERATOR], {"model": {"decoder": "deep", "width": 0.001}}, "greater than or equal to 0.25"),
    ],
)
def test_plans_that_cannot_work_are_refused(stages: list[Any], sections: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        config(Path("x"), Path("y"), *stages, **sections)


def test_a_folder_without_a_usable_photograph_and_a_pickle_to_start_from(shard: Path, tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(6):
        (folder / f"{number}.jpg").write_bytes(b"nothing")
    with pytest.raises(TrainingError, match=r"none of 5 photographs is usable: 5 corrupt"):
        Training(config(folder, tmp_path / "run", GENERATOR))
    trap = tmp_path / "trap.pth"
    torch.save({"net": stop_after}, trap)
    with pytest.raises(TrainingError, match=r"trap\.pth: cannot read the checkpoint"):
        Training(config(shard, tmp_path / "other", GENERATOR, model={"init": trap}))


@pytest.mark.slow
def test_a_run_starts_from_another_ones_average(shard: Path, tmp_path: Path) -> None:
    Training(config(shard, tmp_path / "first", GENERATOR)).run()
    start = tmp_path / "first" / "checkpoint.safetensors"
    # On other photographs, whose own palette would be another: the colours come with the weights.
    (tmp_path / "few").mkdir()
    for number in range(6):
        (tmp_path / "few" / f"{number}.png").write_bytes(encode(make_photo(50 + number), "PNG"))
    second = Training(config(tmp_path / "few", tmp_path / "second", GENERATOR, model={"init": start}))
    kept = load_file(start)
    for name, tensor in second.net.state_dict().items():
        assert torch.equal(tensor, kept[f"average.{name}"]), name


@pytest.mark.slow
def test_looking_for_an_inflection_point_needs_held_out_photographs(shard: Path, tmp_path: Path) -> None:
    plan = config(
        shard, tmp_path / "run", JOINT, inflection={"every_photos": 4, "network": "test"}, data={"validation_photos": 2}
    )
    with pytest.raises(TrainingError, match="2 held-out photographs are too few"):
        Training(plan)


@pytest.mark.slow
@pytest.mark.parametrize(
    "run", [{"precision": "bfloat16"}, {"recompute": True}, {"channels_last": False, "winograd": True}], ids=str
)
def test_precision_memory_and_layout_are_options(shard: Path, tmp_path: Path, run: dict[str, Any]) -> None:
    joint = JOINT | {"photos_seen": 4, "lr_backbone": 1e-5, "accumulate": 2}
    plan = config(shard, tmp_path / "run", joint, run=run, loss={"pixel": 1.0})
    Training(plan).run()
    told = [line for line in lines(tmp_path / "run") if "adversarial" in line]
    usual = config(shard, tmp_path / "usual", joint, loss={"pixel": 1.0})
    Training(usual).run()
    expected = [line for line in lines(tmp_path / "usual") if "adversarial" in line]
    for figure in ("loss", "distribution", "pixel", "adversarial"):
        assert told[0][figure] == pytest.approx(expected[0][figure], rel=0.05)
