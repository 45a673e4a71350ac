from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from photochrom.degradation.ageing import AgeOptions
from photochrom.nets.backbones import build_backbone
from photochrom.train.config import Stage
from photochrom.train.data import BatchSource, open_photo_sets
from photochrom.train.hints import colours_of, field, patches, strokes, tell
from photochrom.train.learner import set_training
from photochrom.train.sections import DataSection, HintsSection, TaskSection
from tests.train.conftest import make_photo
from tests.train.test_data import STAGE, photo_set

AB = np.stack([np.full((48, 64), 20.0), np.linspace(-30, 30, 48 * 64).reshape(48, 64)]).astype(np.float32)


def test_a_field_is_no_colder_than_the_truth() -> None:
    """Wrong patches aside, what it tells is off to both sides alike: it was half a unit short in a* and in b*."""
    short = [
        float(np.median((hints[:2] - AB)[:, hints[2] > 0]))
        for hints in (field(AB, np.random.default_rng(seed)) for seed in range(60))
    ]
    assert abs(np.median(short)) < 0.1


@pytest.mark.parametrize("seed", range(4))
def test_patches_tell_the_true_colour_where_they_lie_and_nothing_elsewhere(seed: int) -> None:
    hints = patches(AB, 100, np.random.default_rng(seed))
    told = hints[2] > 0
    assert 0 < told.sum() < told.size
    assert not hints[:, ~told].any()
    assert np.abs(hints[:2, told] - AB[:, told]).max() < 25  # the mean of a patch, or jittered
    assert set(np.unique(hints[2, told])) <= {1.0} or hints[2, told].max() <= 0.9


def test_strokes_stay_on_one_colour_each() -> None:
    hints = strokes(AB, np.random.default_rng(0))
    told = hints[2] > 0
    assert told.any()
    assert np.hypot(*(hints[:2, told] - AB[:, told])).max() < 13


def test_a_field_is_near_the_truth_weak_and_torn() -> None:
    hints = field(AB, np.random.default_rng(3))
    told = hints[2] > 0
    assert 0.3 < told.mean() < 1
    assert hints[2].max() < 1
    assert np.median(np.hypot(*(hints[:2, told] - AB[:, told]))) < 15


@pytest.mark.parametrize("seed", range(4))
def test_an_invented_colour_is_told_on_its_thing_and_everything_else_keeps_its_own(seed: int) -> None:
    photo = two_things()
    options = HintsSection(share=1, invented=1, strokes=seed % 2, fields=0)
    truth, hints = tell(photo, 4, options, np.random.default_rng(seed))
    changed = np.hypot(*(truth - colours_of(photo, 4))) > 2
    left = np.zeros_like(changed)
    left[:, :6] = True
    assert (changed == left).all()
    told = hints[2] > 0
    on_thing = told & np.kron(changed, np.ones((4, 4), dtype=bool))
    assert on_thing.any()
    asked, learned = hints[:2, on_thing].mean(axis=1), truth[:, changed].mean(axis=1)
    assert np.hypot(*(asked - learned)) < 10  # a patch may be jittered


def two_things() -> Image.Image:
    """Return a photograph of 64 x 64 that is green on the left, and blue on more than half of it."""
    pixels = np.full((64, 64, 3), (90, 140, 60), dtype=np.uint8)
    pixels[:, 24:] = (50, 80, 160)
    return Image.fromarray(pixels)


def test_as_many_photographs_come_with_hints_as_the_section_says() -> None:
    photo, options = make_photo(0, (64, 64)), HintsSection(share=0.5)
    given = [tell(photo, 4, options, np.random.default_rng(seed))[1].any() for seed in range(60)]
    assert 15 < sum(given) < 45


def test_batches_carry_hints_only_for_networks_that_hear(shard: Path) -> None:
    hearing = BatchSource(photo_set(shard), 1.4, TaskSection(), AgeOptions(), 3, stride=4, hints=HintsSection(share=1))
    batch = hearing.batch(STAGE, 0, 0)
    assert batch.hints.shape == (4, 3, 32, 32)
    assert batch.ab.shape == (4, 2, 8, 8)
    assert BatchSource(photo_set(shard), 1.4, TaskSection(), AgeOptions(), 3).batch(STAGE, 0, 0).hints.size == 0


def test_held_out_patterns_are_never_trained_on_and_are_what_validation_looks_at(shard: Path) -> None:
    data = DataSection(photos=(str(shard),), held_out=("*:photo-01*",), validation_photos=6)
    training, validation = open_photo_sets(data, 32)
    assert len(training) == 14
    assert len(validation) == 6
    assert all("photo-01" in place.name for place in validation.places)
    assert not any("photo-01" in place.name for place in training.places)


def test_norms_rest_and_early_layers_freeze_when_a_stage_says_so() -> None:
    net = torch.nn.Module()
    net.backbone = build_backbone("test")
    stage = Stage(
        name="s", size_px=32, batch=1, photos_seen=1, lr_decoder=1, lr_backbone=1, lr_backbone_early=0, rests_norms=True
    )
    set_training(net, stage)
    norms = [module for module in net.backbone.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    assert not any(norm.training for norm in norms)
    early = [p.requires_grad for name, p in net.backbone.named_parameters() if name.startswith(net.backbone.early)]
    late = [p.requires_grad for name, p in net.backbone.named_parameters() if not name.startswith(net.backbone.early)]
    assert not any(early)
    assert all(late)
