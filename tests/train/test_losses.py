import math
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from photochrom import color
from photochrom.errors import OptionError
from photochrom.metrics import ciede2000_map
from photochrom.nets.paint import luma_of, paint
from photochrom.nets.vgg import Vgg16
from photochrom.train.color_difference import color_difference_loss
from photochrom.train.config import TrainConfig
from photochrom.train.losses import adversarial_loss, balanced_accuracy, colorfulness_loss, critic_loss, pixel_loss
from photochrom.train.objectives import OF_PICTURE
from photochrom.train.perceptual import PerceptualLoss
from photochrom.train.sections import LooksAt, LossSection


def test_critic_losses_at_chance_and_when_right() -> None:
    unsure, sure = torch.zeros(5), torch.full((5,), 20.0)
    assert float(critic_loss("bce", unsure, unsure)) == pytest.approx(math.log(2))
    assert float(critic_loss("bce", sure, -sure)) == pytest.approx(0, abs=1e-6)
    assert float(critic_loss("hinge", unsure, unsure)) == pytest.approx(2)
    assert float(critic_loss("hinge", torch.tensor([1.5, -1.0]), torch.tensor([-3.0, 0.0]))) == pytest.approx(1.5)
    assert balanced_accuracy(torch.tensor([1.0, 2.0, -1.0, 3.0]), torch.tensor([-1.0, 1.0])) == pytest.approx(0.625)


@pytest.mark.parametrize("kind", ["hinge", "bce"])
def test_a_generator_is_pushed_towards_real(kind) -> None:
    logits = torch.zeros(3, requires_grad=True)
    adversarial_loss(kind, logits).backward()
    assert (logits.grad < 0).all()


def test_pixel_loss_is_the_mean_absolute_difference() -> None:
    assert float(pixel_loss(torch.tensor([0.0, 1.0]), torch.tensor([0.5, 0.75]))) == pytest.approx(0.375)


@pytest.mark.slow
def test_perceptual_loss_sees_structure_and_teaches_only_the_picture() -> None:
    loss = PerceptualLoss("lite0", None, (0, 2), (1.0, 0.5))
    rng = torch.Generator().manual_seed(0)
    truth = torch.rand(1, 3, 64, 64, generator=rng)
    picture = truth.clone().requires_grad_()
    assert loss(picture, truth).item() == 0
    blurred = torch.nn.functional.avg_pool2d(truth, 5, 1, 2)
    assert float(loss(blurred, truth)) > float(loss((truth + 0.002).clamp(0, 1), truth))
    loss(picture * 0.5, truth).backward()
    assert picture.grad.abs().sum() > 0
    assert all(parameter.grad is None for parameter in loss.parameters())
    assert not loss.train().network.training


@pytest.mark.slow
def test_perceptual_loss_weighs_its_levels(tmp_path: Path) -> None:
    torch.manual_seed(0)
    save_file(Vgg16((0,), has_norms=True).state_dict(), tmp_path / "vgg.safetensors")
    one, two = torch.rand(2, 1, 3, 32, 32).unbind(0)
    parts = [PerceptualLoss("vgg16_bn", tmp_path / "vgg.safetensors", (i,), (1.0,))(one, two) for i in (1, 2)]
    both = PerceptualLoss("vgg16_bn", tmp_path / "vgg.safetensors", (1, 2), (7.0, 3.0))(one, two)
    torch.testing.assert_close(both, 7 * parts[0] + 3 * parts[1])


@pytest.mark.parametrize(
    ("network", "levels", "weights", "said"),
    [
        ("vgg16", (2,), (1.0,), "vgg16-397923af.pth"),
        ("lite0", (2, 3), (1.0,), "do not fit"),
        ("lite0", (7,), (1.0,), "do not fit"),
        ("alexnet", (2,), (1.0,), "no network 'alexnet'"),
    ],
)
def test_wrong_perceptual_options_say_so(network, levels, weights, said: str) -> None:
    with pytest.raises(OptionError, match=said):
        PerceptualLoss(network, None, levels, weights)


def test_painting_is_the_products_arithmetic() -> None:
    rng = np.random.default_rng(0)
    luma, ab = rng.random((1, 16, 16)), rng.uniform(-70, 70, (1, 16, 16, 2))
    expected = color.merge_luma_chroma(luma, color.chroma_from_ab(luma, ab, refinements=1))
    painted = paint(torch.from_numpy(luma)[:, None].float(), torch.from_numpy(ab).permute(0, 3, 1, 2).float())
    np.testing.assert_allclose(painted.permute(0, 2, 3, 1).numpy(), expected, atol=2e-3)


