"""Restoration networks are configurations of the same system: their tasks, losses and validation."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from photochrom.degradation.ageing import AgeOptions
from photochrom.errors import OptionError, TrainingError
from photochrom.nets.restoration import (
    RESTORATION_SIZES,
    CellUNet,
    build_restoration_net,
    fill_smoothly,
    with_fresh_blocks,
)
from photochrom.nets.tone import FIELD, KNOTS, build_tone_net, correct, with_fresh_parts
from photochrom.train.config import TrainConfig
from photochrom.train.degrade import make_pair
from photochrom.train.loop import Training
from photochrom.train.restoring import dice_loss, found_damage, hole_psnr, misjudged
from photochrom.train.sections import TaskSection
from photochrom.train.trained import load_trained
from photochrom.train.validation import summary
from tests.train.conftest import make_photo
from tests.train.test_stages import config, lines

STAGE = {"name": "only", "size_px": 64, "batch": 2, "photos_seen": 6, "lr_decoder": 1e-3, "lr_backbone": 1e-4}
TASKS = {
    "noise": ("rgb", {"psnr", "psnr_input"}),
    "damage": ("mask", {"iou"}),
    "inpaint": ("fill", {"psnr_holes", "psnr_input"}),
    "tone": ("tone", {"psnr", "psnr_input"}),
}


def plan(shard: Path, folder: Path, kind: str, more_task: dict[str, str] | None = None, **sections: Any) -> TrainConfig:
    target = TASKS[kind][0]
    task = {"input": "worn", "target": target, "before": f"train-{kind}-before", "wear": f"train-{kind}"}
    task |= more_task or {}
    loss = {"pixel": 1.0} if target == "rgb" else {}
    stage = STAGE | {"size_px": 128 if kind == "tone" else 64}
    model = {"decoder": None} if kind == "damage" else {"backbone": "none"}
    return config(shard, folder, stage, task=task, loss=loss, model=model, **sections)


@pytest.mark.slow
@pytest.mark.parametrize("kind", TASKS)
def test_each_restoration_task_trains_and_is_validated(shard: Path, tmp_path: Path, kind: str) -> None:
    training = Training(plan(shard, tmp_path / "run", kind))
    before = {name: tensor.clone() for name, tensor in training.net.named_parameters()}
    training.run()
    assert any(not torch.equal(before[name], tensor) for name, tensor in training.net.named_parameters())
    figures = [line for line in lines(tmp_path / "run") if "loss" not in line][-1]
    assert TASKS[kind][1] <= figures.keys()
    assert list((tmp_path / "run").glob("samples-*.png"))
    assert load_trained(tmp_path / "run").config == training.config


def test_the_tone_network_can_begin_from_a_stretch() -> None:
    """Told to take all of the stretch and nothing else, it does auto-contrast, each channel its own."""
    net = build_tone_net("test")
    with torch.no_grad():
        net.stretch.bias.fill_(1.0)
        net.curves.bias.zero_()
    low, high = torch.tensor([0.25, 0.3125, 0.5]), torch.tensor([0.75, 0.625, 0.875])
    ramp = torch.linspace(0, 1, 256 * 256).view(1, 1, 256, 256)
    faded = low.view(1, 3, 1, 1) + (high - low).view(1, 3, 1, 1) * ramp
    with torch.no_grad():
        corrected = correct(faded, *net(faded))
    torch.testing.assert_close(corrected, ramp.expand(-1, 3, -1, -1), atol=0.04, rtol=0)


def test_the_tone_network_is_told_blacks_and_whites_that_averaging_hides() -> None:
    net = build_tone_net("test")
    with torch.no_grad():
        net.stretch.bias.view(-1, 3)[2] = 1.0  # all of the stretch that leaves a thousandth beyond either end
        net.curves.bias.zero_()
    picture = torch.full((1, 3, 256, 256), 0.5)
    picture[..., ::28, ::28], picture[..., 14::28, ::28] = 0.25, 0.75  # 100 and 90 of 65,536 pixels, each alone
    with torch.no_grad():
        corrected = correct(picture, *net(picture))
    assert corrected[..., 0, 0].max() < 0.02
    assert corrected[..., 14, 0].min() > 0.98


def test_a_tone_network_that_knew_no_scenes_answers_as_before_until_it_learns() -> None:
    torch.manual_seed(0)
    old, new = build_tone_net("test").eval(), build_tone_net("test", "test", pretrained=False).eval()
    torch.nn.init.normal_(old.curves.weight, std=0.1)
    with pytest.raises(RuntimeError, match="scene"):
        new.load_state_dict(old.state_dict())
    new.load_state_dict(with_fresh_parts(new, old.state_dict()))
    photo = torch.rand(2, 3, 128, 128)
    for one, other in zip(new(photo), old(photo), strict=True):
        torch.testing.assert_close(one, other)
    before_fine = old.state_dict()
    for name, kept in (
        ("whole.0.weight", (slice(None), slice(-18))),
        ("stretch.weight", slice(3)),
        ("stretch.bias", slice(3)),
    ):
        before_fine[name] = before_fine[name][kept]
    grown = with_fresh_parts(old, before_fine)
    assert {name: value.shape for name, value in grown.items()} == {n: v.shape for n, v in old.state_dict().items()}
    assert not grown["stretch.weight"][3:].any()
    new(photo)[0].square().mean().backward()
    assert new.scene is not None
    assert new.scene.whole[-1].weight.grad.abs().sum() > 0
    again = with_fresh_parts(new, new.state_dict())
    assert all(torch.equal(again[name], value) for name, value in new.state_dict().items())
    with pytest.raises(OptionError, match="lite0"):
        build_tone_net("test", "resnet34")


def test_the_tone_network_starts_by_leaving_photographs_alone(shard: Path, tmp_path: Path) -> None:
    training = Training(plan(shard, tmp_path / "run", "tone"))
    photo = torch.rand(2, 3, 128, 128)
    curves, gain, offset = training.net(photo)
    assert curves.shape == (2, 3, KNOTS)
    assert gain.shape == offset.shape == (2, 3, FIELD, FIELD)
    assert (curves.diff(dim=2) >= 0).all()
    assert (correct(photo, curves, gain, offset) - photo).abs().max() < 0.01


def test_correcting_follows_the_contract() -> None:
    """Against numpy's own interpolation: clip(x * gain + offset), then the curve, straight between knots."""
    rng = np.random.default_rng(0)
    curves = np.sort(rng.random((1, 3, KNOTS), dtype=np.float32), axis=2)
    photo = rng.random((1, 3, 32, 32), dtype=np.float32)
    gain, offset = np.full((1, 3, FIELD, FIELD), 1.3, np.float32), np.full((1, 3, FIELD, FIELD), -0.1, np.float32)
    reached = correct(*(torch.from_numpy(array) for array in (photo, curves, gain, offset))).numpy()
    moved = np.clip(photo * 1.3 - 0.1, 0, 1)
    for channel in range(3):
        expected = np.interp(moved[0, channel], np.linspace(0, 1, KNOTS), curves[0, channel])
        np.testing.assert_allclose(reached[0, channel], expected, atol=1e-5)


