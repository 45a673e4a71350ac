"""Critics of patches: strided spectral-norm convolutions that say of each patch of a picture: real or generated."""

from __future__ import annotations

from torch import Tensor, nn

from photochrom.errors import OptionError
from photochrom.nets.blocks import SelfAttention, spectral_conv

SLOPE = 0.2


class Critic(nn.Module):
    """A network that says of pictures how real they look: (B, 3, H, W) -> (B, C, H', W'), logits above 0 for "real"."""


class PatchCritic(nn.Sequential, Critic):
    """A stack of layers that ends in one logit per patch, above zero for "real".

    Shapes: (B, 3, H, W) -> (B, 1, H', W'); see the builders for H'. Range: sRGB 0..1, centred inside.
    Source: Isola et al. 2017, "Image-to-Image Translation with Conditional Adversarial Networks", section 3.2.2.
    """

    def forward(self, rgb: Tensor) -> Tensor:
        """Shapes: as the class says."""
        x = rgb * 2 - 1
        for part in self:
            x = part(x)
        return x


def layer(c_in: int, c_out: int, kernel_px: int, stride: int = 1, padding: int = 1) -> list[nn.Module]:
    """Return a spectral-norm convolution with bias and its leaky ReLU."""
    conv = spectral_conv(c_in, c_out, kernel_px, stride, has_bias=True, padding=padding)
    return [conv, nn.LeakyReLU(SLOPE, inplace=True)]


def build_patch_critic(width: int = 256, blocks: int = 3, dropout: float = 0.15, attending: int = 0) -> PatchCritic:
    """Return DeOldify's final critic: 94,555,649 parameters at width 256.

    Each block filters, drops channels and halves the size while doubling the width; block ``attending`` then looks
    everywhere (at 1/4 of the size for block 0). Logits per side: 1 at 64 px, 5 at 128 px, 9 at 192 px with 3 blocks.
    """
    if width % 8:
        raise OptionError(f"a critic's width is a multiple of 8, not {width}", where="critic.width")
    layers = [*layer(3, width, 4, 2), nn.Dropout2d(dropout / 2)]
    for number in range(blocks):
        layers += [*layer(width, width, 3), nn.Dropout2d(dropout), *layer(width, 2 * width, 4, 2)]
        width *= 2
        if number == attending:
            layers.append(SelfAttention(width))
    layers += [*layer(width, width, 3), spectral_conv(width, 1, 4, padding=0)]
    return PatchCritic(*layers)


def build_progressive_critic(width: int = 512, blocks: int = 3) -> PatchCritic:
    """Return the critic of DeOldify's first release: half its channels dropped, attention after every block."""
    layers = [*layer(3, width, 4, 2), nn.Dropout2d(0.2), *layer(width, width, 3)]
    for _ in range(blocks):
        layers += [nn.Dropout2d(0.5), *layer(width, 2 * width, 4, 2), SelfAttention(2 * width)]
        width *= 2
    return PatchCritic(*layers, spectral_conv(width, 1, 4, padding=0))