def test_painting_keeps_luma_and_passes_gradients() -> None:
    rng = torch.Generator().manual_seed(0)
    luma = torch.rand(2, 1, 8, 8, generator=rng)
    luma[0, 0, 0] = torch.tensor([0.0, 1.0] * 4)
    ab = (torch.rand(2, 2, 4, 4, generator=rng) * 60 - 30).requires_grad_()
    rgb = paint(luma, ab)
    torch.testing.assert_close(luma_of(rgb), luma, atol=1e-5, rtol=0)
    rgb.square().sum().backward()
    assert torch.isfinite(ab.grad).all()
    assert (ab.grad != 0).any()


def test_colorfulness_loss_is_the_metric_s_and_has_a_slope_even_at_grey() -> None:
    rng = np.random.default_rng(3)
    pictures = rng.random((2, 2, 8, 8, 3), dtype=np.float32)
    apart = [abs(color.colorfulness(a) - color.colorfulness(b)) / 100 for a, b in zip(*pictures, strict=True)]
    batches = torch.from_numpy(pictures).permute(0, 1, 4, 2, 3)
    assert float(colorfulness_loss(batches[0], batches[1])) == pytest.approx(float(np.mean(apart)), rel=1e-3)

    grey = torch.full((1, 3, 8, 8), 0.5, requires_grad=True)
    colorfulness_loss(grey, batches[0, :1]).backward()
    assert grey.grad is not None
    assert bool(grey.grad.isfinite().all())


def test_color_difference_loss_is_the_scoreboards_and_has_a_slope_everywhere() -> None:
    random = np.random.default_rng(5)
    pictures = random.random((2, 16, 16, 3), dtype=np.float32)
    pictures[:, :, 8:] = 0.5 + 0.1 * (pictures[:, :, 8:] - 0.5)  # pale ones, where a* counts more
    pictures[:, :4] *= (0.3, 0.3, 1)  # blue ones, where hue and chroma go together
    batches = torch.from_numpy(pictures).permute(0, 3, 1, 2)[:, None]
    expected = float(ciede2000_map(*pictures).mean())
    assert float(color_difference_loss(batches[0], batches[1])) == pytest.approx(expected, rel=2e-3)
    assert float(color_difference_loss(batches[1], batches[0])) == pytest.approx(expected, rel=2e-3)

    some = torch.cat([torch.full((1, 3, 8, 8), 0.5), torch.zeros(1, 3, 8, 8), batches[0][..., :8, :8]]).requires_grad_()
    color_difference_loss(some, some.detach()).backward()
    color_difference_loss(some, batches[1][..., :8, :8].expand(3, 3, 8, 8)).backward()
    assert some.grad is not None
    assert bool(some.grad.isfinite().all())


def of(looks_at: LooksAt) -> list[str]:
    """Return the weights whose loss looks at one thing."""
    return [name for name, field in LossSection.model_fields.items() if looks_at in field.metadata]


def test_every_weight_has_its_loss() -> None:
    assert list(OF_PICTURE) == of(LooksAt.PICTURE)
    kinds = [set(field.metadata) & set(LooksAt) for field in LossSection.model_fields.values()]
    weights = [name for name, kind in zip(LossSection.model_fields, kinds, strict=True) if kind]
    assert all(len(kind) <= 1 for kind in kinds)
    numbers = [name for name, field in LossSection.model_fields.items() if field.annotation is float]
    assert weights == numbers  # every number there is a weight, and says what its loss looks at


@pytest.mark.slow
def test_a_loss_is_nothing_for_the_truth_and_something_for_another_picture() -> None:
    picture, truth = torch.rand(2, 2, 3, 64, 64, generator=torch.Generator().manual_seed(1)).unbind(0)
    for name, make in OF_PICTURE.items():
        loss = make(LossSection())
        assert float(loss(truth * picture, truth)) > float(loss(truth, truth)), name
        if name != "decibel":  # which counts on below 0
            assert float(loss(truth, truth)) == pytest.approx(0, abs=1e-6), name


@pytest.mark.parametrize("weight", of(LooksAt.PICTURE))
def test_any_loss_of_pictures_teaches(weight: str, tmp_path: Path) -> None:
    stage = {"name": "a", "size_px": 32, "batch": 1, "photos_seen": 1, "lr_decoder": 1e-3}
    asked = {"run": {"folder": tmp_path}, "data": {"photos": ["x"]}, "task": {"target": "rgb"}, "stages": [stage]}
    TrainConfig.model_validate({**asked, "loss": {weight: 0.5}})
    with pytest.raises(ValueError, match="every loss has weight 0"):
        TrainConfig.model_validate({**asked, "loss": {"distribution": 1}})  # rgb has no loss of its own