@pytest.mark.slow
def test_what_is_under_the_mask_does_not_matter(shard: Path, tmp_path: Path) -> None:
    training = Training(plan(shard, tmp_path / "run", "inpaint"))
    training.run()
    net = training.net.eval()
    photo, mask = torch.rand(1, 3, 64, 64), (torch.rand(1, 1, 64, 64) > 0.8).float()
    with torch.no_grad():
        filled, other = net(photo, mask), net(photo * (1 - mask) + 0.3 * mask, mask)
    torch.testing.assert_close(filled, other)
    torch.testing.assert_close(filled * (1 - mask), photo * (1 - mask))


def test_what_was_found_is_seen_and_may_be_kept() -> None:
    """Told that damage is only likely, the network sees what it is; its gate decides how much of it stays."""
    net = build_restoration_net("inpaint", "test").eval()
    photo, mask = torch.rand(1, 3, 64, 64), 0.7 * (torch.rand(1, 1, 64, 64) > 0.8).float()
    smooth = fill_smoothly(photo, (mask > 0).float())
    for kept in (0.0, 1.0):
        with torch.no_grad():
            net.unet.head.bias[12:] = 40 * kept - 20  # the fourth plane, as 2 x 2 cells
            restored = net(photo, mask)
        torch.testing.assert_close(restored, photo if kept else smooth)


def test_a_filler_that_saw_only_holes_answers_as_before() -> None:
    new = build_restoration_net("inpaint", "test").eval()
    for name in ("stem", "head"):
        torch.nn.init.normal_(getattr(new.unet, name).weight, std=0.1)
    state = {name: value.clone() for name, value in new.state_dict().items()}
    state["unet.stem.weight"] = state["unet.stem.weight"][:, :16]
    for part in ("weight", "bias"):
        state[f"unet.head.{part}"] = state[f"unet.head.{part}"][:12]
    old = CellUNet(4, 3, RESTORATION_SIZES["test"]).eval()
    old.load_state_dict({name.removeprefix("unet."): value for name, value in state.items()})
    new.load_state_dict(with_fresh_blocks(new, state))
    photo, hole = torch.rand(1, 3, 64, 64), (torch.rand(1, 1, 64, 64) > 0.8).float()
    smooth = fill_smoothly(photo, hole)
    before = smooth + old(torch.cat([smooth - 0.5, hole], dim=1)) * hole
    torch.testing.assert_close(new(photo, hole), before)


@pytest.mark.slow
def test_half_of_the_pictures_are_filled_where_a_finder_looks(shard: Path, tmp_path: Path) -> None:
    Training(plan(shard, tmp_path / "finder", "damage")).run()
    task = {"finder": str(tmp_path / "finder" / "checkpoint.safetensors")}
    training = Training(plan(shard, tmp_path / "run", "inpaint", more_task=task))
    training.run()
    finder = training.task.finder
    photo = torch.rand(2, 3, 64, 64)
    found = found_damage(finder, photo)
    assert found.shape == (2, 1, 64, 64)
    assert found.max() <= 0.98
    assert ((found == 0) | (found >= 0.35)).all()
    with pytest.raises(TrainingError, match="does not find damage"):
        Training(plan(shard, tmp_path / "other", "inpaint", more_task={"finder": str(tmp_path / "run")}))
    with pytest.raises(ValidationError, match="only target fill"):
        TaskSection(input="worn", target="mask", wear="train-damage", finder="x.safetensors")


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_a_filling_is_finite_whatever_is_missing(share: float) -> None:
    photo, hole = torch.full((1, 3, 32, 32), 0.4), torch.full((1, 1, 32, 32), share)
    filled = fill_smoothly(photo, hole)
    assert filled.isfinite().all()
    if share == 0:
        torch.testing.assert_close(filled, photo)


def test_a_flat_picture_is_filled_flat() -> None:
    photo, hole = torch.full((1, 3, 64, 64), 0.4), torch.zeros(1, 1, 64, 64)
    hole[:, :, 20:41, 10:50] = 1
    torch.testing.assert_close(fill_smoothly(photo, hole), photo, atol=1e-5, rtol=0)


@pytest.mark.slow
@pytest.mark.parametrize("kind", TASKS)
def test_a_pair_follows_its_seed_and_stays_within_range(kind: str) -> None:
    target = TASKS[kind][0]
    task = TaskSection(input="worn", target=target, before=f"train-{kind}-before", wear=f"train-{kind}")
    codes = np.asarray(make_photo(3, (64, 64)))
    for seed in range(12):
        pair, again = (make_pair(codes, task, AgeOptions(), np.random.default_rng(seed)) for _ in range(2))
        assert pair.photo.shape == pair.clean.shape == (3, 64, 64)
        assert pair.mask.shape == (1, 64, 64)
        assert pair.photo.flags.c_contiguous
        for part in ("photo", "clean", "mask"):
            values = getattr(pair, part)
            np.testing.assert_array_equal(values, getattr(again, part))
            assert values.dtype == np.float32
            assert 0 <= values.min() <= values.max() <= 1


def test_holes_cover_the_damage(shard: Path) -> None:
    task = TaskSection(input="worn", target="fill", wear="train-inpaint")
    codes = np.asarray(make_photo(3, (64, 64)))
    for seed in range(8):
        pair = make_pair(codes, task, AgeOptions(), np.random.default_rng(seed))
        changed = np.abs(pair.photo - pair.clean).max(axis=0) > 0.2
        # What a crease's flank or a torn edge's shadow changes is not hidden, but most of what changed much is.
        assert not changed.any() or pair.mask[0][changed].mean() > 0.5


def test_a_misjudged_mask_is_a_pixel_off_in_its_share_of_the_picture() -> None:
    mask = torch.zeros(40, 1, 60, 60)
    mask[:, :, ::6, :] = mask[:, :, 1::6, :] = mask[:, :, 2::6, :] = 1  # stripes three pixels wide, three apart
    seen = misjudged(mask, 0.5, torch.Generator().manual_seed(0))
    assert set(seen.unique().tolist()) == {0.0, 1.0}
    widths = seen[:, 0, 6:54, ::10].reshape(40, 8, 6, 6).sum(dim=2)
    # Regions are ten pixels square, so a stripe may be cut by their borders; most are not.
    assert 0.1 < (widths == 1).float().mean() < 0.3
    assert 0.1 < (widths == 5).float().mean() < 0.3
    assert (widths == 3).float().mean() > 0.4
    torch.testing.assert_close(misjudged(mask, 0.5, torch.Generator().manual_seed(0)), seen)
    assert misjudged(mask, 0.0, torch.Generator()) is mask


def test_dice_is_zero_for_the_truth_and_one_for_its_opposite() -> None:
    mask = torch.zeros(2, 1, 16, 16)
    mask[0, :, :8] = 1
    assert dice_loss(mask, mask).item() == pytest.approx(0, abs=1e-6)
    assert dice_loss(1 - mask, mask).item() > 0.99


def test_a_missed_speck_counts_beside_another_pictures_tear() -> None:
    mask = torch.zeros(3, 1, 32, 32)
    mask[0, :, :, :16], mask[1, :, 3:6, 3:6] = 1, 1  # the third picture is undamaged
    found = mask.clone()
    found[1] = 0
    assert dice_loss(found, mask).item() == pytest.approx(0.23, abs=0.03)
    assert dice_loss(torch.zeros(1, 1, 8, 8), torch.zeros(1, 1, 8, 8)).item() == 0


def test_figures_without_a_number_are_left_out() -> None:
    picture, truth = torch.zeros(2, 3, 4, 4), torch.full((2, 3, 4, 4), 0.1)
    mask = torch.stack([torch.ones(1, 4, 4), torch.zeros(1, 4, 4)])
    assert summary({"psnr_holes": hole_psnr(picture, truth, mask)}) == pytest.approx({"psnr_holes": 20.0})
    shares = {"intersection": torch.tensor([0.1, 0.0]), "union": torch.tensor([0.2, 0.2])}
    assert summary(shares) == pytest.approx({"iou": 0.25})


@pytest.mark.parametrize(
    ("task", "said"),
    [
        ({"input": "worn", "target": "rgb"}, "needs the preset wear"),
        ({"input": "grey", "target": "rgb", "wear": "attic"}, "needs the preset wear"),
        ({"input": "worn", "target": "color", "wear": "attic"}, "input worn is colour|grey input"),
        ({"input": "relit", "target": "mask"}, "needs input worn"),
    ],
)
def test_tasks_that_make_no_sense_are_refused(task: dict[str, str], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        TaskSection.model_validate(task)


def test_the_decibel_loss_counts_pictures_alike() -> None:
    from photochrom.train.losses import decibel_loss

    truth = torch.zeros(2, 3, 8, 8)
    picture = torch.stack([torch.full((3, 8, 8), 0.1), torch.full((3, 8, 8), 0.01)])
    assert decibel_loss(picture[:1], truth[:1]).item() == pytest.approx(0.0, abs=1e-2)
    assert decibel_loss(picture, truth).item() == pytest.approx(-1.0, abs=0.03)
